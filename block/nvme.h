/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A drive of the host, driven here: the controller is a PCI function that this
 * process has, and its commands name guest memory, which it reaches without a
 * copy. One controller, one namespace, two pairs of queues, one interrupt.
 *
 *   nvme.c        the controller's life: reset, identification, queues
 *   nvme-queue.c  a pair of queues: commands in, completions out
 *   nvme-io.c     requests as commands, and when the drive fails
 *   nvme-prp.c    where data is, as a command says it
 *
 * What the drive says is checked: it may be broken, and a controller that is
 * passed to and fro may be anything. One that breaks the protocol, or does not
 * answer in time, is stopped before anybody gets his memory back, and stays
 * stopped: its requests fail. Main thread, big lock held.
 */
#ifndef BLOCK_NVME_H
#define BLOCK_NVME_H

#include "block-internal.h"
#include "block/dma-device.h"
#include "nvme-spec.h"
#include "qemu/event_notifier.h"
#include "qemu/timer.h"

/* Entries of a queue, at most; one is always free. */
#define NVME_QUEUE_ENTRIES 128U
#define NVME_SLOTS (NVME_QUEUE_ENTRIES - 1)
/* What a request may take, and a command of the driver's own. */
#define NVME_REQUEST_TIMEOUT_MS 30000
#define NVME_ADMIN_TIMEOUT_MS 5000
/* Data that the drive cannot reach where it is goes through these. */
#define NVME_BOUNCE_SIZE (64 * 1024U)
#define NVME_BOUNCES 4U
/* A page lists so many pages of data: together 2 MiB. */
#define NVME_PRPS (NVME_PAGE / sizeof(uint64_t))

typedef struct NVMe NVMe;

/* A pair of queues in memory that the drive writes to. */
typedef struct NVMeQueue {
    NVMe *nvme;
    uint16_t id;
    uint32_t entries;
    NVMeCommand *commands;
    const NVMeCompletion *completions;
    uint64_t commands_iova;
    uint64_t completions_iova;
    uint32_t tail;                        /* of commands; told by kick */
    uint32_t told;
    uint32_t head;                        /* of completions */
    bool phase;                           /* of the next completion */
    uint32_t in_flight;
} NVMeQueue;

/* A command that is in flight, by its identifier. */
typedef struct NVMeSlot {
    BlockRequest *req;                    /* NULL: it is free */
    uint64_t bytes;                       /* that it moves */
    void *bounce;                         /* where they are, or NULL */
    int64_t deadline_ms;
    uint64_t *prps;                       /* a page */
    uint64_t prps_iova;
} NVMeSlot;

struct NVMe {
    BlockDma *dma;
    char *name;                           /* for messages: its address */
    bool broken;
    uint32_t nsid;
    uint32_t block_bits;                  /* a block has 2^n bytes */
    uint64_t blocks;
    uint64_t max_bytes;                   /* of data of one command */
    uint16_t oncs;                        /* NVME_ONCS_* */
    uint32_t doorbell_stride;             /* bytes */
    int64_t ready_timeout_ms;
    uint8_t *memory;                      /* all that the drive has of ours */
    uint64_t memory_iova;
    bool mapped;
    NVMeQueue admin;
    NVMeQueue io;
    EventNotifier interrupt;
    bool has_interrupt;
    QEMUTimer *timer;
    NVMeSlot slots[NVME_SLOTS];
    uint16_t free_slots[NVME_SLOTS];
    unsigned nr_free;
    void *bounces[NVME_BOUNCES];          /* free ones */
    unsigned nr_bounces;
    QTAILQ_HEAD(, BlockRequest) waiting;  /* for a slot, or a bounce buffer */
    QLIST_ENTRY(NVMe) next;
};

/* --- nvme.c --- */

/* NULL: *errp, and the function is as it was. */
NVMe *nvme_open(const char *address, uint32_t nsid, Error **errp);
/* Nothing is in flight. */
void nvme_close(NVMe *nvme);
uint64_t nvme_size(const NVMe *nvme);     /* bytes */
/* Memory of ours, as the drive calls it. */
static inline uint64_t nvme_iova(const NVMe *nvme, const void *ours)
{
    return nvme->memory_iova + ((const uint8_t *)ours - nvme->memory);
}

/* --- nvme-queue.c --- */

/* @memory has room for both, from a page's beginning on. */
void nvme_queue_init(NVMeQueue *q, NVMe *nvme, uint16_t id, uint32_t entries,
                     uint8_t *memory);
/* Puts a command in; there must be room. Its cid is the caller's. */
void nvme_queue_put(NVMeQueue *q, const NVMeCommand *cmd);
/* Tells the drive of what was put in. */
void nvme_queue_kick(NVMeQueue *q);
/* Takes the next completion out. 1: *c; 0: there is none; -EPROTO: it is one that
 * cannot be. */
int nvme_queue_get(NVMeQueue *q, NVMeCompletion *c);
/* Tells the drive which completions were taken. */
void nvme_queue_got(NVMeQueue *q);

/* --- nvme-prp.c --- */

/*
 * Has @cmd name as much of the data from @iov's beginning as one command can, in
 * whole blocks, at most @max bytes. How many; 0: not even one block is where the
 * drive could reach it.
 */
uint64_t nvme_prp_guest(NVMe *nvme, NVMeSlot *slot, NVMeCommand *cmd,
                        const struct iovec *iov, unsigned int niov,
                        uint64_t max);
/* The same for memory of ours, all of it. */
void nvme_prp_own(NVMe *nvme, NVMeSlot *slot, NVMeCommand *cmd,
                  const void *ours, uint64_t bytes);

/* --- nvme-io.c --- */

extern const BlockEngine block_engine_nvme;
/* From now on requests may come, and until nvme_io_end(). */
void nvme_io_begin(NVMe *nvme);
void nvme_io_end(NVMe *nvme);
/* The drive is not to be trusted any more, for the reason given: it is stopped,
 * and all its requests fail. */
void nvme_break(NVMe *nvme, const char *fmt, ...) G_GNUC_PRINTF(2, 3);

#endif
