/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which vfio-user messages make sense: see hw/vfio-user/protocol.h. A
 * table says for each command how large request and reply are and how many
 * descriptors they carry; a function looks at what is inside. Used by
 * hw/vfio-user/socket.c for every message of either side. It must trust no
 * number that it has not compared with the size of the payload.
 */
#include "qemu/osdep.h"

#include "protocol.h"

#define IRQ_SET_SIZE ((uint32_t)sizeof(struct vfio_irq_set))

typedef bool VFIOUserCheck(const VFIOUserMessage *msg, Error **errp);

/* What a payload looks like. */
typedef struct VFIOUserShape {
    uint32_t min_size;
    uint32_t max_size;
    unsigned max_fds;
    VFIOUserCheck *check;                 /* NULL: nothing more to be seen */
} VFIOUserShape;

typedef struct VFIOUserCommandShape {
    const char *name;
    VFIOUserShape request;
    VFIOUserShape reply;
} VFIOUserCommandShape;

static bool range_ok(uint64_t start, uint64_t size, Error **errp)
{
    uint64_t last;

    if (!size || __builtin_add_overflow(start, size - 1, &last)) {
        error_setg(errp, "0x%" PRIx64 " bytes at 0x%" PRIx64 " are no range",
                   size, start);
        return false;
    }
    return true;
}

static bool argsz_ok(uint32_t argsz, size_t min, Error **errp)
{
    if (argsz < min) {
        error_setg(errp, "argsz is %" PRIu32 ", at least %zu is needed", argsz,
                   min);
        return false;
    }
    return true;
}

/* --- memory --- */

static bool check_dma_map(const VFIOUserMessage *msg, Error **errp)
{
    const VFIOUserDMAMap *map = (const void *)msg->payload;
    const uint32_t known = VFIO_USER_DMA_READABLE | VFIO_USER_DMA_WRITEABLE;

    if (!map->flags || map->flags & ~known) {
        error_setg(errp, "flags are 0x%" PRIx32, map->flags);
        return false;
    }
    return argsz_ok(map->argsz, sizeof(*map), errp) &&
           range_ok(map->address, map->size, errp) &&
           range_ok(map->offset, map->size, errp);
}

static bool check_dma_unmap(const VFIOUserMessage *msg, Error **errp)
{
    const VFIOUserDMAUnmap *unmap = (const void *)msg->payload;

    if (unmap->flags) {
        error_setg(errp, "flags are 0x%" PRIx32, unmap->flags);
        return false;
    }
    return argsz_ok(unmap->argsz, sizeof(*unmap), errp) &&
           range_ok(unmap->address, unmap->size, errp);
}

/* --- what the device consists of --- */

static bool check_device_info(const VFIOUserMessage *msg, Error **errp)
{
    const VFIOUserDeviceInfo *info = (const void *)msg->payload;

    return argsz_ok(info->argsz, sizeof(*info), errp);
}

static bool check_region_info(const VFIOUserMessage *msg, Error **errp)
{
    const struct vfio_region_info *info = (const void *)msg->payload;

    return argsz_ok(info->argsz, sizeof(*info), errp);
}

static bool check_irq_info(const VFIOUserMessage *msg, Error **errp)
{
    const struct vfio_irq_info *info = (const void *)msg->payload;

    return argsz_ok(info->argsz, sizeof(*info), errp);
}

/* --- interrupts --- */

/* The data that must follow, and whether the descriptors fit. */
static bool irq_data_ok(const struct vfio_irq_set *set, uint32_t data_size,
                        unsigned nr_fds)
{
    switch (set->flags & VFIO_IRQ_SET_DATA_TYPE_MASK) {
    case VFIO_IRQ_SET_DATA_NONE:
        return !data_size && !nr_fds;
    case VFIO_IRQ_SET_DATA_BOOL:
        return data_size == set->count && !nr_fds;
    case VFIO_IRQ_SET_DATA_EVENTFD:
        /* None at all: disconnects them. */
        return !data_size && (!nr_fds || nr_fds == set->count);
    default:
        return false;
    }
}

static bool irq_action_ok(const struct vfio_irq_set *set)
{
    const uint32_t known = VFIO_IRQ_SET_DATA_TYPE_MASK |
                           VFIO_IRQ_SET_ACTION_TYPE_MASK;
    uint32_t action = set->flags & VFIO_IRQ_SET_ACTION_TYPE_MASK;

    if (set->flags & ~known || !is_power_of_2(action)) {
        return false;
    }
    /* All of an index, turned off. */
    return set->count ||
           (!set->start && set->flags == (VFIO_IRQ_SET_DATA_NONE |
                                          VFIO_IRQ_SET_ACTION_TRIGGER));
}

static bool check_set_irqs(const VFIOUserMessage *msg, Error **errp)
{
    const struct vfio_irq_set *set = (const void *)msg->payload;
    uint32_t last;

    if (set->count > VFIO_USER_MAX_IRQS ||
        __builtin_add_overflow(set->start, set->count, &last)) {
        error_setg(errp, "%" PRIu32 " interrupts from %" PRIu32 " are too many",
                   set->count, set->start);
        return false;
    }
    if (!irq_action_ok(set) ||
        !irq_data_ok(set, msg->payload_size - IRQ_SET_SIZE, msg->nr_fds)) {
        error_setg(errp, "flags 0x%" PRIx32 " do not fit %" PRIu32
                   " interrupts, %" PRIu32 " bytes of data and %u descriptors",
                   set->flags, set->count, msg->payload_size - IRQ_SET_SIZE,
                   msg->nr_fds);
        return false;
    }
    return argsz_ok(set->argsz, IRQ_SET_SIZE, errp);
}

/* --- data --- */

static bool count_ok(uint64_t start, uint64_t count, uint32_t data_size,
                     bool with_data, Error **errp)
{
    if (count > VFIO_USER_MAX_XFER ||
        data_size != (with_data ? count : 0)) {
        error_setg(errp, "count is %" PRIu64 " with %" PRIu32 " bytes of data",
                   count, data_size);
        return false;
    }
    return range_ok(start, count, errp);
}

static bool region_access_ok(const VFIOUserMessage *msg, bool with_data,
                             Error **errp)
{
    const VFIOUserRegionAccess *access = (const void *)msg->payload;

    return count_ok(access->offset, access->count,
                    msg->payload_size - sizeof(*access), with_data, errp);
}

static bool dma_access_ok(const VFIOUserMessage *msg, bool with_data,
                          Error **errp)
{
    const VFIOUserDMAAccess *access = (const void *)msg->payload;

    return count_ok(access->address, access->count,
                    msg->payload_size - sizeof(*access), with_data, errp);
}

static bool check_region_range(const VFIOUserMessage *msg, Error **errp)
{
    return region_access_ok(msg, false, errp);
}

static bool check_region_data(const VFIOUserMessage *msg, Error **errp)
{
    return region_access_ok(msg, true, errp);
}

static bool check_dma_range(const VFIOUserMessage *msg, Error **errp)
{
    return dma_access_ok(msg, false, errp);
}

static bool check_dma_data(const VFIOUserMessage *msg, Error **errp)
{
    return dma_access_ok(msg, true, errp);
}

/* --- the table --- */

#define ANY UINT32_MAX
#define EXACTLY(type) sizeof(type), sizeof(type)
#define AT_LEAST(type) sizeof(type), ANY

static const VFIOUserCommandShape shapes[] = {
    [VFIO_USER_VERSION] = {
        "VERSION",
        { sizeof(VFIOUserVersion), VFIO_USER_MAX_VERSION, 0, NULL },
        { sizeof(VFIOUserVersion), VFIO_USER_MAX_VERSION, 0, NULL },
    },
    [VFIO_USER_DMA_MAP] = {
        "DMA_MAP",
        { EXACTLY(VFIOUserDMAMap), 1, check_dma_map },
        { 0, 0, 0, NULL },
    },
    [VFIO_USER_DMA_UNMAP] = {
        "DMA_UNMAP",
        { EXACTLY(VFIOUserDMAUnmap), 0, check_dma_unmap },
        { EXACTLY(VFIOUserDMAUnmap), 0, NULL },
    },
    [VFIO_USER_DEVICE_GET_INFO] = {
        "DEVICE_GET_INFO",
        { EXACTLY(VFIOUserDeviceInfo), 0, check_device_info },
        { AT_LEAST(VFIOUserDeviceInfo), 0, check_device_info },
    },
    [VFIO_USER_DEVICE_GET_REGION_INFO] = {
        "DEVICE_GET_REGION_INFO",
        { EXACTLY(struct vfio_region_info), 0, check_region_info },
        { AT_LEAST(struct vfio_region_info), VFIO_USER_MAX_FDS,
          check_region_info },
    },
    [VFIO_USER_DEVICE_GET_IRQ_INFO] = {
        "DEVICE_GET_IRQ_INFO",
        { EXACTLY(struct vfio_irq_info), 0, check_irq_info },
        { AT_LEAST(struct vfio_irq_info), 0, check_irq_info },
    },
    [VFIO_USER_DEVICE_SET_IRQS] = {
        "DEVICE_SET_IRQS",
        { AT_LEAST(struct vfio_irq_set), VFIO_USER_MAX_FDS, check_set_irqs },
        { 0, 0, 0, NULL },
    },
    [VFIO_USER_REGION_READ] = {
        "REGION_READ",
        { EXACTLY(VFIOUserRegionAccess), 0, check_region_range },
        { AT_LEAST(VFIOUserRegionAccess), 0, check_region_data },
    },
    [VFIO_USER_REGION_WRITE] = {
        "REGION_WRITE",
        { AT_LEAST(VFIOUserRegionAccess), 0, check_region_data },
        { EXACTLY(VFIOUserRegionAccess), 0, check_region_range },
    },
    [VFIO_USER_DMA_READ] = {
        "DMA_READ",
        { EXACTLY(VFIOUserDMAAccess), 0, check_dma_range },
        { AT_LEAST(VFIOUserDMAAccess), 0, check_dma_data },
    },
    [VFIO_USER_DMA_WRITE] = {
        "DMA_WRITE",
        { AT_LEAST(VFIOUserDMAAccess), 0, check_dma_data },
        { EXACTLY(VFIOUserDMAAccess), 0, check_dma_range },
    },
    [VFIO_USER_DEVICE_RESET] = {
        "DEVICE_RESET",
        { 0, 0, 0, NULL },
        { 0, 0, 0, NULL },
    },
};

static const VFIOUserCommandShape *shape_of(uint16_t command)
{
    return command < ARRAY_SIZE(shapes) && shapes[command].name
           ? &shapes[command] : NULL;
}

const char *vfio_user_command_name(uint16_t command, char *buf)
{
    const VFIOUserCommandShape *shape = shape_of(command);

    if (shape) {
        return shape->name;
    }
    snprintf(buf, 16, "command %u", command);
    return buf;
}

/* --- messages --- */

int vfio_user_reply_errno(const VFIOUserHeader *header)
{
    const uint32_t max_errno = 4095;

    if (!(header->flags & VFIO_USER_ERROR)) {
        return 0;
    }
    return header->error && header->error <= max_errno ? -(int)header->error
                                                       : -EIO;
}

bool vfio_user_header_check(const VFIOUserHeader *header, Error **errp)
{
    uint32_t type = header->flags & VFIO_USER_TYPE_MASK;

    if (header->size < sizeof(*header) ||
        header->size > VFIO_USER_MAX_MESSAGE) {
        error_setg(errp, "a message of %" PRIu32 " bytes", header->size);
        return false;
    }
    if (type != VFIO_USER_TYPE_COMMAND && type != VFIO_USER_TYPE_REPLY) {
        error_setg(errp, "a message of type %" PRIu32, type);
        return false;
    }
    return true;
}

int vfio_user_message_check(const VFIOUserMessage *msg, Error **errp)
{
    ERRP_GUARD();
    const VFIOUserHeader *header = &msg->header;
    const VFIOUserCommandShape *command = shape_of(header->command);
    bool is_reply = vfio_user_is_reply(header);
    const VFIOUserShape *shape;

    if (!command) {
        error_setg(errp, "command %u is not known", header->command);
        return -ENOTSUP;
    }
    if (is_reply && header->flags & VFIO_USER_ERROR) {
        return 0;
    }
    shape = is_reply ? &command->reply : &command->request;
    if (msg->payload_size < shape->min_size ||
        msg->payload_size > shape->max_size || msg->nr_fds > shape->max_fds) {
        error_setg(errp, "%" PRIu32 " bytes and %u descriptors",
                   msg->payload_size, msg->nr_fds);
    } else if (!shape->check || shape->check(msg, errp)) {
        return 0;
    }
    error_prepend(errp, "%s%s: ", command->name, is_reply ? " reply" : "");
    return -EINVAL;
}

int vfio_user_message_steal_fd(VFIOUserMessage *msg, unsigned n)
{
    int fd;

    if (n >= msg->nr_fds) {
        return -1;
    }
    fd = msg->fds[n];
    msg->fds[n] = -1;
    return fd;
}

void vfio_user_message_clear(VFIOUserMessage *msg)
{
    for (unsigned i = 0; i < msg->nr_fds; i++) {
        if (msg->fds[i] >= 0) {
            close(msg->fds[i]);
        }
    }
    g_free(msg->payload);
    memset(msg, 0, sizeof(*msg));
}
