/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One access of 1, 2, 4 or 8 bytes to one MMIO (or port) region.
 *
 * ops->valid says what the guest may do, ops->impl what the callbacks can: the
 * access is cut into, or widened to, words of a width that they can. Values
 * are carried as they lie in memory, least significant byte first, and turned
 * into the device's endianness around each callback only. A write to a part of
 * a word is a read, a merge and a write of the word, for a device that can do
 * no less.
 *
 * A guest chooses address, size and data, and may program a device to write to
 * its own registers: nothing here trusts them, and nesting is limited.
 */
#include "qemu/osdep.h"
#include "memory-internal.h"

/* Accesses within accesses; a device that signals another needs a few. */
#define MAX_NESTING 16

static __thread unsigned nesting;

/* --- what is allowed --- */

static bool access_is_valid(MemoryRegion *mr, hwaddr addr, unsigned size,
                            bool is_write, MemTxAttrs attrs)
{
    const MemoryRegionOps *ops = mr->ops;
    unsigned max = ops->valid.max_access_size ? ops->valid.max_access_size : 8;

    g_assert(is_power_of_2(size) && size <= 8);
    if ((Int128)addr + size > mr->size ||
        size < ops->valid.min_access_size || size > max ||
        (!ops->valid.unaligned && !QEMU_IS_ALIGNED(addr, size))) {
        return false;
    }
    return !ops->valid.accepts ||
           ops->valid.accepts(mr->opaque, addr, size, is_write, attrs);
}

/* The width of the words in which the callbacks do this access. */
static unsigned word_width(const MemoryRegionOps *ops, hwaddr addr,
                           unsigned size)
{
    unsigned min = ops->impl.min_access_size ? ops->impl.min_access_size : 1;
    unsigned max = ops->impl.max_access_size ? ops->impl.max_access_size : 4;
    unsigned width = MIN(size, max);

    while (!ops->impl.unaligned && width > min &&
           !QEMU_IS_ALIGNED(addr, width)) {
        width /= 2;
    }
    return MAX(width, min);
}

/* How far before @addr its first word begins. */
static int word_lead(const MemoryRegionOps *ops, hwaddr addr, unsigned width)
{
    return ops->impl.unaligned ? 0 : addr % width;
}

/* --- the callbacks --- */

static uint64_t to_device_endian(const MemoryRegion *mr, uint64_t value,
                                 unsigned size)
{
    if (mr->ops->endianness == DEVICE_BIG_ENDIAN) {
        return GUINT64_SWAP_LE_BE(value) >> (64 - 8 * size);
    }
    return value;
}

static bool can_read(const MemoryRegionOps *ops)
{
    return ops->read_with_attrs || ops->read;
}

static MemTxResult read_word(MemoryRegion *mr, hwaddr addr, uint64_t *value,
                             unsigned width, MemTxAttrs attrs)
{
    MemTxResult r = MEMTX_OK;
    uint64_t word = 0;

    if (mr->ops->read_with_attrs) {
        r = mr->ops->read_with_attrs(mr->opaque, addr, &word, width, attrs);
    } else if (mr->ops->read) {
        word = mr->ops->read(mr->opaque, addr, width);
    } else {
        r = MEMTX_DECODE_ERROR;
    }
    word &= MAKE_64BIT_MASK(0, 8 * width);
    *value = to_device_endian(mr, word, width);
    return r;
}

static MemTxResult write_word(MemoryRegion *mr, hwaddr addr, uint64_t word,
                              unsigned width, MemTxAttrs attrs)
{
    word = to_device_endian(mr, word & MAKE_64BIT_MASK(0, 8 * width), width);
    if (mr->ops->write_with_attrs) {
        return mr->ops->write_with_attrs(mr->opaque, addr, word, width, attrs);
    }
    if (mr->ops->write) {
        mr->ops->write(mr->opaque, addr, word, width);
        return MEMTX_OK;
    }
    return MEMTX_DECODE_ERROR;
}

/* --- words of an access; @at is the word's place relative to the access --- */

static MemTxResult read_words(MemoryRegion *mr, hwaddr addr, uint64_t *pval,
                              unsigned size, MemTxAttrs attrs)
{
    int width = word_width(mr->ops, addr, size);
    MemTxResult r = MEMTX_OK;

    for (int at = -word_lead(mr->ops, addr, width); at < (int)size;
         at += width) {
        uint64_t word;

        r |= read_word(mr, addr + at, &word, width, attrs);
        *pval |= at < 0 ? word >> (-at * 8) : word << (at * 8);
    }
    *pval &= MAKE_64BIT_MASK(0, 8 * size);
    return r;
}

/* Puts what a word holds outside of the access, [@at, @at + width) in it being
 * @size bytes long, around *@word. */
static MemTxResult merge_word(MemoryRegion *mr, hwaddr addr, int at,
                              unsigned size, uint64_t *word, int width,
                              MemTxAttrs attrs)
{
    int first = MAX(0, -at);
    int end = MIN(width, (int)size - at);
    uint64_t ours = MAKE_64BIT_MASK(8 * first, 8 * (end - first));
    uint64_t old = 0;
    MemTxResult r = MEMTX_OK;

    if (end - first < width && can_read(mr->ops)) {
        r = read_word(mr, addr + at, &old, width, attrs);
    }
    *word = (*word & ours) | (old & ~ours);
    return r;
}

static MemTxResult write_words(MemoryRegion *mr, hwaddr addr, uint64_t data,
                               unsigned size, MemTxAttrs attrs)
{
    int width = word_width(mr->ops, addr, size);
    MemTxResult r = MEMTX_OK;

    for (int at = -word_lead(mr->ops, addr, width); at < (int)size;
         at += width) {
        uint64_t word = at < 0 ? data << (-at * 8) : data >> (at * 8);
        MemTxResult merged = merge_word(mr, addr, at, size, &word, width,
                                        attrs);

        r |= merged;
        if (merged == MEMTX_OK) {
            r |= write_word(mr, addr + at, word, width, attrs);
        }
    }
    return r;
}

/* --- the entry points --- */

MemTxResult memory_region_dispatch_read(MemoryRegion *mr, hwaddr addr,
                                        uint64_t *pval, unsigned size,
                                        MemTxAttrs attrs)
{
    MemTxResult r;

    *pval = 0;
    if (mr->alias) {
        return memory_region_dispatch_read(mr->alias, mr->alias_offset + addr,
                                           pval, size, attrs);
    }
    if (!mr->ops || !access_is_valid(mr, addr, size, false, attrs)) {
        return MEMTX_DECODE_ERROR;
    }
    if (nesting == MAX_NESTING) {
        return MEMTX_ERROR;
    }
    nesting++;
    r = read_words(mr, addr, pval, size, attrs);
    nesting--;
    return r;
}

MemTxResult memory_region_dispatch_write(MemoryRegion *mr, hwaddr addr,
                                         uint64_t data, unsigned size,
                                         MemTxAttrs attrs)
{
    MemTxResult r;

    if (mr->alias) {
        return memory_region_dispatch_write(mr->alias, mr->alias_offset + addr,
                                            data, size, attrs);
    }
    if (!mr->ops || !access_is_valid(mr, addr, size, true, attrs)) {
        return MEMTX_DECODE_ERROR;
    }
    data &= MAKE_64BIT_MASK(0, 8 * size);
    if (memory_region_signal_eventfd(mr, addr, to_device_endian(mr, data, size),
                                     size)) {
        return MEMTX_OK;
    }
    if (nesting == MAX_NESTING) {
        return MEMTX_ERROR;
    }
    nesting++;
    r = write_words(mr, addr, data, size, attrs);
    nesting--;
    return r;
}

/* --- RAM behind callbacks --- */

/* Each access is one aligned load or store of its own width, as a device whose
 * memory this is may demand. */
static uint64_t load_le(const volatile void *host, unsigned size)
{
    switch (size) {
    case 1: return *(const volatile uint8_t *)host;
    case 2: return GUINT16_FROM_LE(*(const volatile uint16_t *)host);
    case 4: return GUINT32_FROM_LE(*(const volatile uint32_t *)host);
    default: return GUINT64_FROM_LE(*(const volatile uint64_t *)host);
    }
}

static void store_le(volatile void *host, uint64_t data, unsigned size)
{
    if (size == 1) {
        *(volatile uint8_t *)host = data;
    } else if (size == 2) {
        *(volatile uint16_t *)host = GUINT16_TO_LE((uint16_t)data);
    } else if (size == 4) {
        *(volatile uint32_t *)host = GUINT32_TO_LE((uint32_t)data);
    } else {
        *(volatile uint64_t *)host = GUINT64_TO_LE(data);
    }
}

static MemTxResult ram_read(void *opaque, hwaddr addr, uint64_t *data,
                            unsigned size, MemTxAttrs attrs)
{
    MemoryRegion *mr = opaque;

    if (!memory_region_is_populated(mr, addr, size)) {
        return MEMTX_ERROR;
    }
    *data = load_le(memory_region_get_ram_ptr(mr) + addr, size);
    return MEMTX_OK;
}

static MemTxResult ram_write(void *opaque, hwaddr addr, uint64_t data,
                             unsigned size, MemTxAttrs attrs)
{
    MemoryRegion *mr = opaque;

    if (!memory_region_is_populated(mr, addr, size)) {
        return MEMTX_ERROR;
    }
    if (!mr->readonly) {
        store_le(memory_region_get_ram_ptr(mr) + addr, data, size);
    }
    return MEMTX_OK;
}

const MemoryRegionOps memory_ram_ops = {
    .read_with_attrs = ram_read,
    .write_with_attrs = ram_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 1, .max_access_size = 8, .unaligned = true },
    .impl = { .min_access_size = 1, .max_access_size = 8 },
};

const MemoryRegionOps memory_unassigned_ops = {
    .endianness = DEVICE_LITTLE_ENDIAN,
};
