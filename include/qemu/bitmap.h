/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bitmaps in arrays of unsigned long. Bit numbers and counts are longs, so
 * that a region of any size fits; all work is by words. Nothing is atomic.
 * QEMU's names.
 */
#ifndef QEMU_BITMAP_H
#define QEMU_BITMAP_H

#define BITS_PER_LONG (8 * sizeof(unsigned long))
#define BIT(nr) (1UL << (nr))
#define BIT_ULL(nr) (1ULL << (nr))
#define BIT_MASK(nr) (1UL << ((nr) % BITS_PER_LONG))
#define BIT_WORD(nr) ((nr) / BITS_PER_LONG)
#define BITS_TO_LONGS(nr) DIV_ROUND_UP(nr, BITS_PER_LONG)
#define DECLARE_BITMAP(name, bits) unsigned long name[BITS_TO_LONGS(bits)]

static inline void set_bit(long nr, unsigned long *addr)
{
    addr[BIT_WORD(nr)] |= BIT_MASK(nr);
}

static inline void clear_bit(long nr, unsigned long *addr)
{
    addr[BIT_WORD(nr)] &= ~BIT_MASK(nr);
}

static inline void change_bit(long nr, unsigned long *addr)
{
    addr[BIT_WORD(nr)] ^= BIT_MASK(nr);
}

static inline bool test_bit(long nr, const unsigned long *addr)
{
    return addr[BIT_WORD(nr)] & BIT_MASK(nr);
}

/* Set or clear the bit and return what it was. */
static inline bool test_and_set_bit(long nr, unsigned long *addr)
{
    bool old = test_bit(nr, addr);

    set_bit(nr, addr);
    return old;
}

static inline bool test_and_clear_bit(long nr, unsigned long *addr)
{
    bool old = test_bit(nr, addr);

    clear_bit(nr, addr);
    return old;
}

/* The first bit that is set (zero) at or after @offset; @size: none. */
unsigned long find_next_bit(const unsigned long *addr, unsigned long size,
                            unsigned long offset);
unsigned long find_next_zero_bit(const unsigned long *addr, unsigned long size,
                                 unsigned long offset);
static inline unsigned long find_first_bit(const unsigned long *addr,
                                           unsigned long size)
{
    return find_next_bit(addr, size, 0);
}
static inline unsigned long find_first_zero_bit(const unsigned long *addr,
                                                unsigned long size)
{
    return find_next_zero_bit(addr, size, 0);
}
/* The last bit that is set below @size; @size: none. */
unsigned long find_last_bit(const unsigned long *addr, unsigned long size);

/* All bits 0; to be freed by g_free(). */
static inline unsigned long *bitmap_new(long nbits)
{
    return g_new0(unsigned long, BITS_TO_LONGS(nbits));
}

/* On @nbits bits from the first; the rest of the last word is zero after
 * bitmap_fill() and bitmap_complement(), and is never looked at. */
void bitmap_zero(unsigned long *dst, long nbits);
void bitmap_fill(unsigned long *dst, long nbits);
void bitmap_copy(unsigned long *dst, const unsigned long *src, long nbits);
void bitmap_complement(unsigned long *dst, const unsigned long *src,
                       long nbits);
bool bitmap_empty(const unsigned long *src, long nbits);
bool bitmap_full(const unsigned long *src, long nbits);
bool bitmap_equal(const unsigned long *a, const unsigned long *b, long nbits);
bool bitmap_intersects(const unsigned long *a, const unsigned long *b,
                       long nbits);
/* *dst = a & b; whether any bit is left. */
bool bitmap_and(unsigned long *dst, const unsigned long *a,
                const unsigned long *b, long nbits);
void bitmap_or(unsigned long *dst, const unsigned long *a,
               const unsigned long *b, long nbits);
long bitmap_count_one(const unsigned long *src, long nbits);

/* On the @nr bits from @start. */
void bitmap_set(unsigned long *map, long start, long nr);
void bitmap_clear(unsigned long *map, long start, long nr);
long bitmap_count_one_with_offset(const unsigned long *map, long start,
                                  long nr);

#endif
