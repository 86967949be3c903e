/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A command line, one word a line: taken apart by vl-options.c, and the arguments
 * of its options by the parsers behind them. Nothing is created.
 */
#include "qemu/osdep.h"

#include "fuzz.h"
#include "qapi/error.h"
#include "system/vl-internal.h"

#define MOST_WORDS 64

static void parse_each(GPtrArray *args, const char *implied_key)
{
    for (guint i = 0; args && i < args->len; i++) {
        bool keyval = true, help = false;
        Error *err = NULL;
        g_autoptr(JsonObject) opts = vl_parse_keyval(args->pdata[i], implied_key,
                                                     &keyval, &help, &err);

        g_assert_true(opts ? !err : err || help);
        error_free(err);
    }
}

int fuzz_one(const uint8_t *data, size_t size)
{
    FuzzInput in = { data, data + size };
    g_autofree char *text = fuzz_text(&in, size);
    g_auto(GStrv) words = g_strsplit(text, "\n", MOST_WORDS);
    g_autoptr(GPtrArray) argv = g_ptr_array_new();
    VlConfig cfg = { 0 };
    Error *err = NULL;

    g_ptr_array_add(argv, (char *)"sparsevm");
    for (char **word = words; *word; word++) {
        if (strstr(*word, "readconfig")) {
            return 0;                     /* it opens what it names */
        }
        g_ptr_array_add(argv, *word);
    }
    g_ptr_array_add(argv, NULL);
    if (vl_parse_options(&cfg, argv->len - 1, (char **)argv->pdata, &err)) {
        parse_each(cfg.machine, "type");
        parse_each(cfg.memory, "size");
        parse_each(cfg.smp, "cpus");
        parse_each(cfg.numa, "type");
        parse_each(cfg.objects, "qom-type");
        parse_each(cfg.devices, "driver");
        parse_each(cfg.chardevs, "backend");
        parse_each(cfg.mons, "chardev");
    } else {
        g_assert_nonnull(err);
        error_free(err);
    }
    vl_config_free(&cfg);
    return 0;
}
