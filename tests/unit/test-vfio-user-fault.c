/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A vfio-user server that stalls, lies or dies, at whatever request: it costs
 * the guest the device, for a bounded time, and nothing more.
 */
#include "qemu/osdep.h"

#include <sys/socket.h>

#include "qemu/main-loop.h"
#include "vfio-user-fixture.h"
#include "tests/patience.h"

/* The device is dead; the guest goes on, and is not kept waiting. */
static void check_dead(VUFixture *f)
{
    int64_t before = g_get_monotonic_time();
    uint32_t val = 0;

    g_assert_nonnull(vfio_user_socket_error(f->user->socket));
    for (int i = 0; i < 100; i++) {
        g_assert_cmpint(vfio_user_device_io.region_read(&f->vdev, 0, 0, &val,
                                                        4), <, 0);
        g_assert_cmpint(vfio_user_device_io.region_write(&f->vdev, 0, 0, &val,
                                                         4), <, 0);
    }
    g_assert_cmpint(vfio_user_device_io.reset(&f->vdev), ==, 0);
    vu_plug(f, 200, 20);
    sparse_ram_unplug(f->ram, 205, 10);
    main_loop_wait(true);
    g_assert_cmpint(g_get_monotonic_time() - before, <, patience_us());
}

/* How often @text has been said. */
static unsigned said(VUFixture *f, const char *text)
{
    unsigned n = 0;

    for (const char *p = f->said->str; (p = strstr(p, text)); p++) {
        n++;
    }
    return n;
}

static void test_stall(VUFixture *f, gconstpointer data)
{
    const TestDevOptions options = { 0 };
    const unsigned limit_ms = vu_short_ms();
    g_autofree char *said_so = NULL;
    uint32_t val;
    int64_t before;

    said_so = g_strdup_printf("has not answered REGION_READ for %u ms", limit_ms);
    vu_start_for(f, &options, limit_ms, &error_abort);
    vu_arm(f, TESTDEV_FAULT_STALL, 0, 0);
    before = g_get_monotonic_time();
    g_assert_cmpint(vfio_user_device_io.region_read(&f->vdev, 0, 0, &val, 4),
                    ==, -ETIMEDOUT);
    g_assert_cmpint(g_get_monotonic_time() - before, >=, limit_ms * 1000);
    g_assert_cmpint(g_get_monotonic_time() - before, <, patience_us());
    g_assert_cmpuint(said(f, said_so), ==, 1);
    check_dead(f);
    g_assert_cmpuint(said(f, "vfio-user test: "), ==, 1);
}

/* A plug that the server never answers is refused; the next one is not. */
static void test_stall_while_plugging(VUFixture *f, gconstpointer data)
{
    const TestDevOptions options = { 0 };

    vu_start_for(f, &options, vu_short_ms(), &error_abort);
    vu_plug(f, 0, 2);
    vu_arm(f, TESTDEV_FAULT_STALL, 3, 0);
    g_assert_cmpint(sparse_ram_plug(f->ram, 10, 20), ==, -ETIMEDOUT);
    g_assert_false(sparse_ram_is_plugged(f->ram, 10));
    vu_plug(f, 10, 20);
    check_dead(f);
}

static void test_stall_while_unplugging(VUFixture *f, gconstpointer data)
{
    const TestDevOptions options = { 0 };

    vu_start_for(f, &options, vu_short_ms(), &error_abort);
    vu_plug(f, 0, 10);
    vu_arm(f, TESTDEV_FAULT_STALL, 3, 0);
    sparse_ram_unplug(f->ram, 0, 10);
    check_dead(f);
    g_assert_false(f->user->container.space.broken);
}

/* A server that answers each request in time, but only just. */
#define SLOW_PARTS 6                      /* of the limit for all */
#define SLOW_BLOCKS 100

static void test_slow_while_plugging(VUFixture *f, gconstpointer data)
{
    const TestDevOptions options = { 0 };
    const unsigned limit_ms = vu_short_ms();
    g_autofree char *said_so = g_strdup_printf(
        "the peer takes more than %u ms for a series of requests, the last one "
        "being DMA_MAP", limit_ms);
    int64_t before;

    vu_start_for(f, &options, limit_ms, &error_abort);
    vu_arm(f, TESTDEV_FAULT_SLOW, 0, limit_ms / SLOW_PARTS);
    vu_plug(f, 0, 2);
    before = g_get_monotonic_time();
    g_assert_cmpint(sparse_ram_plug(f->ram, 10, SLOW_BLOCKS), ==, -ETIMEDOUT);
    g_assert_cmpint(g_get_monotonic_time() - before, <,
                    SLOW_BLOCKS * (limit_ms / SLOW_PARTS) * 1000 / 2);
    g_assert_false(sparse_ram_is_plugged(f->ram, 10));
    g_assert_cmpuint(said(f, said_so), ==, 1);
    check_dead(f);
}

/* Each access in time, but no end of it. Those that are quick do not count. */
static void test_slow_accesses(VUFixture *f, gconstpointer data)
{
    const TestDevOptions options = { 0 };
    const unsigned limit_ms = vu_short_ms();
    /* In whole ms the parts may be smaller than they should: one more fits. */
    const unsigned most = limit_ms / (limit_ms / SLOW_PARTS) + 1;
    unsigned n = 0;
    uint32_t val;

    vu_start_for(f, &options, limit_ms, &error_abort);
    for (unsigned i = 0; i < 1000; i++) {
        vu_reg_read(f, TESTDEV_REG_ID, 4);
    }
    vu_arm(f, TESTDEV_FAULT_SLOW, 0, limit_ms / SLOW_PARTS);
    while (!vfio_user_device_io.region_read(&f->vdev, 0, TESTDEV_REG_ID, &val,
                                            sizeof(val))) {
        n++;
        g_assert_cmpuint(n, <=, most);
        if (vfio_user_device_broken(f->user)) {
            break;
        }
    }
    g_assert_cmpuint(n, >=, 1);
    g_assert_cmpuint(said(f, "the peer is too slow"), ==, 1);
    check_dead(f);
}

/* All of the set-up has one time-out. */
static void test_slow_from_the_start(VUFixture *f, gconstpointer data)
{
    const unsigned limit_ms = vu_short_ms();
    const TestDevOptions options = {
        .fault_after[TESTDEV_FAULT_SLOW] = 1,
        .fault_arg[TESTDEV_FAULT_SLOW] = limit_ms / SLOW_PARTS,
    };
    int fd = testdev_thread_start(&f->server, &options);
    VFIOUserDevice *user = vfio_user_device_new(fd, "test", limit_ms,
                                                g_get_monotonic_time(),
                                                &error_abort);
    VFIODevice vdev = { .io = &vfio_user_device_io, .name = (char *)"test",
                        .user = user };
    Error *err = NULL;

    g_assert_false(vfio_device_probe(&vdev, &err));
    error_free_or_abort(&err);
    g_assert_true(vfio_user_device_broken(user));
    vfio_user_device_free(user);
    testdev_thread_stop(&f->server);
}

static void test_slow_while_unplugging(VUFixture *f, gconstpointer data)
{
    const TestDevOptions options = { 0 };
    const unsigned limit_ms = vu_short_ms();
    int64_t before;

    vu_start_for(f, &options, limit_ms, &error_abort);
    vu_plug(f, 0, SLOW_BLOCKS);
    vu_arm(f, TESTDEV_FAULT_SLOW, 0, limit_ms / SLOW_PARTS);
    before = g_get_monotonic_time();
    sparse_ram_unplug(f->ram, 0, SLOW_BLOCKS);
    g_assert_cmpint(g_get_monotonic_time() - before, <,
                    SLOW_BLOCKS * (limit_ms / SLOW_PARTS) * 1000 / 2);
    g_assert_cmpuint(said(f, "the last one being DMA_UNMAP"), ==, 1);
    check_dead(f);
    g_assert_false(f->user->container.space.broken);
}

static void test_death(VUFixture *f, gconstpointer data)
{
    uint32_t val;

    vu_start(f);
    vu_plug(f, 0, 2);
    vu_arm(f, TESTDEV_FAULT_DIE, 0, 0);
    g_assert_cmpint(vfio_user_device_io.region_read(&f->vdev, 0, 0, &val, 4), <,
                    0);
    g_assert_cmpuint(said(f, "the connection has been lost"), ==, 1);
    check_dead(f);
    g_assert_false(f->user->container.space.broken);
}

/* A limit counts as long as there is somebody whose it is. */
static void test_death_ends_limit(VUFixture *f, gconstpointer data)
{
    const TestDevOptions options = { .max_dma_maps = NR_BLOCKS };
    uint32_t val;

    g_assert_true(vu_start_for(f, &options, vu_timeout_ms(), &error_abort));
    g_assert_false(ram_discard_consumers_check(&f->ram->mr, BLOCK / 2, NULL));
    vu_arm(f, TESTDEV_FAULT_DIE, 0, 0);
    f->vdev.io->region_read(&f->vdev, 0, 0, &val, 4);
    g_assert_true(ram_discard_consumers_check(&f->ram->mr, BLOCK / 2,
                                              &error_abort));
}

/* Nobody asks the server anything: the main loop sees that it has gone. */
static void test_death_unasked(VUFixture *f, gconstpointer data)
{
    gint64 end = patience_deadline();

    vu_start(f);
    shutdown(f->server.fd, SHUT_RDWR);
    while (!vfio_user_socket_error(f->user->socket)) {
        patience_check(end);
        main_loop_wait(true);
    }
    g_assert_cmpuint(said(f, "a device has failed"), ==, 1);
    vu_plug(f, 0, 3);
}

/* Each kind of nonsense as the answer to each kind of request. */
static void provoke(VUFixture *f, int request)
{
    struct vfio_device_info info = { .argsz = sizeof(info) };
    struct vfio_irq_info irq = { .argsz = sizeof(irq), .index = 1 };
    struct vfio_region_info *region = NULL;
    uint64_t val = 0;

    switch (request) {
    case 0:
        f->vdev.io->region_read(&f->vdev, 0, 0, &val, 8);
        break;
    case 1:
        f->vdev.io->region_write(&f->vdev, 0, 0, &val, 8);
        break;
    case 2:
        if (!sparse_ram_plug(f->ram, 50, 4)) {
            sparse_ram_unplug(f->ram, 50, 4);
        }
        break;
    case 3:
        sparse_ram_unplug(f->ram, 0, 2);
        break;
    case 4:
        f->vdev.io->device_info(&f->vdev, &info);
        break;
    case 5:
        f->vdev.io->region_info(&f->vdev, 2, &region);
        g_free(region);
        break;
    case 6:
        f->vdev.io->irq_info(&f->vdev, &irq);
        break;
    case 7:
        vfio_device_irq_disable(&f->vdev, 0);
        break;
    case 8:
        f->vdev.io->reset(&f->vdev);
        break;
    default:
        g_assert_not_reached();
    }
}

static void test_garbage(VUFixture *f, gconstpointer data)
{
    for (uint32_t kind = 0; kind < TESTDEV_NR_GARBAGE; kind++) {
        for (int request = 0; request < 9; request++) {
            const TestDevOptions options = { .seed = g_test_rand_int() };
            /* Once: the machine may be faster when this is over. */
            const int64_t limit = patience_us();
            int64_t before = g_get_monotonic_time();

            vu_start_for(f, &options, (kind == TESTDEV_GARBAGE_HALF ?
                                       limit / 50 : limit) / 1000, &error_abort);
            vu_plug(f, 0, 2);
            vu_arm(f, TESTDEV_FAULT_GARBAGE, 0, kind);
            provoke(f, request);
            /* If it has passed for an answer, the next one will not. */
            for (int i = 0; i < 3; i++) {
                provoke(f, 0);
            }
            check_dead(f);
            g_assert_cmpint(g_get_monotonic_time() - before, <, limit);
            vu_stop(f);
            g_assert_cmpint(ram_discard_blocks_discard_all(&f->ram->blocks), ==,
                            0);
        }
    }
}

/* Every fault at every message of the set-up: refused with a reason, or a
 * device that works so far. */
static void test_faults_at_set_up(VUFixture *f, gconstpointer data)
{
    const unsigned faults[] = { TESTDEV_FAULT_STALL, TESTDEV_FAULT_GARBAGE,
                                TESTDEV_FAULT_DIE };

    vu_plug(f, 0, 3);
    for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
        for (uint32_t n = 0; n < 6; n++) {
            TestDevOptions options = { 0 };
            g_autoptr(GError) err = NULL;

            options.fault_after[faults[i]] = n + 1;
            /* VERSION, and three maps. */
            g_assert_true(vu_start_for(f, &options, vu_short_ms(),
                                       &err) == (n >= 4));
            g_assert_true((err != NULL) == (n < 4));
            g_assert_true(!err ||
                          g_str_has_prefix(error_get_pretty(err),
                                           "vfio-user test: "));
            vu_stop(f);
        }
    }
    /* Whoever set it up has the reason: it has not been told besides. */
    g_assert_cmpuint(said(f, "has not answered VERSION"), ==, 0);
}

#define ADD(name, fn) \
    g_test_add("/vfio-user/fault/" name, VUFixture, NULL, vu_set_up, fn, \
               vu_tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    vu_init();
    ADD("gives up a server that stalls", test_stall);
    ADD("refuses one plug when the server stalls", test_stall_while_plugging);
    ADD("unplugs when the server stalls", test_stall_while_unplugging);
    ADD("gives a slow server one time-out for a plug",
        test_slow_while_plugging);
    ADD("gives up a server that is slow again and again", test_slow_accesses);
    ADD("gives a slow server one time-out for the set-up",
        test_slow_from_the_start);
    ADD("gives a slow server one time-out for an unplug",
        test_slow_while_unplugging);
    ADD("survives the server", test_death);
    ADD("forgets the limit of a dead server", test_death_ends_limit);
    ADD("notices the death of the server", test_death_unasked);
    ADD("takes no nonsense for an answer", test_garbage);
    ADD("fails cleanly at set-up", test_faults_at_set_up);
    return g_test_run();
}
