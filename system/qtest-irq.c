/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Listening to interrupt lines (qtest-irq.h): each keeps leading where it led,
 * and the server hears of what changes.
 */
#include "qemu/osdep.h"

#include "hw/irq.h"
#include "hw/qdev-core.h"
#include "qtest-irq.h"

static QTestIRQFunc *irq_changed;
static DeviceState *irq_dev;              /* intercepted; NULL: none */
static bool irq_outputs;
/* The numbers of the raised lines. */
static GHashTable *irq_high;

void qtest_irq_set_observer(QTestIRQFunc *changed)
{
    irq_changed = changed;
}

void qtest_irq_reset(void)
{
    if (irq_high) {
        g_hash_table_remove_all(irq_high);
    }
}

/* @opaque: the line that was intercepted, NULL if it led nowhere. */
static void handle_irq(void *opaque, int n, int level)
{
    void *line = GINT_TO_POINTER(n);

    qemu_set_irq(opaque, level);
    if (g_hash_table_contains(irq_high, line) == (level != 0)) {
        return;
    }
    if (level) {
        g_hash_table_add(irq_high, line);
    } else {
        g_hash_table_remove(irq_high, line);
    }
    if (irq_changed) {
        irq_changed(n, level != 0);
    }
}

static void intercept_outputs(DeviceState *dev, NamedGPIOList *list)
{
    for (int i = 0; i < list->num_out; i++) {
        qemu_irq old = qdev_get_gpio_out_connector(dev, list->name, i);

        qdev_intercept_gpio_out(dev, qemu_allocate_irq(handle_irq, old, i),
                                list->name, i);
    }
}

bool qtest_irq_intercept(const char *path, bool outputs, Error **errp)
{
    DeviceState *dev = (DeviceState *)object_dynamic_cast(
        object_resolve_path(path, NULL), TYPE_DEVICE);
    NamedGPIOList *list;

    if (!dev) {
        error_setg(errp, "Unknown device");
        return false;
    }
    if (irq_dev) {
        if (irq_dev != dev || irq_outputs != outputs) {
            error_setg(errp, "IRQ intercept already enabled");
            return false;
        }
        return true;
    }
    irq_high = g_hash_table_new(NULL, NULL);
    irq_dev = dev;
    irq_outputs = outputs;
    QLIST_FOREACH(list, &dev->gpios, node) {
        if (outputs) {
            intercept_outputs(dev, list);
        } else if (!list->name) {
            qemu_irq_intercept_in(list->in, handle_irq, list->num_in);
        }
    }
    return true;
}
