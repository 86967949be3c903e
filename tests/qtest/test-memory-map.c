/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * memory-map-dump: the picture has the colours of what is there, follows plugs,
 * and a failure leaves no file behind.
 */
#include <glib/gstdio.h>
#include <png.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "coordination.h"

/* Of the legend, which docs/memory-map.md describes. */
#define BOOT_RAM 0x4a7fb5
#define PLUGGED 0x1f9d6a
#define UNPLUGGED 0xc8e8d8
#define DEVICE 0xa78bbd
#define VFIO 0xe8710a

typedef struct Picture {
    png_image png;
    uint8_t *pixels;
} Picture;

typedef struct Fixture {
    Coordination c;
    char *dir;
    char *file;
} Fixture;

static void setup(Fixture *f, const void *data)
{
    coordination_start_small(&f->c, 1);
    f->dir = g_dir_make_tmp("map-XXXXXX", NULL);
    f->file = g_build_filename(f->dir, "map.png", NULL);
}

static void teardown(Fixture *f, const void *data)
{
    coordination_stop(&f->c);
    g_unlink(f->file);
    g_assert_no_errno(g_rmdir(f->dir));
    g_free(f->file);
    g_free(f->dir);
}

static void picture_read(Picture *p, const char *file)
{
    p->png = (png_image) { .version = PNG_IMAGE_VERSION };
    g_assert_true(png_image_begin_read_from_file(&p->png, file));
    p->png.format = PNG_FORMAT_RGB;
    p->pixels = g_malloc(PNG_IMAGE_SIZE(p->png));
    g_assert_true(png_image_finish_read(&p->png, NULL, p->pixels, 0, NULL));
}

static void picture_free(Picture *p)
{
    g_free(p->pixels);
}

/* Pixels of @colour. */
static size_t picture_count(const Picture *p, uint32_t colour)
{
    size_t n = 0, pixels = (size_t)p->png.width * p->png.height;

    for (size_t i = 0; i < pixels; i++) {
        const uint8_t *rgb = p->pixels + 3 * i;

        n += ((uint32_t)rgb[0] << 16 | (uint32_t)rgb[1] << 8 | rgb[2]) ==
             colour;
    }
    return n;
}

static void dump(Fixture *f, Picture *p)
{
    json_node_unref(qmp_client_do(
        qtest_qmp(f->c.qts),
        "{'execute': 'memory-map-dump', 'arguments': {'file': '%s'}}",
        f->file));
    picture_read(p, f->file);
}

/*
 * 64 MiB of boot RAM and 256 MiB of device memory, drawn at one scale: their
 * areas are as their sizes. A colour's legend adds little.
 */
static void test_areas_are_as_sizes(Fixture *f, const void *data)
{
    Picture p;
    double ram, managed;

    dump(f, &p);
    g_assert_cmpuint(p.png.width, ==, 1280);
    ram = (double)(picture_count(&p, BOOT_RAM) + picture_count(&p, VFIO));
    managed = (double)picture_count(&p, UNPLUGGED);
    g_assert_cmpfloat(managed / ram, >, 3.5);
    g_assert_cmpfloat(managed / ram, <, 4.5);
    g_assert_cmpuint(picture_count(&p, PLUGGED), ==, 0);
    g_assert_cmpuint(picture_count(&p, DEVICE), >, 0);
    picture_free(&p);
}

#define INK 0x1f2933

static bool is_ink(const Picture *p, unsigned x, unsigned y)
{
    const uint8_t *rgb = p->pixels + 3 * ((size_t)y * p->png.width + x);

    return ((uint32_t)rgb[0] << 16 | (uint32_t)rgb[1] << 8 | rgb[2]) == INK;
}

/* Lines from side to side, as no text has them. */
static unsigned count_lines(const Picture *p)
{
    unsigned n = 0;

    for (unsigned y = 0; y < p->png.height; y++) {
        unsigned ink = 0;

        for (unsigned x = 0; x < p->png.width; x++) {
            ink += is_ink(p, x, y);
        }
        n += ink > p->png.width * 3 / 4;
    }
    return n;
}

static unsigned lines_with(const char *devices)
{
    g_autofree char *file = NULL;
    int fd = g_file_open_tmp("map-XXXXXX", &file, NULL);
    QTestState *qts = qtest_init("-M q35 -m 64M,maxmem=1G %s", devices);
    unsigned n;
    Picture p;

    close(fd);
    json_node_unref(qmp_client_do(
        qtest_qmp(qts), "{'execute': 'memory-map-dump', 'arguments': {'file': "
        "'%s'}}", file));
    picture_read(&p, file);
    n = count_lines(&p);
    picture_free(&p);
    g_unlink(file);
    qtest_quit(qts);
    return n;
}

#define ONE "-object memory-backend-ram,id=m%d,size=64M " \
            "-device virtio-mem-pci,memdev=m%d "

/* One above the other, each many rows high: they share a line. */
static void test_adjacent_regions_have_borders(void)
{
    g_autofree char *one = g_strdup_printf(ONE, 0, 0);
    g_autofree char *three = g_strdup_printf(ONE ONE ONE, 0, 0, 1, 1, 2, 2);

    g_assert_cmpuint(lines_with(one), ==, 2);
    g_assert_cmpuint(lines_with(three), ==, 4);
}

static void test_picture_follows_plugs(Fixture *f, const void *data)
{
    size_t mapped, unplugged;
    Picture p;

    dump(f, &p);
    mapped = picture_count(&p, VFIO);
    unplugged = picture_count(&p, UNPLUGGED);
    picture_free(&p);
    assert_ack(qvirtio_mem_plug(&f->c.mem[0], coordination_block(&f->c, 0, 0),
                                32));
    dump(f, &p);
    g_assert_cmpuint(picture_count(&p, PLUGGED), >, 0);
    g_assert_cmpuint(picture_count(&p, VFIO), >, mapped + mapped / 2);
    g_assert_cmpuint(picture_count(&p, UNPLUGGED), <, unplugged);
    picture_free(&p);
    assert_ack(qvirtio_mem_unplug_all(&f->c.mem[0]));
    dump(f, &p);
    g_assert_cmpuint(picture_count(&p, PLUGGED), ==, 0);
    g_assert_cmpuint(picture_count(&p, VFIO), ==, mapped);
    picture_free(&p);
}

static void test_size_is_as_asked_for(Fixture *f, const void *data)
{
    static const struct {
        unsigned width, height;
    } sizes[] = { { 640, 480 }, { 1000, 700 }, { 1920, 1080 }, { 4096, 4096 } };

    for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++) {
        Picture p;

        json_node_unref(qmp_client_do(
            qtest_qmp(f->c.qts), "{'execute': 'memory-map-dump', 'arguments': "
            "{'file': '%s', 'width': %u, 'height': %u}}", f->file,
            sizes[i].width, sizes[i].height));
        picture_read(&p, f->file);
        g_assert_cmpuint(p.png.width, ==, sizes[i].width);
        g_assert_cmpuint(p.png.height, ==, sizes[i].height);
        g_assert_cmpuint(picture_count(&p, UNPLUGGED), >, 0);
        picture_free(&p);
    }
}

static void expect_error(Fixture *f, const char *part, const char *arguments)
{
    qmp_client_expect_error(
        qtest_qmp(f->c.qts), "GenericError", part,
        "{'execute': 'memory-map-dump', 'arguments': {%s}}", arguments);
}

static void test_bad_arguments(Fixture *f, const void *data)
{
    expect_error(f, "'file' is missing", "");
    expect_error(f, "'file'", "'file': ''");
    expect_error(f, "'file'", "'file': 7");
    expect_error(f, "from 640 to 4096", "'file': 'x', 'width': 0");
    expect_error(f, "from 640 to 4096", "'file': 'x', 'width': -1");
    expect_error(f, "from 640 to 4096",
                 "'file': 'x', 'width': 9223372036854775807");
    expect_error(f, "'height'", "'file': 'x', 'height': 4097");
    expect_error(f, "'height' is too small for this map: at least ",
                 "'file': 'x', 'width': 1280, 'height': 240");
    expect_error(f, "'depth'", "'file': 'x', 'depth': 1");
    g_assert_false(g_file_test("x", G_FILE_TEST_EXISTS));
}

static void test_file_that_cannot_be_written(Fixture *f, const void *data)
{
    g_autofree char *nowhere = g_strdup_printf("'file': '%s/no/a.png'",
                                               f->dir);
    g_autofree char *folder = g_strdup_printf("'file': '%s'", f->dir);

    expect_error(f, "No such file or directory", nowhere);
    expect_error(f, "not a regular file", folder);
    expect_error(f, "not a regular file", "'file': '/dev/null'");
}

static void test_by_hmp(Fixture *f, const void *data)
{
    g_autofree char *said = qtest_hmp(f->c.qts, "memory-map-dump %s", f->file);
    g_autofree char *error = NULL;
    Picture p;

    g_assert_cmpstr(said, ==, "");
    picture_read(&p, f->file);
    g_assert_cmpuint(picture_count(&p, BOOT_RAM), >, 0);
    picture_free(&p);
    error = qtest_hmp(f->c.qts, "memory-map-dump");
    g_assert_true(g_str_has_prefix(error, "Error: "));
}

/* 1 TiB in 512 Ki blocks, and a guest without device memory. */
static void test_other_machines(void)
{
    static const char *const machines[] = {
        "-m 64M,maxmem=2T -object memory-backend-ram,id=m,size=1T,reserve=off "
        "-device virtio-mem-pci,id=vm0,memdev=m,block-size=2M",
        "-m 64M",
        "-m 64M,maxmem=2T -object memory-backend-ram,id=m,size=4M "
        "-device virtio-mem-pci,id=vm0,memdev=m,memaddr=0x8000000000",
    };
    g_autofree char *dir = g_dir_make_tmp("map-XXXXXX", NULL);
    g_autofree char *file = g_build_filename(dir, "map.png", NULL);

    for (unsigned i = 0; i < G_N_ELEMENTS(machines); i++) {
        QTestState *s = qtest_init("-M q35 %s", machines[i]);
        Picture p;

        json_node_unref(qmp_client_do(
            qtest_qmp(s), "{'execute': 'memory-map-dump', "
            "'arguments': {'file': '%s'}}", file));
        picture_read(&p, file);
        g_assert_cmpuint(picture_count(&p, BOOT_RAM), >, 0);
        g_assert_cmpuint(p.png.height, <, 1200);
        picture_free(&p);
        qtest_quit(s);
    }
    g_unlink(file);
    g_assert_no_errno(g_rmdir(dir));
}

#define ADD(name, fn) \
    g_test_add("/memory-map/" name, Fixture, NULL, setup, fn, teardown)

int main(int argc, char **argv)
{
    qvfio_user_main_init(&argc, &argv);
    ADD("areas-are-as-sizes", test_areas_are_as_sizes);
    ADD("picture-follows-plugs", test_picture_follows_plugs);
    ADD("size-is-as-asked-for", test_size_is_as_asked_for);
    ADD("bad-arguments", test_bad_arguments);
    ADD("file-that-cannot-be-written", test_file_that_cannot_be_written);
    ADD("by-hmp", test_by_hmp);
    g_test_add_func("/memory-map/adjacent-regions-have-borders",
                    test_adjacent_regions_have_borders);
    g_test_add_func("/memory-map/other-machines", test_other_machines);
    return g_test_run();
}
