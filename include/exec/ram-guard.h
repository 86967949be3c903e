/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guarded RAM: parts of a RAM block that nobody should touch. An access by
 * whomever (a guest's CPU under KVM, a system call, this process) is noted and
 * then let pass, with a page of zeros that is taken away again soon after. So
 * it costs the host nothing that stays, whatever is touched. Memory that is not
 * guarded is as fast as ever.
 *
 * A guard is a userfaultfd and a thread that answers it; the thread never takes
 * the big lock, as whoever holds that may be the one who waits for an answer.
 * virtio-mem guards the blocks that are not plugged. What others touch by
 * mappings of their own (a vfio-user server, the file of a backend) it does not
 * see.
 */
#ifndef EXEC_RAM_GUARD_H
#define EXEC_RAM_GUARD_H

#include "exec/ramblock.h"

typedef struct RamGuard RamGuard;

/* Accesses to guarded pages that were not there, since the last report. */
typedef struct RamGuardViolations {
    uint64_t count;                       /* pages let in; 0: none */
    ram_addr_t offset;                    /* of the first one, in the block: to
                                             the byte, if the kernel tells */
    bool write;                           /* whether the first one wrote */
} RamGuardViolations;

/* There are violations. Called by the main loop, big lock held. */
typedef void RamGuardFn(void *opaque);

/*
 * Guards all of @rb, whose memory is all discarded; big lock held. NULL and
 * *errp if the host, or this kind of memory, does not allow it.
 */
RamGuard *ram_guard_new(RAMBlock *rb, RamGuardFn *fn, void *opaque,
                        Error **errp);
/* Ends it; @rb is not guarded any more. Big lock held. */
void ram_guard_free(RamGuard *guard);

/* What has happened since the last call. Any thread. */
void ram_guard_take_violations(RamGuard *guard,
                               RamGuardViolations *violations);

/*
 * Between these two nobody is let in; who touches guarded memory waits, so the
 * caller must not. Any thread.
 */
void ram_guard_freeze(RamGuard *guard);
void ram_guard_thaw(RamGuard *guard);

/*
 * While kept, the pages that were let in stay (1 MiB of them at most), instead
 * of a tenth of a second; they go that long after they are kept no more. For
 * while the CPUs stand still: one may be stopped between having been let in and
 * its access, and would trespass again when it goes on. Any thread.
 */
void ram_guard_keep_pages(RamGuard *guard, bool keep);

/*
 * Opens a guarded range, whose pages are empty then, for use; or guards it, for
 * which its pages should be discarded soon after. Frozen; multiples of the page
 * size. 0 or -errno (-ENOMEM: the process has too many mappings), and then
 * parts of the range may have changed: the other call sets them right.
 */
int ram_guard_open(RamGuard *guard, ram_addr_t offset, uint64_t size);
int ram_guard_close(RamGuard *guard, ram_addr_t offset, uint64_t size);

#endif
