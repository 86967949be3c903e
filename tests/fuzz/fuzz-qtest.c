/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines from a qtest client, each carried out on a machine. */
#include "qemu/osdep.h"

#include "machine.h"
#include "system/qtest-commands.h"

#define MOST_LINES 200
/* A memset of more takes long and shows nothing. */
#define MOST_DIGITS 9

static bool takes_long(const char *line)
{
    unsigned digits = 0;

    if (!g_str_has_prefix(line, "memset")) {
        return false;
    }
    for (const char *p = strrchr(line, ' '); p && *p; p++) {
        digits++;
    }
    return digits > MOST_DIGITS;
}

int fuzz_one(const uint8_t *data, size_t size)
{
    FuzzInput in = { data, data + size };
    g_autofree char *text = fuzz_text(&in, size);
    g_auto(GStrv) lines = g_strsplit(text, "\n", MOST_LINES);

    fuzz_fresh();
    for (char **line = lines; *line; line++) {
        g_autoptr(GString) reply = g_string_new("OK");
        Error *err = NULL;

        if (!takes_long(*line) && !qtest_command(*line, reply, &err)) {
            error_free(err);
        }
    }
    fuzz_settle();
    return 0;
}
