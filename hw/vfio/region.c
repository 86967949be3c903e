/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Regions of a VFIO device as guest memory; see hw/vfio/region.h. Used for the
 * BARs of PCI devices. What may be mapped is what the device says, page by
 * page; a failed mapping is no error, the guest is only slower.
 */
#include "qemu/osdep.h"

#include "hw/vfio/region.h"
#include "qemu/error-report.h"

/* --- the slow path --- */

static MemTxResult vfio_region_done(VFIORegion *region, int ret)
{
    if (region->vdev->region_accessed) {
        region->vdev->region_accessed(region->vdev);
    }
    return ret ? MEMTX_ERROR : MEMTX_OK;
}

static MemTxResult vfio_region_read(void *opaque, hwaddr addr, uint64_t *data,
                                    unsigned size, MemTxAttrs attrs)
{
    VFIORegion *region = opaque;
    uint64_t buf = 0;
    int ret = region->vdev->io->region_read(region->vdev, region->index, addr,
                                            &buf, size);

    /* Ones, and no error: what a bus gives when nobody answers. */
    *data = ret ? UINT64_MAX : GUINT64_FROM_LE(buf);
    return vfio_region_done(region, 0);
}

static MemTxResult vfio_region_write(void *opaque, hwaddr addr, uint64_t data,
                                     unsigned size, MemTxAttrs attrs)
{
    VFIORegion *region = opaque;
    uint64_t buf = GUINT64_TO_LE(data);
    int ret = region->vdev->io->region_write(region->vdev, region->index, addr,
                                             &buf, size);

    return vfio_region_done(region, ret);
}

static const MemoryRegionOps vfio_region_ops = {
    .read_with_attrs = vfio_region_read,
    .write_with_attrs = vfio_region_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 1, .max_access_size = 8 },
    .impl = { .min_access_size = 1, .max_access_size = 8 },
};

/* --- the mapped parts --- */

static void vfio_region_map_area(VFIORegion *region, Object *owner,
                                 const char *name, const VFIOArea *from)
{
    VFIOMmap *area = &region->mmaps[region->nr_mmaps];
    g_autofree char *area_name =
        g_strdup_printf("%s mmap %u", name, region->nr_mmaps);

    area->ptr = region->vdev->io->region_mmap(region->vdev, region->index,
                                              from->offset, from->size);
    if (!area->ptr) {
        return;
    }
    area->offset = from->offset;
    area->size = from->size;
    memory_region_init_ram_device_ptr(&area->mem, owner, area_name, area->size,
                                      area->ptr);
    /* Below what the PCI layer puts on top, the MSI-X table. */
    memory_region_add_subregion_overlap(&region->mem, area->offset, &area->mem,
                                        0);
    region->nr_mmaps++;
}

/* Each area is a mapping of the process and perhaps a slot of KVM's. */
static void vfio_region_map(VFIORegion *region, Object *owner,
                            const char *name)
{
    g_autoptr(GArray) areas = vfio_info_mmap_areas(
        vfio_device_region(region->vdev, region->index));
    guint nr = MIN(areas->len, VFIO_REGION_MAX_MMAPS);

    if (areas->len > nr) {
        warn_report("vfio %s has %u separate areas that can be mapped; %u are, "
                    "the guest reaches the others more slowly", name,
                    areas->len, nr);
    }
    region->mmaps = g_new0(VFIOMmap, nr);
    for (guint i = 0; i < nr; i++) {
        vfio_region_map_area(region, owner, name,
                             &g_array_index(areas, VFIOArea, i));
    }
}

void vfio_region_mmaps_set_enabled(VFIORegion *region, bool enabled)
{
    if (region->mmaps_enabled == enabled) {
        return;
    }
    region->mmaps_enabled = enabled;
    memory_region_transaction_begin();
    for (unsigned i = 0; i < region->nr_mmaps; i++) {
        memory_region_set_enabled(&region->mmaps[i].mem, enabled);
    }
    memory_region_transaction_commit();
}

/* --- life --- */

bool vfio_region_init(VFIORegion *region, Object *owner, VFIODevice *vdev,
                      uint32_t index, const char *name, bool want_mmap,
                      Error **errp)
{
    const struct vfio_region_info *info = vfio_device_region(vdev, index);

    *region = (VFIORegion) { .vdev = vdev, .index = index };
    if (!info || !info->size) {
        return true;
    }
    if (info->size > INT64_MAX) {
        error_setg(errp, "vfio %s: region %" PRIu32 " claims to have 0x%" PRIx64
                   " bytes", vdev->name, index, (uint64_t)info->size);
        return false;
    }
    region->size = info->size;
    region->slow_ok = true;
    region->mmaps_enabled = true;
    memory_region_init_io(&region->mem, owner, &vfio_region_ops, region, name,
                          region->size);
    if (want_mmap) {
        vfio_region_map(region, owner, name);
    }
    return true;
}

void vfio_region_exit(VFIORegion *region)
{
    if (!region->slow_ok) {
        return;
    }
    for (unsigned i = 0; i < region->nr_mmaps; i++) {
        memory_region_del_subregion(&region->mem, &region->mmaps[i].mem);
        object_unparent(OBJECT(&region->mmaps[i].mem));
    }
    object_unparent(OBJECT(&region->mem));
    region->slow_ok = false;
}

void vfio_region_finalize(VFIORegion *region)
{
    for (unsigned i = 0; i < region->nr_mmaps; i++) {
        region->vdev->io->region_munmap(region->vdev, region->mmaps[i].ptr,
                                        region->mmaps[i].size);
    }
    region->nr_mmaps = 0;
    g_clear_pointer(&region->mmaps, g_free);
    region->size = 0;
}
