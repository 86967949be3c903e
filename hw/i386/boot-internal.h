/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shared by the parts of boot loading: boot.c (files, plan, copying),
 * boot-linux.c (bzImage) and boot-pvh.c (ELF with a PVH entry). Nobody else
 * includes this.
 */
#ifndef HW_I386_BOOT_INTERNAL_H
#define HW_I386_BOOT_INTERNAL_H

#include <asm/bootparam.h>

#include "boot.h"
#include "qemu/units.h"

/* What is put into low memory, which the kernel reclaims after its start. */
#define BOOT_GDT 0x1000
#define BOOT_INFO 0x7000                  /* boot_params, or PVH's start info */
#define BOOT_PAGE_TABLES 0x10000          /* long mode: six pages */
#define BOOT_CMDLINE 0x20000
#define BOOT_CMDLINE_MAX 0x10000          /* with its final NUL */
#define BOOT_KERNEL_MIN MiB               /* kernels are loaded from here up */

/* A file whose contents go to the guest; read when they are needed. */
typedef struct BootFile {
    char *path;
    int fd;
    uint64_t size;
} BootFile;

/* Part of the kernel's file, and where it goes; the rest of @mem_size is 0. */
typedef struct BootSegment {
    uint64_t offset;
    uint64_t file_size;
    uint64_t addr;
    uint64_t mem_size;
} BootSegment;

struct X86Boot {
    X86MemoryMap map;
    BootFile kernel;
    BootFile initrd;                      /* path NULL: none */
    char *cmdline;
    bool pvh;
    struct setup_header header;           /* bzImage */
    GArray *segments;                     /* of BootSegment */
    uint64_t entry;
    /* What the kernel occupies from load until it knows its memory. */
    uint64_t kernel_start;
    uint64_t kernel_end;
    uint64_t initrd_max;                  /* last byte the initrd may have */
    uint64_t initrd_addr;
};

/* Reads exactly @size bytes at @offset, or sets *errp. */
bool boot_file_read(const BootFile *file, uint64_t offset, void *buf,
                    size_t size, Error **errp);
/* Writes into RAM below 4 GiB; the plan has made sure that it is there. */
void boot_write(AddressSpace *as, uint64_t addr, const void *buf, size_t size);

/*
 * Whether the file begins like one of the kind, and the plan for it: segments,
 * entry, kernel_start, kernel_end and initrd_max.
 */
bool boot_linux_detect(const uint8_t *head, size_t size);
bool boot_linux_plan(X86Boot *boot, Error **errp);
bool boot_pvh_detect(const uint8_t *head, size_t size);
bool boot_pvh_plan(X86Boot *boot, Error **errp);

/* Writes what the kernel finds besides itself; fills in *entry. */
void boot_linux_write_info(const X86Boot *boot, AddressSpace *as,
                           uint64_t rsdp, X86Entry *entry);
void boot_pvh_write_info(const X86Boot *boot, AddressSpace *as, uint64_t rsdp,
                         X86Entry *entry);

#endif
