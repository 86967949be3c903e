/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sections of an address space as they are now, for who only looks. It must
 * leave nothing registered.
 */
#include "qemu/osdep.h"
#include "exec/memory.h"

typedef struct SectionWalk {
    MemoryListener listener;
    MemoryRegionSectionFn *fn;
    void *opaque;
    int ret;
} SectionWalk;

static void section_walk_add(MemoryListener *listener,
                             MemoryRegionSection *section)
{
    SectionWalk *walk = container_of(listener, SectionWalk, listener);

    if (!walk->ret) {
        walk->ret = walk->fn(section, walk->opaque);
    }
}

int address_space_foreach_section(AddressSpace *as, MemoryRegionSectionFn *fn,
                                  void *opaque)
{
    SectionWalk walk = {
        .listener.region_add = section_walk_add,
        .fn = fn,
        .opaque = opaque,
    };

    memory_listener_register(&walk.listener, as);
    memory_listener_unregister(&walk.listener);
    return walk.ret;
}
