/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The plan of a boot: what of the kernel's file, and what besides it, goes where.
 * boot.c has it made by boot-linux.c (a bzImage), boot-pvh.c (an ELF image with a PVH
 * entry) or boot-multiboot.c, and carries it out. Nobody else includes this.
 */
#ifndef HW_I386_BOOT_PLAN_H
#define HW_I386_BOOT_PLAN_H

#include <asm/bootparam.h>

#include "boot-file.h"
#include "memory-map.h"
#include "qemu/units.h"

/* What is put into low memory, which the kernel reclaims after its start. */
#define BOOT_GDT 0x1000
#define BOOT_INFO 0x7000                  /* what the kernel is told */
#define BOOT_PAGE_TABLES 0x10000          /* long mode: six pages */
#define BOOT_CMDLINE 0x20000
#define BOOT_CMDLINE_MAX 0x10000          /* with its final NUL */
#define BOOT_KERNEL_MIN MiB               /* kernels are loaded from here up */

/* Part of the kernel's file, and where it goes; the rest of @mem_size is 0. */
typedef struct BootSegment {
    uint64_t offset;
    uint64_t file_size;
    uint64_t addr;
    uint64_t mem_size;
} BootSegment;

typedef enum BootKind {
    BOOT_LINUX,
    BOOT_PVH,
    BOOT_MULTIBOOT,
} BootKind;

/* A file for a multiboot kernel, and where it goes. */
typedef struct BootModule {
    BootFile file;
    char *cmdline;                        /* "FILE ARGUMENTS" */
    uint64_t addr;
} BootModule;

typedef struct X86Boot {
    X86MemoryMap map;
    BootFile kernel;
    BootFile initrd;                      /* path NULL: none, or modules */
    GArray *modules;                      /* of BootModule */
    char *cmdline;
    BootKind kind;
    struct setup_header header;           /* bzImage */
    GArray *segments;                     /* of BootSegment */
    uint64_t entry;
    /* What the kernel occupies from load until it knows its memory. */
    uint64_t kernel_start;
    uint64_t kernel_end;
    uint64_t initrd_max;                  /* last byte the initrd may have */
    uint64_t initrd_addr;
} X86Boot;

#endif
