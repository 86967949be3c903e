/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a memory device goes: arithmetic on ranges, and nothing else. */
#ifndef HW_MEM_MEMORY_PLACEMENT_H
#define HW_MEM_MEMORY_PLACEMENT_H

#include "qapi/error.h"

/* A range that is taken. */
typedef struct PlacedRange {
    uint64_t addr;
    uint64_t size;
    const char *id;                       /* of who has it; for messages */
} PlacedRange;

/* The room for memory devices; addr + size does not overflow. */
typedef struct PlacementSpace {
    uint64_t addr;
    uint64_t size;
    const PlacedRange *used;              /* ascending, inside, disjoint */
    size_t nr_used;
} PlacementSpace;

/*
 * Finds @size bytes in @space, at a multiple of @align (a power of two). With
 * @hint (not NULL) exactly there; else at the lowest address that fits. false:
 * *errp says why, with numbers.
 */
bool memory_place(const PlacementSpace *space, const uint64_t *hint,
                  uint64_t align, uint64_t size, uint64_t *addr, Error **errp);

#endif
