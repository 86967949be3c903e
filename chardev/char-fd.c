/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What stdio, file and pipe have in common: reading and writing descriptors
 * that nobody connects to (chardev/char-fd.h).
 */
#include "qemu/osdep.h"

#include "char-fd.h"
#include "qemu/error-report.h"

static void fd_chardev_read(Chardev *chr, int max)
{
    FDChardev *f = FD_CHARDEV(chr);
    ssize_t n = qemu_chr_be_read_fd(chr, f->fd_in, max);

    /* The end of the input is not the end of the output. */
    if (n == 0 || (n < 0 && errno != EAGAIN)) {
        chardev_read_stop(chr);
    }
}

static void fd_chardev_rest(Chardev *chr)
{
    FDChardev *f = FD_CHARDEV(chr);

    if (f->write_error) {
        error_report("chardev '%s': cannot write to '%s', output is dropped "
                     "from now on: %s", chr->label, chr->filename,
                     g_strerror(f->write_error));
        f->write_error = 0;
    }
}

static int fd_chardev_write(Chardev *chr, const uint8_t *buf, int len)
{
    FDChardev *f = FD_CHARDEV(chr);
    int n = f->broken ? len : qemu_chr_write_fd(f->fd_out, buf, len);

    if (n < 0 && errno != EAGAIN) {
        f->broken = true;
        f->write_error = errno;
        if (aio_in_turn()) {
            chardev_rest_later(chr);
        } else {
            fd_chardev_rest(chr);
        }
        return len;
    }
    return n;
}

static int fd_chardev_write_fd(Chardev *chr)
{
    FDChardev *f = FD_CHARDEV(chr);

    return f->broken ? -1 : f->fd_out;
}

void fd_chardev_start(Chardev *chr, int fd_in, int fd_out)
{
    FDChardev *f = FD_CHARDEV(chr);

    f->fd_in = fd_in;
    f->fd_out = fd_out;
    if (fd_in >= 0) {
        chardev_read_start(chr, fd_in, fd_chardev_read);
    }
    qemu_chr_be_event(chr, CHR_EVENT_OPENED);
}

static void fd_chardev_init(Object *obj)
{
    FDChardev *f = FD_CHARDEV(obj);

    f->fd_in = -1;
    f->fd_out = -1;
}

static void fd_chardev_finalize(Object *obj)
{
    FDChardev *f = FD_CHARDEV(obj);

    chardev_read_stop(&f->parent_obj);
    chardev_watches_hang_up(&f->parent_obj);
    if (f->fd_in >= 0) {
        close(f->fd_in);
    }
    if (f->fd_out >= 0 && f->fd_out != f->fd_in) {
        close(f->fd_out);
    }
}

static void fd_chardev_class_init(ObjectClass *klass, void *data)
{
    ChardevClass *cc = CHARDEV_CLASS(klass);

    cc->chr_write = fd_chardev_write;
    cc->chr_write_fd = fd_chardev_write_fd;
    cc->chr_rest = fd_chardev_rest;
}

static const TypeInfo fd_chardev_types[] = {
    {
        .name = TYPE_CHARDEV_FD,
        .parent = TYPE_CHARDEV,
        .abstract = true,
        .instance_size = sizeof(FDChardev),
        .instance_init = fd_chardev_init,
        .instance_finalize = fd_chardev_finalize,
        .class_init = fd_chardev_class_init,
    },
};

DEFINE_TYPES(fd_chardev_types)
