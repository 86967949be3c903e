/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which memory a dump consists of: what is populated now of the flat view. Must
 * not touch the memory.
 */
#include "qemu/osdep.h"
#include "dump-internal.h"

typedef struct Collector {
    hwaddr first;
    hwaddr last;
    GArray *pieces;
} Collector;

static void piece_clear(gpointer data)
{
    memory_region_unref(((DumpPiece *)data)->mr);
}

static DumpPiece *last_piece(Collector *c)
{
    return c->pieces->len
           ? &g_array_index(c->pieces, DumpPiece, c->pieces->len - 1) : NULL;
}

/* Takes what was asked for of a populated run. */
static int collect_run(const MemoryRegionSection *run, void *opaque)
{
    Collector *c = opaque;
    hwaddr start = run->offset_within_address_space;
    hwaddr first = MAX(start, c->first);
    hwaddr last = MIN(start + (int128_get64(run->size) - 1), c->last);
    DumpPiece *before = last_piece(c);
    DumpPiece piece;

    if (first > last) {
        return 0;
    }
    piece.addr = first;
    piece.size = last - first + 1;
    piece.mr = run->mr;
    piece.host = (uint8_t *)memory_region_get_ram_ptr(run->mr) +
                 run->offset_within_region + (first - start);
    if (before && before->mr == piece.mr &&
        before->addr + before->size == piece.addr &&
        before->host + before->size == piece.host) {
        before->size += piece.size;
        return 0;
    }
    memory_region_ref(piece.mr);
    g_array_append_val(c->pieces, piece);
    return 0;
}

/* A device's memory is not the guest's, and reading it may have effects. */
static int collect_section(const MemoryRegionSection *section, void *opaque)
{
    if (!memory_region_is_ram(section->mr) ||
        memory_region_is_ram_device(section->mr)) {
        return 0;
    }
    return memory_region_section_foreach_populated(section, collect_run,
                                                   opaque);
}

GArray *dump_pieces_new(AddressSpace *as, hwaddr first, hwaddr last)
{
    Collector c = {
        .first = first,
        .last = last,
        .pieces = g_array_new(false, false, sizeof(DumpPiece)),
    };

    g_array_set_clear_func(c.pieces, piece_clear);
    address_space_foreach_section(as, collect_section, &c);
    return c.pieces;
}

void dump_pieces_keep_pages(GArray *pieces, uint64_t page_size)
{
    for (guint i = pieces->len; i-- > 0;) {
        DumpPiece *p = &g_array_index(pieces, DumpPiece, i);
        hwaddr first = QEMU_ALIGN_UP(p->addr, page_size);
        hwaddr end = QEMU_ALIGN_DOWN(p->addr + p->size, page_size);

        if (first >= end) {
            g_array_remove_index(pieces, i);
            continue;
        }
        p->host += first - p->addr;
        p->addr = first;
        p->size = end - first;
    }
}

GArray *dump_segments_new(const GArray *pieces)
{
    GArray *segments = g_array_new(false, false, sizeof(DumpSegment));
    DumpSegment *last = NULL;

    for (guint i = 0; i < pieces->len; i++) {
        const DumpPiece *piece = &g_array_index(pieces, DumpPiece, i);

        if (last && last->addr + last->size == piece->addr) {
            last->size += piece->size;
        } else {
            DumpSegment segment = { piece->addr, piece->size };

            g_array_append_val(segments, segment);
            last = &g_array_index(segments, DumpSegment, segments->len - 1);
        }
    }
    return segments;
}
