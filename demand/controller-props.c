/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a memory controller can be told (controller.h). Before it is complete any
 * value is taken, to be checked with all others; later each change is checked
 * against what holds, and takes effect with the next decision.
 */
#include "qemu/osdep.h"

#include "controller.h"
#include "monitor/qmp.h"
#include "qapi/visitor.h"
#include "qemu/cutils.h"

#define INTERVAL_MIN_MS 50
#define INTERVAL_MAX_MS 60000
#define DELAY_MAX_MS 3600000
#define PRIORITY_MAX 100
#define WHOLE 1000                        /* of the headroom */

/* --- all of it --- */

static bool check_bounds(const MemoryController *mc, DemandConfig *c,
                         Error **errp)
{
    uint64_t all = 0, block = 1;

    for (unsigned i = 0; i < mc->nr_devices; i++) {
        MemoryDeviceSizes sizes;

        MEMORY_DEVICE_GET_CLASS(mc->devices[i])->get_sizes(mc->devices[i],
                                                           &sizes);
        all += sizes.max;
        block = MAX(block, sizes.block);
    }
    c->max = c->max ? c->max : QEMU_ALIGN_DOWN(all, block);
    if (c->min > c->max) {
        error_setg(errp, "'min' (%" PRIu64 ") exceeds 'max' (%" PRIu64 ")",
                   c->min, c->max);
        return false;
    }
    if (c->max > all) {
        error_setg(errp, "'max' (%" PRIu64 ") exceeds what the devices have (%"
                   PRIu64 ")", c->max, all);
        return false;
    }
    if (!QEMU_IS_ALIGNED(c->min | c->max, block)) {
        error_setg(errp, "'min' (%" PRIu64 ") and 'max' (%" PRIu64 ") have to be "
                   "multiples of the block size, %" PRIu64, c->min, c->max,
                   block);
        return false;
    }
    return true;
}

static bool check_range(const char *name, int64_t value, int64_t min,
                        int64_t max, Error **errp)
{
    if (value < min || value > max) {
        error_setg(errp, "'%s' (%" PRId64 ") has to be from %" PRId64 " to %"
                   PRId64, name, value, min, max);
        return false;
    }
    return true;
}

bool memory_controller_check(const MemoryController *mc, DemandConfig *c,
                             Error **errp)
{
    return check_range("interval", c->interval_ms, INTERVAL_MIN_MS,
                       INTERVAL_MAX_MS, errp) &&
           check_range("shrink-delay", c->shrink_delay_ms, c->interval_ms,
                       DELAY_MAX_MS, errp) &&
           check_range("priority", c->priority, 0, PRIORITY_MAX, errp) &&
           check_bounds(mc, c, errp);
}

/* Takes a changed copy of the configuration. */
static void change(MemoryController *mc, DemandConfig *c, Error **errp)
{
    if (!mc->complete || memory_controller_check(mc, c, errp)) {
        mc->config = *c;
    }
}

/* --- sizes and numbers: @opaque is where in DemandConfig --- */

static void get_size(Object *obj, Visitor *v, const char *name, void *opaque,
                     Error **errp)
{
    DemandConfig *c = &MEMORY_CONTROLLER(obj)->config;

    visit_type_size(v, name, (uint64_t *)((char *)c + GPOINTER_TO_SIZE(opaque)),
                    errp);
}

static void set_size(Object *obj, Visitor *v, const char *name, void *opaque,
                     Error **errp)
{
    MemoryController *mc = MEMORY_CONTROLLER(obj);
    DemandConfig c = mc->config;

    if (visit_type_size(v, name,
                        (uint64_t *)((char *)&c + GPOINTER_TO_SIZE(opaque)),
                        errp)) {
        change(mc, &c, errp);
    }
}

static void get_ms(Object *obj, Visitor *v, const char *name, void *opaque,
                   Error **errp)
{
    DemandConfig *c = &MEMORY_CONTROLLER(obj)->config;

    visit_type_int64(v, name, (int64_t *)((char *)c + GPOINTER_TO_SIZE(opaque)),
                     errp);
}

static void set_ms(Object *obj, Visitor *v, const char *name, void *opaque,
                   Error **errp)
{
    MemoryController *mc = MEMORY_CONTROLLER(obj);
    DemandConfig c = mc->config;

    if (visit_type_int64(v, name,
                         (int64_t *)((char *)&c + GPOINTER_TO_SIZE(opaque)),
                         errp)) {
        change(mc, &c, errp);
    }
}

static void get_priority(Object *obj, Visitor *v, const char *name,
                         void *opaque, Error **errp)
{
    uint32_t priority = MEMORY_CONTROLLER(obj)->config.priority;

    visit_type_uint32(v, name, &priority, errp);
}

static void set_priority(Object *obj, Visitor *v, const char *name,
                         void *opaque, Error **errp)
{
    MemoryController *mc = MEMORY_CONTROLLER(obj);
    DemandConfig c = mc->config;

    if (visit_type_uint32(v, name, &c.priority, errp)) {
        change(mc, &c, errp);
    }
}

/* --- headroom: "15%", "12.5%" --- */

static char *get_headroom(Object *obj, Error **errp)
{
    unsigned headroom = MEMORY_CONTROLLER(obj)->config.headroom;

    return headroom % 10 ? g_strdup_printf("%u.%u%%", headroom / 10,
                                           headroom % 10)
                         : g_strdup_printf("%u%%", headroom / 10);
}

static void set_headroom(Object *obj, const char *value, Error **errp)
{
    MemoryController *mc = MEMORY_CONTROLLER(obj);
    DemandConfig c = mc->config;
    uint64_t percent = 0, tenths = 0;
    const char *rest = value;
    bool good = g_ascii_isdigit(*value) &&
                qemu_strtou64(value, &rest, 10, &percent) == 0;

    if (good && *rest == '.' && g_ascii_isdigit(rest[1])) {
        tenths = g_ascii_digit_value(rest[1]);
        rest += 2;
    }
    rest += *rest == '%';
    if (!good || *rest || percent > 100 || !(percent + tenths) ||
        percent * 10 + tenths >= WHOLE) {
        error_setg(errp, "'headroom' (%s) has to be more than 0%% and less than "
                   "100%%, such as 15%% or 12.5%%", value);
        return;
    }
    c.headroom = percent * 10 + tenths;
    change(mc, &c, errp);
}

/* --- paused --- */

static bool get_paused(Object *obj, Error **errp)
{
    return MEMORY_CONTROLLER(obj)->owner.paused;
}

static void set_paused(Object *obj, bool value, Error **errp)
{
    MemoryController *mc = MEMORY_CONTROLLER(obj);
    bool resumes = mc->owner.paused && !value;

    mc->owner.paused = value;
    if (mc->complete && resumes) {
        /* Whatever was before is of another time. */
        mc->policy = (DemandPolicy) { 0 };
        memory_controller_run(mc);
    }
}

/* --- what cannot be changed --- */

static bool check_unset(const MemoryController *mc, const char *name,
                        Error **errp)
{
    if (mc->complete) {
        error_setg(errp, "'%s' cannot be changed: delete the controller and "
                   "make another", name);
    }
    return !mc->complete;
}

static void get_device(Object *obj, Visitor *v, const char *name, void *opaque,
                       Error **errp)
{
    JsonArray *ids = json_array_new();
    g_autoptr(JsonNode) node = json_array_node(ids);
    JsonNode *p = node;

    for (char **id = MEMORY_CONTROLLER(obj)->device_ids; id && *id; id++) {
        json_array_add_string_element(ids, *id);
    }
    visit_type_any(v, name, &p, errp);
}

/* A string, or an array of them. */
static char **ids_of(JsonNode *node)
{
    g_autoptr(GPtrArray) ids = g_ptr_array_new_with_free_func(g_free);
    JsonArray *array = JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node)
                                                   : NULL;
    guint n = array ? json_array_get_length(array) : 1;

    for (guint i = 0; i < n; i++) {
        JsonNode *id = array ? json_array_get_element(array, i) : node;

        if (!JSON_NODE_HOLDS_VALUE(id) ||
            json_node_get_value_type(id) != G_TYPE_STRING) {
            return NULL;
        }
        g_ptr_array_add(ids, json_node_dup_string(id));
    }
    g_ptr_array_add(ids, NULL);
    return (char **)g_ptr_array_steal(ids, NULL);
}

static void set_device(Object *obj, Visitor *v, const char *name, void *opaque,
                       Error **errp)
{
    MemoryController *mc = MEMORY_CONTROLLER(obj);
    g_autoptr(JsonNode) node = NULL;
    char **ids;

    if (!check_unset(mc, name, errp) ||
        !visit_type_any(v, name, &node, errp)) {
        return;
    }
    ids = ids_of(node);
    if (!ids) {
        error_setg(errp, "Invalid parameter type for '%s', expected: string, or "
                   "an array of strings", name);
        return;
    }
    g_strfreev(mc->device_ids);
    mc->device_ids = ids;
}

static char *get_cgroup(Object *obj, Error **errp)
{
    return g_strdup(MEMORY_CONTROLLER(obj)->cgroup);
}

static void set_cgroup(Object *obj, const char *value, Error **errp)
{
    MemoryController *mc = MEMORY_CONTROLLER(obj);

    if (check_unset(mc, "cgroup", errp)) {
        g_free(mc->cgroup);
        mc->cgroup = g_strdup(value);
    }
}

/* --- the list --- */

static void add(ObjectClass *klass, const char *name, const char *type,
                ObjectPropertyAccessor *get, ObjectPropertyAccessor *set,
                size_t offset, const char *description)
{
    object_class_property_add(klass, name, type, get, set, NULL,
                              GSIZE_TO_POINTER(offset));
    object_class_property_set_description(klass, name, description);
}

void memory_controller_add_properties(ObjectClass *klass)
{
    add(klass, "device", "strList", get_device, set_device, 0,
        "Ids of virtio-mem-pci devices");
    add(klass, "min", "size", get_size, set_size, offsetof(DemandConfig, min),
        "The least that is requested of all devices (default: 0)");
    add(klass, "max", "size", get_size, set_size, offsetof(DemandConfig, max),
        "The most (default: all that they have)");
    add(klass, "interval", "int", get_ms, set_ms,
        offsetof(DemandConfig, interval_ms),
        "Milliseconds between two questions to the guest (default: 250)");
    add(klass, "shrink-delay", "int", get_ms, set_ms,
        offsetof(DemandConfig, shrink_delay_ms),
        "Milliseconds for which there must have been too much (default: 3000)");
    add(klass, "priority", "uint32", get_priority, set_priority, 0,
        "0 to 100: the lower, the sooner the host gets memory back "
        "(default: 50)");
    object_class_property_add_str(klass, "headroom", get_headroom,
                                  set_headroom);
    object_class_property_set_description(
        klass, "headroom", "The part of its memory that the guest shall have "
        "available (default: 15%)");
    object_class_property_add_bool(klass, "paused", get_paused, set_paused);
    object_class_property_set_description(
        klass, "paused", "Whether it leaves the sizes alone (default: false)");
    object_class_property_add_str(klass, "cgroup", get_cgroup, set_cgroup);
    object_class_property_set_description(
        klass, "cgroup", "The directory of a cgroup whose pressure and limits "
        "count (default: that of the process)");
}
