/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a DMA space may use up, compared with what it could need, before it
 * needs it: DMA mappings (the kernel allows so many at the same time) and
 * locked memory (RLIMIT_MEMLOCK). A plain RAM section takes one mapping; a
 * managed one takes, when all of it is populated, one for each granule.
 *
 * The arithmetic is pure; the space supplies the figures. Bytes.
 */
#ifndef HW_VFIO_BUDGET_H
#define HW_VFIO_BUDGET_H

#include "hw/vfio/dma-space.h"

/* Granules, or parts of them, in @size bytes from @offset; @size not 0. */
uint64_t vfio_budget_mappings(uint64_t offset, uint64_t size,
                              uint64_t granule);
/*
 * The smallest granule, at least @granule, that needs no more than @allowed
 * mappings for @size bytes from @offset; 0: none does.
 */
uint64_t vfio_budget_fitting_granule(uint64_t offset, uint64_t size,
                                     uint64_t granule, uint64_t allowed);
/* Whether @needed bytes can be locked when @used are, of @limit. The message
 * names all three and what would help. */
bool vfio_budget_memlock_fits(uint64_t needed, uint64_t used, uint64_t limit,
                              Error **errp);

/* Opens what the next reads: before files can no longer be opened. */
void vfio_budget_open(void);
/* RLIMIT_MEMLOCK and VmLck of this process; false: it may lock all it likes
 * (no limit, or CAP_IPC_LOCK). */
bool vfio_budget_process_memlock(uint64_t *used, uint64_t *limit);

/* The mappings that the sections of a live space need at worst. */
uint64_t vfio_budget_space_mappings(const VFIODMASpace *space);
/* Whether another managed section, mapped by @granule, fits the mapping limit,
 * with @others mappings for everything else. The message proposes a block-size. */
bool vfio_budget_managed_fits(const VFIODMASpace *space,
                              const MemoryRegion *mr, const VFIOExtent *extent,
                              uint64_t granule, uint64_t others, Error **errp);
/* Whether blocks of @granularity are whole pages of the IOMMU. The message
 * proposes a block-size. */
bool vfio_budget_blocks_fit_pages(const VFIODMASpace *space,
                                  const MemoryRegion *mr, uint64_t granularity,
                                  Error **errp);
/*
 * From now on, a region that could exceed the mapping limit is refused before
 * it gets a manager, until vfio_budget_unguard(). Warns of a worst case.
 */
void vfio_budget_guard(VFIODMASpace *space);
void vfio_budget_unguard(VFIODMASpace *space);
/*
 * Whether all that is in @as now fits both budgets of @space, which is to follow
 * it. Looks only.
 */
bool vfio_budget_check(VFIODMASpace *space, AddressSpace *as, Error **errp);
/* What a space would need of all that is in @as now; locked: if it locks what it
 * maps. */
typedef struct VFIOBudgetForecast {
    uint64_t mappings;                    /* now ... */
    uint64_t mappings_max;                /* ... and with all memory plugged */
    uint64_t locked;                      /* bytes; the same */
    uint64_t locked_max;
} VFIOBudgetForecast;
/* Looks only; @space needs to follow nothing. */
void vfio_budget_forecast(VFIODMASpace *space, AddressSpace *as,
                          VFIOBudgetForecast *forecast);
/* The limit on locked memory, and how much of it is in use; false: none. */
bool vfio_budget_memlock(VFIODMASpace *space, uint64_t *used,
                         uint64_t *limit);
/*
 * Warns if more than the limit would have to be locked once all regions of all
 * guarded spaces are fully plugged; again only if it has become more.
 */
void vfio_budget_warn_worst_case(VFIODMASpace *space);
/* Whether @size more bytes may be locked now. Leaves in *limit what was compared;
 * its limit stays 0 if there is none. */
bool vfio_budget_may_lock(VFIODMASpace *space, uint64_t size,
                          RamDiscardLimit *limit, Error **errp);

#endif
