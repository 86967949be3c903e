/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Peers that are slow again and again (qemu/slow-peer.h). */
#include "qemu/osdep.h"

#include "qemu/slow-peer.h"

#define WINDOW 10                         /* time-outs */
#define SHARE 100

static bool is_over(const SlowPeer *p, int64_t now, int64_t timeout_us)
{
    return now - p->since > WINDOW * timeout_us;
}

bool slow_peer_charge(SlowPeer *p, int64_t started, int64_t timeout_us)
{
    int64_t now = g_get_monotonic_time();

    if (now - started < timeout_us / SHARE) {
        return false;
    }
    if (is_over(p, now, timeout_us)) {
        *p = (SlowPeer) { .since = started };
    }
    p->sum += now - started;
    return p->sum > timeout_us;
}

bool slow_peer_is_out(const SlowPeer *p, int64_t timeout_us)
{
    return p->sum > timeout_us &&
           !is_over(p, g_get_monotonic_time(), timeout_us);
}

int64_t slow_peer_window(const SlowPeer *p)
{
    return g_get_monotonic_time() - p->since;
}
