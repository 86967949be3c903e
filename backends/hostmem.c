/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What all memory backends have in common (sysemu/hostmem.h): when the memory
 * is made, and what the host's kernel is told about it. How it is made is the
 * kinds' (hostmem-ram.c, -memfd.c, -file.c), their options are in
 * hostmem-props.c. It must never keep a backend whose memory is not all that
 * its options asked for.
 */
#include "qemu/osdep.h"

#include <linux/mempolicy.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "exec/ramblock.h"
#include "hostmem-internal.h"
#include "qapi/error.h"
#include "qemu/bitmap.h"
#include "qemu/cutils.h"
#include "qemu/thread.h"
#include "qom/object_interfaces.h"

/* Unless the user says how many threads: clearing pages does not scale on. */
#define DEFAULT_PREALLOC_THREADS_MAX 16U
/* A guest whose CPUs are busy because it needs memory must not wait for these. */
#define DEFAULT_PREALLOC_NICE 0U

G_STATIC_ASSERT((int)HOST_MEM_POLICY_DEFAULT == MPOL_DEFAULT);
G_STATIC_ASSERT((int)HOST_MEM_POLICY_PREFERRED == MPOL_PREFERRED);
G_STATIC_ASSERT((int)HOST_MEM_POLICY_BIND == MPOL_BIND);
G_STATIC_ASSERT((int)HOST_MEM_POLICY_INTERLEAVE == MPOL_INTERLEAVE);

bool host_memory_backend_mr_inited(HostMemoryBackend *backend)
{
    return backend->mr_inited;
}

bool host_memory_backend_is_mapped(HostMemoryBackend *backend)
{
    return backend->is_mapped;
}

void host_memory_backend_set_mapped(HostMemoryBackend *backend, bool mapped)
{
    backend->is_mapped = mapped;
}

MemoryRegion *host_memory_backend_get_memory(HostMemoryBackend *backend)
{
    return backend->mr_inited ? &backend->mr : NULL;
}

size_t host_memory_backend_pagesize(HostMemoryBackend *backend)
{
    g_assert(backend->mr_inited);
    return qemu_ram_pagesize(backend->mr.ram_block);
}

const char *host_memory_backend_get_name(HostMemoryBackend *backend)
{
    const char *name = object_get_canonical_path_component(OBJECT(backend));

    return name ? name : object_get_typename(OBJECT(backend));
}

uint32_t host_memory_backend_ram_flags(HostMemoryBackend *backend)
{
    return (backend->share ? RAM_SHARED : 0) |
           (backend->reserve ? 0 : RAM_NORESERVE);
}

char *host_memory_size_text(uint64_t size)
{
    g_autofree char *text = size_to_str(size);

    return g_strdup_printf("%s (%" PRIu64 " bytes)", text, size);
}

static bool default_share;
static bool default_merge = true;
static bool default_dump = true;

void host_memory_backend_set_default_share(bool on)
{
    default_share = on;
}

void host_memory_backend_set_default_merge(bool on)
{
    default_merge = on;
}

void host_memory_backend_set_default_dump(bool on)
{
    default_dump = on;
}

bool host_memory_backend_get_default_merge(void)
{
    return default_merge;
}

bool host_memory_backend_get_default_dump(void)
{
    return default_dump;
}

/* --- NUMA ---------------------------------------------------------------- */

static bool check_policy(HostMemoryBackend *backend, Error **errp)
{
    bool has_nodes = backend->host_nodes && backend->host_nodes->len;

    if (backend->policy == HOST_MEM_POLICY_DEFAULT && has_nodes) {
        error_setg(errp, "host-nodes must be empty for policy default: set "
                   "policy=bind, preferred or interleave");
        return false;
    }
    if (backend->policy != HOST_MEM_POLICY_DEFAULT && !has_nodes) {
        error_setg(errp, "host-nodes must be set for a policy other than "
                   "default");
        return false;
    }
    return true;
}

static bool bind_to_nodes(HostMemoryBackend *backend, void *host, uint64_t size,
                          Error **errp)
{
    DECLARE_BITMAP(mask, HOST_MEM_MAX_NODES) = { 0 };
    long ret;

    if (backend->policy == HOST_MEM_POLICY_DEFAULT) {
        return true;
    }
    for (guint i = 0; i < backend->host_nodes->len; i++) {
        set_bit(g_array_index(backend->host_nodes, uint16_t, i), mask);
    }
    /* The kernel takes one bit less than it is told. */
    ret = syscall(SYS_mbind, host, size, backend->policy, mask,
                  HOST_MEM_MAX_NODES + 1, MPOL_MF_STRICT | MPOL_MF_MOVE);
    if (ret < 0) {
        error_setg_errno(errp, errno, "cannot bind memory to host NUMA nodes");
        return false;
    }
    return true;
}

/* --- completion ---------------------------------------------------------- */

/* Hints: a kernel without KSM, say, refuses, and nothing is lost. */
static void advise(HostMemoryBackend *backend, void *host, uint64_t size)
{
    if (backend->merge) {
        madvise(host, size, MADV_MERGEABLE);
    }
    if (!backend->dump) {
        madvise(host, size, MADV_DONTDUMP);
    }
}

static bool rehearsal;

void host_memory_backend_rehearse(void)
{
    rehearsal = true;
}

bool host_memory_backend_rehearses(void)
{
    return rehearsal;
}

/* prealloc=on: what is missing is found out now. */
static bool prealloc(HostMemoryBackend *backend, uint64_t size, Error **errp)
{
    g_autofree char *text = NULL;
    int err;

    if (!backend->prealloc) {
        return true;
    }
    err = host_memory_backend_populate(backend, 0, size);
    if (err) {
        text = host_memory_size_text(size);
        error_setg_errno(errp, -err, "cannot preallocate %s", text);
        return false;
    }
    return true;
}

static bool set_up_memory(HostMemoryBackend *backend, Error **errp)
{
    void *host = memory_region_get_ram_ptr(&backend->mr);
    uint64_t size = memory_region_size(&backend->mr);

    advise(backend, host, size);
    ram_block_set_populate(backend->mr.ram_block, backend->prealloc_threads,
                           backend->prealloc_nice);
    /* Before the first page is populated, which would be on any node. */
    return bind_to_nodes(backend, host, size, errp) &&
           prealloc(backend, size, errp);
}

static void host_memory_backend_complete(UserCreatable *uc, Error **errp)
{
    HostMemoryBackend *backend = MEMORY_BACKEND(uc);
    HostMemoryBackendClass *bc = MEMORY_BACKEND_GET_CLASS(backend);

    if (!backend->size) {
        error_setg(errp, "can't create backend with size 0");
        return;
    }
    if (backend->prealloc && !backend->reserve) {
        error_setg(errp, "'prealloc=on' and 'reserve=off' are incompatible");
        return;
    }
    if (rehearsal) {
        backend->reserve = backend->prealloc = false;
    }
    if (!check_policy(backend, errp) || !bc->alloc(backend, errp)) {
        return;
    }
    /* If this fails the caller drops the backend, and the memory with it. */
    backend->mr_inited = set_up_memory(backend, errp);
}

static bool host_memory_backend_can_be_deleted(UserCreatable *uc)
{
    HostMemoryBackend *backend = MEMORY_BACKEND(uc);

    return !host_memory_backend_is_mapped(backend) &&
           !(backend->mr_inited &&
             memory_region_has_ram_discard_mgr(&backend->mr));
}

static void host_memory_backend_init(Object *obj)
{
    HostMemoryBackend *backend = MEMORY_BACKEND(obj);

    backend->share = default_share;
    backend->merge = default_merge;
    backend->dump = default_dump;
    backend->reserve = true;
    backend->prealloc_threads = MIN(qemu_num_processors(),
                                    DEFAULT_PREALLOC_THREADS_MAX);
    backend->prealloc_nice = DEFAULT_PREALLOC_NICE;
}

static void host_memory_backend_finalize(Object *obj)
{
    HostMemoryBackend *backend = MEMORY_BACKEND(obj);

    g_clear_pointer(&backend->host_nodes, g_array_unref);
}

static void host_memory_backend_class_init(ObjectClass *klass, void *data)
{
    UserCreatableClass *ucc = USER_CREATABLE_CLASS(klass);

    ucc->complete = host_memory_backend_complete;
    ucc->can_be_deleted = host_memory_backend_can_be_deleted;
    host_memory_backend_add_properties(klass);
}

static const TypeInfo host_memory_backend_types[] = {
    {
        .name = TYPE_MEMORY_BACKEND,
        .parent = TYPE_OBJECT,
        .abstract = true,
        .instance_size = sizeof(HostMemoryBackend),
        .instance_init = host_memory_backend_init,
        .instance_finalize = host_memory_backend_finalize,
        .class_size = sizeof(HostMemoryBackendClass),
        .class_init = host_memory_backend_class_init,
        .interfaces = (InterfaceInfo[]) {
            { TYPE_USER_CREATABLE },
            { NULL },
        },
    },
};

DEFINE_TYPES(host_memory_backend_types)
