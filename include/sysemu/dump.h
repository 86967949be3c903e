/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing the guest's memory into a file: the QMP commands dump-guest-memory
 * and query-dump. The file is an ELF core of guest physical memory, as far as
 * it is populated. One dump at a time; the VM is stopped meanwhile.
 *
 * Big lock held, main thread.
 */
#ifndef SYSEMU_DUMP_H
#define SYSEMU_DUMP_H

#include "qapi/error.h"

/* Whether a dump is being written; sets *errp then. Whoever would start or stop
 * the VM asks before. */
bool dump_in_progress(Error **errp);
/* The process is about to end: gives up a dump, of which nothing stays. */
void dump_cleanup(void);

#endif
