/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -overcommit mem-lock=on: guest RAM that the host never swaps out. Plain RAM
 * is locked as a whole, managed RAM (virtio-mem) just where it is populated, so
 * that VmLck of the process is boot RAM plus what is plugged.
 *
 * While a MemLock exists, uncoordinated discards (a balloon) are disabled: what
 * they gave back would have to be faulted in again. A page that VFIO has pinned,
 * too, counts twice against RLIMIT_MEMLOCK; that is the kernel's accounting.
 *
 * Big lock held.
 */
#ifndef SYSTEM_MEM_LOCK_H
#define SYSTEM_MEM_LOCK_H

#include "exec/memory-needs.h"

typedef struct MemLock MemLock;

/*
 * Locks, and so allocates, the RAM in @as, and from now on follows what joins
 * and leaves it. NULL and *errp, with nothing locked, if not all can be: the
 * message has the bytes needed and those that RLIMIT_MEMLOCK allows.
 *
 * Later, a populate that cannot be locked is objected to (the guest may ask
 * again); the region's RAM_DISCARD_REFUSED tells of it. Plain RAM that joins
 * later and cannot be locked is warned about.
 */
MemLock *mem_lock_new(AddressSpace *as, Error **errp);
/* What that would need; looks only. */
void mem_lock_forecast(AddressSpace *as, MemoryNeeds *needs);
/* Unlocks all. */
void mem_lock_free(MemLock *ml);

#endif
