/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How an address space is folded into rows of cells. */
#include "qemu/osdep.h"
#include "map-layout.h"

/* Beyond this a row is the whole address space. */
#define SHIFT_MAX 63

/* --- rows --- */

/*
 * The rows of 2^shift bytes that @extents touch, given to @row (may be NULL)
 * with how many rows are left out before each; the lines that they take.
 */
static unsigned walk_rows(const MapExtent *extents, size_t n, unsigned shift,
                          void (*row)(uint64_t nr, uint64_t skipped,
                                      void *opaque), void *opaque)
{
    unsigned lines = 0;
    uint64_t next = 0;                    /* the first row not yet seen */
    bool any = false;

    for (size_t i = 0; i < n && lines < UINT_MAX / 4; i++) {
        uint64_t from = extents[i].first >> shift;
        uint64_t to = extents[i].last >> shift;
        uint64_t skipped;

        from = any ? MAX(from, next) : from;
        if (any && from > to) {
            continue;                     /* in a row that is there already */
        }
        skipped = any ? from - next : from;
        lines += (skipped ? 1 : 0) + (unsigned)MIN(to - from + 1,
                                                   UINT_MAX / 4);
        for (uint64_t nr = from; row && nr <= to; nr++) {
            row(nr, nr == from ? skipped : 0, opaque);
        }
        next = to + 1;
        any = true;
    }
    return lines;
}

typedef struct RowList {
    GArray *rows;
    unsigned shift;
} RowList;

static void append_row(uint64_t nr, uint64_t skipped, void *opaque)
{
    RowList *list = opaque;
    MapRow row = { nr << list->shift, skipped << list->shift };

    g_array_append_val(list->rows, row);
}

static unsigned log2_of(uint64_t power_of_two)
{
    g_assert(power_of_two && !(power_of_two & (power_of_two - 1)));
    return __builtin_ctzll(power_of_two);
}

MapLayout *map_layout_new(const MapExtent *extents, size_t n,
                          unsigned cells_per_row, uint64_t min_cell,
                          unsigned max_lines)
{
    unsigned cells_shift = log2_of(cells_per_row);
    RowList list = { g_array_new(false, false, sizeof(MapRow)),
                     log2_of(min_cell) + cells_shift };
    MapLayout *layout = g_new0(MapLayout, 1);

    g_assert(n > 0 && max_lines > 2 && list.shift <= 32);
    while (list.shift < SHIFT_MAX &&
           walk_rows(extents, n, list.shift, NULL, NULL) > max_lines) {
        list.shift++;
    }
    layout->nr_lines = walk_rows(extents, n, list.shift, append_row, &list);
    layout->cells_per_row = cells_per_row;
    layout->row_size = 1ULL << list.shift;
    layout->cell_size = layout->row_size >> cells_shift;
    layout->nr_rows = list.rows->len;
    layout->rows = (MapRow *)g_array_free(list.rows, false);
    layout->cells = g_new0(MapCell, (size_t)layout->nr_rows * cells_per_row);
    return layout;
}

void map_layout_free(MapLayout *layout)
{
    g_free(layout->rows);
    g_free(layout->cells);
    g_free(layout);
}

unsigned map_layout_row(const MapLayout *layout, uint64_t addr)
{
    uint64_t start = addr & ~(layout->row_size - 1);
    unsigned lo = 0, hi = layout->nr_rows;

    while (lo < hi) {
        unsigned mid = lo + (hi - lo) / 2;

        if (layout->rows[mid].addr < start) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo < layout->nr_rows && layout->rows[lo].addr == start
           ? lo : layout->nr_rows;
}

/* --- cells --- */

void map_layout_add(MapLayout *layout, MapKind kind, uint64_t first,
                    uint64_t last)
{
    unsigned row = map_layout_row(layout, first);
    uint64_t cell, end;

    g_assert(row < layout->nr_rows && first <= last);
    cell = (uint64_t)row * layout->cells_per_row +
           (first - layout->rows[row].addr) / layout->cell_size;
    /* Rows of one extent follow each other, and so do their cells. */
    for (;; first = end + 1, cell++) {
        end = MIN(first | (layout->cell_size - 1), last);
        layout->cells[cell].bytes[kind] += end - first + 1;
        if (end == last) {
            return;
        }
    }
}
