/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pinning memory that nobody has touched makes the kernel allocate and clear
 * it page by page, in one thread, inside the map call. Several threads can do
 * that beforehand. This is only about speed: what cannot be backed is left to
 * the map call to refuse.
 *
 * All of it is done before the first map call. To go on with it meanwhile would
 * be slower: the kernel accounts what it pins with the memory map locked for
 * writing, for which it waits until no thread populates, and all of them for it.
 *
 * It must not have the host back what would not be pinned a moment later.
 */
#include "qemu/osdep.h"

#include "exec/ramblock.h"
#include "budget.h"
#include "prefault.h"
#include "qemu/units.h"

/* Less does not pay for a thread. */
#define PREFAULT_SIZE_MIN (32 * MiB)

/* Whether all of @run, which is to be mapped, will be pinned for writing. */
static bool vfio_will_pin(VFIODMASpace *space, const VFIODMAMapping *run)
{
    RamDiscardLimit limit = { 0 };

    return !run->readonly &&
           !memory_region_is_ram_device(run->mr) &&
           vfio_dma_space_reaches(space, run->iova, run->size) &&
           vfio_budget_may_lock(space, run->size, &limit, NULL);
}

void vfio_prefault(VFIODMASpace *space, const VFIODMAMapping *run)
{
    RAMBlock *block = memory_region_ram_block(run->mr);
    uint64_t first, end;

    if (run->size < PREFAULT_SIZE_MIN || block->populate_threads < 2 ||
        !vfio_will_pin(space, run)) {
        return;
    }
    /* Huge pages that the run shares with others are left out. */
    first = QEMU_ALIGN_UP(run->offset, qemu_ram_pagesize(block));
    end = QEMU_ALIGN_DOWN(run->offset + run->size, qemu_ram_pagesize(block));
    if (first < end) {
        ram_block_populate_range(block, first, end - first);
    }
}
