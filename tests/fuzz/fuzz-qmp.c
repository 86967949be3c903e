/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bytes from a QMP client: cut into values by qmp-stream.c, in pieces as the first
 * byte says, and carried out on a machine. What would end the process or touch
 * files is left out.
 */
#include "qemu/osdep.h"

#include <json-glib/json-glib.h>

#include "machine.h"
#include "monitor/qmp-stream.h"
#include "monitor/qmp.h"

/* A value, or what is wrong with the input: there must be a reply to either. */
static void handle(void *opaque, JsonNode *value, Error *err)
{
    g_autofree char *text = NULL;
    JsonObject *response;

    if (err) {
        response = qmp_error_response(err);
        g_assert_true(json_object_has_member(response, "error"));
        json_object_unref(response);
        return;
    }
    text = json_to_string(value, false);
    g_assert_true(g_utf8_validate(text, -1, NULL));
    fuzz_qmp("%s", text);
}

int fuzz_one(const uint8_t *data, size_t size)
{
    FuzzInput in = { data, data + size };
    size_t piece = 1 + fuzz_u8(&in);
    QmpStream *stream = qmp_stream_new(handle, NULL);

    fuzz_fresh();
    while (in.at < in.end) {
        size_t n = MIN(piece, (size_t)(in.end - in.at));

        qmp_stream_feed(stream, (const char *)in.at, n);
        in.at += n;
    }
    qmp_stream_free(stream);
    fuzz_settle();
    return 0;
}
