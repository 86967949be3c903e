/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sockets of -netdev dgram (dgram-socket.h): Unix sockets with a path, UDP
 * between two addresses or in a multicast group, and a descriptor of somebody
 * else's. What does not go together is refused; nothing is opened by then.
 */
#include "qemu/osdep.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>

#include "dgram-socket.h"
#include "monitor/fds.h"
#include "qemu/cutils.h"

#define TYPE_IS(address, name) (!g_strcmp0((address)->type, name))

/* --- what goes together --------------------------------------------------- */

/* Whether @a has what its type needs, and nothing else. @side is "local" or
 * "remote". */
static bool check_members(const char *side, const DgramAddress *a, Error **errp)
{
    const struct {
        const char *name, *value, *type;
    } members[] = {
        { "path", a->path, "unix" }, { "host", a->host, "inet" },
        { "port", a->port, "inet" }, { "str", a->str, "fd" },
    };

    for (unsigned i = 0; i < ARRAY_SIZE(members); i++) {
        bool wanted = TYPE_IS(a, members[i].type);

        if (wanted && !members[i].value) {
            error_setg(errp, "Parameter '%s.%s' is missing: %s.type=%s needs it",
                       side, members[i].name, side, a->type);
            return false;
        }
        if (!wanted && members[i].value) {
            error_setg(errp, "%s.%s= goes with %s.type=%s only", side,
                       members[i].name, side, members[i].type);
            return false;
        }
    }
    return true;
}

static bool check_types(const DgramAddress *local, const DgramAddress *remote,
                        Error **errp)
{
    if (TYPE_IS(local, "fd")) {
        if (remote->type) {
            error_setg(errp, "local.type=fd goes without remote.: its socket is "
                       "connected");
        }
        return !remote->type;
    }
    if (!local->type && TYPE_IS(remote, "inet")) {
        return true;                      /* which has to be a group */
    }
    if (!TYPE_IS(local, "unix") && !TYPE_IS(local, "inet")) {
        error_setg(errp, "Parameter 'local.type' expects unix, inet or fd");
        return false;
    }
    if (g_strcmp0(local->type, remote->type)) {
        error_setg(errp, "Parameter 'remote.type' expects %s, which goes with "
                   "local.type=%s", local->type, local->type);
        return false;
    }
    return true;
}

/* --- Unix sockets --------------------------------------------------------- */

static bool set_path(const char *option, const char *path,
                     struct sockaddr_un *addr, Error **errp)
{
    if (!socket_path_address(addr, path)) {
        error_setg(errp, "%s=%s is too long: at most %zu bytes are possible",
                   option, path, sizeof(addr->sun_path) - 1);
        return false;
    }
    return true;
}

static bool new_socket(DgramSocket *s, int family, Error **errp)
{
    s->fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s->fd < 0) {
        error_setg_errno(errp, errno, "a socket cannot be had");
    }
    return s->fd >= 0;
}

static bool bind_path(DgramSocket *s, const char *path, Error **errp)
{
    int ret = socket_path_bind(s->fd, &s->path, &s->file);

    if (ret == -ENOTSOCK) {
        error_setg(errp, "local.path=%s exists, and is no socket", path);
    } else if (ret == -EADDRINUSE) {
        error_setg(errp, "local.path=%s is another socket's", path);
    } else if (ret) {
        error_setg_errno(errp, -ret, "local.path=%s cannot be had", path);
    }
    return !ret;
}

static bool open_unix(DgramSocket *s, const DgramAddress *local,
                      const DgramAddress *remote, Error **errp)
{
    s->remote_size = sizeof(struct sockaddr_un);
    return set_path("local.path", local->path, &s->path, errp) &&
           set_path("remote.path", remote->path,
                    (struct sockaddr_un *)&s->remote, errp) &&
           new_socket(s, AF_UNIX, errp) && bind_path(s, local->path, errp);
}

/* --- UDP ------------------------------------------------------------------ */

static bool parse_port(const char *option, const char *text, uint16_t min,
                       uint16_t *port, Error **errp)
{
    uint64_t value;

    if (qemu_strtou64(text, NULL, 10, &value) < 0 || value < min ||
        value > UINT16_MAX) {
        error_setg(errp, "%s=%s: a UDP port is expected, %u to %u", option, text,
                   min, UINT16_MAX);
        return false;
    }
    *port = value;
    return true;
}

/* The first address of @host that is of @family; its size, 0: *errp. An empty host
 * is any of this machine. */
static socklen_t resolve(const char *option, const char *host, uint16_t port,
                         int family, struct sockaddr_storage *addr, Error **errp)
{
    struct addrinfo hints = {
        .ai_flags = AI_PASSIVE, .ai_family = family, .ai_socktype = SOCK_DGRAM,
    };
    g_autofree char *service = g_strdup_printf("%u", port);
    struct addrinfo *found;
    socklen_t size;
    int ret = getaddrinfo(*host ? host : NULL, service, &hints, &found);

    if (ret) {
        error_setg(errp, "%s=%s is no %saddress: %s", option, host,
                   family == AF_INET ? "IPv4 " :
                   family == AF_INET6 ? "IPv6 " : "", gai_strerror(ret));
        return 0;
    }
    size = found->ai_addrlen;
    memcpy(addr, found->ai_addr, size);
    freeaddrinfo(found);
    return size;
}

static bool bind_to(DgramSocket *s, const char *name,
                    const struct sockaddr_storage *addr, socklen_t size,
                    Error **errp)
{
    if (bind(s->fd, (const struct sockaddr *)addr, size) < 0) {
        error_setg_errno(errp, errno, "%s cannot be had", name);
        return false;
    }
    return true;
}

static bool set_ip_option(DgramSocket *s, int option, const char *name,
                          const void *value, socklen_t size, Error **errp)
{
    if (setsockopt(s->fd, IPPROTO_IP, option, value, size) < 0) {
        error_setg_errno(errp, errno, "multicast is not possible: %s", name);
        return false;
    }
    return true;
}

/* All members of a group have its address and port, so a machine may have several,
 * which is also why each gets its own frames. */
static bool join_group(DgramSocket *s, const DgramAddress *remote,
                       struct in_addr interface, Error **errp)
{
    const struct sockaddr_in *group = (struct sockaddr_in *)&s->remote;
    struct ip_mreq mreq = { group->sin_addr, interface };
    const uint8_t loop = 1;

    if (!new_socket(s, AF_INET, errp)) {
        return false;
    }
    setsockopt(s->fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
    return bind_to(s, remote->host, &s->remote, s->remote_size, errp) &&
           set_ip_option(s, IP_ADD_MEMBERSHIP, "IP_ADD_MEMBERSHIP", &mreq,
                         sizeof(mreq), errp) &&
           set_ip_option(s, IP_MULTICAST_LOOP, "IP_MULTICAST_LOOP", &loop,
                         sizeof(loop), errp) &&
           set_ip_option(s, IP_MULTICAST_IF, "IP_MULTICAST_IF", &interface,
                         sizeof(interface), errp);
}

/* local. says which interface: the one that has its address. */
static bool open_group(DgramSocket *s, const DgramAddress *local,
                       const DgramAddress *remote, Error **errp)
{
    struct sockaddr_storage interface = { };

    if (local->type && !resolve("local.host", local->host, 0, AF_INET,
                                &interface, errp)) {
        return false;
    }
    return join_group(s, remote, ((struct sockaddr_in *)&interface)->sin_addr,
                      errp);
}

static bool is_group(const struct sockaddr_storage *a)
{
    return a->ss_family == AF_INET
               ? IN_MULTICAST(ntohl(((struct sockaddr_in *)a)->sin_addr.s_addr))
               : IN6_IS_ADDR_MULTICAST(&((struct sockaddr_in6 *)a)->sin6_addr);
}

static bool open_inet(DgramSocket *s, const DgramAddress *local,
                      const DgramAddress *remote, Error **errp)
{
    struct sockaddr_storage own;
    socklen_t size;
    uint16_t port;

    if (!parse_port("remote.port", remote->port, 1, &port, errp)) {
        return false;
    }
    s->remote_size = resolve("remote.host", remote->host, port, AF_UNSPEC,
                             &s->remote, errp);
    if (!s->remote_size) {
        return false;
    }
    if (is_group(&s->remote)) {
        if (s->remote.ss_family == AF_INET) {
            return open_group(s, local, remote, errp);
        }
        error_setg(errp, "remote.host=%s: multicast groups are those of IPv4",
                   remote->host);
        return false;
    }
    if (!local->type) {
        error_setg(errp, "Parameter 'local.type' is missing: only a remote.host= "
                   "that is a multicast group goes without");
        return false;
    }
    if (!parse_port("local.port", local->port, 0, &port, errp)) {
        return false;
    }
    size = resolve("local.host", local->host, port, s->remote.ss_family, &own,
                   errp);
    return size && new_socket(s, s->remote.ss_family, errp) &&
           bind_to(s, "local.host= with local.port=", &own, size, errp);
}

/* --- descriptors ---------------------------------------------------------- */

static bool is_datagram_socket(int fd)
{
    int type;
    socklen_t size = sizeof(type);

    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0) {
        return false;
    }
    errno = EPROTOTYPE;
    return type == SOCK_DGRAM;
}

static bool open_fd(DgramSocket *s, const char *text, Error **errp)
{
    s->fd = monitor_fd_open("local.str", text, NULL, is_datagram_socket, errp);
    if (s->fd < 0) {
        return false;
    }
    fcntl(s->fd, F_SETFL, fcntl(s->fd, F_GETFL) | O_NONBLOCK);
    return true;
}

/* --- all of them ---------------------------------------------------------- */

bool dgram_socket_open(DgramSocket *s, const DgramAddress *local,
                       const DgramAddress *remote, Error **errp)
{
    bool ok;

    *s = (DgramSocket) { .fd = -1 };
    if (!check_types(local, remote, errp) ||
        !check_members("local", local, errp) ||
        !check_members("remote", remote, errp)) {
        return false;
    }
    if (TYPE_IS(local, "fd")) {
        ok = open_fd(s, local->str, errp);
    } else if (TYPE_IS(local, "unix")) {
        ok = open_unix(s, local, remote, errp);
    } else {
        ok = open_inet(s, local, remote, errp);
    }
    if (!ok) {
        dgram_socket_close(s);
    }
    return ok;
}

/* Where datagrams arrive, as the kernel says, which chooses a port if that is 0. */
static char *own_name(int fd)
{
    struct sockaddr_storage own;
    socklen_t size = sizeof(own);
    char host[NI_MAXHOST], port[NI_MAXSERV];

    if (getsockname(fd, (struct sockaddr *)&own, &size) < 0 ||
        getnameinfo((struct sockaddr *)&own, size, host, sizeof(host), port,
                    sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV)) {
        return g_strdup("?");
    }
    return g_strdup_printf("%s:%s", host, port);
}

char *dgram_socket_name(const DgramSocket *s, const DgramAddress *local,
                        const DgramAddress *remote)
{
    g_autofree char *own = TYPE_IS(remote, "inet") ? own_name(s->fd) : NULL;

    if (own) {
        return g_strdup_printf("dgram,local=%s,remote=%s:%s", own, remote->host,
                               remote->port);
    }
    return TYPE_IS(local, "fd")
               ? g_strdup_printf("dgram,fd=%s", local->str)
               : g_strdup_printf("dgram,local.path=%s,remote.path=%s",
                                 local->path, remote->path);
}

void dgram_socket_remove_file(DgramSocket *s)
{
    socket_path_remove(&s->path, &s->file);
}

void dgram_socket_close(DgramSocket *s)
{
    if (s->fd >= 0) {
        close(s->fd);
        s->fd = -1;
    }
    dgram_socket_remove_file(s);
}
