/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -msg: what is put before each message on standard error. */
#include "qemu/osdep.h"

#include "qemu/cutils.h"
#include "qemu/error-report.h"
#include "qemu/keyval.h"
#include "sysemu/sysemu.h"
#include "vl-internal.h"

static bool timestamp;
static bool guest_name;

static bool parse_msg(const char *arg, void *opaque, Error **errp)
{
    g_autoptr(JsonObject) opts = keyval_parse(arg, NULL, NULL, errp);
    JsonObjectIter iter;
    const char *name;
    JsonNode *node;

    if (!opts) {
        return false;
    }
    json_object_iter_init(&iter, opts);
    while (json_object_iter_next(&iter, &name, &node)) {
        bool *on = !strcmp(name, "timestamp") ? &timestamp :
                   !strcmp(name, "guest-name") ? &guest_name : NULL;

        if (!on) {
            error_setg(errp, "Invalid parameter '%s'; what there is: "
                       "timestamp, guest-name", name);
            return false;
        }
        if (!qemu_parse_bool(json_node_get_string(node), on)) {
            error_setg(errp, "Parameter '%s' expects 'on' or 'off'", name);
            return false;
        }
    }
    return true;
}

bool vl_configure_messages(const VlConfig *cfg, Error **errp)
{
    if (!vl_foreach("msg", cfg->msgs, parse_msg, NULL, errp)) {
        return false;
    }
    error_set_prefix(timestamp, guest_name ? qemu_get_vm_name() : NULL);
    return true;
}
