/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pinned guest memory: for a device that gives the address of guest memory to
 * the kernel, or to a thread, and cannot take it back before the I/O is done.
 * Until it is unpinned, the memory stays mapped in this process, even if its
 * region leaves the memory map, and its manager cannot discard it (law L9): so
 * nothing is ever written to memory that was given back. A guest that unplugs
 * memory under I/O in flight is told BUSY.
 *
 * Memory that no manager has costs a reference. In a turn of an I/O thread, or
 * with the big lock held.
 */
#ifndef EXEC_MEMORY_PIN_H
#define EXEC_MEMORY_PIN_H

#include "exec/ram-discard.h"

/* Embedded in, and owned by, who pins. Must not move meanwhile. */
typedef struct MemoryPin {
    MemoryRegion *mr;
    bool managed;                         /* discard is in use */
    RamDiscardPin discard;
} MemoryPin;

/* Pins @len > 0 bytes at @addr of @run, which holds them and was found in this
 * generation of the memory map. */
void memory_pin(MemoryPin *pin, const MemoryRun *run, hwaddr addr, hwaddr len);
void memory_unpin(MemoryPin *pin);

#endif
