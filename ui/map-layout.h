/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How an address space is folded into a picture: rows of equally many cells,
 * each cell the same number of bytes; rows in which nothing is are left out
 * and leave a gap. Arithmetic only: no memory core, no pixels.
 *
 * Each cell counts the bytes of each kind that were added in it, so that a
 * huge region aggregates. Addresses are 64 bit and ranges are given by their
 * last byte, so that the end of the address space needs no care.
 */
#ifndef UI_MAP_LAYOUT_H
#define UI_MAP_LAYOUT_H

typedef enum MapKind {
    MAP_RAM,                              /* always there */
    MAP_PLUGGED,                          /* managed, populated */
    MAP_UNPLUGGED,                        /* managed, discarded */
    MAP_ROM,
    MAP_DEVICE,                           /* registers, or a device's memory */
    MAP_KINDS,
    /* Not of what there is but of who holds it: the first of a few consumers,
     * numbered from here on. */
    MAP_MAPPED = MAP_KINDS,
    MAP_COUNTS = MAP_MAPPED + 3,
} MapKind;

#define MAP_CONSUMERS (MAP_COUNTS - MAP_MAPPED)

typedef struct MapExtent {
    uint64_t first;
    uint64_t last;
} MapExtent;

/* Bytes by kind; what none below MAP_KINDS has is a hole. */
typedef struct MapCell {
    uint64_t bytes[MAP_COUNTS];
} MapCell;

typedef struct MapRow {
    uint64_t addr;                        /* of its first byte */
    uint64_t skipped;                     /* bytes left out before it */
} MapRow;

typedef struct MapLayout {
    unsigned cells_per_row;
    uint64_t cell_size;                   /* bytes, a power of two */
    uint64_t row_size;                    /* cell_size * cells_per_row */
    unsigned nr_rows;
    unsigned nr_lines;                    /* rows, and gaps between them */
    MapRow *rows;                         /* ascending */
    MapCell *cells;                       /* cells_per_row for each row */
} MapLayout;

/*
 * Shows @n extents (n > 0, ascending, not overlapping) with the smallest cells,
 * of @min_cell bytes at least, that need @max_lines (> 2) lines at most. A gap
 * takes a line. @min_cell and @cells_per_row are powers of two, whose product
 * is at most 2^32. map_layout_free().
 */
MapLayout *map_layout_new(const MapExtent *extents, size_t n,
                          unsigned cells_per_row, uint64_t min_cell,
                          unsigned max_lines);
void map_layout_free(MapLayout *layout);
/* Counts the range, which lies within one of the extents, as @kind. */
void map_layout_add(MapLayout *layout, MapKind kind, uint64_t first,
                    uint64_t last);
/* The row that shows @addr, or nr_rows. */
unsigned map_layout_row(const MapLayout *layout, uint64_t addr);

#endif
