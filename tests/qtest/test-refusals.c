/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A resize that hangs explains itself: query-memory-devices tells "the guest
 * did not ask" from "it was refused, because", and QMP clients hear of each
 * reason once.
 */
#include <errno.h>
#include <string.h>

#include "coordination.h"

#define SECOND 1000000000LL

static void setup(Coordination *c, const void *data)
{
    coordination_start_small(c, 1);
}

static void teardown(Coordination *c, const void *data)
{
    coordination_stop(c);
}

/* "last-refusal" of the one device, json_object_unref(); NULL: there is none. */
static JsonObject *last_refusal(Coordination *c)
{
    g_autoptr(JsonNode) node =
        qmp_client_do(qtest_qmp(c->qts), "{'execute': 'query-memory-devices'}");
    JsonArray *list = json_node_get_array(node);
    JsonObject *data;

    g_assert_cmpuint(json_array_get_length(list), ==, 1);
    data = json_object_get_object_member(json_array_get_object_element(list, 0),
                                         "data");
    return json_object_has_member(data, "last-refusal")
           ? json_object_ref(json_object_get_object_member(data,
                                                           "last-refusal"))
           : NULL;
}

/* Five blocks from the second one on, of which the server refuses the third. */
static void be_refused(Coordination *c, uint32_t err)
{
    qvfio_user_arm(&c->dev[0], TESTDEV_FAULT_REFUSE_MAP, 2, err);
    assert_busy(qvirtio_mem_plug(&c->mem[0], coordination_block(c, 0, 1), 5));
}

static unsigned nr_events(Coordination *c)
{
    qmp_client_check_alive(qtest_qmp(c->qts));
    return qmp_client_count_events(qtest_qmp(c->qts), "RAM_DISCARD_REFUSED");
}

static void test_the_guest_did_not_ask(Coordination *c, const void *data)
{
    g_assert_null(last_refusal(c));
    assert_ack(qvirtio_mem_plug(&c->mem[0], c->config[0].addr, 2));
    g_assert_null(last_refusal(c));
    /* To ask for more than is requested, or for nonsense, is the guest's. */
    assert_nack(qvirtio_mem_plug(&c->mem[0], coordination_block(c, 0, 2), 60));
    assert_error(qvirtio_mem_plug(&c->mem[0], c->config[0].addr, 1));
    g_assert_null(last_refusal(c));
    g_assert_cmpuint(nr_events(c), ==, 0);
}

static void check_refusal(Coordination *c, int64_t count, bool standing)
{
    g_autoptr(JsonObject) r = last_refusal(c);

    g_assert_nonnull(r);
    g_assert_cmpstr(json_object_get_string_member(r, "kind"), ==, "vfio");
    g_assert_nonnull(strstr(json_object_get_string_member(r, "reason"),
                            "cannot map"));
    g_assert_cmpint(json_object_get_int_member(r, "offset"), ==, BLOCK);
    g_assert_cmpint(json_object_get_int_member(r, "size"), ==, 5 * BLOCK);
    g_assert_cmpint(json_object_get_int_member(r, "count"), ==, count);
    g_assert_cmpint(json_object_get_boolean_member(r, "standing"), ==,
                    standing);
    g_assert_cmpint(json_object_get_int_member(r, "seconds-ago"), >=, 0);
    g_assert_cmpint(json_object_get_int_member(r, "seconds-ago"), <, 60);
}

static void test_the_guest_was_refused(Coordination *c, const void *data)
{
    be_refused(c, ENOSPC);
    check_refusal(c, 1, true);
    be_refused(c, ENOSPC);
    check_refusal(c, 2, true);
    assert_ack(qvirtio_mem_plug(&c->mem[0], coordination_block(c, 0, 1), 5));
    check_refusal(c, 2, false);
}

static void test_event_once_for_each_reason(Coordination *c, const void *data)
{
    if (!qtest_has_clock()) {
        g_test_skip("needs a clock that it can step");
        return;
    }
    for (int i = 0; i < 10; i++) {
        be_refused(c, ENOSPC);
        qtest_clock_step(c->qts, 2 * SECOND);
    }
    g_assert_cmpuint(nr_events(c), ==, 1);
    be_refused(c, EIO);
    g_assert_cmpuint(nr_events(c), ==, 1);
    /* A success in between makes it news again. */
    qtest_clock_step(c->qts, 2 * SECOND);
    assert_ack(qvirtio_mem_plug(&c->mem[0], coordination_block(c, 0, 20), 1));
    be_refused(c, EIO);
    g_assert_cmpuint(nr_events(c), ==, 1);
}

static void test_event_once_a_second(Coordination *c, const void *data)
{
    if (!qtest_has_clock()) {
        g_test_skip("needs a clock that it can step");
        return;
    }
    for (int i = 0; i < 10; i++) {
        be_refused(c, i & 1 ? ENOSPC : EIO);
    }
    g_assert_cmpuint(nr_events(c), ==, 1);
    qtest_clock_step(c->qts, SECOND);
    g_assert_cmpuint(nr_events(c), ==, 1);
    qtest_clock_step(c->qts, 10 * SECOND);
    g_assert_cmpuint(nr_events(c), ==, 0);
}

/* A reset ends what the guest asked, not what is known of it. */
static void test_refusal_is_kept_over_a_reset(Coordination *c, const void *data)
{
    be_refused(c, ENOSPC);
    coordination_system_reset(c);
    check_refusal(c, 1, true);
}

#define ADD(name, fn) \
    g_test_add("/refusals/" name, Coordination, NULL, setup, fn, teardown)

int main(int argc, char **argv)
{
    qvfio_user_main_init(&argc, &argv);
    ADD("the-guest-did-not-ask", test_the_guest_did_not_ask);
    ADD("the-guest-was-refused", test_the_guest_was_refused);
    ADD("event-once-for-each-reason", test_event_once_for_each_reason);
    ADD("event-once-a-second", test_event_once_a_second);
    ADD("refusal-is-kept-over-a-reset", test_refusal_is_kept_over_a_reset);
    return g_test_run();
}
