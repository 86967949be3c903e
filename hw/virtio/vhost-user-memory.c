/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a vhost-user back end is told of guest memory: one message for each
 * region that goes or comes, or the whole table. Descriptors are of exactly the
 * memory backend; a back end maps the region, and may, as the library that most
 * of them use does, map what is before it in the same file.
 */
#include "qemu/osdep.h"

#include "qapi/error.h"
#include "vhost-user-internal.h"

/* Rings are named by addresses "in the front end". This far from the guest's,
 * none of them is 0, and none is one of this process. */
#define USER_ADDR_BASE (UINT64_C(1) << 60)

uint64_t vhost_user_ring_addr(const VhostRegion *r, hwaddr gpa)
{
    return USER_ADDR_BASE + gpa;
}

bool vhost_user_accepts(const struct vhost_dev *dev, RAMBlock *block,
                        Error **errp)
{
    if (block->fd >= 0 && qemu_ram_is_shared(block)) {
        return true;
    }
    error_setg(errp, "memory '%s' cannot be shared with the back end: it needs "
               "a memory backend with share=on", block->idstr);
    return false;
}

static VhostUserMemoryRegion wire_region(const VhostRegion *r)
{
    return (VhostUserMemoryRegion) {
        .guest_phys_addr = r->gpa,
        .memory_size = r->size,
        .userspace_addr = vhost_user_ring_addr(r, r->gpa),
        .mmap_offset = r->block->fd_offset + r->offset,
    };
}

/* --- region by region --- */

static bool tell_region(VhostUser *u, VhostUserRequest request,
                        const VhostRegion *r, Error **errp)
{
    const VhostUserSingleRegion payload = { .region = wire_region(r) };
    bool comes = request == VHOST_USER_ADD_MEM_REG;

    if (comes) {
        ram_block_lend(r->block);
    }
    return vhost_user_channel_tell(&u->channel, request, &payload,
                                   sizeof(payload), &r->block->fd,
                                   comes ? 1 : 0, errp);
}

/* How many of @set, from the first on, were told; all, unless *errp is set. */
static guint tell_regions(VhostUser *u, VhostUserRequest request,
                          const GArray *set, Error **errp)
{
    guint done = 0;

    while (done < set->len &&
           tell_region(u, request, vhost_region_at(set, done), errp)) {
        done++;
    }
    return done;
}

/* The last one first. A back end that does not go back has no known state. */
static void take_back(VhostUser *u, VhostUserRequest request,
                      const GArray *set, guint done)
{
    Error *err = NULL;

    while (done && !err) {
        tell_region(u, request, vhost_region_at(set, --done), &err);
    }
    if (err) {
        vhost_user_channel_break(&u->channel, "it does not take a change of "
                                 "memory back: %s", error_get_pretty(err));
        error_free(err);
    }
}

static bool tell_change(VhostUser *u, const VhostTableChange *change,
                        Error **errp)
{
    guint gone = tell_regions(u, VHOST_USER_REM_MEM_REG, change->gone, errp);
    guint come = 0;

    if (gone == change->gone->len) {
        come = tell_regions(u, VHOST_USER_ADD_MEM_REG, change->come, errp);
    }
    if (gone == change->gone->len && come == change->come->len) {
        return vhost_user_sync(u, errp);
    }
    take_back(u, VHOST_USER_REM_MEM_REG, change->come, come);
    take_back(u, VHOST_USER_ADD_MEM_REG, change->gone, gone);
    return false;
}

/* --- all at once --- */

static bool tell_table(VhostUser *u, const GArray *table, Error **errp)
{
    VhostUserMemoryTable payload = { .nregions = table->len };
    int fds[VHOST_USER_TABLE_REGIONS];

    g_assert(table->len <= VHOST_USER_TABLE_REGIONS);
    for (guint i = 0; i < table->len; i++) {
        const VhostRegion *r = vhost_region_at(table, i);

        ram_block_lend(r->block);
        payload.regions[i] = wire_region(r);
        fds[i] = r->block->fd;
    }
    return vhost_user_channel_tell(
               &u->channel, VHOST_USER_SET_MEM_TABLE, &payload,
               offsetof(VhostUserMemoryTable, regions) +
               table->len * sizeof(payload.regions[0]),
               fds, table->len, errp) &&
           vhost_user_sync(u, errp);
}

/* A back end that refuses a table may have lost the one that it had. */
static bool change_table(VhostUser *u, const VhostTableChange *change,
                         Error **errp)
{
    Error *err = NULL;

    if (tell_table(u, change->wanted, errp)) {
        return true;
    }
    if (vhost_user_channel_works(&u->channel) &&
        !tell_table(u, u->dev.memory.table, &err)) {
        vhost_user_channel_break(&u->channel, "it does not take its table of "
                                 "memory back: %s", error_get_pretty(err));
        error_free(err);
    }
    return false;
}

/* --- VhostOps --- */

/* A back end gives up all of its mappings for a new table; a region that only
 * changes its size is one that goes for a moment. */
bool vhost_user_table_stops(const struct vhost_dev *dev,
                            const VhostTableChange *change)
{
    return change->both ||
           vhost_user_whole(container_of(dev, VhostUser, dev));
}

bool vhost_user_set_mem_table(struct vhost_dev *dev,
                              const VhostTableChange *change, Error **errp)
{
    VhostUser *u = vhost_user_of(dev);

    return vhost_user_whole(u) ? change_table(u, change, errp)
                               : tell_change(u, change, errp);
}
