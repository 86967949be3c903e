/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The budgets of a VFIO container: see hw/vfio/budget.h.
 *
 * What is found too little is refused when it is added, with the numbers, not
 * when the guest plugs its last block. Nothing here may map, lock or change
 * anything.
 */
#include "qemu/osdep.h"

#include <linux/capability.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "budget.h"
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "qemu/units.h"

/* --- arithmetic --- */

uint64_t vfio_budget_mappings(uint64_t offset, uint64_t size,
                              uint64_t granule)
{
    return (offset + (size - 1)) / granule - offset / granule + 1;
}

uint64_t vfio_budget_fitting_granule(uint64_t offset, uint64_t size,
                                     uint64_t granule, uint64_t allowed)
{
    while (granule && vfio_budget_mappings(offset, size, granule) > allowed) {
        granule <<= 1;
    }
    return granule;
}

bool vfio_budget_memlock_fits(uint64_t needed, uint64_t used, uint64_t limit,
                              Error **errp)
{
    if (used <= limit && needed <= limit - used) {
        return true;
    }
    error_setg(errp, "guest memory of %" PRIu64 " bytes must be locked "
               "for devices, but RLIMIT_MEMLOCK allows %" PRIu64 " bytes, of "
               "which %" PRIu64 " are in use: raise it (ulimit -l, prlimit "
               "--memlock, LimitMEMLOCK= of a service)", needed, limit, used);
    return false;
}

/* --- what the process may lock --- */

static bool process_may_lock_all(void)
{
    struct __user_cap_header_struct header = {
        .version = _LINUX_CAPABILITY_VERSION_3,
    };
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { { 0 } };

    return syscall(SYS_capget, &header, data) == 0 &&
           data[CAP_TO_INDEX(CAP_IPC_LOCK)].effective &
           CAP_TO_MASK(CAP_IPC_LOCK);
}

static uint64_t process_locked(void)
{
    g_autofree char *status = NULL;
    const char *line;

    if (!g_file_get_contents("/proc/self/status", &status, NULL, NULL)) {
        return 0;
    }
    line = strstr(status, "\nVmLck:");
    return line ? g_ascii_strtoull(line + strlen("\nVmLck:"), NULL, 10) * KiB
                : 0;
}

bool vfio_budget_process_memlock(uint64_t *used, uint64_t *limit)
{
    struct rlimit rlim;

    if (getrlimit(RLIMIT_MEMLOCK, &rlim) || rlim.rlim_cur == RLIM_INFINITY ||
        process_may_lock_all()) {
        return false;
    }
    *limit = rlim.rlim_cur;
    *used = process_locked();
    return true;
}

bool vfio_budget_memlock(VFIOContainer *container, uint64_t *used,
                         uint64_t *limit)
{
    return container->ops->memlock &&
           container->ops->memlock(container, used, limit);
}

bool vfio_budget_may_lock(VFIOContainer *container, uint64_t size,
                          Error **errp)
{
    uint64_t used, limit;

    return !vfio_budget_memlock(container, &used, &limit) ||
           vfio_budget_memlock_fits(size, used, limit, errp);
}

/* --- what the process may have to lock --- */

/* What could still be plugged, and would then be locked. */
static uint64_t vfio_budget_unplugged(const VFIOContainer *container)
{
    const VFIORamDiscardListener *vrdl;
    uint64_t sum = 0;

    QLIST_FOREACH(vrdl, &container->managed, next) {
        sum += vrdl->size - vrdl->mapped;
    }
    return sum;
}

/* The containers of this process draw on one limit. */
static QLIST_HEAD(, VFIOContainer) vfio_budget_containers =
    QLIST_HEAD_INITIALIZER(vfio_budget_containers);

void vfio_budget_warn_worst_case(VFIOContainer *container)
{
    const VFIOContainer *other;
    uint64_t used, limit, worst;

    if (!vfio_budget_memlock(container, &used, &limit)) {
        return;
    }
    worst = used;
    QLIST_FOREACH(other, &vfio_budget_containers, next) {
        worst += other->ops->memlock ? vfio_budget_unplugged(other) : 0;
    }
    if (worst <= limit || worst <= container->worst_warned) {
        return;
    }
    container->worst_warned = worst;
    warn_report("vfio: with all memory plugged, %" PRIu64 " bytes must be "
                "locked for devices, but RLIMIT_MEMLOCK allows %" PRIu64
                " bytes: plugs beyond that will be refused until it is raised "
                "(ulimit -l, prlimit --memlock, LimitMEMLOCK= of a service)",
                worst, limit);
}

/* --- mappings of a container --- */

/* The same, without what @except, a region or NULL, takes. */
static uint64_t vfio_budget_mappings_but(const VFIOContainer *container,
                                         const MemoryRegion *except)
{
    const VFIORamDiscardListener *vrdl;
    const VFIOPlainSection *plain;
    uint64_t sum = 0;

    QLIST_FOREACH(plain, &container->plain, next) {
        sum++;
    }
    QLIST_FOREACH(vrdl, &container->managed, next) {
        if (vrdl->mr != except) {
            sum += vfio_budget_mappings(
                vrdl->offset_within_region, vrdl->size,
                vfio_ram_discard_granule(container, vrdl->mr));
        }
    }
    return sum;
}

uint64_t vfio_budget_container_mappings(const VFIOContainer *container)
{
    return vfio_budget_mappings_but(container, NULL);
}

bool vfio_budget_managed_fits(const VFIOContainer *container,
                              const MemoryRegion *mr, const VFIOExtent *extent,
                              uint64_t granule, uint64_t others, Error **errp)
{
    uint64_t max = container->info.dma_max_mappings;
    uint64_t needed = vfio_budget_mappings(extent->offset, extent->size,
                                           granule);
    uint64_t fitting;
    g_autofree char *cure = NULL;

    if (!max || (others <= max && needed <= max - others)) {
        return true;
    }
    fitting = others < max
              ? vfio_budget_fitting_granule(extent->offset, extent->size,
                                            granule, max - others)
              : 0;
    cure = fitting ? g_strdup_printf("use block-size=%" PRIu64, fitting)
                   : g_strdup("no block-size is large enough");
    error_setg(errp, "memory region '%s' (%" PRIu64 " bytes in blocks of "
               "%" PRIu64 ") can need %" PRIu64 " DMA mappings and the rest of "
               "the guest %" PRIu64 ", but the IOMMU allows %" PRIu64 ": %s",
               memory_region_name(mr), extent->size, granule, needed, others,
               max, cure);
    return false;
}

bool vfio_budget_blocks_fit_pages(const VFIOContainer *container,
                                  const MemoryRegion *mr, uint64_t granularity,
                                  Error **errp)
{
    uint64_t page = vfio_container_page_size(container);

    if (granularity >= page) {
        return true;
    }
    error_setg(errp, "memory region '%s' is plugged in blocks of %" PRIu64
               " bytes, less than the IOMMU's page: use block-size=%" PRIu64,
               memory_region_name(mr), granularity, page);
    return false;
}

/* --- all that is in an address space --- */

static bool vfio_budget_check_region(RamDiscardConsumer *consumer,
                                     const MemoryRegion *mr,
                                     uint64_t granularity, Error **errp)
{
    VFIOContainer *container = container_of(consumer, VFIOContainer, consumer);
    const VFIOExtent whole = { .size = memory_region_size(mr) };

    if (!vfio_budget_blocks_fit_pages(container, mr, granularity, errp)) {
        return false;
    }
    return vfio_budget_managed_fits(
        container, mr, &whole, granularity,
        vfio_budget_mappings_but(container, mr), errp);
}

void vfio_budget_guard(VFIOContainer *container)
{
    container->consumer.check_region = vfio_budget_check_region;
    ram_discard_consumer_register(&container->consumer);
    QLIST_INSERT_HEAD(&vfio_budget_containers, container, next);
    container->worst_warned = 0;
    vfio_budget_warn_worst_case(container);
}

void vfio_budget_unguard(VFIOContainer *container)
{
    QLIST_REMOVE(container, next);
    ram_discard_consumer_unregister(&container->consumer);
}

typedef struct VFIOManagedNeed {
    const MemoryRegion *mr;
    VFIOExtent extent;
    uint64_t mappings;
} VFIOManagedNeed;

typedef struct VFIONeeds {
    MemoryListener listener;
    VFIOContainer *container;
    uint64_t mappings;
    uint64_t locked;
    GArray *managed;                      /* VFIOManagedNeed */
} VFIONeeds;

static void vfio_needs_region_add(MemoryListener *listener,
                                  MemoryRegionSection *section)
{
    VFIONeeds *needs = container_of(listener, VFIONeeds, listener);
    VFIOManagedNeed need = { .mr = section->mr, .mappings = 1 };

    if (!memory_region_is_ram(section->mr) ||
        !vfio_section_extent(needs->container, section, &need.extent, NULL) ||
        !need.extent.size) {
        return;
    }
    if (memory_region_has_ram_discard_mgr(section->mr)) {
        need.mappings = vfio_budget_mappings(
            need.extent.offset, need.extent.size,
            vfio_ram_discard_granule(needs->container, section->mr));
        needs->locked += vfio_ram_discard_populated(section->mr, &need.extent);
        g_array_append_val(needs->managed, need);
    } else if (!memory_region_is_ram_device(section->mr)) {
        needs->locked += need.extent.size;
    }
    needs->mappings += need.mappings;
}

static bool vfio_needs_fit(const VFIONeeds *needs, Error **errp)
{
    uint64_t max = needs->container->info.dma_max_mappings;

    for (guint i = 0; i < needs->managed->len; i++) {
        VFIOManagedNeed *need = &g_array_index(needs->managed, VFIOManagedNeed,
                                               i);

        if (!vfio_budget_managed_fits(needs->container, need->mr, &need->extent,
                                      vfio_ram_discard_granule(
                                          needs->container, need->mr),
                                      needs->mappings - need->mappings, errp)) {
            return false;
        }
    }
    if (max && needs->mappings > max) {
        error_setg(errp, "guest memory needs %" PRIu64 " DMA mappings, "
                   "but the IOMMU allows %" PRIu64, needs->mappings, max);
        return false;
    }
    return vfio_budget_may_lock(needs->container, needs->locked, errp);
}

bool vfio_budget_check(VFIOContainer *container, Error **errp)
{
    g_autoptr(GArray) managed = g_array_new(false, false,
                                            sizeof(VFIOManagedNeed));
    VFIONeeds needs = {
        .listener = {
            .region_add = vfio_needs_region_add,
        },
        .container = container,
        .managed = managed,
    };

    memory_listener_register(&needs.listener, container->as);
    memory_listener_unregister(&needs.listener);
    return vfio_needs_fit(&needs, errp);
}
