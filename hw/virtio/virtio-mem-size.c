/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtio-mem: how much of the region the guest may use, and what follows when
 * how much it uses changes.
 */
#include "qemu/osdep.h"
#include "virtio-mem.h"
#include "qemu/units.h"

/*
 * How far the usable region reaches beyond the requested size, so that a guest
 * that cannot use some block (Linux adds memory in sections) has others.
 */
#define USABLE_EXTENT (256 * MiB)

void virtio_mem_resize_usable_region(VirtIOMEM *vmem, bool can_shrink)
{
    uint64_t region_size = memory_region_size(vmem->blocks.mr);
    uint64_t size = 0;

    if (vmem->requested_size) {
        size = MIN(region_size,
                   QEMU_ALIGN_UP(vmem->requested_size + USABLE_EXTENT,
                                 vmem->block_size));
    }
    if (size > vmem->usable_region_size || can_shrink) {
        vmem->usable_region_size = size;
    }
}

int virtio_mem_unplug_all(VirtIOMEM *vmem)
{
    int ret = ram_discard_blocks_discard_all(&vmem->blocks);

    if (!ret) {
        virtio_mem_resize_usable_region(vmem, true);
    }
    return ret;
}

void virtio_mem_notify_size_change(VirtIOMEM *vmem, uint64_t old_size)
{
    uint64_t size = vmem->blocks.populated;

    if (size != old_size) {
        notifier_list_notify(&vmem->size_change_notifiers, &size);
    }
}
