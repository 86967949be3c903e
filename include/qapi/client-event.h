/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Events for QMP clients, as those who have something to tell see them. The
 * monitor installs the emitter; without one (unit tests) events vanish.
 * Big lock held.
 */
#ifndef QAPI_CLIENT_EVENT_H
#define QAPI_CLIENT_EVENT_H

#include <json-glib/json-glib.h>

/* @data: transfer full; NULL if the event has none. */
typedef void QapiEventEmitter(const char *event, JsonObject *data);

/* NULL: none. There is no emitter for thinned events then, either. */
void qapi_event_set_emitter(QapiEventEmitter *emitter);
void qapi_event_emit(const char *event, JsonObject *data);

/*
 * Events that repeat quickly are thinned out: of those that come within a
 * second of the last that was sent, one is sent, at the end of that second. It
 * says how things are by then; that nothing is said of, or built for, those in
 * between is what makes them cheap enough for a guest's request path.
 */

/* What the event has to say now; transfer full. */
typedef JsonObject *QapiEventData(void *source);
typedef void QapiThinnedEmitter(const char *event, QapiEventData *data_of,
                                void *source);
typedef void QapiSourceForgetter(void *source);

/* NULL: thinned events are emitted as any other. */
void qapi_event_set_thinned_emitter(QapiThinnedEmitter *emitter,
                                    QapiSourceForgetter *forgetter);
/* @source tells sources apart, has this one event, and must stay valid until
 * it is forgotten. @event: a literal. */
void qapi_event_emit_thinned(const char *event, QapiEventData *data_of,
                             void *source);
/* Sends what waits of @source now. No harm if it never had an event. */
void qapi_event_forget_source(void *source);

#endif
