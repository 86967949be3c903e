/* SPDX-License-Identifier: GPL-2.0-or-later */
/* HMP commands on -netdev user: ports of the host that lead to the guest, and
 * which connections there are. */
#include "qemu/osdep.h"

#include "monitor/hmp.h"
#include "qapi/error.h"
#include "user.h"

/* --- which one ------------------------------------------------------------ */

static void find_first(Netdev *nd, void *opaque)
{
    NetdevUser **found = opaque;

    if (!*found) {
        *found = (NetdevUser *)object_dynamic_cast(OBJECT(nd), TYPE_NETDEV_USER);
    }
}

/* The one of the name before the last word of @args, or the first; *text is that
 * last word, which lives as long as @args. NULL: *errp. */
static NetdevUser *find_user(const char *args, const char **text, Error **errp)
{
    const char *blank = strrchr(args, ' ');
    g_autofree char *id = blank ? g_strndup(args, blank - args) : NULL;
    NetdevUser *s = NULL;

    *text = blank ? blank + 1 : args;
    if (!id) {
        netdev_foreach(find_first, &s);
    } else if (netdev_find(id)) {
        s = (NetdevUser *)object_dynamic_cast(OBJECT(netdev_find(id)),
                                              TYPE_NETDEV_USER);
    }
    if (!s) {
        error_setg(errp, id ? "there is no netdev user '%s'"
                            : "there is no netdev user", id);
    }
    return s;
}

/* --- commands ------------------------------------------------------------- */

static void hmp_hostfwd_add(GString *out, const char *args, Error **errp)
{
    const char *text;
    NetdevUser *s = find_user(args, &text, errp);

    if (s) {
        user_forward_add(s, text, errp);
    }
}

static void hmp_hostfwd_remove(GString *out, const char *args, Error **errp)
{
    const char *text;
    NetdevUser *s = find_user(args, &text, errp);

    if (s && user_forward_remove(s, text, errp)) {
        g_string_append_printf(out, "host forwarding rule for %s removed\n", text);
    }
}

static void print_connections(Netdev *nd, void *opaque)
{
    NetdevUser *s = (NetdevUser *)object_dynamic_cast(OBJECT(nd),
                                                      TYPE_NETDEV_USER);

    if (s) {
        char *text = slirp_connection_info(s->slirp);

        g_string_append_printf(opaque, "%s:\n%s", nd->id, text);
        free(text);
    }
}

static void hmp_info_usernet(GString *out, const char *args, Error **errp)
{
    netdev_foreach(print_connections, out);
}

static const HmpCommand hmp_user_commands[] = {
    { "hostfwd_add", "[netdev_id] [tcp|udp]:[hostaddr]:hostport-[guestaddr]:guestport",
      "have a port of the host lead to one of the guest", hmp_hostfwd_add },
    { "hostfwd_remove", "[netdev_id] [tcp|udp]:[hostaddr]:hostport",
      "close such a port", hmp_hostfwd_remove },
};

static const HmpCommand hmp_user_info[] = {
    { "usernet", "", "show connections of user networks", hmp_info_usernet },
};

static void user_commands_register(void)
{
    hmp_register_commands(hmp_user_commands, ARRAY_SIZE(hmp_user_commands));
    hmp_register_info(hmp_user_info, ARRAY_SIZE(hmp_user_info));
}
type_init(user_commands_register)
