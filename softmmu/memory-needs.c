/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The list of those who lock or map guest memory: see exec/memory-needs.h. */
#include "qemu/osdep.h"

#include "exec/memory-needs.h"

static QLIST_HEAD(, MemoryConsumer) consumers =
    QLIST_HEAD_INITIALIZER(consumers);
static QLIST_HEAD(, MemoryForecast) forecasts =
    QLIST_HEAD_INITIALIZER(forecasts);

void memory_consumer_register(MemoryConsumer *consumer)
{
    QLIST_INSERT_HEAD(&consumers, consumer, next);
}

void memory_consumer_unregister(MemoryConsumer *consumer)
{
    QLIST_REMOVE(consumer, next);
}

void memory_forecast_register(MemoryForecast *forecast)
{
    QLIST_INSERT_HEAD(&forecasts, forecast, next);
}

const MemoryForecast *memory_forecast_find(const char *driver)
{
    const MemoryForecast *forecast;

    QLIST_FOREACH(forecast, &forecasts, next) {
        if (!strcmp(forecast->driver, driver)) {
            return forecast;
        }
    }
    return NULL;
}

void memory_needs_foreach(void (*fn)(const MemoryNeeds *needs, void *opaque),
                          void *opaque)
{
    MemoryConsumer *consumer;

    QLIST_FOREACH(consumer, &consumers, next) {
        MemoryNeeds needs = { 0 };

        consumer->get_needs(consumer, &needs);
        fn(&needs, opaque);
    }
}
