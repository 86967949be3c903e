/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's type1 (version 2) IOMMU backend: /dev/vfio/vfio. There is one
 * container for each address space, shared by the groups that the kernel lets
 * into it.
 */
#ifndef HW_VFIO_TYPE1_H
#define HW_VFIO_TYPE1_H

#include "hw/vfio/container.h"

typedef struct VFIOType1 {
    VFIOContainer container;
    int fd;
    unsigned nr_groups;
    QLIST_ENTRY(VFIOType1) next;
} VFIOType1;

/*
 * Puts the open group @group_fd into a container that follows @as, a new one if
 * need be, opened as @path (NULL: the usual one). NULL: *errp, and the group is
 * in none.
 */
VFIOType1 *vfio_type1_attach(int group_fd, const char *path, AddressSpace *as,
                             Error **errp);
/* Takes it out; the container of the last group ceases to exist. */
void vfio_type1_detach(VFIOType1 *type1, int group_fd);

#endif
