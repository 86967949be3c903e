/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The interrupt inputs and outputs of a device. Inputs are lines that the
 * device made; outputs are places in the device's struct that hold whatever
 * the board connected. An output keeps what it is connected to alive.
 */
#include "qemu/osdep.h"
#include "hw/irq.h"
#include "qdev-internal.h"

static NamedGPIOList *gpio_list_find(DeviceState *dev, const char *name)
{
    NamedGPIOList *ngl;

    QLIST_FOREACH(ngl, &dev->gpios, node) {
        if (g_strcmp0(name, ngl->name) == 0) {
            return ngl;
        }
    }
    return NULL;
}

/* The lines called @name, made if there are none so far. */
static NamedGPIOList *gpio_list_get(DeviceState *dev, const char *name)
{
    NamedGPIOList *ngl = gpio_list_find(dev, name);

    if (!ngl) {
        ngl = g_new0(NamedGPIOList, 1);
        ngl->name = g_strdup(name);
        QLIST_INSERT_HEAD(&dev->gpios, ngl, node);
    }
    return ngl;
}

void qdev_init_gpio_in_named_with_opaque(DeviceState *dev,
                                         qemu_irq_handler handler,
                                         void *opaque, const char *name, int n)
{
    NamedGPIOList *ngl = gpio_list_get(dev, name);

    g_assert(!dev->realized);
    ngl->in = qemu_extend_irqs(ngl->in, ngl->num_in, handler, opaque, n);
    ngl->num_in += n;
}

void qdev_init_gpio_in_named(DeviceState *dev, qemu_irq_handler handler,
                             const char *name, int n)
{
    qdev_init_gpio_in_named_with_opaque(dev, handler, dev, name, n);
}

void qdev_init_gpio_in(DeviceState *dev, qemu_irq_handler handler, int n)
{
    qdev_init_gpio_in_named(dev, handler, NULL, n);
}

void qdev_init_gpio_out_named(DeviceState *dev, qemu_irq *pins,
                              const char *name, int n)
{
    NamedGPIOList *ngl = gpio_list_get(dev, name);

    g_assert(!dev->realized);
    ngl->out = g_renew(qemu_irq *, ngl->out, ngl->num_out + n);
    for (int i = 0; i < n; i++) {
        pins[i] = NULL;
        ngl->out[ngl->num_out + i] = &pins[i];
    }
    ngl->num_out += n;
}

void qdev_init_gpio_out(DeviceState *dev, qemu_irq *pins, int n)
{
    qdev_init_gpio_out_named(dev, pins, NULL, n);
}

qemu_irq qdev_get_gpio_in_named(DeviceState *dev, const char *name, int n)
{
    NamedGPIOList *ngl = gpio_list_find(dev, name);

    g_assert(ngl && n >= 0 && n < ngl->num_in);
    return ngl->in[n];
}

qemu_irq qdev_get_gpio_in(DeviceState *dev, int n)
{
    return qdev_get_gpio_in_named(dev, NULL, n);
}

static qemu_irq *gpio_out_pin(DeviceState *dev, const char *name, int n)
{
    NamedGPIOList *ngl = gpio_list_find(dev, name);

    g_assert(ngl && n >= 0 && n < ngl->num_out);
    return ngl->out[n];
}

void qdev_connect_gpio_out_named(DeviceState *dev, const char *name, int n,
                                 qemu_irq pin)
{
    qemu_irq *slot = gpio_out_pin(dev, name, n);

    if (pin) {
        object_ref(pin);
    }
    if (*slot) {
        object_unref(*slot);
    }
    *slot = pin;
}

void qdev_connect_gpio_out(DeviceState *dev, int n, qemu_irq pin)
{
    qdev_connect_gpio_out_named(dev, NULL, n, pin);
}

qemu_irq qdev_get_gpio_out_connector(DeviceState *dev, const char *name, int n)
{
    return *gpio_out_pin(dev, name, n);
}

qemu_irq qdev_intercept_gpio_out(DeviceState *dev, qemu_irq icpt,
                                 const char *name, int n)
{
    qemu_irq *slot = gpio_out_pin(dev, name, n);
    qemu_irq old = *slot;

    /* The slot's reference to @old passes to the interceptor, for ever. */
    if (icpt) {
        object_ref(icpt);
    }
    *slot = icpt;
    return old;
}

void qdev_free_gpios(DeviceState *dev)
{
    NamedGPIOList *ngl, *next;

    QLIST_FOREACH_SAFE(ngl, &dev->gpios, node, next) {
        QLIST_REMOVE(ngl, node);
        for (int i = 0; i < ngl->num_out; i++) {
            if (*ngl->out[i]) {
                object_unref(*ngl->out[i]);
            }
        }
        qemu_free_irqs(ngl->in, ngl->num_in);
        g_free(ngl->out);
        g_free(ngl->name);
        g_free(ngl);
    }
}
