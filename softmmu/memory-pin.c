/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pinned guest memory (exec/memory-pin.h), and address_space_map(), which pins
 * what it maps for those who have no place to keep a pin.
 */
#include "qemu/osdep.h"
#include "exec/memory-pin.h"
#include "qemu/aio-context.h"

/* The big lock is held. */
static gboolean unref_now(gpointer mr)
{
    memory_region_unref(mr);
    return G_SOURCE_REMOVE;
}

/* The region may have left the memory map; its owner goes with it only where
 * the big lock is held. */
static void unref(MemoryRegion *mr)
{
    if (!aio_in_turn()) {
        memory_region_unref(mr);
    } else if (!object_unref_unless_last(mr->owner ?: OBJECT(mr))) {
        g_idle_add_full(G_PRIORITY_DEFAULT, unref_now, mr, NULL);
    }
}

void memory_pin(MemoryPin *pin, const MemoryRun *run, hwaddr addr, hwaddr len)
{
    RamDiscardState *s = run->mr->discard_state;

    pin->mr = run->mr;
    pin->managed = s != NULL;
    if (s) {
        ram_discard_state_pin(s, &pin->discard,
                              run->offset + (addr - run->first), len);
    }
    memory_region_ref(pin->mr);
}

void memory_unpin(MemoryPin *pin)
{
    if (pin->managed) {
        ram_discard_pin_remove(&pin->discard);
    }
    unref(pin->mr);
}

/* --- mapping --- */

typedef struct Mapping {
    MemoryPin pin;
    void *host;
    hwaddr len;
    QLIST_ENTRY(Mapping) next;
} Mapping;

static QLIST_HEAD(, Mapping) mappings = QLIST_HEAD_INITIALIZER(mappings);

void *address_space_map(AddressSpace *as, hwaddr addr, hwaddr *plen,
                        bool is_write, MemTxAttrs attrs)
{
    hwaddr len = *plen;
    MemoryRun run;
    Mapping *m;

    *plen = 0;
    if (!len || !address_space_find_run(as, addr, &run) ||
        (is_write && run.readonly)) {
        return NULL;
    }
    m = g_new(Mapping, 1);
    m->host = run.host + (addr - run.first);
    m->len = MIN(len - 1, run.last - addr) + 1;
    memory_pin(&m->pin, &run, addr, m->len);
    QLIST_INSERT_HEAD(&mappings, m, next);
    *plen = m->len;
    return m->host;
}

void address_space_unmap(AddressSpace *as, void *buffer, hwaddr len,
                         bool is_write, hwaddr access_len)
{
    Mapping *m;

    QLIST_FOREACH(m, &mappings, next) {
        if (m->host == buffer && m->len == len) {
            break;
        }
    }
    g_assert(m);
    QLIST_REMOVE(m, next);
    memory_unpin(&m->pin);
    g_free(m);
}
