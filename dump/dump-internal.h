/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files of dump: what there is to be written, and its headers. */
#ifndef DUMP_INTERNAL_H
#define DUMP_INTERNAL_H

#include "exec/memory.h"

/* Populated RAM, contiguous in the guest and in this process. */
typedef struct DumpPiece {
    hwaddr addr;                          /* guest physical */
    uint64_t size;
    const uint8_t *host;
    MemoryRegion *mr;                     /* holds a reference */
} DumpPiece;

/* Contiguous in the guest: a program header. */
typedef struct DumpSegment {
    hwaddr addr;
    uint64_t size;
} DumpSegment;

/* dump-memory.c: DumpPiece, ascending, of what is populated in @as from @first
 * to @last; g_array_unref() drops the references, too. */
GArray *dump_pieces_new(AddressSpace *as, hwaddr first, hwaddr last);
/* DumpSegment, ascending. */
GArray *dump_segments_new(const GArray *pieces);

/* dump-elf.c: the registers of all CPUs that have any; may be empty. */
GByteArray *dump_notes_new(void);
/* What comes before the memory: whole pages. The memory follows, @segments one
 * after the other. */
GByteArray *dump_headers_new(const GArray *segments, const GByteArray *notes);

#endif
