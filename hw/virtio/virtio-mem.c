/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtio-mem, the device: properties, config space, resets, and its role as
 * the RamDiscardMgr of its region. The guest's requests are in
 * virtio-mem-request.c, the choice of a block size in virtio-mem-block-size.c,
 * the PCI function and its place in device memory in virtio-mem-pci.c.
 *
 * Only a system reset unplugs everything; a device reset (status 0, a driver
 * that is loaded again) must keep plugged what the guest may be running in.
 */
#include "qemu/osdep.h"
#include "virtio-mem.h"
#include "exec/ramblock.h"
#include "hw/boards.h"
#include "hw/qdev-properties.h"
#include "qemu/error-report.h"
#include "sysemu/numa.h"
#include "sysemu/reset.h"
#include "trace.h"


/* Who needs discards, in messages; ram_block_discard_add_user() keeps it. */
static const char discard_user[] = TYPE_VIRTIO_MEM;

/* --- pure helpers --- */

static bool has_numa(void)
{
    return current_machine && current_machine->numa_state &&
           current_machine->numa_state->num_nodes;
}

MemoryRegion *virtio_mem_get_memory_region(VirtIOMEM *vmem, Error **errp)
{
    if (!vmem->memdev) {
        error_setg(errp, "'" VIRTIO_MEM_MEMDEV_PROP "' property is not set: it "
                   "takes the id of a memory backend (-object memory-backend-"
                   "ram,id=...)");
        return NULL;
    }
    return host_memory_backend_get_memory(vmem->memdev);
}

uint64_t virtio_mem_get_block_size(const VirtIOMEM *vmem)
{
    uint64_t size;

    if (vmem->block_size || !vmem->memdev) {
        return vmem->block_size;
    }
    /* Why there is none, realize will tell. */
    size = virtio_mem_auto_block_size(vmem, NULL);
    return size ? size : virtio_mem_least_block_size(vmem);
}

/* --- state changes --- */

static void virtio_mem_system_reset(void *opaque)
{
    VirtIOMEM *vmem = opaque;
    uint64_t old_size = vmem->blocks.populated;
    int ret = virtio_mem_unplug_all(vmem);

    if (ret) {
        error_report_counted(&vmem->nr_failed_resets, "virtio-mem: could not "
                             "unplug %" PRIu64 " bytes at system reset, they "
                             "stay plugged: %s", old_size, strerror(-ret));
    }
    virtio_mem_notify_size_change(vmem, old_size);
}

static bool check_requested_size(const VirtIOMEM *vmem, uint64_t size,
                                 uint64_t region_size, Error **errp)
{
    if (!QEMU_IS_ALIGNED(size, vmem->block_size)) {
        error_setg(errp, "'" VIRTIO_MEM_REQUESTED_SIZE_PROP "' has to be a "
                   "multiple of '" VIRTIO_MEM_BLOCK_SIZE_PROP "' (0x%" PRIx64
                   "), not 0x%" PRIx64, vmem->block_size, size);
        return false;
    }
    if (size > region_size) {
        error_setg(errp, "'" VIRTIO_MEM_REQUESTED_SIZE_PROP "' (0x%" PRIx64
                   ") cannot exceed the memory backend size (0x%" PRIx64 ")",
                   size, region_size);
        return false;
    }
    return true;
}

/* --- bus callbacks --- */

static void virtio_mem_get_config(VirtIODevice *vdev, uint8_t *data)
{
    VirtIOMEM *vmem = VIRTIO_MEM(vdev);
    struct virtio_mem_config config = {
        .block_size = GUINT64_TO_LE(vmem->block_size),
        .node_id = GUINT16_TO_LE((uint16_t)vmem->node),
        .addr = GUINT64_TO_LE(vmem->addr),
        .region_size = GUINT64_TO_LE(memory_region_size(vmem->blocks.mr)),
        .usable_region_size = GUINT64_TO_LE(vmem->usable_region_size),
        .plugged_size = GUINT64_TO_LE(vmem->blocks.populated),
        .requested_size = GUINT64_TO_LE(vmem->requested_size),
    };

    memcpy(data, &config, sizeof(config));
}

static uint64_t virtio_mem_get_features(VirtIODevice *vdev, uint64_t features,
                                        Error **errp)
{
    VirtIOMEM *vmem = VIRTIO_MEM(vdev);

    if (has_numa()) {
        virtio_add_feature(&features, VIRTIO_MEM_F_ACPI_PXM);
    }
    if (vmem->unplugged_inaccessible != ON_OFF_AUTO_OFF) {
        virtio_add_feature(&features, VIRTIO_MEM_F_UNPLUGGED_INACCESSIBLE);
    }
    return features;
}

/* A driver that wants to read unplugged memory must not start. */
static int virtio_mem_validate_features(VirtIODevice *vdev)
{
    if (VIRTIO_MEM(vdev)->unplugged_inaccessible == ON_OFF_AUTO_OFF ||
        virtio_vdev_has_feature(vdev, VIRTIO_MEM_F_UNPLUGGED_INACCESSIBLE)) {
        return 0;
    }
    return -EINVAL;
}

/* --- realize --- */

static bool choose_block_size(VirtIOMEM *vmem, Error **errp)
{
    uint64_t least = virtio_mem_least_block_size(vmem);

    if (!vmem->block_size) {
        vmem->block_size = virtio_mem_auto_block_size(vmem, errp);
        return vmem->block_size;
    }
    if (!is_power_of_2(vmem->block_size) || vmem->block_size < least) {
        error_setg(errp, "'" VIRTIO_MEM_BLOCK_SIZE_PROP "' (0x%" PRIx64 ") has "
                   "to be a power of two, at least 0x%" PRIx64 " (the larger of "
                   "the transparent huge page size and the page size of '%s')",
                   vmem->block_size, least,
                   object_get_canonical_path_component(OBJECT(vmem->memdev)));
        return false;
    }
    return true;
}

/* All that can be wrong with the properties; chooses the block size. */
static bool check_properties(VirtIOMEM *vmem, MemoryRegion *mr, Error **errp)
{
    uint64_t size = memory_region_size(mr);
    int num_nodes = has_numa() ? current_machine->numa_state->num_nodes : 1;

    if (host_memory_backend_is_mapped(vmem->memdev)) {
        error_setg(errp, "can't use already busy memdev: %s: each device needs "
                   "a memory backend of its own",
                   object_get_canonical_path_component(OBJECT(vmem->memdev)));
        return false;
    }
    if (vmem->node >= (uint32_t)num_nodes) {
        error_setg(errp, "'" VIRTIO_MEM_NODE_PROP "' (%" PRIu32 ") exceeds the "
                   "highest NUMA node (%d)", vmem->node, num_nodes - 1);
        return false;
    }
    if (!virtio_mem_protect_check(vmem, errp) ||
        !choose_block_size(vmem, errp)) {
        return false;
    }
    if (!QEMU_IS_ALIGNED(size, vmem->block_size)) {
        error_setg(errp, "the size of '%s' (0x%" PRIx64 ") has to be a multiple "
                   "of '" VIRTIO_MEM_BLOCK_SIZE_PROP "' (0x%" PRIx64 ")",
                   object_get_canonical_path_component(OBJECT(vmem->memdev)),
                   size, vmem->block_size);
        return false;
    }
    if (!QEMU_IS_ALIGNED(vmem->addr, vmem->block_size)) {
        error_setg(errp, "'" VIRTIO_MEM_ADDR_PROP "' (0x%" PRIx64 ") has to be "
                   "a multiple of '" VIRTIO_MEM_BLOCK_SIZE_PROP "' (0x%" PRIx64
                   ")", vmem->addr, vmem->block_size);
        return false;
    }
    return check_requested_size(vmem, vmem->requested_size, size, errp);
}

/* Takes the region: from here on, its memory comes and goes. */
static bool take_region(VirtIOMEM *vmem, MemoryRegion *mr, Error **errp)
{
    int ret;

    if (!ram_block_discard_add_user(RAM_DISCARD_REQUIRE_COORDINATED,
                                    discard_user, errp)) {
        return false;
    }
    /* A backend may come with memory allocated; nothing is plugged yet. */
    ret = ram_block_discard_range(memory_region_ram_block(mr), 0,
                                  memory_region_size(mr));
    if (ret) {
        ram_block_discard_remove_user(RAM_DISCARD_REQUIRE_COORDINATED,
                                      discard_user);
        error_setg_errno(errp, -ret, "cannot discard the memory of '%s'",
                         object_get_canonical_path_component(
                             OBJECT(vmem->memdev)));
        return false;
    }
    if (vmem->protect_on) {
        vmem->protect = virtio_mem_protect_new(vmem, mr, errp);
        if (!vmem->protect) {
            ram_block_discard_remove_user(RAM_DISCARD_REQUIRE_COORDINATED,
                                          discard_user);
            return false;
        }
    }
    ram_discard_blocks_init(&vmem->blocks, RAM_DISCARD_MGR(vmem), mr,
                            vmem->block_size,
                            vmem->protect ? virtio_mem_protect_discard : NULL,
                            vmem->protect);
    vmem->blocks.backed = virtio_mem_backs_plugs(vmem);
    memory_region_set_ram_discard_mgr(mr, RAM_DISCARD_MGR(vmem));
    host_memory_backend_set_mapped(vmem->memdev, true);
    return true;
}

static void release_region(VirtIOMEM *vmem)
{
    host_memory_backend_set_mapped(vmem->memdev, false);
    memory_region_set_ram_discard_mgr(vmem->blocks.mr, NULL);
    ram_discard_blocks_destroy(&vmem->blocks);
    g_clear_pointer(&vmem->protect, virtio_mem_protect_free);
    ram_block_discard_remove_user(RAM_DISCARD_REQUIRE_COORDINATED,
                                  discard_user);
}

static void virtio_mem_realize(DeviceState *dev, Error **errp)
{
    VirtIODevice *vdev = VIRTIO_DEVICE(dev);
    VirtIOMEM *vmem = VIRTIO_MEM(dev);
    MemoryRegion *mr = virtio_mem_get_memory_region(vmem, errp);

    if (!mr || !check_properties(vmem, mr, errp) ||
        !ram_discard_consumers_check(mr, vmem->block_size, errp) ||
        !take_region(vmem, mr, errp)) {
        return;
    }
    virtio_mem_warn_of_backend(vmem);
    virtio_mem_resize_usable_region(vmem, true);
    virtio_init(vdev, TYPE_VIRTIO_MEM, VIRTIO_ID_MEM,
                sizeof(struct virtio_mem_config));
    vmem->vq = virtio_add_queue(vdev, VIRTIO_MEM_QUEUE_SIZE,
                                virtio_mem_handle_request);
    qemu_register_reset(virtio_mem_system_reset, vmem);
}

static void virtio_mem_unrealize(DeviceState *dev)
{
    VirtIODevice *vdev = VIRTIO_DEVICE(dev);
    VirtIOMEM *vmem = VIRTIO_MEM(dev);

    qemu_unregister_reset(virtio_mem_system_reset, vmem);
    virtio_mem_stop_pacing(vmem);
    virtio_delete_queue(vmem->vq);
    virtio_cleanup(vdev);
    release_region(vmem);
}

/* --- RamDiscardMgr --- */

static RamDiscardBlocks *virtio_mem_rdm_get_blocks(const RamDiscardMgr *rdm,
                                                   const MemoryRegion *mr)
{
    return &VIRTIO_MEM(rdm)->blocks;
}

/* --- properties --- */

static void virtio_mem_get_size(Object *obj, Visitor *v, const char *name,
                                void *opaque, Error **errp)
{
    uint64_t size = VIRTIO_MEM(obj)->blocks.populated;

    visit_type_size(v, name, &size, errp);
}

static void virtio_mem_get_requested_size(Object *obj, Visitor *v,
                                          const char *name, void *opaque,
                                          Error **errp)
{
    uint64_t size = VIRTIO_MEM(obj)->requested_size;

    visit_type_size(v, name, &size, errp);
}

bool virtio_mem_request_size(VirtIOMEM *vmem, uint64_t size, Error **errp)
{
    if (!check_requested_size(vmem, size, memory_region_size(vmem->blocks.mr),
                              errp)) {
        return false;
    }
    if (size == vmem->requested_size) {
        return true;
    }
    trace_virtio_mem_set_requested_size(memory_region_name(vmem->blocks.mr),
                                        size);
    vmem->requested_size = size;
    virtio_mem_resize_usable_region(vmem, false);
    virtio_notify_config(VIRTIO_DEVICE(vmem));
    return true;
}

static void virtio_mem_set_requested_size(Object *obj, Visitor *v,
                                          const char *name, void *opaque,
                                          Error **errp)
{
    const MemorySizeOwner *owner = VIRTIO_MEM(obj)->size_owner;
    uint64_t size;

    if (!visit_type_size(v, name, &size, errp)) {
        return;
    }
    if (owner && !owner->paused) {
        error_setg(errp, "'" VIRTIO_MEM_REQUESTED_SIZE_PROP "' is set by '%s': "
                   "pause it first, by qom-set of its property 'paused' to "
                   "true", owner->path);
    } else if (DEVICE(obj)->realized) {
        virtio_mem_request_size(VIRTIO_MEM(obj), size, errp);
    } else {
        /* Any value is taken, to be checked by realize. */
        VIRTIO_MEM(obj)->requested_size = size;
    }
}

static void virtio_mem_get_block_size_prop(Object *obj, Visitor *v,
                                           const char *name, void *opaque,
                                           Error **errp)
{
    uint64_t size = virtio_mem_get_block_size(VIRTIO_MEM(obj));

    visit_type_size(v, name, &size, errp);
}

/* Whether the value is the word auto, from a command line or as JSON. */
static bool visit_is_auto(Visitor *v, const char *name)
{
    g_autoptr(JsonNode) node = NULL;

    return visit_type_any(v, name, &node, NULL) &&
           JSON_NODE_HOLDS_VALUE(node) &&
           json_node_get_value_type(node) == G_TYPE_STRING &&
           !strcmp(json_node_get_string(node), "auto");
}

static void virtio_mem_set_block_size(Object *obj, Visitor *v, const char *name,
                                      void *opaque, Error **errp)
{
    VirtIOMEM *vmem = VIRTIO_MEM(obj);
    uint64_t size;

    if (!qdev_prop_check_settable(obj, name, errp)) {
        return;
    }
    if (visit_is_auto(v, name)) {
        vmem->block_size = 0;
        return;
    }
    if (!visit_type_size(v, name, &size, errp)) {
        return;
    }
    if (!is_power_of_2(size) || size < virtio_mem_thp_size()) {
        error_setg(errp, "'%s' (0x%" PRIx64 ") has to be a power of two, at "
                   "least 0x%" PRIx64 ", or auto", name, size,
                   virtio_mem_thp_size());
        return;
    }
    vmem->block_size = size;
}

static void virtio_mem_instance_init(Object *obj)
{
    notifier_list_init(&VIRTIO_MEM(obj)->size_change_notifiers);
}

static const Property virtio_mem_properties[] = {
    DEFINE_PROP_UINT64(VIRTIO_MEM_ADDR_PROP, VirtIOMEM, addr, 0),
    DEFINE_PROP_UINT32(VIRTIO_MEM_NODE_PROP, VirtIOMEM, node, 0),
    DEFINE_PROP_LINK(VIRTIO_MEM_MEMDEV_PROP, VirtIOMEM, memdev,
                     TYPE_MEMORY_BACKEND, HostMemoryBackend *),
    DEFINE_PROP_ON_OFF_AUTO(VIRTIO_MEM_UNPLUGGED_INACCESSIBLE_PROP, VirtIOMEM,
                            unplugged_inaccessible, ON_OFF_AUTO_ON),
    DEFINE_PROP_BOOL(VIRTIO_MEM_PREALLOC_PROP, VirtIOMEM, prealloc, false),
    DEFINE_PROP_BOOL(VIRTIO_MEM_PROTECT_PROP, VirtIOMEM, protect_on, false),
    DEFINE_PROP_ENUM(VIRTIO_MEM_PROTECT_ACTION_PROP, VirtIOMEM, protect_action,
                     VIRTIO_MEM_PROTECT_CONTINUE, VirtIOMEMProtectAction_lookup,
                     VirtIOMEMProtectAction),
    DEFINE_PROP_END_OF_LIST(),
};

/* What may change, or be looked at, while the device is in use. */
static void virtio_mem_add_live_properties(ObjectClass *klass)
{
    object_class_property_add(klass, VIRTIO_MEM_SIZE_PROP, "size",
                              virtio_mem_get_size, NULL, NULL, NULL);
    object_class_property_add(klass, VIRTIO_MEM_REQUESTED_SIZE_PROP, "size",
                              virtio_mem_get_requested_size,
                              virtio_mem_set_requested_size, NULL, NULL);
    object_class_property_add(klass, VIRTIO_MEM_BLOCK_SIZE_PROP, "size",
                              virtio_mem_get_block_size_prop,
                              virtio_mem_set_block_size, NULL, NULL);
    object_class_property_set_description(
        klass, VIRTIO_MEM_BLOCK_SIZE_PROP, "a power of two, or auto: the "
        "smallest with which passed-through devices can follow "
        "(default: auto)");
    virtio_mem_add_rate_property(klass);
}

static void virtio_mem_class_init(ObjectClass *klass, void *data)
{
    VirtioDeviceClass *vdc = VIRTIO_DEVICE_CLASS(klass);
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->desc = "memory that the guest plugs and unplugs in blocks";
    set_bit(DEVICE_CATEGORY_MISC, dc->categories);
    device_class_set_props(dc, virtio_mem_properties);
    virtio_mem_add_live_properties(klass);

    vdc->realize = virtio_mem_realize;
    vdc->unrealize = virtio_mem_unrealize;
    vdc->get_config = virtio_mem_get_config;
    vdc->get_features = virtio_mem_get_features;
    vdc->validate_features = virtio_mem_validate_features;

    RAM_DISCARD_MGR_CLASS(klass)->get_blocks = virtio_mem_rdm_get_blocks;
}

static const TypeInfo virtio_mem_types[] = {
    {
        .name = TYPE_VIRTIO_MEM,
        .parent = TYPE_VIRTIO_DEVICE,
        .instance_size = sizeof(VirtIOMEM),
        .instance_init = virtio_mem_instance_init,
        .class_init = virtio_mem_class_init,
        .interfaces = (InterfaceInfo[]) { { TYPE_RAM_DISCARD_MGR }, { NULL } },
    },
};
DEFINE_TYPES(virtio_mem_types)
