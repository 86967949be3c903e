/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtio-blk (VIRTIO 1.2, 5.2): a disk. Its queues take requests of any number
 * of segments; each goes to a backend (block/block.h) as it is, in the guest's
 * own memory, which is pinned until the request is done. virtio-blk.c has the
 * requests, virtio-blk-device.c the device, and virtio-blk-served.c what is
 * different if another process has the image: that one processes the queues.
 *
 * What the guest says is hostile. A request that makes no sense is answered by
 * an error; one that cannot be answered breaks the device.
 */
#ifndef HW_BLOCK_VIRTIO_BLK_H
#define HW_BLOCK_VIRTIO_BLK_H

#include <linux/virtio_blk.h>

#include "block/block.h"
#include "hw/qdev-properties.h"
#include "hw/virtio/virtio.h"
#include "qemu/main-loop.h"
#include "sysemu/runstate.h"

#define TYPE_VIRTIO_BLK "virtio-blk-device"
OBJECT_DECLARE_SIMPLE_TYPE(VirtIOBlock, VIRTIO_BLK)

/* num-queues=: as many as the machine has CPUs at the start. */
#define VIRTIO_BLK_AUTO_NUM_QUEUES UINT16_MAX
/* discard_granularity=: that of requests. */
#define VIRTIO_BLK_AUTO_GRANULARITY UINT32_MAX
/* Sectors of a discard or of zeroes, at most: 32 MiB. */
#define VIRTIO_BLK_MAX_ZERO_SECTORS 65536

/* In the device's hands: popped, pinned, not yet answered. */
typedef struct VirtIOBlockReq {
    VirtQueueElement elem;
    struct VirtIOBlock *s;
    VirtQueue *vq;
    uint8_t *status;                      /* where the guest wants it */
    struct iovec *in;                     /* data to write to the guest */
    struct iovec *out;                    /* data to read from it */
    unsigned int in_num;
    unsigned int out_num;
    size_t in_len;                        /* bytes of in, without the status */
    BlockRequest block;
    int error;                            /* errno */
    QTAILQ_ENTRY(VirtIOBlockReq) next;    /* in s->failed or s->stopped */
} VirtIOBlockReq;

struct VirtIOBlock {
    VirtIODevice parent_obj;

    /* Properties. */
    char *drive;
    char *serial;
    uint16_t num_queues;
    uint16_t queue_size;
    uint32_t logical_block_size;
    uint32_t physical_block_size;
    uint32_t min_io_size;                 /* bytes; 0: nothing is said */
    uint32_t opt_io_size;
    uint32_t discard_granularity;         /* VIRTIO_BLK_AUTO_GRANULARITY */
    uint32_t cyls;                        /* 0: made up, as the next two */
    uint32_t heads;
    uint32_t secs;
    bool config_wce;                      /* the guest may turn the cache off */
    OnOffAuto write_cache;
    bool share_rw;                        /* others may write to the image */
    bool discard;
    bool write_zeroes;
    uint32_t max_discard_sectors;
    uint32_t max_write_zeroes_sectors;
    BlockErrorPolicy rerror;
    BlockErrorPolicy werror;
    IOThread *iothread;

    BlockExport *export;                  /* before; of one that is served */
    BlockBackend *blk;                    /* while realized */
    struct VirtIOBlkServed *served;       /* NULL: requests are our own */
    uint8_t *to_notify;                   /* by queue: something was pushed */
    /* Failed; what is to be done about them, the main loop finds out. */
    QTAILQ_HEAD(, VirtIOBlockReq) failed;
    /* Failed, with the VM stopped for it: started anew when it goes on. */
    QTAILQ_HEAD(, VirtIOBlockReq) stopped;
    QEMUBH *failed_bh;
    VMChangeStateEntry *vmstate;
};

/* virtio-blk.c: all requests that are in the queue; its kick handler. */
void virtio_blk_handle_output(VirtIODevice *vdev, VirtQueue *vq);
/* Interrupts for what was pushed. A BlockUserOps.batch_done. */
void virtio_blk_notify_queues(void *opaque);
/* Does with those that have failed what rerror= and werror= say. Main thread, as
 * are the following. */
void virtio_blk_handle_failed(VirtIOBlock *s);
/* Starts those that had stopped the VM anew, or forgets them. */
void virtio_blk_restart_stopped(VirtIOBlock *s);
void virtio_blk_drop_stopped(VirtIOBlock *s);

/* DeviceClass.prepare of the device that @s is a part of. */
void virtio_blk_prepare(VirtIOBlock *s, Error **errp);

/* virtio-blk-served.c. s->drive is one that is served: has the daemon begin. false:
 * *errp. */
bool virtio_blk_served_prepare(VirtIOBlock *s, Error **errp);
/* s->blk is that: connects to the back end, and knows its configuration. false:
 * *errp. */
bool virtio_blk_served_connect(VirtIOBlock *s, Error **errp);
/* The queues are there: they are the back end's. false: *errp. */
bool virtio_blk_served_start(VirtIOBlock *s, Error **errp);
/* Undoes both. */
void virtio_blk_served_end(VirtIOBlock *s);
/* Of @features, which are what this device would offer, what the back end can. */
uint64_t virtio_blk_served_features(VirtIOBlock *s, uint64_t features);
/* Puts what is the back end's into @c, which is what this device would say. */
void virtio_blk_served_config(VirtIOBlock *s, struct virtio_blk_config *c);
bool virtio_blk_served_write_cache(const VirtIOBlock *s);
void virtio_blk_served_set_write_cache(VirtIOBlock *s, bool on);
uint64_t virtio_blk_served_size(const VirtIOBlock *s);   /* bytes */
/* The size has changed. */
void virtio_blk_served_resized(VirtIOBlock *s);
void virtio_blk_served_run_changed(VirtIOBlock *s);
void virtio_blk_served_reset(VirtIOBlock *s);

#endif
