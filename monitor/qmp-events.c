/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QMP events: stamped with the time and sent to every session. Events that
 * repeat quickly are thinned out per source: the first is sent at once, of
 * those within the next second only the last, at its end.
 */
#include "qemu/osdep.h"

#include "qapi/qmp-event.h"
#include "qemu/timer.h"
#include "sysemu/qtest.h"

#include "monitor-internal.h"

#define QMP_EVENT_INTERVAL_NS (1000 * 1000 * 1000LL)

/* What is thinned out, and by which member its sources are told apart. */
static const struct {
    const char *event;
    const char *key;
} qmp_rate_limits[] = {
    { "BALLOON_CHANGE", "" },             /* one source only */
    { "MEMORY_DEVICE_SIZE_CHANGE", "qom-path" },
};

/* An event of one source that was sent less than an interval ago. */
typedef struct QmpRecentEvent {
    char *key;                            /* event and source; the table's */
    QEMUTimer *timer;
    JsonObject *waiting;                  /* NULL: none has come since */
} QmpRecentEvent;

/* key -> QmpRecentEvent */
static GHashTable *qmp_recent_events;

static void qmp_recent_event_free(gpointer data)
{
    QmpRecentEvent *recent = data;

    timer_free(recent->timer);
    g_clear_pointer(&recent->waiting, json_object_unref);
    g_free(recent->key);
    g_free(recent);
}

/* A test moves the clock by itself and wants the same events each time. */
static QEMUClockType qmp_event_clock(void)
{
    return qtest_enabled() ? QEMU_CLOCK_VIRTUAL : QEMU_CLOCK_REALTIME;
}

static JsonObject *qmp_event_new(const char *name, JsonObject *data)
{
    gint64 now = g_get_real_time();
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

static void qmp_recent_event_rearm(QmpRecentEvent *recent)
{
    timer_mod(recent->timer,
              qemu_clock_get_ns(qmp_event_clock()) + QMP_EVENT_INTERVAL_NS);
}

/* The interval is over. */
static void qmp_recent_event_expire(void *opaque)
{
    QmpRecentEvent *recent = opaque;
    g_autoptr(JsonObject) event = g_steal_pointer(&recent->waiting);

    if (!event) {
        g_hash_table_remove(qmp_recent_events, recent->key);
        return;
    }
    qmp_recent_event_rearm(recent);
    qmp_sessions_broadcast(event);
}

/* "EVENT SOURCE" if @name is thinned out, else NULL. */
static char *qmp_rate_limit_key(const char *name, JsonObject *data)
{
    for (size_t i = 0; i < ARRAY_SIZE(qmp_rate_limits); i++) {
        const char *key = qmp_rate_limits[i].key;

        if (!strcmp(name, qmp_rate_limits[i].event)) {
            const char *source = "";

            if (data && json_object_has_member(data, key)) {
                source = json_object_get_string_member(data, key);
            }
            return g_strdup_printf("%s %s", name, source);
        }
    }
    return NULL;
}

/* Sends @event of the source @key (taken) now or at the interval's end. */
static void qmp_event_send_limited(char *key, JsonObject *event)
{
    QmpRecentEvent *recent;

    if (!qmp_recent_events) {
        qmp_recent_events = g_hash_table_new_full(g_str_hash, g_str_equal,
                                                  NULL, qmp_recent_event_free);
    }
    recent = g_hash_table_lookup(qmp_recent_events, key);
    if (recent) {
        g_clear_pointer(&recent->waiting, json_object_unref);
        recent->waiting = json_object_ref(event);
        g_free(key);
        return;
    }
    recent = g_new0(QmpRecentEvent, 1);
    recent->key = key;
    recent->timer = timer_new_ns(qmp_event_clock(), qmp_recent_event_expire,
                                 recent);
    g_hash_table_insert(qmp_recent_events, key, recent);
    qmp_recent_event_rearm(recent);
    qmp_sessions_broadcast(event);
}

static void qmp_event_emit(const char *name, JsonObject *data)
{
    char *key = qmp_rate_limit_key(name, data);
    g_autoptr(JsonObject) event = qmp_event_new(name, data);

    if (key) {
        qmp_event_send_limited(key, event);
    } else {
        qmp_sessions_broadcast(event);
    }
}

static void qmp_events_init(void)
{
    qapi_event_set_emitter(qmp_event_emit);
}
type_init(qmp_events_init)
