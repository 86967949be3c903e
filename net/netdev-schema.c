/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What netdev_add takes, for who asks (query-qmp-schema) before he says it: kinds
 * and their options, with types. What they mean is in the tables of the kinds.
 */
#include "qemu/osdep.h"

#include "monitor/qmp.h"

#ifdef CONFIG_SLIRP
#define USER_KIND ",user"
#define USER_VARIANT ",user:NetdevUserOptions"
#else
#define USER_KIND
#define USER_VARIANT
#endif

static const QmpType netdev_types[] = {
    { .name = "NetClientDriver", .open = true,
      .values = "dgram,stream,tap" USER_KIND ",vhost-user",
      .help = "Kinds of netdev." },
    { .name = "NetdevText", .alternatives = "String,str",
      .help = "A text, as QEMU has it, or as it is." },
    { .name = "NetdevAddress",
      .members = "?type:str,?path:str,?host:str,?port:str,?str:str",
      .help = "Where a socket is.\n"
      "type: unix, inet or fd\n"
      "path: unix: its file\n"
      "host: inet: a name or number\n"
      "port: inet: a number\n"
      "str: fd: a descriptor, or a name that getfd has given" },
    { .name = "NetdevDgramOptions",
      .members = "?local:NetdevAddress,?remote:NetdevAddress",
      .help = "Datagrams, a frame each.\n"
      "local: the own socket\n"
      "remote: the peer's, or a multicast group" },
    { .name = "NetdevStreamOptions",
      .members = "?addr:NetdevAddress,?server:bool,?reconnect:int",
      .help = "A stream of frames.\n"
      "addr: where to connect, or to listen\n"
      "server: listen instead of connecting\n"
      "reconnect: as a client, seconds until the next try to connect" },
    { .name = "NetdevTapOptions",
      .members = "?ifname:str,?fd:str,?fds:str,?queues:int,?vnet_hdr:bool,"
                 "?script:str,?downscript:str,?vhost:bool,?vhostforce:bool,"
                 "?vhostfd:str,?vhostfds:str",
      .help = "An interface of the host.\n"
      "ifname: its name\n"
      "fd: a descriptor of one that is open\n"
      "fds: several, with colons between\n"
      "queues: with ifname: how many queues\n"
      "vnet_hdr: checksums are left to the kernel\n"
      "script: no\n"
      "downscript: no\n"
      "vhost: the kernel moves the frames\n"
      "vhostforce: the same\n"
      "vhostfd: a descriptor of /dev/vhost-net\n"
      "vhostfds: one for each queue" },
#ifdef CONFIG_SLIRP
    { .name = "NetdevUserOptions",
      .members = "?net:str,?host:str,?dns:str,?dhcpstart:str,?hostname:str,"
                 "?domainname:str,?dnssearch:[NetdevText],?restrict:bool,"
                 "?hostfwd:[NetdevText],?ipv4:bool,?ipv6:bool,?ipv6-prefix:str,"
                 "?ipv6-prefixlen:int,?ipv6-host:str,?ipv6-dns:str,?tftp:str,"
                 "?bootfile:str,?tftp-server-name:str,**",
      .help = "A network of its own, without rights.\n"
      "net: ADDRESS/BITS\n"
      "host: the host's address in it\n"
      "dns: the name server's\n"
      "dhcpstart: the first that DHCP gives\n"
      "hostname: the name that DHCP gives the guest\n"
      "domainname: the domain that DHCP tells\n"
      "dnssearch: domains to search for names\n"
      "restrict: nothing but hostfwd passes\n"
      "hostfwd: ports of the host that lead to the guest\n"
      "ipv4: with IPv4\n"
      "ipv6: with IPv6\n"
      "ipv6-prefix: the IPv6 network\n"
      "ipv6-prefixlen: bits of it\n"
      "ipv6-host: the host's address in it\n"
      "ipv6-dns: the name server's\n"
      "tftp: a directory whose files the guest may read\n"
      "bootfile: the file that DHCP tells it to boot\n"
      "tftp-server-name: whose DHCP says it is\n"
      "**: what is refused, with a reason" },
#endif
    { .name = "NetdevVhostUserOptions",
      .members = "?chardev:str,?queues:int,?vhostforce:bool,?x-msg-timeout:int",
      .help = "A back end in another process.\n"
      "chardev: its character device\n"
      "queues: how many pairs\n"
      "vhostforce: does nothing\n"
      "x-msg-timeout: milliseconds for an answer" },
    { .name = "Netdev", .members = "type:NetClientDriver,id:str,**",
      .tag = "type",
      .variants = "dgram:NetdevDgramOptions,stream:NetdevStreamOptions,"
                  "tap:NetdevTapOptions" USER_VARIANT
                  ",vhost-user:NetdevVhostUserOptions",
      .help = "A netdev, the host's side of a network.\n"
      "type: its kind\n"
      "id: its name\n"
      "**: options as of -netdev" },
};

static void netdev_schema_register(void)
{
    qmp_register_types(netdev_types, ARRAY_SIZE(netdev_types));
}
type_init(netdev_schema_register)
