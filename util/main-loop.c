/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The main loop (qemu/main-loop.h): GLib's default context with a poll
 * function that gives up the big lock. Descriptors, bottom halves and timers
 * are GSources; whatever else GLib offers works beside them. It must never
 * hold the big lock while it waits, nor call anybody without it.
 */
#include "qemu/osdep.h"

#include <poll.h>

#include "qemu/main-loop.h"
#include "qemu/timer.h"

static GMutex big_lock;
static __thread bool big_lock_held;
static GThread *main_thread;

/* --- the big lock -------------------------------------------------------- */

void qemu_mutex_lock_iothread(void)
{
    g_assert(!big_lock_held);
    g_mutex_lock(&big_lock);
    big_lock_held = true;
}

void qemu_mutex_unlock_iothread(void)
{
    g_assert(big_lock_held);
    big_lock_held = false;
    g_mutex_unlock(&big_lock);
}

bool qemu_mutex_iothread_locked(void)
{
    return big_lock_held;
}

void qemu_cond_wait_iothread(GCond *cond)
{
    g_assert(big_lock_held);
    big_lock_held = false;
    g_cond_wait(cond, &big_lock);
    big_lock_held = true;
}

/* --- polling ------------------------------------------------------------- */

G_STATIC_ASSERT(sizeof(GPollFD) == sizeof(struct pollfd));
G_STATIC_ASSERT(offsetof(GPollFD, events) == offsetof(struct pollfd, events));
G_STATIC_ASSERT(offsetof(GPollFD, revents) == offsetof(struct pollfd, revents));

/* GLib counts in milliseconds, too coarse for a guest's timers; so these bring
 * their own deadline. */
static gint poll_without_big_lock(GPollFD *fds, guint nfds, gint timeout_ms)
{
    int64_t timers = qemu_timers_deadline_ns();
    int64_t ns = timeout_ms < 0 ? -1 : (int64_t)timeout_ms * SCALE_MS;
    struct timespec ts;
    int ret, err;

    if (timers >= 0 && (ns < 0 || timers < ns)) {
        ns = timers;
    }
    ts.tv_sec = ns / NANOSECONDS_PER_SECOND;
    ts.tv_nsec = ns % NANOSECONDS_PER_SECOND;

    qemu_mutex_unlock_iothread();
    ret = ppoll((struct pollfd *)fds, nfds, ns < 0 ? NULL : &ts, NULL);
    err = errno;
    qemu_mutex_lock_iothread();
    errno = err;
    return ret;
}

static gboolean timers_prepare(GSource *source, gint *timeout)
{
    *timeout = -1;
    return qemu_timers_deadline_ns() == 0;
}

static gboolean timers_check(GSource *source)
{
    return qemu_timers_deadline_ns() == 0;
}

static gboolean timers_dispatch(GSource *source, GSourceFunc fn, gpointer data)
{
    qemu_timers_run();
    return G_SOURCE_CONTINUE;
}

static GSourceFuncs timers_source_funcs = {
    .prepare = timers_prepare,
    .check = timers_check,
    .dispatch = timers_dispatch,
};

int qemu_init_main_loop(Error **errp)
{
    GSource *timers;

    if (main_thread) {
        return 0;
    }
    main_thread = g_thread_self();
    qemu_mutex_lock_iothread();
    g_main_context_set_poll_func(NULL, poll_without_big_lock);
    timers = g_source_new(&timers_source_funcs, sizeof(GSource));
    g_source_attach(timers, NULL);
    g_source_unref(timers);
    return 0;
}

bool qemu_in_main_thread(void)
{
    return main_thread == g_thread_self();
}

void main_loop_wait(bool nonblocking)
{
    g_assert(qemu_in_main_thread() && big_lock_held);
    g_main_context_iteration(NULL, !nonblocking);
}

static bool (*is_ending_hook)(void);
static void (*obey_hook)(void);

void main_loop_set_hooks(bool (*is_ending)(void), void (*obey)(void))
{
    is_ending_hook = is_ending;
    obey_hook = obey;
}

bool main_loop_is_ending(void)
{
    return is_ending_hook && is_ending_hook();
}

void main_loop_obey(void)
{
    if (obey_hook) {
        obey_hook();
    }
}

void qemu_notify_event(void)
{
    g_main_context_wakeup(NULL);
}

/* --- descriptors --------------------------------------------------------- */

typedef struct FdSource {
    GSource source;
    int fd;
    gpointer tag;
    IOHandler *fd_read;
    IOHandler *fd_write;
    void *opaque;
} FdSource;

/* fd -> FdSource, which it holds a reference to. */
static GHashTable *fd_sources;

static gboolean fd_source_dispatch(GSource *source, GSourceFunc fn,
                                   gpointer data)
{
    FdSource *s = (FdSource *)source;
    GIOCondition ready = g_source_query_unix_fd(source, s->tag);
    GIOCondition ended = G_IO_HUP | G_IO_ERR | G_IO_NVAL;

    if (s->fd_read && (ready & (G_IO_IN | ended))) {
        s->fd_read(s->opaque);
    }
    if (!g_source_is_destroyed(source) && s->fd_write &&
        (ready & (G_IO_OUT | ended))) {
        s->fd_write(s->opaque);
    }
    return G_SOURCE_CONTINUE;
}

static GSourceFuncs fd_source_funcs = { .dispatch = fd_source_dispatch };

static void fd_source_free(gpointer data)
{
    g_source_destroy(data);
    g_source_unref(data);
}

static FdSource *fd_source_new(int fd)
{
    GSource *source = g_source_new(&fd_source_funcs, sizeof(FdSource));
    FdSource *s = (FdSource *)source;

    s->fd = fd;
    s->tag = g_source_add_unix_fd(source, fd, 0);
    g_source_attach(source, NULL);
    g_hash_table_insert(fd_sources, GINT_TO_POINTER(fd), s);
    return s;
}

void qemu_set_fd_handler(int fd, IOHandler *fd_read, IOHandler *fd_write,
                         void *opaque)
{
    FdSource *s;

    g_assert(fd >= 0);
    if (!fd_sources) {
        fd_sources = g_hash_table_new_full(NULL, NULL, NULL, fd_source_free);
    }
    if (!fd_read && !fd_write) {
        g_hash_table_remove(fd_sources, GINT_TO_POINTER(fd));
        return;
    }
    s = g_hash_table_lookup(fd_sources, GINT_TO_POINTER(fd));
    s = s ? s : fd_source_new(fd);
    s->fd_read = fd_read;
    s->fd_write = fd_write;
    s->opaque = opaque;
    g_source_modify_unix_fd(&s->source, s->tag,
                            (fd_read ? G_IO_IN : 0) | (fd_write ? G_IO_OUT : 0));
}

/* --- bottom halves ------------------------------------------------------- */

/* Scheduled means: its ready time is 0, which GLib sets under its own lock. */
struct QEMUBH {
    GSource source;
    QEMUBHFunc *cb;
    void *opaque;
};

static gboolean bh_dispatch(GSource *source, GSourceFunc fn, gpointer data)
{
    QEMUBH *bh = (QEMUBH *)source;

    g_source_set_ready_time(source, -1);
    bh->cb(bh->opaque);
    return G_SOURCE_CONTINUE;
}

static GSourceFuncs bh_source_funcs = { .dispatch = bh_dispatch };

QEMUBH *qemu_bh_new(QEMUBHFunc *cb, void *opaque)
{
    QEMUBH *bh = (QEMUBH *)g_source_new(&bh_source_funcs, sizeof(QEMUBH));

    bh->cb = cb;
    bh->opaque = opaque;
    g_source_attach(&bh->source, NULL);
    return bh;
}

void qemu_bh_schedule(QEMUBH *bh)
{
    g_source_set_ready_time(&bh->source, 0);
}

void qemu_bh_cancel(QEMUBH *bh)
{
    g_source_set_ready_time(&bh->source, -1);
}

void qemu_bh_delete(QEMUBH *bh)
{
    g_source_destroy(&bh->source);
    g_source_unref(&bh->source);
}
