/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way from whoever has an event to tell to the monitor, which they must
 * not know (qapi/qmp-event.h).
 */
#include "qemu/osdep.h"

#include "qapi/qmp-event.h"

static QapiEventEmitter *event_emitter;

void qapi_event_set_emitter(QapiEventEmitter *emitter)
{
    event_emitter = emitter;
}

void qapi_event_emit(const char *event, JsonObject *data)
{
    if (event_emitter) {
        event_emitter(event, data);
    } else if (data) {
        json_object_unref(data);
    }
}
