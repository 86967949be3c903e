/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Dumps of guest memory, for those who have something to add. Big lock held. */
#ifndef SYSEMU_DUMP_H
#define SYSEMU_DUMP_H

#include "exec/hwaddr.h"

/*
 * Where the guest keeps an ELF note for dumps, VMCOREINFO: *addr and *size, in
 * bytes, as it says, which is not to be trusted. false: it has said nothing.
 */
typedef bool DumpGuestNoteFn(void *opaque, hwaddr *addr, uint32_t *size);

/* From now on each dump asks @fn; NULL: none does. One at a time. */
void dump_set_guest_note(DumpGuestNoteFn *fn, void *opaque);

#endif
