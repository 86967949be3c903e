/* SPDX-License-Identifier: GPL-2.0-or-later */
/* QMP and HMP commands on networks: netdev_add, netdev_del, set_link,
 * info network. */
#include "qemu/osdep.h"

#include "monitor/hmp.h"
#include "monitor/qmp.h"
#include "net/net-device.h"
#include "qapi/error.h"

/* --- commands ------------------------------------------------------------- */

static JsonNode *qmp_netdev_add(JsonObject *args, Error **errp)
{
    netdev_new_from_json(args, false, errp);
    return NULL;
}

static bool netdev_delete(const char *id, Error **errp)
{
    Netdev *nd = netdev_find(id);

    if (!nd) {
        error_set(errp, ERROR_CLASS_DEVICE_NOT_FOUND, "Device '%s' not found",
                  id);
        return false;
    }
    object_unparent(OBJECT(nd));
    return true;
}

static JsonNode *qmp_netdev_del(JsonObject *args, Error **errp)
{
    netdev_delete(json_object_get_string_member(args, "id"), errp);
    return NULL;
}

static JsonNode *qmp_set_link(JsonObject *args, Error **errp)
{
    net_set_link(json_object_get_string_member(args, "name"),
                 json_object_get_boolean_member(args, "up"), errp);
    return NULL;
}

static const QmpCommand net_commands[] = {
    { .name = "netdev_add", .args = "Netdev", .fn = qmp_netdev_add,
      .help = "Adds a netdev, the host's side of a network." },
    { .name = "netdev_del", .args = "id:str", .fn = qmp_netdev_del,
      .help =
      "Removes a netdev. A device that uses it has a link that is down.\n"
      "id: its name\n"
      "Errors: DeviceNotFound" },
    { .name = "set_link", .args = "name:str,up:bool", .fn = qmp_set_link,
      .help =
      "Plugs the cable of a network device in, or pulls it.\n"
      "name: the id of a device, or of a netdev\n"
      "up: whether the link is up\n"
      "Errors: DeviceNotFound" },
};

/* --- for people ----------------------------------------------------------- */

static void print_netdev(GString *out, const Netdev *nd)
{
    g_string_append_printf(out, "%s: type=%s,%s%s\n", nd->id,
                           NETDEV_GET_CLASS(nd)->kind, nd->info,
                           nd->ends[0].link_down ? ", link down" : "");
}

static void print_device(NetDevice *dev, void *opaque)
{
    GString *out = opaque;
    g_autofree char *mac = net_mac_text(&dev->mac);

    g_string_append_printf(out, "%s: type=nic,model=%s,macaddr=%s%s\n",
                           dev->name, dev->model, mac,
                           net_end_link_is_up(&dev->ends[0]) ? ""
                                                             : ", link down");
    if (dev->ends[0].peer) {
        g_string_append(out, " \\ ");
        print_netdev(out, dev->ends[0].peer->owner);
    }
}

static void print_unused(Netdev *nd, void *opaque)
{
    if (!nd->ends[0].peer) {
        print_netdev(opaque, nd);
    }
}

static void hmp_info_network(GString *out, const char *args, Error **errp)
{
    net_device_foreach(print_device, out);
    netdev_foreach(print_unused, out);
}

static void hmp_netdev_add(GString *out, const char *args, Error **errp)
{
    g_autoptr(JsonObject) opts = netdev_parse(args, errp);

    if (opts) {
        netdev_new_from_json(opts, true, errp);
    }
}

static void hmp_netdev_del(GString *out, const char *args, Error **errp)
{
    netdev_delete(args, errp);
}

static void hmp_set_link(GString *out, const char *args, Error **errp)
{
    g_auto(GStrv) words = g_strsplit(args, " ", 2);
    bool up = words[0] && words[1] && !strcmp(words[1], "on");

    if (!up && (!words[0] || !words[1] || strcmp(words[1], "off"))) {
        error_setg(errp, "expected are a name and on or off");
        return;
    }
    net_set_link(words[0], up, errp);
}

static const HmpCommand hmp_net_commands[] = {
    { "netdev_add", "type,id=str[,prop=value][,...]", "add a netdev",
      hmp_netdev_add },
    { "netdev_del", "id", "remove a netdev", hmp_netdev_del },
    { "set_link", "name on|off", "plug a network cable in, or pull it",
      hmp_set_link },
};

static const HmpCommand hmp_net_info[] = {
    { "network", "", "show network devices and netdevs", hmp_info_network },
};

static void net_commands_register(void)
{
    qmp_register_commands(net_commands, ARRAY_SIZE(net_commands));
    hmp_register_commands(hmp_net_commands, ARRAY_SIZE(hmp_net_commands));
    hmp_register_info(hmp_net_info, ARRAY_SIZE(hmp_net_info));
}
type_init(net_commands_register)
