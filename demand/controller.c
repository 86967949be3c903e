/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The memory controller at work: see controller.h. A tick every interval asks
 * the guest for figures; when these come, it decides at once; if they have not
 * come by the next tick, it decides on what it has. However often the guest
 * tells figures, it decides once for each time that it has asked.
 */
#include "qemu/osdep.h"

#include "controller.h"
#include "hw/boards.h"
#include "hw/mem/guest-memory-stats.h"
#include "qapi/client-event.h"
#include "qemu/error-report.h"
#include "sysemu/numa.h"
#include "trace.h"

/* --- figures --- */

static void look_at_guest(DemandGuest *guest)
{
    Object *stats = guest_memory_stats_find();
    GuestMemoryFigures figures = { .age_ms = -1 };

    if (stats) {
        GUEST_MEMORY_STATS_GET_CLASS(stats)->get(stats, &figures);
    }
    *guest = (DemandGuest) {
        .driver = figures.driver,
        .age_ms = figures.age_ms,
        .total = figures.total,
        .available = figures.available,
        .swapped_out = figures.swapped_out,
        .major_faults = figures.major_faults,
    };
}

/* Boot RAM of a node; all of it, if there are no nodes. */
static uint64_t node_ram(unsigned node)
{
    const NumaState *numa = current_machine->numa_state;

    if (!numa || !numa->num_nodes) {
        return current_machine->ram_size;
    }
    return numa->nodes[node].node_mem;
}

static void look_at_device(const MemoryDeviceState *md, DemandDevice *device)
{
    MemoryDeviceSizes sizes;

    MEMORY_DEVICE_GET_CLASS(md)->get_sizes(md, &sizes);
    *device = (DemandDevice) {
        .block = sizes.block,
        .size = sizes.max,
        .boot = node_ram(sizes.node),
        .requested = sizes.requested,
        .plugged = sizes.plugged,
        .refusals = sizes.refusals,
        .refused = sizes.refused,
    };
}

static void look(const MemoryController *mc, DemandFigures *f)
{
    *f = (DemandFigures) {
        .now_ms = qemu_clock_get_ms(QEMU_CLOCK_VIRTUAL),
        .boot = current_machine->ram_size,
        .nr_devices = mc->nr_devices,
    };
    look_at_guest(&f->guest);
    host_memory_read(mc->host, &f->host);
    for (unsigned i = 0; i < mc->nr_devices; i++) {
        look_at_device(mc->devices[i], &f->devices[i]);
    }
}

const char *memory_controller_refusal(const MemoryController *mc)
{
    for (unsigned i = 0; i < mc->nr_devices; i++) {
        MemoryDeviceSizes sizes;

        MEMORY_DEVICE_GET_CLASS(mc->devices[i])->get_sizes(mc->devices[i],
                                                           &sizes);
        if (sizes.refused) {
            return sizes.refused;
        }
    }
    return NULL;
}

/* --- decisions --- */

static void carry_out(MemoryController *mc)
{
    for (unsigned i = 0; i < mc->nr_devices; i++) {
        MemoryDeviceClass *mdc = MEMORY_DEVICE_GET_CLASS(mc->devices[i]);

        /* In whole blocks and within the region, so it is taken. */
        mdc->request_size(mc->devices[i], mc->decision.requests[i],
                          &error_abort);
    }
}

/* What is no news to somebody who knows the sizes. */
static bool is_usual(DemandReason reason)
{
    return reason == DEMAND_IN_BAND || reason == DEMAND_WAITING ||
           reason == DEMAND_BELOW_BAND || reason == DEMAND_ABOVE_BAND;
}

static void tell(MemoryController *mc, const DemandDecision *before)
{
    const DemandDecision *d = &mc->decision;
    bool resized = d->sum != d->old_sum;

    g_free(mc->words);
    mc->words = demand_explain(&mc->config, &mc->figures, d);
    mc->nr_grown += d->sum > d->old_sum;
    mc->nr_shrunk += d->sum < d->old_sum;
    if (!resized && d->reason == before->reason) {
        return;
    }
    mc->changed_ms = mc->figures.now_ms;
    trace_memory_controller_decide(mc->path, demand_reason_name(d->reason),
                                   d->old_sum, d->sum);
    if (resized || !is_usual(d->reason) || !is_usual(before->reason)) {
        qapi_event_emit_thinned("MEMORY_CONTROLLER_DECISION",
                                memory_controller_event_data, mc);
    }
}

void memory_controller_run(MemoryController *mc)
{
    DemandDecision before = mc->decision;

    look(mc, &mc->figures);
    demand_decide(&mc->policy, &mc->config, &mc->figures, &mc->decision);
    carry_out(mc);
    tell(mc, &before);
    mc->asked = false;
}

/* --- when --- */

static void figures_have_come(Notifier *notifier, void *data)
{
    MemoryController *mc = container_of(notifier, MemoryController,
                                        stats_listener);

    if (mc->asked && !mc->owner.paused) {
        memory_controller_run(mc);
    }
}

static void tick(void *opaque)
{
    MemoryController *mc = opaque;
    Object *stats = guest_memory_stats_find();

    timer_mod(mc->timer, qemu_clock_get_ms(QEMU_CLOCK_VIRTUAL) +
              mc->config.interval_ms);
    if (mc->owner.paused) {
        return;
    }
    if (mc->asked || !stats) {
        memory_controller_run(mc);
    }
    /* The answer may be there before this returns. */
    mc->asked = true;
    if (stats) {
        GUEST_MEMORY_STATS_GET_CLASS(stats)->ask(stats);
    }
}

/* --- devices --- */

static const MemorySizeOwner **owner_of(MemoryDeviceState *md)
{
    return MEMORY_DEVICE_GET_CLASS(md)->size_owner(md);
}

static void release_devices(MemoryController *mc)
{
    for (unsigned i = 0; i < mc->nr_devices; i++) {
        if (*owner_of(mc->devices[i]) == &mc->owner) {
            *owner_of(mc->devices[i]) = NULL;
        }
    }
}

static bool take_devices(MemoryController *mc, Error **errp)
{
    for (unsigned i = 0; i < mc->nr_devices; i++) {
        const MemorySizeOwner **owner = owner_of(mc->devices[i]);

        if (*owner) {
            error_setg(errp, "device=%s: '%s' has it already",
                       mc->device_ids[i], (*owner)->path);
            release_devices(mc);
            return false;
        }
        *owner = &mc->owner;
    }
    return true;
}

static MemoryDeviceState *find_device(const char *id, Error **errp)
{
    Object *devices = object_resolve_path("/machine/peripheral", NULL);
    Object *obj = devices ? object_resolve_path_component(devices, id) : NULL;

    if (!obj) {
        error_setg(errp, "device=%s: there is no device of this id", id);
        return NULL;
    }
    if (!object_dynamic_cast(obj, TYPE_MEMORY_DEVICE) ||
        !MEMORY_DEVICE_GET_CLASS(obj)->get_sizes) {
        error_setg(errp, "device=%s: it is a %s, whose size cannot be "
                   "requested; virtio-mem-pci is expected", id,
                   object_get_typename(obj));
        return NULL;
    }
    if (!DEVICE(obj)->realized) {
        error_setg(errp, "device=%s: it is not in the machine", id);
        return NULL;
    }
    return MEMORY_DEVICE(obj);
}

static bool find_devices(MemoryController *mc, Error **errp)
{
    guint n = mc->device_ids ? g_strv_length(mc->device_ids) : 0;

    if (!n || n > DEMAND_DEVICES_MAX) {
        error_setg(errp, "'device' has %u ids: 1 to %u of virtio-mem-pci "
                   "devices are expected", n, DEMAND_DEVICES_MAX);
        return false;
    }
    for (guint i = 0; i < n; i++) {
        MemoryDeviceState *md = find_device(mc->device_ids[i], errp);

        if (!md) {
            return false;
        }
        for (guint j = 0; j < i; j++) {
            if (mc->devices[j] == md) {
                error_setg(errp, "device=%s is there twice",
                           mc->device_ids[i]);
                return false;
            }
        }
        mc->devices[i] = md;
        mc->nr_devices = i + 1;
    }
    return true;
}

/* --- life --- */

static void memory_controller_complete(UserCreatable *uc, Error **errp)
{
    MemoryController *mc = MEMORY_CONTROLLER(uc);
    DemandConfig config = mc->config;

    if (!find_devices(mc, errp) ||
        !memory_controller_check(mc, &config, errp)) {
        return;
    }
    mc->host = host_memory_open(mc->cgroup, errp);
    if (!mc->host) {
        return;
    }
    mc->path = object_get_canonical_path(OBJECT(mc));
    mc->owner.path = mc->path;
    if (!take_devices(mc, errp)) {
        return;
    }
    mc->config = config;
    mc->complete = true;
    mc->timer = timer_new_ms(QEMU_CLOCK_VIRTUAL, tick, mc);
    mc->stats_listener.notify = figures_have_come;
    guest_memory_stats_add_listener(&mc->stats_listener);
    if (!mc->owner.paused) {
        memory_controller_run(mc);
    }
    timer_mod(mc->timer, mc->figures.now_ms);
}

static bool memory_controller_prepare_delete(UserCreatable *uc, Error **errp)
{
    MemoryController *mc = MEMORY_CONTROLLER(uc);

    release_devices(mc);
    notifier_remove(&mc->stats_listener);
    g_clear_pointer(&mc->timer, timer_free);
    qapi_event_forget_source(mc);
    mc->complete = false;
    return true;
}

static void memory_controller_init(Object *obj)
{
    MEMORY_CONTROLLER(obj)->config = (DemandConfig) {
        .headroom = 150,
        .priority = 50,
        .interval_ms = 250,
        .shrink_delay_ms = 3000,
    };
}

static void memory_controller_finalize(Object *obj)
{
    MemoryController *mc = MEMORY_CONTROLLER(obj);

    g_clear_pointer(&mc->host, host_memory_close);
    g_strfreev(mc->device_ids);
    g_free(mc->cgroup);
    g_free(mc->words);
    g_free(mc->path);
}

static void memory_controller_class_init(ObjectClass *klass, void *data)
{
    UserCreatableClass *ucc = USER_CREATABLE_CLASS(klass);

    ucc->names_devices = true;
    ucc->complete = memory_controller_complete;
    ucc->prepare_delete = memory_controller_prepare_delete;
    memory_controller_add_properties(klass);
}

static const TypeInfo memory_controller_types[] = {
    {
        .name = TYPE_MEMORY_CONTROLLER,
        .parent = TYPE_OBJECT,
        .instance_size = sizeof(MemoryController),
        .instance_init = memory_controller_init,
        .instance_finalize = memory_controller_finalize,
        .class_init = memory_controller_class_init,
        .interfaces = (InterfaceInfo[]) { { TYPE_USER_CREATABLE }, { } },
    },
};
DEFINE_TYPES(memory_controller_types)
