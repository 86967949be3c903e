/* SPDX-License-Identifier: GPL-2.0-or-later */
/* demand/host.h: what the kernel's files say, and what others may put there. */
#include "qemu/osdep.h"

#include <glib/gstdio.h>

#include "demand/host.h"

static void test_pressure(void)
{
    static const struct {
        const char *text;
        unsigned pressure;
    } texts[] = {
        { "some avg10=0.00 avg60=0.12 avg300=9.99 total=1\nfull avg10=5.00\n",
          0 },
        { "some avg10=12.34 avg60=0.00\n", 123 },
        { "some avg10=100.00 avg60=0.00\n", 1000 },
        { "some avg10=7 avg60\n", 70 },
        { "some avg10=101.00 avg60=0.00\n", 0 },
        { "some avg10=-1.00", 0 },
        { "some avg10=", 0 },
        { "some avg10=99999999999999999999999", 0 },
        { "full avg10=12.00", 0 },
        { "", 0 },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_assert_cmpuint(host_memory_parse_pressure(texts[i].text), ==,
                         texts[i].pressure);
    }
}

static void test_bytes(void)
{
    g_assert_cmpuint(host_memory_parse_bytes("max\n"), ==, UINT64_MAX);
    g_assert_cmpuint(host_memory_parse_bytes("4096\n"), ==, 4096);
    g_assert_cmpuint(host_memory_parse_bytes("0"), ==, 0);
    g_assert_cmpuint(host_memory_parse_bytes("12x"), ==, UINT64_MAX);
    g_assert_cmpuint(host_memory_parse_bytes(""), ==, UINT64_MAX);
    g_assert_cmpuint(host_memory_parse_bytes("99999999999999999999"), ==,
                     UINT64_MAX);
}

static void put(const char *dir, const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(dir, name, NULL);

    g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void drop(const char *dir, const char *name)
{
    g_autofree char *path = g_build_filename(dir, name, NULL);

    g_unlink(path);
}

static void test_files(void)
{
    g_autofree char *dir = g_dir_make_tmp("cgroup-XXXXXX", NULL);
    DemandHost figures;
    HostMemory *host;
    Error *err = NULL;

    g_assert_null(host_memory_open(dir, &err));
    g_assert_nonnull(strstr(error_get_pretty(err), "memory.pressure"));
    error_free(err);
    put(dir, "memory.pressure", "some avg10=50.50 avg60=0.00\n");
    host = host_memory_open(dir, &error_abort);
    host_memory_read(host, &figures);
    g_assert_cmpuint(figures.pressure, ==, 505);
    g_assert_cmpuint(figures.room, ==, UINT64_MAX);
    host_memory_close(host);
    put(dir, "memory.current", "1000\n");
    put(dir, "memory.high", "max\n");
    put(dir, "memory.max", "5000\n");
    host = host_memory_open(dir, &error_abort);
    host_memory_read(host, &figures);
    g_assert_cmpuint(figures.room, ==, 4000);
    host_memory_close(host);
    put(dir, "memory.high", "900\n");
    host = host_memory_open(dir, &error_abort);
    host_memory_read(host, &figures);
    g_assert_cmpuint(figures.room, ==, 0);
    host_memory_close(host);
    drop(dir, "memory.pressure");
    drop(dir, "memory.current");
    drop(dir, "memory.high");
    drop(dir, "memory.max");
    g_rmdir(dir);
}

/* The least room of the groups up to the one that tells nothing. */
static void test_groups_above_count(void)
{
    g_autofree char *top = g_dir_make_tmp("cgroup-XXXXXX", NULL);
    g_autofree char *middle = g_build_filename(top, "middle", NULL);
    g_autofree char *own = g_build_filename(middle, "own", NULL);
    const char *dirs[] = { top, middle, own };
    HostMemory *host;
    DemandHost figures;

    g_assert_cmpint(g_mkdir_with_parents(own, 0700), ==, 0);
    put(own, "memory.pressure", "some avg10=0.00\n");
    for (unsigned i = 0; i < G_N_ELEMENTS(dirs); i++) {
        put(dirs[i], "memory.current", "1000\n");
        put(dirs[i], "memory.max", "max\n");
    }
    put(own, "memory.max", "9000\n");
    put(middle, "memory.high", "6000\n");
    put(top, "memory.max", "1500\n");
    host = host_memory_open(own, &error_abort);
    host_memory_read(host, &figures);
    g_assert_cmpuint(figures.room, ==, 500);
    host_memory_close(host);
    /* One that does not tell what it uses ends it. */
    drop(middle, "memory.current");
    host = host_memory_open(own, &error_abort);
    host_memory_read(host, &figures);
    g_assert_cmpuint(figures.room, ==, 8000);
    host_memory_close(host);
    drop(own, "memory.pressure");
    drop(middle, "memory.high");
    for (unsigned i = G_N_ELEMENTS(dirs); i-- > 0;) {
        drop(dirs[i], "memory.current");
        drop(dirs[i], "memory.max");
        g_assert_cmpint(g_rmdir(dirs[i]), ==, 0);
    }
}

/* Whatever this process is in, it can be looked at. */
static void test_own(void)
{
    HostMemory *host = host_memory_open(NULL, &error_abort);
    DemandHost figures;

    host_memory_read(host, &figures);
    g_assert_cmpuint(figures.pressure, <=, 1000);
    host_memory_close(host);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/demand/host/pressure", test_pressure);
    g_test_add_func("/demand/host/bytes", test_bytes);
    g_test_add_func("/demand/host/files", test_files);
    g_test_add_func("/demand/host/groups-above-count", test_groups_above_count);
    g_test_add_func("/demand/host/own", test_own);
    return g_test_run();
}
