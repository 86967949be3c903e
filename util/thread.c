/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Threads with a kind and a name (qemu/thread.h), and the way to have each of
 * them do something by itself. Credentials and system call filters belong to
 * one thread: no other can set them, and all threads are not of one kind.
 */
#include "qemu/osdep.h"

#include <semaphore.h>
#include <signal.h>
#include <sys/syscall.h>

#include "qemu/queue.h"
#include "qemu/thread.h"

/* Has a thread confine itself; nobody else uses it. */
#define SIG_CONFINE SIGUSR2
#define NAME_SIZE 16                      /* as the kernel's, with its NUL */

typedef struct QemuThread {
    QemuThreadKind kind;
    char name[NAME_SIZE];
    pid_t tid;                            /* 0: it does not run yet */
    GThreadFunc fn;
    void *data;
    QTAILQ_ENTRY(QemuThread) next;
} QemuThread;

static __thread QemuThread *self;         /* NULL: the main thread */

static GMutex threads_lock;               /* of what follows */
static QTAILQ_HEAD(, QemuThread) threads = QTAILQ_HEAD_INITIALIZER(threads);
static GCond thread_runs;                 /* one more has a tid */
static QemuThreadFunc *confine;
/* Posted by each thread that was sent SIG_CONFINE. */
static sem_t confined;

QemuThreadKind qemu_thread_kind(void)
{
    return self ? self->kind : QEMU_THREAD_MAIN;
}

const char *qemu_thread_name(void)
{
    return self ? self->name : "main";
}

unsigned qemu_num_processors(void)
{
    static unsigned nr;

    if (!__atomic_load_n(&nr, __ATOMIC_RELAXED)) {
        __atomic_store_n(&nr, g_get_num_processors(), __ATOMIC_RELAXED);
    }
    return __atomic_load_n(&nr, __ATOMIC_RELAXED);
}

/* --- life --- */

/* All signals but those that what the thread itself did brings about. */
static void asynchronous_signals(sigset_t *set)
{
    static const int synchronous[] = {
        SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS, SIGTRAP,
    };

    sigfillset(set);
    sigdelset(set, SIG_CONFINE);
    for (size_t i = 0; i < ARRAY_SIZE(synchronous); i++) {
        sigdelset(set, synchronous[i]);
    }
}

static void add(QemuThread *thread)
{
    g_mutex_lock(&threads_lock);
    QTAILQ_INSERT_TAIL(&threads, thread, next);
    g_mutex_unlock(&threads_lock);
}

static void remove_and_free(QemuThread *thread)
{
    g_mutex_lock(&threads_lock);
    QTAILQ_REMOVE(&threads, thread, next);
    g_mutex_unlock(&threads_lock);
    g_free(thread);
}

/* What the thread is to do first. NULL: nothing; it may be sent a signal. */
static QemuThreadFunc *enter(QemuThread *thread)
{
    QemuThreadFunc *fn;

    g_mutex_lock(&threads_lock);
    thread->tid = syscall(SYS_gettid);
    g_cond_signal(&thread_runs);
    fn = confine;
    g_mutex_unlock(&threads_lock);
    return fn;
}

static gpointer run(gpointer opaque)
{
    QemuThread *thread = opaque;
    QemuThreadFunc *fn;
    gpointer result;

    self = thread;
    fn = enter(thread);
    if (fn) {
        fn(thread->kind, true);
    }
    result = thread->fn(thread->data);
    self = NULL;
    remove_and_free(thread);
    return result;
}

GThread *qemu_thread_try_new(QemuThreadKind kind, const char *name,
                             GThreadFunc fn, void *data, Error **errp)
{
    QemuThread *thread = g_new0(QemuThread, 1);
    g_autoptr(GError) err = NULL;
    sigset_t all, before;
    GThread *started;

    thread->kind = kind;
    thread->fn = fn;
    thread->data = data;
    g_strlcpy(thread->name, name, sizeof(thread->name));
    add(thread);
    asynchronous_signals(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    started = g_thread_try_new(name, run, thread, &err);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!started) {
        error_setg(errp, "cannot start a thread: %s", err->message);
        remove_and_free(thread);
    }
    return started;
}

/* --- confinement --- */

static void on_confine(int signal)
{
    int saved_errno = errno;

    if (self) {                           /* else it is about to end */
        confine(self->kind, false);
    }
    sem_post(&confined);
    errno = saved_errno;
}

static bool all_run(void)
{
    QemuThread *thread;

    QTAILQ_FOREACH(thread, &threads, next) {
        if (!thread->tid) {
            return false;
        }
    }
    return true;
}

void qemu_threads_confine(QemuThreadFunc *fn)
{
    struct sigaction action = {
        .sa_handler = on_confine,
        .sa_flags = SA_RESTART,
    };
    QemuThread *thread;

    sem_init(&confined, 0, 0);
    sigaction(SIG_CONFINE, &action, NULL);
    /* As long as this holds the lock, none of them can end. */
    g_mutex_lock(&threads_lock);
    g_assert(!self && !confine);
    while (!all_run()) {
        g_cond_wait(&thread_runs, &threads_lock);
    }
    confine = fn;
    QTAILQ_FOREACH(thread, &threads, next) {
        syscall(SYS_tgkill, getpid(), thread->tid, SIG_CONFINE);
        while (sem_wait(&confined) < 0) {
            g_assert(errno == EINTR);
        }
    }
    g_mutex_unlock(&threads_lock);
    signal(SIG_CONFINE, SIG_IGN);
}
