/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The list of what a system reset calls. The tree of buses is one entry of it
 * (sysbus.c); CPUs and whatever sits on no bus register by themselves.
 */
#include "qemu/osdep.h"
#include "qemu/queue.h"
#include "sysemu/reset.h"

typedef struct ResetEntry {
    QEMUResetHandler *func;
    void *opaque;
    QTAILQ_ENTRY(ResetEntry) entry;
} ResetEntry;

static QTAILQ_HEAD(, ResetEntry) reset_handlers =
    QTAILQ_HEAD_INITIALIZER(reset_handlers);

/* The entry that qemu_devices_reset() goes on with. */
static ResetEntry *next_entry;

void qemu_register_reset(QEMUResetHandler *func, void *opaque)
{
    ResetEntry *re = g_new0(ResetEntry, 1);

    re->func = func;
    re->opaque = opaque;
    QTAILQ_INSERT_TAIL(&reset_handlers, re, entry);
}

void qemu_unregister_reset(QEMUResetHandler *func, void *opaque)
{
    ResetEntry *re;

    QTAILQ_FOREACH(re, &reset_handlers, entry) {
        if (re->func == func && re->opaque == opaque) {
            if (re == next_entry) {
                next_entry = QTAILQ_NEXT(re, entry);
            }
            QTAILQ_REMOVE(&reset_handlers, re, entry);
            g_free(re);
            return;
        }
    }
}

void qemu_devices_reset(void)
{
    ResetEntry *re = QTAILQ_FIRST(&reset_handlers);

    /* A handler may unregister itself and others: a reset completes unplugs. */
    for (; re; re = next_entry) {
        next_entry = QTAILQ_NEXT(re, entry);
        re->func(re->opaque);
    }
}
