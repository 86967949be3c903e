/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The budgets of a DMA space: see hw/vfio/budget.h.
 *
 * What is found too little is refused when it is added, with the numbers, not
 * when the guest plugs its last block. Nothing here may map, lock or change
 * anything.
 */
#include "qemu/osdep.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/resource.h>

#include "budget.h"
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "qemu/units.h"

/* More than the kernel writes into /proc/self/status. */
#define STATUS_SIZE 4096

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

/* Opened once: later there may be no /proc, nor a right to open files. */
static int process_status_fd(void)
{
    static int fd = -2;

    if (fd == -2) {
        fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    }
    return fd;
}

/* The number behind @key, "\nNAME:"; 0 if there is none. */
static uint64_t process_status(const char *key, unsigned base)
{
    char status[STATUS_SIZE];
    ssize_t len = pread(process_status_fd(), status, sizeof(status) - 1, 0);
    const char *line;

    if (len < 0) {
        return 0;
    }
    status[len] = '\0';
    line = strstr(status, key);
    return line ? g_ascii_strtoull(line + strlen(key), NULL, base) : 0;
}

/* No system call is needed for that by which capabilities could be probed. */
static bool process_may_lock_all(void)
{
    return process_status("\nCapEff:", 16) & 1ULL << CAP_IPC_LOCK;
}

void vfio_budget_open(void)
{
    process_status_fd();
}

bool vfio_budget_process_memlock(uint64_t *used, uint64_t *limit)
{
    struct rlimit rlim;

    if (getrlimit(RLIMIT_MEMLOCK, &rlim) || rlim.rlim_cur == RLIM_INFINITY ||
        process_may_lock_all()) {
        return false;
    }
    *limit = rlim.rlim_cur;
    *used = process_status("\nVmLck:", 10) * KiB;
    return true;
}

bool vfio_budget_memlock(VFIODMASpace *space, uint64_t *used,
                         uint64_t *limit)
{
    return space->ops->memlock &&
           space->ops->memlock(space, used, limit);
}

bool vfio_budget_may_lock(VFIODMASpace *space, uint64_t size,
                          RamDiscardLimit *limit, Error **errp)
{
    limit->needed = size;
    return !vfio_budget_memlock(space, &limit->used, &limit->limit) ||
           vfio_budget_memlock_fits(size, limit->used, limit->limit, errp);
}

/* --- what the process may have to lock --- */

/* What could still be plugged, and would then be locked. */
static uint64_t vfio_budget_unplugged(const VFIODMASpace *space)
{
    const VFIORamDiscardListener *vrdl;
    uint64_t sum = 0;

    QLIST_FOREACH(vrdl, &space->managed, next) {
        sum += vrdl->extent.size - vrdl->mapped;
    }
    return sum;
}

/* The spaces of this process draw on one limit. */
static QLIST_HEAD(, VFIODMASpace) vfio_budget_guarded =
    QLIST_HEAD_INITIALIZER(vfio_budget_guarded);

void vfio_budget_warn_worst_case(VFIODMASpace *space)
{
    const VFIODMASpace *other;
    uint64_t used, limit, worst;

    if (!vfio_budget_memlock(space, &used, &limit)) {
        return;
    }
    worst = used;
    QLIST_FOREACH(other, &vfio_budget_guarded, next) {
        worst += other->ops->memlock ? vfio_budget_unplugged(other) : 0;
    }
    if (worst <= limit || worst <= space->worst_warned) {
        return;
    }
    space->worst_warned = worst;
    warn_report("vfio: with all memory plugged, %" PRIu64 " bytes must be "
                "locked for devices, but RLIMIT_MEMLOCK allows %" PRIu64
                " bytes: plugs beyond that will be refused until it is raised "
                "(ulimit -l, prlimit --memlock, LimitMEMLOCK= of a service)",
                worst, limit);
}

/* --- mappings of a space --- */

/* The same, without what @except, a region or NULL, takes. */
static uint64_t vfio_budget_mappings_but(const VFIODMASpace *space,
                                         const MemoryRegion *except)
{
    const VFIORamDiscardListener *vrdl;
    const VFIOPlainSection *plain;
    uint64_t sum = 0;

    QLIST_FOREACH(plain, &space->plain, next) {
        sum++;
    }
    QLIST_FOREACH(vrdl, &space->managed, next) {
        if (vrdl->mr != except) {
            sum += vfio_budget_mappings(
                vrdl->extent.offset, vrdl->extent.size,
                vfio_dma_space_granule(space, vrdl->mr));
        }
    }
    return sum;
}

uint64_t vfio_budget_space_mappings(const VFIODMASpace *space)
{
    return vfio_budget_mappings_but(space, NULL);
}

bool vfio_budget_managed_fits(const VFIODMASpace *space,
                              const MemoryRegion *mr, const VFIOExtent *extent,
                              uint64_t granule, uint64_t others, Error **errp)
{
    uint64_t max = space->info.dma_max_mappings;
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

bool vfio_budget_blocks_fit_pages(const VFIODMASpace *space,
                                  const MemoryRegion *mr, uint64_t granularity,
                                  Error **errp)
{
    uint64_t page = vfio_dma_space_page_size(space);

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
                                     MemoryRegion *mr,
                                     uint64_t granularity, Error **errp)
{
    VFIODMASpace *space = container_of(consumer, VFIODMASpace, consumer);
    const VFIOExtent whole = { .size = memory_region_size(mr) };

    if (!vfio_budget_blocks_fit_pages(space, mr, granularity, errp)) {
        return false;
    }
    return vfio_budget_managed_fits(
        space, mr, &whole, granularity,
        vfio_budget_mappings_but(space, mr), errp);
}

void vfio_budget_guard(VFIODMASpace *space)
{
    space->consumer.check_region = vfio_budget_check_region;
    ram_discard_consumer_register(&space->consumer);
    QLIST_INSERT_HEAD(&vfio_budget_guarded, space, next);
    space->worst_warned = 0;
    vfio_budget_warn_worst_case(space);
}

void vfio_budget_unguard(VFIODMASpace *space)
{
    QLIST_REMOVE(space, next);
    ram_discard_consumer_unregister(&space->consumer);
}

typedef struct VFIOManagedNeed {
    const MemoryRegion *mr;
    VFIOExtent extent;
    uint64_t mappings;
} VFIOManagedNeed;

typedef struct VFIONeeds {
    VFIODMASpace *space;
    uint64_t mappings;
    uint64_t locked;
    uint64_t locked_max;
    GArray *managed;                      /* VFIOManagedNeed */
} VFIONeeds;

static int vfio_add_populated(const MemoryRegionSection *run, void *opaque)
{
    *(uint64_t *)opaque += int128_get64(run->size);
    return 0;
}

/* How much of @extent, which is of @section, is populated. */
static uint64_t vfio_populated(const MemoryRegionSection *section,
                               const VFIOExtent *extent)
{
    MemoryRegionSection part = *section;
    uint64_t sum = 0;

    part.offset_within_region = extent->offset;
    part.offset_within_address_space = extent->iova;
    part.size = int128_make64(extent->size);
    memory_region_section_foreach_populated(&part, vfio_add_populated, &sum);
    return sum;
}

static int vfio_add_needs(const MemoryRegionSection *section, void *opaque)
{
    VFIONeeds *needs = opaque;
    VFIOManagedNeed need = { .mr = section->mr, .mappings = 1 };

    if (!memory_region_is_ram(section->mr) ||
        memory_region_is_rom(section->mr) ||
        !vfio_dma_space_extent(needs->space, section, &need.extent, NULL) ||
        !need.extent.size) {
        return 0;
    }
    if (memory_region_has_ram_discard_mgr(section->mr)) {
        need.mappings = vfio_budget_mappings(
            need.extent.offset, need.extent.size,
            vfio_dma_space_granule(needs->space, section->mr));
        g_array_append_val(needs->managed, need);
    }
    if (!memory_region_is_ram_device(section->mr)) {
        needs->locked += vfio_populated(section, &need.extent);
        needs->locked_max += need.extent.size;
    }
    needs->mappings += need.mappings;
    return 0;
}

static bool vfio_needs_fit(const VFIONeeds *needs, Error **errp)
{
    uint64_t max = needs->space->info.dma_max_mappings;
    RamDiscardLimit limit = { 0 };

    for (guint i = 0; i < needs->managed->len; i++) {
        VFIOManagedNeed *need = &g_array_index(needs->managed, VFIOManagedNeed,
                                               i);

        if (!vfio_budget_managed_fits(
                needs->space, need->mr, &need->extent,
                vfio_dma_space_granule(needs->space, need->mr),
                needs->mappings - need->mappings, errp)) {
            return false;
        }
    }
    if (max && needs->mappings > max) {
        error_setg(errp, "guest memory needs %" PRIu64 " DMA mappings, "
                   "but the IOMMU allows %" PRIu64, needs->mappings, max);
        return false;
    }
    return vfio_budget_may_lock(needs->space, needs->locked, &limit, errp);
}

bool vfio_budget_check(VFIODMASpace *space, AddressSpace *as, Error **errp)
{
    VFIONeeds needs = {
        .space = space,
        .managed = g_array_new(false, false, sizeof(VFIOManagedNeed)),
    };
    bool fits;

    address_space_foreach_section(as, vfio_add_needs, &needs);
    fits = vfio_needs_fit(&needs, errp);
    g_array_unref(needs.managed);
    return fits;
}

void vfio_budget_forecast(VFIODMASpace *space, AddressSpace *as,
                          VFIOBudgetForecast *forecast)
{
    VFIONeeds needs = {
        .space = space,
        .managed = g_array_new(false, false, sizeof(VFIOManagedNeed)),
    };

    address_space_foreach_section(as, vfio_add_needs, &needs);
    *forecast = (VFIOBudgetForecast) {
        .mappings = needs.mappings,
        .mappings_max = needs.mappings,
        .locked = needs.locked,
        .locked_max = needs.locked_max,
    };
    for (guint i = 0; i < needs.managed->len; i++) {
        forecast->mappings -= g_array_index(needs.managed, VFIOManagedNeed,
                                            i).mappings;
    }
    g_array_unref(needs.managed);
}
