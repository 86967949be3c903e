/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hw/virtio/vhost-kernel.c: what the kernel is asked, and what follows when it
 * refuses. The kernel is a fake, behind ioctl().
 */
#include "qemu/osdep.h"

#include <fcntl.h>

#include "hw/virtio/vhost-kernel.h"
#include "qapi/error.h"
#include "qemu/main-loop.h"
#include "qemu/units.h"

#define FEATURES (1ULL << VIRTIO_F_VERSION_1 | 1ULL << VIRTIO_RING_F_EVENT_IDX)
#define HOST 0x7f0000000000ULL

/* --- the kernel ----------------------------------------------------------- */

static struct {
    unsigned calls;
    int fail_in;                          /* calls until one fails; -1 */
    int error;
    uint64_t features;
    unsigned long last;                   /* request */
    struct vhost_vring_state state;       /* as the last one had it */
    struct vhost_vring_file file;
    struct vhost_vring_addr addr;
    unsigned nregions;
    struct vhost_memory_region regions[4];
    unsigned started, stopped;            /* bits of queues */
} kernel;

static int fake_ioctl(int fd, unsigned long request, void *arg)
{
    kernel.calls++;
    kernel.last = request;
    if (kernel.fail_in >= 0 && kernel.fail_in-- == 0) {
        errno = kernel.error;
        return -1;
    }
    switch (request) {
    case VHOST_GET_FEATURES:
        *(uint64_t *)arg = kernel.features;
        break;
    case VHOST_SET_FEATURES:
        g_assert_cmphex(*(uint64_t *)arg & ~kernel.features, ==, 0);
        break;
    case VHOST_SET_VRING_NUM:
    case VHOST_SET_VRING_BASE:
        memcpy(&kernel.state, arg, sizeof(kernel.state));
        break;
    case VHOST_GET_VRING_BASE:
        ((struct vhost_vring_state *)arg)->num = 77;
        break;
    case VHOST_SET_VRING_ADDR:
        memcpy(&kernel.addr, arg, sizeof(kernel.addr));
        break;
    case VHOST_SET_VRING_KICK:
    case VHOST_SET_VRING_CALL:
        memcpy(&kernel.file, arg, sizeof(kernel.file));
        break;
    case VHOST_SET_MEM_TABLE:
        kernel.nregions = ((struct vhost_memory *)arg)->nregions;
        g_assert_cmpuint(kernel.nregions, <=, ARRAY_SIZE(kernel.regions));
        memcpy(kernel.regions, ((struct vhost_memory *)arg)->regions,
               kernel.nregions * sizeof(kernel.regions[0]));
        break;
    }
    return 0;
}

static bool fake_start(VhostKernel *k, unsigned n, Error **errp)
{
    kernel.started |= 1 << n;
    return true;
}

static bool fake_stop(VhostKernel *k, unsigned n, Error **errp)
{
    kernel.stopped |= 1 << n;
    return true;
}

static const VhostKernelClass fake_class = {
    .start = fake_start,
    .stop = fake_stop,
    .ioctl = fake_ioctl,
};

/* --- helpers -------------------------------------------------------------- */

static void reset_kernel(void)
{
    memset(&kernel, 0, sizeof(kernel));
    kernel.fail_in = -1;
    kernel.error = EFAULT;
    kernel.features = FEATURES;
}

static int some_fd(void)
{
    int fd = dup(STDERR_FILENO);

    g_assert_cmpint(fd, >=, 0);
    return fd;
}

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

static void start(VhostKernel *k)
{
    reset_kernel();
    g_assert_true(vhost_kernel_init(k, &fake_class, "fake", some_fd(),
                                    &error_abort));
}

static void assert_error(Error *err, const char *part)
{
    g_assert_nonnull(err);
    g_assert_nonnull(strstr(error_get_pretty(err), part));
    error_free(err);
}

/* --- tests ---------------------------------------------------------------- */

static void test_begins_with_owner_and_features(void)
{
    VhostKernel k;

    start(&k);
    g_assert_cmphex(k.dev.features, ==, FEATURES);
    g_assert_cmpuint(k.slots, >=, 1);
    g_assert_true(vhost_kernel_ops.vhost_connected(&k.dev));
    vhost_kernel_cleanup(&k);
}

static void test_init_that_fails_leaves_nothing(void)
{
    for (int step = 0; step < 2; step++) {
        int fd = some_fd();
        Error *err = NULL;
        VhostKernel k;

        reset_kernel();
        kernel.fail_in = step;
        g_assert_false(vhost_kernel_init(&k, &fake_class, "fake", fd, &err));
        assert_error(err, step ? "VHOST_GET_FEATURES" : "VHOST_SET_OWNER");
        g_assert_false(is_open(fd));
    }
}

static void test_a_kernel_without_virtio_1(void)
{
    int fd = some_fd();
    Error *err = NULL;
    VhostKernel k;

    reset_kernel();
    kernel.features = 0;
    g_assert_false(vhost_kernel_init(&k, &fake_class, "fake", fd, &err));
    assert_error(err, "VIRTIO 1");
    g_assert_false(is_open(fd));
}

static void test_queues_are_told_as_they_are(void)
{
    const VhostRingAddr addr = { .desc = 1, .avail = 2, .used = 3 };
    const VhostOps *ops = &vhost_kernel_ops;
    uint16_t base;
    VhostKernel k;

    start(&k);
    g_assert_true(ops->vhost_set_features(&k.dev, FEATURES, &error_abort));
    g_assert_true(ops->vhost_set_vring_num(&k.dev, 1, 128, &error_abort));
    g_assert_cmpuint(kernel.state.index, ==, 1);
    g_assert_cmpuint(kernel.state.num, ==, 128);
    g_assert_true(ops->vhost_set_vring_base(&k.dev, 0, 65535, &error_abort));
    g_assert_cmpuint(kernel.state.num, ==, 65535);
    g_assert_true(ops->vhost_set_vring_addr(&k.dev, 1, &addr, &error_abort));
    g_assert_cmpuint(kernel.addr.index, ==, 1);
    g_assert_cmpuint(kernel.addr.used_user_addr, ==, 3);
    g_assert_true(ops->vhost_set_vring_kick(&k.dev, 1, 42, &error_abort));
    g_assert_cmpint(kernel.file.fd, ==, 42);
    g_assert_true(ops->vhost_set_vring_call(&k.dev, 0, 43, &error_abort));
    g_assert_cmpint(kernel.file.fd, ==, 43);
    g_assert_true(ops->vhost_set_vring_enable(&k.dev, 1, true, &error_abort));
    g_assert_cmphex(kernel.started, ==, 2);
    g_assert_true(ops->vhost_get_vring_base(&k.dev, 1, &base, &error_abort));
    g_assert_cmphex(kernel.stopped, ==, 2);
    g_assert_cmpuint(base, ==, 77);
    vhost_kernel_cleanup(&k);
}

/* Regions as they are, by addresses of this process, in one request. */
static void test_table_is_told_at_once(void)
{
    RAMBlock block = { .host = (uint8_t *)HOST };
    const VhostRegion regions[] = {
        { .gpa = 0, .size = MiB, .block = &block },
        { .gpa = 4 * GiB, .size = 2 * MiB, .block = &block, .offset = 6 * MiB },
    };
    g_autoptr(GArray) wanted = vhost_regions_new();
    VhostTableChange change = { .wanted = wanted };
    Error *err = NULL;
    VhostKernel k;

    start(&k);
    g_array_append_vals(wanted, regions, ARRAY_SIZE(regions));
    g_assert_false(vhost_kernel_ops.vhost_table_stops(&k.dev, &change));
    kernel.calls = 0;
    g_assert_true(vhost_kernel_ops.vhost_set_mem_table(&k.dev, &change,
                                                       &error_abort));
    g_assert_cmpuint(kernel.calls, ==, 1);
    g_assert_cmpuint(kernel.nregions, ==, 2);
    g_assert_cmphex(kernel.regions[1].guest_phys_addr, ==, 4 * GiB);
    g_assert_cmphex(kernel.regions[1].memory_size, ==, 2 * MiB);
    g_assert_cmphex(kernel.regions[1].userspace_addr, ==, HOST + 6 * MiB);
    g_assert_cmphex(vhost_kernel_ops.vhost_ring_addr(&regions[1],
                                                     4 * GiB + 4096),
                    ==, HOST + 6 * MiB + 4096);

    kernel.fail_in = 0;
    kernel.error = E2BIG;
    g_assert_false(vhost_kernel_ops.vhost_set_mem_table(&k.dev, &change, &err));
    assert_error(err, "VHOST_SET_MEM_TABLE");
    vhost_kernel_cleanup(&k);
}

static void test_every_refusal_is_told(void)
{
    const VhostOps *ops = &vhost_kernel_ops;
    const VhostRingAddr addr = { };
    VhostKernel k;
    uint16_t base;

    start(&k);
    for (unsigned step = 0; step < 7; step++) {
        Error *err = NULL;
        bool ok = true;

        kernel.fail_in = 0;
        switch (step) {
        case 0: ok = ops->vhost_set_features(&k.dev, 0, &err); break;
        case 1: ok = ops->vhost_set_vring_num(&k.dev, 0, 8, &err); break;
        case 2: ok = ops->vhost_set_vring_base(&k.dev, 0, 8, &err); break;
        case 3: ok = ops->vhost_set_vring_addr(&k.dev, 0, &addr, &err); break;
        case 4: ok = ops->vhost_set_vring_kick(&k.dev, 0, 8, &err); break;
        case 5: ok = ops->vhost_set_vring_call(&k.dev, 0, 8, &err); break;
        case 6: ok = ops->vhost_get_vring_base(&k.dev, 0, &base, &err); break;
        }
        g_assert_false(ok);
        assert_error(err, "VHOST_");
    }
    vhost_kernel_cleanup(&k);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_cmpint(qemu_init_main_loop(&error_abort), ==, 0);
#define ADD(name, fn) g_test_add_func("/vhost-kernel/" name, fn)
    ADD("begins-with-owner-and-features", test_begins_with_owner_and_features);
    ADD("init-that-fails-leaves-nothing", test_init_that_fails_leaves_nothing);
    ADD("a-kernel-without-virtio-1", test_a_kernel_without_virtio_1);
    ADD("queues-are-told-as-they-are", test_queues_are_told_as_they_are);
    ADD("table-is-told-at-once", test_table_is_told_at_once);
    ADD("every-refusal-is-told", test_every_refusal_is_told);
    return g_test_run();
}
