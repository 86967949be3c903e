/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Delays of a peer are added up, within ten time-outs. */
#include "qemu/osdep.h"

#include "qemu/slow-peer.h"

/* So long that no delay of this program counts. */
#define TIMEOUT (INT64_C(3600) * G_USEC_PER_SEC)

/* A wait of @length that ended just now. */
static bool charge(SlowPeer *p, int64_t length)
{
    return slow_peer_charge(p, g_get_monotonic_time() - length, TIMEOUT);
}

static void test_what_is_quick_does_not_count(void)
{
    SlowPeer p = { 0 };

    for (unsigned i = 0; i < 1000; i++) {
        g_assert_false(charge(&p, TIMEOUT / 200));
    }
    g_assert_cmpint(p.sum, ==, 0);
}

static void test_delays_add_up(void)
{
    SlowPeer p = { 0 };

    for (unsigned i = 0; i < 3; i++) {
        g_assert_false(charge(&p, TIMEOUT * 3 / 10));
        g_assert_false(slow_peer_is_out(&p, TIMEOUT));
    }
    g_assert_true(charge(&p, TIMEOUT * 3 / 10));
    g_assert_true(slow_peer_is_out(&p, TIMEOUT));
    g_assert_cmpint(p.sum, >=, TIMEOUT * 12 / 10);
    g_assert_cmpint(slow_peer_window(&p), >=, TIMEOUT * 3 / 10);
}

static void test_long_ago_is_forgotten(void)
{
    SlowPeer p = { 0 };

    g_assert_false(charge(&p, TIMEOUT * 9 / 10));
    p.since -= 10 * TIMEOUT;
    g_assert_false(charge(&p, TIMEOUT * 9 / 10));
    g_assert_true(charge(&p, TIMEOUT * 9 / 10));
    p.since -= 10 * TIMEOUT;
    g_assert_false(slow_peer_is_out(&p, TIMEOUT));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/slow-peer/quick", test_what_is_quick_does_not_count);
    g_test_add_func("/slow-peer/add-up", test_delays_add_up);
    g_test_add_func("/slow-peer/forgotten", test_long_ago_is_forgotten);
    return g_test_run();
}
