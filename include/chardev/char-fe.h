/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Character devices, as those who read and write them see them (the front
 * ends: serial port, monitor, qtest). A front end embeds a CharBackend, zeroed
 * until it is attached; all functions do nothing on one that is not attached.
 * Big lock held, but where it says otherwise. QEMU's names.
 */
#ifndef CHARDEV_CHAR_FE_H
#define CHARDEV_CHAR_FE_H

#include "qapi/error.h"
#include "qemu/aio-context.h"

typedef enum QEMUChrEvent {
    CHR_EVENT_BREAK,                      /* the peer sent a break */
    CHR_EVENT_OPENED,                     /* a peer is there */
    CHR_EVENT_MUX_IN,                     /* shared: input is now for you */
    CHR_EVENT_MUX_OUT,                    /* shared: ... for somebody else */
    CHR_EVENT_CLOSED,                     /* the peer has gone */
} QEMUChrEvent;

/* How many bytes the next read may bring; 0: none now. */
typedef int IOCanReadHandler(void *opaque);
/* @size is at most what can_read said; @buf is gone afterwards. */
typedef void IOReadHandler(void *opaque, const uint8_t *buf, int size);
typedef void IOEventHandler(void *opaque, QEMUChrEvent event);
/* The character device has been exchanged for another one (chardev-change):
 * call qemu_chr_fe_set_handlers() again, wait no more for the old one. Not 0:
 * it stays. */
typedef int BackendChangeHandler(void *opaque);
/* The peer takes more bytes, or has gone; now and then it is neither. Has what waits
 * written soon: it does not write itself. */
typedef void FERoomHandler(void *opaque);

typedef struct CharBackend {
    Chardev *chr;                         /* NULL: not attached */
    IOCanReadHandler *chr_can_read;
    IOReadHandler *chr_read;
    IOEventHandler *chr_event;
    BackendChangeHandler *chr_be_change;  /* NULL: it cannot be exchanged */
    void *opaque;
    FERoomHandler *room;                  /* awaits room; or NULL */
    guint room_watch;                     /* the main loop's; 0: none */
    unsigned tag;                         /* of those that share chr, which */
    bool closed;                          /* qemu_chr_fe_set_open() */
} CharBackend;

/* Attaches @b to @s, which it uses from now on; false and *errp if another
 * front end does, and @s is not shared (mux=on). @s NULL: does nothing. */
bool qemu_chr_fe_init(CharBackend *b, Chardev *s, Error **errp);
/* Detaches, and with @del deletes the chardev. A second call does nothing. */
void qemu_chr_fe_deinit(CharBackend *b, bool del);
static inline Chardev *qemu_chr_fe_get_driver(CharBackend *b)
{
    return b->chr;
}
/* Whether a peer is there. */
bool qemu_chr_fe_backend_open(CharBackend *b);

/*
 * Any handler may be NULL; without can_read and read nothing is read. With
 * @set_open a peer that is there already is announced, by OPENED, before this
 * returns. @context: NULL.
 */
void qemu_chr_fe_set_handlers(CharBackend *b, IOCanReadHandler *fd_can_read,
                              IOReadHandler *fd_read, IOEventHandler *fd_event,
                              BackendChangeHandler *be_change, void *opaque,
                              GMainContext *context, bool set_open);
/*
 * From now on can_read and read are called in turns of @ctx, which is paused
 * (qemu/aio-context.h), and so is who awaits room; the calls marked "In a turn, too"
 * may be made there. All else holds the big lock, with the thread paused: events
 * and exchanges come so. @ctx NULL: the main loop again. False and *errp: it cannot
 * be, because others share the chardev.
 */
bool qemu_chr_fe_set_aio_context(CharBackend *b, AioContext *ctx, Error **errp);
/* For people and query-chardev: whether somebody uses what the front end offers;
 * so it is if nothing is said. */
void qemu_chr_fe_set_open(CharBackend *b, bool open);
/* can_read says more than before. In a turn, too. */
void qemu_chr_fe_accept_input(CharBackend *b);
/* Input of a shared chardev goes to @b. */
void qemu_chr_fe_take_focus(CharBackend *b);

/*
 * Writes what can be written now: how many bytes, or -1 with errno (EAGAIN:
 * nothing now). Without a peer all is written, to nowhere. A peer that proves
 * to be gone is announced by CLOSED, later. In a turn, too.
 */
int qemu_chr_fe_write(CharBackend *b, const uint8_t *buf, int len);

/* Calls @room, with the handlers' opaque, once, when more can be written. False:
 * no peer that could be waited for. In a turn, too. */
bool qemu_chr_fe_await_room(CharBackend *b, FERoomHandler *room);
/* Whether it is still awaited. */
static inline bool qemu_chr_fe_awaits_room(const CharBackend *b)
{
    return b->room;
}
/* Not any more. */
void qemu_chr_fe_cancel_room(CharBackend *b);

typedef gboolean FEWatchFunc(void *do_not_use, GIOCondition condition,
                             void *data);
/*
 * In the main loop, whoever reads and writes: calls @func when the peer takes more
 * bytes (G_IO_OUT) or has gone (G_IO_HUP), until it returns G_SOURCE_REMOVE. A tag
 * for g_source_remove(), or 0: no peer that could be waited for.
 */
guint qemu_chr_fe_add_watch(CharBackend *be, GIOCondition cond,
                            FEWatchFunc *func, void *user_data);

/* The next descriptor that came with what is being read, or with what was read
 * last (SCM_RIGHTS), the caller's; -1: none. */
int qemu_chr_fe_get_msgfd(CharBackend *be);
/* Closes those that nobody has taken. */
void qemu_chr_fe_discard_msgfds(CharBackend *be);

/* For a front end that exchanges messages with the peer by itself: the peer's
 * socket, nonblocking, which stays the chardev's; what is read there is not told
 * by read. -1: there is no peer, or no socket. */
int qemu_chr_fe_get_socket(CharBackend *be);

/* Whether a terminal shows what is typed. */
void qemu_chr_fe_set_echo(CharBackend *be, bool echo);
/* Hangs up on the peer; a server waits for the next one. */
void qemu_chr_fe_disconnect(CharBackend *be);

#endif
