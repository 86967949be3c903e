/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files by name: only regular ones, no links when they are written, no waiting,
 * and nobody else can read what is made.
 */
#include "qemu/osdep.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "qemu/regular-file.h"

typedef struct Fixture {
    char *dir;
    char *path;
} Fixture;

static void set_up(Fixture *f, gconstpointer data)
{
    f->dir = g_dir_make_tmp("regular-XXXXXX", NULL);
    f->path = g_build_filename(f->dir, "file", NULL);
}

static void tear_down(Fixture *f, gconstpointer data)
{
    g_unlink(f->path);
    g_assert_cmpint(g_rmdir(f->dir), ==, 0);
    g_free(f->path);
    g_free(f->dir);
}

static void assert_refused(int fd, Error *err, const char *why)
{
    g_assert_cmpint(fd, ==, -1);
    g_assert_nonnull(strstr(error_get_pretty(err), why));
    error_free(err);
}

static void expect_write_refused(const char *path, const char *why)
{
    static const int flags[] = { 0, O_APPEND, O_TRUNC };

    for (unsigned i = 0; i < ARRAY_SIZE(flags); i++) {
        Error *err = NULL;
        int fd = regular_file_open_write(path, flags[i], &err);

        assert_refused(fd, err, why);
    }
}

static void expect_read_refused(const char *path, const char *why)
{
    Error *err = NULL;
    int fd = regular_file_open_read(path, &err);

    assert_refused(fd, err, why);
}

static void write_once(const char *path, int flags, const char *text)
{
    int fd = regular_file_open_write(path, flags, &error_abort);

    g_assert_cmpint(write(fd, text, strlen(text)), ==, strlen(text));
    close(fd);
}

static void expect_contents(const char *path, const char *expected)
{
    g_autofree char *text = NULL;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, expected);
}

static void test_made_for_the_user_alone(Fixture *f, gconstpointer data)
{
    mode_t old = umask(0);
    struct stat st;

    write_once(f->path, O_TRUNC, "abc");
    umask(old);
    g_assert_cmpint(stat(f->path, &st), ==, 0);
    g_assert_cmphex(st.st_mode & 0777, ==, 0600);
}

static void test_flags(Fixture *f, gconstpointer data)
{
    write_once(f->path, O_TRUNC, "abc");
    write_once(f->path, O_APPEND, "def");
    expect_contents(f->path, "abcdef");
    write_once(f->path, 0, "x");
    expect_contents(f->path, "xbcdef");
    write_once(f->path, O_TRUNC, "y");
    expect_contents(f->path, "y");
}

static void test_links(Fixture *f, gconstpointer data)
{
    g_autofree char *victim = g_build_filename(f->dir, "victim", NULL);
    int fd;

    g_assert_true(g_file_set_contents(victim, "precious", -1, NULL));
    g_assert_cmpint(symlink("victim", f->path), ==, 0);
    expect_write_refused(f->path, "symbolic link");
    expect_contents(victim, "precious");
    fd = regular_file_open_read(f->path, &error_abort);
    close(fd);
    g_unlink(victim);
    expect_write_refused(f->path, "symbolic link");
    g_assert_false(g_file_test(victim, G_FILE_TEST_EXISTS));
}

static void test_fifo_without_a_peer(Fixture *f, gconstpointer data)
{
    g_assert_cmpint(mkfifo(f->path, 0600), ==, 0);
    expect_write_refused(f->path, "not a regular file");
    expect_read_refused(f->path, "not a regular file");
}

static void test_socket(Fixture *f, gconstpointer data)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    g_strlcpy(addr.sun_path, f->path, sizeof(addr.sun_path));
    g_assert_cmpint(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), ==, 0);
    expect_write_refused(f->path, "not a regular file");
    expect_read_refused(f->path, "not a regular file");
    close(fd);
}

static void test_others(Fixture *f, gconstpointer data)
{
    expect_write_refused("/dev/zero", "not a regular file");
    expect_read_refused("/dev/zero", "not a regular file");
    expect_write_refused(f->dir, "Is a directory");
    expect_read_refused(f->dir, "not a regular file");
    expect_read_refused(f->path, "No such file");
    g_assert_false(g_file_test(f->path, G_FILE_TEST_EXISTS));
}

static void test_contents_up_to_a_limit(Fixture *f, gconstpointer data)
{
    g_autofree char *text = g_strnfill(5000, 'x');
    g_autoptr(GBytes) all = NULL;
    Error *err = NULL;

    g_assert_true(g_file_set_contents(f->path, text, 5000, NULL));
    all = regular_file_read(f->path, 5000, &error_abort);
    g_assert_cmpmem(g_bytes_get_data(all, NULL), g_bytes_get_size(all), text,
                    5000);
    g_assert_null(regular_file_read(f->path, 4999, &err));
    g_assert_nonnull(strstr(error_get_pretty(err), "larger than 4999 bytes"));
    error_free(err);
}

static void test_null_device(Fixture *f, gconstpointer data)
{
    static const int flags[] = { 0, O_APPEND, O_TRUNC };

    for (unsigned i = 0; i < ARRAY_SIZE(flags); i++) {
        int fd = regular_file_open_write("/dev/null", flags[i], &error_abort);

        g_assert_cmpint(write(fd, "x", 1), ==, 1);
        close(fd);
    }
}

#define ADD(name, fn) \
    g_test_add("/regular-file/" name, Fixture, NULL, set_up, fn, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("made-for-the-user-alone", test_made_for_the_user_alone);
    ADD("appended-to-or-emptied", test_flags);
    ADD("links-are-not-written-through", test_links);
    ADD("fifo-without-a-peer", test_fifo_without_a_peer);
    ADD("socket", test_socket);
    ADD("contents-up-to-a-limit", test_contents_up_to_a_limit);
    ADD("others-are-refused", test_others);
    ADD("null-device-is-written", test_null_device);
    return g_test_run();
}
