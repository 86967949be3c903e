/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The interrupt inputs and outputs of a device. Inputs are lines that the
 * device made; outputs are places in the device's struct that hold whatever
 * the board connected. An output keeps what it is connected to alive.
 */
#include "qemu/osdep.h"
#include "hw/irq.h"
#include "qdev-internal.h"

/* The lines called @name (NULL: those without a name), or NULL. */
static NamedGPIOList *find_lines(DeviceState *dev, const char *name)
{
    NamedGPIOList *lines = QLIST_FIRST(&dev->gpios);

    while (lines && g_strcmp0(lines->name, name)) {
        lines = QLIST_NEXT(lines, node);
    }
    return lines;
}

/* The same, made if there are none so far: the device is still being built. */
static NamedGPIOList *get_lines(DeviceState *dev, const char *name)
{
    NamedGPIOList *lines = find_lines(dev, name);

    g_assert(!dev->realized);
    if (!lines) {
        lines = g_new0(NamedGPIOList, 1);
        lines->name = g_strdup(name);
        QLIST_INSERT_HEAD(&dev->gpios, lines, node);
    }
    return lines;
}

/* --- inputs --- */

void qdev_init_gpio_in_named_with_opaque(DeviceState *dev,
                                         qemu_irq_handler handler,
                                         void *opaque, const char *name, int n)
{
    NamedGPIOList *lines = get_lines(dev, name);

    lines->in = qemu_extend_irqs(lines->in, lines->num_in, handler, opaque, n);
    lines->num_in += n;
}

void qdev_init_gpio_in(DeviceState *dev, qemu_irq_handler handler, int n)
{
    qdev_init_gpio_in_named_with_opaque(dev, handler, dev, NULL, n);
}

qemu_irq qdev_get_gpio_in_named(DeviceState *dev, const char *name, int n)
{
    NamedGPIOList *lines = find_lines(dev, name);

    g_assert(lines && n >= 0 && n < lines->num_in);
    return lines->in[n];
}

qemu_irq qdev_get_gpio_in(DeviceState *dev, int n)
{
    return qdev_get_gpio_in_named(dev, NULL, n);
}

/* --- outputs --- */

void qdev_init_gpio_out_named(DeviceState *dev, qemu_irq *pins,
                              const char *name, int n)
{
    NamedGPIOList *lines = get_lines(dev, name);

    memset(pins, 0, n * sizeof(*pins));
    lines->out = g_renew(qemu_irq *, lines->out, lines->num_out + n);
    for (int i = 0; i < n; i++) {
        lines->out[lines->num_out++] = &pins[i];
    }
}

void qdev_init_gpio_out(DeviceState *dev, qemu_irq *pins, int n)
{
    qdev_init_gpio_out_named(dev, pins, NULL, n);
}

/* Where output @n keeps what it is connected to. */
static qemu_irq *output_slot(DeviceState *dev, const char *name, int n)
{
    NamedGPIOList *lines = find_lines(dev, name);

    g_assert(lines && n >= 0 && n < lines->num_out);
    return lines->out[n];
}

qemu_irq qdev_get_gpio_out_connector(DeviceState *dev, const char *name, int n)
{
    return *output_slot(dev, name, n);
}

qemu_irq qdev_intercept_gpio_out(DeviceState *dev, qemu_irq icpt,
                                 const char *name, int n)
{
    qemu_irq *slot = output_slot(dev, name, n);
    qemu_irq old = *slot;

    /* The slot's reference to @old passes to the interceptor, for ever. */
    *slot = icpt;
    object_ref(icpt);
    return old;
}

void qdev_connect_gpio_out_named(DeviceState *dev, const char *name, int n,
                                 qemu_irq pin)
{
    object_unref(qdev_intercept_gpio_out(dev, pin, name, n));
}

void qdev_connect_gpio_out(DeviceState *dev, int n, qemu_irq pin)
{
    qdev_connect_gpio_out_named(dev, NULL, n, pin);
}

/* --- the end --- */

static void free_lines(NamedGPIOList *lines)
{
    for (int i = 0; i < lines->num_out; i++) {
        object_unref(*lines->out[i]);
    }
    qemu_free_irqs(lines->in, lines->num_in);
    g_free(lines->out);
    g_free(lines->name);
    g_free(lines);
}

void qdev_free_gpios(DeviceState *dev)
{
    NamedGPIOList *lines;

    while ((lines = QLIST_FIRST(&dev->gpios))) {
        QLIST_REMOVE(lines, node);
        free_lines(lines);
    }
}
