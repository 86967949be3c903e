/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory devices: called by the machine's hotplug handler, which decides which
 * devices are some. Keeps the list of those that are plugged, by address; the
 * arithmetic of where one fits is memory-placement.c's.
 */
#include "qemu/osdep.h"
#include "exec/address-spaces.h"
#include "exec/ramblock.h"
#include "hw/mem/memory-device.h"
#include "memory-placement.h"
#include "monitor/qmp.h"
#include "qemu/units.h"

/* Lets huge pages be used whatever the device asks for. */
#define DEFAULT_ALIGNMENT (2 * MiB)

/* --- one device --- */

static MemoryRegion *device_region(const MemoryDeviceState *md, Error **errp)
{
    return MEMORY_DEVICE_GET_CLASS(md)->get_memory_region(
        (MemoryDeviceState *)md, errp);
}

static uint64_t device_addr(const MemoryDeviceState *md)
{
    return MEMORY_DEVICE_GET_CLASS(md)->get_addr(md);
}

uint64_t memory_device_get_region_size(const MemoryDeviceState *md,
                                       Error **errp)
{
    MemoryRegion *mr = device_region(md, errp);

    return mr ? memory_region_size(mr) : 0;
}

static uint64_t device_alignment(const MemoryDeviceState *md, MemoryRegion *mr)
{
    MemoryDeviceClass *mdc = MEMORY_DEVICE_GET_CLASS(md);

    if (mdc->get_min_alignment) {
        return MAX(mdc->get_min_alignment(md), qemu_real_host_page_size());
    }
    if (!memory_region_ram_block(mr)) {
        return DEFAULT_ALIGNMENT;
    }
    return MAX(qemu_ram_pagesize(memory_region_ram_block(mr)),
               DEFAULT_ALIGNMENT);
}

static const char *device_id(const MemoryDeviceState *md)
{
    DeviceState *dev = DEVICE(md);

    return dev->id ? dev->id : "";
}

/* --- placing --- */

static uint64_t used_size(const MachineState *ms)
{
    uint64_t sum = 0;

    for (GList *l = ms->device_memory->devices; l; l = l->next) {
        sum += memory_device_get_region_size(l->data, &error_abort);
    }
    return sum;
}

/* Whether maxmem leaves room for @size more bytes. */
static bool check_room(const MachineState *ms, uint64_t size, Error **errp)
{
    uint64_t total = ms->maxram_size - ms->ram_size;
    uint64_t used = used_size(ms);

    if (size > total || used > total - size) {
        error_setg(errp, "not enough space, currently 0x%" PRIx64 " in use of "
                   "total space for memory devices 0x%" PRIx64 "; 0x%" PRIx64
                   " more needed: raise maxmem", used, total, size);
        return false;
    }
    return true;
}

static GArray *used_ranges(const MachineState *ms)
{
    GArray *ranges = g_array_new(false, false, sizeof(PlacedRange));

    for (GList *l = ms->device_memory->devices; l; l = l->next) {
        PlacedRange r = {
            .addr = device_addr(l->data),
            .size = memory_device_get_region_size(l->data, &error_abort),
            .id = device_id(l->data),
        };
        g_array_append_val(ranges, r);
    }
    return ranges;
}

static bool find_address(MemoryDeviceState *md, MachineState *ms,
                         uint64_t align, uint64_t size, uint64_t *addr,
                         Error **errp)
{
    DeviceMemoryState *dm = ms->device_memory;
    g_autoptr(GArray) ranges = used_ranges(ms);
    PlacementSpace space = {
        .addr = dm->base,
        .size = memory_region_size(&dm->mr),
        .used = (const PlacedRange *)ranges->data,
        .nr_used = ranges->len,
    };
    uint64_t hint = device_addr(md);

    return memory_place(&space, hint ? &hint : NULL, align, size, addr, errp);
}

void memory_device_pre_plug(MemoryDeviceState *md, MachineState *ms,
                            const uint64_t *legacy_align, Error **errp)
{
    MemoryRegion *mr;
    uint64_t addr, size, align;

    if (!ms->device_memory || ms->maxram_size == ms->ram_size) {
        error_setg(errp, "memory devices (e.g. for memory hotplug) are not "
                   "enabled, please specify the maxmem option");
        return;
    }
    mr = device_region(md, errp);
    if (!mr) {
        return;
    }
    size = memory_region_size(mr);
    align = legacy_align ? *legacy_align : device_alignment(md, mr);
    if (!check_room(ms, size, errp) ||
        !find_address(md, ms, align, size, &addr, errp)) {
        return;
    }
    MEMORY_DEVICE_GET_CLASS(md)->set_addr(md, addr, errp);
}

static gint compare_addr(gconstpointer a, gconstpointer b)
{
    uint64_t x = device_addr(a), y = device_addr(b);

    return x < y ? -1 : x > y;
}

void memory_device_plug(MemoryDeviceState *md, MachineState *ms)
{
    DeviceMemoryState *dm = ms->device_memory;
    MemoryRegion *mr = device_region(md, &error_abort);

    g_assert(device_addr(md) >= dm->base);
    memory_region_add_subregion(&dm->mr, device_addr(md) - dm->base, mr);
    dm->devices = g_list_insert_sorted(dm->devices, md, compare_addr);
}

bool memory_device_unplug_check(MemoryDeviceState *md, Error **errp)
{
    MemoryDeviceClass *mdc = MEMORY_DEVICE_GET_CLASS(md);

    if (!mdc->unplug_check) {
        error_setg(errp, "memory devices of type '%s' cannot be unplugged",
                   object_get_typename(OBJECT(md)));
        return false;
    }
    return mdc->unplug_check(md, errp);
}

void memory_device_unplug(MemoryDeviceState *md, MachineState *ms)
{
    DeviceMemoryState *dm = ms->device_memory;
    MemoryRegion *mr = device_region(md, &error_abort);

    g_assert(g_list_find(dm->devices, md));
    dm->devices = g_list_remove(dm->devices, md);
    memory_region_del_subregion(&dm->mr, mr);
}

void machine_memory_devices_init(MachineState *ms, hwaddr base, uint64_t size)
{
    g_assert(size > 0 && base <= UINT64_MAX - size && !ms->device_memory);
    ms->device_memory = g_new0(DeviceMemoryState, 1);
    ms->device_memory->base = base;
    memory_region_init(&ms->device_memory->mr, OBJECT(ms), "device-memory",
                       size);
    memory_region_add_subregion(get_system_memory(), base,
                                &ms->device_memory->mr);
}

/* --- QMP --- */

static GList *plugged_devices(void)
{
    return current_machine && current_machine->device_memory
           ? current_machine->device_memory->devices : NULL;
}

uint64_t get_plugged_memory_size(void)
{
    uint64_t sum = 0;

    for (GList *l = plugged_devices(); l; l = l->next) {
        MemoryDeviceClass *mdc = MEMORY_DEVICE_GET_CLASS(l->data);

        sum += mdc->get_plugged_size
               ? mdc->get_plugged_size(l->data, &error_abort)
               : memory_device_get_region_size(l->data, &error_abort);
    }
    return sum;
}

static JsonNode *qmp_query_memory_devices(JsonObject *args, Error **errp)
{
    JsonArray *list = json_array_new();

    for (GList *l = plugged_devices(); l; l = l->next) {
        MemoryDeviceClass *mdc = MEMORY_DEVICE_GET_CLASS(l->data);

        json_array_add_object_element(list, mdc->fill_device_info(l->data));
    }
    return json_array_node(list);
}

static JsonNode *qmp_query_memory_size_summary(JsonObject *args, Error **errp)
{
    JsonObject *summary = json_object_new();

    json_object_set_int_member(summary, "base-memory",
                               current_machine ? current_machine->ram_size : 0);
    json_object_set_int_member(summary, "plugged-memory",
                               get_plugged_memory_size());
    return json_object_node(summary);
}

static const QmpType memory_device_types[] = {
    { .name = "MemoryDeviceInfoKind", .values = "virtio-mem",
      .help = "The kinds of memory devices." },
    { .name = "MemoryDeviceInfo", .members = "type:MemoryDeviceInfoKind",
      .tag = "type", .variants = "virtio-mem:VirtioMEMDeviceInfoWrapper",
      .help = "A memory device.\n"
      "type: what it is" },
    { .name = "VirtioMEMDeviceInfoWrapper", .members = "data:VirtioMEMDeviceInfo",
      .help = "The rest of MemoryDeviceInfo.\n"
      "data: of the device" },
    { .name = "VirtioMEMDeviceInfo",
      .members = "?id:str,memaddr:int,requested-size:int,size:int,"
                 "max-size:int,block-size:int,node:int,memdev:str,"
                 "requests:int,?last-refusal:RamDiscardRefusal",
      .help = "A virtio-mem device; all sizes are in bytes.\n"
      "id: of the device, if it has one\n"
      "memaddr: guest physical\n"
      "requested-size: what the guest shall have plugged\n"
      "size: what it has plugged\n"
      "max-size: what it can plug\n"
      "block-size: what it plugs at once\n"
      "node: the guest's NUMA node\n"
      "memdev: path of the memory backend\n"
      "requests: how many the guest has made\n"
      "last-refusal: why a plug was refused last; left out if none was" },
    { .name = "MemoryInfo", .members = "base-memory:int,?plugged-memory:int",
      .help = "How much memory the guest has.\n"
      "base-memory: boot RAM, in bytes\n"
      "plugged-memory: of memory devices, in bytes" },
};

static const QmpCommand memory_device_commands[] = {
    { .name = "query-memory-devices", .returns = "[MemoryDeviceInfo]",
      .fn = qmp_query_memory_devices,
      .help = "Lists the memory devices with their state." },
    { .name = "query-memory-size-summary", .returns = "MemoryInfo",
      .fn = qmp_query_memory_size_summary,
      .help = "Tells how much boot RAM there is and how much is plugged." },
};

static const TypeInfo memory_device_info = {
    .name = TYPE_MEMORY_DEVICE,
    .parent = TYPE_INTERFACE,
    .class_size = sizeof(MemoryDeviceClass),
};

static void memory_device_register(void)
{
    type_register_static(&memory_device_info);
    qmp_register_types(memory_device_types, ARRAY_SIZE(memory_device_types));
    qmp_register_commands(memory_device_commands,
                          ARRAY_SIZE(memory_device_commands));
}
type_init(memory_device_register)
