/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The vhost-user protocol: see vhost-user.h. What a back end is told of memory
 * is vhost-user-memory.c's. Everything that it says is checked here or in
 * vhost-user-channel.c; what it says cannot make anything larger than a limit.
 */
#include "qemu/osdep.h"

#include "qapi/error.h"
#include "vhost-user-internal.h"

/* --- telling --- */

/* Of queue @n. */
static bool tell_state(VhostUser *u, VhostUserRequest request, unsigned n,
                       unsigned num, Error **errp)
{
    const struct vhost_vring_state state = { .index = n, .num = num };

    return vhost_user_channel_tell(&u->channel, request, &state, sizeof(state),
                                   NULL, 0, errp);
}

static bool tell_u64(VhostUser *u, VhostUserRequest request, uint64_t value,
                     const int *fds, unsigned nr_fds, Error **errp)
{
    return vhost_user_channel_tell(&u->channel, request, &value, sizeof(value),
                                   fds, nr_fds, errp);
}

static bool ask_u64(VhostUser *u, VhostUserRequest request, uint64_t *value,
                    Error **errp)
{
    VhostUserPayload payload = { 0 };
    bool ok = vhost_user_channel_ask(&u->channel, request, &payload, 0,
                                     sizeof(payload.u64), NULL, errp);

    *value = payload.u64;
    return ok;
}

bool vhost_user_sync(VhostUser *u, Error **errp)
{
    uint64_t features;

    return u->channel.reply_ack ||
           ask_u64(u, VHOST_USER_GET_FEATURES, &features, errp);
}

/* --- what it can --- */

static bool negotiate_protocol(VhostUser *u, Error **errp)
{
    uint64_t offered;

    u->protocol_features = 0;
    if (!virtio_has_feature(u->dev.features, VHOST_USER_F_PROTOCOL_FEATURES)) {
        return true;
    }
    if (!ask_u64(u, VHOST_USER_GET_PROTOCOL_FEATURES, &offered, errp)) {
        return false;
    }
    u->protocol_features = offered & u->usable_features;
    if (!tell_u64(u, VHOST_USER_SET_PROTOCOL_FEATURES, u->protocol_features,
                  NULL, 0, errp)) {
        return false;
    }
    u->channel.reply_ack = vhost_user_has(u, VHOST_USER_PROTOCOL_F_REPLY_ACK);
    return true;
}

/* How many queues, and regions. */
static bool ask_limits(VhostUser *u, Error **errp)
{
    uint64_t queues = 1, slots = VHOST_USER_TABLE_REGIONS;

    if (vhost_user_has(u, VHOST_USER_PROTOCOL_F_MQ) &&
        !ask_u64(u, VHOST_USER_GET_QUEUE_NUM, &queues, errp)) {
        return false;
    }
    if (vhost_user_has(u, VHOST_USER_PROTOCOL_F_CONFIGURE_MEM_SLOTS) &&
        !ask_u64(u, VHOST_USER_GET_MAX_MEM_SLOTS, &slots, errp)) {
        return false;
    }
    u->queues = MIN(queues, VIRTIO_QUEUE_MAX);
    u->slots = MIN(slots, VHOST_USER_MAX_SLOTS);
    return true;
}

static bool negotiate(VhostUser *u, Error **errp)
{
    if (!ask_u64(u, VHOST_USER_GET_FEATURES, &u->dev.features, errp) ||
        !negotiate_protocol(u, errp) || !ask_limits(u, errp)) {
        return false;
    }
    if (!virtio_has_feature(u->dev.features, VIRTIO_F_VERSION_1)) {
        error_setg(errp, "it does not offer VIRTIO 1");
        return false;
    }
    return vhost_user_channel_tell(&u->channel, VHOST_USER_SET_OWNER, NULL, 0,
                                   NULL, 0, errp);
}

bool vhost_user_connect(VhostUser *u, int fd, Error **errp)
{
    bool ok;

    vhost_user_channel_set_fd(&u->channel, fd);
    vhost_user_channel_begin(&u->channel);
    ok = negotiate(u, errp);
    vhost_user_channel_end(&u->channel);
    return ok;
}

void vhost_user_disconnect(VhostUser *u)
{
    vhost_user_channel_set_fd(&u->channel, -1);
}

void vhost_user_init(VhostUser *u, uint32_t timeout_ms,
                     uint64_t protocol_features)
{
    *u = (VhostUser) {
        .dev.vhost_ops = &vhost_user_ops,
        .usable_features = protocol_features,
        .inflight_fd = -1,
    };
    vhost_user_channel_init(&u->channel, timeout_ms);
}

void vhost_user_cleanup(VhostUser *u)
{
    vhost_user_forget_inflight(u);
    vhost_user_channel_destroy(&u->channel);
}

/* --- configuration space --- */

#define CONFIG_HEAD offsetof(VhostUserConfig, region)

bool vhost_user_get_config(VhostUser *u, void *config, uint32_t len,
                           Error **errp)
{
    VhostUserPayload payload = { .config.size = len };

    g_assert(len <= VHOST_USER_CONFIG_MAX);
    if (!vhost_user_channel_ask(&u->channel, VHOST_USER_GET_CONFIG, &payload,
                                CONFIG_HEAD + len, CONFIG_HEAD + len, NULL,
                                errp)) {
        return false;
    }
    memcpy(config, payload.config.region, len);
    return true;
}

bool vhost_user_set_config(VhostUser *u, const void *data, uint32_t offset,
                           uint32_t len, Error **errp)
{
    VhostUserConfig config = { .offset = offset, .size = len };

    g_assert(len <= VHOST_USER_CONFIG_MAX);
    memcpy(config.region, data, len);
    return vhost_user_channel_tell(&u->channel, VHOST_USER_SET_CONFIG, &config,
                                   CONFIG_HEAD + len, NULL, 0, errp);
}

/* --- networks --- */

bool vhost_user_set_mtu(VhostUser *u, uint16_t mtu, Error **errp)
{
    return tell_u64(u, VHOST_USER_NET_SET_MTU, mtu, NULL, 0, errp);
}

bool vhost_user_send_rarp(VhostUser *u, const uint8_t *mac, Error **errp)
{
    uint64_t value = 0;

    memcpy(&value, mac, 6);
    return tell_u64(u, VHOST_USER_SEND_RARP, value, NULL, 0, errp);
}

/* --- requests in flight, which the back end notes down in shared memory --- */

void vhost_user_forget_inflight(VhostUser *u)
{
    if (u->inflight_fd >= 0) {
        close(u->inflight_fd);
        u->inflight_fd = -1;
    }
}

static bool get_inflight(VhostUser *u, Error **errp)
{
    VhostUserPayload payload = {
        .inflight = { .num_queues = u->dev.nvqs, .queue_size = u->queue_size },
    };

    if (!vhost_user_channel_ask(&u->channel, VHOST_USER_GET_INFLIGHT_FD,
                                &payload, sizeof(payload.inflight),
                                sizeof(payload.inflight), &u->inflight_fd,
                                errp)) {
        return false;
    }
    if (u->inflight_fd < 0) {
        error_setg(errp, "it answers GET_INFLIGHT_FD without a descriptor");
        return false;
    }
    u->inflight = payload.inflight;
    u->inflight.num_queues = u->dev.nvqs;
    u->inflight.queue_size = u->queue_size;
    return true;
}

static bool user_set_inflight(struct vhost_dev *dev, Error **errp)
{
    VhostUser *u = vhost_user_of(dev);

    if (!vhost_user_has(u, VHOST_USER_PROTOCOL_F_INFLIGHT_SHMFD)) {
        return true;
    }
    if (u->inflight_fd < 0 && !get_inflight(u, errp)) {
        return false;
    }
    return vhost_user_channel_tell(&u->channel, VHOST_USER_SET_INFLIGHT_FD,
                                   &u->inflight, sizeof(u->inflight),
                                   &u->inflight_fd, 1, errp);
}

static bool user_has_inflight(const struct vhost_dev *dev)
{
    const VhostUser *u = container_of(dev, VhostUser, dev);

    return u->inflight_fd >= 0 &&
           vhost_user_has(u, VHOST_USER_PROTOCOL_F_INFLIGHT_SHMFD);
}

/* --- queues --- */

static bool user_set_features(struct vhost_dev *dev, uint64_t features,
                              Error **errp)
{
    features |= dev->features & (1ULL << VHOST_USER_F_PROTOCOL_FEATURES);
    return tell_u64(vhost_user_of(dev), VHOST_USER_SET_FEATURES, features,
                    NULL, 0, errp);
}

static bool user_set_vring_num(struct vhost_dev *dev, unsigned n, unsigned num,
                               Error **errp)
{
    return tell_state(vhost_user_of(dev), VHOST_USER_SET_VRING_NUM, n, num,
                      errp);
}

static bool user_set_vring_base(struct vhost_dev *dev, unsigned n,
                                uint16_t base, Error **errp)
{
    return tell_state(vhost_user_of(dev), VHOST_USER_SET_VRING_BASE, n, base,
                      errp);
}

static bool user_set_vring_addr(struct vhost_dev *dev, unsigned n,
                                const VhostRingAddr *addr, Error **errp)
{
    const struct vhost_vring_addr payload = {
        .index = n,
        .desc_user_addr = addr->desc,
        .avail_user_addr = addr->avail,
        .used_user_addr = addr->used,
    };

    return vhost_user_channel_tell(&vhost_user_of(dev)->channel,
                                   VHOST_USER_SET_VRING_ADDR, &payload,
                                   sizeof(payload), NULL, 0, errp);
}

static bool user_set_vring_kick(struct vhost_dev *dev, unsigned n, int fd,
                                Error **errp)
{
    return tell_u64(vhost_user_of(dev), VHOST_USER_SET_VRING_KICK, n, &fd, 1,
                    errp);
}

static bool user_set_vring_call(struct vhost_dev *dev, unsigned n, int fd,
                                Error **errp)
{
    return tell_u64(vhost_user_of(dev), VHOST_USER_SET_VRING_CALL, n, &fd, 1,
                    errp);
}

/* Without protocol features a queue begins with its first kick. */
static bool user_set_vring_enable(struct vhost_dev *dev, unsigned n,
                                  bool enable, Error **errp)
{
    return !virtio_has_feature(dev->features,
                               VHOST_USER_F_PROTOCOL_FEATURES) ||
           tell_state(vhost_user_of(dev), VHOST_USER_SET_VRING_ENABLE, n,
                      enable, errp);
}

static bool user_get_vring_base(struct vhost_dev *dev, unsigned n,
                                uint16_t *base, Error **errp)
{
    VhostUser *u = vhost_user_of(dev);
    VhostUserPayload payload = { .state.index = n };

    if (!vhost_user_channel_ask(&u->channel, VHOST_USER_GET_VRING_BASE,
                                &payload, sizeof(payload.state),
                                sizeof(payload.state), NULL, errp)) {
        return false;
    }
    if (payload.state.index != n || payload.state.num > UINT16_MAX) {
        error_setg(errp, "it answers GET_VRING_BASE of queue %u with queue %u, "
                   "entry %u", n, payload.state.index, payload.state.num);
        return false;
    }
    *base = payload.state.num;
    return true;
}

/* --- the connection --- */

static void user_begin(struct vhost_dev *dev)
{
    vhost_user_channel_begin(&vhost_user_of(dev)->channel);
}

static void user_end(struct vhost_dev *dev)
{
    vhost_user_channel_end(&vhost_user_of(dev)->channel);
}

static int64_t user_deadline(const struct vhost_dev *dev)
{
    return container_of(dev, VhostUser, dev)->channel.deadline;
}

static bool user_connected(const struct vhost_dev *dev)
{
    return vhost_user_channel_works(
        &container_of(dev, VhostUser, dev)->channel);
}

static void user_disconnect(struct vhost_dev *dev, Error *err)
{
    vhost_user_channel_break(&vhost_user_of(dev)->channel, "%s",
                             error_get_pretty(err));
    error_free(err);
}

const VhostOps vhost_user_ops = {
    .name = "vhost-user",
    .vhost_set_features = user_set_features,
    .vhost_set_vring_num = user_set_vring_num,
    .vhost_set_vring_base = user_set_vring_base,
    .vhost_set_vring_addr = user_set_vring_addr,
    .vhost_set_vring_kick = user_set_vring_kick,
    .vhost_set_vring_call = user_set_vring_call,
    .vhost_set_vring_enable = user_set_vring_enable,
    .vhost_get_vring_base = user_get_vring_base,
    .vhost_accepts = vhost_user_accepts,
    .vhost_ring_addr = vhost_user_ring_addr,
    .vhost_table_stops = vhost_user_table_stops,
    .vhost_set_mem_table = vhost_user_set_mem_table,
    .vhost_set_inflight = user_set_inflight,
    .vhost_has_inflight = user_has_inflight,
    .vhost_begin = user_begin,
    .vhost_end = user_end,
    .vhost_deadline = user_deadline,
    .vhost_connected = user_connected,
    .vhost_disconnect = user_disconnect,
};
