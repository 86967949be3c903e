/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of block/ share.
 *
 *   node.c      nodes: options, names, who uses whom
 *   image.c     an open file or disk of the host: opening, locks, size
 *   backend.c   backends: who uses a node, errors, figures
 *   context.c   where requests are started and end: the main loop, I/O threads
 *   request.c   requests, from a device to an engine and back
 *   uring.c     an engine: io_uring
 *   threads.c   an engine: threads
 *   nvme*.c     an engine: drives of the host that this process drives (nvme.h)
 *   served.c    nodes that QEMU's storage daemon has instead of this process
 *   served-objects.c  secrets, TLS credentials and limits that they name
 *   throttle-group.c  the object that has limits
 *   export.c    devices' use of these
 *   storage-daemon*.c  the daemon: its process, its QMP, its schema
 *   block-qmp.c commands
 *   block-schema.c  what blockdev-add takes
 */
#ifndef BLOCK_BLOCK_INTERNAL_H
#define BLOCK_BLOCK_INTERNAL_H

#include "block/block.h"

typedef struct BlockContext BlockContext;

/* --- engines --- */

/* Carries requests out. Completed ones go to block_request_complete(), where
 * their backend's context is. */
typedef struct BlockEngine {
    const char *name;                     /* as aio= spells it */
    /* Makes it work there, if it does not yet. false: *errp. */
    bool (*start)(BlockContext *ctx, Error **errp);
    /* Undoes that, if it works there. Nothing is in flight. */
    void (*stop)(BlockContext *ctx);
    void (*submit)(BlockRequest *req);
    void (*kick)(BlockContext *ctx);
    /* Completes what is done; if nothing is, waits until something is. There
     * is something in flight. */
    void (*wait)(BlockContext *ctx);
} BlockEngine;

extern const BlockEngine block_engine_uring;
extern const BlockEngine block_engine_threads;
/* Those that this build has, the best first; then NULL. */
extern const BlockEngine *const block_engines[];

/* --- contexts --- */

/*
 * Where requests are submitted, and their end is told of: the main loop, or an
 * I/O thread. What belongs to one is of its turns, or of who has paused it, and
 * so are the backends in it, with their node's image.
 */
struct BlockContext {
    AioContext *aio;                      /* NULL: the main loop */
    unsigned int users;                   /* backends */
    struct BlockUring *uring;             /* engines; NULL: not in use here */
    struct BlockThreads *threads;
    /* Completed, but nobody was told yet, by those that nothing has to be done
     * for. */
    QTAILQ_HEAD(, BlockRequest) done_at_once;
    /* Backends that have completed requests since the last batch's end. */
    QTAILQ_HEAD(, BlockBackend) batch;
    QTAILQ_ENTRY(BlockContext) next;
};

/* That of @aio, which is made if need be, for one more backend. */
BlockContext *block_context_get(AioContext *aio);
/* For one less: the last one of an I/O thread ends it. */
void block_context_put(BlockContext *ctx);
/* The main loop's. */
BlockContext *block_context_main(void);

/* --- images --- */

typedef struct BlockImageOptions {
    const char *filename;
    bool is_device;                       /* driver host_device */
    bool read_only;
    bool auto_read_only;                  /* if it cannot be written to */
    bool direct;                          /* O_DIRECT */
    bool lock;
    bool force_share;                     /* others may write */
    const char *aio;                      /* an engine; NULL: the best */
} BlockImageOptions;

/* An open file or disk of the host, or a drive. */
typedef struct BlockImage {
    int fd;                               /* -1: a drive */
    struct NVMe *nvme;                    /* NULL: a file */
    char *filename;
    bool is_device;
    bool read_only;
    bool direct;
    bool never_now;                       /* its file system always may wait */
    bool has_locks;
    bool kept;                            /* nobody else may write to it */
    uint32_t alignment;                   /* of offsets and sizes */
    uint32_t mem_alignment;               /* of buffers */
    uint64_t size;                        /* bytes */
    const BlockEngine *engine;
} BlockImage;

/* NULL: *errp. */
BlockImage *block_image_open(const BlockImageOptions *o, Error **errp);
/* The NVMe drive at @address, namespace @nsid. NULL: *errp. */
BlockImage *block_image_open_nvme(const char *address, uint32_t nsid,
                                  bool read_only, Error **errp);
void block_image_close(BlockImage *image);
/* Whether others may write to it, too. false: *errp; they do, and it is not to be
 * shared. Main thread. */
bool block_image_share(BlockImage *image, bool share, Error **errp);
bool block_image_resize(BlockImage *image, uint64_t size, Error **errp);
/* What the host has allocated, bytes. */
uint64_t block_image_allocated(const BlockImage *image);

/* --- nodes --- */

typedef enum BlockDetectZeroes {
    BLOCK_DETECT_ZEROES_OFF,
    BLOCK_DETECT_ZEROES_ON,
    BLOCK_DETECT_ZEROES_UNMAP,
    BLOCK_DETECT_ZEROES__MAX,
} BlockDetectZeroes;
extern const struct QEnumLookup BlockDetectZeroes_lookup;

struct BlockNode {
    char *name;                           /* "#block12": nobody has named it */
    const char *driver;                   /* a literal */
    bool read_only;
    bool discard;                         /* give unused blocks back */
    bool no_flush;                        /* flushes do nothing */
    bool implicit;                        /* goes with its user */
    bool served;                          /* the storage daemon has it: there is
                                             no image, and no child */
    bool awaited;                         /* the daemon is asked to open it, or to
                                             serve it: nobody else may use it */
    uint64_t served_size;                 /* bytes */
    BlockDetectZeroes detect_zeroes;
    BlockNode *child;                     /* format: what is below */
    BlockImage *image;                    /* protocol */
    JsonObject *options;                  /* that it was made of; nested */
    BlockNode *parent;                    /* who uses it: another node, */
    BlockBackend *blk;                    /* or a backend; or nobody */
    QTAILQ_ENTRY(BlockNode) next;
};

BlockNode *block_node_find(const char *name);
/* Each while the context is paused that it is used in. */
void block_node_foreach(void (*fn)(BlockNode *node, void *opaque),
                        void *opaque);
/* false: *errp says who uses it. */
bool block_node_check_unused(const BlockNode *node, Error **errp);
/* Nobody uses @node: closes it, and what is implicit below. */
void block_node_free(BlockNode *node);
/* As block_node_add(), but the storage daemon has it in any case. */
BlockNode *block_node_add_served(JsonObject *options, Error **errp);
/* Whether this process has the driver. */
bool block_driver_is_own(const char *driver);
static inline BlockImage *block_node_image(const BlockNode *node)
{
    return node->child ? node->child->image : node->image;
}
/* Who uses it, maybe by another node; or NULL. */
static inline BlockBackend *block_node_backend(const BlockNode *node)
{
    return node->parent ? node->parent->blk : node->blk;
}

/* --- nodes of the storage daemon (served.c) --- */

/* Whether a node of @options, nested, is for the daemon. */
bool block_served_wants(JsonObject *options);
/*
 * Those that may wait for the daemon are for the main thread, and for who holds
 * neither a pause nor a pointer to a node or backend that may go: other commands
 * are carried out meanwhile.
 */
/* Has the daemon open it, with what it refers to; @node has its name. May wait.
 * false: *errp. */
bool block_served_open(BlockNode *node, JsonObject *options, Error **errp);
/* May wait. false: *errp; something in the daemon uses the node. */
bool block_served_close(const char *name, Error **errp);
bool block_served_resize(const char *name, uint64_t size, Error **errp);
/* The daemon's query-named-block-nodes, or its query-blockstats of nodes. May
 * wait. NULL: *errp. */
JsonArray *block_served_list(Error **errp);
JsonArray *block_served_figures(Error **errp);
/* What such a list has of @node; NULL: nothing, or @list is. */
JsonObject *block_served_find(JsonArray *list, const BlockNode *node);
/* The same as a BlockDeviceInfo; the caller's. */
JsonObject *block_served_info(JsonArray *list, const BlockNode *node);

/* --- exports of the storage daemon (export.c) --- */

/* The daemon has told of something. */
void block_export_event(JsonObject *event);
/* It has gone, and all exports with it. */
void block_export_all_gone(void);
/* Waits until none that was told to end uses the node. */
void block_export_await_end(const char *node);
/* Has the daemon close a node, once no export uses it. Does not wait. */
void block_export_close_node(const char *node);

/* --- options (options.c): they are taken out of the object --- */

/* Turns "a.b": x into "a": {"b": x}. A copy, with all that is in it; NULL:
 * *errp. */
JsonObject *block_options_nest(JsonObject *options, Error **errp);
/* Text that stays in the object; NULL: it is not there, or something else. */
const char *block_option_text(JsonObject *o, const char *name);
/* Text; g_free(); NULL: it is not there, or *errp. */
char *block_take_string(JsonObject *o, const char *name, Error **errp);
/* false: *errp. *value stays if it is not there. Text on and off will do. */
bool block_take_bool(JsonObject *o, const char *name, bool *value,
                     Error **errp);
/* A number from @min on. */
bool block_take_uint32(JsonObject *o, const char *name, uint32_t min,
                       uint32_t *value, Error **errp);
bool block_take_int64(JsonObject *o, const char *name, int64_t *value,
                      Error **errp);
bool block_take_enum(JsonObject *o, const char *name,
                     const struct QEnumLookup *lookup, int *value,
                     Error **errp);
/* false: something is left, which *errp names. */
bool block_check_no_more(JsonObject *o, const char *of, Error **errp);

/* --- backends --- */

typedef struct BlockFigures {
    uint64_t operations;
    uint64_t bytes;
    uint64_t time_ns;
    uint64_t failed;
    uint64_t invalid;
} BlockFigures;

struct BlockBackend {
    char *name;                           /* -drive's id; "": of a device */
    BlockNode *node;
    BlockContext *ctx;
    char *qdev;                           /* the device's QOM path, or NULL */
    const BlockUserOps *ops;
    void *opaque;
    bool write_cache;
    bool cdrom;
    BlockErrorPolicy on_error[2];         /* reading, writing */
    int status;                           /* errno that stopped the VM; 0 */
    unsigned int in_flight;
    bool batch;                           /* in the list of those to be told */
    BlockExport *served_by;               /* blk_serve()'s, or NULL */
    BlockFigures figures[BLOCK_OP__MAX];
    uint64_t wr_highest_offset;
    int64_t last_ns;                      /* of the last request */
    QTAILQ_ENTRY(BlockBackend) next;
    QTAILQ_ENTRY(BlockBackend) next_batch;
};

/* Each while its context is paused. */
void blk_foreach(void (*fn)(BlockBackend *blk, void *opaque), void *opaque);
/* By the name of the backend, or of its node. NULL: none. */
BlockBackend *blk_find(const char *name);
/* The node that a device may have by @name. NULL: *errp, there is none, or it is in
 * use. */
BlockNode *blk_find_free_node(const char *name, Error **errp);
/* Waits for the requests of all. */
void blk_drain_all(void);

/* --- requests --- */

/* For engines: what is to be done now, of @iov and @niov, from @offset on. */
void block_request_left(BlockRequest *req, const struct iovec **iov,
                        unsigned int *niov, uint64_t *offset);
/* For engines: @ret bytes have been read or written, or 0; or -errno. */
void block_request_complete(BlockRequest *req, int64_t ret);
/* For engines, when they have completed what is done: backends are told. */
void block_requests_batch_end(BlockContext *ctx);
/* The fallocate() mode of a request that is one. */
int block_request_fallocate_mode(const BlockRequest *req);

#endif
