/* SPDX-License-Identifier: GPL-2.0-or-later */
/* memory-backend-ram: anonymous memory. */
#include "qemu/osdep.h"

#include "sysemu/hostmem.h"

static bool ram_backend_alloc(HostMemoryBackend *backend, Error **errp)
{
    return memory_region_init_ram_flags(&backend->mr, OBJECT(backend),
                                        host_memory_backend_get_name(backend),
                                        backend->size,
                                        host_memory_backend_ram_flags(backend),
                                        errp);
}

static void ram_backend_class_init(ObjectClass *klass, void *data)
{
    MEMORY_BACKEND_CLASS(klass)->alloc = ram_backend_alloc;
}

static const TypeInfo ram_backend_types[] = {
    {
        .name = TYPE_MEMORY_BACKEND_RAM,
        .parent = TYPE_MEMORY_BACKEND,
        .class_init = ram_backend_class_init,
    },
};

DEFINE_TYPES(ram_backend_types)
