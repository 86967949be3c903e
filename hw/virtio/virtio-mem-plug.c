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
#include "qemu/sandbox-need.h"

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
    if (virtio_mem_backs_plugs(vmem)) {
        sandbox_need(SANDBOX_THREADS);
    }
}

bool virtio_mem_backs_plugs(const VirtIOMEM *vmem)
{
    return vmem->prealloc || host_memory_backend_pagesize(vmem->memdev) >
                             qemu_real_host_page_size();
}

/* 0 or -errno, and the reason is kept. */
static int back(VirtIOMEM *vmem, uint64_t offset, uint64_t size)
{
    int ret = host_memory_backend_populate(vmem->memdev, offset, size);
    Error *err = NULL;

    if (ret) {
        error_setg_errno(&err, -ret, "the host cannot back %" PRIu64 " bytes of "
                         "'%s' by pages of %zu", size, backend_id(vmem),
                         host_memory_backend_pagesize(vmem->memdev));
        ram_discard_blocks_refuse(&vmem->blocks, offset, size, "prealloc", err);
    }
    return ret;
}

/* What is plugged of a broken backend would not be what others have mapped of its
 * file, or would read as zero. 0 or -errno, and the reason is kept. */
static int check_backend(VirtIOMEM *vmem, uint64_t offset, uint64_t size)
{
    Error *err = NULL;

    if (ram_block_check_intact(memory_region_ram_block(vmem->blocks.mr), &err)) {
        return 0;
    }
    ram_discard_blocks_refuse(&vmem->blocks, offset, size, "backend", err);
    return -EIO;
}

bool virtio_mem_joins_plugs(const VirtIOMEM *vmem)
{
    return !vmem->blocks.backed && !vmem->protect && !vmem->populate_rate &&
           ram_discard_blocks_go_by_run(&vmem->blocks);
}

int virtio_mem_try_plug(VirtIOMEM *vmem, uint64_t offset, uint64_t size)
{
    if (!ram_block_check_intact(memory_region_ram_block(vmem->blocks.mr),
                                NULL)) {
        return -EIO;
    }
    return ram_discard_blocks_try_populate(&vmem->blocks, offset, size);
}

int virtio_mem_prepare_plug(VirtIOMEM *vmem, uint64_t offset, uint64_t size)
{
    int ret = check_backend(vmem, offset, size);

    if (!ret) {
        ret = virtio_mem_protect_lift(vmem->protect, offset, size);
    }
    if (!ret && vmem->blocks.backed) {
        ret = back(vmem, offset, size);
        if (ret) {
            virtio_mem_cancel_plug(vmem, offset, size);
        }
    }
    return ret;
}

/* Also what a consumer pinned for a while is given back. Memory that cannot be
 * costs the host something; the guest does not see it. */
void virtio_mem_cancel_plug(VirtIOMEM *vmem, uint64_t offset, uint64_t size)
{
    virtio_mem_protect_restore(vmem->protect, offset, size);
    ram_block_discard_range(memory_region_ram_block(vmem->blocks.mr), offset,
                            size);
}
