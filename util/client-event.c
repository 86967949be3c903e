/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way from whoever has an event to tell to the monitor, which they must
 * not know (qapi/client-event.h).
 */
#include "qemu/osdep.h"

#include "qapi/client-event.h"

static QapiEventEmitter *event_emitter;
static QapiThinnedEmitter *thinned_emitter;
static QapiSourceForgetter *source_forgetter;

void qapi_event_set_emitter(QapiEventEmitter *emitter)
{
    event_emitter = emitter;
    qapi_event_set_thinned_emitter(NULL, NULL);
}

void qapi_event_emit(const char *event, JsonObject *data)
{
    if (event_emitter) {
        event_emitter(event, data);
    } else if (data) {
        json_object_unref(data);
    }
}

void qapi_event_set_thinned_emitter(QapiThinnedEmitter *emitter,
                                    QapiSourceForgetter *forgetter)
{
    thinned_emitter = emitter;
    source_forgetter = forgetter;
}

void qapi_event_emit_thinned(const char *event, QapiEventData *data_of,
                             void *source)
{
    if (thinned_emitter) {
        thinned_emitter(event, data_of, source);
    } else {
        qapi_event_emit(event, data_of(source));
    }
}

void qapi_event_forget_source(void *source)
{
    if (source_forgetter) {
        source_forgetter(source);
    }
}
