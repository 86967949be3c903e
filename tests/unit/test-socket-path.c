/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sockets at a path: one that nobody has is replaced, everything else stays; and
 * only the own file is removed.
 */
#include "qemu/osdep.h"

#include <glib/gstdio.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "qemu/socket-path.h"

typedef struct Fixture {
    char *dir, *path;
    struct sockaddr_un addr;
    SocketFile file;
    int fd;
} Fixture;

static const int types[] = { SOCK_STREAM, SOCK_DGRAM };

static void set_up(Fixture *f, gconstpointer type)
{
    f->dir = g_dir_make_tmp("socket-XXXXXX", NULL);
    f->path = g_build_filename(f->dir, "s", NULL);
    g_assert_true(socket_path_address(&f->addr, f->path));
    f->fd = socket(AF_UNIX, *(const int *)type, 0);
}

static void tear_down(Fixture *f, gconstpointer type)
{
    close(f->fd);
    g_remove(f->path);
    g_assert_cmpint(g_rmdir(f->dir), ==, 0);
    g_free(f->path);
    g_free(f->dir);
}

/* A socket of somebody else's at the path. */
static int bind_other(Fixture *f, int type)
{
    int fd = socket(AF_UNIX, type, 0);
    SocketFile file;

    g_assert_cmpint(socket_path_bind(fd, &f->addr, &file), ==, 0);
    return fd;
}

static struct stat look(Fixture *f)
{
    struct stat st;

    g_assert_cmpint(lstat(f->path, &st), ==, 0);
    return st;
}

static void expect_refused(Fixture *f, int err)
{
    struct stat before = look(f), after;

    g_assert_cmpint(socket_path_bind(f->fd, &f->addr, &f->file), ==, -err);
    socket_path_remove(&f->addr, &f->file);
    after = look(f);
    g_assert_cmpuint(after.st_ino, ==, before.st_ino);
    g_assert_cmpuint(after.st_mode, ==, before.st_mode);
}

static void test_file_is_made_and_removed(Fixture *f, gconstpointer type)
{
    g_assert_cmpint(socket_path_bind(f->fd, &f->addr, &f->file), ==, 0);
    g_assert_true(S_ISSOCK(look(f).st_mode));
    socket_path_remove(&f->addr, &f->file);
    g_assert_cmpint(g_access(f->path, F_OK), ==, -1);
}

static void test_plain_file_stays(Fixture *f, gconstpointer type)
{
    g_assert_true(g_file_set_contents(f->path, "precious", -1, NULL));
    g_assert_true(socket_path_is_no_socket(f->path));
    expect_refused(f, ENOTSOCK);
}

static void test_fifo_stays(Fixture *f, gconstpointer type)
{
    g_assert_cmpint(mkfifo(f->path, 0600), ==, 0);
    expect_refused(f, ENOTSOCK);
}

static void test_links_stay(Fixture *f, gconstpointer type)
{
    static const char *const targets[] = { ".", "nowhere", "s", "/dev/null" };

    for (unsigned i = 0; i < ARRAY_SIZE(targets); i++) {
        g_assert_cmpint(symlink(targets[i], f->path), ==, 0);
        expect_refused(f, ENOTSOCK);
        g_assert_cmpint(g_unlink(f->path), ==, 0);
    }
}

/* Of both types, whoever asks. */
static void test_socket_of_who_lives_stays(Fixture *f, gconstpointer type)
{
    for (unsigned i = 0; i < ARRAY_SIZE(types); i++) {
        int other = bind_other(f, types[i]);

        g_assert_true(types[i] == SOCK_DGRAM || listen(other, 1) == 0);
        g_assert_false(socket_path_is_no_socket(f->path));
        expect_refused(f, EADDRINUSE);
        close(other);
        g_unlink(f->path);
    }
}

static void test_stale_socket_is_replaced(Fixture *f, gconstpointer type)
{
    ino_t old;

    close(bind_other(f, *(const int *)type));
    old = look(f).st_ino;
    g_assert_cmpint(socket_path_bind(f->fd, &f->addr, &f->file), ==, 0);
    g_assert_cmpuint(f->file.ino, ==, look(f).st_ino);
    g_assert_true(S_ISSOCK(look(f).st_mode) && old != 0);
    socket_path_remove(&f->addr, &f->file);
    g_assert_cmpint(g_access(f->path, F_OK), ==, -1);
}

/* Somebody has put something else there meanwhile. */
static void test_only_the_own_file_is_removed(Fixture *f, gconstpointer type)
{
    g_autofree char *moved = g_strconcat(f->path, "2", NULL);

    g_assert_cmpint(socket_path_bind(f->fd, &f->addr, &f->file), ==, 0);
    g_assert_cmpint(g_rename(f->path, moved), ==, 0);
    g_assert_true(g_file_set_contents(f->path, "precious", -1, NULL));
    socket_path_remove(&f->addr, &f->file);
    g_assert_true(S_ISREG(look(f).st_mode));
    g_unlink(moved);
}

static void test_addresses(Fixture *f, gconstpointer type)
{
    g_autofree char *long_name = g_strnfill(sizeof(f->addr.sun_path), 'x');
    struct sockaddr_un addr;

    g_assert_false(socket_path_address(&addr, long_name));
    g_assert_true(socket_path_address(&addr, long_name + 1));
    g_assert_cmpstr(addr.sun_path, ==, long_name + 1);
    g_assert_true(socket_path_address(&addr, "name"));
    g_assert_true(g_path_is_absolute(addr.sun_path));
    g_assert_true(g_str_has_suffix(addr.sun_path, "/name"));
}

static void add(const char *name, void (*test)(Fixture *, gconstpointer))
{
    static const char *const names[] = { "stream", "dgram" };

    for (unsigned i = 0; i < ARRAY_SIZE(types); i++) {
        g_autofree char *path = g_strdup_printf("/socket-path/%s/%s", names[i],
                                                name);

        g_test_add(path, Fixture, &types[i], set_up, test, tear_down);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add("made-and-removed", test_file_is_made_and_removed);
    add("plain-file", test_plain_file_stays);
    add("fifo", test_fifo_stays);
    add("links", test_links_stay);
    add("who-lives", test_socket_of_who_lives_stays);
    add("stale", test_stale_socket_is_replaced);
    add("only-the-own", test_only_the_own_file_is_removed);
    add("addresses", test_addresses);
    return g_test_run();
}
