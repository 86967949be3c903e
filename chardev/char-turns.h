/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Descriptors of character devices in turns of an I/O thread. For chardev/ only:
 * char-io.c for input, char-fe.c for front ends. Each does nothing for a chardev
 * that is the main loop's.
 */
#ifndef CHARDEV_CHAR_TURNS_H
#define CHARDEV_CHAR_TURNS_H

#include "chardev/char.h"

/* What is read or written, or is to be waited for, has changed. In a turn the
 * descriptors are the same as before, or none. */
void chardev_turns_update(Chardev *chr);
/* The thread, which is paused, knows none of them any more. */
void chardev_turns_forget(Chardev *chr);
/* As qemu_chr_fe_await_room() and _accept_input(). */
bool chardev_turns_await_room(Chardev *chr, FERoomHandler *room);
void chardev_turns_accept_input(Chardev *chr);
/* Who awaits room is called. */
void chardev_turns_hang_up(Chardev *chr);

#endif
