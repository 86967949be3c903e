/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a memory controller tells: query-memory-controller, info
 * memory-controller, and its event.
 */
#include "qemu/osdep.h"

#include "controller.h"
#include "monitor/hmp.h"
#include "monitor/qmp.h"
#include "qemu/cutils.h"

/* --- JSON --- */

static void add_size(JsonObject *info, const char *name, uint64_t size)
{
    json_object_set_int_member(info, name, (gint64)size);
}

static uint64_t plugged(const DemandFigures *f)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < f->nr_devices; i++) {
        sum += f->devices[i].plugged;
    }
    return sum;
}

static const char *id_of(const MemoryController *mc)
{
    return object_get_canonical_path_component(OBJECT(mc));
}

static JsonObject *decision_info(const MemoryController *mc)
{
    const DemandDecision *d = &mc->decision;
    const char *refusal = d->reason == DEMAND_REFUSED
                          ? memory_controller_refusal(mc) : NULL;
    JsonObject *info = json_object_new();

    json_object_set_string_member(info, "reason",
                                  demand_reason_name(d->reason));
    json_object_set_string_member(info, "words", mc->words);
    if (refusal) {
        json_object_set_string_member(info, "refusal", refusal);
    }
    add_size(info, "requested", d->sum);
    add_size(info, "before", d->old_sum);
    json_object_set_boolean_member(info, "pressed", d->pressed);
    json_object_set_int_member(info, "seconds-ago",
                               (qemu_clock_get_ms(QEMU_CLOCK_VIRTUAL) -
                                mc->changed_ms) / 1000);
    return info;
}

JsonObject *memory_controller_event_data(void *opaque)
{
    const MemoryController *mc = opaque;
    const DemandDecision *d = &mc->decision;
    JsonObject *data = json_object_new();

    json_object_set_string_member(data, "id", id_of(mc));
    json_object_set_string_member(data, "reason",
                                  demand_reason_name(d->reason));
    json_object_set_string_member(data, "words", mc->words);
    add_size(data, "requested", d->sum);
    add_size(data, "plugged", plugged(&mc->figures));
    return data;
}

/* NULL: there are no figures. */
static JsonObject *guest_info(const DemandGuest *guest)
{
    JsonObject *info;

    if (guest->age_ms < 0 || guest->total > INT64_MAX ||
        guest->available > INT64_MAX) {
        return NULL;
    }
    info = json_object_new();
    add_size(info, "total", guest->total);
    add_size(info, "available", guest->available);
    return info;
}

static JsonObject *host_info(const DemandHost *host)
{
    JsonObject *info = json_object_new();

    json_object_set_double_member(info, "pressure", host->pressure / 10.0);
    if (host->room != UINT64_MAX) {
        add_size(info, "room", host->room);
    }
    return info;
}

static JsonArray *device_ids(const MemoryController *mc)
{
    JsonArray *ids = json_array_new();

    for (char **id = mc->device_ids; *id; id++) {
        json_array_add_string_element(ids, *id);
    }
    return ids;
}

static JsonObject *controller_info(MemoryController *mc)
{
    const DemandConfig *c = &mc->config;
    JsonObject *info = json_object_new(), *guest;

    json_object_set_string_member(info, "id", id_of(mc));
    json_object_set_array_member(info, "devices", device_ids(mc));
    add_size(info, "min", c->min);
    add_size(info, "max", c->max);
    json_object_set_double_member(info, "headroom", c->headroom / 10.0);
    json_object_set_int_member(info, "interval", c->interval_ms);
    json_object_set_int_member(info, "shrink-delay", c->shrink_delay_ms);
    json_object_set_int_member(info, "priority", c->priority);
    json_object_set_double_member(
        info, "pressure-limit", demand_pressure_limit(c->priority) / 10.0);
    json_object_set_boolean_member(info, "paused", mc->owner.paused);
    json_object_set_int_member(info, "grown", (gint64)mc->nr_grown);
    json_object_set_int_member(info, "shrunk", (gint64)mc->nr_shrunk);
    if (!mc->words) {
        return info;
    }
    add_size(info, "plugged", plugged(&mc->figures));
    if (mc->decision.wanted) {
        add_size(info, "target", mc->decision.wanted);
    }
    guest = guest_info(&mc->figures.guest);
    if (guest) {
        json_object_set_object_member(info, "guest", guest);
    }
    json_object_set_object_member(info, "host",
                                  host_info(&mc->figures.host));
    json_object_set_object_member(info, "decision", decision_info(mc));
    return info;
}

static int append_controller(Object *obj, void *opaque)
{
    if (object_dynamic_cast(obj, TYPE_MEMORY_CONTROLLER)) {
        json_array_add_object_element(
            opaque, controller_info(MEMORY_CONTROLLER(obj)));
    }
    return 0;
}

static JsonNode *qmp_query_memory_controller(JsonObject *args, Error **errp)
{
    JsonArray *array = json_array_new();

    object_child_foreach(object_get_objects_root(), append_controller, array);
    return json_array_node(array);
}

static const QmpType controller_types[] = {
    { .name = "MemoryControllerReason",
      .values = "in-band,below-band,guest-swaps,guest-faults,above-band,waiting,below-min,"
                "above-max,at-max,host-pressure,host-limit,refused,not-plugged,"
                "not-unplugged,no-driver,no-statistics,old-statistics,"
                "false-statistics",
      .help = "Why a memory controller requests what it does; docs/demand.md "
      "has each." },
    { .name = "MemoryControllerGuest", .members = "total:int,available:int",
      .help = "What the guest last told of its memory.\n"
      "total: bytes that it has\n"
      "available: bytes that it could use without swapping" },
    { .name = "MemoryControllerHost", .members = "pressure:number,?room:int",
      .help = "What the host tells.\n"
      "pressure: percent of the last ten seconds in which somebody waited for "
      "memory\n"
      "room: bytes that the cgroup may still take, if it has a limit" },
    { .name = "MemoryControllerDecision",
      .members = "reason:MemoryControllerReason,words:str,?refusal:str,"
                 "requested:int,before:int,pressed:bool,seconds-ago:int",
      .help = "The last decision.\n"
      "reason: for programs\n"
      "words: for people\n"
      "refusal: why a plug was refused, if that is the reason\n"
      "requested: bytes of all devices\n"
      "before: bytes that were requested before it\n"
      "pressed: whether the host is taken to be short of memory\n"
      "seconds-ago: when it became what it is" },
    { .name = "MemoryControllerInfo",
      .members = "id:str,devices:[str],min:int,max:int,headroom:number,"
                 "interval:int,shrink-delay:int,priority:int,"
                 "pressure-limit:number,paused:bool,grown:int,shrunk:int,"
                 "?plugged:int,?target:int,?guest:MemoryControllerGuest,"
                 "?host:MemoryControllerHost,"
                 "?decision:MemoryControllerDecision",
      .help = "A memory controller.\n"
      "id: of the object\n"
      "devices: ids of those that it resizes\n"
      "min: bytes that are requested at least, of all devices\n"
      "max: bytes at most\n"
      "headroom: percent of its memory that the guest shall have available\n"
      "interval: between two decisions, in milliseconds\n"
      "shrink-delay: for how long there must have been too much, in "
      "milliseconds\n"
      "priority: 0 to 100\n"
      "pressure-limit: percent of pressure from which the host gets memory "
      "back\n"
      "paused: whether it leaves the sizes alone\n"
      "grown: decisions so far to request more\n"
      "shrunk: decisions so far to request less\n"
      "plugged: bytes of all devices, as the last decision found them\n"
      "target: bytes that would be right, if that is known\n"
      "guest: left out if it has told nothing\n"
      "host: left out before the first decision\n"
      "decision: left out before the first" },
};

static const QmpCommand controller_commands[] = {
    { .name = "query-memory-controller", .returns = "[MemoryControllerInfo]",
      .fn = qmp_query_memory_controller,
      .help = "Lists the memory controllers with what they know, and what "
      "they last decided." },
};

/* --- HMP --- */

static void print_size(GString *out, JsonObject *info, const char *name)
{
    if (json_object_has_member(info, name)) {
        uint64_t size = (uint64_t)json_object_get_int_member(info, name);
        g_autofree char *text = size_to_str(size);

        g_string_append_printf(out, "  %s: %" PRIu64 " (%s)\n", name, size,
                               text);
    }
}

static void print_guest(GString *out, JsonObject *info)
{
    JsonObject *guest = json_object_has_member(info, "guest")
                        ? json_object_get_object_member(info, "guest") : NULL;

    if (guest) {
        g_autofree char *available = size_to_str(
            (uint64_t)json_object_get_int_member(guest, "available"));
        g_autofree char *total = size_to_str(
            (uint64_t)json_object_get_int_member(guest, "total"));

        g_string_append_printf(out, "  guest: %s of %s available, headroom "
                               "%.1f %%\n", available, total,
                               json_object_get_double_member(info, "headroom"));
    }
}

static void print_controller(JsonArray *array, guint index, JsonNode *node,
                             gpointer opaque)
{
    JsonObject *info = json_node_get_object(node);
    JsonObject *decision = json_object_has_member(info, "decision")
                           ? json_object_get_object_member(info, "decision")
                           : NULL;
    GString *out = opaque;

    g_string_append_printf(out, "Memory controller \"%s\"%s\n",
                           json_object_get_string_member(info, "id"),
                           json_object_get_boolean_member(info, "paused")
                           ? ", paused" : "");
    print_size(out, info, "min");
    print_size(out, info, "max");
    print_size(out, info, "plugged");
    print_size(out, info, "target");
    print_guest(out, info);
    if (decision) {
        g_string_append_printf(
            out, "  %s (%" PRId64 " s ago)\n",
            json_object_get_string_member(decision, "words"),
            json_object_get_int_member(decision, "seconds-ago"));
    }
}

static void hmp_info_memory_controller(GString *out, const char *args,
                                       Error **errp)
{
    g_autoptr(JsonNode) node = hmp_call_qmp("query-memory-controller", NULL,
                                            errp);

    if (!node) {
        return;
    }
    if (!json_array_get_length(json_node_get_array(node))) {
        g_string_append(out, "there is no memory controller\n");
    }
    json_array_foreach_element(json_node_get_array(node), print_controller,
                               out);
}

static const HmpCommand controller_info_commands[] = {
    { .name = "memory-controller", .params = "",
      .help = "show how memory follows demand",
      .fn = hmp_info_memory_controller },
};

static void memory_controller_register(void)
{
    qmp_register_types(controller_types, ARRAY_SIZE(controller_types));
    qmp_register_commands(controller_commands,
                          ARRAY_SIZE(controller_commands));
    hmp_register_info(controller_info_commands,
                      ARRAY_SIZE(controller_info_commands));
}
type_init(memory_controller_register)
