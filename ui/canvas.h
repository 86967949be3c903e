/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A picture in the making: rectangles and text, saved as a PNG. Colours are
 * 0xRRGGBB, lengths pixels, from the upper left corner; what is outside is not
 * drawn. Main loop.
 */
#ifndef UI_CANVAS_H
#define UI_CANVAS_H

#include "qapi/error.h"

typedef struct Canvas Canvas;

/* Filled with @colour; sizes from 1 to 32767. canvas_free(). NULL and *errp if
 * there is no memory for it. */
Canvas *canvas_new(unsigned width, unsigned height, uint32_t colour,
                   Error **errp);
void canvas_free(Canvas *canvas);
void canvas_fill(Canvas *canvas, int x, int y, int width, int height,
                 uint32_t colour);
/* @text in printable ASCII (the rest shows as '?'), of the font in ui/font.h,
 * whose pixels become squares of @scale; its upper left corner. */
void canvas_text(Canvas *canvas, int x, int y, unsigned scale, uint32_t colour,
                 const char *text);
/* How wide that is. */
int canvas_text_width(const char *text, unsigned scale);
/*
 * Writes @file, which appears (or replaces an older one) only when it is
 * complete. false: *errp, and @file is as before. What exists and is no
 * regular file is refused.
 */
bool canvas_save_png(Canvas *canvas, const char *file, Error **errp);

#endif
