/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the emulator under test can do, found by asking it, and the options by
 * which it runs no guest.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libqtest.h"

/* A firmware that halts: the smallest that QEMU takes, bytes. */
#define FIRMWARE_SIZE (64 << 10)
#define OPCODE_HLT 0xf4

bool qtest_emulator_has(const char *option, const char *part)
{
    g_autofree char *command_line =
        g_strdup_printf("%s %s", g_getenv("QTEST_QEMU_BINARY"), option);
    g_autofree char *said = NULL;
    g_autoptr(GError) err = NULL;

    g_spawn_command_line_sync(command_line, &said, NULL, NULL, &err);
    g_assert_no_error(err);
    return strstr(said, part) != NULL;
}

bool qtest_skip_without(const char *option, const char *part)
{
    g_autofree char *why = NULL;

    if (qtest_emulator_has(option, part)) {
        return false;
    }
    why = g_strdup_printf("the emulator's '%s' tells of no '%s'", option, part);
    g_test_skip(why);
    return true;
}

void qtest_needs(const char *option, const char *part)
{
    if (!qtest_emulator_has(option, part)) {
        printf("1..0 # SKIP the emulator's '%s' tells of no '%s'\n", option,
               part);
        exit(0);
    }
}

static bool has_accel_qtest(void)
{
    static int has = -1;

    if (has < 0) {
        has = qtest_emulator_has("-accel help", "qtest");
    }
    return has;
}

bool qtest_has_clock(void)
{
    const char *args = g_getenv("QTEST_ACCEL_ARGS");

    return args ? strstr(args, "qtest") != NULL : has_accel_qtest();
}

char *qtest_accel_args(const char *firmware)
{
    g_autofree char *halt = NULL;

    if (g_getenv("QTEST_ACCEL_ARGS")) {
        return g_strdup(g_getenv("QTEST_ACCEL_ARGS"));
    }
    if (has_accel_qtest()) {
        return g_strdup("-accel qtest");
    }
    halt = g_malloc(FIRMWARE_SIZE);
    memset(halt, OPCODE_HLT, FIRMWARE_SIZE);
    g_assert_true(g_file_set_contents(firmware, halt, FIRMWARE_SIZE, NULL));
    return g_strdup_printf("-accel tcg -bios %s", firmware);
}
