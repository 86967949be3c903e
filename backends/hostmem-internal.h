/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of backends/ share; nobody else includes it. */
#ifndef BACKENDS_HOSTMEM_INTERNAL_H
#define BACKENDS_HOSTMEM_INTERNAL_H

#include "sysemu/hostmem.h"

/* "2 MiB (2097152 bytes)"; g_free(). */
char *host_memory_size_text(uint64_t size);

/* The most that prealloc-threads and prealloc-nice may be. */
#define HOST_MEM_MAX_PREALLOC_THREADS 256U
#define HOST_MEM_MAX_PREALLOC_NICE 19U

/* hostmem-props.c: to the abstract class. */
void host_memory_backend_add_properties(ObjectClass *klass);

#endif
