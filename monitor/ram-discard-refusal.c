/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Refused plugs as management clients see them: "last-refusal" of two queries,
 * and the event RAM_DISCARD_REFUSED, thinned out per region.
 */
#include "qemu/osdep.h"

#include "monitor/ram-discard.h"
#include "qapi/client-event.h"

/* What queries and the event have in common. */
static JsonObject *refusal_new(const RamDiscardRefusal *refusal)
{
    JsonObject *info = json_object_new();

    json_object_set_string_member(info, "reason", refusal->reason);
    json_object_set_string_member(info, "kind", refusal->kind);
    json_object_set_int_member(info, "offset", (gint64)refusal->offset);
    json_object_set_int_member(info, "size", (gint64)refusal->size);
    if (refusal->limit.limit) {
        json_object_set_int_member(info, "needed",
                                   (gint64)refusal->limit.needed);
        json_object_set_int_member(info, "used", (gint64)refusal->limit.used);
        json_object_set_int_member(info, "limit",
                                   (gint64)refusal->limit.limit);
    }
    return info;
}

JsonObject *ram_discard_refusal_info(const RamDiscardRefusal *refusal)
{
    JsonObject *info = refusal_new(refusal);
    gint64 age = g_get_monotonic_time() - refusal->time;

    json_object_set_int_member(info, "count", (gint64)refusal->count);
    json_object_set_boolean_member(info, "standing", refusal->standing);
    json_object_set_int_member(info, "seconds-ago", age / G_USEC_PER_SEC);
    return info;
}

static JsonObject *event_data(void *source)
{
    const RamDiscardState *s = source;
    JsonObject *data = refusal_new(&s->refusal);

    json_object_set_string_member(data, "region", memory_region_name(s->mr));
    return data;
}

static void emit_refused(RamDiscardObserver *observer, RamDiscardState *s)
{
    qapi_event_emit_thinned("RAM_DISCARD_REFUSED", event_data, s);
}

static void forget_region(RamDiscardObserver *observer, RamDiscardState *s)
{
    qapi_event_forget_source(s);
}

static RamDiscardObserver refusal_observer = {
    .refused = emit_refused,
    .gone = forget_region,
};

static void refusal_observer_register(void)
{
    ram_discard_observer_add(&refusal_observer);
}
type_init(refusal_observer_register)
