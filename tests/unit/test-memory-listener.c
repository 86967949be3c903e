/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What memory listeners hear, in which order, and what they do not hear. */
#include "qemu/osdep.h"
#include "qemu/event_notifier.h"
#include "memory-test.h"

/* An address space with leaf "a" of 2 pages at 1000 and one listener. */
typedef struct Fixture {
    TestSpace t;
    MemoryRegion a, b;
    GString *log;
    Recorder r;
} Fixture;

static void setup(Fixture *f, const void *unused)
{
    test_space_init(&f->t);
    test_leaf_init(&f->a, "a", 0x2000);
    test_leaf_init(&f->b, "b", 0x1000);
    memory_region_add_subregion(&f->t.root, 0x1000, &f->a);
    f->log = g_string_new("");
    recorder_register(&f->r, f->log, "", 10, &f->t.as);
}

static void teardown(Fixture *f, const void *unused)
{
    memory_listener_unregister(&f->r.listener);
    g_string_free(f->log, true);
    if (f->b.container) {
        memory_region_del_subregion(f->b.container, &f->b);
    }
    memory_region_del_subregion(&f->t.root, &f->a);
    object_unref(&f->b);
    object_unref(&f->a);
    test_space_cleanup(&f->t);
}

static void registering_tells_all_that_is_there(Fixture *f, const void *unused)
{
    assert_log(f->log, "+1000-2fff a@0; ");
}

static void unregistering_tells_that_all_goes(Fixture *f, const void *unused)
{
    g_string_truncate(f->log, 0);
    memory_listener_unregister(&f->r.listener);
    assert_log(f->log, "-1000-2fff a@0; ");
    memory_region_add_subregion(&f->t.root, 0, &f->b);
    assert_log(f->log, "");
}

static void only_differences_are_told(Fixture *f, const void *unused)
{
    g_string_truncate(f->log, 0);
    memory_region_add_subregion(&f->t.root, 0x8000, &f->b);
    assert_log(f->log, "+8000-8fff b@0; ");
    memory_region_set_address(&f->b, 0x9000);
    assert_log(f->log, "-8000-8fff b@0; +9000-9fff b@0; ");
    memory_region_del_subregion(&f->t.root, &f->b);
    assert_log(f->log, "-9000-9fff b@0; ");
}

static void overlap_splits_and_its_end_joins(Fixture *f, const void *unused)
{
    g_string_truncate(f->log, 0);
    memory_region_add_subregion_overlap(&f->t.root, 0x1000, &f->b, 1);
    assert_log(f->log, "-1000-2fff a@0; +1000-1fff b@0; +2000-2fff a@1000; ");
    memory_region_set_enabled(&f->b, false);
    assert_log(f->log, "-1000-1fff b@0; -2000-2fff a@1000; +1000-2fff a@0; ");
}

static void becoming_readonly_is_going_and_coming(Fixture *f,
                                                  const void *unused)
{
    g_string_truncate(f->log, 0);
    memory_region_set_readonly(&f->a, true);
    assert_log(f->log, "-1000-2fff a@0; +1000-2fff a@0 ro; ");
}

static void transaction_is_told_once_and_by_its_outcome(Fixture *f,
                                                        const void *unused)
{
    g_string_truncate(f->log, 0);
    memory_region_transaction_begin();
    memory_region_add_subregion(&f->t.root, 0x8000, &f->b);
    memory_region_transaction_begin();
    memory_region_set_address(&f->b, 0x9000);
    memory_region_transaction_commit();
    memory_region_set_enabled(&f->a, false);
    memory_region_set_enabled(&f->a, true);
    assert_log(f->log, "");
    memory_region_transaction_commit();
    assert_log(f->log, "+9000-9fff b@0; ");
}

static void count_begin(MemoryListener *l)
{
    Recorder *r = container_of(l, Recorder, listener);

    g_string_append(r->log, "begin; ");
}

static void count_commit(MemoryListener *l)
{
    Recorder *r = container_of(l, Recorder, listener);

    g_string_append(r->log, "commit; ");
}

static void begin_and_commit_enclose_each_change(Fixture *f,
                                                 const void *unused)
{
    f->r.listener.begin = count_begin;
    f->r.listener.commit = count_commit;
    g_string_truncate(f->log, 0);
    memory_region_set_enabled(&f->a, false);
    assert_log(f->log, "begin; -1000-2fff a@0; commit; ");
    memory_region_set_enabled(&f->a, true);
    g_string_truncate(f->log, 0);
    memory_listener_unregister(&f->r.listener);
    assert_log(f->log, "begin; -1000-2fff a@0; commit; ");
}

static void changes_that_nobody_can_see_cost_nothing(Fixture *f,
                                                     const void *unused)
{
    MemoryRegion lonely, container;
    uint64_t generation = memory_map_generation();

    f->r.listener.begin = count_begin;
    g_string_truncate(f->log, 0);
    memory_region_init(&container, NULL, "container", 0x4000);
    test_leaf_init(&lonely, "lonely", 0x1000);
    memory_region_add_subregion(&container, 0, &lonely);
    memory_region_set_address(&lonely, 0x1000);
    memory_region_set_enabled(&container, false);
    memory_region_add_subregion(&f->t.root, 0x8000, &container);
    memory_region_set_address(&lonely, 0x2000);
    memory_region_set_enabled(&lonely, false);
    memory_region_del_subregion(&f->t.root, &container);
    assert_log(f->log, "");
    g_assert_cmpuint(memory_map_generation(), ==, generation);
    object_unref(&container);
    object_unref(&lonely);
}

static void generation_moves_with_the_view(Fixture *f, const void *unused)
{
    uint64_t before = memory_map_generation();

    memory_region_set_enabled(&f->a, false);
    g_assert_cmpuint(memory_map_generation(), >, before);
    before = memory_map_generation();
    memory_map_generation_bump();
    g_assert_cmpuint(memory_map_generation(), >, before);
    memory_region_set_enabled(&f->a, true);
}

static void additions_go_up_and_removals_down_by_priority(Fixture *f,
                                                          const void *unused)
{
    Recorder low, high, equal;

    recorder_register(&high, f->log, "high", 20, &f->t.as);
    recorder_register(&low, f->log, "low", 1, &f->t.as);
    recorder_register(&equal, f->log, "equal", 10, &f->t.as);
    g_string_truncate(f->log, 0);
    memory_region_add_subregion(&f->t.root, 0, &f->b);
    assert_log(f->log, "low+0-fff b@0; +0-fff b@0; equal+0-fff b@0;"
               " high+0-fff b@0; ");
    memory_region_del_subregion(&f->t.root, &f->b);
    assert_log(f->log, "high-0-fff b@0; equal-0-fff b@0; -0-fff b@0;"
               " low-0-fff b@0; ");
    memory_listener_unregister(&equal.listener);
    memory_listener_unregister(&low.listener);
    memory_listener_unregister(&high.listener);
}

static void record_nop(MemoryListener *l, MemoryRegionSection *s)
{
    record_section(l, "=", s);
}

static void sections_that_stay_are_told_as_nop(Fixture *f, const void *unused)
{
    f->r.listener.region_nop = record_nop;
    g_string_truncate(f->log, 0);
    memory_region_add_subregion(&f->t.root, 0, &f->b);
    assert_log(f->log, "+0-fff b@0; =1000-2fff a@0; ");
}

/* Removals see the old view, additions the new. */
static MemoryRegion *seen_at_1000;

static void look(MemoryListener *l, MemoryRegionSection *s)
{
    MemoryRegionSection found =
        memory_region_find(l->address_space->root, 0x1000, 1);

    seen_at_1000 = found.mr;
    if (found.mr) {
        memory_region_unref(found.mr);
    }
}

static void callbacks_see_the_view_that_they_are_told_of(Fixture *f,
                                                         const void *unused)
{
    f->r.listener.region_del = look;
    memory_region_set_enabled(&f->a, false);
    g_assert_true(seen_at_1000 == &f->a);
    f->r.listener.region_add = look;
    seen_at_1000 = NULL;
    memory_region_set_enabled(&f->a, true);
    g_assert_true(seen_at_1000 == &f->a);
}

static Fixture *change_fixture;

static void change_the_graph(MemoryListener *l, MemoryRegionSection *s)
{
    record_del(l, s);
    l->region_del = record_del;
    memory_region_add_subregion(&change_fixture->t.root, 0,
                                &change_fixture->b);
}

static void listener_may_change_the_graph(Fixture *f, const void *unused)
{
    change_fixture = f;
    f->r.listener.region_del = change_the_graph;
    g_string_truncate(f->log, 0);
    memory_region_set_address(&f->a, 0x2000);
    assert_log(f->log, "-1000-2fff a@0; +2000-3fff a@0; +0-fff b@0; ");
}

static void each_address_space_has_its_own_listeners(Fixture *f,
                                                     const void *unused)
{
    AddressSpace as;
    Recorder other;

    address_space_init(&as, &f->a, "other");
    recorder_register(&other, f->log, "other", 10, &as);
    g_string_truncate(f->log, 0);
    memory_region_set_address(&f->a, 0x2000);
    assert_log(f->log, "-1000-2fff a@0; +2000-3fff a@0; ");
    memory_region_set_size(&f->a, 0x1000);
    assert_log(f->log, "-2000-3fff a@0; +2000-2fff a@0;"
               " other-0-1fff a@0; other+0-fff a@0; ");
    memory_listener_unregister(&other.listener);
    address_space_destroy(&as);
}

/* --- eventfds --- */

static void record_eventfd(MemoryListener *l, char what,
                           const MemoryRegionSection *s, bool match_data,
                           uint64_t data)
{
    Recorder *r = container_of(l, Recorder, listener);

    g_string_append_printf(r->log, "%cfd %" PRIx64 "/%" PRIu64,
                           what, s->offset_within_address_space,
                           int128_get64(s->size));
    if (match_data) {
        g_string_append_printf(r->log, "=%" PRIx64, data);
    }
    g_string_append(r->log, "; ");
}

static void record_eventfd_add(MemoryListener *l, MemoryRegionSection *s,
                               bool match_data, uint64_t data,
                               EventNotifier *e)
{
    record_eventfd(l, '+', s, match_data, data);
}

static void record_eventfd_del(MemoryListener *l, MemoryRegionSection *s,
                               bool match_data, uint64_t data,
                               EventNotifier *e)
{
    record_eventfd(l, '-', s, match_data, data);
}

static EventNotifier notifier;

static void setup_eventfd(Fixture *f, const void *unused)
{
    setup(f, NULL);
    g_assert_cmpint(event_notifier_init(&notifier, 0), ==, 0);
    f->r.listener.eventfd_add = record_eventfd_add;
    f->r.listener.eventfd_del = record_eventfd_del;
    g_string_truncate(f->log, 0);
}

static void teardown_eventfd(Fixture *f, const void *unused)
{
    event_notifier_cleanup(&notifier);
    teardown(f, NULL);
}

static void eventfd_is_told_at_its_address(Fixture *f, const void *unused)
{
    memory_region_add_eventfd(&f->a, 0x10, 2, true, 7, &notifier);
    assert_log(f->log, "+fd 1010/2=7; ");
    memory_region_add_eventfd(&f->a, 0x8, 0, false, 0, &notifier);
    assert_log(f->log, "+fd 1008/0; ");
    memory_region_del_eventfd(&f->a, 0x10, 2, true, 7, &notifier);
    assert_log(f->log, "-fd 1010/2=7; ");
    memory_region_del_eventfd(&f->a, 0x8, 0, false, 0, &notifier);
    assert_log(f->log, "-fd 1008/0; ");
}

static void eventfd_moves_with_its_region(Fixture *f, const void *unused)
{
    memory_region_add_eventfd(&f->a, 0x10, 4, false, 0, &notifier);
    g_string_truncate(f->log, 0);
    memory_region_set_address(&f->a, 0x8000);
    assert_log(f->log, "-1000-2fff a@0; +8000-9fff a@0; -fd 1010/4; "
               "+fd 8010/4; ");
    memory_region_set_enabled(&f->a, false);
    assert_log(f->log, "-8000-9fff a@0; -fd 8010/4; ");
    memory_region_set_enabled(&f->a, true);
}

static void covered_eventfd_is_gone(Fixture *f, const void *unused)
{
    memory_region_add_eventfd(&f->a, 0x10, 4, false, 0, &notifier);
    memory_region_add_eventfd(&f->a, 0xffe, 4, false, 0, &notifier);
    g_string_truncate(f->log, 0);
    memory_region_add_subregion_overlap(&f->t.root, 0x2000, &f->b, 1);
    assert_log(f->log, "-1000-2fff a@0; +1000-1fff a@0; +2000-2fff b@0;"
               " -fd 1ffe/4; ");
}

static void eventfds_are_replayed_to_a_new_listener(Fixture *f,
                                                    const void *unused)
{
    memory_region_add_eventfd(&f->a, 0x10, 4, false, 0, &notifier);
    memory_listener_unregister(&f->r.listener);
    assert_log(f->log, "+fd 1010/4; -1000-2fff a@0; -fd 1010/4; ");
    memory_listener_register(&f->r.listener, &f->t.as);
    assert_log(f->log, "+1000-2fff a@0; +fd 1010/4; ");
}

static void eventfds_of_unmapped_regions_are_silent(Fixture *f,
                                                    const void *unused)
{
    memory_region_add_eventfd(&f->b, 0, 4, false, 0, &notifier);
    memory_region_del_eventfd(&f->b, 0, 4, false, 0, &notifier);
    assert_log(f->log, "");
}

#define ADD(name)                                                            \
    g_test_add("/memory/listener/" #name, Fixture, NULL, setup, name,        \
               teardown)
#define ADD_EVENTFD(name)                                                    \
    g_test_add("/memory/listener/" #name, Fixture, NULL, setup_eventfd,      \
               name, teardown_eventfd)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD(registering_tells_all_that_is_there);
    ADD(unregistering_tells_that_all_goes);
    ADD(only_differences_are_told);
    ADD(overlap_splits_and_its_end_joins);
    ADD(becoming_readonly_is_going_and_coming);
    ADD(transaction_is_told_once_and_by_its_outcome);
    ADD(begin_and_commit_enclose_each_change);
    ADD(changes_that_nobody_can_see_cost_nothing);
    ADD(generation_moves_with_the_view);
    ADD(additions_go_up_and_removals_down_by_priority);
    ADD(sections_that_stay_are_told_as_nop);
    ADD(callbacks_see_the_view_that_they_are_told_of);
    ADD(listener_may_change_the_graph);
    ADD(each_address_space_has_its_own_listeners);
    ADD_EVENTFD(eventfd_is_told_at_its_address);
    ADD_EVENTFD(eventfd_moves_with_its_region);
    ADD_EVENTFD(covered_eventfd_is_gone);
    ADD_EVENTFD(eventfds_are_replayed_to_a_new_listener);
    ADD_EVENTFD(eventfds_of_unmapped_regions_are_silent);
    return g_test_run();
}
