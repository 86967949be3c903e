/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The memory map for those who look at it again and again, a queue's devices say:
 * pieces that may be kept for a generation, and changes that I/O threads wait for.
 * Who changes nothing and keeps nothing needs none of it.
 *
 * A part of exec/memory.h, which includes it.
 */
#ifndef EXEC_MEMORY_MAP_H
#define EXEC_MEMORY_MAP_H

#include "exec/hwaddr.h"
#include "qemu/aio-context.h"

/* What address_space_find_run() found: a piece of an address space that is, to
 * its last byte, populated RAM in one piece. */
typedef struct MemoryRun {
    hwaddr first;                         /* in the address space */
    hwaddr last;
    uint8_t *host;                        /* where @first is in this process */
    MemoryRegion *mr;
    ram_addr_t offset;                    /* of @first, in @mr */
    bool readonly;
} MemoryRun;

/*
 * Looks without mapping: the run that holds @addr; false if that is not RAM
 * which may be accessed directly. No reference is taken: it holds as long as
 * memory_map_generation() stays the same (then there may be more, never less).
 */
bool address_space_find_run(AddressSpace *as, hwaddr addr, MemoryRun *run);
/*
 * For a turn of an I/O thread: stores @val, little endian, if there is populated
 * RAM, or a device that takes it without the big lock. false: nothing was done,
 * as it is for somebody who holds that lock.
 */
bool address_space_stl_le_in_turn(AddressSpace *as, hwaddr addr, uint32_t val);

/* Private to softmmu/. */
extern uint64_t memory_map_generation_now;
/*
 * Counts topology changes and discards: whoever keeps what
 * address_space_find_run() said must look again when it differs. Never 0. It
 * stays the same in a turn of an I/O thread.
 */
static inline uint64_t memory_map_generation(void)
{
    return memory_map_generation_now;
}
/* For managers: host addresses of discarded memory are no longer to be used.
 * Between the two that follow. */
void memory_map_generation_bump(void);
/*
 * Around each change of what I/O threads may look at without the big lock: flat
 * views, who manages a region and what they have populated, pins. No thread is
 * in a turn meanwhile. Big lock held; nests.
 */
static inline void memory_map_change_begin(void)
{
    aio_pause_all();
}
static inline void memory_map_change_end(void)
{
    aio_resume_all();
}

#endif
