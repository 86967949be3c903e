/* SPDX-License-Identifier: GPL-2.0-or-later */
/* First fit for memory devices. Knows no device and no machine. */
#include "qemu/osdep.h"
#include "memory-placement.h"

/* Rounds *addr up to @align; false if that overflows. */
static bool align_up(uint64_t *addr, uint64_t align)
{
    uint64_t v;

    if (__builtin_add_overflow(*addr, align - 1, &v)) {
        return false;
    }
    *addr = v & -align;
    return true;
}

/* Whether @addr .. @addr + @size is inside the space. */
static bool fits_space(const PlacementSpace *space, uint64_t addr,
                       uint64_t size)
{
    return addr >= space->addr && size <= space->size &&
           addr - space->addr <= space->size - size;
}

static bool check_hint(const PlacementSpace *space, uint64_t hint,
                       uint64_t align, uint64_t size, Error **errp)
{
    if (!QEMU_IS_ALIGNED(hint, align)) {
        error_setg(errp, "address 0x%" PRIx64 " must be aligned to 0x%" PRIx64
                   " bytes", hint, align);
        return false;
    }
    if (!fits_space(space, hint, size)) {
        error_setg(errp, "can't add memory device of 0x%" PRIx64 " bytes at "
                   "0x%" PRIx64 ", usable range for memory devices "
                   "[0x%" PRIx64 ":0x%" PRIx64 "]", size, hint, space->addr,
                   space->addr + space->size - 1);
        return false;
    }
    for (size_t i = 0; i < space->nr_used; i++) {
        const PlacedRange *r = &space->used[i];

        if (hint < r->addr + r->size && r->addr < hint + size) {
            error_setg(errp, "address range [0x%" PRIx64 ":0x%" PRIx64 "] "
                       "conflicts with memory device id='%s' at [0x%" PRIx64
                       ":0x%" PRIx64 "]", hint, hint + size - 1, r->id,
                       r->addr, r->addr + r->size - 1);
            return false;
        }
    }
    return true;
}

bool memory_place(const PlacementSpace *space, const uint64_t *hint,
                  uint64_t align, uint64_t size, uint64_t *addr, Error **errp)
{
    uint64_t at = space->addr;
    bool ok;

    g_assert(is_power_of_2(align) && size > 0);
    if (hint) {
        ok = check_hint(space, *hint, align, size, errp);
        *addr = ok ? *hint : *addr;
        return ok;
    }
    ok = align_up(&at, align);
    for (size_t i = 0; ok && i < space->nr_used; i++) {
        const PlacedRange *r = &space->used[i];

        if (at < r->addr && r->addr - at >= size) {
            break;
        }
        if (at < r->addr + r->size) {
            at = r->addr + r->size;
            ok = align_up(&at, align);
        }
    }
    if (!ok || !fits_space(space, at, size)) {
        error_setg(errp, "could not find position in guest address space for "
                   "memory device of 0x%" PRIx64 " bytes - memory fragmented "
                   "due to alignments (0x%" PRIx64 " here); a larger maxmem "
                   "or devices in another order may help", size, align);
        return false;
    }
    *addr = at;
    return true;
}
