/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every C file of the tree includes first: the C library, GLib, and the
 * few helpers that have no better home. It must never include a header of
 * another subsystem.
 */
#ifndef QEMU_OSDEP_H
#define QEMU_OSDEP_H

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include <glib.h>

#include "qemu/typedefs.h"

#ifndef container_of
#define container_of(ptr, type, member) \
    ((type *)((char *)(ptr) - offsetof(type, member)))
#endif

#define ARRAY_SIZE(x) G_N_ELEMENTS(x)

#define QEMU_PACKED __attribute__((packed))
#define QEMU_BUILD_BUG_ON(x) G_STATIC_ASSERT(!(x))

/* Rounding; ROUND_UP and QEMU_ALIGN_DOWN need d to be a power of two. */
#define DIV_ROUND_UP(n, d) (((n) + (d) - 1) / (d))
#define ROUND_UP(n, d) (((n) + (d) - 1) & -(0 ? (n) : (d)))
#define ROUND_DOWN(n, d) ((n) & -(0 ? (n) : (d)))
#define QEMU_ALIGN_DOWN(n, m) ((n) / (m) * (m))
#define QEMU_ALIGN_UP(n, m) QEMU_ALIGN_DOWN((n) + (m) - 1, (m))
#define QEMU_IS_ALIGNED(n, m) (((n) % (m)) == 0)
#define QEMU_PTR_IS_ALIGNED(p, n) QEMU_IS_ALIGNED((uintptr_t)(p), (n))

#define MAKE_64BIT_MASK(shift, length) \
    (((~0ULL) >> (64 - (length))) << (shift))

/* Registers @fn to run before main(), in no order; types register so. */
#define type_init(fn) \
    static void __attribute__((constructor)) fn##_constructor(void) { fn(); }

/* true if @v is a power of two (0 is none). */
static inline bool is_power_of_2(uint64_t v)
{
    return v && !(v & (v - 1));
}

/* Smallest power of two that is >= @v; 0 if that does not fit. */
static inline uint64_t pow2ceil(uint64_t v)
{
    if (v <= 1) {
        return 1;
    }
    return v > (1ULL << 63) ? 0 : 1ULL << (64 - __builtin_clzll(v - 1));
}

/* The host's page size in bytes. */
static inline size_t qemu_real_host_page_size(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

#endif
