/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Having the host back RAM before somebody needs it: before the guest runs
 * (prealloc), before a block is plugged that must not fail later, before a
 * device pins it. The kernel clears what it hands out, which is most of the
 * cost, so several threads ask for pieces of the range.
 *
 * On a busy host some of the threads may not get to run for long, the less so as
 * all but the caller's are nice: they are there for CPUs that nobody else needs,
 * the guest's own least of all. So pieces are small, whoever runs takes the next,
 * and nobody waits for a thread that has none: it finds nothing left to do later,
 * and must not touch the memory then.
 *
 * It must not change what the memory holds, as the guest may be writing to it,
 * nor end in SIGBUS because the host has no page to give: hence no stores.
 */
#include "qemu/osdep.h"
#include <linux/mman.h>
#include <linux/sched.h>
/* The C library has one of its own. */
#define sched_param linux_sched_param
#include <linux/sched/types.h>
#undef sched_param
#include <sys/mman.h>
#include <sys/syscall.h>
#include "exec/ramblock.h"
#include "qemu/sandbox-need.h"
#include "qemu/thread.h"
#include "qemu/units.h"

/* What a thread asks for at once: the size of THP, so that all end together. */
#define PIECE_SIZE (2 * MiB)
/* A thread takes as long to start as this takes to be cleared, or less. */
#define SIZE_PER_THREAD (16 * MiB)

/* Shared by the caller and its threads, some of which may outlive the call. */
typedef struct PopulateJob {
    gatomicrefcount refs;
    uint8_t *host;
    uint64_t size;
    uint64_t piece;                       /* a power of two, pages or one */
    int nice;                             /* of the threads that are started */

    GMutex lock;                          /* of what follows */
    GCond idle;                           /* nobody is at a piece */
    uint64_t next;                        /* the first that nobody took */
    unsigned busy;                        /* threads at a piece */
    int err;                              /* the first -errno; ends the job */
} PopulateJob;

static void populate_job_unref(PopulateJob *job)
{
    if (g_atomic_ref_count_dec(&job->refs)) {
        g_mutex_clear(&job->lock);
        g_cond_clear(&job->idle);
        g_free(job);
    }
}

/* 0 or -errno; -ENOTSUP: this kernel (before 5.14) cannot. */
static int populate_piece(uint8_t *host, uint64_t size)
{
    int r;

    do {
        r = madvise(host, size, MADV_POPULATE_WRITE) ? -errno : 0;
    } while (r == -EINTR || r == -EAGAIN);
    /* Huge pages that are used up, and files without room, are a bad address. */
    return r == -EINVAL ? -ENOTSUP : r == -EFAULT ? -ENOMEM : r;
}

/* Of the next piece, whose end is aligned: two threads that come to a huge page
 * at the same time both clear one, and one of them does so in vain. */
static uint64_t next_size(const PopulateJob *job)
{
    uintptr_t start = (uintptr_t)job->host + job->next;

    return MIN(job->piece - (start & (job->piece - 1)), job->size - job->next);
}

/* Populates piece after piece until none is left. */
static void populate_pieces(PopulateJob *job)
{
    g_mutex_lock(&job->lock);
    while (job->next < job->size && !job->err) {
        uint64_t offset = job->next;
        uint64_t size = next_size(job);
        int r;

        job->next += size;
        job->busy++;
        g_mutex_unlock(&job->lock);
        r = populate_piece(job->host + offset, size);
        g_mutex_lock(&job->lock);
        job->err = job->err ? job->err : r;
        if (--job->busy == 0) {
            g_cond_signal(&job->idle);
        }
    }
    g_mutex_unlock(&job->lock);
}

/* The calling thread. Where it may not, it goes on as nice as it is. */
static void be_nice(int nice)
{
    struct sched_attr attr = {
        .size = sizeof(attr), .sched_flags = SCHED_FLAG_KEEP_POLICY,
        .sched_nice = nice,
    };

    syscall(SYS_sched_setattr, 0, &attr, 0);
}

static gpointer populate_thread(gpointer data)
{
    PopulateJob *job = data;

    if (job->nice) {
        be_nice(job->nice);
    }
    populate_pieces(job);
    populate_job_unref(data);
    return NULL;
}

/* @nr threads, or fewer if there can be no more. */
static void start_threads(PopulateJob *job, unsigned nr)
{
    for (unsigned i = 0; i < nr; i++) {
        GThread *thread;

        g_atomic_ref_count_inc(&job->refs);
        thread = qemu_thread_try_new(QEMU_THREAD_WORKER, "populate",
                                     populate_thread, job, NULL);
        if (!thread) {
            populate_job_unref(job);
            return;
        }
        g_thread_unref(thread);
    }
}

/* This thread and, if it may start them, @nr_others do it; once this returns
 * nobody is at a piece. */
static int populate(PopulateJob *job, unsigned nr_others)
{
    int err;

    if (sandbox_may_start_threads()) {
        start_threads(job, nr_others);
    }
    populate_pieces(job);
    g_mutex_lock(&job->lock);
    while (job->busy) {
        g_cond_wait(&job->idle, &job->lock);
    }
    err = job->err;
    g_mutex_unlock(&job->lock);
    return err;
}

void ram_block_set_populate(RAMBlock *rb, unsigned nr_threads, int nice)
{
    rb->populate_threads = nr_threads;
    rb->populate_nice = nice;
}

int ram_block_populate_range(RAMBlock *rb, uint64_t start, uint64_t length)
{
    uint64_t worth = length / MAX(SIZE_PER_THREAD, rb->page_size);
    PopulateJob *job;
    int r;

    if (rb->flags & RAM_PREALLOC) {
        return -ENOTSUP;                  /* it may be a device's registers */
    }
    if (!QEMU_IS_ALIGNED(start | length, rb->page_size) ||
        start > rb->used_length || length > rb->used_length - start) {
        return -EINVAL;
    }
    job = g_new0(PopulateJob, 1);
    g_atomic_ref_count_init(&job->refs);
    g_mutex_init(&job->lock);
    g_cond_init(&job->idle);
    job->host = ramblock_ptr(rb, start);
    job->size = length;
    job->piece = MAX(PIECE_SIZE, rb->page_size);
    job->nice = rb->populate_nice;
    r = populate(job, MAX(MIN(rb->populate_threads, worth), 1) - 1);
    populate_job_unref(job);
    return r;
}
