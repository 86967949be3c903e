/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtio-mem: making blocks usable. What the host cannot back, or a consumer
 * cannot map, is not plugged: the guest may ask again later. The host must
 * never be found to lack a page only when the guest touches it, as that would
 * be the end of the VM; ordinary pages can be swapped for others, huge pages
 * cannot, so these are always backed before they are plugged.
 */
#include "qemu/osdep.h"
#include "virtio-mem.h"
#include "exec/ramblock.h"
#include "qemu/error-report.h"

static const char *backend_id(const VirtIOMEM *vmem)
{
    return object_get_canonical_path_component(OBJECT(vmem->memdev));
}

void virtio_mem_warn_of_backend(const VirtIOMEM *vmem)
{
    if (vmem->memdev->prealloc) {
        warn_report("virtio-mem: '%s' has prealloc=on, but what is not plugged "
                    "is discarded: set it on the virtio-mem device instead, "
                    "which preallocates what it plugs", backend_id(vmem));
    }
}

static bool backs_before_plug(const VirtIOMEM *vmem)
{
    return vmem->prealloc || host_memory_backend_pagesize(vmem->memdev) >
                             qemu_real_host_page_size();
}

/* Keeps why the host could not, and tells a person once. */
static void note_lack(VirtIOMEM *vmem, uint64_t offset, uint64_t size, int err)
{
    size_t page_size = host_memory_backend_pagesize(vmem->memdev);
    g_autofree char *reason =
        g_strdup_printf("the host cannot back %" PRIu64 " bytes of '%s' by "
                        "pages of %zu: %s", size, backend_id(vmem), page_size,
                        g_strerror(-err));

    ram_discard_state_refuse(&vmem->discard, offset, size, err, "prealloc",
                             reason);
    if (!vmem->told_lack) {
        vmem->told_lack = true;
        warn_report("virtio-mem: a plug is refused, the guest may try again: "
                    "%s", reason);
    }
}

int virtio_mem_plug(VirtIOMEM *vmem, uint64_t offset, uint64_t size)
{
    int ret = virtio_mem_protect_lift(vmem->protect, offset, size);

    if (ret) {
        return ret;
    }
    if (backs_before_plug(vmem)) {
        ret = host_memory_backend_populate(vmem->memdev, offset, size);
        if (ret) {
            note_lack(vmem, offset, size, ret);
        }
    }
    if (!ret) {
        ret = ram_discard_state_populate(&vmem->discard, offset, size);
    }
    if (ret) {
        virtio_mem_protect_restore(vmem->protect, offset, size);
        /* Also what a consumer pinned for a while. Memory that cannot be given
         * back costs the host something, the guest does not see it. */
        ram_block_discard_range(vmem->discard.mr->ram_block, offset, size);
    }
    return ret;
}
