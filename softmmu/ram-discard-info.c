/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What management clients are told of a RamDiscardState, wherever they ask:
 * query-memory-devices and query-ram-discard say the same of a refusal.
 */
#include "qemu/osdep.h"
#include "exec/ram-discard.h"

JsonObject *ram_discard_refusal_info(const RamDiscardRefusal *refusal)
{
    JsonObject *info = json_object_new();
    gint64 age = g_get_monotonic_time() - refusal->time;

    json_object_set_string_member(info, "reason",
                                  refusal->reason ?: strerror(-refusal->err));
    if (refusal->kind) {
        json_object_set_string_member(info, "kind", refusal->kind);
    }
    json_object_set_int_member(info, "offset", (gint64)refusal->offset);
    json_object_set_int_member(info, "size", (gint64)refusal->size);
    json_object_set_int_member(info, "count", (gint64)refusal->count);
    json_object_set_boolean_member(info, "standing", refusal->standing);
    json_object_set_int_member(info, "seconds-ago", age / G_USEC_PER_SEC);
    return info;
}
