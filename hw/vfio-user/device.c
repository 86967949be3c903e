/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The operations of a VFIO device as requests to a vfio-user server. Sizes and
 * shapes of replies are checked by hw/vfio-user/protocol.c; that a reply is
 * about what was asked is checked here. An answer to another question breaks
 * the connection.
 */
#include "qemu/osdep.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "client.h"
#include "qemu/error-report.h"

/* What a region's information may need at first. */
#define REGION_INFO_ROOM 512

/* As vfio_user_socket_request(), for a fixed payload. */
static int user_request(VFIODevice *vdev, VFIOUserCommand command,
                        const void *payload, size_t size,
                        VFIOUserMessage *reply)
{
    const VFIOUserBody body = { .head = payload, .head_size = size };

    return vfio_user_socket_request(vdev->user->socket, command, &body, reply);
}

/* --- what there is --- */

static int user_device_info(VFIODevice *vdev, struct vfio_device_info *info)
{
    const VFIOUserDeviceInfo request = { .argsz = sizeof(request) };
    g_auto(VFIOUserMessage) reply = { 0 };
    const VFIOUserDeviceInfo *got;
    int ret = user_request(vdev, VFIO_USER_DEVICE_GET_INFO, &request,
                           sizeof(request), &reply);

    if (ret) {
        return ret;
    }
    got = (const void *)reply.payload;
    info->flags = got->flags;
    info->num_regions = got->num_regions;
    info->num_irqs = got->num_irqs;
    return 0;
}

static void user_set_region_fd(VFIOUserDevice *user, uint32_t index, int fd)
{
    while (user->region_fds->len <= index) {
        int none = -1;

        g_array_append_val(user->region_fds, none);
    }
    if (g_array_index(user->region_fds, int, index) >= 0) {
        close(g_array_index(user->region_fds, int, index));
    }
    g_array_index(user->region_fds, int, index) = fd;
}

/* With room for @argsz bytes. *info NULL: it needs more, as *needed says. */
static int user_try_region_info(VFIODevice *vdev, uint32_t index,
                                uint32_t argsz, struct vfio_region_info **info,
                                uint32_t *needed)
{
    const struct vfio_region_info request = { .argsz = argsz, .index = index };
    g_auto(VFIOUserMessage) reply = { 0 };
    const struct vfio_region_info *got;
    int ret = user_request(vdev, VFIO_USER_DEVICE_GET_REGION_INFO, &request,
                           sizeof(request), &reply);

    if (ret) {
        return ret;
    }
    got = (const void *)reply.payload;
    if (got->index != index) {
        return vfio_user_socket_break(vdev->user->socket, EPROTO, "the server "
                                      "describes region %" PRIu32 " when asked "
                                      "for %" PRIu32, got->index, index);
    }
    *needed = got->argsz;
    if (got->argsz > reply.payload_size) {
        *info = NULL;
        return 0;
    }
    user_set_region_fd(vdev->user, index,
                       vfio_user_message_steal_fd(&reply, 0));
    *info = (void *)g_steal_pointer(&reply.payload);
    (*info)->argsz = reply.payload_size;
    return 0;
}

static int user_region_info(VFIODevice *vdev, uint32_t index,
                            struct vfio_region_info **info)
{
    uint32_t argsz = REGION_INFO_ROOM;

    for (int i = 0; i < 3; i++) {
        int ret = user_try_region_info(vdev, index, argsz, info, &argsz);

        if (ret || *info) {
            return ret;
        }
    }
    return -E2BIG;
}

static int user_irq_info(VFIODevice *vdev, struct vfio_irq_info *info)
{
    const struct vfio_irq_info request = { .argsz = sizeof(request),
                                           .index = info->index };
    g_auto(VFIOUserMessage) reply = { 0 };
    const struct vfio_irq_info *got;
    int ret = user_request(vdev, VFIO_USER_DEVICE_GET_IRQ_INFO, &request,
                           sizeof(request), &reply);

    if (ret) {
        return ret;
    }
    got = (const void *)reply.payload;
    if (got->index != info->index) {
        return vfio_user_socket_break(vdev->user->socket, EPROTO, "the server "
                                      "describes interrupt %" PRIu32 " when "
                                      "asked for %" PRIu32, got->index,
                                      info->index);
    }
    info->flags = got->flags;
    info->count = got->count;
    return 0;
}

/* --- interrupts --- */

static int user_set_irq_run(VFIODevice *vdev, const struct vfio_irq_set *set,
                            uint32_t first, uint32_t count, const int32_t *fds)
{
    const struct vfio_irq_set request = {
        .argsz = sizeof(request),
        .flags = set->flags,
        .index = set->index,
        .start = set->start + first,
        .count = count,
    };
    const VFIOUserBody body = {
        .head = &request,
        .head_size = sizeof(request),
        .fds = fds,
        .nr_fds = fds ? count : 0,
    };
    g_auto(VFIOUserMessage) reply = { 0 };

    return vfio_user_socket_request(vdev->user->socket,
                                    VFIO_USER_DEVICE_SET_IRQS, &body, &reply);
}

/* Absent descriptors cannot be sent among others: runs of either kind, and of
 * no more than the server takes. */
static int user_set_irq_fds(VFIODevice *vdev, const struct vfio_irq_set *set)
{
    g_autofree int32_t *fds = g_new(int32_t, set->count);
    uint64_t max = vdev->user->caps.max_msg_fds;
    int ret = 0;

    memcpy(fds, set->data, set->count * sizeof(*fds));
    for (uint32_t first = 0, end; first < set->count && !ret; first = end) {
        bool some = fds[first] >= 0;
        uint64_t room = some ? max : VFIO_USER_MAX_IRQS;

        if (!room) {
            return -ENOTSUP;
        }
        end = first + 1;
        while (end < set->count && end - first < room &&
               (fds[end] >= 0) == some) {
            end++;
        }
        ret = user_set_irq_run(vdev, set, first, end - first,
                               some ? &fds[first] : NULL);
    }
    return ret;
}

static int user_set_irqs(VFIODevice *vdev, struct vfio_irq_set *set)
{
    uint32_t type = set->flags & VFIO_IRQ_SET_DATA_TYPE_MASK;

    /* Nobody is left to interrupt us, which has been said. */
    if (vfio_user_device_broken(vdev->user)) {
        return 0;
    }
    if (type == VFIO_IRQ_SET_DATA_EVENTFD) {
        return user_set_irq_fds(vdev, set);
    }
    if (type != VFIO_IRQ_SET_DATA_NONE) {
        return -ENOTSUP;
    }
    return user_set_irq_run(vdev, set, 0, set->count, NULL);
}

static int user_reset(VFIODevice *vdev)
{
    g_auto(VFIOUserMessage) reply = { 0 };

    if (vfio_user_device_broken(vdev->user)) {
        return 0;
    }
    return user_request(vdev, VFIO_USER_DEVICE_RESET, NULL, 0, &reply);
}

/* --- regions --- */

static int user_check_access(VFIODevice *vdev,
                             const VFIOUserRegionAccess *asked,
                             const VFIOUserMessage *reply)
{
    const VFIOUserRegionAccess *got = (const void *)reply->payload;

    if (!memcmp(got, asked, sizeof(*asked))) {
        return 0;
    }
    return vfio_user_socket_break(vdev->user->socket, EPROTO, "the server "
                                  "answers for %" PRIu32 " bytes at 0x%" PRIx64
                                  " of region %" PRIu32 " when asked for "
                                  "%" PRIu32 " at 0x%" PRIx64 " of %" PRIu32,
                                  got->count, got->offset, got->region,
                                  asked->count, asked->offset, asked->region);
}

static int user_read_some(VFIODevice *vdev, const VFIOUserRegionAccess *access,
                          uint8_t *buf)
{
    g_auto(VFIOUserMessage) reply = { 0 };
    int ret = user_request(vdev, VFIO_USER_REGION_READ, access, sizeof(*access),
                           &reply);

    if (!ret) {
        ret = user_check_access(vdev, access, &reply);
    }
    if (!ret) {
        memcpy(buf, reply.payload + sizeof(*access), access->count);
    }
    return ret;
}

static int user_write_some(VFIODevice *vdev, const VFIOUserRegionAccess *access,
                           const uint8_t *buf)
{
    g_auto(VFIOUserMessage) reply = { 0 };
    const VFIOUserBody body = {
        .head = access,
        .head_size = sizeof(*access),
        .data = buf,
        .data_size = access->count,
    };
    int ret = vfio_user_socket_request(vdev->user->socket,
                                       VFIO_USER_REGION_WRITE, &body, &reply);

    return ret ? ret : user_check_access(vdev, access, &reply);
}

/* How much of @size bytes the server can take in one message. */
static uint32_t user_room(const VFIODevice *vdev, size_t size)
{
    return MIN(size, vdev->user->caps.max_data_xfer_size);
}

static int user_read_all(VFIODevice *vdev, uint32_t index, uint64_t offset,
                         void *buf, size_t size)
{
    for (size_t done = 0; done < size;) {
        const VFIOUserRegionAccess access = {
            .offset = offset + done,
            .region = index,
            .count = user_room(vdev, size - done),
        };
        int ret = user_read_some(vdev, &access, (uint8_t *)buf + done);

        if (ret) {
            return ret;
        }
        done += access.count;
    }
    return 0;
}

/* However many messages it takes, such as of a ROM: one time-out. */
static int user_region_read(VFIODevice *vdev, uint32_t index, uint64_t offset,
                            void *buf, size_t size)
{
    VFIOUserSocket *socket = vdev->user->socket;
    bool outermost = size > user_room(vdev, size) &&
                     vfio_user_socket_begin(socket, g_get_monotonic_time());
    int ret = user_read_all(vdev, index, offset, buf, size);

    if (outermost) {
        vfio_user_socket_end(socket);
    }
    return ret;
}

static int user_region_write(VFIODevice *vdev, uint32_t index, uint64_t offset,
                             const void *buf, size_t size)
{
    for (size_t done = 0; done < size;) {
        const VFIOUserRegionAccess access = {
            .offset = offset + done,
            .region = index,
            .count = user_room(vdev, size - done),
        };
        int ret = user_write_some(vdev, &access, (const uint8_t *)buf + done);

        if (ret) {
            return ret;
        }
        done += access.count;
    }
    return 0;
}

/*
 * Whether the pages of @fd are the kernel's own: memfd, tmpfs or hugetlbfs. Those
 * of another file system may be had from a process or a host that does not
 * answer, and who touches the mapping would wait in the kernel for ever, a CPU of
 * the guest as well as the main loop. Only such files have seals; to ask for
 * those, unlike fstat(), never waits.
 */
static bool user_file_is_memory(int fd)
{
    return fcntl(fd, F_GET_SEALS) >= 0;
}

/* Beyond the end of its file a mapping is a trap. */
static bool user_file_has(int fd, uint64_t end)
{
    struct stat st;

    return fstat(fd, &st) == 0 && (uint64_t)st.st_size >= end;
}

/* The file of a region, if it may be mapped; else -1, and that was said. */
static int user_region_file(VFIODevice *vdev, uint32_t index)
{
    GArray *fds = vdev->user->region_fds;
    int fd = index < fds->len ? g_array_index(fds, int, index) : -1;

    if (fd < 0 || user_file_is_memory(fd)) {
        return fd;
    }
    warn_report("vfio-user %s: the file of region %" PRIu32 " is not mapped, and "
                "the guest reaches it more slowly: it is no memfd, nor on tmpfs "
                "or hugetlbfs", vdev->name, index);
    user_set_region_fd(vdev->user, index, -1);
    return -1;
}

/* The server has cut the file of a BAR, or has no room for it. */
static void user_region_broken(void *opaque, const char *why)
{
    VFIOUserDevice *user = opaque;

    vfio_user_socket_break(user->socket, EFAULT, "memory of a region is gone: "
                           "%s", why);
}

static void *user_region_mmap(VFIODevice *vdev, uint32_t index, uint64_t offset,
                              size_t size)
{
    int fd = user_region_file(vdev, index);
    uint64_t start, end;
    void *ptr;

    if (fd < 0 ||
        __builtin_add_overflow(vdev->regions[index]->offset, offset, &start) ||
        __builtin_add_overflow(start, size, &end) || end > INT64_MAX ||
        !user_file_has(fd, end)) {
        errno = EINVAL;
        return NULL;
    }
    ptr = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
               (off_t)start);
    if (ptr == MAP_FAILED) {
        return NULL;
    }
    g_hash_table_insert(vdev->user->mappings, ptr,
                        file_mapping_new(ptr, size, qemu_real_host_page_size(),
                                         fd, start, user_region_broken,
                                         vdev->user));
    return ptr;
}

static void user_region_munmap(VFIODevice *vdev, void *ptr, size_t size)
{
    g_hash_table_remove(vdev->user->mappings, ptr);
    munmap(ptr, size);
}

const VFIODeviceIOOps vfio_user_device_io = {
    .device_info = user_device_info,
    .region_info = user_region_info,
    .irq_info = user_irq_info,
    .set_irqs = user_set_irqs,
    .region_read = user_region_read,
    .region_write = user_region_write,
    .region_mmap = user_region_mmap,
    .region_munmap = user_region_munmap,
    .reset = user_reset,
};
