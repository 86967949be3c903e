/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Arguments of -device and -object, one a line, as text or JSON: parsed as the
 * command line does, and created in a running machine; those that name a file are
 * only parsed.
 */
#include "qemu/osdep.h"

#include "machine.h"
#include "qapi/error.h"
#include "qemu/keyval.h"
#include "qom/object_interfaces.h"
#include "system/qdev-monitor.h"
#include "system/vl-internal.h"

#define MOST_LINES 20

static void add_device(const char *text)
{
    bool keyval = true, help = false;
    Error *err = NULL;
    g_autoptr(JsonObject) opts = vl_parse_keyval(text, "driver", &keyval, &help,
                                                 &err);

    if (opts && !help && !fuzz_names_a_file(text)) {
        qdev_device_add_from_json(opts, keyval, &err);
    }
    error_free(err);
}

static void add_object(const char *text)
{
    bool keyval = true, help = false;
    Error *err = NULL;
    g_autoptr(JsonObject) opts = vl_parse_keyval(text, "qom-type", &keyval, &help,
                                                 &err);

    if (opts && !help && !fuzz_names_a_file(text)) {
        user_creatable_add_from_json(opts, keyval, &err);
    }
    error_free(err);
}

int fuzz_one(const uint8_t *data, size_t size)
{
    FuzzInput in = { data, data + size };
    g_autofree char *text = fuzz_text(&in, size);
    g_auto(GStrv) lines = g_strsplit(text, "\n", MOST_LINES);

    fuzz_fresh();
    for (char **line = lines; *line; line++) {
        if (**line == 'o') {
            add_object(*line + 1);
        } else if (**line) {
            add_device(*line + 1);
        }
    }
    fuzz_settle();
    return 0;
}
