/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -chardev pty: a pseudo terminal, whose other end (its name is printed) any
 * terminal program may open and leave again. The kernel tells that somebody is
 * there only when asked, so while nobody is, it is asked twice a second.
 */
#include "qemu/osdep.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <termios.h>

#include "chardev/char.h"
#include "qemu/cutils.h"
#include "qemu/timer.h"

#define PTY_LOOK_MS 500

typedef struct PtyChardev {
    Chardev parent_obj;

    int fd;                               /* the master; -1: not open */
    bool gone;                            /* who was there, as a turn found */
    QEMUTimer *look;                      /* while nobody is */
} PtyChardev;

DECLARE_INSTANCE_CHECKER(PtyChardev, PTY_CHARDEV, TYPE_CHARDEV_PTY)

static void pty_look_later(PtyChardev *p)
{
    timer_mod(p->look, qemu_clock_get_ms(QEMU_CLOCK_REALTIME) + PTY_LOOK_MS);
}

static void pty_disconnected(PtyChardev *p)
{
    Chardev *chr = CHARDEV(p);

    p->gone = false;
    chardev_read_stop(chr);
    chardev_watches_hang_up(chr);
    pty_look_later(p);
    qemu_chr_be_event(chr, CHR_EVENT_CLOSED);
}

static bool pty_has_peer(PtyChardev *p)
{
    struct pollfd poll_fd = { .fd = p->fd };

    return qemu_poll_ms(&poll_fd, 1, 0) == 0;
}

static void pty_read(Chardev *chr, int max)
{
    PtyChardev *p = PTY_CHARDEV(chr);
    ssize_t n = qemu_chr_be_read_fd(chr, p->fd, max);

    if (n > 0 || (n < 0 && errno == EAGAIN)) {
        return;
    }
    if (aio_in_turn()) {
        p->gone = true;
        chardev_read_stop(chr);
        chardev_rest_later(chr);
    } else {
        pty_disconnected(p);
    }
}

static void pty_rest(Chardev *chr)
{
    PtyChardev *p = PTY_CHARDEV(chr);

    if (p->gone) {
        pty_disconnected(p);
    }
}

static void pty_look(void *opaque)
{
    PtyChardev *p = opaque;
    Chardev *chr = CHARDEV(p);

    if (!pty_has_peer(p)) {
        pty_look_later(p);
        return;
    }
    aio_context_pause(chr->ctx);
    chardev_read_start(chr, p->fd, pty_read);
    qemu_chr_be_event(chr, CHR_EVENT_OPENED);
    aio_context_resume(chr->ctx);
}

static int pty_write(Chardev *chr, const uint8_t *buf, int len)
{
    PtyChardev *p = PTY_CHARDEV(chr);
    int n;

    /* What nobody reads would stay in the kernel until it is full. */
    if (!pty_has_peer(p)) {
        return len;
    }
    n = qemu_chr_write_fd(p->fd, buf, len);
    return n < 0 && errno != EAGAIN ? len : n;
}

static int pty_write_fd(Chardev *chr)
{
    return PTY_CHARDEV(chr)->fd;
}

static bool pty_open(Chardev *chr, Error **errp)
{
    PtyChardev *p = PTY_CHARDEV(chr);
    struct termios tty;
    int slave;

    if (openpty(&p->fd, &slave, NULL, NULL, NULL) < 0) {
        p->fd = -1;
        error_setg_errno(errp, errno, "cannot create a pseudo terminal for "
                         "chardev '%s'", chr->label);
        return false;
    }
    fcntl(p->fd, F_SETFD, FD_CLOEXEC);
    fcntl(p->fd, F_SETFL, fcntl(p->fd, F_GETFL) | O_NONBLOCK);
    if (tcgetattr(slave, &tty) == 0) {
        cfmakeraw(&tty);
        tcsetattr(slave, TCSANOW, &tty);
    }
    chr->filename = g_strdup_printf("pty:%s", ptsname(p->fd));
    close(slave);
    printf("char device redirected to %s (label %s)\n", ptsname(p->fd),
           chr->label);
    fflush(stdout);
    p->look = timer_new_ms(QEMU_CLOCK_REALTIME, pty_look, p);
    pty_look_later(p);
    return true;
}

static void pty_init(Object *obj)
{
    PTY_CHARDEV(obj)->fd = -1;
}

static void pty_finalize(Object *obj)
{
    PtyChardev *p = PTY_CHARDEV(obj);

    chardev_read_stop(CHARDEV(obj));
    chardev_watches_hang_up(CHARDEV(obj));
    timer_free(p->look);
    if (p->fd >= 0) {
        close(p->fd);
    }
}

static void pty_class_init(ObjectClass *klass, void *data)
{
    ChardevClass *cc = CHARDEV_CLASS(klass);

    cc->backend = "pty";
    cc->help = "a pseudo terminal; its name is printed";
    cc->open = pty_open;
    cc->chr_write = pty_write;
    cc->chr_write_fd = pty_write_fd;
    cc->chr_rest = pty_rest;
}

static const TypeInfo pty_types[] = {
    {
        .name = TYPE_CHARDEV_PTY,
        .parent = TYPE_CHARDEV,
        .instance_size = sizeof(PtyChardev),
        .instance_init = pty_init,
        .instance_finalize = pty_finalize,
        .class_init = pty_class_init,
    },
};

DEFINE_TYPES(pty_types)
