/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bits in arrays of unsigned long: the categories of a device, a set of NUMA
 * nodes, of VLANs. Nothing is atomic. What is walked has its own structure, such as
 * softmmu/ram-discard-bitmap.h. QEMU's names.
 */
#ifndef QEMU_BITMAP_H
#define QEMU_BITMAP_H

#define BITS_PER_LONG (8 * sizeof(unsigned long))
#define BITS_TO_LONGS(nr) DIV_ROUND_UP(nr, BITS_PER_LONG)
#define DECLARE_BITMAP(name, bits) unsigned long name[BITS_TO_LONGS(bits)]

static inline void set_bit(long nr, unsigned long *addr)
{
    addr[nr / BITS_PER_LONG] |= 1UL << (nr % BITS_PER_LONG);
}
static inline void clear_bit(long nr, unsigned long *addr)
{
    addr[nr / BITS_PER_LONG] &= ~(1UL << (nr % BITS_PER_LONG));
}

static inline bool test_bit(long nr, const unsigned long *addr)
{
    return addr[nr / BITS_PER_LONG] >> (nr % BITS_PER_LONG) & 1;
}

#endif
