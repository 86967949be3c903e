/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Descriptors of character devices in the main loop: input that is polled only
 * while the front end takes some, and watches that wait for room for output; and
 * which loop it is, the main loop or an I/O thread's (char-turns.c).
 * It must never leave a closed descriptor with a loop.
 */
#include "qemu/osdep.h"

#include "char-turns.h"

/* --- input --------------------------------------------------------------- */

struct ChardevInput {
    GSource source;
    Chardev *chr;
    gpointer tag;                         /* NULL: not polled now */
};

static gboolean input_prepare(GSource *source, gint *timeout)
{
    ChardevInput *in = (ChardevInput *)source;
    bool wanted = qemu_chr_be_can_write(in->chr) > 0;

    /* Polled but unread, a peer that has hung up would keep the loop busy. */
    if (wanted && !in->tag) {
        in->tag = g_source_add_unix_fd(source, in->chr->read_fd,
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
        in->chr->read(in->chr, max);
    }
    return G_SOURCE_CONTINUE;
}

static GSourceFuncs input_funcs = {
    .prepare = input_prepare,
    .dispatch = input_dispatch,
};

static void input_free(ChardevInput *in)
{
    g_source_destroy(&in->source);
    g_source_unref(&in->source);
}

/* The main loop's part of it is made, or unmade. */
static void update_input(Chardev *chr)
{
    bool wanted = chr->read_fd >= 0 && !chr->ctx;

    if (wanted && !chr->input) {
        chr->input = (ChardevInput *)g_source_new(&input_funcs,
                                                  sizeof(ChardevInput));
        chr->input->chr = chr;
        g_source_attach(&chr->input->source, NULL);
    } else if (!wanted) {
        g_clear_pointer(&chr->input, input_free);
    }
}

void chardev_read_start(Chardev *chr, int fd, ChardevReadHandler *handler)
{
    chr->read_fd = fd;
    chr->read = handler;
    update_input(chr);
    chardev_turns_update(chr);
}

void chardev_read_stop(Chardev *chr)
{
    if (chr->read_fd >= 0) {
        chr->read_fd = -1;
        update_input(chr);
        chardev_turns_update(chr);
    }
}

void chardev_set_aio_context(Chardev *chr, AioContext *ctx)
{
    chardev_turns_forget(chr);
    chr->ctx = ctx;
    update_input(chr);
    chardev_turns_update(chr);
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
    chardev_turns_hang_up(chr);
}
