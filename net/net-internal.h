/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of net/ share. */
#ifndef NET_INTERNAL_H
#define NET_INTERNAL_H

#include "net/net.h"

/* The link of @end, or its peer, is another one now: tells it. */
void net_end_link_changed(NetEnd *end);

#endif
