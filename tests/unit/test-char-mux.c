/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The mux: front ends that share one character device, and its escape keys. */
#include "qemu/osdep.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/stat.h>

#include "char-test.h"

static char *tmp_dir;

typedef struct MuxTest {
    Fe a, b;
    int fd;                               /* the other end of the device */
    char *path;
} MuxTest;

/* Two front ends on one pipe; b, the later, is in focus. */
static void mux_set_up(MuxTest *t)
{
    g_autofree char *text = NULL;
    Chardev *chr;

    t->path = g_build_filename(tmp_dir, "m", NULL);
    g_assert_cmpint(mkfifo(t->path, 0600), ==, 0);
    text = g_strdup_printf("mon:pipe:%s", t->path);
    chr = qemu_chr_parse_compat("m", text, &error_abort);
    fe_init(&t->a, chr, 100);
    fe_init(&t->b, chr, 100);
    g_assert_cmpstr(t->a.events->str, ==, "OU");
    g_assert_cmpstr(t->b.events->str, ==, "IO");
    g_string_truncate(t->a.events, 0);
    g_string_truncate(t->b.events, 0);
    t->fd = open(t->path, O_RDWR | O_NONBLOCK);
}

static void mux_tear_down(MuxTest *t)
{
    fe_destroy(&t->a);
    fe_destroy(&t->b);
    qemu_chr_cleanup();
    close(t->fd);
    unlink(t->path);
    g_free(t->path);
}

static void type(MuxTest *t, const char *keys)
{
    g_assert_cmpint(write(t->fd, keys, strlen(keys)), ==, strlen(keys));
}

static void test_input_goes_to_the_focus(void)
{
    MuxTest t;

    mux_set_up(&t);
    type(&t, "x\x01" "cy\x01" "cz");
    run_until(t.b.input, "xz");
    g_assert_cmpstr(t.a.input->str, ==, "y");
    g_assert_cmpstr(t.a.events->str, ==, "IU");
    g_assert_cmpstr(t.b.events->str, ==, "UI");
    mux_tear_down(&t);
}

static void test_passes_an_escaped_escape(void)
{
    MuxTest t;

    mux_set_up(&t);
    type(&t, "\x01\x01\x01" "b\x01" "?q");
    run_until(t.b.input, "\x01q");
    g_assert_cmpstr(t.b.events->str, ==, "B");
    mux_tear_down(&t);
}

static int quits;

static void count_quit(Notifier *notifier, void *data)
{
    quits++;
}

static void test_tells_who_can_end_the_emulator(void)
{
    static Notifier notifier = { .notify = count_quit };
    MuxTest t;

    qemu_chr_add_quit_notifier(&notifier);
    mux_set_up(&t);
    type(&t, "x\x01" "xy");
    run_until(t.b.input, "xy");
    g_assert_cmpint(quits, ==, 1);
    mux_tear_down(&t);
}

static void test_keeps_what_a_front_end_cannot_take(void)
{
    MuxTest t;

    mux_set_up(&t);
    t.b.room = 1;
    type(&t, "123");
    run_until(t.b.input, "1");
    run_all();
    t.b.room = 10;
    qemu_chr_fe_accept_input(&t.b.be);
    g_assert_cmpstr(t.b.input->str, ==, "123");
    mux_tear_down(&t);
}

static void test_takes_no_more_than_fits(void)
{
    g_autofree char *many = g_strnfill(100, 'k');
    MuxTest t;

    mux_set_up(&t);
    t.b.room = 0;
    type(&t, many);
    run_all();
    t.b.room = 200;
    qemu_chr_fe_accept_input(&t.b.be);
    run_until(t.b.input, many);
    mux_tear_down(&t);
}

static void test_focus_moves_when_a_front_end_leaves(void)
{
    MuxTest t;

    mux_set_up(&t);
    qemu_chr_fe_deinit(&t.b.be, false);
    g_assert_cmpstr(t.a.events->str, ==, "I");
    type(&t, "x");
    run_until(t.a.input, "x");
    mux_tear_down(&t);
}

static void test_has_room_for_four(void)
{
    Chardev *chr = qemu_chr_new_from_text("null,id=c,mux=on", &error_abort);
    CharBackend be[5] = { 0 };
    Error *err = NULL;

    for (int i = 0; i < 4; i++) {
        g_assert_true(qemu_chr_fe_init(&be[i], chr, &error_abort));
    }
    g_assert_false(qemu_chr_fe_init(&be[4], chr, &err));
    g_assert_cmpstr(error_get_pretty(err), ==, "too many uses of multiplexed "
                    "chardev 'c' (maximum is 4)");
    error_free(err);
    g_assert_nonnull(qemu_chr_find("c-base"));
    qemu_chr_cleanup();
}

static void add_test(const char *name, void (*fn)(void))
{
    g_autofree char *path = g_strdup_printf("/char-mux/%s", name);

    g_test_add_func(path, fn);
}

int main(int argc, char **argv)
{
    int ret;

    g_test_init(&argc, &argv, NULL);
    qemu_init_main_loop(&error_abort);
    tmp_dir = g_dir_make_tmp("test-char-mux-XXXXXX", NULL);
    add_test("input-goes-to-the-focus", test_input_goes_to_the_focus);
    add_test("passes-an-escaped-escape", test_passes_an_escaped_escape);
    add_test("tells-who-can-end-the-emulator",
             test_tells_who_can_end_the_emulator);
    add_test("keeps-what-a-front-end-cannot-take",
             test_keeps_what_a_front_end_cannot_take);
    add_test("takes-no-more-than-fits", test_takes_no_more_than_fits);
    add_test("focus-moves-when-a-front-end-leaves",
             test_focus_moves_when_a_front_end_leaves);
    add_test("has-room-for-four", test_has_room_for_four);
    ret = g_test_run();
    g_rmdir(tmp_dir);
    g_free(tmp_dir);
    return ret;
}
