/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtio-mem: the block size, where the user leaves it to us (block-size=auto,
 * the default).
 *
 * Small blocks let memory move finely, but whoever maps the region for devices
 * needs one mapping for each block that is plugged, and has a limited number.
 * So the smallest size is taken that can never need more than the region's
 * share of it: of those that consumers tell of now, and of those that a
 * container of the kernel's would have, if one comes later. Half of the latter
 * is shared by all that is configured, by size; the rest is for boot RAM and
 * what is hot-plugged, which gets half of what is left each time.
 *
 * Nothing here changes anything; asked again, the answer is the same.
 */
#include "qemu/osdep.h"
#include "virtio-mem.h"
#include "qemu/units.h"

/* What the kernel gives a container unless told otherwise: 65535. */
#define MAPPINGS (UINT16_MAX + UINT64_C(1))
#define MAPPINGS_AT_START (MAPPINGS / 2)

#define THP_SIZE_FILE "/sys/kernel/mm/transparent_hugepage/hpage_pmd_size"
#define DEFAULT_THP_SIZE (2 * MiB)

/* --- pure helpers --- */

uint64_t virtio_mem_mapping_share(uint64_t used)
{
    if (used < MAPPINGS_AT_START) {
        return MAPPINGS_AT_START - used;
    }
    return used < MAPPINGS ? (MAPPINGS - used) / 2 : 0;
}

uint64_t virtio_mem_fitting_block_size(uint64_t least, uint64_t size,
                                       uint64_t share)
{
    uint64_t block = least;

    while (share && block && (size - 1) / block >= share) {
        block <<= 1;
    }
    return block;
}

/* The largest power of two that divides both. */
static uint64_t common_alignment(uint64_t a, uint64_t b)
{
    return (a | b) & -(a | b);
}

/* --- what there is --- */

uint64_t virtio_mem_thp_size(void)
{
    static uint64_t thp_size;
    g_autofree char *text = NULL;

    if (!thp_size) {
        thp_size = DEFAULT_THP_SIZE;
        if (g_file_get_contents(THP_SIZE_FILE, &text, NULL, NULL) &&
            is_power_of_2(g_ascii_strtoull(text, NULL, 10))) {
            thp_size = g_ascii_strtoull(text, NULL, 10);
        }
    }
    return thp_size;
}

uint64_t virtio_mem_least_block_size(const VirtIOMEM *vmem)
{
    return MAX(virtio_mem_thp_size(),
               host_memory_backend_pagesize(vmem->memdev));
}

/* The memory backends that matter. */
typedef struct Backends {
    const HostMemoryBackend *own;     /* whose block size is being chosen */
    uint64_t used;                    /* mappings of managed ones, at worst */
    uint64_t pending;                 /* bytes of those that nobody uses yet */
} Backends;

static int add_backend(Object *obj, void *opaque)
{
    HostMemoryBackend *backend = (HostMemoryBackend *)
        object_dynamic_cast(obj, TYPE_MEMORY_BACKEND);
    MemoryRegion *mr = backend ? host_memory_backend_get_memory(backend) : NULL;
    RamDiscardMgr *rdm = mr ? memory_region_get_ram_discard_mgr(mr) : NULL;
    Backends *all = opaque;

    if (rdm && backend != all->own) {
        all->used += DIV_ROUND_UP(memory_region_size(mr),
                                  ram_discard_mgr_get_min_granularity(rdm, mr));
    } else if (mr && !host_memory_backend_is_mapped(backend)) {
        all->pending += memory_region_size(mr);
    }
    return 0;
}

/* --- the choice --- */

/* What consumers say to blocks of @block bytes in @parts such regions. A
 * region in smaller blocks stands for all of them. */
static bool consumers_agree(MemoryRegion *mr, uint64_t block,
                            uint64_t parts, Error **errp)
{
    return ram_discard_consumers_check(mr, MAX(block / parts, 1), errp);
}

/* The smallest that consumers agree to, of at least @block and at most @most
 * bytes; 0: none. */
static uint64_t agreeable(MemoryRegion *mr, uint64_t block, uint64_t most,
                          uint64_t parts)
{
    for (; block && block <= most; block <<= 1) {
        if (consumers_agree(mr, block, parts, NULL)) {
            return block;
        }
    }
    return 0;
}

static void set_error(const VirtIOMEM *vmem, MemoryRegion *mr,
                      uint64_t block, uint64_t most, Error **errp)
{
    ERRP_GUARD();
    const char *id = object_get_canonical_path_component(OBJECT(vmem->memdev));

    if (block > most) {
        error_setg(errp, "'" VIRTIO_MEM_BLOCK_SIZE_PROP "=auto' finds that "
                   "'%s' (0x%" PRIx64 " bytes) needs blocks of 0x%" PRIx64
                   " not to exceed its share of a container's DMA mappings, "
                   "but its size or '" VIRTIO_MEM_ADDR_PROP "' is a multiple "
                   "of 0x%" PRIx64 " only: round it, or set '"
                   VIRTIO_MEM_BLOCK_SIZE_PROP "'",
                   id, memory_region_size(mr), block, most);
    } else if (!consumers_agree(mr, most, 1, errp)) {
        error_prepend(errp, "'" VIRTIO_MEM_BLOCK_SIZE_PROP "=auto' finds none "
                      "for '%s' up to 0x%" PRIx64 ", of which its size and '"
                      VIRTIO_MEM_ADDR_PROP "' are multiples: ", id, most);
    }
}

uint64_t virtio_mem_auto_block_size(const VirtIOMEM *vmem, Error **errp)
{
    MemoryRegion *mr = host_memory_backend_get_memory(vmem->memdev);
    uint64_t size = memory_region_size(mr);
    uint64_t least = virtio_mem_least_block_size(vmem);
    uint64_t most = common_alignment(size, vmem->addr);
    Backends all = { .own = vmem->memdev };
    uint64_t block, parts, found;

    if (most < least) {
        return least;                 /* no multiple of any block size */
    }
    object_child_foreach(object_get_objects_root(), add_backend, &all);
    all.pending = MAX(all.pending, size);
    block = virtio_mem_fitting_block_size(least, all.pending,
                                          virtio_mem_mapping_share(all.used));
    parts = pow2ceil(DIV_ROUND_UP(all.pending, size));
    found = agreeable(mr, block, most, parts);
    if (!found) {
        /* Others will have to do with what this one leaves. */
        found = agreeable(mr, block, most, 1);
    }
    if (!found) {
        set_error(vmem, mr, block, most, errp);
    }
    return found;
}
