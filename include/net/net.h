/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Networks: two ends that hand each other Ethernet frames, a netdev (the host's
 * side: -netdev, net/) and a network device of the guest (hw/net/).
 *
 * An end that has no room for a frame says so, and the other one keeps it until
 * it is told that there is room: nothing is queued in between, so neither can
 * make the emulator hold more than a frame. A frame to nobody, or over a link
 * that is down, is dropped.
 *
 * A device with several queue pairs has as many ends, and so has its netdev.
 * Big lock held; but if the device has an I/O thread, frames are handled in turns
 * of that (qemu/aio-context.h), and all else with the thread paused.
 */
#ifndef NET_NET_H
#define NET_NET_H

#include <json-glib/json-glib.h>
#include <sys/uio.h>

#include "qemu/aio-context.h"
#include "qom/object.h"

/* The largest frame that passes, bytes: a segment of 64 KiB with its headers. */
#define NET_FRAME_MAX (68 * 1024)
#define NET_QUEUES_MAX 16                 /* pairs of a netdev */

typedef struct NetEnd NetEnd;

typedef struct NetEndOps {
    /* Takes the frame, or drops it: true. False: there is no room for it now,
     * net_end_has_room() will tell. Its memory is gone afterwards. */
    bool (*receive)(NetEnd *end, const struct iovec *iov, unsigned iov_cnt);
    /* Optional: for now the last frame has been handed over. What receive() has
     * kept, to send several at once, is sent. */
    void (*flush)(NetEnd *end);
    /* The peer, which took no frame, has room again. */
    void (*peer_has_room)(NetEnd *end);
    /* The link went up or down, or the peer has gone or come; NULL: whatever. */
    void (*link_changed)(NetEnd *end);
} NetEndOps;

/* One end of a queue pair, part of whoever has it. */
struct NetEnd {
    const NetEndOps *ops;
    void *owner;                          /* the Netdev, or the device */
    unsigned index;                       /* of the queue pair, there */
    NetEnd *peer;                         /* NULL: none */
    bool link_down;                       /* as set_link says of this end */
    bool full;                            /* has refused a frame since it last
                                             said that it has room */
};

/* Hands the peer a frame. False: it has no room; the caller keeps the frame, and
 * its peer_has_room() is called. net_end_flush() must follow before the main
 * loop waits. */
bool net_end_send(NetEnd *end, const struct iovec *iov, unsigned iov_cnt);
void net_end_flush(NetEnd *end);
/* @end can take a frame again: tells the peer, if that was refused one. */
void net_end_has_room(NetEnd *end);
/* Whether frames pass between @end and its peer. */
bool net_end_link_is_up(const NetEnd *end);

/* --- netdevs -------------------------------------------------------------- */

#define TYPE_NETDEV "netdev"
typedef struct Netdev Netdev;
typedef struct NetdevClass NetdevClass;
DECLARE_OBJ_CHECKERS(Netdev, NetdevClass, NETDEV, TYPE_NETDEV)

struct Netdev {
    Object parent_obj;

    char *id;
    char *info;                           /* for people: what it is */
    unsigned nr_ends;                     /* queue pairs, from 1 on */
    NetEnd ends[NET_QUEUES_MAX];
    /* Frames to and from it begin with a struct virtio_net_hdr_mrg_rxbuf. */
    bool has_vnet_hdr;
    bool awaited;                         /* by a device that is being made,
                                             until the other end answers */
};

/* An option of a kind of netdev: a member of its struct that is a char * or, of
 * one that may be repeated, a char ** (both freed with it), a bool, or a
 * uint32_t. */
typedef enum NetdevOptionKind {
    NETDEV_OPTION_STR,
    NETDEV_OPTION_STR_LIST,
    NETDEV_OPTION_BOOL,
    NETDEV_OPTION_UINT32,
} NetdevOptionKind;
typedef struct NetdevOption {
    const char *name;                     /* NULL ends an array; "addr.path" is
                                             member path of member addr */
    NetdevOptionKind kind;
    size_t offset;
    const char *description;
} NetdevOption;

#define NETDEV_OPTION(state, option, opt_kind, member, words)                \
    { .name = option, .kind = NETDEV_OPTION_##opt_kind,                      \
      .offset = offsetof(state, member), .description = words }

struct NetdevClass {
    ObjectClass parent_class;

    const char *kind;                     /* type=, in -netdev */
    const char *help;                     /* one line: its options */
    const NetdevOption *options;
    const NetEndOps *ops;
    /* The options are set: begins. */
    bool (*open)(Netdev *nd, Error **errp);
    /* The device wants frames as these VIRTIO_NET_F_GUEST_* bits allow; only
     * with has_vnet_hdr. */
    void (*set_offload)(Netdev *nd, uint64_t features);
    /* Optional: the device uses its first @n queue pairs. */
    void (*set_queues)(Netdev *nd, unsigned n);
    /* Optional: whether the kernel's vhost is to work queue pair @n, by which
     * descriptors, which stay the netdev's. */
    bool (*get_vhost)(Netdev *nd, unsigned n, int *vhost_fd, int *tap_fd);
    /* Optional: another process is to work all queue pairs: the character device,
     * which stays the netdev's, by which it is reached, and how many milliseconds
     * it has for an answer. */
    struct CharBackend *(*get_vhost_user)(Netdev *nd, uint32_t *timeout_ms);
    /* Optional: frames are from now on handled in turns of @ctx, which is paused
     * (NULL: by the main loop); false: the options do not allow it. */
    bool (*set_aio_context)(Netdev *nd, AioContext *ctx);
    /* Optional: the process ends; removes files that would stay. */
    void (*at_exit)(Netdev *nd);
};

/* The text of -netdev as netdev_new_from_json() takes it, with keyval; the
 * caller's to json_object_unref(). NULL and *errp: it is none. */
JsonObject *netdev_parse(const char *text, Error **errp);
/* -netdev and netdev_add: "type", "id" and the options of that type; @opts stays
 * the caller's. NULL and *errp: nothing is left. */
Netdev *netdev_new_from_json(JsonObject *opts, bool keyval, Error **errp);
/* Whether the netdev that these options are for lets another process use guest
 * memory; they need not be right. */
bool netdev_type_shares_memory(JsonObject *opts);
/* NULL: there is none. */
Netdev *netdev_find(const char *id);
/* Calls @fn, which must not delete any, for each. */
void netdev_foreach(void (*fn)(Netdev *nd, void *opaque), void *opaque);
/* What netdevs would leave behind goes; for atexit(). */
void netdev_cleanup(void);
/* On stdout, for -netdev help. */
void netdev_print_types(void);

/* Has the thread @ctx, which is paused, handle the netdev's frames; NULL: the main
 * loop. false and *errp: it is not possible for this one. */
bool netdev_set_aio_context(Netdev *nd, AioContext *ctx, Error **errp);
/* Connects @n ends of a device to @nd's; false and *errp: it has fewer, or
 * another device has it. */
bool netdev_connect(Netdev *nd, NetEnd *ends, unsigned n, Error **errp);
/* Undoes that, if it is still so. */
void net_ends_disconnect(NetEnd *ends, unsigned n);

#endif
