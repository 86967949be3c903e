/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -trace: which events are printed on standard error (qemu/trace.h). */
#include "qemu/osdep.h"

#include "qemu/keyval.h"
#include "qemu/trace.h"
#include "vl-internal.h"

static bool enable_trace(const char *arg, void *opaque, Error **errp)
{
    g_autoptr(JsonObject) opts = keyval_parse(arg, "enable", NULL, errp);
    g_autoptr(GList) names = NULL;
    const char *pattern;

    if (!opts) {
        return false;
    }
    names = json_object_get_members(opts);
    for (GList *l = names; l; l = l->next) {
        if (strcmp(l->data, "enable") != 0) {
            error_setg(errp, "%s=: not supported; possible: "
                       "enable=PATTERN", (char *)l->data);
            return false;
        }
    }
    pattern = json_object_get_string_member_with_default(opts, "enable", "");
    return trace_enable_events(pattern, errp);
}

bool vl_enable_traces(const VlConfig *cfg, Error **errp)
{
    return vl_foreach("trace", cfg->traces, enable_trace, NULL, errp);
}

void vl_list_traces(void)
{
    puts("Events (probes of provider sparsevm for perf and bpftrace):");
    for (int id = 0; id < TRACE__MAX; id++) {
        printf("  %s\n", trace_event_name(id));
    }
}
