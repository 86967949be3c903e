/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A small fixed-width font for labels in pictures: printable ASCII. */
#ifndef UI_FONT_H
#define UI_FONT_H

#define FONT_WIDTH 6                      /* with the blank column after it */
#define FONT_HEIGHT 9                     /* with two lines for descenders */

/* Whether the pixel (@x, @y) of @c is ink. What is not printable ASCII looks
 * like '?'. */
bool font_pixel(char c, unsigned x, unsigned y);

#endif
