/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where one managed region ends and the next begins, on the memory map: a line
 * in the gaps between cells, all around the region, and its name in the first
 * row of it that has room. Names stand in their own region, so that they never
 * meet.
 */
#include "qemu/osdep.h"
#include "map-sheet.h"
#include "qom/object.h"

/* The cells of a row that are a region's; first > last: none. */
typedef struct Segment {
    int first;
    int last;
} Segment;

/* Cells of row @row that @extent touches. */
static Segment segment(const Sheet *s, const MapExtent *extent, int row)
{
    const MapLayout *layout = s->layout;
    uint64_t addr, end;
    Segment none = { 0, -1 };

    if (row < 0 || row >= (int)layout->nr_rows) {
        return none;
    }
    addr = layout->rows[row].addr;
    end = addr + (layout->row_size - 1);
    if (extent->last < addr || extent->first > end) {
        return none;
    }
    return (Segment) {
        .first = (int)((MAX(extent->first, addr) - addr) / layout->cell_size),
        .last = (int)((MIN(extent->last, end) - addr) / layout->cell_size),
    };
}

static int row_y(const Sheet *s, int row)
{
    int y = s->top;

    for (int i = 0; i <= row; i++) {
        y += s->layout->rows[i].skipped ? s->cell : 0;
        y += i < row ? s->cell : 0;
    }
    return y;
}

/* A line at @y along those cells of @here that are not in @there. */
static void draw_edge(Sheet *s, Segment here, Segment there, int y)
{
    for (int i = here.first; i <= here.last; i++) {
        if (i < there.first || i > there.last) {
            int x = map_sheet_cell_x(s, i);

            map_sheet_box(s, x - 1, y, s->cell + 1, 1, INK);
        }
    }
}

static void draw_outline(Sheet *s, const MapExtent *extent, int row, int y)
{
    Segment here = segment(s, extent, row);
    int left = map_sheet_cell_x(s, here.first);
    int right = map_sheet_cell_x(s, here.last) + s->cell;

    draw_edge(s, here, segment(s, extent, row - 1), y - 1);
    draw_edge(s, here, segment(s, extent, row + 1), y + s->cell - 1);
    map_sheet_box(s, left - 1, y - 1, 1, s->cell + 1, INK);
    map_sheet_box(s, right - 1, y - 1, 1, s->cell + 1, INK);
}

/* Letters of text for which a row has room. */
static int name_room(const Sheet *s, Segment here)
{
    int left = map_sheet_cell_x(s, here.first) + 2 * (int)s->scale;

    return (map_sheet_cell_x(s, here.last) + s->cell - left) /
           map_sheet_text_width(s, "m");
}

static void draw_name(Sheet *s, const char *name, Segment here, int y)
{
    map_sheet_text(s, map_sheet_cell_x(s, here.first) + 2 * (int)s->scale,
                   y + (s->cell - 8 * (int)s->scale) / 2, INK, name);
}

/* In the first row that has room for all of it, else cut off in the first. */
static void draw_name_somewhere(Sheet *s, const char *name,
                                const MapExtent *extent, int row)
{
    int room = name_room(s, segment(s, extent, row));
    g_autofree char *cut = g_strndup(name, MAX(room - 2, 0));
    g_autofree char *shown = g_strconcat(cut, "..", NULL);

    for (int i = row; segment(s, extent, i).last >= 0; i++) {
        if (name_room(s, segment(s, extent, i)) >= (int)strlen(name)) {
            draw_name(s, name, segment(s, extent, i), row_y(s, i));
            return;
        }
    }
    if (room > 2) {
        draw_name(s, shown, segment(s, extent, row), row_y(s, row));
    }
}

static void draw_region(Sheet *s, const MapRange *range)
{
    int first = (int)map_layout_row(s->layout, range->extent.first);

    for (int i = first; segment(s, &range->extent, i).last >= 0; i++) {
        draw_outline(s, &range->extent, i, row_y(s, i));
    }
    draw_name_somewhere(s, memory_region_name(range->section.mr),
                        &range->extent, first);
}

void map_draw_borders(Sheet *s)
{
    for (guint i = 0; i < s->model->ranges->len; i++) {
        const MapRange *range = &g_array_index(s->model->ranges, MapRange, i);

        if (range->kind == MAP_PLUGGED) {
            draw_region(s, range);
        }
    }
}
