/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Disk images. A node is something that has blocks: a file or a disk of the host
 * (drivers file, host_device), or the raw format over such a node. It has a name
 * by which users find it. A backend is a device's use of one node: requests go
 * in, errors and figures come out. -drive makes a backend with a name of its own;
 * for a node of -blockdev the device that names it does.
 *
 * Requests are carried out by io_uring, or by threads where that is not to be
 * had. Nothing waits but blk_drain().
 *
 * A backend is of the main loop, or of an I/O thread (blk_set_aio_context()).
 * Requests, and the properties of a backend, are for turns of that thread, or for
 * who has paused it; all else is for the main thread, big lock held.
 *
 * Other formats than raw, and networks of disks, are not for this process: such
 * a node is opened by QEMU's storage daemon, a child, and served to the device by
 * vhost-user. No request of such a backend goes through here.
 */
#ifndef BLOCK_BLOCK_H
#define BLOCK_BLOCK_H

#include <json-glib/json-glib.h>
#include <sys/uio.h>

#include "qapi/error.h"
#include "qemu/aio-context.h"
#include "qemu/queue.h"

#define BLOCK_SECTOR 512
/* Bytes that a drive of the host (driver=nvme) has mapped, and locked, besides guest
 * memory: the driver's queues, lists and buffers. */
#define BLOCK_DRIVE_MEMORY (197 * 4096)

typedef struct BlockNode BlockNode;
typedef struct BlockBackend BlockBackend;
typedef struct BlockRequest BlockRequest;
typedef struct BlockExport BlockExport;

/* --- nodes --- */

/*
 * Makes a node of the options of blockdev-add; members may also be text, with
 * keys such as "file.filename" (-blockdev as keywords). NULL: *errp, and nothing
 * is open. It lives until it is deleted.
 */
BlockNode *block_node_add(JsonObject *options, Error **errp);
/* false: *errp; it is in use, or there is none of the name. */
bool block_node_del(const char *name, Error **errp);
/* Whether a node of these options would be served by another process, which
 * needs guest memory that is shared. */
bool block_options_need_sharing(JsonObject *options);

/* Whether a node of these options is opened with the guest's memory in view: only
 * when it is there, or nobody could say that it cannot be had. */
bool block_options_need_memory(JsonObject *options);

/* The name of the format that the file @filename has at its beginning if it is one of
 * those with a mark there; NULL: none of them, or it cannot be read. */
const char *block_recognise_format(const char *filename);

/* --- backends --- */

/* What becomes of a request that failed; werror= and rerror=. */
typedef enum BlockErrorPolicy {
    BLOCK_ERROR_AUTO,                     /* enospc for writes, else report */
    BLOCK_ERROR_REPORT,
    BLOCK_ERROR_IGNORE,
    BLOCK_ERROR_ENOSPC,                   /* stop if there is no room */
    BLOCK_ERROR_STOP,
    BLOCK_ERROR__MAX,
} BlockErrorPolicy;
extern const struct QEnumLookup BlockErrorPolicy_lookup;

/* What a device has to do about a request that failed. */
typedef enum BlockErrorAction {
    BLOCK_ACTION_REPORT,                  /* tell the guest */
    BLOCK_ACTION_IGNORE,                  /* as if it had worked */
    BLOCK_ACTION_STOP,                    /* stop the VM; then try again */
} BlockErrorAction;

/*
 * A backend that -drive has made, of the options of a node and id, werror,
 * rerror, write-cache, cdrom. false: *errp.
 */
bool block_drive_add(JsonObject *options, Error **errp);

typedef struct BlockUserOps {
    /* Some requests have been completed, one after the other: now is the time
     * to tell the guest. May be NULL. */
    void (*batch_done)(void *opaque);
    /* The size has changed. Main thread, the I/O thread paused. */
    void (*resized)(void *opaque);
} BlockUserOps;

/*
 * Takes the backend, or the node, @name for a device at QOM path @qdev, which is
 * copied; one device at a time. @writable: the device will write. NULL: *errp.
 */
BlockBackend *blk_attach(const char *name, const char *qdev, bool writable,
                         const BlockUserOps *ops, void *opaque, Error **errp);
/* Waits for its requests, then lets go of it. */
void blk_detach(BlockBackend *blk);
/* Once after that, before the first request: done() and batch_done() are called
 * in turns of the I/O thread. false: *errp, and nothing has changed. */
bool blk_set_aio_context(BlockBackend *blk, AioContext *aio, Error **errp);

/* Whether other devices and processes may write to the image, too, if they allow
 * it, until the next device says otherwise. false: *errp; others do, and it is not to
 * be shared. Of a backend that another process serves: it cannot be. */
bool blk_share(BlockBackend *blk, bool share, Error **errp);

bool blk_is_read_only(const BlockBackend *blk);
/* -drive said that the image is of a CD. */
bool blk_is_cdrom(const BlockBackend *blk);
/* Bytes; what is not a whole sector counts as one. */
uint64_t blk_size(const BlockBackend *blk);
/* What requests must be aligned to, bytes; a power of two. */
uint32_t blk_request_alignment(const BlockBackend *blk);
/* Whether writes may stay in the host's cache until a flush; else each is on
 * the disk when it is done. */
void blk_set_write_cache(BlockBackend *blk, bool on);
bool blk_write_cache(const BlockBackend *blk);
/* Overrides what -drive said, unless @policy is AUTO. */
void blk_set_on_error(BlockBackend *blk, BlockErrorPolicy read,
                      BlockErrorPolicy write);
/* What was said by now; AUTO: nothing. */
BlockErrorPolicy blk_error_policy(const BlockBackend *blk, bool is_read);
/* What to do about @error (a positive errno); emits BLOCK_IO_ERROR. Main
 * thread. */
BlockErrorAction blk_error_action(BlockBackend *blk, bool is_read, int error);
/* The guest goes on: what went wrong is to be tried again. */
void blk_reset_status(BlockBackend *blk);

/* --- backends that another process serves --- */

typedef struct BlockServeOptions {
    uint16_t num_queues;
    uint32_t logical_block_size;          /* bytes */
} BlockServeOptions;

/* Whether another process has the node, or drive, @name. */
bool block_is_served(const char *name);
/* Then there are no requests, and only blk_is_read_only(), blk_size(),
 * blk_error_policy() and what is below may be asked. */
bool blk_is_served(const BlockBackend *blk);
/*
 * Has the other process serve @name, by vhost-user, for a device that will attach
 * it next. Main thread; if a guest runs, the main loop goes on until that is done
 * (DeviceClass.prepare is the place), and nobody else takes the node meanwhile.
 * NULL: *errp.
 */
BlockExport *block_export_new(const char *name, const BlockServeOptions *o,
                              Error **errp);
/* For one that no backend has taken. Does not wait. */
void block_export_free(BlockExport *e);
/* Its socket, for one that no backend has taken. */
int block_export_fd(const BlockExport *e);
/*
 * Takes @e, which is of @blk's node. A connected socket, the caller's.
 * blk_detach() ends it, for which the socket should be closed by then.
 */
int blk_serve(BlockBackend *blk, BlockExport *e);

/* --- requests --- */

typedef enum BlockOp {
    BLOCK_READ,
    BLOCK_WRITE,
    BLOCK_FLUSH,
    BLOCK_DISCARD,
    BLOCK_WRITE_ZEROES,
    BLOCK_OP__MAX,
} BlockOp;

/* @ret: 0 or -errno. May free @req. */
typedef void BlockRequestDone(BlockRequest *req, int ret);

struct BlockRequest {
    /* The caller's; unchanged until @done is called. Offset and size are within
     * the disk and multiples of its request alignment. */
    BlockOp op;
    bool may_unmap;                       /* of write zeroes */
    uint64_t offset;
    uint64_t bytes;
    const struct iovec *iov;              /* of reads and writes: @bytes long */
    unsigned int niov;
    BlockRequestDone *done;
    /* block/'s. */
    BlockBackend *blk;
    BlockOp does;                         /* op, or what comes to the same */
    uint64_t progress;                    /* bytes that are done */
    unsigned int retries;
    struct iovec *own_iov;                /* of what is left; or NULL */
    void *bounce;                         /* aligned memory; or NULL */
    int64_t start_ns;
    int ret;
    QTAILQ_ENTRY(BlockRequest) next;
};

/* Starts @req; @done is called later, by the main loop or in a turn of the I/O
 * thread, by blk_kick() or blk_drain(). */
void blk_submit(BlockBackend *blk, BlockRequest *req);
/* No more requests come for now: the kernel is told of what there is. */
void blk_kick(BlockBackend *blk);
/* Waits until no request of @blk is in flight. Main thread. Of one that another
 * process serves its device knows how. */
void blk_drain(BlockBackend *blk);

/* A request that the device refused, for the figures. */
void blk_account_invalid(BlockBackend *blk, BlockOp op);

/* --- the program's --- */

/* Before any device: from now on a reset waits for all requests first. */
void block_init(void);

#endif
