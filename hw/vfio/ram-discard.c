/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VFIO as a consumer of RamDiscardMgr: maps, for the devices of a container,
 * the populated granules of one managed section, and follows plug and unplug.
 *
 * Offsets that a manager names are into the MemoryRegion that owns the RAM;
 * the section may begin anywhere in it and be seen at any address. Each
 * notification is therefore first clipped to the section, and only then
 * translated. Granule boundaries are multiples of the granule in the region,
 * which makes the pieces of an unmap those of the maps whatever the runs were.
 *
 * It must not know which device the manager is, nor map what is discarded,
 * nor remember the granularity between notifications.
 */
#include "qemu/osdep.h"

#include "budget.h"
#include "hw/vfio/container.h"
#include "qapi/client-event.h"
#include "qapi/error.h"

/* Offsets into the region, both ends included, so that none can overflow. */
typedef struct VFIORun {
    uint64_t first;
    uint64_t last;
} VFIORun;

/* What of a notification concerns the section; false: nothing. */
static bool vfio_run_clip(VFIORun *run, uint64_t section_offset,
                          uint64_t section_size, ram_addr_t offset,
                          ram_addr_t size)
{
    if (!size || !section_size) {
        return false;
    }
    run->first = MAX(offset, section_offset);
    run->last = MIN(offset + (size - 1), section_offset + (section_size - 1));
    return run->first <= run->last;
}

/* The piece of @run, from @first on, that lies in one granule. */
static VFIORun vfio_run_piece(const VFIORun *run, uint64_t first,
                              uint64_t granule)
{
    return (VFIORun) { first, MIN(first | (granule - 1), run->last) };
}

static uint64_t vfio_run_size(const VFIORun *run)
{
    return run->last - run->first + 1;
}

static hwaddr vfio_rdl_iova(const VFIORamDiscardListener *vrdl, uint64_t offset)
{
    return vrdl->offset_within_address_space +
           (offset - vrdl->offset_within_region);
}

static VFIORamDiscardListener *vfio_rdl_of(RamDiscardListener *rdl)
{
    return container_of(rdl, VFIORamDiscardListener, listener);
}

uint64_t vfio_ram_discard_granule(const VFIOContainer *container,
                                  const MemoryRegion *mr)
{
    RamDiscardMgr *rdm = memory_region_get_ram_discard_mgr(mr);

    return MAX(ram_discard_mgr_get_min_granularity(rdm, mr),
               vfio_container_page_size(container));
}

/* Takes @run off the account; the granularity may have changed since. */
static void vfio_rdl_forget(VFIORamDiscardListener *vrdl, const VFIORun *run,
                            uint64_t granule)
{
    uint64_t size = vfio_run_size(run);
    uint64_t nr = vfio_budget_mappings(run->first, size, granule);

    vrdl->mapped -= MIN(size, vrdl->mapped);
    vrdl->mappings -= vrdl->mapped ? MIN(nr, vrdl->mappings) : vrdl->mappings;
}

/* All that is mapped of @run; holes are for backends that take them. */
static void vfio_rdl_unmap(VFIORamDiscardListener *vrdl, const VFIORun *run)
{
    VFIOContainer *container = vrdl->container;
    uint64_t granule = vfio_ram_discard_granule(container, vrdl->mr);
    VFIORun piece = *run;

    vfio_rdl_forget(vrdl, run, granule);
    if (!container->ops->unmap_exact) {
        vfio_container_dma_unmap(container, vrdl->mr,
                                 vfio_rdl_iova(vrdl, run->first),
                                 vfio_run_size(run));
        return;
    }
    for (uint64_t first = run->first;; first = piece.last + 1) {
        piece = vfio_run_piece(run, first, granule);
        vfio_container_dma_unmap(container, vrdl->mr,
                                 vfio_rdl_iova(vrdl, piece.first),
                                 vfio_run_size(&piece));
        if (piece.last == run->last) {
            return;
        }
    }
}

static VFIODMAMapping vfio_rdl_mapping(const VFIORamDiscardListener *vrdl,
                                       const VFIORun *run)
{
    return (VFIODMAMapping) {
        .iova = vfio_rdl_iova(vrdl, run->first),
        .size = vfio_run_size(run),
        .vaddr = (uint8_t *)memory_region_get_ram_ptr(vrdl->mr) + run->first,
        .mr = vrdl->mr,
        .offset = run->first,
        .readonly = vrdl->readonly,
    };
}

static int vfio_rdl_map_piece(VFIORamDiscardListener *vrdl,
                              const VFIORun *piece)
{
    const VFIODMAMapping mapping = vfio_rdl_mapping(vrdl, piece);

    return vfio_container_dma_map(vrdl->container, &mapping);
}

/* All of @run or nothing: what was mapped before a failure is unmapped. */
static int vfio_rdl_map(VFIORamDiscardListener *vrdl, const VFIORun *run,
                        uint64_t granule, Error **errp)
{
    VFIORun piece = *run;

    for (uint64_t first = run->first;; first = piece.last + 1) {
        int ret;

        piece = vfio_run_piece(run, first, granule);
        ret = vfio_rdl_map_piece(vrdl, &piece);
        if (ret) {
            error_setg_errno(errp, -ret, "memory region '%s': cannot map "
                             "0x%" PRIx64 " bytes at 0x%" HWADDR_PRIx,
                             memory_region_name(vrdl->mr),
                             vfio_run_size(&piece),
                             vfio_rdl_iova(vrdl, piece.first));
            if (first != run->first) {
                vfio_rdl_unmap(vrdl, &(VFIORun) { run->first, first - 1 });
            }
            return ret;
        }
        vrdl->mapped += vfio_run_size(&piece);
        vrdl->mappings++;
        if (piece.last == run->last) {
            return 0;
        }
    }
}

/* As vfio_rdl_map(), after the checks that can be made beforehand. */
static int vfio_rdl_try_map(VFIORamDiscardListener *vrdl, const VFIORun *run,
                            Error **errp)
{
    uint64_t granule = vfio_ram_discard_granule(vrdl->container, vrdl->mr);
    RamDiscardMgr *rdm = memory_region_get_ram_discard_mgr(vrdl->mr);
    const VFIODMAMapping whole = vfio_rdl_mapping(vrdl, run);

    if (ram_discard_mgr_get_min_granularity(rdm, vrdl->mr) < granule) {
        error_setg(errp, "memory region '%s': its blocks are smaller "
                   "than the IOMMU's page of %" PRIu64 " bytes",
                   memory_region_name(vrdl->mr), granule);
        return -EINVAL;
    }
    if (!vfio_budget_may_lock(vrdl->container, vfio_run_size(run), errp)) {
        return -ENOMEM;
    }
    vfio_prefault(vrdl->container, &whole);
    return vfio_rdl_map(vrdl, run, granule, errp);
}

/* What the event has to say of the last refusal. */
static JsonObject *vfio_rdl_refusal_data(void *source)
{
    const VFIORamDiscardListener *vrdl = source;
    const VFIORefusal *refusal = &vrdl->refusal;
    JsonObject *data = json_object_new();

    json_object_set_string_member(data, "region",
                                  memory_region_name(vrdl->mr));
    json_object_set_int_member(data, "offset", (gint64)refusal->offset);
    json_object_set_int_member(data, "size", (gint64)refusal->size);
    json_object_set_string_member(data, "reason", refusal->reason);
    if (refusal->lock_limit) {
        json_object_set_int_member(data, "needed", (gint64)refusal->size);
        json_object_set_int_member(data, "used", (gint64)refusal->used);
        json_object_set_int_member(data, "limit", (gint64)refusal->limit);
    }
    return data;
}

static void vfio_rdl_keep_refusal(VFIORamDiscardListener *vrdl,
                                  const VFIORun *run, const char *reason)
{
    VFIORefusal *refusal = &vrdl->refusal;

    g_free(refusal->reason);
    refusal->reason = g_strdup(reason);
    refusal->standing = true;
    refusal->offset = run->first;
    refusal->size = vfio_run_size(run);
    refusal->lock_limit =
        vfio_budget_memlock(vrdl->container, &refusal->used,
                            &refusal->limit) &&
        !vfio_budget_memlock_fits(refusal->size, refusal->used, refusal->limit,
                                  NULL);
}

/*
 * The guest may ask again at once, and for ever: a person is told once for
 * each region, a management client until it knows, not at every attempt.
 */
static void vfio_rdl_refused(VFIORamDiscardListener *vrdl, const VFIORun *run,
                             Error *err)
{
    const char *reason = error_get_pretty(err);

    ram_discard_listener_object(&vrdl->listener, reason);
    if (!vrdl->refusal.standing || strcmp(vrdl->refusal.reason, reason)) {
        vfio_rdl_keep_refusal(vrdl, run, reason);
        qapi_event_emit_thinned("VFIO_POPULATE_REFUSED", vfio_rdl_refusal_data,
                                vrdl);
    }
    error_prepend(&err, "a plug is refused: ");
    vfio_container_warn(vrdl->container, vrdl->mr, err);
}

static int vfio_rdl_populate(VFIORamDiscardListener *vrdl, const VFIORun *run)
{
    Error *err = NULL;
    bool begun = vfio_container_dma_begin(vrdl->container);
    int ret = vfio_rdl_try_map(vrdl, run, &err);

    vfio_container_dma_end(vrdl->container, begun);
    if (ret) {
        vfio_rdl_refused(vrdl, run, err);
    } else {
        vrdl->refusal.standing = false;
    }
    return ret;
}

static int vfio_rdl_notify_populate(RamDiscardListener *rdl,
                                    const MemoryRegion *mr,
                                    ram_addr_t offset, ram_addr_t size)
{
    VFIORamDiscardListener *vrdl = vfio_rdl_of(rdl);
    VFIORun run;

    if (!vfio_run_clip(&run, vrdl->offset_within_region, vrdl->size, offset,
                       size)) {
        return 0;
    }
    return vrdl->errp ? vfio_rdl_try_map(vrdl, &run, vrdl->errp)
                      : vfio_rdl_populate(vrdl, &run);
}

static void vfio_rdl_notify_discard(RamDiscardListener *rdl,
                                    const MemoryRegion *mr,
                                    ram_addr_t offset, ram_addr_t size)
{
    VFIORamDiscardListener *vrdl = vfio_rdl_of(rdl);
    VFIORun run;

    if (vfio_run_clip(&run, vrdl->offset_within_region, vrdl->size, offset,
                      size)) {
        bool begun = vfio_container_dma_begin(vrdl->container);

        vfio_rdl_unmap(vrdl, &run);
        vfio_container_dma_end(vrdl->container, begun);
    }
}

/* Only for backends that unmap over holes: one call for the whole section. */
static void vfio_rdl_notify_discard_all(RamDiscardListener *rdl,
                                        const MemoryRegion *mr)
{
    VFIORamDiscardListener *vrdl = vfio_rdl_of(rdl);
    const VFIORun all = { vrdl->offset_within_region,
                          vrdl->offset_within_region + (vrdl->size - 1) };

    vfio_rdl_unmap(vrdl, &all);
}

static void vfio_rdl_get_info(const RamDiscardListener *rdl,
                              RamDiscardListenerInfo *info)
{
    const VFIORamDiscardListener *vrdl =
        container_of(rdl, VFIORamDiscardListener, listener);

    info->mapped = vrdl->mapped;
    info->mappings = vrdl->mappings;
    info->mappings_budget = vrdl->container->info.dma_max_mappings;
}

bool vfio_ram_discard_register(VFIOContainer *container,
                               const MemoryRegionSection *section,
                               const VFIOExtent *extent, Error **errp)
{
    ERRP_GUARD();
    VFIORamDiscardListener *vrdl;
    RamDiscardMgr *rdm = memory_region_get_ram_discard_mgr(section->mr);
    uint64_t page = vfio_container_page_size(container);
    int ret;

    if (!QEMU_IS_ALIGNED(extent->offset, page)) {
        error_setg(errp, "memory region '%s': its memory is not aligned "
                   "to the IOMMU's pages of %" PRIu64 " bytes",
                   memory_region_name(section->mr), page);
        return false;
    }
    vrdl = g_new0(VFIORamDiscardListener, 1);
    vrdl->container = container;
    vrdl->mr = section->mr;
    vrdl->offset_within_region = extent->offset;
    vrdl->offset_within_address_space = extent->iova;
    vrdl->size = extent->size;
    vrdl->readonly = section->readonly;
    vrdl->errp = errp;
    ram_discard_listener_init(&vrdl->listener, vfio_rdl_notify_populate,
                              vfio_rdl_notify_discard,
                              container->ops->unmap_exact
                              ? NULL : vfio_rdl_notify_discard_all);
    vrdl->listener.kind = "vfio";
    vrdl->listener.get_info = vfio_rdl_get_info;

    ret = ram_discard_mgr_register_listener(rdm, vrdl->mr, &vrdl->listener);
    vrdl->errp = NULL;
    if (ret) {
        if (!*errp) {
            error_setg_errno(errp, -ret, "memory region '%s': cannot "
                             "follow what is plugged",
                             memory_region_name(vrdl->mr));
        }
        g_free(vrdl);
        return false;
    }
    QLIST_INSERT_HEAD(&container->managed, vrdl, next);
    return true;
}

bool vfio_ram_discard_unregister(VFIOContainer *container, MemoryRegion *mr,
                                 const VFIOExtent *extent)
{
    VFIORamDiscardListener *vrdl;

    QLIST_FOREACH(vrdl, &container->managed, next) {
        if (vrdl->mr == mr &&
            vrdl->offset_within_address_space == extent->iova) {
            break;
        }
    }
    if (!vrdl) {
        return false;
    }
    ram_discard_mgr_unregister_listener(memory_region_get_ram_discard_mgr(mr),
                                        mr, &vrdl->listener);
    QLIST_REMOVE(vrdl, next);
    qapi_event_forget_source(vrdl);
    g_free(vrdl->refusal.reason);
    g_free(vrdl);
    return true;
}

/* --- how much is populated --- */

typedef struct VFIOMeter {
    RamDiscardListener listener;
    const VFIOExtent *extent;
    uint64_t bytes;
} VFIOMeter;

static int vfio_meter_populate(RamDiscardListener *rdl, const MemoryRegion *mr,
                               ram_addr_t offset, ram_addr_t size)
{
    VFIOMeter *meter = container_of(rdl, VFIOMeter, listener);
    VFIORun run;

    if (vfio_run_clip(&run, meter->extent->offset, meter->extent->size, offset,
                      size)) {
        meter->bytes += vfio_run_size(&run);
    }
    return 0;
}

uint64_t vfio_ram_discard_populated(const MemoryRegion *mr,
                                    const VFIOExtent *extent)
{
    VFIOMeter meter = { .extent = extent };

    ram_discard_listener_init(&meter.listener, vfio_meter_populate, NULL, NULL);
    ram_discard_mgr_replay_populated(memory_region_get_ram_discard_mgr(mr), mr,
                                     &meter.listener);
    return meter.bytes;
}
