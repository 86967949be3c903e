/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What management clients are told of a refusal, wherever they ask.
 */
#ifndef MONITOR_RAM_DISCARD_H
#define MONITOR_RAM_DISCARD_H

#include <json-glib/json-glib.h>

#include "exec/ram-discard.h"

/* What "last-refusal" has of @refusal, of which there was one: reason, kind,
 * offset, size, needed, used and limit if it was a limit (bytes), count,
 * standing, seconds-ago; the caller's. */
JsonObject *ram_discard_refusal_info(const RamDiscardRefusal *refusal);

#endif
