/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The list of what a system reset calls. The tree of buses is one entry of it
 * (sysbus.c); CPUs and whatever sits on no bus register by themselves.
 */
#include "qemu/osdep.h"
#include "sysemu/reset.h"

typedef struct ResetStep {
    QEMUResetHandler *func;
    void *opaque;
} ResetStep;

/* Of ResetStep, in the order of registration. */
static GQueue steps = G_QUEUE_INIT;

/* What qemu_devices_reset() goes on with. */
static GList *next_step;

void qemu_register_reset(QEMUResetHandler *func, void *opaque)
{
    const ResetStep step = { func, opaque };

    g_queue_push_tail(&steps, g_memdup2(&step, sizeof(step)));
}

static gint differs(gconstpointer a, gconstpointer b)
{
    return memcmp(a, b, sizeof(ResetStep));
}

void qemu_unregister_reset(QEMUResetHandler *func, void *opaque)
{
    const ResetStep wanted = { func, opaque };
    GList *found = g_queue_find_custom(&steps, &wanted, differs);

    if (!found) {
        return;
    }
    if (found == next_step) {
        next_step = found->next;
    }
    g_free(found->data);
    g_queue_delete_link(&steps, found);
}

void qemu_devices_reset(void)
{
    /* A handler may unregister itself and others: a reset completes unplugs. */
    for (GList *l = steps.head; l; l = next_step) {
        ResetStep *step = l->data;

        next_step = l->next;
        step->func(step->opaque);
    }
}
