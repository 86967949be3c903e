/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a character device to its front end: input and events. Used by the kinds
 * of character device (chardev/char.h); the way back is char-fe.c. It must never
 * call a front end that has been detached.
 */
#include "qemu/osdep.h"

#include "chardev/char.h"
#include "qemu/units.h"

int qemu_chr_be_can_write(Chardev *chr)
{
    CharBackend *be = chr->be;

    return be && be->chr_can_read && be->chr_read ? be->chr_can_read(be->opaque)
                                                  : 0;
}

void qemu_chr_be_write(Chardev *chr, const uint8_t *buf, int len)
{
    CharBackend *be = chr->be;

    if (be && be->chr_read && len > 0) {
        be->chr_read(be->opaque, buf, len);
    }
}

void qemu_chr_be_event(Chardev *chr, QEMUChrEvent event)
{
    CharBackend *be = chr->be;

    if (event == CHR_EVENT_OPENED || event == CHR_EVENT_CLOSED) {
        chr->be_open = event == CHR_EVENT_OPENED;
    }
    if (be && be->chr_event) {
        be->chr_event(be->opaque, event);
    }
}

ssize_t qemu_chr_be_read_fd(Chardev *chr, int fd, int max)
{
    uint8_t buf[4 * KiB];
    ssize_t n;

    do {
        n = read(fd, buf, MIN((size_t)max, sizeof(buf)));
    } while (n < 0 && errno == EINTR);
    if (n > 0) {
        qemu_chr_be_write(chr, buf, n);
    }
    return n;
}

int qemu_chr_write_fd(int fd, const uint8_t *buf, int len)
{
    ssize_t n;

    do {
        n = write(fd, buf, len);
    } while (n < 0 && errno == EINTR);
    return n;
}
