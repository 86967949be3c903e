/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Events for QMP clients, as those who have something to tell see them. The
 * monitor installs the emitter; without one (unit tests) events vanish.
 * Big lock held.
 */
#ifndef QAPI_QMP_EVENT_H
#define QAPI_QMP_EVENT_H

#include <json-glib/json-glib.h>

/* @data: transfer full; NULL if the event has none. */
typedef void QapiEventEmitter(const char *event, JsonObject *data);

/* NULL: none. */
void qapi_event_set_emitter(QapiEventEmitter *emitter);
void qapi_event_emit(const char *event, JsonObject *data);

#endif
