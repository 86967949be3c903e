/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A peer whose every answer comes in time, but late, holds up the guest as one
 * that does not answer does. So its delays are added up: more than one time-out
 * within ten of them is too much.
 */
#ifndef QEMU_SLOW_PEER_H
#define QEMU_SLOW_PEER_H

/* Zeroed at first; also to forgive what was. */
typedef struct SlowPeer {
    int64_t since, sum;                   /* microseconds, of the monotonic clock */
} SlowPeer;

/*
 * Somebody has waited from @started until now for a peer that has @timeout_us for
 * an answer. Less than a hundredth of that does not count. Whether it has
 * become too slow; then p->sum and slow_peer_window() say by how much.
 */
bool slow_peer_charge(SlowPeer *p, int64_t started, int64_t timeout_us);
/* Whether it has been too slow, and has not made up for it by waiting. */
bool slow_peer_is_out(const SlowPeer *p, int64_t timeout_us);
/* Microseconds in which the delays came. */
int64_t slow_peer_window(const SlowPeer *p);

#endif
