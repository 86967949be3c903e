/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Monitors as the command line asks for them (-mon, -qmp, -monitor). */
#include "qemu/osdep.h"

#include "monitor/monitor.h"

#include "monitor-internal.h"

typedef struct MonitorOpts {
    const char *chardev;
    bool control;
    bool pretty;
} MonitorOpts;

/* "on" and "off" as text, or a boolean. */
static bool monitor_parse_bool(const char *name, JsonNode *node, bool *value,
                               Error **errp)
{
    const char *text = json_node_get_string(node);

    if (JSON_NODE_HOLDS_VALUE(node) &&
        json_node_get_value_type(node) == G_TYPE_BOOLEAN) {
        *value = json_node_get_boolean(node);
    } else if (!g_strcmp0(text, "on") || !g_strcmp0(text, "off")) {
        *value = !strcmp(text, "on");
    } else {
        error_setg(errp, "Parameter '%s' expects 'on' or 'off'", name);
        return false;
    }
    return true;
}

static bool monitor_parse_opt(MonitorOpts *mon, const char *name,
                              JsonNode *node, Error **errp)
{
    const char *text = JSON_NODE_HOLDS_VALUE(node) ? json_node_get_string(node)
                                                   : NULL;

    if (!strcmp(name, "chardev") && text) {
        mon->chardev = text;
    } else if (!strcmp(name, "mode") && !g_strcmp0(text, "control")) {
        mon->control = true;
    } else if (!strcmp(name, "mode") && !g_strcmp0(text, "readline")) {
        mon->control = false;
    } else if (!strcmp(name, "mode")) {
        error_setg(errp, "Parameter 'mode' expects 'control' or 'readline'");
        return false;
    } else if (!strcmp(name, "id") && text) {
        return true;                      /* nothing refers to it */
    } else if (!strcmp(name, "pretty")) {
        return monitor_parse_bool(name, node, &mon->pretty, errp);
    } else {
        error_setg(errp, "Parameter '%s' is unexpected", name);
        return false;
    }
    return true;
}

bool monitor_init_opts(JsonObject *opts, Error **errp)
{
    g_autoptr(GList) names = json_object_get_members(opts);
    MonitorOpts mon = { .chardev = NULL };
    Chardev *chr;

    for (GList *l = names; l; l = l->next) {
        if (!monitor_parse_opt(&mon, l->data,
                               json_object_get_member(opts, l->data), errp)) {
            return false;
        }
    }
    if (!mon.chardev) {
        error_setg(errp, "Parameter 'chardev' is missing");
        return false;
    }
    if (mon.pretty && !mon.control) {
        error_setg(errp, "Parameter 'pretty' needs mode=control");
        return false;
    }
    chr = qemu_chr_find(mon.chardev);
    if (!chr) {
        error_setg(errp, "chardev \"%s\" not found", mon.chardev);
        return false;
    }
    return mon.control ? monitor_init_qmp(chr, mon.pretty, errp)
                       : monitor_init_hmp(chr, errp);
}

/* What monitor_restrict() says; any thread reads it. */
static const char *const *allowed_names;

void monitor_restrict(const char *const *names)
{
    __atomic_store_n(&allowed_names, names, __ATOMIC_RELEASE);
}

bool monitor_check_restriction(const char *name, Error **errp)
{
    const char *const *names = __atomic_load_n(&allowed_names,
                                               __ATOMIC_ACQUIRE);
    bool ok = !names || g_strv_contains(names, name);

    if (!ok) {
        error_setg(errp, "The command '%s' is permitted only after machine "
                   "initialization has completed", name);
    }
    return ok;
}

void monitor_cleanup(void)
{
    gint64 deadline = g_get_monotonic_time() + G_USEC_PER_SEC;

    qmp_sessions_close(deadline);
    hmp_sessions_close(deadline);
}
