/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pictures: what is drawn is what libpng reads back from the file. */
#include "qemu/osdep.h"
#include <glib/gstdio.h>
#include <png.h>

#include "ui/canvas.h"
#include "ui/font.h"

#define WIDTH 40
#define HEIGHT 30
#define PAPER 0xffffff
#define RED 0xc00010

typedef struct Fixture {
    Canvas *canvas;
    char *dir;
    char *file;
    uint8_t *pixels;                      /* of the file, once read */
} Fixture;

static void setup(Fixture *f, const void *data)
{
    f->canvas = canvas_new(WIDTH, HEIGHT, PAPER, &error_abort);
    f->dir = g_dir_make_tmp("canvas-XXXXXX", NULL);
    f->file = g_build_filename(f->dir, "a.png", NULL);
}

static void teardown(Fixture *f, const void *data)
{
    canvas_free(f->canvas);
    g_unlink(f->file);
    g_assert_no_errno(g_rmdir(f->dir));   /* nothing half written is left */
    g_free(f->pixels);
    g_free(f->file);
    g_free(f->dir);
}

/* Saves the picture and reads it back. */
static void save(Fixture *f)
{
    png_image png = { .version = PNG_IMAGE_VERSION };

    g_assert_true(canvas_save_png(f->canvas, f->file, &error_abort));
    g_assert_true(png_image_begin_read_from_file(&png, f->file));
    g_assert_cmpuint(png.width, ==, WIDTH);
    g_assert_cmpuint(png.height, ==, HEIGHT);
    png.format = PNG_FORMAT_RGB;
    f->pixels = g_malloc(PNG_IMAGE_SIZE(png));
    g_assert_true(png_image_finish_read(&png, NULL, f->pixels, 0, NULL));
}

static uint32_t pixel(const Fixture *f, int x, int y)
{
    const uint8_t *p = f->pixels + (size_t)(y * WIDTH + x) * 3;

    return (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
}

static void test_box(Fixture *f, const void *data)
{
    canvas_fill(f->canvas, 10, 5, 4, 2, RED);
    save(f);
    for (int y = 0; y < HEIGHT; y++) {
        for (int x = 0; x < WIDTH; x++) {
            bool inside = x >= 10 && x < 14 && y >= 5 && y < 7;

            g_assert_cmphex(pixel(f, x, y), ==, inside ? RED : PAPER);
        }
    }
}

static void test_box_is_clipped(Fixture *f, const void *data)
{
    canvas_fill(f->canvas, -5, -5, 6, 6, RED);
    canvas_fill(f->canvas, WIDTH - 1, HEIGHT - 1, 100, 100, RED);
    canvas_fill(f->canvas, 1000, 1000, 5, 5, RED);
    canvas_fill(f->canvas, 20, 20, 0, 5, RED);
    canvas_fill(f->canvas, 20, 20, 5, -3, RED);
    save(f);
    g_assert_cmphex(pixel(f, 0, 0), ==, RED);
    g_assert_cmphex(pixel(f, 1, 1), ==, PAPER);
    g_assert_cmphex(pixel(f, WIDTH - 1, HEIGHT - 1), ==, RED);
    g_assert_cmphex(pixel(f, 20, 20), ==, PAPER);
}

static void test_text_is_the_font_in_squares(Fixture *f, const void *data)
{
    canvas_text(f->canvas, 4, 3, 2, RED, "L.");
    save(f);
    for (int y = 0; y < 2 * FONT_HEIGHT; y++) {
        for (int x = 0; x < 4 * FONT_WIDTH; x++) {
            bool ink = font_pixel(x < 2 * FONT_WIDTH ? 'L' : '.',
                                  x / 2 % FONT_WIDTH, y / 2);

            g_assert_cmphex(pixel(f, 4 + x, 3 + y), ==, ink ? RED : PAPER);
        }
    }
    g_assert_cmpint(canvas_text_width("L.", 2), ==, 4 * FONT_WIDTH);
}

/* No two look the same, and none but the space is empty. */
static void test_characters_differ(void)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal,
                                                       g_free, NULL);

    for (char c = ' '; c <= '~'; c++) {
        char *shape = g_malloc0(FONT_WIDTH * FONT_HEIGHT + 1);

        for (unsigned i = 0; i < FONT_WIDTH * FONT_HEIGHT; i++) {
            shape[i] = font_pixel(c, i % FONT_WIDTH, i / FONT_WIDTH) ? '#'
                                                                     : ' ';
            if (i % FONT_WIDTH == FONT_WIDTH - 1) {
                g_assert_cmpint(shape[i], ==, ' ');
            }
        }
        g_assert_true((strchr(shape, '#') != NULL) == (c != ' '));
        g_assert_true(g_hash_table_add(seen, shape));
    }
}

static void test_strange_characters_are_question_marks(void)
{
    for (unsigned i = 0; i < FONT_WIDTH * FONT_HEIGHT; i++) {
        unsigned x = i % FONT_WIDTH, y = i / FONT_WIDTH;

        g_assert_cmpint(font_pixel('\x7f', x, y), ==, font_pixel('?', x, y));
        g_assert_cmpint(font_pixel('\xff', x, y), ==, font_pixel('?', x, y));
        g_assert_cmpint(font_pixel('\n', x, y), ==, font_pixel('?', x, y));
    }
}

static void test_file_is_replaced(Fixture *f, const void *data)
{
    g_assert_true(g_file_set_contents(f->file, "old", -1, NULL));
    save(f);
}

/* Saving as @file must fail, and say why in words that hold @part. */
static void expect_failure(Fixture *f, const char *file, const char *part)
{
    Error *err = NULL;

    g_assert_false(canvas_save_png(f->canvas, file, &err));
    g_assert_nonnull(strstr(error_get_pretty(err), part));
    g_assert_nonnull(strstr(error_get_pretty(err), file));
    error_free(err);
}

static void test_failure_is_told_and_leaves_nothing(Fixture *f,
                                                    const void *data)
{
    g_autofree char *nowhere = g_build_filename(f->dir, "no", "b.png", NULL);

    expect_failure(f, nowhere, "No such file or directory");
    expect_failure(f, f->dir, "not a regular file");
    expect_failure(f, "/dev/null", "not a regular file");
}

#define ADD(name, fn) \
    g_test_add("/canvas/" name, Fixture, NULL, setup, fn, teardown)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("box", test_box);
    ADD("box-is-clipped", test_box_is_clipped);
    ADD("text-is-the-font-in-squares", test_text_is_the_font_in_squares);
    g_test_add_func("/canvas/characters-differ", test_characters_differ);
    g_test_add_func("/canvas/strange-characters-are-question-marks",
                    test_strange_characters_are_question_marks);
    ADD("file-is-replaced", test_file_is_replaced);
    ADD("failure-is-told-and-leaves-nothing",
        test_failure_is_told_and_leaves_nothing);
    return g_test_run();
}
