/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A device property that is an Ethernet address, "52:54:00:12:34:56". */
#ifndef HW_NET_MACADDR_H
#define HW_NET_MACADDR_H

#include "hw/qdev-properties.h"
#include "net/net-device.h"

extern const PropertyInfo qdev_prop_macaddr;

/* A MACAddr, all zero until set. */
#define DEFINE_PROP_MACADDR(_n, _s, _f)                                      \
    DEFINE_PROP(_n, _s, _f, qdev_prop_macaddr, MACAddr)

#endif
