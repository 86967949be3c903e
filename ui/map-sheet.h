/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sheet on which the memory map is drawn, between map-draw.c and
 * map-borders.c. Nothing else includes this. */
#ifndef UI_MAP_SHEET_H
#define UI_MAP_SHEET_H

#include "memory-map.h"

#define CELLS_PER_ROW 64
#define INK 0x1f2933

/* Where things are, in pixels. */
typedef struct Sheet {
    Canvas *canvas;                       /* NULL: only measure */
    MapModel *model;
    const MapLayout *layout;
    unsigned scale;                       /* of text */
    int width;
    int margin;
    int line;                             /* of text to the next one */
    int left;                             /* of the cells */
    int top;
    int cell;                             /* side, with the gap after it */
} Sheet;

/* Draw at pixels; only measuring, they do nothing. */
void map_sheet_text(Sheet *s, int x, int y, uint32_t colour, const char *text);
void map_sheet_box(Sheet *s, int x, int y, int width, int height,
                   uint32_t colour);
int map_sheet_text_width(const Sheet *s, const char *text);
/* The left edge of cell @nr of each row. */
int map_sheet_cell_x(const Sheet *s, unsigned nr);

/* map-borders.c: a line around each managed region, and its name, over cells
 * that have been drawn. */
void map_draw_borders(Sheet *s);

#endif
