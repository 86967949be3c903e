/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ethernet addresses as device properties (macaddr.h). */
#include "qemu/osdep.h"

#include "macaddr.h"
#include "qapi/error.h"

static void get_mac(Object *obj, Visitor *v, const char *name, void *opaque,
                    Error **errp)
{
    g_autofree char *text = net_mac_text(object_field_prop_ptr(obj, opaque));

    visit_type_str(v, name, &text, errp);
}

static void set_mac(Object *obj, Visitor *v, const char *name, void *opaque,
                    Error **errp)
{
    g_autofree char *text = NULL;
    MACAddr mac;

    if (!visit_type_str(v, name, &text, errp)) {
        return;
    }
    if (!net_mac_parse(text, &mac)) {
        error_setg(errp, "Property '%s.%s' doesn't take value '%s': the address "
                   "of one station is expected, such as 52:54:00:12:34:56",
                   object_get_typename(obj), name, text);
        return;
    }
    *(MACAddr *)object_field_prop_ptr(obj, opaque) = mac;
}

const PropertyInfo qdev_prop_macaddr = {
    .get = get_mac,
    .set = set_mac,
    .name = "str",
    .description = "an Ethernet address, such as 52:54:00:12:34:56",
};
