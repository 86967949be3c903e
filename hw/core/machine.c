/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machine type: properties that -machine sets, and the boot RAM that is
 * made out of memory backends before the board is built. Which devices there
 * are is the board's business (hw/i386).
 */
#include "qemu/osdep.h"
#include "hw/boards.h"
#include "machine-internal.h"
#include "qapi/error.h"
#include "qapi/visitor.h"
#include "qom/object_interfaces.h"
#include "sysemu/hostmem.h"
#include "sysemu/numa.h"

MachineState *current_machine;

/* --- finding a machine type --- */

static MachineClass *find_class(bool (*match)(MachineClass *mc,
                                              const char *name),
                                const char *name)
{
    g_autoptr(GSList) classes =
        object_class_get_list_sorted(TYPE_MACHINE, false);

    for (GSList *l = classes; l; l = l->next) {
        if (match(MACHINE_CLASS(l->data), name)) {
            return MACHINE_CLASS(l->data);
        }
    }
    return NULL;
}

static bool class_has_name(MachineClass *mc, const char *name)
{
    return strcmp(mc->name, name) == 0 || g_strcmp0(mc->alias, name) == 0;
}

static bool class_is_default(MachineClass *mc, const char *name)
{
    return mc->is_default;
}

MachineClass *find_machine_class(const char *name)
{
    return find_class(class_has_name, name);
}

MachineClass *find_default_machine_class(void)
{
    return find_class(class_is_default, NULL);
}

/* --- boot RAM --- */

static HostMemoryBackend *find_ram_backend(MachineState *ms, Error **errp)
{
    Object *obj = object_resolve_path_type(ms->ram_memdev_id,
                                           TYPE_MEMORY_BACKEND, NULL);

    if (!obj) {
        error_setg(errp, "Memory backend '%s' not found", ms->ram_memdev_id);
        return NULL;
    }
    return MEMORY_BACKEND(obj);
}

static HostMemoryBackend *create_ram_backend(MachineState *ms, Error **errp)
{
    MachineClass *mc = MACHINE_GET_CLASS(ms);
    g_autoptr(Object) obj = object_new(TYPE_MEMORY_BACKEND_RAM);

    if (!object_property_set_uint(obj, "size", ms->ram_size, errp)) {
        return NULL;
    }
    object_property_add_child(object_get_objects_root(), mc->default_ram_id,
                              obj);
    if (!user_creatable_complete(USER_CREATABLE(obj), errp)) {
        object_unparent(obj);
        return NULL;
    }
    return MEMORY_BACKEND(obj);
}

/* Claims @backend for the machine and returns its region; NULL: *errp. */
static MemoryRegion *claim_backend(HostMemoryBackend *backend, uint64_t size,
                                   Error **errp)
{
    MemoryRegion *mr = host_memory_backend_get_memory(backend);
    const char *id = object_get_canonical_path_component(OBJECT(backend));

    if (host_memory_backend_is_mapped(backend)) {
        error_setg(errp, "memory backend '%s' is already in use", id);
        return NULL;
    }
    if (memory_region_size(mr) != size) {
        error_setg(errp, "memory backend '%s' has 0x%" PRIx64 " bytes, but "
                   "0x%" PRIx64 " are needed: make its size= and -m agree",
                   id, memory_region_size(mr), size);
        return NULL;
    }
    host_memory_backend_set_mapped(backend, true);
    return mr;
}

/* One region out of the backends of the NUMA nodes, one after the other. */
static MemoryRegion *assemble_numa_ram(MachineState *ms, Error **errp)
{
    MachineClass *mc = MACHINE_GET_CLASS(ms);
    NumaState *numa = ms->numa_state;
    MemoryRegion *ram = &ms->numa_ram;
    hwaddr addr = 0;

    memory_region_init(ram, OBJECT(ms), mc->default_ram_id, ms->ram_size);
    for (int i = 0; i < numa->num_nodes; i++) {
        NodeInfo *node = &numa->nodes[i];
        MemoryRegion *seg;

        if (!node->node_memdev) {
            continue;
        }
        seg = claim_backend(node->node_memdev, node->node_mem, errp);
        if (!seg) {
            return NULL;
        }
        memory_region_add_subregion(ram, addr, seg);
        addr += node->node_mem;
    }
    return ram;
}

static bool machine_create_ram(MachineState *ms, Error **errp)
{
    if (ms->numa_state->have_memdevs) {
        ms->ram = assemble_numa_ram(ms, errp);
        return ms->ram != NULL;
    }
    ms->ram_memdev = ms->ram_memdev_id ? find_ram_backend(ms, errp)
                                       : create_ram_backend(ms, errp);
    if (!ms->ram_memdev) {
        return false;
    }
    ms->ram = claim_backend(ms->ram_memdev, ms->ram_size, errp);
    return ms->ram != NULL;
}

bool machine_run_board_init(MachineState *machine, Error **errp)
{
    MachineClass *mc = MACHINE_GET_CLASS(machine);

    if (!numa_complete_configuration(machine, errp) ||
        (mc->default_ram_id && machine->ram_size &&
         !machine_create_ram(machine, errp))) {
        return false;
    }
    mc->init(machine);
    return true;
}

/* --- properties --- */

#define MACHINE_STRING_PROPERTY(prop, field)                                 \
    static char *machine_get_##prop(Object *obj, Error **errp)               \
    {                                                                        \
        return g_strdup(MACHINE(obj)->field);                                \
    }                                                                        \
    static void machine_set_##prop(Object *obj, const char *value,           \
                                   Error **errp)                             \
    {                                                                        \
        g_free(MACHINE(obj)->field);                                         \
        MACHINE(obj)->field = g_strdup(value);                               \
    }

MACHINE_STRING_PROPERTY(kernel, kernel_filename)
MACHINE_STRING_PROPERTY(initrd, initrd_filename)
MACHINE_STRING_PROPERTY(append, kernel_cmdline)
MACHINE_STRING_PROPERTY(firmware, firmware)

static void add_string(ObjectClass *klass, const char *name,
                       char *(*get)(Object *, Error **),
                       void (*set)(Object *, const char *, Error **),
                       const char *description)
{
    object_class_property_add_str(klass, name, get, set);
    object_class_property_set_description(klass, name, description);
}

/* A link, but one whose target need not be there when it is set. */
static void machine_get_memory_backend(Object *obj, Visitor *v,
                                       const char *name, void *opaque,
                                       Error **errp)
{
    MachineState *ms = MACHINE(obj);
    g_autofree char *path = ms->ram_memdev
        ? object_get_canonical_path(OBJECT(ms->ram_memdev))
        : g_strdup(ms->ram_memdev_id);

    visit_type_str(v, name, &path, errp);
}

static void machine_set_memory_backend(Object *obj, Visitor *v,
                                       const char *name, void *opaque,
                                       Error **errp)
{
    MachineState *ms = MACHINE(obj);
    char *value;

    if (visit_type_str(v, name, &value, errp)) {
        g_free(ms->ram_memdev_id);
        ms->ram_memdev_id = value;
    }
}

static bool machine_get_hmat(Object *obj, Error **errp)
{
    return MACHINE(obj)->numa_state->hmat_enabled;
}

static void machine_set_hmat(Object *obj, bool value, Error **errp)
{
    MACHINE(obj)->numa_state->hmat_enabled = value;
}

/* There is none in any case; who says so has firmware talk over the serial port. */
static bool machine_get_graphics(Object *obj, Error **errp)
{
    return false;
}

static void machine_set_graphics(Object *obj, bool value, Error **errp)
{
    if (value) {
        error_setg(errp, "graphics=on: not supported; possible: off");
        return;
    }
    MACHINE(obj)->nographic = true;
}

static const MachineFixedProperty machine_fixed[] = {
    { .name = "usb", .description = "USB" },
    { },
};

static void machine_class_init(ObjectClass *klass, void *data)
{
    add_string(klass, "kernel", machine_get_kernel, machine_set_kernel,
               "Linux kernel image file");
    add_string(klass, "initrd", machine_get_initrd, machine_set_initrd,
               "Linux initial ramdisk file");
    add_string(klass, "append", machine_get_append, machine_set_append,
               "Linux kernel command line");
    add_string(klass, "firmware", machine_get_firmware, machine_set_firmware,
               "Firmware image");
    object_class_property_add(klass, "memory-backend",
                              "link<" TYPE_MEMORY_BACKEND ">",
                              machine_get_memory_backend,
                              machine_set_memory_backend, NULL, NULL);
    object_class_property_set_description(
        klass, "memory-backend",
        "id of the memory backend that is the boot RAM");
    object_class_property_add_bool(klass, "hmat", machine_get_hmat,
                                   machine_set_hmat);
    object_class_property_set_description(
        klass, "hmat", "Tell the guest how fast the NUMA nodes' memory is");
    object_class_property_add_bool(klass, "graphics", machine_get_graphics,
                                   machine_set_graphics);
    object_class_property_set_description(klass, "graphics", "A display");
    machine_class_add_config(klass);
    machine_class_add_fixed(klass, machine_fixed);
}

static void machine_class_base_init(ObjectClass *klass, void *data)
{
    MachineClass *mc = MACHINE_CLASS(klass);
    const char *type = object_class_get_name(klass);

    mc->alias = NULL;
    mc->is_default = false;
    if (!object_class_is_abstract(klass)) {
        g_assert(g_str_has_suffix(type, TYPE_MACHINE_SUFFIX));
        mc->name = g_strndup(type, strlen(type) - strlen(TYPE_MACHINE_SUFFIX));
    }
}

static void free_firmware_file(void *opaque)
{
    FirmwareFile *file = opaque;

    g_free(file->name);
    g_bytes_unref(file->contents);
    g_free(file);
}

static void machine_instance_init(Object *obj)
{
    MachineState *ms = MACHINE(obj);
    MachineClass *mc = MACHINE_GET_CLASS(ms);

    ms->ram_size = mc->default_ram_size;
    ms->maxram_size = mc->default_ram_size;
    ms->cpu_type = g_strdup(mc->default_cpu_type);
    ms->kernel_cmdline = g_strdup("");
    ms->numa_state = g_new0(NumaState, 1);
    ms->boot_config.reboot_timeout = -1;
    ms->firmware_files = g_ptr_array_new_with_free_func(free_firmware_file);
    ms->smp = (CpuTopology) {
        .cpus = 1, .cores = 1, .threads = 1, .sockets = 1, .max_cpus = 1,
    };
}

static void machine_finalize(Object *obj)
{
    MachineState *ms = MACHINE(obj);

    g_free(ms->cpu_type);
    g_free(ms->cpu_features);
    g_free(ms->kernel_filename);
    g_free(ms->kernel_cmdline);
    g_free(ms->initrd_filename);
    g_free(ms->firmware);
    g_free(ms->boot_config.order);
    g_free(ms->boot_config.once);
    g_ptr_array_unref(ms->firmware_files);
    g_free(ms->ram_memdev_id);
    numa_state_free(ms->numa_state);
}

static const TypeInfo machine_types[] = {
    {
        .name = TYPE_MACHINE,
        .parent = TYPE_OBJECT,
        .abstract = true,
        .instance_size = sizeof(MachineState),
        .instance_init = machine_instance_init,
        .instance_finalize = machine_finalize,
        .class_size = sizeof(MachineClass),
        .class_init = machine_class_init,
        .class_base_init = machine_class_base_init,
    },
};
DEFINE_TYPES(machine_types)
