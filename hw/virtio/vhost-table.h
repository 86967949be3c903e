/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which pieces of guest memory a vhost back end is to have: arithmetic on sets
 * of regions, without any I/O. vhost-memory.c keeps two sets, the memory that
 * is there and the table that the back end has, and asks here what the table
 * should become.
 *
 * A back end has so many slots, one a region. As long as they suffice it has
 * exactly what is there, and a change touches nothing else: runs that happen
 * to be side by side stay apart, since to join two regions means to take both
 * away from a back end that may be using them. When slots are short, what is
 * side by side is joined, all at once; when they still are, the smallest holes
 * are covered, and the back end reaches that much of what is discarded. Only
 * memories that are more than the slots cannot be had.
 *
 * Sets are GArrays of VhostRegion, ascending, without overlaps. Sizes, offsets
 * and addresses are bytes.
 */
#ifndef HW_VIRTIO_VHOST_TABLE_H
#define HW_VIRTIO_VHOST_TABLE_H

#include "exec/ramblock.h"

/* Guest memory from @gpa on, which is @block's from @offset on. */
typedef struct VhostRegion {
    hwaddr gpa;
    uint64_t size;                        /* not 0; gpa + size <= 2^64 - 1 */
    RAMBlock *block;
    ram_addr_t offset;
} VhostRegion;

/* A set without members; g_array_unref(). */
GArray *vhost_regions_new(void);
static inline VhostRegion *vhost_region_at(const GArray *set, guint i)
{
    return &g_array_index(set, VhostRegion, i);
}
/* The end of a region, exclusive. */
static inline hwaddr vhost_region_end(const VhostRegion *r)
{
    return r->gpa + r->size;
}
/* Whether the two have the same place in address space and memory. */
bool vhost_region_equal(const VhostRegion *a, const VhostRegion *b);
/* @r, of which no address is in @set; joined with those that it continues. */
void vhost_regions_add(GArray *set, const VhostRegion *r);
/* All that @set has from @gpa to @gpa + @size; cuts regions. */
void vhost_regions_remove(GArray *set, hwaddr gpa, uint64_t size);
/* Bytes of @set, and members that are there, from @gpa to @gpa + @size;
 * @count may be NULL. */
uint64_t vhost_regions_within(const GArray *set, hwaddr gpa, uint64_t size,
                              guint *count);

/*
 * Fills @wanted, empty, with what the back end should have that has @now while
 * @there is there (joined, as vhost_regions_add() leaves it), in at most @slots
 * regions. With @whole joined anyway: for back ends that are told all of the
 * table every time. false: there is more memory in different places than slots,
 * and @wanted has what could be had with more.
 */
bool vhost_table_plan(const GArray *now, const GArray *there, guint slots,
                      bool whole, GArray *wanted);
/*
 * What has to go and come to make @wanted of @now, in the empty sets @gone and
 * @come. true: some memory is in both, that is, it has to be taken away for a
 * moment although it is there before and after.
 */
bool vhost_table_diff(const GArray *now, const GArray *wanted, GArray *gone,
                      GArray *come);

#endif
