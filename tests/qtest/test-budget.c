/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mapping limit of a vfio-user server and a virtio-mem device that comes
 * after it: what could exceed the limit is refused when it is added, with a
 * block-size that fits.
 */
#include "qemu/osdep.h"
#include <sys/wait.h>
#include "tests/patience.h"
#include "vfio-user.h"

/* What the emulator says when it gives up; g_free(). */
static char *expect_no_start(unsigned limit)
{
    QVFIOUserServer *server = qvfio_user_server_new("--max-dma-maps=%u",
                                                    limit);
    g_autofree char *line = g_strdup_printf(
        "%s -accel qtest -qtest null -display none -nodefaults -M q35 "
        "-m 64M,maxmem=2G "
        "-object memory-backend-memfd,id=mem0,size=256M "
        "-device vfio-user-pci,socket=%s,x-msg-timeout=%u "
        "-device virtio-mem-pci,id=vm0,memdev=mem0,block-size=2M",
        g_getenv("QTEST_QEMU_BINARY"), server->socket,
        (unsigned)(patience_us() / 1000));
    g_autoptr(GError) err = NULL;
    char *said = NULL;
    int status;

    g_assert_true(g_spawn_command_line_sync(line, NULL, &said, &status, &err));
    g_assert_no_error(err);
    g_assert_true(WIFEXITED(status));
    g_assert_cmpint(WEXITSTATUS(status), ==, 1);
    qvfio_user_server_wait_disconnect(server);
    qvfio_user_server_free(server);
    return said;
}

static void test_refused_when_added(void)
{
    static const unsigned limits[] = { 10, 100 };

    for (unsigned i = 0; i < G_N_ELEMENTS(limits); i++) {
        g_autofree char *said = expect_no_start(limits[i]);

        g_assert_true(g_str_has_prefix(said,
                                       "sparsevm: -device virtio-mem-pci,"));
        g_assert_nonnull(strstr(said, "use block-size="));
    }
}

int main(int argc, char **argv)
{
    qvfio_user_main_init(&argc, &argv);
    g_test_add_func("/budget/device-beyond-the-limit-is-refused-when-added",
                    test_refused_when_added);
    return g_test_run();
}
