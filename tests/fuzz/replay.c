/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The driver without libFuzzer: runs each file that is named, and each in a
 * directory that is, once; TAP. What "make check" does with the corpus.
 */
#include "qemu/osdep.h"

#include "fuzz.h"

static unsigned nr_run;

static bool run_file(const char *path)
{
    g_autoptr(GError) err = NULL;
    g_autofree char *data = NULL;
    gsize size;

    /* If it crashes, this is the last line. */
    printf("# %s\n", path);
    fflush(stdout);
    if (!g_file_get_contents(path, &data, &size, &err)) {
        printf("Bail out! %s\n", err->message);
        return false;
    }
    fuzz_one((const uint8_t *)data, size);
    printf("ok %u - %s\n", ++nr_run, path);
    fflush(stdout);
    return true;
}

static int compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool run_directory(const char *path)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    GDir *dir = g_dir_open(path, 0, NULL);
    bool ok = true;
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        g_ptr_array_add(names, g_build_filename(path, name, NULL));
    }
    if (dir) {
        g_dir_close(dir);
    }
    g_ptr_array_sort(names, compare_names);
    for (guint i = 0; ok && i < names->len; i++) {
        ok = run_file(names->pdata[i]);
    }
    return ok;
}

int fuzz_drive(int argc, char **argv)
{
    bool ok = true;

    for (int i = 1; ok && i < argc; i++) {
        ok = g_file_test(argv[i], G_FILE_TEST_IS_DIR) ? run_directory(argv[i]) :
                                                        run_file(argv[i]);
    }
    printf("1..%u\n", nr_run);
    return ok && nr_run ? EXIT_SUCCESS : EXIT_FAILURE;
}
