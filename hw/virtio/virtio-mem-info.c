/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtio-mem: what management clients are told of a device. Changes nothing.
 */
#include "qemu/osdep.h"
#include "monitor/ram-discard.h"
#include "virtio-mem.h"

JsonObject *virtio_mem_device_info(VirtIOMEM *vmem, const char *id)
{
    g_autofree char *memdev = object_get_canonical_path(OBJECT(vmem->memdev));
    const RamDiscardRefusal *refusal =
        &memory_region_ram_discard_state(vmem->blocks.mr)->refusal;
    JsonObject *data = json_object_new();
    JsonObject *info = json_object_new();

    if (id) {
        json_object_set_string_member(data, "id", id);
    }
    json_object_set_int_member(data, "memaddr", (gint64)vmem->addr);
    json_object_set_int_member(data, "requested-size",
                               (gint64)vmem->requested_size);
    json_object_set_int_member(data, "size", (gint64)vmem->blocks.populated);
    json_object_set_int_member(data, "max-size",
                               (gint64)memory_region_size(vmem->blocks.mr));
    json_object_set_int_member(data, "block-size", (gint64)vmem->block_size);
    json_object_set_int_member(data, "node", vmem->node);
    json_object_set_string_member(data, "memdev", memdev);
    json_object_set_int_member(data, "requests", (gint64)vmem->nr_requests);
    if (refusal->count) {
        json_object_set_object_member(data, "last-refusal",
                                      ram_discard_refusal_info(refusal));
    }
    json_object_set_string_member(info, "type", "virtio-mem");
    json_object_set_object_member(info, "data", data);
    return info;
}
