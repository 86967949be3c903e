/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a region keeps of a refusal, who is told of it, and that the reason reaches
 * whoever can do something about it.
 */
#include "qemu/osdep.h"

#include "ram-discard-test.h"

typedef struct Observer {
    RamDiscardObserver observer;
    unsigned refused, gone;
} Observer;

static void observe_refused(RamDiscardObserver *observer, RamDiscardState *s)
{
    container_of(observer, Observer, observer)->refused++;
}

static void observe_gone(RamDiscardObserver *observer, RamDiscardState *s)
{
    container_of(observer, Observer, observer)->gone++;
}

static void refuse_populate(Fixture *f)
{
    f->a.objections_from = 1;
    g_assert_cmpint(populate(f, 4, 2), ==, -ENOSPC);
}

static void only_news_is_passed_on(Fixture *f, gconstpointer data)
{
    Observer o = {
        .observer = { .refused = observe_refused, .gone = observe_gone },
    };

    ram_discard_observer_add(&o.observer);
    g_assert_cmpint(reg(f, &f->a), ==, 0);
    refuse_populate(f);
    refuse_populate(f);
    g_assert_cmpuint(o.refused, ==, 1);
    g_assert_cmpuint(state_of(f)->refusal.count, ==, 2);
    g_assert_cmpint(populate(f, 4, 2), ==, 0);
    g_assert_cmpint(discard(f, 4, 2), ==, 0);
    refuse_populate(f);
    g_assert_cmpuint(o.refused, ==, 2);
    unreg(f, &f->a);
    g_assert_cmpuint(o.gone, ==, 0);
    memory_region_set_ram_discard_mgr(&f->mr, NULL);
    g_assert_cmpuint(o.gone, ==, 1);
    ram_discard_observer_remove(&o.observer);
    memory_region_set_ram_discard_mgr(&f->mr, RAM_DISCARD_MGR(f->mgr));
}

static void managers_refuse_too(Fixture *f, gconstpointer data)
{
    const RamDiscardRefusal *refusal = &state_of(f)->refusal;
    Error *err = NULL;

    error_setg(&err, "no pages");
    ram_discard_blocks_refuse(&f->mgr->blocks, 4 * BLOCK, BLOCK, "test", err);
    g_assert_cmpstr(refusal->kind, ==, "test");
    g_assert_cmpstr(refusal->reason, ==, "no pages");
    g_assert_cmpuint(refusal->limit.limit, ==, 0);
}

static void set_reason(RecordingListener *l, void *opaque)
{
    Error *err = NULL;

    error_setg(&err, "for the test");
    ram_discard_listener_object(&l->rdl, err, NULL);
}

static void l5_the_reason_reaches_who_registers(Fixture *f, gconstpointer data)
{
    Error *err = NULL;

    populate(f, 4, 2);
    f->a.on_notify = set_reason;
    f->a.objections_from = 1;
    g_assert_cmpint(ram_discard_mgr_register_listener(
        mgr_of(f), &f->mr, &f->a.rdl, &err), ==, -ENOSPC);
    g_assert_cmpstr(error_get_pretty(err), ==, "for the test");
    g_clear_pointer(&err, error_free);
    f->a.on_notify = NULL;
    f->a.objections_from = 1;
    g_assert_cmpint(ram_discard_mgr_register_listener(
        mgr_of(f), &f->mr, &f->a.rdl, &err), ==, -ENOSPC);
    g_assert_nonnull(strstr(error_get_pretty(err), "'ram': cannot follow what "
                            "is plugged: No space left"));
    error_free(err);
}

/* --- several ranges at once, before each by itself --- */

static int try(Fixture *f, uint64_t block, uint64_t nr)
{
    return ram_discard_blocks_try_populate(&f->mgr->blocks, block * BLOCK,
                                           nr * BLOCK);
}

static void a_try_that_works_populates(Fixture *f, gconstpointer data)
{
    register_abc(f);
    refuse_populate(f);
    expect_log(f, "!A4:2");
    g_assert_cmpint(try(f, 4, 2), ==, 0);
    expect_log(f, "+A4:2 +B4:2 +C4:2");
    g_assert_true(is_populated(f, 4, 2));
    g_assert_false(state_of(f)->refusal.standing);
    unregister_abc(f);
}

/* Whoever objects, as law L2 says; and nobody hears of it. */
static void l2_a_refused_try_is_rolled_back(Fixture *f, gconstpointer data)
{
    static const char *const told[] = {
        "!A4:2", "+A4:2 !B4:2 -A4:2", "+A4:2 +B4:2 !C4:2 -B4:2 -A4:2",
    };
    RecordingListener *const listeners[] = { &f->a, &f->b, &f->c };
    Observer o = {
        .observer = { .refused = observe_refused, .gone = observe_gone },
    };

    ram_discard_observer_add(&o.observer);
    register_abc(f);
    for (unsigned i = 0; i < G_N_ELEMENTS(listeners); i++) {
        listeners[i]->on_notify = i ? set_reason : NULL;
        listeners[i]->objections_from = 1;
        g_assert_cmpint(try(f, 4, 2), ==, -ENOSPC);
        listeners[i]->on_notify = NULL;
        expect_log(f, told[i]);
        g_assert_null(listeners[i]->rdl.objection);
        g_assert_true(ram_discard_blocks_are_discarded(&f->mgr->blocks,
                                                       4 * BLOCK, 2 * BLOCK));
        g_assert_cmpuint(state_of(f)->refusal.count, ==, 0);
        g_assert_false(state_of(f)->refusal.standing);
    }
    g_assert_cmpuint(o.refused, ==, 0);
    refuse_populate(f);
    g_assert_cmpuint(o.refused, ==, 1);
    /* What is told of an earlier one stays as it is. */
    f->b.objections_from = 1;
    g_assert_cmpint(try(f, 10, 4), ==, -ENOSPC);
    g_assert_cmpuint(state_of(f)->refusal.count, ==, 1);
    g_assert_cmpuint(state_of(f)->refusal.offset, ==, 4 * BLOCK);
    unregister_abc(f);
    ram_discard_observer_remove(&o.observer);
}

static void all_must_go_by_run(Fixture *f, gconstpointer data)
{
    g_assert_false(ram_discard_blocks_go_by_run(&f->mgr->blocks));
    f->a.rdl.by_run = f->c.rdl.by_run = true;
    g_assert_cmpint(reg(f, &f->a), ==, 0);
    g_assert_true(ram_discard_blocks_go_by_run(&f->mgr->blocks));
    g_assert_cmpint(reg(f, &f->b), ==, 0);
    g_assert_cmpint(reg(f, &f->c), ==, 0);
    g_assert_false(ram_discard_blocks_go_by_run(&f->mgr->blocks));
    unreg(f, &f->b);
    g_assert_true(ram_discard_blocks_go_by_run(&f->mgr->blocks));
    unreg(f, &f->a);
    unreg(f, &f->c);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD(only_news_is_passed_on, 300);
    ADD(managers_refuse_too, 300);
    ADD(l5_the_reason_reaches_who_registers, 300);
    ADD(a_try_that_works_populates, 300);
    ADD(l2_a_refused_try_is_rolled_back, 300);
    ADD(all_must_go_by_run, 300);
    return g_test_run();
}
