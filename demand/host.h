/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How short of memory the host is: pressure stall information of a cgroup of
 * version 2, or of the whole host, and how much the cgroup, and each above it, may
 * still take. All files are opened once, so that they can be read when no others may be opened.
 */
#ifndef DEMAND_HOST_H
#define DEMAND_HOST_H

#include "policy.h"
#include "qapi/error.h"

typedef struct HostMemory HostMemory;

/*
 * @dir: the directory of a cgroup; NULL: that of this process, and, where there
 * is none, or it tells no pressure, the host's /proc/pressure/memory. NULL and
 * *errp: @dir was given, and has not what is needed.
 */
HostMemory *host_memory_open(const char *dir, Error **errp);
void host_memory_close(HostMemory *host);
/* As it is now. What cannot be read is no pressure, and no limit. */
void host_memory_read(const HostMemory *host, DemandHost *figures);

/* --- what the files say --- */

/* The share of time, in thousandths, of the last ten seconds in which somebody
 * waited for memory, of the text of a pressure file; 0: it does not tell. */
unsigned host_memory_parse_pressure(const char *text);
/* Bytes of a limit, or of what is in use; UINT64_MAX: "max", or no number. */
uint64_t host_memory_parse_bytes(const char *text);

#endif
