/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -overcommit mem-lock=on: the kernel's account of what the emulator has
 * locked equals boot RAM plus what is plugged, always, also together with a
 * device that follows the same memory.
 */
#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "coordination.h"
#include "qemu/units.h"

/* Boot RAM of 2 MiB and another backend: fits into the usual 8 MiB limit. */
#define LOCKED "-overcommit mem-lock=on "
#define SMALL "-M q35 -m 2M,maxmem=2G " LOCKED
#define SPARSE(backend)                                                      \
    "-object " backend ",id=mem0,size=256M "                                 \
    "-device virtio-mem-pci,id=vm0,memdev=mem0,block-size=2M,"               \
    "requested-size=64M "

static uint64_t locked(QTestState *s)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/status", qtest_pid(s));
    g_autofree char *status = NULL;

    g_assert_true(g_file_get_contents(path, &status, NULL, NULL));
    return g_ascii_strtoull(strstr(status, "VmLck:") + 6, NULL, 10) << 10;
}

/* Skips, and returns false, unless @bytes may be locked. */
static bool may_lock(uint64_t bytes)
{
    struct rlimit limit;

    if (QTEST_SANITIZED) {
        g_test_skip("with a sanitizer mlock() does nothing");
        return false;
    }
    g_assert_no_errno(getrlimit(RLIMIT_MEMLOCK, &limit));
    if (limit.rlim_cur >= bytes ||
        prctl(PR_CAPBSET_READ, CAP_IPC_LOCK) == 1) {
        return true;
    }
    g_test_skip_printf("RLIMIT_MEMLOCK is %" PRIu64 ", %" PRIu64 " are needed",
                       (uint64_t)limit.rlim_cur, bytes);
    return false;
}

static void check_follows_blocks(const char *options)
{
    QTestState *s;
    QGuest guest;
    QVirtioMem vmem;
    struct virtio_mem_config config;

    if (!may_lock(8 * MiB)) {
        return;
    }
    s = qtest_init("%s", options);
    g_assert_cmpuint(locked(s), ==, 2 * MiB);
    qguest_init(&guest, s);
    qvirtio_mem_init(&vmem, &guest, 0);
    qvirtio_mem_config(&vmem, &config);

    g_assert_cmpuint(qvirtio_mem_plug(&vmem, config.addr, 2), ==,
                     VIRTIO_MEM_RESP_ACK);
    g_assert_cmpuint(locked(s), ==, 6 * MiB);
    qtest_writeb(s, config.addr + BLOCK, 0xaa);
    g_assert_cmpuint(qvirtio_mem_unplug(&vmem, config.addr + BLOCK, 1), ==,
                     VIRTIO_MEM_RESP_ACK);
    g_assert_cmpuint(locked(s), ==, 4 * MiB);
    g_assert_cmpuint(qvirtio_mem_plug(&vmem, config.addr + BLOCK, 1), ==,
                     VIRTIO_MEM_RESP_ACK);
    g_assert_cmphex(qtest_readb(s, config.addr + BLOCK), ==, 0);
    json_node_unref(qmp_client_do(qtest_qmp(s), "{'execute': 'system_reset'}"));
    json_object_unref(qmp_client_event(qtest_qmp(s), "RESET"));
    g_assert_cmpuint(locked(s), ==, 2 * MiB);
    qtest_quit(s);
}

static void test_anonymous(void)
{
    check_follows_blocks(SMALL SPARSE("memory-backend-ram"));
}

static void test_shared(void)
{
    check_follows_blocks(SMALL SPARSE("memory-backend-memfd"));
}

static void test_off(void)
{
    QTestState *s = qtest_init("-M q35 -m 2M -overcommit mem-lock=off");

    g_assert_cmpuint(locked(s), ==, 0);
    qtest_quit(s);
}

/* Both consumers follow one region. */
static void test_with_vfio(void)
{
    bool plugged[128] = { false };
    Coordination c;

    if (!may_lock(80 * MiB)) {
        return;
    }
    coordination_start(
        &c, 1, 1, "", " -m 64M,maxmem=2G " LOCKED
        "-object memory-backend-memfd,id=boot,size=64M "
        "-machine memory-backend=boot " SPARSE("memory-backend-memfd"));
    for (unsigned round = 0; round < 2; round++) {
        qvirtio_mem_plug(&c.mem[0], coordination_block(&c, 0, 3), 4);
        qvirtio_mem_unplug(&c.mem[0], coordination_block(&c, 0, 4), 1);
        plugged[3] = plugged[5] = plugged[6] = true;
        coordination_check(&c, 0, plugged, 128);
        g_assert_cmpuint(locked(c.qts), ==, 64 * MiB + 3 * BLOCK);
        coordination_system_reset(&c);
        coordination_restart_drivers(&c);
        memset(plugged, 0, sizeof(plugged));
        coordination_check(&c, 0, plugged, 128);
        g_assert_cmpuint(locked(c.qts), ==, 64 * MiB);
    }
    coordination_stop(&c);
}

/* --- limits: emulators without privileges -------------------------------- */

/* What is started from now on, for good, may lock no more than its limit. */
static struct rlimit limit_children(uint64_t bytes)
{
    struct rlimit old, limit;

    prctl(PR_CAPBSET_DROP, CAP_IPC_LOCK);
    g_assert_no_errno(getrlimit(RLIMIT_MEMLOCK, &old));
    limit = old;
    limit.rlim_cur = bytes;
    g_assert_no_errno(setrlimit(RLIMIT_MEMLOCK, &limit));
    return old;
}

static void test_too_little_at_plug(void)
{
    struct rlimit old;
    QTestState *s;
    QGuest guest;
    QVirtioMem vmem;
    struct virtio_mem_config config;

    if (!may_lock(6 * MiB)) {
        return;
    }
    old = limit_children(6 * MiB);
    s = qtest_init(SMALL SPARSE("memory-backend-ram"));
    qguest_init(&guest, s);
    qvirtio_mem_init(&vmem, &guest, 0);
    qvirtio_mem_config(&vmem, &config);
    g_assert_cmpuint(qvirtio_mem_plug(&vmem, config.addr, 3), ==,
                     VIRTIO_MEM_RESP_BUSY);
    json_object_unref(qmp_client_event(qtest_qmp(s), "RAM_DISCARD_REFUSED"));
    g_assert_cmpuint(locked(s), ==, 2 * MiB);
    g_assert_cmpuint(qvirtio_mem_plug(&vmem, config.addr, 2), ==,
                     VIRTIO_MEM_RESP_ACK);
    g_assert_cmpuint(locked(s), ==, 6 * MiB);
    qtest_quit(s);
    g_assert_no_errno(setrlimit(RLIMIT_MEMLOCK, &old));
}

static void test_too_little_at_start(void)
{
    const char *argv[] = { g_getenv("QTEST_QEMU_BINARY"), "-accel", "qtest",
                           "-nodefaults", "-m", "16M", "-overcommit",
                           "mem-lock=on", NULL };
    g_autofree char *err = NULL;
    struct rlimit old;
    int status;

    if (!may_lock(0)) {
        return;
    }
    old = limit_children(1 * MiB);
    g_assert_true(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_DEFAULT, NULL,
                               NULL, NULL, &err, &status, NULL));
    g_assert_no_errno(setrlimit(RLIMIT_MEMLOCK, &old));
    g_assert_true(WIFEXITED(status));
    g_assert_cmpint(WEXITSTATUS(status), ==, 1);
    g_assert_nonnull(strstr(err, "-overcommit mem-lock=on: "));
    g_assert_nonnull(strstr(err, "16777216 bytes are needed"));
    g_assert_nonnull(strstr(err, "RLIMIT_MEMLOCK allows 1048576 bytes"));
    g_assert_true(strchr(err, '\n') == err + strlen(err) - 1);
}

int main(int argc, char **argv)
{
    qvfio_user_main_init(&argc, &argv);
    g_test_add_func("/mem-lock/off-locks-nothing", test_off);
    g_test_add_func("/mem-lock/follows-anonymous-blocks", test_anonymous);
    g_test_add_func("/mem-lock/follows-shared-blocks", test_shared);
    g_test_add_func("/mem-lock/together-with-vfio", test_with_vfio);
    g_test_add_func("/mem-lock/too-little-at-plug-is-busy",
                    test_too_little_at_plug);
    g_test_add_func("/mem-lock/too-little-at-start-is-one-line",
                    test_too_little_at_start);
    return g_test_run();
}
