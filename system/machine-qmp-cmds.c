/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QMP commands by which a management program finds out what this emulator and
 * its machine are: machine types, CPU models, accelerator, memory backends.
 * Answers come from the registered types; must never name one itself.
 */
#include "qemu/osdep.h"

#include "hw/boards.h"
#include "hw/core/cpu.h"
#include "monitor/qmp.h"
#include "qapi/visitor.h"
#include "sysemu/accel.h"
#include "sysemu/hostmem.h"
#include "sysemu/numa.h"
#include "sysemu/qtest.h"

/* --- machines ------------------------------------------------------------ */

static JsonObject *machine_info(const MachineClass *mc)
{
    JsonObject *info = json_object_new();

    json_object_set_string_member(info, "name", mc->name);
    if (mc->alias) {
        json_object_set_string_member(info, "alias", mc->alias);
    }
    if (mc->is_default) {
        json_object_set_boolean_member(info, "is-default", true);
    }
    json_object_set_int_member(info, "cpu-max", mc->max_cpus);
    json_object_set_boolean_member(info, "hotpluggable-cpus", false);
    json_object_set_boolean_member(info, "numa-mem-supported",
                                   mc->numa_mem_supported);
    json_object_set_boolean_member(info, "deprecated", false);
    if (mc->default_cpu_type) {
        json_object_set_string_member(info, "default-cpu-type",
                                      mc->default_cpu_type);
    }
    if (mc->default_ram_id) {
        json_object_set_string_member(info, "default-ram-id",
                                      mc->default_ram_id);
    }
    return info;
}

static JsonNode *qmp_query_machines(JsonObject *args, Error **errp)
{
    g_autoptr(GSList) classes = object_class_get_list_sorted(TYPE_MACHINE,
                                                             false);
    JsonArray *list = json_array_new();

    for (GSList *l = classes; l; l = l->next) {
        MachineClass *mc = MACHINE_CLASS(l->data);

        if (!mc->qtest_only || qtest_enabled()) {
            json_array_add_object_element(list, machine_info(mc));
        }
    }
    return json_array_node(list);
}

/* --- CPUs and the accelerator -------------------------------------------- */

static JsonNode *qmp_query_target(JsonObject *args, Error **errp)
{
    JsonObject *info = json_object_new();

    json_object_set_string_member(info, "arch", "x86_64");
    return json_object_node(info);
}

static JsonNode *qmp_query_kvm(JsonObject *args, Error **errp)
{
    AccelClass *kvm = accel_find("kvm");
    JsonObject *info = json_object_new();

    json_object_set_boolean_member(info, "enabled", kvm && *kvm->allowed);
    json_object_set_boolean_member(info, "present", kvm != NULL);
    return json_object_node(info);
}

/* The guest cannot suspend to RAM: its firmware tables offer no S3. */
static JsonNode *qmp_query_current_machine(JsonObject *args, Error **errp)
{
    JsonObject *info = json_object_new();

    json_object_set_boolean_member(info, "wakeup-suspend-support", false);
    return json_object_node(info);
}

/* Where the CPU @index is. */
static JsonObject *cpu_props(const MachineState *ms, unsigned index)
{
    const CpuTopology *t = &ms->smp;
    JsonObject *props = json_object_new();

    if (ms->numa_state->num_nodes) {
        json_object_set_int_member(props, "node-id",
                                   ms->numa_state->cpu_node[index]);
    }
    json_object_set_int_member(props, "socket-id",
                               index / t->threads / t->cores);
    json_object_set_int_member(props, "core-id",
                               index / t->threads % t->cores);
    json_object_set_int_member(props, "thread-id", index % t->threads);
    return props;
}

static JsonNode *qmp_query_cpus_fast(JsonObject *args, Error **errp)
{
    JsonArray *list = json_array_new();
    CPUState *cpu;

    CPU_FOREACH(cpu) {
        JsonObject *info = json_object_new();
        g_autofree char *path = object_get_canonical_path(OBJECT(cpu));

        json_object_set_int_member(info, "cpu-index", cpu->cpu_index);
        json_object_set_string_member(info, "qom-path", path);
        json_object_set_int_member(info, "thread-id", cpu->thread_id);
        json_object_set_object_member(
            info, "props", cpu_props(current_machine, cpu->cpu_index));
        json_object_set_string_member(info, "target", "x86_64");
        json_array_add_object_element(list, info);
    }
    return json_array_node(list);
}

static CPUState *find_cpu(int index)
{
    CPUState *cpu = first_cpu;

    while (cpu && cpu->cpu_index != index) {
        cpu = QTAILQ_NEXT(cpu, node);
    }
    return cpu;
}

/* A place for each CPU that -smp maxcpus= allows. */
static JsonNode *qmp_query_hotpluggable_cpus(JsonObject *args, Error **errp)
{
    const MachineState *ms = current_machine;
    JsonArray *list;

    if (!ms->cpu_type) {
        error_setg(errp, "The feature 'query-hotpluggable-cpus' is not "
                   "enabled: this machine has no CPUs");
        return NULL;
    }
    list = json_array_new();
    for (unsigned i = 0; i < ms->smp.max_cpus; i++) {
        JsonObject *info = json_object_new();
        CPUState *cpu = find_cpu(i);

        json_object_set_string_member(info, "type", ms->cpu_type);
        json_object_set_int_member(info, "vcpus-count", 1);
        json_object_set_object_member(info, "props", cpu_props(ms, i));
        if (cpu) {
            g_autofree char *path = object_get_canonical_path(OBJECT(cpu));

            json_object_set_string_member(info, "qom-path", path);
        }
        json_array_add_object_element(list, info);
    }
    return json_array_node(list);
}

static JsonObject *cpu_definition(ObjectClass *oc)
{
    const char *type = object_class_get_name(oc);
    const char *base = object_class_get_name(object_class_get_parent(oc));
    JsonObject *info = json_object_new();
    g_autofree char *model = g_strndup(type, strlen(type) - strlen(base) - 1);

    json_object_set_string_member(info, "name", model);
    json_object_set_string_member(info, "typename", type);
    json_object_set_boolean_member(info, "static", false);
    json_object_set_boolean_member(info, "migration-safe", false);
    json_object_set_array_member(info, "unavailable-features",
                                 json_array_new());
    json_object_set_boolean_member(info, "deprecated", false);
    return info;
}

/* The models are the types MODEL-BASE of one BASE. */
static JsonNode *qmp_query_cpu_definitions(JsonObject *args, Error **errp)
{
    g_autoptr(GSList) classes = object_class_get_list_sorted(TYPE_CPU, false);
    JsonArray *list = json_array_new();

    for (GSList *l = classes; l; l = l->next) {
        json_array_add_object_element(list, cpu_definition(l->data));
    }
    return json_array_node(list);
}

/* Also on a machine without CPUs: of those that the default machine has. */
static JsonNode *qmp_query_cpu_model_expansion(JsonObject *args, Error **errp)
{
    JsonObject *model = json_object_get_object_member(args, "model");
    const char *name = json_object_get_string_member(model, "name");
    JsonNode *node = json_object_get_member(model, "props");
    JsonObject *info, *expanded, *props;

    if (node && !JSON_NODE_HOLDS_OBJECT(node)) {
        error_setg(errp, "Invalid parameter type for 'model.props', expected: "
                   "object");
        return NULL;
    }
    props = find_default_machine_class()->expand_cpu(
        name, node ? json_node_get_object(node) : NULL, errp);
    if (!props) {
        return NULL;
    }
    info = json_object_new();
    expanded = json_object_new();
    json_object_set_string_member(expanded, "name", name);
    json_object_set_object_member(expanded, "props", props);
    json_object_set_object_member(info, "model", expanded);
    return json_object_node(info);
}

/* --- memory backends ----------------------------------------------------- */

/* The backend's property @name, which it has. */
static void add_property(JsonObject *info, Object *backend, const char *name)
{
    g_autoptr(Visitor) v = visitor_output_new();

    object_property_get(backend, name, v, &error_abort);
    json_object_set_member(info, name, visitor_output_take(v));
}

static int add_backend(Object *obj, void *opaque)
{
    static const char *const names[] = {
        "size", "merge", "dump", "prealloc", "share", "reserve", "host-nodes",
        "policy",
    };
    JsonObject *info;

    if (!object_dynamic_cast(obj, TYPE_MEMORY_BACKEND)) {
        return 0;
    }
    info = json_object_new();
    json_object_set_string_member(info, "id",
                                  object_get_canonical_path_component(obj));
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        add_property(info, obj, names[i]);
    }
    json_array_add_object_element(opaque, info);
    return 0;
}

static JsonNode *qmp_query_memdev(JsonObject *args, Error **errp)
{
    JsonArray *list = json_array_new();

    object_child_foreach(object_get_objects_root(), add_backend, list);
    return json_array_node(list);
}

/* --- commands ------------------------------------------------------------ */

static const QmpType machine_qmp_types[] = {
    { .name = "MachineInfo",
      .members = "name:str,?alias:str,?is-default:bool,cpu-max:int,"
                 "hotpluggable-cpus:bool,numa-mem-supported:bool,"
                 "deprecated:bool,?default-cpu-type:str,?default-ram-id:str",
      .help = "A machine type.\n"
      "name: as -machine takes it\n"
      "alias: another name for it\n"
      "is-default: true: it is what there is without -machine\n"
      "cpu-max: how many CPUs it can have\n"
      "hotpluggable-cpus: false\n"
      "numa-mem-supported: whether -numa node has mem=\n"
      "deprecated: false\n"
      "default-cpu-type: the type that its CPUs have without -cpu\n"
      "default-ram-id: the name of the boot RAM's memory backend" },
    { .name = "SysEmuTarget", .values = "x86_64",
      .help = "What the guest's CPUs are." },
    { .name = "CpuInfoFast",
      .members = "cpu-index:int,qom-path:str,thread-id:int,"
                 "props:CpuInstanceProperties,target:SysEmuTarget",
      .help = "A virtual CPU.\n"
      "cpu-index: counted from 0\n"
      "qom-path: of its object\n"
      "thread-id: of the host's thread that runs it\n"
      "props: where in the guest's topology it is\n"
      "target: what it is" },
    { .name = "CpuInstanceProperties",
      .members = "?node-id:int,socket-id:int,core-id:int,thread-id:int",
      .help = "Where a CPU is.\n"
      "node-id: the guest's NUMA node; left out if there are none\n"
      "socket-id: counted from 0\n"
      "core-id: within the socket\n"
      "thread-id: within the core" },
    { .name = "HotpluggableCPU",
      .members = "type:str,vcpus-count:int,props:CpuInstanceProperties,"
                 "?qom-path:str",
      .help = "A place for a CPU.\n"
      "type: of its object\n"
      "vcpus-count: 1\n"
      "props: where in the guest's topology it is\n"
      "qom-path: of the object, if the CPU is there" },
    { .name = "TargetInfo", .members = "arch:SysEmuTarget",
      .help = "What is emulated.\n"
      "arch: the guest's architecture" },
    { .name = "CurrentMachineParams", .members = "wakeup-suspend-support:bool",
      .help = "What the machine that runs can do.\n"
      "wakeup-suspend-support: a guest that has suspended can be woken up" },
    { .name = "KvmInfo", .members = "enabled:bool,present:bool",
      .help = "Whether there is KVM.\n"
      "enabled: it runs the guest\n"
      "present: this program can use it" },
    { .name = "CpuDefinitionInfo",
      .members = "name:str,typename:str,static:bool,migration-safe:bool,"
                 "unavailable-features:[str],deprecated:bool",
      .help = "A model of CPU.\n"
      "name: as -cpu takes it\n"
      "typename: of the CPU's object\n"
      "static: false: what it is depends on the host\n"
      "migration-safe: false, for the same reason\n"
      "unavailable-features: what it has and this host has not: nothing\n"
      "deprecated: false" },
    { .name = "CpuModelExpansionType", .values = "static,full",
      .help = "How much is told of a model of CPU; both are all." },
    { .name = "CpuModelInfo", .members = "name:str,?props:any",
      .help = "A model of CPU.\n"
      "name: as -cpu takes it\n"
      "props: an object with vendor, family, model, stepping, and for each "
      "feature whether it is there" },
    { .name = "CpuModelExpansionInfo", .members = "model:CpuModelInfo",
      .help = "What a model of CPU is.\n"
      "model: with all its properties" },
    { .name = "HostMemPolicy", .values = "default,preferred,bind,interleave",
      .help = "How the host's NUMA nodes are chosen." },
    { .name = "Memdev",
      .members = "id:str,size:int,merge:bool,dump:bool,prealloc:bool,"
                 "share:bool,reserve:bool,host-nodes:[int],"
                 "policy:HostMemPolicy",
      .help = "A memory backend.\n"
      "id: its name\n"
      "size: in bytes\n"
      "merge: the host may merge equal pages\n"
      "dump: core dumps of the emulator have it\n"
      "prealloc: it was populated when it was made\n"
      "share: other processes may map it\n"
      "reserve: the host has reserved room for all of it\n"
      "host-nodes: the host's NUMA nodes to choose from\n"
      "policy: how to choose" },
};

static const QmpCommand machine_qmp_commands[] = {
    { .name = "query-machines", .returns = "[MachineInfo]",
      .fn = qmp_query_machines, .help = "Lists the machine types." },
    { .name = "query-target", .returns = "TargetInfo", .fn = qmp_query_target,
      .help = "What is emulated." },
    { .name = "query-current-machine", .returns = "CurrentMachineParams",
      .fn = qmp_query_current_machine,
      .help = "What the machine that runs can do." },
    { .name = "query-kvm", .returns = "KvmInfo", .fn = qmp_query_kvm,
      .help = "Whether there is KVM and the guest runs by it." },
    { .name = "query-cpus-fast", .returns = "[CpuInfoFast]",
      .fn = qmp_query_cpus_fast,
      .help = "Lists the virtual CPUs with their host threads." },
    { .name = "query-hotpluggable-cpus", .returns = "[HotpluggableCPU]",
      .fn = qmp_query_hotpluggable_cpus,
      .help = "Lists the places for CPUs that -smp makes; what is in them "
              "does not change.\n"
      "Errors: the machine has no CPUs" },
    { .name = "query-cpu-definitions", .returns = "[CpuDefinitionInfo]",
      .fn = qmp_query_cpu_definitions, .help = "Lists the models of CPU." },
    { .name = "query-cpu-model-expansion",
      .args = "type:CpuModelExpansionType,model:CpuModelInfo",
      .returns = "CpuModelExpansionInfo", .fn = qmp_query_cpu_model_expansion,
      .help = "What a model of CPU is on this host.\n"
      "type: how much is told\n"
      "model: host or max, and in props the features to turn on or off\n"
      "Errors: KVM is not in use, or does not support a feature" },
    { .name = "query-memdev", .returns = "[Memdev]", .fn = qmp_query_memdev,
      .help = "Lists the memory backends." },
};

static void machine_qmp_register(void)
{
    qmp_register_types(machine_qmp_types, ARRAY_SIZE(machine_qmp_types));
    qmp_register_commands(machine_qmp_commands,
                          ARRAY_SIZE(machine_qmp_commands));
}
type_init(machine_qmp_register)
