/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pins: ranges of a managed region that cannot be discarded for now (law L9 of
 * exec/memory.h). Used by who hands guest memory to somebody that cannot be
 * stopped at once, by way of exec/memory-pin.h; asked before each discard. A
 * list: there are as many as requests in flight have buffers, and discards are
 * rare beside those.
 *
 * I/O threads pin and unpin, too. Nobody waits for anything under the lock.
 */
#include "qemu/osdep.h"
#include "exec/ram-discard.h"

static GMutex pins_lock;                  /* of the pins of all regions */

void ram_discard_state_pin(RamDiscardState *s, RamDiscardPin *pin,
                           uint64_t offset, uint64_t size)
{
    g_assert(ram_discard_state_is_populated(s, offset, size));
    pin->offset = offset;
    pin->size = size;
    g_mutex_lock(&pins_lock);
    QLIST_INSERT_HEAD(&s->pins, pin, next);
    g_mutex_unlock(&pins_lock);
}

void ram_discard_pin_remove(RamDiscardPin *pin)
{
    g_mutex_lock(&pins_lock);
    QLIST_REMOVE(pin, next);
    g_mutex_unlock(&pins_lock);
}

bool ram_discard_state_is_pinned(const RamDiscardState *s, uint64_t offset,
                                 uint64_t size)
{
    const RamDiscardPin *pin;

    g_mutex_lock(&pins_lock);
    QLIST_FOREACH(pin, &s->pins, next) {
        if (pin->offset < offset + size && offset < pin->offset + pin->size) {
            break;
        }
    }
    g_mutex_unlock(&pins_lock);
    return pin;
}
