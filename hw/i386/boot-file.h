/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files whose contents go to guest memory, and how they get there; for boot
 * loading (boot.c, boot-linux.c, boot-pvh.c).
 */
#ifndef HW_I386_BOOT_FILE_H
#define HW_I386_BOOT_FILE_H

#include "exec/memory.h"

/* Read when it is needed. */
typedef struct BootFile {
    char *path;
    int fd;                               /* -1: not open */
    uint64_t size;
} BootFile;

/* A regular file that is not empty; @option names it in messages. @file->fd is
 * -1 before; to be closed even if it fails. */
bool boot_file_open(BootFile *file, const char *option, const char *path,
                    Error **errp);
void boot_file_close(BootFile *file);
/* Reads exactly @size bytes at @offset, or sets *errp. */
bool boot_file_read(const BootFile *file, uint64_t offset, void *buf,
                    size_t size, Error **errp);

/* Writes into RAM below 4 GiB; the plan has made sure that it is there. */
void boot_write(AddressSpace *as, uint64_t addr, const void *buf, size_t size);
/* Copies @size bytes of the file at @offset to @addr. */
bool boot_load(const BootFile *file, uint64_t offset, AddressSpace *as,
               uint64_t addr, uint64_t size, Error **errp);

#endif
