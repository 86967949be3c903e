/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * userfaultfd(2): hearing of accesses to pages that are not there yet, before
 * the kernel puts any there. Whoever accesses such a page waits until the
 * handler, which reads the descriptor, has put one there or has woken it.
 *
 * Just the part that is about missing pages. Registering and the rest work on
 * whole pages of this process. Any thread. QEMU's names; lengths are bytes.
 */
#ifndef QEMU_USERFAULTFD_H
#define QEMU_USERFAULTFD_H

#include <linux/userfaultfd.h>

#include "qapi/error.h"

/*
 * A nonblocking descriptor, the caller's to close(), which ends all that was
 * registered with it and wakes who waits. It hears of faults of the kernel
 * (system calls, KVM), too, which not every user may. Features of @features
 * (UFFD_FEATURE_*) that the kernel lacks are left out; *features: those it
 * has. -1 and *errp, which names what would help.
 */
int uffd_create_fd(uint64_t *features, Error **errp);

/*
 * From now on accesses to missing pages of the range are heard of; pages that
 * are there stay, and are not. Parts of it may be registered already. 0 or
 * -errno, and then more of the range may be registered than before: -ENOMEM:
 * the process has too many mappings (vm.max_map_count); -EINVAL: memory of a
 * kind that cannot be heard of. *ioctls, unless @ioctls is NULL: a bit
 * 1 << _UFFDIO_* for each request that works on all of the range.
 */
int uffd_register_memory(int fd, void *addr, uint64_t length,
                         uint64_t *ioctls);
/* The reverse; wakes those who wait for one of its pages. 0 or -errno, and then
 * part of the range may be unregistered. */
int uffd_unregister_memory(int fd, void *addr, uint64_t length);

/*
 * Puts pages of zeros there and wakes those who wait. 0 or -errno: -EEXIST:
 * one was there, nobody is woken; -ENOENT: not registered; -EAGAIN: the memory
 * map is being changed.
 */
int uffd_zero_page(int fd, void *addr, uint64_t length);
/* Has those who wait for a page of the range try again. 0 or -errno. */
int uffd_wakeup(int fd, void *addr, uint64_t length);

/* Up to @count messages, if any have come: how many, or -errno. */
int uffd_read_events(int fd, struct uffd_msg *msgs, int count);

#endif
