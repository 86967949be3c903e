/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Law L8 of exec/memory.h: listeners come and go in the midst of a notification,
 * and each is told neither too much nor too little.
 */
#include "qemu/osdep.h"

#include "ram-discard-test.h"

static void l8_told_listener_unregisters(RecordingListener *l, void *opaque)
{
    Fixture *f = opaque;

    l->on_notify = NULL;
    unreg(f, &f->a);
}

static void l8_told_one_leaves_during_populate(Fixture *f, gconstpointer data)
{
    populate(f, 0, 1);
    register_abc(f);
    g_string_truncate(f->log, 0);
    f->b.on_notify = l8_told_listener_unregisters;
    f->b.on_notify_opaque = f;
    g_assert_cmpint(populate(f, 4, 2), ==, 0);
    expect_log(f, "+A4:2 -A0:1 -A4:2 +B4:2 +C4:2");
    unreg(f, &f->b);
    unreg(f, &f->c);
}

static void unregister_b_and_c(RecordingListener *l, void *opaque)
{
    Fixture *f = opaque;

    l->on_notify = NULL;
    unreg(f, &f->b);
    unreg(f, &f->c);
}

static void l8_untold_ones_leave_during_populate(Fixture *f, gconstpointer data)
{
    register_abc(f);
    f->a.on_notify = unregister_b_and_c;
    f->a.on_notify_opaque = f;
    g_assert_cmpint(populate(f, 4, 2), ==, 0);
    expect_log(f, "+A4:2");
    unreg(f, &f->a);
}

static void l8_untold_ones_leave_during_discard(Fixture *f, gconstpointer data)
{
    register_abc(f);
    populate(f, 4, 2);
    g_string_truncate(f->log, 0);
    f->a.on_notify = unregister_b_and_c;
    f->a.on_notify_opaque = f;
    g_assert_cmpint(discard(f, 5, 1), ==, 0);
    expect_log(f, "mem -B4:1 -B5:1 -C4:1 -C5:1 -A5:1");
    unreg(f, &f->a);
}

static void l8_untold_ones_leave_during_discard_all(Fixture *f,
                                                    gconstpointer data)
{
    register_abc(f);
    populate(f, 4, 2);
    g_string_truncate(f->log, 0);
    f->a.on_notify = unregister_b_and_c;
    f->a.on_notify_opaque = f;
    g_assert_cmpint(ram_discard_blocks_discard_all(&f->mgr->blocks), ==, 0);
    expect_log(f, "mem -B4:2 -C* -A4:2");
    unreg(f, &f->a);
    expect_log(f, "");
}

static void unregister_a_in_rollback(RecordingListener *l, void *opaque)
{
    Fixture *f = opaque;

    /* The first notification of B asks, the second takes back. */
    if (l->held[4]) {
        l->on_notify = NULL;
        unreg(f, &f->a);
    }
}

static void l8_one_leaves_during_rollback(Fixture *f, gconstpointer data)
{
    register_abc(f);
    f->b.on_notify = unregister_a_in_rollback;
    f->b.on_notify_opaque = f;
    f->c.objections_from = 1;
    g_assert_cmpint(populate(f, 4, 2), ==, -ENOSPC);
    expect_log(f, "+A4:2 +B4:2 !C4:2 -A4:2 -B4:2");
    unreg(f, &f->b);
    unreg(f, &f->c);
}

static void register_c(RecordingListener *l, void *opaque)
{
    Fixture *f = opaque;

    l->on_notify = NULL;
    g_assert_cmpint(reg(f, &f->c), ==, 0);
}

static void registering_during_a_notification_is_safe(Fixture *f,
                                                      gconstpointer data)
{
    reg(f, &f->a);
    populate(f, 0, 2);
    f->a.on_notify = register_c;
    f->a.on_notify_opaque = f;
    g_assert_cmpint(populate(f, 4, 1), ==, 0);
    recording_check(&f->c, &f->mr);
    unreg(f, &f->c);

    f->a.on_notify = register_c;
    g_assert_cmpint(discard(f, 0, 1), ==, 0);
    recording_check(&f->c, &f->mr);
    unreg(f, &f->c);

    f->a.on_notify = register_c;
    g_assert_cmpint(ram_discard_blocks_discard_all(&f->mgr->blocks), ==, 0);
    recording_check(&f->c, &f->mr);
    unreg(f, &f->a);
    unreg(f, &f->c);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD(l8_told_one_leaves_during_populate, 300);
    ADD(l8_untold_ones_leave_during_populate, 300);
    ADD(l8_untold_ones_leave_during_discard, 300);
    ADD(l8_untold_ones_leave_during_discard_all, 300);
    ADD(l8_one_leaves_during_rollback, 300);
    ADD(registering_during_a_notification_is_safe, 300);
    return g_test_run();
}
