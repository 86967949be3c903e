/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Descriptors of character devices in turns of an I/O thread (char-turns.h). A turn
 * cannot ask, as the main loop does before it polls, whether the front end takes
 * input: it finds out when there is some, and then polls no more until the front
 * end says that it does. Nor can it forget a descriptor; so who has paused the
 * thread has everything polled once, and the next turn stops what is not wanted.
 *
 * It must never leave a closed descriptor with the thread.
 */
#include "qemu/osdep.h"

#include "char-turns.h"

static int write_fd(Chardev *chr)
{
    ChardevClass *cc = CHARDEV_GET_CLASS(chr);

    return cc->chr_write_fd ? cc->chr_write_fd(chr) : -1;
}

static void on_readable(void *opaque)
{
    Chardev *chr = opaque;
    int max = qemu_chr_be_can_write(chr);

    if (max > 0 && chr->read_fd >= 0) {
        chr->read(chr, max);
    } else {
        chr->turns_read = false;
        chardev_turns_update(chr);
    }
}

static void tell_of_room(Chardev *chr)
{
    CharBackend *be = chr->be;

    if (be && be->room) {
        g_steal_pointer(&be->room)(be->opaque);
    }
}

static void on_writable(void *opaque)
{
    tell_of_room(opaque);
    chardev_turns_update(opaque);
}

static void set_handlers(Chardev *chr, int fd)
{
    bool all = !aio_in_turn();
    bool reads = fd == chr->read_fd && (all || chr->turns_read);
    bool writes = fd == write_fd(chr) && (all || (chr->be && chr->be->room));

    aio_set_fd_handler(chr->ctx, fd, reads ? on_readable : NULL,
                       writes ? on_writable : NULL, chr);
}

void chardev_turns_forget(Chardev *chr)
{
    for (unsigned i = 0; chr->ctx && i < ARRAY_SIZE(chr->turn_fds); i++) {
        if (chr->turn_fds[i] >= 0) {
            aio_set_fd_handler(chr->ctx, chr->turn_fds[i], NULL, NULL, NULL);
            chr->turn_fds[i] = -1;
        }
    }
}

void chardev_turns_update(Chardev *chr)
{
    if (!chr->ctx) {
        return;
    }
    if (!aio_in_turn()) {
        int out = write_fd(chr);

        chardev_turns_forget(chr);
        chr->turn_fds[0] = chr->read_fd;
        chr->turn_fds[1] = out == chr->read_fd ? -1 : out;
        chr->turns_read = true;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(chr->turn_fds); i++) {
        if (chr->turn_fds[i] >= 0) {
            set_handlers(chr, chr->turn_fds[i]);
        }
    }
}

bool chardev_turns_await_room(Chardev *chr, FERoomHandler *room)
{
    if (!chr->be_open || write_fd(chr) < 0) {
        return false;
    }
    chr->be->room = room;
    chardev_turns_update(chr);
    return true;
}

void chardev_turns_accept_input(Chardev *chr)
{
    if (!chr->turns_read) {
        chr->turns_read = true;
        chardev_turns_update(chr);
    }
}

void chardev_turns_hang_up(Chardev *chr)
{
    if (chr->ctx) {
        tell_of_room(chr);
    }
}
