/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The options that all memory backends have, as properties. What shapes the
 * memory is settled once it is there.
 */
#include "qemu/osdep.h"

#include "hostmem-internal.h"
#include "qapi/visitor.h"

bool host_memory_backend_check_unset(HostMemoryBackend *backend,
                                     const char *name, Error **errp)
{
    if (backend->mr_inited) {
        error_setg(errp, "cannot change property '%s' of %s", name,
                   object_get_typename(OBJECT(backend)));
        return false;
    }
    return true;
}

/* --- switches ------------------------------------------------------------ */

/* An on/off option is a bool member; the property's opaque tells which. */
typedef struct HostMemSwitch {
    const char *name;
    size_t offset;
    const char *description;
} HostMemSwitch;

static const HostMemSwitch switches[] = {
    { .name = "share", .offset = offsetof(HostMemoryBackend, share),
      .description = "Mark the memory as shared (MAP_SHARED)" },
    { .name = "reserve", .offset = offsetof(HostMemoryBackend, reserve),
      .description = "Reserve swap space (or huge pages) if applicable" },
    { .name = "prealloc", .offset = offsetof(HostMemoryBackend, prealloc),
      .description = "Preallocate memory" },
    { .name = "merge", .offset = offsetof(HostMemoryBackend, merge),
      .description = "Mark memory as mergeable" },
    { .name = "dump", .offset = offsetof(HostMemoryBackend, dump),
      .description = "Set to 'off' to exclude from core dump" },
};

static bool *switch_of(Object *obj, const HostMemSwitch *s)
{
    return (bool *)((char *)MEMORY_BACKEND(obj) + s->offset);
}

static void get_switch(Object *obj, Visitor *v, const char *name, void *opaque,
                       Error **errp)
{
    visit_type_bool(v, name, switch_of(obj, opaque), errp);
}

static void set_switch(Object *obj, Visitor *v, const char *name, void *opaque,
                       Error **errp)
{
    if (host_memory_backend_check_unset(MEMORY_BACKEND(obj), name, errp)) {
        visit_type_bool(v, name, switch_of(obj, opaque), errp);
    }
}

/* --- numbers ------------------------------------------------------------- */

static void get_size(Object *obj, Visitor *v, const char *name, void *opaque,
                     Error **errp)
{
    visit_type_size(v, name, &MEMORY_BACKEND(obj)->size, errp);
}

static void set_size(Object *obj, Visitor *v, const char *name, void *opaque,
                     Error **errp)
{
    HostMemoryBackend *backend = MEMORY_BACKEND(obj);
    uint64_t size;

    if (!host_memory_backend_check_unset(backend, name, errp) ||
        !visit_type_size(v, name, &size, errp)) {
        return;
    }
    if (!size) {
        error_setg(errp, "property '%s' of %s doesn't take value '0'", name,
                   object_get_typename(obj));
        return;
    }
    backend->size = size;
}

/* A small number is a uint32_t member, which the property's opaque tells. */
typedef struct HostMemNumber {
    const char *name;
    size_t offset;
    uint32_t min;
    uint32_t max;
    const char *description;
} HostMemNumber;

static const HostMemNumber numbers[] = {
    { .name = "prealloc-threads",
      .offset = offsetof(HostMemoryBackend, prealloc_threads),
      .min = 1, .max = HOST_MEM_MAX_PREALLOC_THREADS,
      .description = "Number of CPU threads to use for prealloc" },
    { .name = "prealloc-nice",
      .offset = offsetof(HostMemoryBackend, prealloc_nice),
      .min = 0, .max = HOST_MEM_MAX_PREALLOC_NICE,
      .description = "How nice all but the first of these threads are" },
};

static uint32_t *number_of(Object *obj, const HostMemNumber *n)
{
    return (uint32_t *)((char *)MEMORY_BACKEND(obj) + n->offset);
}

static void get_number(Object *obj, Visitor *v, const char *name, void *opaque,
                       Error **errp)
{
    visit_type_uint32(v, name, number_of(obj, opaque), errp);
}

static void set_number(Object *obj, Visitor *v, const char *name, void *opaque,
                       Error **errp)
{
    const HostMemNumber *n = opaque;
    uint32_t value;

    if (!host_memory_backend_check_unset(MEMORY_BACKEND(obj), name, errp) ||
        !visit_type_uint32(v, name, &value, errp)) {
        return;
    }
    if (value < n->min || value > n->max) {
        error_setg(errp, "property '%s' of %s doesn't take value '%u': it "
                   "must be %u to %u", name, object_get_typename(obj), value,
                   n->min, n->max);
        return;
    }
    *number_of(obj, n) = value;
}

/* --- NUMA ---------------------------------------------------------------- */

static const char *const policy_names[] = {
    [HOST_MEM_POLICY_DEFAULT] = "default",
    [HOST_MEM_POLICY_PREFERRED] = "preferred",
    [HOST_MEM_POLICY_BIND] = "bind",
    [HOST_MEM_POLICY_INTERLEAVE] = "interleave",
};

static const QEnumLookup policy_lookup = {
    .array = policy_names,
    .size = HOST_MEM_POLICY__MAX,
};

static int get_policy(Object *obj, Error **errp)
{
    return MEMORY_BACKEND(obj)->policy;
}

static void set_policy(Object *obj, int policy, Error **errp)
{
    HostMemoryBackend *backend = MEMORY_BACKEND(obj);

    if (host_memory_backend_check_unset(backend, "policy", errp)) {
        backend->policy = policy;
    }
}

static void get_host_nodes(Object *obj, Visitor *v, const char *name,
                           void *opaque, Error **errp)
{
    visit_type_uint16List(v, name, &MEMORY_BACKEND(obj)->host_nodes, errp);
}

static void set_host_nodes(Object *obj, Visitor *v, const char *name,
                           void *opaque, Error **errp)
{
    HostMemoryBackend *backend = MEMORY_BACKEND(obj);
    g_autoptr(GArray) nodes = NULL;

    if (!host_memory_backend_check_unset(backend, name, errp) ||
        !visit_type_uint16List(v, name, &nodes, errp)) {
        return;
    }
    for (guint i = 0; i < nodes->len; i++) {
        if (g_array_index(nodes, uint16_t, i) >= HOST_MEM_MAX_NODES) {
            error_setg(errp, "Invalid host-nodes value: %u: the last node is "
                       "%u", g_array_index(nodes, uint16_t, i),
                       HOST_MEM_MAX_NODES - 1);
            return;
        }
    }
    g_clear_pointer(&backend->host_nodes, g_array_unref);
    backend->host_nodes = g_steal_pointer(&nodes);
}

/* --- all of them --------------------------------------------------------- */

void host_memory_backend_add_properties(ObjectClass *klass)
{
    for (size_t i = 0; i < ARRAY_SIZE(switches); i++) {
        object_class_property_add(klass, switches[i].name, "bool", get_switch,
                                  set_switch, NULL, (void *)&switches[i]);
        object_class_property_set_description(klass, switches[i].name,
                                              switches[i].description);
    }
    object_class_property_add(klass, "size", "int", get_size, set_size, NULL,
                              NULL);
    object_class_property_set_description(klass, "size",
        "Size of the memory region (ex: 500M)");
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
        object_class_property_add(klass, numbers[i].name, "int", get_number,
                                  set_number, NULL, (void *)&numbers[i]);
        object_class_property_set_description(klass, numbers[i].name,
                                              numbers[i].description);
    }
    object_class_property_add(klass, "host-nodes", "int", get_host_nodes,
                              set_host_nodes, NULL, NULL);
    object_class_property_set_description(klass, "host-nodes",
        "Binds memory to the list of NUMA host nodes");
    object_class_property_add_enum(klass, "policy", "HostMemPolicy",
                                   &policy_lookup, get_policy, set_policy);
    object_class_property_set_description(klass, "policy",
        "Set the NUMA policy");
}
