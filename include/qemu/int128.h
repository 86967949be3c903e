/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sizes of memory regions: 0 .. 2^64 inclusive, hence one bit more than fits
 * in 64. The compiler's own 128-bit integer, under the names of a QEMU tree.
 */
#ifndef QEMU_INT128_H
#define QEMU_INT128_H

typedef __int128_t Int128;

static inline Int128 int128_make64(uint64_t a) { return a; }
static inline Int128 int128_zero(void) { return 0; }
static inline Int128 int128_one(void) { return 1; }
static inline Int128 int128_2_64(void) { return (Int128)1 << 64; }
static inline Int128 int128_add(Int128 a, Int128 b) { return a + b; }
static inline Int128 int128_sub(Int128 a, Int128 b) { return a - b; }
static inline Int128 int128_min(Int128 a, Int128 b) { return a < b ? a : b; }
static inline Int128 int128_max(Int128 a, Int128 b) { return a > b ? a : b; }
static inline bool int128_eq(Int128 a, Int128 b) { return a == b; }
static inline bool int128_ne(Int128 a, Int128 b) { return a != b; }
static inline bool int128_lt(Int128 a, Int128 b) { return a < b; }
static inline bool int128_le(Int128 a, Int128 b) { return a <= b; }
static inline bool int128_gt(Int128 a, Int128 b) { return a > b; }
static inline bool int128_ge(Int128 a, Int128 b) { return a >= b; }
static inline bool int128_nz(Int128 a) { return a != 0; }

/* The low 64 bits; for 2^64 that is 0. */
static inline uint64_t int128_getlo(Int128 a) { return (uint64_t)a; }

/* @a, which must fit in 64 bits. */
static inline uint64_t int128_get64(Int128 a)
{
    g_assert(a >= 0 && a <= UINT64_MAX);
    return (uint64_t)a;
}

#endif
