/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Capability chains behind the answers of VFIO's INFO calls, and what they say
 * of a region. The answer may come from another process: no offset in it is
 * trusted, no chain followed for longer than the answer is, and what comes out
 * is small however much it says.
 */
#include "qemu/osdep.h"

#include "hw/vfio/device.h"

const void *vfio_info_cap(const void *info, uint32_t size, uint32_t offset,
                          uint16_t id, uint32_t min_size, uint32_t *avail)
{
    struct vfio_info_cap_header header;

    while (offset && offset < size && size - offset >= sizeof(header)) {
        const uint8_t *at = (const uint8_t *)info + offset;

        memcpy(&header, at, sizeof(header));
        if (header.id == id) {
            if (size - offset < min_size || offset % sizeof(uint32_t)) {
                return NULL;
            }
            if (avail) {
                *avail = size - offset;
            }
            return at;
        }
        if (header.next <= offset) {
            return NULL;
        }
        offset = header.next;
    }
    return NULL;
}

/* --- what of a region can be mapped --- */

/* Whole pages of the region; others are left to the slow path. */
static void areas_add(GArray *areas, const struct vfio_region_info *info,
                      uint64_t offset, uint64_t size)
{
    VFIOArea area = { offset, size };

    if (size && offset <= info->size && size <= info->size - offset &&
        !((offset | size) & (qemu_real_host_page_size() - 1))) {
        g_array_append_val(areas, area);
    }
}

static gint area_compare(gconstpointer a, gconstpointer b)
{
    const VFIOArea *x = a, *y = b;

    return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* Sorted, and without borders that mean nothing. */
static void areas_merge(GArray *areas)
{
    guint kept = 0;

    g_array_sort(areas, area_compare);
    for (guint i = 0; i < areas->len; i++) {
        VFIOArea *area = &g_array_index(areas, VFIOArea, i);
        VFIOArea *last = kept ? &g_array_index(areas, VFIOArea, kept - 1)
                              : NULL;

        if (last && area->offset <= last->offset + last->size) {
            last->size = MAX(last->size,
                             area->offset + area->size - last->offset);
        } else {
            g_array_index(areas, VFIOArea, kept++) = *area;
        }
    }
    g_array_set_size(areas, kept);
}

GArray *vfio_info_mmap_areas(const struct vfio_region_info *info)
{
    const struct vfio_region_info_cap_sparse_mmap *sparse = NULL;
    GArray *areas = g_array_new(false, false, sizeof(VFIOArea));
    const uint32_t all = VFIO_REGION_INFO_FLAG_MMAP |
                         VFIO_REGION_INFO_FLAG_READ |
                         VFIO_REGION_INFO_FLAG_WRITE;
    uint32_t avail, room;

    /* What a guest may not do has to fail, not to trap in our mapping. */
    if ((info->flags & all) != all) {
        return areas;
    }
    if (info->flags & VFIO_REGION_INFO_FLAG_CAPS) {
        sparse = vfio_info_cap(info, info->argsz, info->cap_offset,
                               VFIO_REGION_INFO_CAP_SPARSE_MMAP,
                               sizeof(*sparse), &avail);
    }
    if (!sparse) {
        areas_add(areas, info, 0, info->size);
        return areas;
    }
    room = (avail - sizeof(*sparse)) / sizeof(sparse->areas[0]);
    room = MIN(room, sparse->nr_areas);
    for (uint32_t i = 0; i < room; i++) {
        areas_add(areas, info, sparse->areas[i].offset, sparse->areas[i].size);
    }
    areas_merge(areas);
    return areas;
}
