/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rectangles and text on an array of pixels, and the array as a PNG file. */
#include "qemu/osdep.h"
#include <png.h>

#include "canvas.h"
#include "font.h"
#include "qemu/cutils.h"
#include "qemu/may-open.h"
#include "qemu/regular-file.h"

/* Bytes of a pixel: red, green, blue. */
#define PIXEL 3

struct Canvas {
    int width, height;
    uint8_t *pixels;                      /* row by row, from the top */
};

/* --- drawing --- */

Canvas *canvas_new(unsigned width, unsigned height, uint32_t colour,
                   Error **errp)
{
    uint8_t *pixels;
    Canvas *canvas;

    g_assert(width && width <= INT16_MAX && height && height <= INT16_MAX);
    pixels = g_try_malloc((size_t)width * height * PIXEL);
    if (!pixels) {
        error_setg(errp, "no memory for a picture of %u x %u pixels", width,
                   height);
        return NULL;
    }
    canvas = g_new(Canvas, 1);
    *canvas = (Canvas) { width, height, pixels };
    canvas_fill(canvas, 0, 0, width, height, colour);
    return canvas;
}

void canvas_free(Canvas *canvas)
{
    g_free(canvas->pixels);
    g_free(canvas);
}

/* What of @len pixels from *start on is among @max: *start moves; the end. */
static int64_t clip(int *start, int len, int max)
{
    int64_t end = MIN((int64_t)*start + len, max);

    *start = MAX(*start, 0);
    return end;
}

void canvas_fill(Canvas *canvas, int x, int y, int width, int height,
                 uint32_t colour)
{
    const uint8_t ink[PIXEL] = { colour >> 16, colour >> 8, colour };
    int64_t right = clip(&x, width, canvas->width);
    int64_t bottom = clip(&y, height, canvas->height);

    for (int64_t row = y; row < bottom; row++) {
        for (int64_t column = x; column < right; column++) {
            memcpy(canvas->pixels + (row * canvas->width + column) * PIXEL, ink,
                   PIXEL);
        }
    }
}

int canvas_text_width(const char *text, unsigned scale)
{
    return (int)(strlen(text) * FONT_WIDTH * scale);
}

/* One row of a character's pixels, in runs of ink. */
static void draw_row(Canvas *canvas, int x, int y, unsigned scale,
                     uint32_t colour, char c, unsigned row)
{
    for (unsigned from = 0, to; from < FONT_WIDTH; from = to + 1) {
        for (to = from; to < FONT_WIDTH && font_pixel(c, to, row); to++) {
        }
        canvas_fill(canvas, x + (int)(from * scale), y + (int)(row * scale),
                    (int)((to - from) * scale), (int)scale, colour);
    }
}

void canvas_text(Canvas *canvas, int x, int y, unsigned scale, uint32_t colour,
                 const char *text)
{
    for (; *text; text++, x += (int)(FONT_WIDTH * scale)) {
        for (unsigned row = 0; row < FONT_HEIGHT; row++) {
            draw_row(canvas, x, y, scale, colour, *text, row);
        }
    }
}

/* --- saving --- */

/* The whole file in memory; NULL: *errp. g_free(). */
static void *encode(Canvas *canvas, png_alloc_size_t *size, Error **errp)
{
    png_image png = {
        .version = PNG_IMAGE_VERSION,
        .width = canvas->width,
        .height = canvas->height,
        .format = PNG_FORMAT_RGB,
    };
    g_autofree void *data = NULL;

    *size = PNG_IMAGE_PNG_SIZE_MAX(png);
    data = g_try_malloc(*size);
    if (!data) {
        error_setg(errp, "no memory to encode the picture");
        return NULL;
    }
    if (!png_image_write_to_memory(&png, data, size, 0, canvas->pixels,
                                   canvas->width * PIXEL, NULL)) {
        error_setg(errp, "cannot encode the picture: %s", png.message);
        return NULL;
    }
    return g_steal_pointer(&data);
}

/* All of it, or nothing of a picture that is there is lost. */
static bool write_file(const char *file, const void *data, size_t size,
                       Error **errp)
{
    g_autofree char *name = NULL;
    int fd = regular_file_open_new(file, &name, errp);
    bool ok;

    if (fd < 0) {
        return false;
    }
    ok = qemu_write_full(fd, data, size) == (ssize_t)size;
    if (!ok || rename(name, file)) {
        error_setg_errno(errp, errno, "cannot write '%s'", file);
        unlink(name);
        ok = false;
    }
    close(fd);
    return ok;
}

bool canvas_save_png(Canvas *canvas, const char *file, Error **errp)
{
    g_autofree void *data = NULL;
    png_alloc_size_t size;

    if (!qemu_may_open(errp)) {
        return false;
    }
    data = encode(canvas, &size, errp);
    return data && write_file(file, data, size, errp);
}
