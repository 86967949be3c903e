/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A RAM region with a RamDiscardMgr of its own and an address space to put it
 * in: the least that a consumer can be tested with. No byte of the RAM is ever
 * touched, so it may be as large as one likes.
 */
#ifndef TESTS_UNIT_SPARSE_RAM_H
#define TESTS_UNIT_SPARSE_RAM_H

#include "exec/memory.h"
#include "exec/ram-discard.h"

#define TYPE_SPARSE_RAM "test-sparse-ram"
OBJECT_DECLARE_SIMPLE_TYPE(SparseRam, SPARSE_RAM)

struct SparseRam {
    Object parent_obj;
    MemoryRegion mr;
    RamDiscardBlocks blocks;
    uint64_t told_granularity;            /* not 0: what get_min_granularity
                                             says instead of the truth */
};

/* @nr_blocks blocks of @granularity bytes, all discarded; @host is where it
 * claims to be. Freed by sparse_ram_free(). */
SparseRam *sparse_ram_new(const char *name, uint64_t granularity,
                          uint64_t nr_blocks, uint64_t host);
void sparse_ram_free(SparseRam *ram);
/* The same in blocks; 0 or -errno. */
int sparse_ram_plug(SparseRam *ram, uint64_t block, uint64_t nr);
void sparse_ram_unplug(SparseRam *ram, uint64_t block, uint64_t nr);
bool sparse_ram_is_plugged(SparseRam *ram, uint64_t block);

/* An address space with nothing in it. */
typedef struct TestSpace {
    MemoryRegion root;
    AddressSpace as;
} TestSpace;

TestSpace *test_space_new(void);
void test_space_free(TestSpace *space);

/* A plain region of RAM that is nowhere; object_unref() by the caller. */
void fake_ram_init(MemoryRegion *mr, const char *name, uint64_t size,
                   uint64_t host);

#endif
