/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bytes typed at an HMP prompt: edited by hmp-readline.c, completed and carried
 * out on a machine; what names a file, or would end the process, is left out.
 */
#include "qemu/osdep.h"

#include "machine.h"
#include "monitor/hmp-readline.h"
#include "monitor/hmp.h"

static void print(void *opaque, const char *text, size_t len)
{
}

static void execute(void *opaque, const char *line)
{
    g_autoptr(GString) out = g_string_new(NULL);

    g_assert_null(strchr(line, '\n'));
    if (!fuzz_names_a_file(line) && !strstr(line, "dump") && !strchr(line, 'q')) {
        hmp_execute(out, line);
    }
}

static char **complete(void *opaque, const char *line)
{
    return hmp_complete(line);
}

static const ReadlineOps ops = {
    .print = print, .execute = execute, .complete = complete,
};

int fuzz_one(const uint8_t *data, size_t size)
{
    FuzzInput in = { data, data + size };
    size_t piece = 1 + fuzz_u8(&in);
    Readline *line = readline_new(&ops, NULL, "(qemu) ");

    fuzz_fresh();
    readline_show(line);
    while (in.at < in.end) {
        size_t n = MIN(piece, (size_t)(in.end - in.at));

        readline_feed(line, (const char *)in.at, n);
        in.at += n;
    }
    readline_free(line);
    fuzz_settle();
    return 0;
}
