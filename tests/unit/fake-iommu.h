/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A VFIO IOMMU backend that maps nothing but enforces what the kernel's type1
 * enforces, and more strictly: alignment, no overlap, no unmap that splits a
 * mapping, a limit on mappings and on locked memory. Any operation can be made
 * to fail. Used by the tests of hw/vfio.
 */
#ifndef TESTS_UNIT_FAKE_IOMMU_H
#define TESTS_UNIT_FAKE_IOMMU_H

#include "hw/vfio/container.h"

typedef struct FakeMapping {
    hwaddr iova;
    uint64_t size;
    void *vaddr;
    bool readonly;
    bool locked;                          /* counts as locked memory */
} FakeMapping;

typedef struct FakeOp {
    bool map;
    hwaddr iova;
    uint64_t size;
    int ret;
} FakeOp;

typedef struct FakeIOMMU {
    VFIOContainer container;
    /* To be set between fake_iommu_new() and fake_iommu_start(). */
    bool exact;                           /* unmaps only what was mapped */
    uint64_t page_size;
    uint64_t max_mappings;                /* 0: no limit */
    uint64_t lock_limit;                  /* UINT64_MAX: no limit */
    hwaddr last_iova;                     /* the highest that translates */
    bool tells_limits;                    /* false: enforces, says nothing */
    /* Map calls to let pass before one fails, once; -1: none fails. */
    int fail_map_after;
    int fail_map_errno;
    int fail_unmap_errno;                 /* 0: unmap works */
    /* What happened. */
    GArray *mappings;                     /* FakeMapping, by iova */
    GArray *ops;                          /* FakeOp, in order */
    uint64_t locked;                      /* bytes */
    unsigned violations;                  /* calls that broke a rule */
} FakeIOMMU;

/* Type1's ways: 4 KiB pages, 65535 mappings, no lock limit. */
FakeIOMMU *fake_iommu_new(void);
/* vfio_container_init() on @as. */
bool fake_iommu_start(FakeIOMMU *f, AddressSpace *as, Error **errp);
void fake_iommu_stop(FakeIOMMU *f);
/* After fake_iommu_stop(), or a failed start: nothing may be mapped. */
void fake_iommu_free(FakeIOMMU *f);

/* Where a device's access to @iova arrives; NULL: a fault. */
void *fake_iommu_translate(const FakeIOMMU *f, hwaddr iova);
/* Sum of the sizes of all mappings. */
uint64_t fake_iommu_mapped(const FakeIOMMU *f);
/* How many of the recorded operations were (un)maps that succeeded. */
unsigned fake_iommu_count(const FakeIOMMU *f, bool map);
/* Forgets the recorded operations. */
void fake_iommu_forget(FakeIOMMU *f);

#endif
