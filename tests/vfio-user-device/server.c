/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The test device as a vfio-user server: what each command does, and the log of
 * what the client maps. Each line of the log is written at once:
 *     connect | disconnect | reset
 *     map IOVA SIZE fd|msg
 *     unmap IOVA SIZE
 *     refuse-map IOVA SIZE ERRNO
 *     refuse-unmap IOVA SIZE ERRNO
 * with IOVA and SIZE as 0x..., ERRNO as a number. Disconnecting unmaps all.
 */
#include "qemu/osdep.h"

#include <poll.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "qemu/units.h"
#include "testdev.h"

#define SERVER_TIMEOUT_MS 30000

static void G_GNUC_PRINTF(2, 3) server_log(TestDev *dev, const char *fmt, ...)
{
    va_list ap;

    if (!dev->log) {
        return;
    }
    va_start(ap, fmt);
    vfprintf(dev->log, fmt, ap);
    va_end(ap);
    fputc('\n', dev->log);
    fflush(dev->log);
}

/* Answers @msg with @ret, or @size bytes at @payload if that is 0. */
static void answer(TestDev *dev, const VFIOUserMessage *msg, int ret,
                   const void *payload, size_t size)
{
    const VFIOUserBody body = { .head = payload, .head_size = size };

    vfio_user_socket_reply(dev->socket, msg, -ret, &body);
}

/* --- commands: each answers its message --- */

static void serve_version(TestDev *dev, VFIOUserMessage *msg)
{
    g_autofree VFIOUserVersion *version = NULL;
    g_autoptr(GError) err = NULL;
    VFIOUserCaps theirs;
    size_t size;

    if (!vfio_user_version_parse(msg, &theirs, &err)) {
        answer(dev, msg, -EINVAL, NULL, 0);
        return;
    }
    dev->client_xfer = theirs.max_data_xfer_size;
    version = vfio_user_version_new(&dev->caps, &size);
    answer(dev, msg, 0, version, size);
}

/* The errno of a refusal that is due, as -errno; 0: none. */
static int refusal(TestDev *dev, unsigned kind)
{
    if (!testdev_fault_strikes(dev, kind)) {
        return 0;
    }
    return dev->faults[kind].arg ? -(int)dev->faults[kind].arg : -ENOMEM;
}

static void serve_map(TestDev *dev, VFIOUserMessage *msg)
{
    const VFIOUserDMAMap *map = (const void *)msg->payload;
    bool with_fd = msg->nr_fds > 0;
    int ret = refusal(dev, TESTDEV_FAULT_REFUSE_MAP);

    if (!ret && (uint64_t)g_tree_nnodes(dev->mem.mappings) >=
                dev->caps.max_dma_maps) {
        ret = -ENOSPC;
    }
    if (!ret) {
        ret = testdev_memory_map(&dev->mem, map,
                                 vfio_user_message_steal_fd(msg, 0));
    }
    if (ret) {
        dev->refusals++;
        server_log(dev, "refuse-map 0x%" PRIx64 " 0x%" PRIx64 " %d",
                   map->address, map->size, -ret);
    } else {
        dev->maps++;
        server_log(dev, "map 0x%" PRIx64 " 0x%" PRIx64 " %s", map->address,
                   map->size, with_fd ? "fd" : "msg");
    }
    answer(dev, msg, ret, NULL, 0);
}

static void serve_unmap(TestDev *dev, VFIOUserMessage *msg)
{
    const VFIOUserDMAUnmap *unmap = (const void *)msg->payload;
    int ret = refusal(dev, TESTDEV_FAULT_REFUSE_UNMAP);

    if (!ret) {
        ret = testdev_memory_unmap(&dev->mem, unmap);
    }
    if (ret) {
        dev->refusals++;
        server_log(dev, "refuse-unmap 0x%" PRIx64 " 0x%" PRIx64 " %d",
                   unmap->address, unmap->size, -ret);
    } else {
        dev->unmaps++;
        server_log(dev, "unmap 0x%" PRIx64 " 0x%" PRIx64, unmap->address,
                   unmap->size);
    }
    answer(dev, msg, ret, unmap, sizeof(*unmap));
}

static void serve_device_info(TestDev *dev, VFIOUserMessage *msg)
{
    const VFIOUserDeviceInfo info = {
        .argsz = sizeof(info),
        .flags = VFIO_DEVICE_FLAGS_PCI | VFIO_DEVICE_FLAGS_RESET,
        .num_regions = VFIO_PCI_NUM_REGIONS,
        .num_irqs = VFIO_PCI_NUM_IRQS,
    };

    answer(dev, msg, 0, &info, sizeof(info));
}

static void serve_region_info(TestDev *dev, VFIOUserMessage *msg)
{
    VFIOUserBody body = { 0 };
    int fd = -1;
    g_autofree struct vfio_region_info *info =
        testdev_region_info(dev, (const void *)msg->payload, &body.head_size,
                            &fd);

    body.head = info;
    body.fds = &fd;
    body.nr_fds = fd >= 0 ? 1 : 0;
    vfio_user_socket_reply(dev->socket, msg, info ? 0 : EINVAL, &body);
}

static void serve_irq_info(TestDev *dev, VFIOUserMessage *msg)
{
    struct vfio_irq_info info;

    memcpy(&info, msg->payload, sizeof(info));
    if (info.index >= VFIO_PCI_NUM_IRQS) {
        answer(dev, msg, -EINVAL, NULL, 0);
        return;
    }
    testdev_irq_info(&info);
    answer(dev, msg, 0, &info, sizeof(info));
}

static void serve_set_irqs(TestDev *dev, VFIOUserMessage *msg)
{
    answer(dev, msg, testdev_irq_set(&dev->irqs, (const void *)msg->payload,
                                     msg), NULL, 0);
}

static void serve_region_read(TestDev *dev, VFIOUserMessage *msg)
{
    const VFIOUserRegionAccess *access = (const void *)msg->payload;
    g_autofree uint8_t *data = g_malloc(access->count);
    const VFIOUserBody body = {
        .head = access,
        .head_size = sizeof(*access),
        .data = data,
        .data_size = access->count,
    };
    int ret = testdev_region_access(dev, access->region, access->offset, data,
                                    access->count, false);

    vfio_user_socket_reply(dev->socket, msg, -ret, &body);
}

static void serve_region_write(TestDev *dev, VFIOUserMessage *msg)
{
    VFIOUserRegionAccess *access = (void *)msg->payload;
    int ret = testdev_region_access(dev, access->region, access->offset,
                                    access->data, access->count, true);

    answer(dev, msg, ret, access, sizeof(*access));
}

static void serve_reset(TestDev *dev, VFIOUserMessage *msg)
{
    dev->resets++;
    testdev_pci_init(dev);
    testdev_engine_reset(dev);
    testdev_irq_ack(&dev->irqs);
    server_log(dev, "reset");
    answer(dev, msg, 0, NULL, 0);
}

static void server_command(VFIOUserSocket *s, VFIOUserMessage *msg,
                           void *opaque)
{
    static void (*const serve[])(TestDev *, VFIOUserMessage *) = {
        [VFIO_USER_VERSION] = serve_version,
        [VFIO_USER_DMA_MAP] = serve_map,
        [VFIO_USER_DMA_UNMAP] = serve_unmap,
        [VFIO_USER_DEVICE_GET_INFO] = serve_device_info,
        [VFIO_USER_DEVICE_GET_REGION_INFO] = serve_region_info,
        [VFIO_USER_DEVICE_GET_IRQ_INFO] = serve_irq_info,
        [VFIO_USER_DEVICE_SET_IRQS] = serve_set_irqs,
        [VFIO_USER_REGION_READ] = serve_region_read,
        [VFIO_USER_REGION_WRITE] = serve_region_write,
        [VFIO_USER_DEVICE_RESET] = serve_reset,
    };
    TestDev *dev = opaque;
    uint16_t command = msg->header.command;

    if (testdev_fault_strikes(dev, TESTDEV_FAULT_SLOW)) {
        g_usleep(dev->faults[TESTDEV_FAULT_SLOW].arg * 1000UL);
    }
    if (testdev_fault_strikes(dev, TESTDEV_FAULT_DIE)) {
        dev->dead = true;
        vfio_user_socket_break(s, ECONNABORTED, "it was told to die");
    } else if (testdev_fault_strikes(dev, TESTDEV_FAULT_STALL)) {
        return;
    } else if (testdev_fault_strikes(dev, TESTDEV_FAULT_GARBAGE)) {
        testdev_fault_garbage(dev, msg);
    } else if (command >= ARRAY_SIZE(serve) || !serve[command]) {
        answer(dev, msg, -ENOTSUP, NULL, 0);
    } else {
        serve[command](dev, msg);
    }
}

/* --- life --- */

static bool server_open_log(TestDev *dev, const char *path, Error **errp)
{
    if (!path) {
        return true;
    }
    dev->log = fopen(path, "we");
    if (!dev->log) {
        error_setg_errno(errp, errno, "cannot write to '%s'", path);
    }
    return dev->log != NULL;
}

static bool server_open_bar2(TestDev *dev, const char *shown, Error **errp)
{
    void *ptr;

    if (shown) {
        dev->bar2_shown_fd = open(shown, O_RDWR | O_CLOEXEC);
        if (dev->bar2_shown_fd < 0) {
            error_setg_errno(errp, errno, "cannot open '%s'", shown);
            return false;
        }
    }
    dev->bar2_fd = memfd_create("testdev-bar2", MFD_CLOEXEC);
    if (dev->bar2_fd < 0 || ftruncate(dev->bar2_fd, TESTDEV_BAR2_SIZE)) {
        error_setg_errno(errp, errno, "cannot make memory for BAR 2");
        return false;
    }
    ptr = mmap(NULL, TESTDEV_BAR2_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
               dev->bar2_fd, 0);
    if (ptr == MAP_FAILED) {
        error_setg_errno(errp, errno, "cannot map BAR 2");
        return false;
    }
    dev->bar2 = ptr;
    return true;
}

TestDev *testdev_new(const TestDevOptions *options, Error **errp)
{
    TestDev *dev = g_new0(TestDev, 1);

    dev->bar2_fd = dev->bar2_shown_fd = -1;
    dev->caps = vfio_user_our_caps;
    dev->caps.max_dma_maps = options->max_dma_maps ? options->max_dma_maps
                                                   : UINT16_MAX;
    dev->caps.pgsizes = options->pgsizes ? options->pgsizes : 4 * KiB;
    dev->caps.max_msg_fds = options->max_msg_fds ? options->max_msg_fds
                                                 : VFIO_USER_MAX_FDS;
    dev->rom_size = options->rom_size;
    dev->rand = g_rand_new_with_seed(options->seed);
    testdev_memory_init(&dev->mem);
    testdev_irq_init(&dev->irqs);
    for (unsigned i = 0; i < TESTDEV_NR_FAULTS; i++) {
        if (options->fault_after[i]) {
            testdev_fault_arm(dev, i, options->fault_after[i] - 1,
                              options->fault_arg[i]);
        }
    }
    testdev_pci_init(dev);
    testdev_engine_reset(dev);
    if (!server_open_log(dev, options->log, errp) ||
        !server_open_bar2(dev, options->bar2_file, errp)) {
        testdev_free(dev);
        return NULL;
    }
    return dev;
}

void testdev_free(TestDev *dev)
{
    if (dev->bar2) {
        munmap(dev->bar2, TESTDEV_BAR2_SIZE);
    }
    if (dev->bar2_shown_fd >= 0) {
        close(dev->bar2_shown_fd);
    }
    if (dev->bar2_fd >= 0) {
        close(dev->bar2_fd);
    }
    testdev_irq_clear(&dev->irqs);
    testdev_memory_destroy(&dev->mem);
    g_rand_free(dev->rand);
    if (dev->log) {
        fclose(dev->log);
    }
    g_free(dev);
}

void testdev_serve(TestDev *dev, int fd, Error **errp)
{
    static const VFIOUserSocketOps ops = {
        .command = server_command,
        .defer_commands = true,
    };
    struct pollfd pfd = { .fd = fd, .events = POLLIN };

    dev->socket = vfio_user_socket_new(fd, "client", SERVER_TIMEOUT_MS, &ops,
                                       dev);
    server_log(dev, "connect");
    while (!vfio_user_socket_error(dev->socket)) {
        if (dev->pending) {
            testdev_engine_run(dev);
            /* It may have deferred commands. */
        } else {
            poll(&pfd, 1, -1);
        }
        vfio_user_socket_process(dev->socket);
    }
    error_propagate(errp, error_copy(vfio_user_socket_error(dev->socket)));
    testdev_memory_clear(&dev->mem);
    testdev_irq_clear(&dev->irqs);
    server_log(dev, "disconnect");
    vfio_user_socket_free(dev->socket);
    dev->socket = NULL;
}
