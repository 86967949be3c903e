/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -d and -D: what is logged, and where (qemu/log.h). */
#include "qemu/osdep.h"

#include "qemu/log.h"
#include "qemu/trace.h"
#include "vl-internal.h"

#define TRACE_PREFIX "trace:"

/* Those of QEMU's items that there is something to say about. */
static const struct {
    const char *name;
    unsigned mask;
    const char *help;
} items[] = {
    { "guest_errors", LOG_GUEST_ERROR,
      "log when the guest does what a device or memory refuses" },
};

static bool enable_item(const char *name, Error **errp)
{
    if (g_str_has_prefix(name, TRACE_PREFIX)) {
        return trace_enable_events(name + strlen(TRACE_PREFIX), errp);
    }
    for (size_t i = 0; i < ARRAY_SIZE(items); i++) {
        if (strcmp(items[i].name, name) == 0) {
            qemu_loglevel |= items[i].mask;
            return true;
        }
    }
    error_setg(errp, "there is no log item '%s'; -d help lists those that "
               "there are", name);
    return false;
}

static bool enable_items(const char *arg, void *opaque, Error **errp)
{
    g_auto(GStrv) names = g_strsplit(arg, ",", -1);

    for (char **name = names; *name; name++) {
        if (!enable_item(*name, errp)) {
            return false;
        }
    }
    return true;
}

bool vl_enable_log_items(const VlConfig *cfg, Error **errp)
{
    return vl_foreach("d", cfg->log_items, enable_items, NULL, errp);
}

static bool open_log(const char *arg, void *opaque, Error **errp)
{
    return qemu_log_open(arg, errp);
}

bool vl_open_log(const VlConfig *cfg, Error **errp)
{
    return !cfg->log_file ||
           vl_with("D", cfg->log_file, open_log, NULL, errp);
}

void vl_list_log_items(void)
{
    puts("Log items (comma separated):");
    for (size_t i = 0; i < ARRAY_SIZE(items); i++) {
        printf("%-15s %s\n", items[i].name, items[i].help);
    }
    puts("trace:PATTERN   log trace events that match; -d trace:help lists "
         "them");
}
