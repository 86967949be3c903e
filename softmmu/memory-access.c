/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Accesses to an address space, as devices (DMA), CPUs and qtest make them, and
 * where guest RAM is in this process.
 *
 * An access is cut where the flat view changes from one range to the next.
 * RAM is copied; a device's memory and MMIO get accesses of the widest valid
 * width. RAM that its manager has discarded is refused before a byte of the
 * piece is touched, since touching would populate it behind the manager's back.
 * The first piece that fails ends the access. Nothing is allocated.
 */
#include "qemu/osdep.h"
#include "exec/ramblock.h"
#include "memory-internal.h"
#include "qemu/log.h"

typedef enum AccessKind { ACCESS_READ, ACCESS_WRITE, ACCESS_SET } AccessKind;

/* What is left of an access. */
typedef struct Access {
    AccessKind kind;
    MemTxAttrs attrs;
    hwaddr addr;
    hwaddr len;
    uint8_t *in;                          /* ACCESS_READ: filled */
    const uint8_t *out;                   /* ACCESS_WRITE: the data */
    uint8_t fill;                         /* ACCESS_SET: each byte */
} Access;

static void access_advance(Access *a, hwaddr n)
{
    a->addr += n;
    a->len -= n;
    a->in = a->in ? a->in + n : NULL;
    a->out = a->out ? a->out + n : NULL;
}

/* -d guest_errors. */
static void log_failure(const AddressSpace *as, bool is_write, hwaddr addr,
                        hwaddr len, MemTxResult r)
{
    qemu_log_mask(LOG_GUEST_ERROR, "guest error: %s: %s of %" PRIu64 " bytes at "
                  "0x%" PRIx64 ": %s\n", as->name, is_write ? "write" : "read",
                  len, addr,
                  r & MEMTX_DECODE_ERROR ? "nothing there takes such an access"
                                         : "what is there refuses it");
}

/* --- what kind of piece it is --- */

static inline bool drops_writes(const FlatRange *fr)
{
    return fr->mr->ram && fr->readonly && !fr->mr->rom_device;
}

/* Whether it is in memory that it reads, or writes. */
static inline bool is_direct(const FlatRange *fr, bool is_write)
{
    return memory_region_is_direct(fr->mr) && !(is_write && fr->mr->rom_device);
}

/* --- a piece that is RAM --- */

static MemTxResult access_ram(Access *a, const FlatRange *fr,
                              ram_addr_t offset, hwaddr n)
{
    uint8_t *host = ramblock_ptr(fr->mr->ram_block, offset);

    if (!memory_region_is_populated(fr->mr, offset, n)) {
        return MEMTX_ERROR;
    }
    if (a->kind == ACCESS_READ && a->attrs.keep_unbacked) {
        return ram_block_read(fr->mr->ram_block, offset, a->in, n)
               ? MEMTX_ERROR : MEMTX_OK;
    }
    if (a->kind == ACCESS_READ) {
        memmove(a->in, host, n);
    } else if (fr->readonly) {
        return MEMTX_OK;
    } else if (a->kind == ACCESS_WRITE) {
        memmove(host, a->out, n);
    } else {
        memset(host, a->fill, n);
    }
    return MEMTX_OK;
}

/* --- a piece that is not --- */

/* The widest access that is valid at @addr of @mr and fits into @n bytes. */
static unsigned mmio_width(const MemoryRegion *mr, hwaddr addr, hwaddr n)
{
    unsigned width = mr->ops->valid.max_access_size;

    width = width ? width : 8;
    if (!mr->ops->valid.unaligned && addr) {
        width = MIN(width, addr & -addr);
    }
    while (width > n) {
        width /= 2;
    }
    return width;
}

static MemTxResult mmio_read(Access *a, MemoryRegion *mr, hwaddr addr,
                             unsigned width, uint8_t *in)
{
    uint64_t value;
    MemTxResult r = memory_region_dispatch_read(mr, addr, &value, width,
                                                a->attrs);

    value = GUINT64_TO_LE(value);
    memcpy(in, &value, width);
    return r;
}

static MemTxResult mmio_write(Access *a, MemoryRegion *mr, hwaddr addr,
                              unsigned width, const uint8_t *out)
{
    uint64_t value = 0;

    if (out) {
        memcpy(&value, out, width);
        value = GUINT64_FROM_LE(value);
    } else {
        memset(&value, a->fill, sizeof(value));
    }
    return memory_region_dispatch_write(mr, addr, value, width, a->attrs);
}

static MemTxResult access_mmio(Access *a, const FlatRange *fr, hwaddr offset,
                               hwaddr n)
{
    MemTxResult r = MEMTX_OK;

    /* Only RAM can be readonly: a device's own memory, here. */
    if (drops_writes(fr) && a->kind != ACCESS_READ) {
        return MEMTX_OK;
    }
    for (hwaddr done = 0; done < n && r == MEMTX_OK;) {
        unsigned width = mmio_width(fr->mr, offset + done, n - done);

        if (a->kind == ACCESS_READ) {
            r = mmio_read(a, fr->mr, offset + done, width, a->in + done);
        } else {
            r = mmio_write(a, fr->mr, offset + done, width,
                           a->out ? a->out + done : NULL);
        }
        done += width;
    }
    return r;
}

/* --- the whole --- */

/* An access that is of RAM alone must not reach a device, by a read either. */
static inline bool is_refused(const FlatRange *fr, MemTxAttrs attrs,
                              bool is_write)
{
    return attrs.memory && (!memory_region_is_direct(fr->mr) ||
                            (is_write && fr->readonly));
}

/* One piece of *@a; *n is its length. */
static MemTxResult access_piece(Access *a, FlatView *fv, hwaddr *n)
{
    hwaddr last;
    const FlatRange *fr = flatview_lookup(fv, a->addr, &last);
    hwaddr offset;

    *n = MIN(a->len - 1, last - a->addr) + 1;
    if (!fr) {
        return MEMTX_DECODE_ERROR;
    }
    if (is_refused(fr, a->attrs, a->kind != ACCESS_READ)) {
        return MEMTX_ACCESS_ERROR;
    }
    offset = fr->offset + (a->addr - fr->start);
    return is_direct(fr, a->kind != ACCESS_READ)
               ? access_ram(a, fr, offset, *n)
               : access_mmio(a, fr, offset, *n);
}

/* Callbacks may change the graph: the view, and with it the regions, is held. */
static MemTxResult access_run(AddressSpace *as, Access a)
{
    FlatView *fv = flatview_ref(as->current_map);
    MemTxResult r = MEMTX_OK;

    while (a.len) {
        hwaddr n;

        r = access_piece(&a, fv, &n);
        if (r != MEMTX_OK) {
            break;
        }
        access_advance(&a, n);
        if (a.len && !a.addr) {           /* past the end of 64 bits */
            r = MEMTX_DECODE_ERROR;
            break;
        }
    }
    if (r != MEMTX_OK) {
        log_failure(as, a.kind != ACCESS_READ, a.addr, a.len, r);
    }
    if (r != MEMTX_OK && a.in) {
        memset(a.in, 0, a.len);
    }
    flatview_unref(fv);
    return r;
}

MemTxResult address_space_read(AddressSpace *as, hwaddr addr, MemTxAttrs attrs,
                               void *buf, hwaddr len)
{
    return access_run(as, (Access) { .kind = ACCESS_READ, .attrs = attrs,
                                     .addr = addr, .len = len, .in = buf });
}

MemTxResult address_space_write(AddressSpace *as, hwaddr addr, MemTxAttrs attrs,
                                const void *buf, hwaddr len)
{
    return access_run(as, (Access) { .kind = ACCESS_WRITE, .attrs = attrs,
                                     .addr = addr, .len = len, .out = buf });
}

MemTxResult address_space_set(AddressSpace *as, hwaddr addr, uint8_t c,
                              hwaddr len, MemTxAttrs attrs)
{
    return access_run(as, (Access) { .kind = ACCESS_SET, .attrs = attrs,
                                     .addr = addr, .len = len, .fill = c });
}

MemTxResult address_space_rw(AddressSpace *as, hwaddr addr, MemTxAttrs attrs,
                             void *buf, hwaddr len, bool is_write)
{
    return is_write ? address_space_write(as, addr, attrs, buf, len)
                    : address_space_read(as, addr, attrs, buf, len);
}

/* --- one access of its own width --- */

/* The range that holds all of @size bytes, or NULL; *split if several do. */
static inline const FlatRange *whole_range(FlatView *fv, hwaddr addr,
                                           unsigned size, bool *split)
{
    hwaddr last;
    const FlatRange *fr = flatview_lookup(fv, addr, &last);

    *split = last - addr < size - 1;
    return fr;
}

static inline uint64_t load_le(AddressSpace *as, hwaddr addr, unsigned size,
                               MemTxAttrs attrs, MemTxResult *result)
{
    FlatView *fv = as->current_map;
    MemTxResult r = MEMTX_OK;
    uint64_t value = 0;
    bool split;
    const FlatRange *fr = whole_range(fv, addr, size, &split);

    if (split) {
        r = address_space_read(as, addr, attrs, &value, size);
        value = GUINT64_FROM_LE(value);
    } else if (!fr) {
        r = MEMTX_DECODE_ERROR;
    } else if (is_refused(fr, attrs, false)) {
        r = MEMTX_ACCESS_ERROR;
    } else {
        hwaddr offset = fr->offset + (addr - fr->start);

        if (!memory_region_is_direct(fr->mr)) {
            flatview_ref(fv);
            r = memory_region_dispatch_read(fr->mr, offset, &value, size,
                                            attrs);
            flatview_unref(fv);
        } else if (memory_region_is_populated(fr->mr, offset, size)) {
            memcpy(&value, ramblock_ptr(fr->mr->ram_block, offset), size);
            value = GUINT64_FROM_LE(value);
        } else {
            r = MEMTX_ERROR;
        }
    }
    if (r != MEMTX_OK && !split) {
        log_failure(as, false, addr, size, r);
    }
    if (result) {
        *result = r;
    }
    return r == MEMTX_OK ? value : 0;
}

static inline void store_le(AddressSpace *as, hwaddr addr, unsigned size,
                            uint64_t value, MemTxAttrs attrs,
                            MemTxResult *result)
{
    FlatView *fv = as->current_map;
    uint64_t image = GUINT64_TO_LE(value);
    MemTxResult r = MEMTX_OK;
    bool split;
    const FlatRange *fr = whole_range(fv, addr, size, &split);

    if (split) {
        r = address_space_write(as, addr, attrs, &image, size);
    } else if (!fr) {
        r = MEMTX_DECODE_ERROR;
    } else if (is_refused(fr, attrs, true)) {
        r = MEMTX_ACCESS_ERROR;
    } else {
        hwaddr offset = fr->offset + (addr - fr->start);

        if (memory_region_is_direct(fr->mr) &&
            !memory_region_is_populated(fr->mr, offset, size)) {
            r = MEMTX_ERROR;
        } else if (drops_writes(fr)) {
            r = MEMTX_OK;
        } else if (is_direct(fr, true)) {
            memcpy(ramblock_ptr(fr->mr->ram_block, offset), &image, size);
        } else {
            flatview_ref(fv);
            r = memory_region_dispatch_write(fr->mr, offset, value, size,
                                             attrs);
            flatview_unref(fv);
        }
    }
    if (r != MEMTX_OK && !split) {
        log_failure(as, true, addr, size, r);
    }
    if (result) {
        *result = r;
    }
}

#define DEFINE_ACCESSORS(type, size, load, store)                            \
    type load(AddressSpace *as, hwaddr addr, MemTxAttrs attrs,               \
              MemTxResult *result)                                           \
    {                                                                        \
        return load_le(as, addr, size, attrs, result);                       \
    }                                                                        \
    void store(AddressSpace *as, hwaddr addr, type val, MemTxAttrs attrs,    \
               MemTxResult *result)                                          \
    {                                                                        \
        store_le(as, addr, size, val, attrs, result);                        \
    }

DEFINE_ACCESSORS(uint8_t, 1, address_space_ldub, address_space_stb)
DEFINE_ACCESSORS(uint16_t, 2, address_space_lduw_le, address_space_stw_le)
DEFINE_ACCESSORS(uint32_t, 4, address_space_ldl_le, address_space_stl_le)
DEFINE_ACCESSORS(uint64_t, 8, address_space_ldq_le, address_space_stq_le)

bool address_space_stl_le_in_turn(AddressSpace *as, hwaddr addr, uint32_t val)
{
    bool split;
    const FlatRange *fr = whole_range(as->current_map, addr, sizeof(val),
                                      &split);
    hwaddr offset;

    if (!fr || split || !QEMU_IS_ALIGNED(addr, sizeof(val))) {
        return false;
    }
    offset = fr->offset + (addr - fr->start);
    if (!memory_region_is_direct(fr->mr)) {
        return !fr->mr->global_locking &&
               memory_region_dispatch_write(fr->mr, offset, val, sizeof(val),
                                            MEMTXATTRS_UNSPECIFIED) == MEMTX_OK;
    }
    if (fr->readonly ||
        !memory_region_is_populated(fr->mr, offset, sizeof(val))) {
        return false;
    }
    __atomic_store_n((uint32_t *)ramblock_ptr(fr->mr->ram_block, offset),
                     GUINT32_TO_LE(val), __ATOMIC_RELEASE);
    return true;
}

/* --- where RAM is --- */

/* How much of the range of @mr is populated from its beginning on. */
static hwaddr populated_prefix(const MemoryRegion *mr, ram_addr_t offset,
                               hwaddr size)
{
    uint64_t start = offset, run;

    if (!mr->discard_state) {
        return size;
    }
    if (!ram_discard_state_next_run(mr->discard_state, &start, &run) ||
        start != offset) {
        return 0;
    }
    return MIN(size, run);
}

bool address_space_find_run(AddressSpace *as, hwaddr addr, MemoryRun *run)
{
    hwaddr last, size;
    const FlatRange *fr = flatview_lookup(as->current_map, addr, &last);

    if (!fr || !memory_region_is_direct(fr->mr)) {
        return false;
    }
    run->mr = fr->mr;
    run->readonly = fr->readonly;
    if (fr->mr->discard_state) {
        run->first = addr;
        run->offset = fr->offset + (addr - fr->start);
        /* A region of 2^64 bytes is not RAM. */
        size = populated_prefix(fr->mr, run->offset, last - addr + 1);
        if (!size) {
            return false;
        }
        run->last = addr + (size - 1);
    } else {
        run->first = fr->start;
        run->offset = fr->offset;
        run->last = last;
    }
    run->host = ramblock_ptr(fr->mr->ram_block, run->offset);
    return true;
}

/* --- who answers --- */

MemoryRegionSection memory_region_find(MemoryRegion *mr, hwaddr addr,
                                       uint64_t size)
{
    MemoryRegionSection section = { 0 };
    AddressSpace *as;
    FlatRange clip;
    FlatView *fv;
    hwaddr last;
    unsigned i;

    for (; mr->container; mr = mr->container) {
        addr += mr->addr;
    }
    as = address_space_of_root(mr);
    if (!as || !size) {
        return section;
    }
    fv = as->current_map;
    last = size - 1 > HWADDR_MAX - addr ? HWADDR_MAX : addr + (size - 1);
    i = flatview_first(fv, addr);
    if (i == fv->nr || fv->ranges[i].start > last) {
        return section;
    }
    clip = fv->ranges[i];
    if (clip.start < addr) {
        clip.offset += addr - clip.start;
        clip.start = addr;
    }
    clip.last = MIN(clip.last, last);
    memory_region_ref(clip.mr);
    return section_from_range(fv, &clip);
}
