/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Type1, version 2: the IOMMU of x86 and arm64 hosts behind /dev/vfio/vfio.
 * A mapping pins its memory, and is unmapped only as a whole; one unmap takes
 * any number of whole mappings. Used by hw/vfio/group.c.
 */
#include "qemu/osdep.h"

#include <fcntl.h>
#include <linux/vfio.h>
#include <sys/ioctl.h>

#include "budget.h"
#include "hw/vfio/device.h"
#include "prefault.h"
#include "qemu/fdset.h"
#include "qemu/may-open.h"
#include "qemu/sandbox-need.h"
#include "type1.h"

#define VFIO_CONTAINER_PATH "/dev/vfio/vfio"
/* What kernels that do not tell their limit allow, unless a module parameter
 * says otherwise. */
#define VFIO_TYPE1_DEFAULT_MAPPINGS UINT16_MAX

static QLIST_HEAD(, VFIOType1) type1_containers =
    QLIST_HEAD_INITIALIZER(type1_containers);

static VFIOType1 *type1_of(VFIODMASpace *space)
{
    return container_of(space, VFIOType1, container.space);
}

static int type1_dma_map(VFIODMASpace *space,
                         const VFIODMAMapping *mapping)
{
    struct vfio_iommu_type1_dma_map map = {
        .argsz = sizeof(map),
        .flags = VFIO_DMA_MAP_FLAG_READ |
                 (mapping->readonly ? 0 : VFIO_DMA_MAP_FLAG_WRITE),
        .vaddr = (uintptr_t)mapping->vaddr,
        .iova = mapping->iova,
        .size = mapping->size,
    };

    return ioctl(type1_of(space)->fd, VFIO_IOMMU_MAP_DMA, &map) ? -errno : 0;
}

static int type1_dma_unmap(VFIODMASpace *space, hwaddr iova,
                           uint64_t size)
{
    struct vfio_iommu_type1_dma_unmap unmap = {
        .argsz = sizeof(unmap),
        .iova = iova,
        .size = size,
    };

    return ioctl(type1_of(space)->fd, VFIO_IOMMU_UNMAP_DMA, &unmap)
           ? -errno : 0;
}

static bool type1_memlock(VFIODMASpace *space, uint64_t *used,
                          uint64_t *limit)
{
    return vfio_budget_process_memlock(used, limit);
}

static bool type1_query(int fd, VFIOIOMMUInfo *result, Error **errp);

/* The kernel's count; a client asks for it, the guest cannot. */
static bool type1_mappings_left(VFIODMASpace *space, uint64_t *left)
{
    VFIOIOMMUInfo info;

    if (!qemu_may_open(NULL) ||
        !type1_query(type1_of(space)->fd, &info, NULL)) {
        return false;
    }
    g_array_unref(info.iova_ranges);
    *left = info.dma_max_mappings;
    return true;
}

static const VFIOIOMMUBackendClass type1_ops = {
    .name = "type1",
    .dma_map = type1_dma_map,
    .dma_unmap = type1_dma_unmap,
    .prefault = vfio_prefault,
    .memlock = type1_memlock,
    .mappings_left = type1_mappings_left,
};

/* --- what the IOMMU can do --- */

/* The answer with all capabilities behind it, argsz being its true size. */
static struct vfio_iommu_type1_info *type1_get_info(int fd, Error **errp)
{
    uint32_t size = sizeof(struct vfio_iommu_type1_info);

    for (int i = 0; i < 3; i++) {
        g_autofree struct vfio_iommu_type1_info *info = g_malloc0(size);

        info->argsz = size;
        if (ioctl(fd, VFIO_IOMMU_GET_INFO, info)) {
            error_setg_errno(errp, errno,
                             "cannot get information on the IOMMU");
            return NULL;
        }
        if (info->argsz <= size) {
            info->argsz = size;
            return g_steal_pointer(&info);
        }
        size = info->argsz;
    }
    error_setg(errp, "information on the IOMMU keeps growing");
    return NULL;
}

static GArray *type1_iova_ranges(const struct vfio_iommu_type1_info *info,
                                 uint32_t cap_offset)
{
    const struct vfio_iommu_type1_info_cap_iova_range *cap;
    GArray *ranges = g_array_new(false, false, sizeof(VFIOIOVARange));
    uint32_t avail;

    cap = vfio_info_cap(info, info->argsz, cap_offset,
                        VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE, sizeof(*cap),
                        &avail);
    if (!cap) {
        return ranges;
    }
    for (uint32_t i = 0; i < cap->nr_iovas &&
         (i + 1ULL) * sizeof(cap->iova_ranges[0]) <= avail - sizeof(*cap);
         i++) {
        VFIOIOVARange range = { cap->iova_ranges[i].start,
                                cap->iova_ranges[i].end };

        g_array_append_val(ranges, range);
    }
    return ranges;
}

static bool type1_query(int fd, VFIOIOMMUInfo *result, Error **errp)
{
    g_autofree struct vfio_iommu_type1_info *info = type1_get_info(fd, errp);
    const struct vfio_iommu_type1_info_dma_avail *avail;
    uint32_t cap_offset;

    if (!info) {
        return false;
    }
    cap_offset = info->flags & VFIO_IOMMU_INFO_CAPS ? info->cap_offset : 0;
    avail = vfio_info_cap(info, info->argsz, cap_offset,
                          VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL, sizeof(*avail),
                          NULL);
    result->pgsizes = info->flags & VFIO_IOMMU_INFO_PGSIZES
                      ? info->iova_pgsizes : 0;
    if (!result->pgsizes) {
        result->pgsizes = qemu_real_host_page_size();
    }
    result->dma_max_mappings = avail ? avail->avail
                                     : VFIO_TYPE1_DEFAULT_MAPPINGS;
    result->iova_ranges = type1_iova_ranges(info, cap_offset);
    return true;
}

/* --- containers --- */

static int type1_open_file(const char *path, Error **errp)
{
    int fd;

    if (fdset_is_path(path)) {
        return fdset_open(path, O_RDWR, errp);
    }
    fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) {
        error_setg_errno(errp, errno, "cannot open %s (is the kernel module "
                         "vfio-pci loaded, and may this user open it?)", path);
    }
    return fd;
}

static int type1_open(const char *path, Error **errp)
{
    int fd = type1_open_file(path ? path : VFIO_CONTAINER_PATH, errp);
    int version;

    if (fd < 0) {
        return -1;
    }
    version = ioctl(fd, VFIO_GET_API_VERSION);
    if (version != VFIO_API_VERSION) {
        error_setg(errp, "the kernel has version %d of the VFIO "
                   "interface, %d is needed", version, VFIO_API_VERSION);
        close(fd);
        return -1;
    }
    if (ioctl(fd, VFIO_CHECK_EXTENSION, VFIO_TYPE1v2_IOMMU) <= 0) {
        error_setg(errp, "the kernel has no type1 (version 2) IOMMU "
                   "backend: load the module vfio_iommu_type1");
        close(fd);
        return -1;
    }
    return fd;
}

/* Puts the group into the new container @fd, and turns the IOMMU on. */
static bool type1_set_iommu(int fd, int group_fd, Error **errp)
{
    if (ioctl(group_fd, VFIO_GROUP_SET_CONTAINER, &fd)) {
        error_setg_errno(errp, errno, "cannot put the group into a "
                         "container");
        return false;
    }
    if (ioctl(fd, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU)) {
        error_setg_errno(errp, errno, "cannot turn the IOMMU on%s",
                         errno == EPERM
                         ? " (does it remap interrupts? if not, the parameter "
                           "allow_unsafe_interrupts=1 of vfio_iommu_type1 "
                           "takes the risk)" : "");
        ioctl(group_fd, VFIO_GROUP_UNSET_CONTAINER);
        return false;
    }
    return true;
}

static VFIOType1 *type1_new(int group_fd, const char *path, AddressSpace *as,
                            Error **errp)
{
    VFIOType1 *type1 = g_new0(VFIOType1, 1);
    VFIOIOMMUInfo info;

    type1->fd = type1_open(path, errp);
    if (type1->fd < 0) {
        goto free;
    }
    if (!type1_set_iommu(type1->fd, group_fd, errp)) {
        goto close;
    }
    if (!type1_query(type1->fd, &info, errp) ||
        !vfio_container_init(&type1->container, &type1_ops, as, &info, errp)) {
        goto unset;
    }
    vfio_budget_open();
    sandbox_need(SANDBOX_VFIO);
    sandbox_need(SANDBOX_LOCK);
    sandbox_need(SANDBOX_THREADS);        /* to populate memory */
    type1->nr_groups = 1;
    QLIST_INSERT_HEAD(&type1_containers, type1, next);
    return type1;

unset:
    ioctl(group_fd, VFIO_GROUP_UNSET_CONTAINER);
close:
    close(type1->fd);
free:
    g_free(type1);
    return NULL;
}

/* Another group may narrow the addresses that the IOMMU translates. The page
 * size by which sections were cut stays, or they would not be found again. */
static void type1_refresh(VFIOType1 *type1)
{
    VFIOIOMMUInfo info;

    if (type1_query(type1->fd, &info, NULL)) {
        g_array_unref(type1->container.space.info.iova_ranges);
        type1->container.space.info.iova_ranges = info.iova_ranges;
    }
}

VFIOType1 *vfio_type1_attach(int group_fd, const char *path, AddressSpace *as,
                             Error **errp)
{
    VFIOType1 *type1;

    QLIST_FOREACH(type1, &type1_containers, next) {
        if (type1->container.as == as &&
            !ioctl(group_fd, VFIO_GROUP_SET_CONTAINER, &type1->fd)) {
            type1->nr_groups++;
            type1_refresh(type1);
            return type1;
        }
    }
    return type1_new(group_fd, path, as, errp);
}

void vfio_type1_detach(VFIOType1 *type1, int group_fd)
{
    bool last = --type1->nr_groups == 0;

    if (last) {
        QLIST_REMOVE(type1, next);
        vfio_container_destroy(&type1->container);
    }
    ioctl(group_fd, VFIO_GROUP_UNSET_CONTAINER);
    if (last) {
        close(type1->fd);
        g_free(type1);
    }
}
