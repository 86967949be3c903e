/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The life of a MemoryRegion: how each kind is set up, referenced and
 * finalized, and what it tells about itself. Where it is mapped is memory.c's
 * subject, the memory behind RAM is physmem.c's.
 */
#include "qemu/osdep.h"
#include "exec/ramblock.h"
#include "qapi/visitor.h"
#include "memory-internal.h"

static Int128 size_from_uint64(uint64_t size)
{
    return size == UINT64_MAX ? int128_2_64() : int128_make64(size);
}

void memory_region_init(MemoryRegion *mr, Object *owner, const char *name,
                        uint64_t size)
{
    object_initialize(mr, sizeof(*mr), TYPE_MEMORY_REGION);
    mr->name = g_strdup(name);
    mr->owner = owner;
    mr->size = size_from_uint64(size);
    if (owner) {
        g_autofree char *child = g_strdup_printf("%s[*]", name);

        /* What has a meaning in a path; the [*] above stays. */
        for (char *p = child; p < child + strlen(name); p++) {
            *p = strchr("/[]*", *p) ? '-' : *p;
        }
        object_property_add_child(owner, child, OBJECT(mr));
        object_unref(mr);
    }
}

void memory_region_init_io(MemoryRegion *mr, Object *owner,
                           const MemoryRegionOps *ops, void *opaque,
                           const char *name, uint64_t size)
{
    memory_region_init(mr, owner, name, size);
    mr->ops = ops ? ops : &memory_unassigned_ops;
    mr->opaque = opaque;
    mr->terminates = true;
}

/* Undoes memory_region_init() of a region that nobody has seen yet. */
static void region_abandon(MemoryRegion *mr)
{
    if (mr->owner) {
        object_unparent(OBJECT(mr));
    } else {
        object_unref(mr);
    }
}

/* Makes @mr the region of @block; without one, makes it nothing again. */
static bool region_take_block(MemoryRegion *mr, RAMBlock *block)
{
    if (!block) {
        region_abandon(mr);
        return false;
    }
    mr->ram = true;
    mr->terminates = true;
    mr->ram_block = block;
    mr->ops = &memory_ram_ops;
    mr->opaque = mr;
    return true;
}

void memory_region_clear_global_locking(MemoryRegion *mr)
{
    mr->global_locking = false;
}

bool memory_region_init_ram_flags(MemoryRegion *mr, Object *owner,
                                  const char *name, uint64_t size,
                                  uint32_t ram_flags, Error **errp)
{
    size = ROUND_UP(size, (uint64_t)qemu_real_host_page_size());
    memory_region_init(mr, owner, name, size);
    return region_take_block(mr, qemu_ram_alloc(size, ram_flags, mr, errp));
}

bool memory_region_init_ram(MemoryRegion *mr, Object *owner, const char *name,
                            uint64_t size, Error **errp)
{
    return memory_region_init_ram_flags(mr, owner, name, size, 0, errp);
}

bool memory_region_init_ram_from_fd(MemoryRegion *mr, Object *owner,
                                    const char *name, uint64_t size,
                                    uint32_t ram_flags, int fd,
                                    uint64_t fd_offset, Error **errp)
{
    memory_region_init(mr, owner, name, size);
    return region_take_block(mr, qemu_ram_alloc_from_fd(size, mr, ram_flags,
                                                        fd, fd_offset, errp));
}

void memory_region_init_ram_ptr(MemoryRegion *mr, Object *owner,
                                const char *name, uint64_t size, void *ptr)
{
    memory_region_init(mr, owner, name, size);
    region_take_block(mr, qemu_ram_alloc_from_ptr(size, ptr, mr,
                                                  &error_abort));
}

void memory_region_init_ram_device_ptr(MemoryRegion *mr, Object *owner,
                                       const char *name, uint64_t size,
                                       void *ptr)
{
    memory_region_init_ram_ptr(mr, owner, name, size, ptr);
    mr->ram_device = true;
}

bool memory_region_init_rom_device(MemoryRegion *mr, Object *owner,
                                   const MemoryRegionOps *ops, void *opaque,
                                   const char *name, uint64_t size,
                                   Error **errp)
{
    if (!memory_region_init_ram(mr, owner, name, size, errp)) {
        return false;
    }
    mr->readonly = true;
    mr->rom_device = true;
    mr->ops = ops;
    mr->opaque = opaque;
    return true;
}

void memory_region_init_alias(MemoryRegion *mr, Object *owner, const char *name,
                              MemoryRegion *orig, hwaddr offset, uint64_t size)
{
    memory_region_init(mr, owner, name, size);
    mr->alias = orig;
    mr->alias_offset = offset;
    memory_region_ref_for(orig, mr);
}

/* --- references --- */

void memory_region_ref(MemoryRegion *mr)
{
    object_ref(mr->owner ? mr->owner : OBJECT(mr));
}

void memory_region_unref(MemoryRegion *mr)
{
    object_unref(mr->owner ? mr->owner : OBJECT(mr));
}

static bool needs_ref(const MemoryRegion *mr, const MemoryRegion *user)
{
    return !mr->owner || mr->owner != user->owner;
}

void memory_region_ref_for(MemoryRegion *mr, const MemoryRegion *user)
{
    if (needs_ref(mr, user)) {
        memory_region_ref(mr);
    }
}

void memory_region_unref_for(MemoryRegion *mr, const MemoryRegion *user)
{
    if (needs_ref(mr, user)) {
        memory_region_unref(mr);
    }
}

/* --- what a region tells about itself --- */

const char *memory_region_name(const MemoryRegion *mr)
{
    return mr->name;
}

uint64_t memory_region_size(MemoryRegion *mr)
{
    return mr->size == int128_2_64() ? UINT64_MAX : int128_get64(mr->size);
}

/* What @mr stands for, following aliases; adds up *offset. */
static MemoryRegion *resolve_alias(MemoryRegion *mr, ram_addr_t *offset)
{
    for (*offset = 0; mr->alias; mr = mr->alias) {
        *offset += mr->alias_offset;
    }
    return mr;
}

void *memory_region_get_ram_ptr(MemoryRegion *mr)
{
    ram_addr_t offset;

    mr = resolve_alias(mr, &offset);
    g_assert(mr->ram_block);
    return ramblock_ptr(mr->ram_block, offset);
}

int memory_region_get_fd(MemoryRegion *mr)
{
    ram_addr_t offset;

    mr = resolve_alias(mr, &offset);
    return mr->ram_block ? mr->ram_block->fd : -1;
}

/* --- the QOM type --- */

static void memory_region_get_addr(Object *obj, Visitor *v, const char *name,
                                   void *opaque, Error **errp)
{
    uint64_t value = MEMORY_REGION(obj)->addr;

    visit_type_uint64(v, name, &value, errp);
}

static void memory_region_get_size(Object *obj, Visitor *v, const char *name,
                                   void *opaque, Error **errp)
{
    uint64_t value = memory_region_size(MEMORY_REGION(obj));

    visit_type_uint64(v, name, &value, errp);
}

static void memory_region_get_priority(Object *obj, Visitor *v,
                                       const char *name, void *opaque,
                                       Error **errp)
{
    int32_t value = MEMORY_REGION(obj)->priority;

    visit_type_int32(v, name, &value, errp);
}

static void memory_region_instance_init(Object *obj)
{
    MemoryRegion *mr = (MemoryRegion *)obj;

    mr->enabled = true;
    mr->global_locking = true;
    QTAILQ_INIT(&mr->subregions);
}

static void memory_region_finalize(Object *obj)
{
    MemoryRegion *mr = (MemoryRegion *)obj;

    memory_region_leave_graph(mr);
    if (mr->alias) {
        memory_region_unref_for(mr->alias, mr);
    }
    if (mr->ram_block) {
        qemu_ram_free(mr->ram_block);
    }
    g_free(mr->ioeventfds);
    g_free((char *)mr->name);
}

static void memory_region_class_init(ObjectClass *klass, void *data)
{
    object_class_property_add(klass, "addr", "uint64", memory_region_get_addr,
                              NULL, NULL, NULL);
    object_class_property_add(klass, "size", "uint64", memory_region_get_size,
                              NULL, NULL, NULL);
    object_class_property_add(klass, "priority", "int32",
                              memory_region_get_priority, NULL, NULL, NULL);
}

static const TypeInfo memory_region_info = {
    .name = TYPE_MEMORY_REGION,
    .parent = TYPE_OBJECT,
    .instance_size = sizeof(MemoryRegion),
    .instance_init = memory_region_instance_init,
    .instance_finalize = memory_region_finalize,
    .class_init = memory_region_class_init,
};

static void memory_region_register_types(void)
{
    type_register_static(&memory_region_info);
}
type_init(memory_region_register_types)
