/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ELF images as kernels, of 32 and of 64 bits: what is loaded, and where; for
 * boot-pvh.c and boot-multiboot.c. What headers say is not to be trusted.
 */
#ifndef HW_I386_BOOT_ELF_H
#define HW_I386_BOOT_ELF_H

#include <elf.h>

#include "boot-plan.h"

#define BOOT_ELF_SEGMENTS_MAX 64

typedef struct BootElf {
    uint64_t entry;                       /* guest-physical */
    unsigned nr_segments;
    Elf64_Phdr segments[BOOT_ELF_SEGMENTS_MAX];  /* those of 32 bits widened */
} BootElf;

/* Whether a file with @head, its first @size bytes, is an ELF image, or one of 64
 * bits. */
bool boot_elf_detect(const uint8_t *head, size_t size);
bool boot_elf_detect_64(const uint8_t *head, size_t size);
/* Reads the headers of boot->kernel. false: *errp. */
bool boot_elf_read(const X86Boot *boot, BootElf *elf, Error **errp);
/* Adds what is loaded of it to the plan: segments, kernel_start, kernel_end. */
bool boot_elf_plan(X86Boot *boot, const BootElf *elf, Error **errp);
/* Adds a segment to the plan if it is in the file and has RAM. false: *errp. */
bool boot_elf_add_segment(X86Boot *boot, const BootSegment *segment,
                          Error **errp);

#endif
