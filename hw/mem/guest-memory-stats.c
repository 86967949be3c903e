/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The interface of who tells the guest's memory statistics. */
#include "qemu/osdep.h"

#include "hw/mem/guest-memory-stats.h"

Object *guest_memory_stats_find(void)
{
    return object_resolve_path_type("", TYPE_GUEST_MEMORY_STATS, NULL);
}

static NotifierList listeners = NOTIFIER_LIST_INITIALIZER(listeners);

void guest_memory_stats_add_listener(Notifier *listener)
{
    notifier_list_add(&listeners, listener);
}

void guest_memory_stats_updated(void)
{
    notifier_list_notify(&listeners, NULL);
}

static const TypeInfo guest_memory_stats_types[] = {
    {
        .name = TYPE_GUEST_MEMORY_STATS,
        .parent = TYPE_INTERFACE,
        .class_size = sizeof(GuestMemoryStatsClass),
    },
};
DEFINE_TYPES(guest_memory_stats_types)
