/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guest's network devices: their names, addresses and links
 * (net/net-device.h). */
#include "qemu/osdep.h"

#include "net-internal.h"
#include "net/net-device.h"
#include "qapi/error.h"

static QTAILQ_HEAD(, NetDevice) devices = QTAILQ_HEAD_INITIALIZER(devices);

void net_device_foreach(void (*fn)(NetDevice *dev, void *opaque), void *opaque)
{
    NetDevice *dev;

    QTAILQ_FOREACH(dev, &devices, node) {
        fn(dev, opaque);
    }
}

static NetDevice *find_device(const char *name)
{
    NetDevice *dev;

    QTAILQ_FOREACH(dev, &devices, node) {
        if (!strcmp(dev->name, name)) {
            return dev;
        }
    }
    return NULL;
}

/* --- addresses ------------------------------------------------------------ */

char *net_mac_text(const MACAddr *mac)
{
    const uint8_t *a = mac->a;

    return g_strdup_printf("%02x:%02x:%02x:%02x:%02x:%02x", a[0], a[1], a[2],
                           a[3], a[4], a[5]);
}

/* Six pairs of hexadecimal digits, with colons or hyphens between. */
bool net_mac_parse(const char *text, MACAddr *mac)
{
    for (unsigned i = 0; i < NET_MAC_SIZE; i++, text += 3) {
        bool last = i == NET_MAC_SIZE - 1;

        if (!g_ascii_isxdigit(text[0]) || !g_ascii_isxdigit(text[1]) ||
            (last ? text[2] != 0 : text[2] != ':' && text[2] != '-')) {
            return false;
        }
        mac->a[i] = g_ascii_xdigit_value(text[0]) << 4 |
                    g_ascii_xdigit_value(text[1]);
    }
    return !(mac->a[0] & 1);
}

static bool mac_is_taken(const MACAddr *mac)
{
    NetDevice *dev;

    QTAILQ_FOREACH(dev, &devices, node) {
        if (!memcmp(&dev->mac, mac, sizeof(*mac))) {
            return true;
        }
    }
    return false;
}

/* The first that nobody has, of those that QEMU gives devices, too. */
static void choose_mac(MACAddr *mac)
{
    static const MACAddr none;
    unsigned n = 0;

    if (memcmp(mac, &none, sizeof(*mac))) {
        return;
    }
    do {
        *mac = (MACAddr) { { 0x52, 0x54, 0x00, 0x12, 0x34, 0x56 + n++ } };
    } while (n < 256 && mac_is_taken(mac));
}

/* --- devices -------------------------------------------------------------- */

static char *choose_name(const char *model)
{
    unsigned n = 0;
    char *name = NULL;

    do {
        g_free(name);
        name = g_strdup_printf("%s.%u", model, n++);
    } while (find_device(name));
    return name;
}

bool net_device_add(NetDevice *dev, const char *id, const char *netdev,
                    Error **errp)
{
    Netdev *nd = netdev ? netdev_find(netdev) : NULL;

    if (netdev && !nd) {
        error_setg(errp, "Property '%s.netdev' can't find value '%s'",
                   dev->model, netdev);
        return false;
    }
    if (nd && !netdev_connect(nd, dev->ends, dev->nr_ends, errp)) {
        return false;
    }
    dev->name = id ? g_strdup(id) : choose_name(dev->model);
    choose_mac(&dev->mac);
    QTAILQ_INSERT_TAIL(&devices, dev, node);
    return true;
}

void net_device_remove(NetDevice *dev)
{
    QTAILQ_REMOVE(&devices, dev, node);
    net_ends_disconnect(dev->ends, dev->nr_ends);
    g_clear_pointer(&dev->name, g_free);
}

bool net_set_link(const char *name, bool up, Error **errp)
{
    NetDevice *dev = find_device(name);
    Netdev *nd = dev ? NULL : netdev_find(name);
    NetEnd *ends = dev ? dev->ends : nd ? nd->ends : NULL;
    unsigned n = dev ? dev->nr_ends : nd ? nd->nr_ends : 0;

    if (!ends) {
        error_set(errp, ERROR_CLASS_DEVICE_NOT_FOUND, "Device '%s' not found",
                  name);
        return false;
    }
    aio_pause_all();
    for (unsigned i = 0; i < n; i++) {
        NetEnd *peer = ends[i].peer;

        ends[i].link_down = !up;
        net_end_link_changed(&ends[i]);
        if (peer) {
            net_end_link_changed(peer);
        }
    }
    aio_resume_all();
    return true;
}
