/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -msg: what is put before each message on standard error. */
#include "qemu/osdep.h"

#include "qemu/cutils.h"
#include "qemu/error-report.h"
#include "sysemu/sysemu.h"
#include "vl-internal.h"

static bool timestamp;
static bool guest_name;

static bool apply_member(const char *name, const char *value, Error **errp)
{
    bool *on = !strcmp(name, "timestamp") ? &timestamp :
               !strcmp(name, "guest-name") ? &guest_name : NULL;

    if (!on) {
        error_setg(errp, "Invalid parameter '%s'; expected: timestamp, "
                   "guest-name", name);
        return false;
    }
    if (!qemu_parse_bool(value, on)) {
        error_setg(errp, "Parameter '%s' expects 'on' or 'off'", name);
        return false;
    }
    return true;
}

bool vl_configure_messages(const VlConfig *cfg, Error **errp)
{
    if (!vl_foreach_member("msg", cfg->msgs, apply_member, errp)) {
        return false;
    }
    error_set_prefix(timestamp, guest_name ? qemu_get_vm_name() : NULL);
    return true;
}
