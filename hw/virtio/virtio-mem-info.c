/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtio-mem: what management clients are told of a device. Changes nothing.
 */
#include "qemu/osdep.h"
#include "hw/virtio/virtio-mem.h"

/* Tells "the guest did not ask" from "it was refused, because". */
static JsonObject *refusal_info(const RamDiscardRefusal *refusal)
{
    JsonObject *info = json_object_new();
    gint64 age = g_get_real_time() - refusal->time;

    json_object_set_string_member(info, "reason",
                                  refusal->reason ?: strerror(-refusal->err));
    if (refusal->kind) {
        json_object_set_string_member(info, "kind", refusal->kind);
    }
    json_object_set_int_member(info, "offset", (gint64)refusal->offset);
    json_object_set_int_member(info, "size", (gint64)refusal->size);
    json_object_set_int_member(info, "count", (gint64)refusal->count);
    json_object_set_boolean_member(info, "standing", refusal->standing);
    json_object_set_int_member(info, "seconds-ago",
                               MAX(age, 0) / G_USEC_PER_SEC);
    return info;
}

JsonObject *virtio_mem_device_info(VirtIOMEM *vmem, const char *id)
{
    g_autofree char *memdev = object_get_canonical_path(OBJECT(vmem->memdev));
    const RamDiscardRefusal *refusal = &vmem->discard.refusal;
    JsonObject *data = json_object_new();
    JsonObject *info = json_object_new();

    if (id) {
        json_object_set_string_member(data, "id", id);
    }
    json_object_set_int_member(data, "memaddr", (gint64)vmem->addr);
    json_object_set_int_member(data, "requested-size",
                               (gint64)vmem->requested_size);
    json_object_set_int_member(data, "size", (gint64)vmem->discard.populated);
    json_object_set_int_member(data, "max-size",
                               (gint64)memory_region_size(vmem->discard.mr));
    json_object_set_int_member(data, "block-size", (gint64)vmem->block_size);
    json_object_set_int_member(data, "node", vmem->node);
    json_object_set_string_member(data, "memdev", memdev);
    json_object_set_int_member(data, "requests", (gint64)vmem->nr_requests);
    if (refusal->count) {
        json_object_set_object_member(data, "last-refusal",
                                      refusal_info(refusal));
    }
    json_object_set_string_member(info, "type", "virtio-mem");
    json_object_set_object_member(info, "data", data);
    return info;
}
