/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guarded RAM (exec/ram-guard.h) by userfaultfd: what is guarded is registered
 * for missing pages. Opening and closing change the registration; the thread
 * answers the faults.
 *
 * The lock orders the two: a page that the thread has let in is given back
 * under the same lock, unless its range was opened before. So a page that has
 * become somebody's memory is never discarded here.
 */
#include "qemu/osdep.h"

#include <poll.h>

#include "exec/ram-guard.h"
#include "qemu/cutils.h"
#include "qemu/event_notifier.h"
#include "qemu/main-loop.h"
#include "qemu/sandbox-need.h"
#include "qemu/thread.h"
#include "qemu/userfaultfd.h"

/* Pages that are let in at a time, at most: enough that whoever waits for one
 * has used it before its turn to go has come. */
#define LET_IN_MAX 256
/* How long they may stay after the last fault, ms, unless they are kept. */
#define LINGER_MS 100
#define MSGS_MAX 16
/* Before the next attempt if the host has no page to give, us. */
#define RETRY_MS 1

struct RamGuard {
    RAMBlock *rb;
    int uffd;
    EventNotifier kick;                   /* the thread looks at what changed */
    GThread *thread;
    QEMUBH *bh;                           /* tells the owner */

    GMutex lock;                          /* of what follows, and of what is
                                             registered */
    ram_addr_t let_in[LET_IN_MAX];        /* pages, oldest first */
    unsigned nr_let_in;
    bool kept;                            /* they stay for now */
    bool quit;                            /* the thread shall end */
    RamGuardViolations violations;        /* not yet taken */
};

/* --- pages that were let in (the lock is held) --- */

/* Gives the @n oldest back; neighbours at once. Should the host refuse, they
 * are gone with the next discard of the range. */
static void give_back(RamGuard *g, unsigned n)
{
    uint64_t page = g->rb->page_size;
    unsigned i = 0;

    while (i < n) {
        ram_addr_t start = g->let_in[i++];
        uint64_t size = page;

        while (i < n && g->let_in[i] == start + size) {
            size += page;
            i++;
        }
        ram_block_discard_range(g->rb, start, size);
    }
    g->nr_let_in -= n;
    memmove(g->let_in, g->let_in + n, g->nr_let_in * sizeof(g->let_in[0]));
}

/* Gives back those of a range that is about to be opened. */
static void give_back_range(RamGuard *g, ram_addr_t offset, uint64_t size)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < g->nr_let_in; i++) {
        if (g->let_in[i] - offset < size) {
            ram_block_discard_range(g->rb, g->let_in[i], g->rb->page_size);
        } else {
            g->let_in[kept++] = g->let_in[i];
        }
    }
    g->nr_let_in = kept;
}

static void note_violation(RamGuard *g, ram_addr_t offset, bool write)
{
    if (!g->violations.count++) {
        g->violations.offset = offset;
        g->violations.write = write;
    }
    qemu_bh_schedule(g->bh);
}

/* --- the thread --- */

/* 0, or why nobody was let in. */
static int let_in(RamGuard *g, ram_addr_t offset, bool write)
{
    uint64_t page = g->rb->page_size;
    ram_addr_t start = ROUND_DOWN(offset, page);
    int ret;

    g_mutex_lock(&g->lock);
    if (g->nr_let_in == LET_IN_MAX) {
        give_back(g, LET_IN_MAX / 2);
    }
    ret = uffd_zero_page(g->uffd, ramblock_ptr(g->rb, start), page);
    if (!ret) {
        g->let_in[g->nr_let_in++] = start;
        note_violation(g, offset, write);
    }
    g_mutex_unlock(&g->lock);
    return ret;
}

static void give_all_back(RamGuard *g)
{
    g_mutex_lock(&g->lock);
    give_back(g, g->nr_let_in);
    g_mutex_unlock(&g->lock);
}

static void handle_fault(RamGuard *g, const struct uffd_msg *msg)
{
    ram_addr_t offset = msg->arg.pagefault.address - (uintptr_t)g->rb->host;
    bool write = msg->arg.pagefault.flags & UFFD_PAGEFAULT_FLAG_WRITE;
    int ret = let_in(g, offset, write);

    if (!ret) {
        return;
    }
    /* Another fault was let in there, or the range was opened meanwhile; else
     * the host is short of memory. Either way, trying again is right. */
    if (ret != -EEXIST && ret != -ENOENT && ret != -EAGAIN) {
        give_all_back(g);
        qemu_poll_ms(NULL, 0, RETRY_MS);
    }
    uffd_wakeup(g->uffd,
                ramblock_ptr(g->rb, ROUND_DOWN(offset, g->rb->page_size)),
                g->rb->page_size);
}

static void handle_faults(RamGuard *g)
{
    struct uffd_msg msgs[MSGS_MAX];
    int n = uffd_read_events(g->uffd, msgs, MSGS_MAX);

    for (int i = 0; i < n; i++) {
        if (msgs[i].event == UFFD_EVENT_PAGEFAULT) {
            handle_fault(g, &msgs[i]);
        }
    }
}

/* What the thread waits for, ms; -1: for a fault or a kick. */
static int linger_ms(RamGuard *g)
{
    int ms;

    g_mutex_lock(&g->lock);
    ms = g->nr_let_in && !g->kept ? LINGER_MS : -1;
    g_mutex_unlock(&g->lock);
    return ms;
}

static bool shall_quit(RamGuard *g)
{
    bool quit;

    g_mutex_lock(&g->lock);
    quit = g->quit;
    g_mutex_unlock(&g->lock);
    return quit;
}

/* After a timeout: they may have been kept meanwhile. */
static void give_all_back_unless_kept(RamGuard *g)
{
    g_mutex_lock(&g->lock);
    if (!g->kept) {
        give_back(g, g->nr_let_in);
    }
    g_mutex_unlock(&g->lock);
}

static gpointer guard_thread(gpointer data)
{
    RamGuard *g = data;
    struct pollfd fds[] = {
        { .fd = g->uffd, .events = POLLIN },
        { .fd = event_notifier_get_fd(&g->kick), .events = POLLIN },
    };

    while (!shall_quit(g)) {
        int n = qemu_poll_ms(fds, G_N_ELEMENTS(fds), linger_ms(g));

        if (!n) {
            give_all_back_unless_kept(g);
        } else if (n > 0) {
            event_notifier_test_and_clear(&g->kick);
            if (fds[0].revents) {
                handle_faults(g);
            }
        }
    }
    return NULL;
}

/* --- for the owner --- */

void ram_guard_take_violations(RamGuard *g, RamGuardViolations *violations)
{
    g_mutex_lock(&g->lock);
    *violations = g->violations;
    g->violations.count = 0;
    g_mutex_unlock(&g->lock);
}

void ram_guard_freeze(RamGuard *g)
{
    g_mutex_lock(&g->lock);
}

void ram_guard_thaw(RamGuard *g)
{
    g_mutex_unlock(&g->lock);
}

/* Lets the thread know; a kick starts the time that pages linger anew. */
static void set_flag(RamGuard *g, bool *flag, bool value)
{
    g_mutex_lock(&g->lock);
    *flag = value;
    g_mutex_unlock(&g->lock);
    event_notifier_set(&g->kick);
}

void ram_guard_keep_pages(RamGuard *g, bool keep)
{
    set_flag(g, &g->kept, keep);
}

int ram_guard_open(RamGuard *g, ram_addr_t offset, uint64_t size)
{
    give_back_range(g, offset, size);
    return uffd_unregister_memory(g->uffd, ramblock_ptr(g->rb, offset), size);
}

int ram_guard_close(RamGuard *g, ram_addr_t offset, uint64_t size)
{
    return uffd_register_memory(g->uffd, ramblock_ptr(g->rb, offset), size,
                                NULL);
}

/* --- life --- */

static bool check_block(const RAMBlock *rb, Error **errp)
{
    if (rb->flags & RAM_PREALLOC) {
        error_setg(errp, "memory '%s' cannot be guarded, it is a device's",
                   rb->idstr);
        return false;
    }
    if (rb->page_size != qemu_real_host_page_size()) {
        error_setg(errp, "memory '%s' cannot be guarded: it has huge pages of "
                   "%zu bytes, and one could be touched only by using it up",
                   rb->idstr, rb->page_size);
        return false;
    }
    return true;
}

/*
 * Registers the block, and lets itself in once: that shows that it works, and
 * makes the kernel give private memory its anon_vma while it is one mapping.
 * Else pieces that were touched first when apart would have one each, and the
 * kernel could not merge them again: mappings would grow without a limit.
 */
static bool guard_block(RamGuard *g, Error **errp)
{
    RAMBlock *rb = g->rb;
    uint64_t ioctls = 0;
    int ret = uffd_register_memory(g->uffd, rb->host, rb->used_length, &ioctls);

    if (!ret && !(ioctls & 1ULL << _UFFDIO_ZEROPAGE)) {
        ret = -EINVAL;
    }
    if (!ret) {
        ret = uffd_zero_page(g->uffd, rb->host, rb->page_size);
    }
    if (!ret) {
        ret = ram_block_discard_range(rb, 0, rb->page_size);
    }
    if (ret) {
        error_setg_errno(errp, -ret, "memory '%s' cannot be guarded%s",
                         rb->idstr, ret == -EINVAL
                             ? " (anonymous memory, memfds and files of tmpfs "
                               "can)" : "");
    }
    return !ret;
}

/* What is set up before the thread, in reverse. */
static void release(RamGuard *g)
{
    if (g->bh) {
        qemu_bh_delete(g->bh);
    }
    event_notifier_cleanup(&g->kick);
    if (g->uffd >= 0) {
        close(g->uffd);                   /* unregisters */
    }
    g_mutex_clear(&g->lock);
    g_free(g);
}

RamGuard *ram_guard_new(RAMBlock *rb, RamGuardFn *fn, void *opaque,
                        Error **errp)
{
    uint64_t features = UFFD_FEATURE_MISSING_SHMEM |
                        UFFD_FEATURE_EXACT_ADDRESS;
    RamGuard *g;
    int ret;

    if (!check_block(rb, errp)) {
        return NULL;
    }
    sandbox_need(SANDBOX_GUARD);
    g = g_new0(RamGuard, 1);
    g->rb = rb;
    g_mutex_init(&g->lock);
    event_notifier_init_fd(&g->kick, -1);
    g->uffd = uffd_create_fd(&features, errp);
    if (g->uffd < 0 || !guard_block(g, errp)) {
        goto fail;
    }
    ret = event_notifier_init(&g->kick, 0);
    if (ret) {
        error_setg_errno(errp, -ret, "cannot create an eventfd");
        goto fail;
    }
    g->bh = qemu_bh_new(fn, opaque);
    g->thread = qemu_thread_try_new(QEMU_THREAD_WORKER, "ram-guard",
                                    guard_thread, g, errp);
    if (g->thread) {
        return g;
    }
fail:
    release(g);
    return NULL;
}

void ram_guard_free(RamGuard *g)
{
    set_flag(g, &g->quit, true);
    g_thread_join(g->thread);
    give_all_back(g);
    release(g);
}
