/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The life of a VFIO container, whatever its backend: set-up that is undone as
 * a whole when any part of it fails, checked access to the backend's
 * operations, and what is said when guest memory cannot be mapped.
 *
 * Used by the backends (type1 and the tests' fake). It must not know how a
 * mapping is made, nor which device manages a sparse region.
 */
#include "qemu/osdep.h"

#include "exec/ramblock.h"
#include "budget.h"
#include "hw/vfio/container.h"
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "trace.h"

/* Who it is that needs memory to stay where it is. */
static const char vfio_name[] = "vfio";

uint64_t vfio_container_page_size(const VFIOContainer *container)
{
    return 1ULL << __builtin_ctzll(container->info.pgsizes);
}

bool vfio_container_reaches(const VFIOContainer *container, hwaddr iova,
                            uint64_t size)
{
    const GArray *ranges = container->info.iova_ranges;
    hwaddr last;

    if (__builtin_add_overflow(iova, size - 1, &last)) {
        return false;
    }
    if (!ranges || !ranges->len) {
        return true;
    }
    for (guint i = 0; i < ranges->len; i++) {
        VFIOIOVARange *r = &g_array_index(ranges, VFIOIOVARange, i);

        if (iova >= r->first && last <= r->last) {
            return true;
        }
    }
    return false;
}

int vfio_container_dma_map(VFIOContainer *container,
                           const VFIODMAMapping *mapping)
{
    int ret;

    if (!vfio_container_reaches(container, mapping->iova, mapping->size)) {
        return -ERANGE;
    }
    ret = container->ops->dma_map(container, mapping);
    trace_vfio_dma_map(container->ops->name, mapping->iova, mapping->size, ret);
    return ret;
}

void vfio_container_dma_unmap(VFIOContainer *container, MemoryRegion *mr,
                              hwaddr iova, uint64_t size)
{
    int ret = container->ops->dma_unmap(container, iova, size);
    Error *err = NULL;

    trace_vfio_dma_unmap(container->ops->name, iova, size, ret);
    if (ret) {
        error_setg_errno(&err, -ret, "memory region '%s': cannot unmap "
                         "0x%" PRIx64 " bytes at 0x%" HWADDR_PRIx,
                         memory_region_name(mr), size, iova);
        vfio_container_fail(container, mr, err);
    }
}

bool vfio_container_dma_begin(VFIOContainer *container)
{
    return container->ops->dma_begin && container->ops->dma_begin(container);
}

void vfio_container_dma_end(VFIOContainer *container, bool begun)
{
    if (begun) {
        container->ops->dma_end(container);
    }
}

/* Bits of what has been said about a region. */
enum { VFIO_SAID_WARNING = 1, VFIO_SAID_ERROR = 2 };

/* Whether @what has not been said of @mr so far. */
static bool vfio_container_complain(VFIOContainer *container, MemoryRegion *mr,
                                    unsigned what)
{
    unsigned said = GPOINTER_TO_UINT(g_hash_table_lookup(container->complained,
                                                         mr));

    g_hash_table_insert(container->complained, mr,
                        GUINT_TO_POINTER(said | what));
    return !(said & what);
}

void vfio_container_fail(VFIOContainer *container, MemoryRegion *mr,
                         Error *err)
{
    if (!container->live) {
        if (container->error) {
            error_free(err);
        } else {
            container->error = err;
        }
        return;
    }
    container->broken = true;
    if (vfio_container_complain(container, mr, VFIO_SAID_ERROR)) {
        error_prepend(&err, "vfio: devices cannot follow guest memory: ");
        error_report_err(err);
    } else {
        error_free(err);
    }
}

void vfio_container_warn(VFIOContainer *container, MemoryRegion *mr,
                         Error *err)
{
    if (vfio_container_complain(container, mr, VFIO_SAID_WARNING)) {
        error_prepend(&err, "vfio: ");
        warn_report_err(err);
    } else {
        error_free(err);
    }
}

static void vfio_container_free_fields(VFIOContainer *container)
{
    g_clear_pointer(&container->info.iova_ranges, g_array_unref);
    g_clear_pointer(&container->complained, g_hash_table_unref);
}

/* Maps all that is there, or nothing. */
static bool vfio_container_follow(VFIOContainer *container, Error **errp)
{
    memory_listener_register(&container->listener, container->as);
    if (!container->error) {
        container->live = true;
        return true;
    }
    memory_listener_unregister(&container->listener);
    error_propagate(errp, container->error);
    container->error = NULL;
    return false;
}

bool vfio_container_init(VFIOContainer *container,
                         const VFIOIOMMUBackendClass *ops, AddressSpace *as,
                         const VFIOIOMMUInfo *info, Error **errp)
{
    g_assert(info->pgsizes);
    container->ops = ops;
    container->as = as;
    container->info = *info;
    container->live = false;
    container->broken = false;
    container->error = NULL;
    container->complained = g_hash_table_new(NULL, NULL);
    QLIST_INIT(&container->plain);
    QLIST_INIT(&container->managed);
    vfio_listener_init(&container->listener);

    if (!ram_block_discard_add_user(RAM_DISCARD_DISABLE_UNCOORDINATED,
                                    vfio_name, errp)) {
        goto fail;
    }
    if (!vfio_budget_check(container, errp) ||
        !vfio_container_follow(container, errp)) {
        ram_block_discard_remove_user(RAM_DISCARD_DISABLE_UNCOORDINATED,
                                      vfio_name);
        goto fail;
    }
    vfio_budget_guard(container);
    return true;

fail:
    vfio_container_free_fields(container);
    return false;
}

void vfio_container_destroy(VFIOContainer *container)
{
    vfio_budget_unguard(container);
    memory_listener_unregister(&container->listener);
    g_assert(QLIST_EMPTY(&container->plain));
    g_assert(QLIST_EMPTY(&container->managed));
    ram_block_discard_remove_user(RAM_DISCARD_DISABLE_UNCOORDINATED,
                                  vfio_name);
    vfio_container_free_fields(container);
}
