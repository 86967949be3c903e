/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ends of networks: frames from one to the other, and whether there is room
 * (net/net.h). Knows neither netdevs nor devices. */
#include "qemu/osdep.h"

#include "net-internal.h"

bool net_end_link_is_up(const NetEnd *end)
{
    return end->peer && !end->link_down && !end->peer->link_down;
}

bool net_end_send(NetEnd *end, const struct iovec *iov, unsigned iov_cnt)
{
    NetEnd *peer = end->peer;

    if (!net_end_link_is_up(end)) {
        return true;
    }
    peer->full = !peer->ops->receive(peer, iov, iov_cnt);
    return !peer->full;
}

void net_end_flush(NetEnd *end)
{
    if (end->peer && end->peer->ops->flush) {
        end->peer->ops->flush(end->peer);
    }
}

void net_end_has_room(NetEnd *end)
{
    if (end->full) {
        end->full = false;
        if (end->peer) {
            end->peer->ops->peer_has_room(end->peer);
        }
    }
}

/* What was refused is sent again, and passes or is dropped. */
void net_end_link_changed(NetEnd *end)
{
    net_end_has_room(end);
    if (end->ops->link_changed) {
        end->ops->link_changed(end);
    }
}
