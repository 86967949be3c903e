/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory backends: where guest RAM comes from (-object memory-backend-ram,
 * -memfd, -file). A backend makes its memory when it is complete; whoever uses
 * it (the machine, virtio-mem) marks it as mapped, and there is one user at a
 * time. Big lock held. QEMU's names.
 */
#ifndef SYSEMU_HOSTMEM_H
#define SYSEMU_HOSTMEM_H

#include "exec/memory.h"
#include "qom/object.h"

#define TYPE_MEMORY_BACKEND "memory-backend"
#define TYPE_MEMORY_BACKEND_RAM "memory-backend-ram"
#define TYPE_MEMORY_BACKEND_MEMFD "memory-backend-memfd"
#define TYPE_MEMORY_BACKEND_FILE "memory-backend-file"

typedef struct HostMemoryBackendClass HostMemoryBackendClass;
DECLARE_OBJ_CHECKERS(HostMemoryBackend, HostMemoryBackendClass, MEMORY_BACKEND,
                     TYPE_MEMORY_BACKEND)

/* NUMA nodes of the host that can be named. */
#define HOST_MEM_MAX_NODES 128

/* What the host's kernel is asked for; values are the kernel's MPOL_*. */
typedef enum HostMemPolicy {
    HOST_MEM_POLICY_DEFAULT,
    HOST_MEM_POLICY_PREFERRED,
    HOST_MEM_POLICY_BIND,
    HOST_MEM_POLICY_INTERLEAVE,
    HOST_MEM_POLICY__MAX,
} HostMemPolicy;

struct HostMemoryBackendClass {
    ObjectClass parent_class;

    /* Initialises backend->mr. */
    bool (*alloc)(HostMemoryBackend *backend, Error **errp);
};

struct HostMemoryBackend {
    Object parent_obj;

    /* properties */
    uint64_t size;                        /* bytes */
    bool share;                           /* MAP_SHARED */
    bool reserve;                         /* swap space or huge pages */
    bool prealloc;                        /* populate before use */
    bool merge;                           /* same pages may be merged */
    bool dump;                            /* part of core dumps */
    uint32_t prealloc_threads;            /* 1 .. 256, also at a plug */
    uint32_t prealloc_nice;               /* of all but the first: 0 .. 19 */
    HostMemPolicy policy;
    GArray *host_nodes;                   /* uint16_t; NULL: none */

    bool mr_inited;                       /* the memory is there */
    bool is_mapped;                       /* somebody uses it */
    MemoryRegion mr;
};

/* What "share" of backends made from now on is unless it is set, and that of a
 * memfd is on anyway: false at first. */
void host_memory_backend_set_default_share(bool on);
/* The same for "merge" and "dump": true at first. */
void host_memory_backend_set_default_merge(bool on);
void host_memory_backend_set_default_dump(bool on);
bool host_memory_backend_get_default_merge(void);
bool host_memory_backend_get_default_dump(void);

/* Backends that are completed from now on only take addresses: nothing is
 * reserved or allocated, and no file is made. */
void host_memory_backend_rehearse(void);
bool host_memory_backend_rehearses(void);

/* NULL until the backend is complete. */
MemoryRegion *host_memory_backend_get_memory(HostMemoryBackend *backend);
bool host_memory_backend_mr_inited(HostMemoryBackend *backend);
/* A mapped backend cannot be deleted. */
void host_memory_backend_set_mapped(HostMemoryBackend *backend, bool mapped);
bool host_memory_backend_is_mapped(HostMemoryBackend *backend);
/* Bytes: the host's page, or the huge page's. The backend is complete. */
size_t host_memory_backend_pagesize(HostMemoryBackend *backend);

/*
 * Has the host back @size bytes at @offset now, by prealloc-threads threads;
 * both are multiples of the page size. Nobody may be writing to them. 0 or
 * -errno (-ENOMEM: the host has no more memory or huge pages), and then some of
 * the range may be backed. The backend is complete.
 */
int host_memory_backend_populate(HostMemoryBackend *backend, uint64_t offset,
                                 uint64_t size);

/* For the kinds of backend. */
/* The id that the user gave; borrowed. */
const char *host_memory_backend_get_name(HostMemoryBackend *backend);
/* The flags for memory_region_init_ram_flags() and _from_fd(): RAM_*. */
uint32_t host_memory_backend_ram_flags(HostMemoryBackend *backend);
/* Adds @why and returns false if the memory is there: too late to change. */
bool host_memory_backend_check_unset(HostMemoryBackend *backend,
                                     const char *name, Error **errp);

#endif
