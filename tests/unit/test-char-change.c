/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Character devices that are exchanged under a front end (chardev/char.h): what
 * it is told, and that it keeps the old one if it, or the new one, says no.
 */
#include "qemu/osdep.h"

#include "char-test.h"
#include "qemu/keyval.h"

static int change_result;
static unsigned changes;

static int fe_be_change(void *opaque);

static void use(Fe *fe)
{
    qemu_chr_fe_set_handlers(&fe->be, fe_can_read, fe_read, fe_event,
                             fe_be_change, fe, NULL, true);
}

static int fe_be_change(void *opaque)
{
    changes++;
    if (change_result == 0) {
        use(opaque);
    }
    return change_result;
}

/* A chardev "c" of @text, under a front end that can be asked. */
static void begin(Fe *fe, const char *text)
{
    fe_init(fe, qemu_chr_new_from_text(text, &error_abort), 8);
    use(fe);
    g_string_truncate(fe->events, 0);
    change_result = 0;
    changes = 0;
}

static void end(Fe *fe)
{
    fe_destroy(fe);
    g_assert_true(qemu_chr_remove("c", &error_abort));
}

static Chardev *change(const char *text, Error **errp)
{
    g_autoptr(JsonObject) opts = keyval_parse(text, "backend", NULL,
                                              &error_abort);

    return qemu_chr_change(opts, true, errp);
}

static void expect_no_change(const char *text, const char *message)
{
    Error *err = NULL;

    g_assert_null(change(text, &err));
    g_assert_cmpstr(error_get_pretty(err), ==, message);
    error_free(err);
}

static void test_front_end_is_told_of_the_peer(void)
{
    Fe fe;

    begin(&fe, "file,id=c,path=/dev/null");
    g_assert_nonnull(change("file,id=c,path=/dev/null", &error_abort));
    g_assert_cmpstr(fe.events->str, ==, "O");
    /* Of a terminal that nobody has opened: the peer has gone. */
    g_assert_nonnull(change("pty,id=c", &error_abort));
    g_assert_cmpstr(fe.events->str, ==, "OC");
    g_assert_true(qemu_chr_fe_get_driver(&fe.be) == qemu_chr_find("c"));
    g_assert_cmpuint(changes, ==, 2);
    end(&fe);
}

static void test_front_end_may_keep_the_old_one(void)
{
    Chardev *old;
    Fe fe;

    begin(&fe, "file,id=c,path=/dev/null");
    old = qemu_chr_find("c");
    change_result = -1;
    expect_no_change("pty,id=c", "Chardev 'c' change failed");
    g_assert_cmpstr(fe.events->str, ==, "CO");
    g_assert_true(qemu_chr_find("c") == old);
    g_assert_true(qemu_chr_fe_get_driver(&fe.be) == old && old->be == &fe.be);
    expect_no_change("file,id=c,path=/dev/null", "Chardev 'c' change failed");
    g_assert_cmpstr(fe.events->str, ==, "CO");
    end(&fe);
}

static void test_front_end_hears_nothing_of_what_fails(void)
{
    Fe fe;

    begin(&fe, "file,id=c,path=/dev/null");
    expect_no_change("warp,id=c", "'warp' is not a valid char driver name "
                     "(-chardev help lists them)");
    expect_no_change("null,id=c,mux=on", "Property 'chardev-null.mux' not found");
    expect_no_change("null,id=d", "Chardev 'd' does not exist");
    expect_no_change("null", "chardev: no id specified");
    expect_no_change("socket,id=c,path=/none,server=on,wait=maybe",
                     "Parameter 'wait' expects 'on' or 'off'");
    g_assert_cmpuint(changes, ==, 0);
    g_assert_cmpstr(fe.events->str, ==, "");
    end(&fe);
}

static void test_nobody_need_use_it(void)
{
    Error *err = NULL;
    Fe fe;

    qemu_chr_new_from_text("null,id=c", &error_abort);
    g_assert_nonnull(change("pty,id=c", &error_abort));
    /* One that cannot be asked keeps what it has. */
    fe_init(&fe, qemu_chr_find("c"), 1);
    expect_no_change("null,id=c", "Chardev user does not support chardev "
                     "hotswap");
    g_assert_false(qemu_chr_remove("c", &err));
    error_free(err);
    end(&fe);
    g_assert_null(qemu_chr_find("c"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qemu_init_main_loop(&error_abort);
    g_test_add_func("/char-change/front-end-is-told-of-the-peer",
                    test_front_end_is_told_of_the_peer);
    g_test_add_func("/char-change/front-end-may-keep-the-old-one",
                    test_front_end_may_keep_the_old_one);
    g_test_add_func("/char-change/front-end-hears-nothing-of-what-fails",
                    test_front_end_hears_nothing_of_what_fails);
    g_test_add_func("/char-change/nobody-need-use-it",
                    test_nobody_need_use_it);
    return g_test_run();
}
