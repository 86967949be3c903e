/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What -m, -smp and -boot have said, as properties of the machine, for QMP
 * clients. They are read here; the options set them.
 */
#include "qemu/osdep.h"
#include "hw/boards.h"
#include "machine-internal.h"
#include "qapi/visitor.h"
#include "sysemu/hostmem.h"

/* The value of the property @name is @value, which is taken over. */
static void tell(Visitor *v, const char *name, JsonObject *value, Error **errp)
{
    g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);

    json_node_take_object(node, value);
    visit_type_any(v, name, &node, errp);
}

static void get_memory(Object *obj, Visitor *v, const char *name, void *opaque,
                       Error **errp)
{
    MachineState *ms = MACHINE(obj);
    JsonObject *memory = json_object_new();

    json_object_set_int_member(memory, "size", ms->ram_size);
    json_object_set_int_member(memory, "max-size", ms->maxram_size);
    json_object_set_int_member(memory, "slots", ms->ram_slots);
    tell(v, name, memory, errp);
}

static void get_smp(Object *obj, Visitor *v, const char *name, void *opaque,
                    Error **errp)
{
    const CpuTopology *t = &MACHINE(obj)->smp;
    JsonObject *smp = json_object_new();

    json_object_set_int_member(smp, "cpus", t->cpus);
    json_object_set_int_member(smp, "sockets", t->sockets);
    json_object_set_int_member(smp, "dies", 1);
    json_object_set_int_member(smp, "clusters", 1);
    json_object_set_int_member(smp, "cores", t->cores);
    json_object_set_int_member(smp, "threads", t->threads);
    json_object_set_int_member(smp, "maxcpus", t->max_cpus);
    tell(v, name, smp, errp);
}

static void get_boot(Object *obj, Visitor *v, const char *name, void *opaque,
                     Error **errp)
{
    const BootConfiguration *config = &MACHINE(obj)->boot_config;
    JsonObject *boot = json_object_new();

    if (config->order) {
        json_object_set_string_member(boot, "order", config->order);
    }
    if (config->once) {
        json_object_set_string_member(boot, "once", config->once);
    }
    json_object_set_boolean_member(boot, "menu", config->menu);
    json_object_set_boolean_member(boot, "strict", config->strict);
    if (config->has_splash_time) {
        json_object_set_int_member(boot, "splash-time", config->splash_time);
    }
    json_object_set_int_member(boot, "reboot-timeout", config->reboot_timeout);
    tell(v, name, boot, errp);
}

static void get_device_memory_size(Object *obj, Visitor *v, const char *name,
                                   void *opaque, Error **errp)
{
    DeviceMemoryState *device_memory = MACHINE(obj)->device_memory;
    int64_t size = device_memory ? memory_region_size(&device_memory->mr) : 0;

    visit_type_int64(v, name, &size, errp);
}

static bool get_mem_merge(Object *obj, Error **errp)
{
    return host_memory_backend_get_default_merge();
}

static void set_mem_merge(Object *obj, bool on, Error **errp)
{
    host_memory_backend_set_default_merge(on);
}

static bool get_dump_guest_core(Object *obj, Error **errp)
{
    return host_memory_backend_get_default_dump();
}

static void set_dump_guest_core(Object *obj, bool on, Error **errp)
{
    host_memory_backend_set_default_dump(on);
}

static void add_question(ObjectClass *klass, const char *name, const char *type,
                         ObjectPropertyAccessor *get, const char *description)
{
    object_class_property_add(klass, name, type, get, NULL, NULL, NULL);
    object_class_property_set_description(klass, name, description);
}

void machine_class_add_config(ObjectClass *klass)
{
    add_question(klass, "memory", "MemorySizeConfiguration", get_memory,
                 "What -m has said");
    add_question(klass, "smp", "SMPConfiguration", get_smp,
                 "What -smp has said");
    add_question(klass, "boot", "BootConfiguration", get_boot,
                 "What -boot has said");
    add_question(klass, "device-memory-region-size", "int",
                 get_device_memory_size, "Bytes for memory devices");
    object_class_property_add_bool(klass, "mem-merge", get_mem_merge,
                                   set_mem_merge);
    object_class_property_set_description(
        klass, "mem-merge", "What merge= of memory backends is by default");
    object_class_property_add_bool(klass, "dump-guest-core",
                                   get_dump_guest_core, set_dump_guest_core);
    object_class_property_set_description(
        klass, "dump-guest-core", "What dump= of memory backends is by default");
}
