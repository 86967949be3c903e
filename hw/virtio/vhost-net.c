/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Queue pairs of virtio-net that the kernel's vhost works, see
 * hw/virtio/vhost-net.h; used by hw/net. */
#include "qemu/osdep.h"

#include <fcntl.h>

#include "hw/virtio/vhost-net.h"
#include "qapi/error.h"
#include "vhost-kernel.h"

#define PAIR_QUEUES 2

/* virtio_net.h of the kernel cannot be included beside virtio.h. */
#define MRG_RXBUF 15                      /* VIRTIO_NET_F_MRG_RXBUF */

struct VhostNet {
    VhostKernel kernel;
    int tap_fd;
};

/* --- the kernel ----------------------------------------------------------- */

static bool set_backend(VhostKernel *k, unsigned n, int fd, Error **errp)
{
    struct vhost_vring_file file = { .index = n, .fd = fd };

    return VHOST_KERNEL_CALL(k, VHOST_NET_SET_BACKEND, &file, errp);
}

static bool net_start_queue(VhostKernel *k, unsigned n, Error **errp)
{
    return set_backend(k, n, container_of(k, VhostNet, kernel)->tap_fd, errp);
}

static bool net_stop_queue(VhostKernel *k, unsigned n, Error **errp)
{
    return set_backend(k, n, -1, errp);
}

static const VhostKernelClass net_kernel = {
    .start = net_start_queue,
    .stop = net_stop_queue,
};

/* --- for hw/net ----------------------------------------------------------- */

uint64_t vhost_net_get_features(const VhostNet *net, uint64_t features)
{
    static const int bits[] = {
        VIRTIO_RING_F_INDIRECT_DESC, VIRTIO_RING_F_EVENT_IDX, MRG_RXBUF,
        VHOST_INVALID_FEATURE_BIT,
    };

    return vhost_get_features(&net->kernel.dev, bits, features);
}

void vhost_net_run_changed(VhostNet *net, bool held)
{
    net->kernel.dev.held = held;
    vhost_dev_run_changed(&net->kernel.dev);
}

static bool set_up(VhostNet *net, VirtIODevice *vdev, unsigned pair,
                   bool has_header, Error **errp)
{
    struct vhost_dev *dev = &net->kernel.dev;

    dev->held = true;
    dev->vq_index = PAIR_QUEUES * pair;
    dev->own_features = has_header ? 0 : 1ULL << VHOST_NET_F_VIRTIO_NET_HDR;
    return vhost_dev_init(dev, vdev, PAIR_QUEUES, net->kernel.slots, true, errp);
}

VhostNet *vhost_net_new(VirtIODevice *vdev, unsigned pair, int vhost_fd,
                        int tap_fd, bool has_header, Error **errp)
{
    g_autofree VhostNet *net = g_new0(VhostNet, 1);
    int fd = fcntl(vhost_fd, F_DUPFD_CLOEXEC, 0);

    if (fd < 0) {
        error_setg_errno(errp, errno, "vhostfd cannot be copied");
        return NULL;
    }
    net->tap_fd = tap_fd;
    if (!vhost_kernel_init(&net->kernel, &net_kernel, vdev->name, fd, errp)) {
        return NULL;
    }
    if (!set_up(net, vdev, pair, has_header, errp)) {
        vhost_kernel_cleanup(&net->kernel);
        return NULL;
    }
    return g_steal_pointer(&net);
}

/* The next device finds the descriptor as it was. */
void vhost_net_free(VhostNet *net)
{
    if (!net) {
        return;
    }
    vhost_dev_cleanup(&net->kernel.dev);
    if (net->kernel.fd >= 0) {
        VHOST_KERNEL_CALL(&net->kernel, VHOST_RESET_OWNER, NULL, NULL);
    }
    vhost_kernel_cleanup(&net->kernel);
    g_free(net);
}
