/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Descriptors of character devices in the main loop: input that is polled only
 * while the front end takes some, and watches that wait for room for output.
 * It must never leave a closed descriptor with the main loop.
 */
#include "qemu/osdep.h"

#include "chardev/char.h"

/* --- input --------------------------------------------------------------- */

struct ChardevInput {
    GSource source;
    Chardev *chr;
    int fd;
    gpointer tag;                         /* NULL: not polled now */
    void (*handler)(Chardev *chr, int max);
};

static gboolean input_prepare(GSource *source, gint *timeout)
{
    ChardevInput *in = (ChardevInput *)source;
    bool wanted = qemu_chr_be_can_write(in->chr) > 0;

    /* Polled but unread, a peer that has hung up would keep the loop busy. */
    if (wanted && !in->tag) {
        in->tag = g_source_add_unix_fd(source, in->fd,
                                       G_IO_IN | G_IO_HUP | G_IO_ERR);
    } else if (!wanted && in->tag) {
        g_source_remove_unix_fd(source, in->tag);
        in->tag = NULL;
    }
    *timeout = -1;
    return FALSE;
}

static gboolean input_dispatch(GSource *source, GSourceFunc fn, gpointer data)
{
    ChardevInput *in = (ChardevInput *)source;
    int max = qemu_chr_be_can_write(in->chr);

    if (max > 0) {
        in->handler(in->chr, max);
    }
    return G_SOURCE_CONTINUE;
}

static GSourceFuncs input_funcs = {
    .prepare = input_prepare,
    .dispatch = input_dispatch,
};

ChardevInput *chardev_input_new(Chardev *chr, int fd,
                                void (*handler)(Chardev *chr, int max))
{
    GSource *source = g_source_new(&input_funcs, sizeof(ChardevInput));
    ChardevInput *in = (ChardevInput *)source;

    in->chr = chr;
    in->fd = fd;
    in->handler = handler;
    g_source_attach(source, NULL);
    return in;
}

void chardev_input_free(ChardevInput *in)
{
    if (in) {
        g_source_destroy(&in->source);
        g_source_unref(&in->source);
    }
}

/* --- watches ------------------------------------------------------------- */

struct ChardevWatch {
    GSource source;
    Chardev *chr;                         /* NULL: it has hung up */
    gpointer tag;
    QLIST_ENTRY(ChardevWatch) next;
};

static gboolean watch_dispatch(GSource *source, GSourceFunc fn, gpointer data)
{
    ChardevWatch *w = (ChardevWatch *)source;
    FEWatchFunc *func = (FEWatchFunc *)(void (*)(void))fn;
    GIOCondition cond = w->chr ? g_source_query_unix_fd(source, w->tag)
                               : G_IO_HUP;

    g_source_set_ready_time(source, -1);
    return func(NULL, cond, data);
}

static void watch_finalize(GSource *source)
{
    ChardevWatch *w = (ChardevWatch *)source;

    if (w->chr) {
        QLIST_REMOVE(w, next);
    }
}

static GSourceFuncs watch_funcs = {
    .dispatch = watch_dispatch,
    .finalize = watch_finalize,
};

guint chardev_watch_add(Chardev *chr, GIOCondition cond, FEWatchFunc *func,
                        void *user_data)
{
    ChardevClass *cc = CHARDEV_GET_CLASS(chr);
    int fd = cc->chr_write_fd ? cc->chr_write_fd(chr) : -1;
    GSource *source;
    ChardevWatch *w;
    guint id;

    if (fd < 0) {
        return 0;
    }
    source = g_source_new(&watch_funcs, sizeof(ChardevWatch));
    w = (ChardevWatch *)source;
    w->chr = chr;
    w->tag = g_source_add_unix_fd(source, fd, cond | G_IO_ERR);
    QLIST_INSERT_HEAD(&chr->watches, w, next);
    g_source_set_callback(source, (GSourceFunc)(void (*)(void))func, user_data,
                          NULL);
    id = g_source_attach(source, NULL);
    g_source_unref(source);
    return id;
}

void chardev_watches_hang_up(Chardev *chr)
{
    ChardevWatch *w, *next;

    QLIST_FOREACH_SAFE(w, &chr->watches, next, next) {
        QLIST_REMOVE(w, next);
        w->chr = NULL;
        if (!g_source_is_destroyed(&w->source)) {
            g_source_remove_unix_fd(&w->source, w->tag);
            g_source_set_ready_time(&w->source, 0);
        }
    }
}
