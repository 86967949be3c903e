/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The front ends' side of character devices (chardev/char-fe.h). Used by the
 * serial port, the monitors, qtest and the mux. It must never wait.
 */
#include "qemu/osdep.h"

#include "char-turns.h"
#include "qemu/sandbox-need.h"

bool qemu_chr_fe_init(CharBackend *b, Chardev *s, Error **errp)
{
    ChardevClass *cc;

    if (!s) {
        return true;
    }
    g_assert(!b->chr);
    cc = CHARDEV_GET_CLASS(s);
    if (cc->chr_attach) {
        if (!cc->chr_attach(s, b, errp)) {
            return false;
        }
    } else if (s->be) {
        error_setg(errp, "chardev '%s' is already in use: only one with mux=on "
                   "can be shared", s->label);
        return false;
    } else {
        s->be = b;
    }
    b->chr = s;
    s->nr_front_ends++;
    return true;
}

void qemu_chr_fe_deinit(CharBackend *b, bool del)
{
    Chardev *chr = b->chr;
    ChardevClass *cc;

    if (!chr) {
        return;
    }
    cc = CHARDEV_GET_CLASS(chr);
    qemu_chr_fe_cancel_room(b);
    qemu_chr_fe_set_handlers(b, NULL, NULL, NULL, NULL, NULL, NULL, false);
    if (cc->chr_detach) {
        cc->chr_detach(chr, b);
    } else {
        chr->be = NULL;
    }
    b->chr = NULL;
    chr->nr_front_ends--;
    if (del) {
        object_unparent(OBJECT(chr));
    }
}

bool qemu_chr_fe_backend_open(CharBackend *b)
{
    return b->chr && b->chr->be_open;
}

void qemu_chr_fe_set_handlers(CharBackend *b, IOCanReadHandler *fd_can_read,
                              IOReadHandler *fd_read, IOEventHandler *fd_event,
                              BackendChangeHandler *be_change, void *opaque,
                              GMainContext *context, bool set_open)
{
    g_assert(!context);
    if (!b->chr) {
        return;
    }
    b->opaque = opaque;
    b->chr_event = fd_event;
    b->chr_be_change = be_change;
    b->chr_can_read = fd_can_read;
    b->chr_read = fd_read;
    /* The loop asks can_read before it polls; from another thread, anew. */
    qemu_notify_event();
    if (set_open) {
        qemu_chr_fe_take_focus(b);
        if (b->chr->be_open && b->chr_event) {
            b->chr_event(b->opaque, CHR_EVENT_OPENED);
        }
    }
}

bool qemu_chr_fe_set_aio_context(CharBackend *b, AioContext *ctx, Error **errp)
{
    Chardev *chr = b->chr;

    if (!chr || chr->ctx == ctx) {
        return true;
    }
    if (CHARDEV_GET_CLASS(chr)->chr_attach) {
        error_setg(errp, "chardev '%s' is shared (mux=on), which only the main "
                   "loop can do; one without mux=on is possible", chr->label);
        return false;
    }
    if (ctx) {
        sandbox_need(SANDBOX_CHANNEL);
    }
    chardev_set_aio_context(chr, ctx);
    return true;
}

void qemu_chr_fe_set_open(CharBackend *b, bool open)
{
    b->closed = !open;
}

void qemu_chr_fe_accept_input(CharBackend *b)
{
    ChardevClass *cc;

    if (!b->chr) {
        return;
    }
    if (b->chr->ctx) {
        chardev_turns_accept_input(b->chr);
        return;
    }
    cc = CHARDEV_GET_CLASS(b->chr);
    if (cc->chr_accept_input) {
        cc->chr_accept_input(b->chr);
    }
    qemu_notify_event();
}

void qemu_chr_fe_take_focus(CharBackend *b)
{
    ChardevClass *cc = b->chr ? CHARDEV_GET_CLASS(b->chr) : NULL;

    if (cc && cc->chr_take_focus) {
        cc->chr_take_focus(b->chr, b);
    }
}

/* --- output -------------------------------------------------------------- */

int qemu_chr_fe_write(CharBackend *b, const uint8_t *buf, int len)
{
    ChardevClass *cc = b->chr ? CHARDEV_GET_CLASS(b->chr) : NULL;
    int n;

    if (!cc || len <= 0) {
        return len;
    }
    n = cc->chr_write && b->chr->be_open ? cc->chr_write(b->chr, buf, len)
                                         : len;
    chardev_log(b->chr, buf, n);
    return n;
}

/* The chardev that really writes, behind those that are shared; or NULL. */
static Chardev *output_of(Chardev *chr)
{
    while (chr && CHARDEV_GET_CLASS(chr)->chr_output) {
        chr = CHARDEV_GET_CLASS(chr)->chr_output(chr)->chr;
    }
    return chr && chr->be_open ? chr : NULL;
}

guint qemu_chr_fe_add_watch(CharBackend *be, GIOCondition cond,
                            FEWatchFunc *func, void *user_data)
{
    Chardev *output = be->chr ? output_of(be->chr) : NULL;

    return output ? chardev_watch_add(output, cond, func, user_data) : 0;
}

static gboolean main_loop_room(void *do_not_use, GIOCondition cond,
                               void *opaque)
{
    CharBackend *b = opaque;

    b->room_watch = 0;
    g_steal_pointer(&b->room)(b->opaque);
    return G_SOURCE_REMOVE;
}

bool qemu_chr_fe_await_room(CharBackend *b, FERoomHandler *room)
{
    if (b->chr && b->chr->ctx) {
        return chardev_turns_await_room(b->chr, room);
    }
    b->room_watch = qemu_chr_fe_add_watch(b, G_IO_OUT | G_IO_HUP,
                                          main_loop_room, b);
    b->room = b->room_watch ? room : NULL;
    return b->room;
}

void qemu_chr_fe_cancel_room(CharBackend *b)
{
    b->room = NULL;
    if (b->room_watch) {
        g_source_remove(b->room_watch);
        b->room_watch = 0;
    }
}

/* --- the rest ------------------------------------------------------------ */

void qemu_chr_fe_set_echo(CharBackend *be, bool echo)
{
    ChardevClass *cc = be->chr ? CHARDEV_GET_CLASS(be->chr) : NULL;

    if (cc && cc->chr_set_echo) {
        cc->chr_set_echo(be->chr, echo);
    }
}

void qemu_chr_fe_disconnect(CharBackend *be)
{
    ChardevClass *cc = be->chr ? CHARDEV_GET_CLASS(be->chr) : NULL;

    if (cc && cc->chr_disconnect) {
        cc->chr_disconnect(be->chr);
    }
}

int qemu_chr_fe_get_socket(CharBackend *be)
{
    ChardevClass *cc = be->chr ? CHARDEV_GET_CLASS(be->chr) : NULL;

    return cc && cc->chr_get_socket ? cc->chr_get_socket(be->chr) : -1;
}

int qemu_chr_fe_get_msgfd(CharBackend *be)
{
    ChardevClass *cc = be->chr ? CHARDEV_GET_CLASS(be->chr) : NULL;

    return cc && cc->chr_get_msg_fd ? cc->chr_get_msg_fd(be->chr) : -1;
}

void qemu_chr_fe_discard_msgfds(CharBackend *be)
{
    int fd;

    while ((fd = qemu_chr_fe_get_msgfd(be)) >= 0) {
        close(fd);
    }
}
