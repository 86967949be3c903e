/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The options of -netdev user (user.h): which addresses the network has, and
 * which of the host's ports lead into it.
 */
#include "qemu/osdep.h"

#include <arpa/inet.h>

#include "qapi/error.h"
#include "qemu/cutils.h"
#include "qemu/may-open.h"
#include "user.h"

/* As QEMU has them, in 10.0.2.0/24 or whatever net= is. */
#define DEFAULT_NET "10.0.2.0/24"
#define HOST_NUMBER 2
#define DNS_NUMBER 3
#define DHCP_NUMBER 15
/* 15 addresses from dhcpstart= on, and the ones above must fit. */
#define MOST_BITS 27
#define DEFAULT_PREFIX "fec0::"

static const struct {
    const char *name, *why;
} refused[NR_USER_REFUSED] = {
    { "smb", "files are not served; vhost-user-fs-pci shares a folder" },
    { "smbserver", "files are not served; vhost-user-fs-pci shares a folder" },
    { "guestfwd", "nothing is run for the guest; it can connect to host=" },
};

/* --- the network's addresses ---------------------------------------------- */

/* @addr is a struct in_addr for AF_INET, a struct in6_addr for AF_INET6. */
static bool parse_address(int family, const char *name, const char *text,
                          void *addr, Error **errp)
{
    if (inet_pton(family, text, addr) == 1) {
        return true;
    }
    if (family == AF_INET) {
        error_setg(errp, "%s=%s: an IPv4 address is expected, such as 10.0.2.2",
                   name, text);
    } else {
        error_setg(errp, "%s=%s: an IPv6 address is expected, such as fec0::2",
                   name, text);
    }
    return false;
}

/* ADDRESS or ADDRESS/BITS. */
static bool parse_net(const char *text, SlirpConfig *c, Error **errp)
{
    g_auto(GStrv) parts = g_strsplit(text, "/", 2);
    uint64_t bits = 24;

    if (!*text || !parse_address(AF_INET, "net", parts[0], &c->vnetwork, errp)) {
        if (!*text) {
            error_setg(errp, "net= is empty: ADDRESS/BITS is expected");
        }
        return false;
    }
    if (parts[1] && (qemu_strtou64(parts[1], NULL, 10, &bits) < 0 || bits < 4 ||
                     bits > MOST_BITS)) {
        error_setg(errp, "net=%s: /4 to /%d is expected behind the address",
                   text, MOST_BITS);
        return false;
    }
    c->vnetmask.s_addr = htonl(UINT32_MAX << (32 - bits));
    c->vnetwork.s_addr &= c->vnetmask.s_addr;
    return true;
}

/* An address of the network that an option gives, or else the one of @number. */
static bool choose_ipv4(const SlirpConfig *c, const char *name, const char *text,
                        uint32_t number, struct in_addr *addr, Error **errp)
{
    uint32_t mask = c->vnetmask.s_addr;

    if (!text) {
        addr->s_addr = c->vnetwork.s_addr | htonl(number);
        return true;
    }
    if (!parse_address(AF_INET, name, text, addr, errp)) {
        return false;
    }
    if ((addr->s_addr & mask) != c->vnetwork.s_addr ||
        (addr->s_addr | mask) == UINT32_MAX || !(addr->s_addr & ~mask)) {
        error_setg(errp, "%s=%s is no address within net=", name, text);
        return false;
    }
    return true;
}

static bool check_ipv4(const NetdevUser *s, SlirpConfig *c, Error **errp)
{
    if (!parse_net(s->net ? s->net : DEFAULT_NET, c, errp) ||
        !choose_ipv4(c, "host", s->host, HOST_NUMBER, &c->vhost, errp) ||
        !choose_ipv4(c, "dns", s->dns, DNS_NUMBER, &c->vnameserver, errp) ||
        !choose_ipv4(c, "dhcpstart", s->dhcpstart, DHCP_NUMBER, &c->vdhcp_start,
                     errp)) {
        return false;
    }
    if (c->vhost.s_addr == c->vnameserver.s_addr ||
        c->vhost.s_addr == c->vdhcp_start.s_addr ||
        c->vnameserver.s_addr == c->vdhcp_start.s_addr) {
        error_setg(errp, "host=, dns= and dhcpstart= must be three addresses");
        return false;
    }
    return true;
}

/* ipv6-net=ADDRESS/BITS is short for ipv6-prefix=ADDRESS,ipv6-prefixlen=BITS. */
static bool parse_prefix(const NetdevUser *s, SlirpConfig *c, Error **errp)
{
    g_auto(GStrv) parts = g_strsplit(s->ipv6_net ? s->ipv6_net : "", "/", 2);
    const char *prefix = parts[0] ? parts[0]
                         : s->ipv6_prefix ? s->ipv6_prefix : DEFAULT_PREFIX;
    uint64_t bits = s->ipv6_prefixlen;

    if (parts[0] && parts[1] && qemu_strtou64(parts[1], NULL, 10, &bits) < 0) {
        bits = 0;
    }
    if (bits < 1 || bits > 126) {
        error_setg(errp, "ipv6-prefixlen=: 1 to 126 bits are expected");
        return false;
    }
    c->vprefix_len = bits;
    return parse_address(AF_INET6, "ipv6-prefix", prefix, &c->vprefix_addr6, errp);
}

static bool same_prefix(const struct in6_addr *a, const struct in6_addr *b,
                        unsigned bits)
{
    unsigned bytes = bits / 8, rest = bits % 8;

    return !memcmp(a, b, bytes) &&
           (!rest || !((a->s6_addr[bytes] ^ b->s6_addr[bytes]) >> (8 - rest)));
}

static bool choose_ipv6(const SlirpConfig *c, const char *name, const char *text,
                        uint8_t number, struct in6_addr *addr, Error **errp)
{
    if (!text) {
        *addr = c->vprefix_addr6;
        addr->s6_addr[15] |= number;
        return true;
    }
    if (!parse_address(AF_INET6, name, text, addr, errp)) {
        return false;
    }
    if (!same_prefix(addr, &c->vprefix_addr6, c->vprefix_len)) {
        error_setg(errp, "%s=%s is no address within ipv6-prefix=", name, text);
        return false;
    }
    return true;
}

static bool check_ipv6(const NetdevUser *s, SlirpConfig *c, Error **errp)
{
    return parse_prefix(s, c, errp) &&
           choose_ipv6(c, "ipv6-host", s->ipv6_host, HOST_NUMBER, &c->vhost6,
                       errp) &&
           choose_ipv6(c, "ipv6-dns", s->ipv6_dns, DNS_NUMBER,
                       &c->vnameserver6, errp);
}

/* --- what DHCP says of booting, and TFTP ----------------------------------- */

/* What their fields in an answer of DHCP can hold. */
#define BOOTFILE_MAX 127
#define SERVER_NAME_MAX 255

static bool check_length(const char *name, const char *text, size_t max,
                         Error **errp)
{
    if (text && strlen(text) > max) {
        error_setg(errp, "%s=: has %zu characters, %zu are possible", name,
                   strlen(text), max);
        return false;
    }
    return true;
}

/* @path from the root on. By a link: getcwd() is no call of a running machine's. */
static char *absolute_path(const char *path)
{
    g_autofree char *here = g_file_read_link("/proc/self/cwd", NULL);

    return g_canonicalize_filename(path, here ? here : "/");
}

/* libslirp opens the files, wherever this process is by then. */
static bool check_boot(NetdevUser *s, SlirpConfig *c, Error **errp)
{
    if (!check_length("bootfile", s->bootfile, BOOTFILE_MAX, errp) ||
        !check_length("tftp-server-name", s->tftp_server_name, SERVER_NAME_MAX,
                      errp)) {
        return false;
    }
    if (s->tftp && !g_file_test(s->tftp, G_FILE_TEST_IS_DIR)) {
        error_setg(errp, "tftp=%s is no directory", s->tftp);
        return false;
    }
    if (s->tftp) {
        s->tftp_path = absolute_path(s->tftp);
    }
    c->tftp_path = s->tftp_path;
    c->bootfile = s->bootfile;
    c->tftp_server_name = s->tftp_server_name;
    return true;
}

/* --- all of them ---------------------------------------------------------- */

static bool check_refused(const NetdevUser *s, Error **errp)
{
    for (size_t i = 0; i < NR_USER_REFUSED; i++) {
        if (s->refused[i]) {
            error_setg(errp, "%s=%s: %s", refused[i].name, s->refused[i],
                       refused[i].why);
            return false;
        }
    }
    return true;
}

bool user_options_check(NetdevUser *s, SlirpConfig *config, Error **errp)
{
    SlirpConfig c = {
        .version = 1,
        .restricted = s->restricted,
        .in_enabled = s->ipv4,
        .in6_enabled = s->ipv6,
        .vhostname = s->hostname,
        .vdnssearch = (const char **)s->dnssearch,
        .vdomainname = s->domainname,
    };

    if (!s->ipv4 && !s->ipv6) {
        error_setg(errp, "ipv4=off and ipv6=off: nothing is left");
        return false;
    }
    if (!qemu_may_open_later("libslirp opens sockets while the guest runs; "
                             "-netdev stream to passt does not", errp) ||
        !check_refused(s, errp) || !check_ipv4(s, &c, errp) ||
        !check_ipv6(s, &c, errp) || !check_boot(s, &c, errp)) {
        return false;
    }
    *config = c;
    NETDEV(s)->info = g_strdup_printf("net=%s,restrict=%s",
                                      s->net ? s->net : DEFAULT_NET,
                                      s->restricted ? "on" : "off");
    return true;
}

/* --- hostfwd= ------------------------------------------------------------- */

typedef struct Forward {
    bool udp;
    struct in_addr host, guest;           /* 0: any, and what DHCP gives */
    uint64_t host_port, guest_port;
} Forward;

/* [ADDRESS]:PORT */
static bool parse_side(const char *text, struct in_addr *addr, uint64_t *port)
{
    g_auto(GStrv) parts = g_strsplit(text, ":", 2);

    return parts[0] && parts[1] &&
           (!*parts[0] || inet_pton(AF_INET, parts[0], addr) == 1) &&
           qemu_strtou64(parts[1], NULL, 10, port) == 0 && *port >= 1 &&
           *port <= UINT16_MAX;
}

/* [tcp|udp]:[ADDRESS]:PORT-[ADDRESS]:PORT */
static bool parse_forward(const char *text, Forward *f)
{
    g_auto(GStrv) kind = g_strsplit(text, ":", 2);
    g_auto(GStrv) sides = g_strsplit(kind[0] && kind[1] ? kind[1] : "", "-", 2);

    *f = (Forward) { };
    if (!sides[0] || !sides[1]) {
        return false;
    }
    f->udp = !strcmp(kind[0], "udp");
    return (f->udp || !*kind[0] || !strcmp(kind[0], "tcp")) &&
           parse_side(sides[0], &f->host, &f->host_port) &&
           parse_side(sides[1], &f->guest, &f->guest_port);
}

bool user_forward_add(NetdevUser *s, const char *text, Error **errp)
{
    Forward f;

    if (!s->ipv4) {
        error_setg(errp, "hostfwd=%s goes with ipv4=on only", text);
        return false;
    }
    if (!parse_forward(text, &f)) {
        error_setg(errp, "hostfwd=%s: [tcp|udp]:[ADDRESS]:PORT-[ADDRESS]:"
                   "PORT is expected, the host's before the guest's", text);
        return false;
    }
    if (slirp_add_hostfwd(s->slirp, f.udp, f.host, f.host_port, f.guest,
                          f.guest_port) < 0) {
        error_setg_errno(errp, errno, "hostfwd=%s: the host's port cannot "
                         "be opened", text);
        return false;
    }
    return true;
}

bool user_forward_remove(NetdevUser *s, const char *text, Error **errp)
{
    g_autofree char *whole = g_strdup_printf("%s-:1", text);
    Forward f;

    if (!parse_forward(whole, &f)) {
        error_setg(errp, "%s: [tcp|udp]:[ADDRESS]:PORT of the host is expected",
                   text);
        return false;
    }
    if (slirp_remove_hostfwd(s->slirp, f.udp, f.host, f.host_port) < 0) {
        error_setg(errp, "host forwarding rule for %s not found", text);
        return false;
    }
    return true;
}

bool user_options_forward(NetdevUser *s, Error **errp)
{
    for (char **text = s->hostfwd; text && *text; text++) {
        if (!user_forward_add(s, *text, errp)) {
            return false;
        }
    }
    return true;
}

/* --- the table ------------------------------------------------------------ */

#define OPTION(name, kind, member, words) \
    NETDEV_OPTION(NetdevUser, name, kind, member, words)
#define REFUSED(n, name) OPTION(name, STR, refused[n], "none")

const NetdevOption user_options[] = {
    OPTION("net", STR, net, "The network, ADDRESS/BITS; " DEFAULT_NET),
    OPTION("host", STR, host, "The host's address in it; number 2"),
    OPTION("dns", STR, dns, "The name server's; number 3"),
    OPTION("dhcpstart", STR, dhcpstart, "The first that DHCP gives; number 15"),
    OPTION("hostname", STR, hostname, "The name that DHCP gives the guest"),
    OPTION("domainname", STR, domainname, "The domain that DHCP tells"),
    OPTION("dnssearch", STR_LIST, dnssearch, "Domains to search for names"),
    OPTION("restrict", BOOL, restricted, "Nothing but hostfwd= passes"),
    OPTION("hostfwd", STR_LIST, hostfwd,
           "A port of the host that leads to one of the guest"),
    OPTION("ipv4", BOOL, ipv4, "With IPv4"),
    OPTION("ipv6", BOOL, ipv6, "With IPv6"),
    OPTION("ipv6-net", STR, ipv6_net, "ipv6-prefix/ipv6-prefixlen"),
    OPTION("ipv6-prefix", STR, ipv6_prefix, "The IPv6 network; fec0::"),
    OPTION("ipv6-prefixlen", UINT32, ipv6_prefixlen, "Bits of it; 64"),
    OPTION("ipv6-host", STR, ipv6_host, "The host's address; fec0::2"),
    OPTION("ipv6-dns", STR, ipv6_dns, "The name server's; fec0::3"),
    OPTION("tftp", STR, tftp, "A directory whose files the guest may read"),
    OPTION("bootfile", STR, bootfile, "The file that DHCP tells it to boot"),
    OPTION("tftp-server-name", STR, tftp_server_name, "Whose DHCP says it is"),
    REFUSED(0, "smb"), REFUSED(1, "smbserver"), REFUSED(2, "guestfwd"),
    { },
};
