/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Character devices that are one or two descriptors: stdio, file, pipe. For
 * chardev/ only.
 */
#ifndef CHARDEV_CHAR_FD_H
#define CHARDEV_CHAR_FD_H

#include "chardev/char.h"

typedef struct FDChardev {
    Chardev parent_obj;

    int fd_in;                            /* -1: none */
    int fd_out;                           /* may be the same */
    bool broken;                          /* output failed: it is dropped */
    int write_error;                      /* why, not said yet; or 0 */
} FDChardev;

DECLARE_INSTANCE_CHECKER(FDChardev, FD_CHARDEV, TYPE_CHARDEV_FD)

/* Takes over both descriptors, nonblocking ones, and opens the device. */
void fd_chardev_start(Chardev *chr, int fd_in, int fd_out);

#endif
