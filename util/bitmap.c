/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bitmaps (qemu/bitmap.h). Everything is done by masked words: a range is a
 * first word, whole words, and a last word, any of which may be the same. It
 * must never read or change a word that the range does not touch.
 */
#include "qemu/osdep.h"

#include "qemu/bitmap.h"

/* The bits of @word that the range from @start up to @end (not empty) covers. */
static unsigned long word_mask(unsigned long word, unsigned long start,
                               unsigned long end)
{
    unsigned long mask = ~0UL;

    if (word == BIT_WORD(start)) {
        mask &= ~0UL << (start % BITS_PER_LONG);
    }
    if (word == BIT_WORD(end - 1)) {
        mask &= ~0UL >> (BITS_PER_LONG - 1 - (end - 1) % BITS_PER_LONG);
    }
    return mask;
}

/* The first bit at or after @offset whose value, xored with @flip, is set. */
static unsigned long find_next(const unsigned long *addr, unsigned long size,
                               unsigned long offset, unsigned long flip)
{
    if (offset >= size) {
        return size;
    }
    for (unsigned long w = BIT_WORD(offset); w <= BIT_WORD(size - 1); w++) {
        unsigned long found = (addr[w] ^ flip) & word_mask(w, offset, size);

        if (found) {
            return w * BITS_PER_LONG + __builtin_ctzl(found);
        }
    }
    return size;
}

unsigned long find_next_bit(const unsigned long *addr, unsigned long size,
                            unsigned long offset)
{
    return find_next(addr, size, offset, 0);
}

unsigned long find_next_zero_bit(const unsigned long *addr, unsigned long size,
                                 unsigned long offset)
{
    return find_next(addr, size, offset, ~0UL);
}

unsigned long find_last_bit(const unsigned long *addr, unsigned long size)
{
    for (unsigned long w = BITS_TO_LONGS(size); w-- > 0;) {
        unsigned long found = addr[w] & word_mask(w, 0, size);

        if (found) {
            return w * BITS_PER_LONG + BITS_PER_LONG - 1 -
                   __builtin_clzl(found);
        }
    }
    return size;
}

/* --- whole bitmaps --- */

void bitmap_zero(unsigned long *dst, long nbits)
{
    memset(dst, 0, BITS_TO_LONGS(nbits) * sizeof(*dst));
}

void bitmap_fill(unsigned long *dst, long nbits)
{
    bitmap_zero(dst, nbits);
    bitmap_set(dst, 0, nbits);
}

void bitmap_copy(unsigned long *dst, const unsigned long *src, long nbits)
{
    memcpy(dst, src, BITS_TO_LONGS(nbits) * sizeof(*dst));
}

void bitmap_complement(unsigned long *dst, const unsigned long *src,
                       long nbits)
{
    for (unsigned long w = 0; w < BITS_TO_LONGS(nbits); w++) {
        dst[w] = ~src[w] & word_mask(w, 0, nbits);
    }
}

bool bitmap_empty(const unsigned long *src, long nbits)
{
    return find_first_bit(src, nbits) == (unsigned long)nbits;
}

bool bitmap_full(const unsigned long *src, long nbits)
{
    return find_first_zero_bit(src, nbits) == (unsigned long)nbits;
}

bool bitmap_equal(const unsigned long *a, const unsigned long *b, long nbits)
{
    for (unsigned long w = 0; w < BITS_TO_LONGS(nbits); w++) {
        if ((a[w] ^ b[w]) & word_mask(w, 0, nbits)) {
            return false;
        }
    }
    return true;
}

bool bitmap_intersects(const unsigned long *a, const unsigned long *b,
                       long nbits)
{
    for (unsigned long w = 0; w < BITS_TO_LONGS(nbits); w++) {
        if (a[w] & b[w] & word_mask(w, 0, nbits)) {
            return true;
        }
    }
    return false;
}

bool bitmap_and(unsigned long *dst, const unsigned long *a,
                const unsigned long *b, long nbits)
{
    unsigned long any = 0;

    for (unsigned long w = 0; w < BITS_TO_LONGS(nbits); w++) {
        dst[w] = a[w] & b[w];
        any |= dst[w] & word_mask(w, 0, nbits);
    }
    return any;
}

void bitmap_or(unsigned long *dst, const unsigned long *a,
               const unsigned long *b, long nbits)
{
    for (unsigned long w = 0; w < BITS_TO_LONGS(nbits); w++) {
        dst[w] = a[w] | b[w];
    }
}

long bitmap_count_one(const unsigned long *src, long nbits)
{
    return bitmap_count_one_with_offset(src, 0, nbits);
}

/* --- ranges --- */

void bitmap_set(unsigned long *map, long start, long nr)
{
    unsigned long end = start + nr;

    for (unsigned long w = BIT_WORD(start); w < BITS_TO_LONGS(end) && nr; w++) {
        map[w] |= word_mask(w, start, end);
    }
}

void bitmap_clear(unsigned long *map, long start, long nr)
{
    unsigned long end = start + nr;

    for (unsigned long w = BIT_WORD(start); w < BITS_TO_LONGS(end) && nr; w++) {
        map[w] &= ~word_mask(w, start, end);
    }
}

long bitmap_count_one_with_offset(const unsigned long *map, long start, long nr)
{
    unsigned long end = start + nr;
    long count = 0;

    for (unsigned long w = BIT_WORD(start); w < BITS_TO_LONGS(end) && nr; w++) {
        count += __builtin_popcountl(map[w] & word_mask(w, start, end));
    }
    return count;
}
