/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rectangles and text on a pixman image, and the image as a PNG file. */
#include "qemu/osdep.h"
#include <pixman.h>
#include <png.h>

#include "canvas.h"
#include "font.h"
#include "qemu/cutils.h"
#include "qemu/may-open.h"
#include "qemu/regular-file.h"

/* Red, green, blue bytes in this order in memory, as PNG has them. */
#if G_BYTE_ORDER == G_LITTLE_ENDIAN
#define CANVAS_FORMAT PIXMAN_b8g8r8
#else
#define CANVAS_FORMAT PIXMAN_r8g8b8
#endif

struct Canvas {
    pixman_image_t *image;
};

/* --- drawing --- */

Canvas *canvas_new(unsigned width, unsigned height, uint32_t colour,
                   Error **errp)
{
    pixman_image_t *image;
    Canvas *canvas;

    g_assert(width && width <= INT16_MAX && height && height <= INT16_MAX);
    image = pixman_image_create_bits(CANVAS_FORMAT, width, height, NULL, 0);
    if (!image) {
        error_setg(errp, "no memory for a picture of %u x %u pixels", width,
                   height);
        return NULL;
    }
    canvas = g_new(Canvas, 1);
    canvas->image = image;
    canvas_fill(canvas, 0, 0, width, height, colour);
    return canvas;
}

void canvas_free(Canvas *canvas)
{
    pixman_image_unref(canvas->image);
    g_free(canvas);
}

/* pixman's components have 16 bits. */
static uint16_t component(uint32_t colour, unsigned shift)
{
    return (colour >> shift & 0xff) * 0x101;
}

void canvas_fill(Canvas *canvas, int x, int y, int width, int height,
                 uint32_t colour)
{
    const pixman_color_t ink = {
        .red = component(colour, 16),
        .green = component(colour, 8),
        .blue = component(colour, 0),
        .alpha = 0xffff,
    };
    const pixman_box32_t box = { x, y, x + width, y + height };

    if (width > 0 && height > 0) {
        pixman_image_fill_boxes(PIXMAN_OP_SRC, canvas->image, &ink, 1, &box);
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
        .width = pixman_image_get_width(canvas->image),
        .height = pixman_image_get_height(canvas->image),
        .format = PNG_FORMAT_RGB,
    };
    const void *pixels = pixman_image_get_data(canvas->image);
    int stride = pixman_image_get_stride(canvas->image);
    g_autofree void *data = NULL;

    *size = PNG_IMAGE_PNG_SIZE_MAX(png);
    data = g_try_malloc(*size);
    if (!data) {
        error_setg(errp, "no memory to encode the picture");
        return NULL;
    }
    if (!png_image_write_to_memory(&png, data, size, 0, pixels, stride,
                                   NULL)) {
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
