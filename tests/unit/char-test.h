/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the tests of character devices share: a front end that remembers what it
 * was given and told. Included by one C file per test program.
 */
#ifndef TESTS_UNIT_CHAR_TEST_H
#define TESTS_UNIT_CHAR_TEST_H

#include "chardev/char.h"
#include "qemu/main-loop.h"
#include "tests/patience.h"

/* A front end that remembers. */
typedef struct Fe {
    CharBackend be;
    int room;                             /* what it takes */
    GString *input;
    GString *events;                      /* O C I(n) U(out) B */
} Fe;

static inline int fe_can_read(void *opaque)
{
    return ((Fe *)opaque)->room;
}

static inline void fe_read(void *opaque, const uint8_t *buf, int size)
{
    Fe *fe = opaque;

    g_assert_cmpint(size, <=, fe->room);
    fe->room -= size;
    g_string_append_len(fe->input, (const char *)buf, size);
}

static inline void fe_event(void *opaque, QEMUChrEvent event)
{
    static const char letters[] = { 'B', 'O', 'I', 'U', 'C' };

    g_string_append_c(((Fe *)opaque)->events, letters[event]);
}

/* @chr gets a front end that takes @room bytes. */
static inline void fe_init(Fe *fe, Chardev *chr, int room)
{
    *fe = (Fe){ .room = room };
    fe->input = g_string_new(NULL);
    fe->events = g_string_new(NULL);
    g_assert_nonnull(chr);
    qemu_chr_fe_init(&fe->be, chr, &error_abort);
    qemu_chr_fe_set_handlers(&fe->be, fe_can_read, fe_read, fe_event, NULL, fe,
                             NULL, true);
}

static inline void fe_destroy(Fe *fe)
{
    qemu_chr_fe_deinit(&fe->be, false);
    g_string_free(fe->input, TRUE);
    g_string_free(fe->events, TRUE);
}

/* Runs the loop until @s is @expected; fails after a while. */
static inline void run_until(const GString *s, const char *expected)
{
    gint64 end = patience_deadline();

    while (strcmp(s->str, expected)) {
        patience_check(end);
        main_loop_wait(true);
        g_usleep(100);
    }
}

/* Long enough for what must not happen. */
static inline void run_all(void)
{
    for (int i = 0; i < 10; i++) {
        main_loop_wait(true);
    }
}

#endif
