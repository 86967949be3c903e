/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files of dump: what there is to be written, and its headers. */
#ifndef DUMP_INTERNAL_H
#define DUMP_INTERNAL_H

#include "exec/memory.h"
#include "qapi/error.h"
#include "qemu/units.h"

/* What is written, or left out, as a whole; bytes. */
#define DUMP_CHUNK (256 * KiB)
/* For so long a pipe may stand still where the client waits for the reply. */
#define DUMP_STALL_MS 30000

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
/* Leaves of each piece whole pages of @page_size bytes, a power of two. */
void dump_pieces_keep_pages(GArray *pieces, uint64_t page_size);
/* DumpSegment, ascending. */
GArray *dump_segments_new(const GArray *pieces);

/* dump-output.c: where it goes. */
typedef struct DumpOutput {
    char *name;                           /* for messages; a file's path */
    char *temporary;                      /* a file's until it is complete */
    int fd;
    uint64_t offset;                      /* into the file, of what is next */
    uint64_t size;                        /* that the file will have */
    GByteArray *waiting;                  /* a stream's, not taken; NULL: file */
} DumpOutput;

/* @protocol: "file:PATH", or "fd:NAME" of a descriptor that a client has sent.
 * false: *errp, and nothing is open. */
bool dump_output_open(DumpOutput *out, const char *protocol, Error **errp);
/* Writes all. A stream that does not take all now is full then, and must be
 * flushed until it is not before anything else is written. */
bool dump_output_write(DumpOutput *out, const uint8_t *buf, size_t size,
                       Error **errp);
/* The same at @offset of a file; where dump_output_write() goes on stays. */
bool dump_output_write_at(DumpOutput *out, uint64_t offset, const uint8_t *buf,
                          size_t size, Error **errp);
/* The same of zeros: a hole where there are any, else at most DUMP_CHUNK. */
bool dump_output_skip(DumpOutput *out, size_t size, Error **errp);
/* Whether it is a file, which has holes and is written to in any order. */
bool dump_output_has_holes(const DumpOutput *out);
bool dump_output_is_full(const DumpOutput *out);
/* Writes what it now takes of what waits. */
bool dump_output_flush(DumpOutput *out, Error **errp);
/* Waits until it takes something; false: *errp, it has not for long. */
bool dump_output_wait(DumpOutput *out, Error **errp);
/* Closes it. A file gets its name, unless *failure says that the dump failed or
 * this does: then there is no file, and *failure is set. */
void dump_output_close(DumpOutput *out, Error **failure);

/* dump-notes.c: what is told beside the memory. */
typedef struct DumpNotes {
    GByteArray *bytes;                    /* ELF notes; may be empty */
    uint64_t guest_offset;                /* of VMCOREINFO's text in bytes */
    uint32_t guest_size;                  /* of the text; 0: there is none */
    int64_t phys_base;                    /* that it names; else 0 */
} DumpNotes;

DumpNotes *dump_notes_new(void);
/* @notes may be NULL. */
void dump_notes_free(DumpNotes *notes);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DumpNotes, dump_notes_free)

/* dump-elf.c: what comes before the memory: whole pages. The memory follows,
 * @segments one after the other. @notes: ELF notes, may be empty. */
GByteArray *dump_headers_new(const GArray *segments, const GByteArray *notes);

/* dump-kdump.c: the compressed format, a step at a time. Each step writes at most
 * once to a stream. false: *errp. */
#define DUMP_KDUMP_PAGE 4096
typedef struct DumpKdump DumpKdump;

/* Writes the headers; @flat: as a stream. @pieces, of whole pages, is borrowed.
 * NULL: *errp. */
DumpKdump *dump_kdump_begin(DumpOutput *out, bool flat, const GArray *pieces,
                            const DumpNotes *notes, unsigned nr_cpus,
                            Error **errp);
/* Then, while there is one, a part of the bitmaps. */
bool dump_kdump_has_bitmap(const DumpKdump *k);
bool dump_kdump_bitmap(DumpKdump *k, Error **errp);
/* Then the next @size bytes of memory, whole pages; @buf NULL: they are zero. */
bool dump_kdump_pages(DumpKdump *k, const uint8_t *buf, uint64_t size,
                      Error **errp);
bool dump_kdump_end(DumpKdump *k, Error **errp);
/* @k may be NULL. */
void dump_kdump_free(DumpKdump *k);

#endif
