/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What making a character device and exchanging it have in common: char-parse.c
 * has it, char-change.c uses it. Nobody else includes it.
 */
#ifndef CHARDEV_CHAR_MAKE_H
#define CHARDEV_CHAR_MAKE_H

#include "chardev/char.h"

/* The parent of all that have a place in the tree. */
Object *chardevs_root(void);
/* As qemu_chr_new_from_json(), without an id in @opts; what comes of it has no
 * parent, and is the caller's (object_unref()). It cannot be shared. */
Chardev *chardev_open_from_props(const char *label, JsonObject *opts,
                                 bool keyval, Error **errp);

/* A copy, the caller's; members are shared. */
JsonObject *chardev_copy_options(JsonObject *obj);
/* Takes the string @name out of @props (g_free()); NULL if it is none. */
char *chardev_take_string(JsonObject *props, const char *name);

#endif
