/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtio-mem-pci: virtio-mem as a PCI function, and as a memory device, whose
 * region the machine places in device memory. Tells QMP clients when the
 * plugged size changes.
 */
#include "qemu/osdep.h"
#include "hw/mem/memory-device.h"
#include "hw/qdev-properties.h"
#include "virtio-mem.h"
#include "hw/virtio/virtio-pci.h"
#include "qapi/client-event.h"

#define TYPE_VIRTIO_MEM_PCI "virtio-mem-pci-base"
OBJECT_DECLARE_SIMPLE_TYPE(VirtIOMEMPCI, VIRTIO_MEM_PCI)

struct VirtIOMEMPCI {
    VirtIOPCIProxy parent_obj;

    VirtIOMEM vdev;
    Notifier size_change_notifier;
    char *path;                       /* in the QOM tree, for events */
};

static JsonObject *size_change_data(void *opaque)
{
    VirtIOMEMPCI *mem_pci = opaque;
    JsonObject *data = json_object_new();

    if (DEVICE(mem_pci)->id) {
        json_object_set_string_member(data, "id", DEVICE(mem_pci)->id);
    }
    json_object_set_int_member(data, "size",
                               (gint64)mem_pci->vdev.blocks.populated);
    json_object_set_string_member(data, "qom-path", mem_pci->path);
    return data;
}

static void virtio_mem_pci_size_change(Notifier *notifier, void *data)
{
    VirtIOMEMPCI *mem_pci = container_of(notifier, VirtIOMEMPCI,
                                         size_change_notifier);

    qapi_event_emit_thinned("MEMORY_DEVICE_SIZE_CHANGE", size_change_data,
                            mem_pci);
}

static void virtio_mem_pci_realize(VirtIOPCIProxy *vpci_dev, Error **errp)
{
    VirtIOMEMPCI *mem_pci = VIRTIO_MEM_PCI(vpci_dev);

    g_free(mem_pci->path);
    mem_pci->path = object_get_canonical_path(OBJECT(mem_pci));
    qdev_realize(DEVICE(&mem_pci->vdev), BUS(&vpci_dev->bus), errp);
}

/* --- memory device --- */

static VirtIOMEM *vmem_of(const MemoryDeviceState *md)
{
    return &VIRTIO_MEM_PCI(md)->vdev;
}

static uint64_t virtio_mem_pci_get_addr(const MemoryDeviceState *md)
{
    return vmem_of(md)->addr;
}

static void virtio_mem_pci_set_addr(MemoryDeviceState *md, uint64_t addr,
                                    Error **errp)
{
    object_property_set_uint(OBJECT(vmem_of(md)), VIRTIO_MEM_ADDR_PROP, addr,
                             errp);
}

static uint64_t virtio_mem_pci_get_plugged_size(const MemoryDeviceState *md,
                                                Error **errp)
{
    return vmem_of(md)->blocks.populated;
}

static MemoryRegion *virtio_mem_pci_get_memory_region(MemoryDeviceState *md,
                                                      Error **errp)
{
    return virtio_mem_get_memory_region(vmem_of(md), errp);
}

static uint64_t virtio_mem_pci_get_min_alignment(const MemoryDeviceState *md)
{
    return virtio_mem_get_block_size(vmem_of(md));
}

static JsonObject *virtio_mem_pci_fill_device_info(const MemoryDeviceState *md)
{
    return virtio_mem_device_info(vmem_of(md), DEVICE(md)->id);
}

static void virtio_mem_pci_get_sizes(const MemoryDeviceState *md,
                                     MemoryDeviceSizes *sizes)
{
    const VirtIOMEM *vmem = vmem_of(md);
    const RamDiscardRefusal *refusal =
        &memory_region_ram_discard_state(vmem->blocks.mr)->refusal;

    *sizes = (MemoryDeviceSizes) {
        .block = vmem->block_size,
        .max = memory_region_size(vmem->blocks.mr),
        .requested = vmem->requested_size,
        .plugged = vmem->blocks.populated,
        .node = vmem->node,
        .refusals = refusal->count,
        .refused = refusal->count && refusal->standing ? refusal->reason : NULL,
    };
}

static bool virtio_mem_pci_request_size(MemoryDeviceState *md, uint64_t size,
                                        Error **errp)
{
    return virtio_mem_request_size(vmem_of(md), size, errp);
}

static const MemorySizeOwner **virtio_mem_pci_size_owner(MemoryDeviceState *md)
{
    return &vmem_of(md)->size_owner;
}

/* A guest keeps using what it has plugged; and what is requested it may plug
 * at any moment. */
static bool virtio_mem_pci_unplug_check(MemoryDeviceState *md, Error **errp)
{
    VirtIOMEM *vmem = vmem_of(md);

    if (vmem->size_owner) {
        error_setg(errp, "virtio-mem device cannot get unplugged while '%s' "
                   "sets its size: delete that first",
                   vmem->size_owner->path);
        return false;
    }
    if (vmem->blocks.populated) {
        error_setg(errp, "virtio-mem device cannot get unplugged while some of "
                   "its memory is still plugged: 0x%" PRIx64 " bytes; set "
                   "requested-size to 0 and wait for the guest",
                   vmem->blocks.populated);
        return false;
    }
    if (vmem->requested_size) {
        error_setg(errp, "virtio-mem device cannot get unplugged while "
                   "requested-size (0x%" PRIx64 ") is not 0",
                   vmem->requested_size);
        return false;
    }
    return memory_region_check_sole_ram_discard_mgr(
        vmem->blocks.mr, RAM_DISCARD_MGR(vmem), errp);
}

/* --- type --- */

static void virtio_mem_pci_instance_init(Object *obj)
{
    VirtIOMEMPCI *mem_pci = VIRTIO_MEM_PCI(obj);

    virtio_instance_init_common(obj, &mem_pci->vdev, sizeof(mem_pci->vdev),
                                TYPE_VIRTIO_MEM);
    mem_pci->size_change_notifier.notify = virtio_mem_pci_size_change;
    notifier_list_add(&mem_pci->vdev.size_change_notifiers,
                      &mem_pci->size_change_notifier);
}

static void virtio_mem_pci_instance_finalize(Object *obj)
{
    VirtIOMEMPCI *mem_pci = VIRTIO_MEM_PCI(obj);

    qapi_event_forget_source(mem_pci);
    g_free(mem_pci->path);
}

static void virtio_mem_pci_class_init(ObjectClass *klass, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    VirtioPCIClass *k = VIRTIO_PCI_CLASS(klass);
    MemoryDeviceClass *mdc = MEMORY_DEVICE_CLASS(klass);

    k->realize = virtio_mem_pci_realize;
    set_bit(DEVICE_CATEGORY_MISC, dc->categories);
    dc->desc = "virtio-mem over PCI: memory that grows and shrinks";

    mdc->get_addr = virtio_mem_pci_get_addr;
    mdc->set_addr = virtio_mem_pci_set_addr;
    mdc->get_plugged_size = virtio_mem_pci_get_plugged_size;
    mdc->get_memory_region = virtio_mem_pci_get_memory_region;
    mdc->get_min_alignment = virtio_mem_pci_get_min_alignment;
    mdc->fill_device_info = virtio_mem_pci_fill_device_info;
    mdc->unplug_check = virtio_mem_pci_unplug_check;
    mdc->get_sizes = virtio_mem_pci_get_sizes;
    mdc->request_size = virtio_mem_pci_request_size;
    mdc->size_owner = virtio_mem_pci_size_owner;
}

static const VirtioPCIDeviceTypeInfo virtio_mem_pci = {
    .generic_name = "virtio-mem-pci",
    .non_transitional_name = "virtio-mem-pci-non-transitional",
    .base_name = TYPE_VIRTIO_MEM_PCI,
    .interfaces = (InterfaceInfo[]) { { TYPE_MEMORY_DEVICE }, { NULL } },
    .class_init = virtio_mem_pci_class_init,
    .instance_size = sizeof(VirtIOMEMPCI),
    .instance_init = virtio_mem_pci_instance_init,
    .instance_finalize = virtio_mem_pci_instance_finalize,
};
DEFINE_VIRTIO_PCI_TYPES(virtio_mem_pci)
