/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Secrets (-object secret) for who has to have them. Main thread. */
#ifndef SYSEMU_SECRET_H
#define SYSEMU_SECRET_H

#include <json-glib/json-glib.h>

#include "qapi/error.h"

/* What the secret @id was made of, as object-add has it, for another program
 * that needs it; json_object_unref(). NULL: *errp, there is none. */
JsonObject *secret_options(const char *id, Error **errp);

#endif
