/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QMP events: stamped with the time and sent to every session. Events that
 * repeat quickly are thinned out per source: the first is sent at once, for
 * those within the next second one at its end, which is not built before.
 */
#include "qemu/osdep.h"

#include "qapi/client-event.h"
#include "qemu/timer.h"
#include "sysemu/qtest.h"

#include "monitor-internal.h"
#include "trace.h"

#define QMP_EVENT_INTERVAL_NS (1000 * 1000 * 1000LL)

/* A source whose event was sent less than an interval ago. */
typedef struct QmpRecentEvent {
    void *source;
    const char *event;
    QapiEventData *data_of;
    QEMUTimer *timer;
    bool waiting;                         /* another one is to be sent */
} QmpRecentEvent;

/* source -> QmpRecentEvent */
static GHashTable *qmp_recent_events;

static void qmp_recent_event_free(gpointer data)
{
    QmpRecentEvent *recent = data;

    timer_free(recent->timer);
    g_free(recent);
}

/* A test moves the clock by itself and wants the same events each time. */
static QEMUClockType qmp_event_clock(void)
{
    return qtest_enabled() ? QEMU_CLOCK_VIRTUAL : QEMU_CLOCK_REALTIME;
}

static JsonObject *qmp_event_new(const char *name, JsonObject *data)
{
    gint64 now = qemu_clock_get_ns(QEMU_CLOCK_HOST) / SCALE_US;
    JsonObject *event = json_object_new();
    JsonObject *timestamp = json_object_new();

    json_object_set_int_member(timestamp, "seconds", now / G_USEC_PER_SEC);
    json_object_set_int_member(timestamp, "microseconds",
                               now % G_USEC_PER_SEC);
    json_object_set_object_member(event, "timestamp", timestamp);
    json_object_set_string_member(event, "event", name);
    if (data) {
        json_object_set_object_member(event, "data", data);
    }
    return event;
}

/* Takes @data. */
static void qmp_event_emit(const char *name, JsonObject *data)
{
    g_autoptr(JsonObject) event = qmp_event_new(name, data);

    trace_qmp_event(name);
    qmp_sessions_broadcast(event);
}

static void qmp_recent_event_send(QmpRecentEvent *recent)
{
    recent->waiting = false;
    timer_mod(recent->timer,
              qemu_clock_get_ns(qmp_event_clock()) + QMP_EVENT_INTERVAL_NS);
    qmp_event_emit(recent->event, recent->data_of(recent->source));
}

/* The interval is over. */
static void qmp_recent_event_expire(void *opaque)
{
    QmpRecentEvent *recent = opaque;

    if (recent->waiting) {
        qmp_recent_event_send(recent);
    } else {
        g_hash_table_remove(qmp_recent_events, recent->source);
    }
}

static void qmp_event_emit_thinned(const char *event, QapiEventData *data_of,
                                   void *source)
{
    QmpRecentEvent *recent = g_hash_table_lookup(qmp_recent_events, source);

    if (recent) {
        g_assert(!strcmp(recent->event, event));
        recent->waiting = true;
        return;
    }
    recent = g_new0(QmpRecentEvent, 1);
    recent->source = source;
    recent->event = event;
    recent->data_of = data_of;
    recent->timer = timer_new_ns(qmp_event_clock(), qmp_recent_event_expire,
                                 recent);
    g_hash_table_insert(qmp_recent_events, source, recent);
    qmp_recent_event_send(recent);
}

static void qmp_event_forget_source(void *source)
{
    QmpRecentEvent *recent = g_hash_table_lookup(qmp_recent_events, source);

    if (recent && recent->waiting) {
        qmp_event_emit(recent->event, recent->data_of(source));
    }
    g_hash_table_remove(qmp_recent_events, source);
}

static void qmp_events_init(void)
{
    qmp_recent_events = g_hash_table_new_full(NULL, NULL, NULL,
                                              qmp_recent_event_free);
    qapi_event_set_emitter(qmp_event_emit);
    qapi_event_set_thinned_emitter(qmp_event_emit_thinned,
                                   qmp_event_forget_source);
}
type_init(qmp_events_init)
