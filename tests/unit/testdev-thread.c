/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See testdev-thread.h. */
#include "qemu/osdep.h"

#include <dirent.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "testdev-thread.h"

static gpointer testdev_thread_run(gpointer opaque)
{
    TestDevThread *t = opaque;
    g_autoptr(GError) err = NULL;
    int fd = t->fd;

    if (t->path) {
        fd = accept(t->fd, NULL, NULL);
        g_assert_cmpint(fd, >=, 0);
        close(t->fd);
    }
    testdev_serve(t->dev, fd, &err);
    g_assert_nonnull(err);
    return NULL;
}

int testdev_thread_start(TestDevThread *t, const TestDevOptions *options)
{
    int fds[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds),
                    ==, 0);
    t->path = NULL;
    t->fd = fds[0];
    t->dev = testdev_new(options, &error_abort);
    t->thread = g_thread_new("testdev", testdev_thread_run, t);
    return fds[1];
}

static int thread_socket(const char *path, struct sockaddr_un *addr)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_assert_cmpint(fd, >=, 0);
    *addr = (struct sockaddr_un) { .sun_family = AF_UNIX };
    g_assert_cmpint(g_strlcpy(addr->sun_path, path, sizeof(addr->sun_path)), <,
                    sizeof(addr->sun_path));
    return fd;
}

void testdev_thread_listen(TestDevThread *t, const TestDevOptions *options)
{
    static unsigned serial;
    struct sockaddr_un addr;

    t->path = g_strdup_printf("%s/testdev-%d-%u", g_get_tmp_dir(), getpid(),
                              serial++);
    t->fd = thread_socket(t->path, &addr);
    g_assert_cmpint(bind(t->fd, (struct sockaddr *)&addr, sizeof(addr)), ==, 0);
    g_assert_cmpint(listen(t->fd, 1), ==, 0);
    t->dev = testdev_new(options, &error_abort);
    t->thread = g_thread_new("testdev", testdev_thread_run, t);
}

void testdev_thread_stop(TestDevThread *t)
{
    struct sockaddr_un addr;

    if (t->path) {
        /* If nobody has come, this is the client. */
        int fd = thread_socket(t->path, &addr);
        int ret = connect(fd, (struct sockaddr *)&addr, sizeof(addr));

        g_assert_true(ret == 0 || errno == ECONNREFUSED);
        close(fd);
        unlink(t->path);
    }
    g_thread_join(t->thread);
    testdev_free(t->dev);
    g_clear_pointer(&t->path, g_free);
}

unsigned count_fds(void)
{
    DIR *dir = opendir("/proc/self/fd");
    unsigned n = 0;

    g_assert_nonnull(dir);
    while (readdir(dir)) {
        n++;
    }
    closedir(dir);
    return n;
}
