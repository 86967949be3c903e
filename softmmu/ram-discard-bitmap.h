/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bitmap of RamDiscardBlocks, one bit a block, and its summary, one bit a
 * word of the bitmap: a walk over a region of which little is populated touches
 * little. Private to softmmu/ram-discard*.c, and in a header because each plug
 * goes through it. It must not tell anybody anything.
 */
#ifndef SOFTMMU_RAM_DISCARD_BITMAP_H
#define SOFTMMU_RAM_DISCARD_BITMAP_H

#include "exec/ram-discard.h"

#define WORD_BITS 64
G_STATIC_ASSERT(sizeof(unsigned long) * 8 == WORD_BITS);

static inline uint64_t words_for(uint64_t bits)
{
    return DIV_ROUND_UP(bits, WORD_BITS);
}

static inline unsigned long mask_from(uint64_t bit)
{
    return ~0UL << (bit % WORD_BITS);
}

/* First bit set at or after @bit in @words; @nr_bits if there is none. */
static inline uint64_t scan_set(const unsigned long *words, uint64_t nr_bits,
                                uint64_t bit)
{
    uint64_t word = bit / WORD_BITS;
    unsigned long found;

    if (bit >= nr_bits) {
        return nr_bits;
    }
    for (found = words[word] & mask_from(bit); !found; found = words[word]) {
        if (++word == words_for(nr_bits)) {
            return nr_bits;
        }
    }
    return word * WORD_BITS + (uint64_t)__builtin_ctzl(found);
}

/* First populated block at or after @block; nr_blocks if there is none. */
static inline uint64_t next_populated(const RamDiscardBlocks *b, uint64_t block)
{
    uint64_t nr_words = words_for(b->nr_blocks);
    uint64_t word = block / WORD_BITS;
    unsigned long found;

    if (block >= b->nr_blocks) {
        return b->nr_blocks;
    }
    found = b->bitmap[word] & mask_from(block);
    if (!found) {
        word = scan_set(b->summary, nr_words, word + 1);
        if (word == nr_words) {
            return b->nr_blocks;
        }
        found = b->bitmap[word];
    }
    return word * WORD_BITS + (uint64_t)__builtin_ctzl(found);
}

/* First discarded block at or after @block; passes over populated ones only. */
static inline uint64_t next_discarded(const RamDiscardBlocks *b, uint64_t block)
{
    uint64_t word = block / WORD_BITS;
    unsigned long found;

    if (block >= b->nr_blocks) {
        return b->nr_blocks;
    }
    for (found = ~b->bitmap[word] & mask_from(block); !found;
         found = ~b->bitmap[word]) {
        if (++word == words_for(b->nr_blocks)) {
            return b->nr_blocks;
        }
    }
    return MIN(b->nr_blocks,
               word * WORD_BITS + (uint64_t)__builtin_ctzl(found));
}

/* Index of the highest word that is not 0, of which there is one. */
static inline uint64_t last_nonzero(const unsigned long *words,
                                    uint64_t nr_words)
{
    while (!words[--nr_words]) {
        continue;
    }
    return nr_words;
}

/* The block behind the last populated one, of which there is one. */
static inline uint64_t end_of_populated(const RamDiscardBlocks *b)
{
    uint64_t nr_words = words_for(b->nr_blocks);
    uint64_t top = last_nonzero(b->summary, words_for(nr_words));
    uint64_t word = top * WORD_BITS + WORD_BITS - 1 -
                    (uint64_t)__builtin_clzl(b->summary[top]);

    return word * WORD_BITS + WORD_BITS -
           (uint64_t)__builtin_clzl(b->bitmap[word]);
}

static inline void set_word(RamDiscardBlocks *b, uint64_t word,
                            unsigned long value)
{
    unsigned long bit = 1UL << (word % WORD_BITS);

    b->bitmap[word] = value;
    if (value) {
        b->summary[word / WORD_BITS] |= bit;
    } else {
        b->summary[word / WORD_BITS] &= ~bit;
    }
}

/* A shift: each request and each run comes here, and a division takes long. */
static inline uint64_t block_of(const RamDiscardBlocks *b, uint64_t offset)
{
    return offset >> __builtin_ctzll(b->granularity);
}

/* The bits of @word that are blocks @first to @last. */
static inline unsigned long mask_in_word(uint64_t word, uint64_t first,
                                         uint64_t last)
{
    unsigned long mask = ~0UL;

    if (word == first / WORD_BITS) {
        mask &= mask_from(first);
    }
    if (word == last / WORD_BITS) {
        mask &= ~0UL >> (WORD_BITS - 1 - last % WORD_BITS);
    }
    return mask;
}

/* Whether blocks @first to @last are all @populated, or all not. Looks at no
 * other: what a request costs must not depend on what is behind its range. */
static inline bool blocks_are(const RamDiscardBlocks *b, uint64_t first,
                              uint64_t last, bool populated)
{
    unsigned long wanted = populated ? ~0UL : 0, other = 0;
    uint64_t word = first / WORD_BITS;

    do {
        other = (b->bitmap[word] ^ wanted) & mask_in_word(word, first, last);
    } while (!other && ++word <= last / WORD_BITS);
    return !other;
}

/*
 * The next run of blocks that are @populated, or are not: sets *offset, which
 * is not lowered, and *size, in bytes; false if there is none.
 */
static inline bool next_run(const RamDiscardBlocks *b, bool populated,
                            uint64_t *offset, uint64_t *size)
{
    unsigned shift = (unsigned)__builtin_ctzll(b->granularity);
    uint64_t block = *offset >> shift;
    uint64_t first = populated ? next_populated(b, block)
                               : next_discarded(b, block);
    uint64_t end;

    if (first >= b->nr_blocks) {
        return false;
    }
    end = populated ? next_discarded(b, first) : next_populated(b, first);
    *offset = MAX(*offset, first << shift);
    *size = (end << shift) - *offset;
    return true;
}

/* Commits a change of @size bytes from @offset, all of which does change. */
static inline void commit(RamDiscardBlocks *b, uint64_t offset, uint64_t size,
                          bool populated)
{
    uint64_t first = block_of(b, offset);
    uint64_t last = block_of(b, offset + size) - 1;

    g_assert(first <= last && last < b->nr_blocks);
    for (uint64_t word = first / WORD_BITS; word <= last / WORD_BITS; word++) {
        unsigned long mask = mask_in_word(word, first, last);

        g_assert((b->bitmap[word] & mask) == (populated ? 0 : mask));
        set_word(b, word, b->bitmap[word] ^ mask);
    }
    b->populated = populated ? b->populated + size : b->populated - size;
}

static inline void commit_discard_all(RamDiscardBlocks *b)
{
    uint64_t nr_words = words_for(b->nr_blocks);

    for (uint64_t first = 0; first < nr_words; first += WORD_BITS) {
        if (b->summary[first / WORD_BITS]) {
            memset(&b->bitmap[first], 0, MIN(WORD_BITS, nr_words - first) *
                   sizeof(b->bitmap[0]));
            b->summary[first / WORD_BITS] = 0;
        }
    }
    b->populated = 0;
}

#endif
