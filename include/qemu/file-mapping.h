/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mappings of files that another process may cut short, or that the host
 * cannot back when they are touched: a full file system, no huge page left.
 * Touching such memory raises SIGBUS, which would end the VM. For a mapping
 * that is known here zeros appear in the place of what is gone, its owner is
 * told, and whoever touched it goes on.
 *
 * Errors of the memory itself (BUS_MCEERR_*) are not handled here.
 */
#ifndef QEMU_FILE_MAPPING_H
#define QEMU_FILE_MAPPING_H

#include "qapi/error.h"

typedef struct FileMapping FileMapping;

typedef enum FileMappingState {
    FILE_MAPPING_INTACT,
    FILE_MAPPING_UNBACKED,                /* the host had nothing to back some
                                             pages; they are private now */
    FILE_MAPPING_CUT,                     /* the file has lost its end */
} FileMappingState;

/* The mapping is not intact any more, which @why says of "it". Once for each
 * state; main loop, big lock held. May free the mapping. */
typedef void FileMappingBroken(void *opaque, const char *why);

/*
 * Catches SIGBUS from now on. Once, after qemu_init_main_loop(); before that
 * mappings can be made, but SIGBUS ends the process. 0, or -errno and *errp.
 * Every thread that touches a mapping must leave SIGBUS unblocked.
 */
int file_mapping_init(Error **errp);

/*
 * @size bytes at @host are those of @fd from @fd_offset on, mapped in pages of
 * @page_size; the caller keeps both, and unmaps after file_mapping_free().
 * @broken may be NULL. Big lock held; never fails.
 */
FileMapping *file_mapping_new(void *host, size_t size, size_t page_size, int fd,
                              uint64_t fd_offset, FileMappingBroken *broken,
                              void *opaque);
void file_mapping_free(FileMapping *m);
/* Any thread. */
FileMappingState file_mapping_state(const FileMapping *m);
/* What the file was called when it was mapped: asking the kernel later would be a
 * system call that only hot plug has. The mapping's. */
const char *file_mapping_path(const FileMapping *m);
/* What FileMappingBroken was told, or would be; static. */
const char *file_mapping_why(const FileMapping *m);

/*
 * For whoever touches mappings through the kernel and was told EFAULT instead
 * of being sent a signal (KVM): puts zeros behind the end of each file that was
 * cut. Whether there was any. Any thread.
 */
bool file_mappings_mend(void);

#endif
