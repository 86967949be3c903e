/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one parser of options that read "key=value,key=value".
 *
 * Two commas are a comma within a value. A key without '=' means key=on, as
 * does "server" in -chardev; the first one may instead be the value of the
 * implied key, as the driver in "-device virtio-mem-pci,id=x". If a key is
 * repeated, the last value counts, unless the caller takes lists of it.
 */
#ifndef QEMU_KEYVAL_H
#define QEMU_KEYVAL_H

#include <json-glib/json-glib.h>

#include "qapi/error.h"

/*
 * All values are strings. @implied_key: NULL if there is none. *@help, if not
 * NULL, tells whether "help" or "?" is among the keys or is the implied value;
 * it is not a member then. NULL and *errp: an empty key. The caller's to
 * json_object_unref().
 */
JsonObject *keyval_parse(const char *params, const char *implied_key,
                         bool *help, Error **errp);
/* The same, but the values of the keys @lists, which a NULL ends, are arrays of
 * strings: of one, or as many as the key is repeated. */
JsonObject *keyval_parse_lists(const char *params, const char *implied_key,
                               const char *const *lists, bool *help,
                               Error **errp);

/*
 * A copy of @opts, whose values are text, numbers or booleans, with text as
 * keyval_parse() has it: QMP clients send numbers as numbers or as text, as
 * they please. NULL and *errp: a value is a list or an object.
 */
JsonObject *keyval_from_json(JsonObject *opts, Error **errp);

#endif
