/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -netdev user: user.c moves frames, user-options.c reads options, user-hmp.c is for
 * people at the monitor. */
#ifndef NET_USER_H
#define NET_USER_H

#include <slirp/libslirp.h>

#include "net/net.h"

#define TYPE_NETDEV_USER "netdev-user"
OBJECT_DECLARE_SIMPLE_TYPE(NetdevUser, NETDEV_USER)

/* What QEMU's has besides, and this has not: user-options.c says why. */
#define NR_USER_REFUSED 3

struct NetdevUser {
    Netdev parent_obj;

    /* Options; NULL: as libslirp's documentation has it. */
    bool ipv4, ipv6;
    bool restricted;
    char *net, *host, *dhcpstart, *dns;
    char *ipv6_net, *ipv6_prefix, *ipv6_host, *ipv6_dns;
    uint32_t ipv6_prefixlen;
    char *hostname, *domainname;
    char **dnssearch, **hostfwd;
    char *tftp, *bootfile, *tftp_server_name;
    char *refused[NR_USER_REFUSED];

    char *tftp_path;                      /* tftp, from the root on */
    Slirp *slirp;
    GSource *source;                      /* its sockets, in the main loop */
    uint8_t *frame;                       /* NET_FRAME_MAX bytes, for one */
    GQueue waiting;                       /* of GBytes: frames that the guest
                                             had no room for */
    struct QEMUBH *has_room;
};

extern const NetdevOption user_options[];

/* Makes @config, which points into @s, of the options. */
bool user_options_check(NetdevUser *s, SlirpConfig *config, Error **errp);
/* Opens the ports of the host that hostfwd= asks for. */
bool user_options_forward(NetdevUser *s, Error **errp);
/* Opens one, "[tcp|udp]:[ADDRESS]:PORT-[ADDRESS]:PORT"; closes the one of the first
 * half of that. false: *errp. */
bool user_forward_add(NetdevUser *s, const char *text, Error **errp);
bool user_forward_remove(NetdevUser *s, const char *text, Error **errp);

#endif
