/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What interrupt controllers have in common: they count, for "info irq".
 * QEMU's names.
 */
#ifndef HW_INTC_H
#define HW_INTC_H

#include "qom/object.h"

#define TYPE_INTERRUPT_STATS_PROVIDER "intctrl"
typedef struct InterruptStatsProviderClass InterruptStatsProviderClass;
typedef struct InterruptStatsProvider InterruptStatsProvider;
DECLARE_CLASS_CHECKERS(InterruptStatsProviderClass, INTERRUPT_STATS_PROVIDER,
                       TYPE_INTERRUPT_STATS_PROVIDER)
#define INTERRUPT_STATS_PROVIDER(obj)                                        \
    INTERFACE_CHECK(InterruptStatsProvider, (obj),                           \
                    TYPE_INTERRUPT_STATS_PROVIDER)

struct InterruptStatsProviderClass {
    InterfaceClass parent;

    /* How often each of *nb_irqs inputs was raised; *irq_counts stays the
     * provider's. */
    bool (*get_statistics)(InterruptStatsProvider *obj, uint64_t **irq_counts,
                           unsigned int *nb_irqs);
};

#endif
