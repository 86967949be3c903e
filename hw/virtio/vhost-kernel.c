/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vhost back ends of the kernel: see vhost-kernel.h. */
#include "qemu/osdep.h"

#include <sys/ioctl.h>

#include "monitor/fds.h"
#include "qapi/error.h"
#include "qemu/cutils.h"
#include "qemu/error-report.h"
#include "qemu/main-loop.h"
#include "qemu/sandbox-need.h"
#include "vhost-kernel.h"

#define MAX_REGIONS_PATH "/sys/module/vhost/parameters/max_mem_regions"
#define MAX_REGIONS_DEFAULT 64            /* of a kernel that does not say */
#define MAX_REGIONS 4096                  /* that are used */
/* For requests that it has begun when it is told to stop. */
#define STOP_TIMEOUT_US (5 * G_USEC_PER_SEC)

static VhostKernel *kernel_of(struct vhost_dev *dev)
{
    return container_of(dev, VhostKernel, dev);
}

bool vhost_kernel_call(VhostKernel *k, unsigned long request, void *arg,
                       const char *what, Error **errp)
{
    int ret = k->class->ioctl ? k->class->ioctl(k->fd, request, arg)
                              : ioctl(k->fd, request, arg);

    if (ret < 0) {
        error_setg_errno(errp, errno, "%s", what);
    }
    return ret >= 0;
}

/* --- queues --------------------------------------------------------------- */

static bool kernel_set_features(struct vhost_dev *dev, uint64_t features,
                                Error **errp)
{
    return VHOST_KERNEL_CALL(kernel_of(dev), VHOST_SET_FEATURES, &features,
                             errp);
}

static bool kernel_set_vring_num(struct vhost_dev *dev, unsigned n,
                                 unsigned num, Error **errp)
{
    struct vhost_vring_state state = { .index = n, .num = num };

    return VHOST_KERNEL_CALL(kernel_of(dev), VHOST_SET_VRING_NUM, &state, errp);
}

static bool kernel_set_vring_base(struct vhost_dev *dev, unsigned n,
                                  uint16_t base, Error **errp)
{
    struct vhost_vring_state state = { .index = n, .num = base };

    return VHOST_KERNEL_CALL(kernel_of(dev), VHOST_SET_VRING_BASE, &state, errp);
}

static bool kernel_set_vring_addr(struct vhost_dev *dev, unsigned n,
                                  const VhostRingAddr *addr, Error **errp)
{
    struct vhost_vring_addr payload = {
        .index = n,
        .desc_user_addr = addr->desc,
        .avail_user_addr = addr->avail,
        .used_user_addr = addr->used,
    };

    return VHOST_KERNEL_CALL(kernel_of(dev), VHOST_SET_VRING_ADDR, &payload,
                             errp);
}

static bool kernel_set_vring_kick(struct vhost_dev *dev, unsigned n, int fd,
                                  Error **errp)
{
    struct vhost_vring_file file = { .index = n, .fd = fd };

    return VHOST_KERNEL_CALL(kernel_of(dev), VHOST_SET_VRING_KICK, &file, errp);
}

static bool kernel_set_vring_call(struct vhost_dev *dev, unsigned n, int fd,
                                  Error **errp)
{
    struct vhost_vring_file file = { .index = n, .fd = fd };

    return VHOST_KERNEL_CALL(kernel_of(dev), VHOST_SET_VRING_CALL, &file, errp);
}

/* Its users never have one that is not enabled. */
static bool kernel_set_vring_enable(struct vhost_dev *dev, unsigned n,
                                    bool enable, Error **errp)
{
    VhostKernel *k = kernel_of(dev);

    return !enable || k->class->start(k, n, errp);
}

static bool kernel_get_vring_base(struct vhost_dev *dev, unsigned n,
                                  uint16_t *base, Error **errp)
{
    VhostKernel *k = kernel_of(dev);
    struct vhost_vring_state state = { .index = n };

    if (!k->class->stop(k, n, errp) ||
        !VHOST_KERNEL_CALL(k, VHOST_GET_VRING_BASE, &state, errp)) {
        return false;
    }
    *base = state.num;
    return true;
}

/* --- memory --------------------------------------------------------------- */

static uint64_t host_address(const VhostRegion *r)
{
    return (uintptr_t)(r->block->host + r->offset);
}

static uint64_t kernel_ring_addr(const VhostRegion *r, hwaddr gpa)
{
    return host_address(r) + (gpa - r->gpa);
}

/* The new table is there for all queues at once. */
static bool kernel_table_stops(const struct vhost_dev *dev,
                               const VhostTableChange *change)
{
    return false;
}

static bool kernel_set_mem_table(struct vhost_dev *dev,
                                 const VhostTableChange *change, Error **errp)
{
    const GArray *wanted = change->wanted;
    g_autofree struct vhost_memory *table = g_malloc0(
        sizeof(*table) + wanted->len * sizeof(table->regions[0]));

    table->nregions = wanted->len;
    for (guint i = 0; i < wanted->len; i++) {
        const VhostRegion *r = vhost_region_at(wanted, i);

        table->regions[i] = (struct vhost_memory_region) {
            .guest_phys_addr = r->gpa,
            .memory_size = r->size,
            .userspace_addr = host_address(r),
        };
    }
    return VHOST_KERNEL_CALL(kernel_of(dev), VHOST_SET_MEM_TABLE, table, errp);
}

/* --- being there ---------------------------------------------------------- */

static bool kernel_has_inflight(const struct vhost_dev *dev)
{
    return false;
}

/* Each request is carried out when its ioctl() returns. */
static void kernel_begin_or_end(struct vhost_dev *dev)
{
}

static int64_t kernel_deadline(const struct vhost_dev *dev)
{
    return g_get_monotonic_time() + STOP_TIMEOUT_US;
}

static bool kernel_connected(const struct vhost_dev *dev)
{
    return container_of(dev, VhostKernel, dev)->fd >= 0;
}

/* It lets go of everything with the descriptor. */
static void kernel_disconnect(struct vhost_dev *dev, Error *err)
{
    VhostKernel *k = kernel_of(dev);

    error_report("%s: the kernel's vhost cannot go on: %s; the device works no "
                 "more", k->name, error_get_pretty(err));
    error_free(err);
    close(k->fd);
    k->fd = -1;
    qemu_bh_schedule(k->lost_bh);
}

static void kernel_lost(void *opaque)
{
    VhostKernel *k = opaque;

    vhost_dev_lost(&k->dev);
    virtio_error(k->dev.vdev, "its back end, the kernel's vhost, has gone");
}

const VhostOps vhost_kernel_ops = {
    .name = "vhost",
    .vhost_set_features = kernel_set_features,
    .vhost_set_vring_num = kernel_set_vring_num,
    .vhost_set_vring_base = kernel_set_vring_base,
    .vhost_set_vring_addr = kernel_set_vring_addr,
    .vhost_set_vring_kick = kernel_set_vring_kick,
    .vhost_set_vring_call = kernel_set_vring_call,
    .vhost_set_vring_enable = kernel_set_vring_enable,
    .vhost_get_vring_base = kernel_get_vring_base,
    .vhost_ring_addr = kernel_ring_addr,
    .vhost_table_stops = kernel_table_stops,
    .vhost_set_mem_table = kernel_set_mem_table,
    .vhost_has_inflight = kernel_has_inflight,
    .vhost_begin = kernel_begin_or_end,
    .vhost_end = kernel_begin_or_end,
    .vhost_deadline = kernel_deadline,
    .vhost_connected = kernel_connected,
    .vhost_disconnect = kernel_disconnect,
};

/* --- life ----------------------------------------------------------------- */

static bool is_vhost(int fd)
{
    uint64_t features;

    return ioctl(fd, VHOST_GET_FEATURES, &features) == 0;
}

int vhost_kernel_open(const char *path, const char *fd_text, Error **errp)
{
    return monitor_fd_open("vhostfd", fd_text, path, is_vhost, errp);
}

static guint max_regions(void)
{
    g_autofree char *text = NULL;
    uint64_t max = MAX_REGIONS_DEFAULT;

    if (g_file_get_contents(MAX_REGIONS_PATH, &text, NULL, NULL)) {
        g_strstrip(text);
        if (qemu_strtou64(text, NULL, 10, &max) < 0) {
            max = MAX_REGIONS_DEFAULT;
        }
    }
    return CLAMP(max, 1, MAX_REGIONS);
}

bool vhost_kernel_init(VhostKernel *k, const VhostKernelClass *class,
                       const char *name, int fd, Error **errp)
{
    sandbox_need(SANDBOX_VHOST);
    *k = (VhostKernel) {
        .dev.vhost_ops = &vhost_kernel_ops,
        .class = class,
        .name = name,
        .fd = fd,
        .slots = max_regions(),
        .lost_bh = qemu_bh_new(kernel_lost, k),
    };
    if (!VHOST_KERNEL_CALL(k, VHOST_SET_OWNER, NULL, errp) ||
        !VHOST_KERNEL_CALL(k, VHOST_GET_FEATURES, &k->dev.features, errp)) {
        vhost_kernel_cleanup(k);
        return false;
    }
    if (!virtio_has_feature(k->dev.features, VIRTIO_F_VERSION_1)) {
        error_setg(errp, "the kernel's vhost does not offer VIRTIO 1");
        vhost_kernel_cleanup(k);
        return false;
    }
    return true;
}

void vhost_kernel_cleanup(VhostKernel *k)
{
    g_clear_pointer(&k->lost_bh, qemu_bh_delete);
    if (k->fd >= 0) {
        close(k->fd);
        k->fd = -1;
    }
}
