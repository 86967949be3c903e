/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -preconfig: QMP clients describe a part of the machine before it is built, and
 * end that by x-exit-preconfig. Until then there are no CPUs and no devices, so
 * that monitors carry out only what needs none.
 */
#include "qemu/osdep.h"

#include "hw/boards.h"
#include "monitor/hmp.h"
#include "monitor/monitor.h"
#include "monitor/qmp.h"
#include "preconfig.h"
#include "qemu/keyval.h"
#include "sysemu/numa.h"
#include "sysemu/runstate.h"

static const char *const allowed[] = {
    /* QMP */
    "add-fd", "closefd", "device-list-properties", "getfd", "object-add",
    "object-del", "qmp_capabilities", "qom-get", "qom-list",
    "qom-list-properties", "qom-list-types", "qom-set",
    "query-command-line-options", "query-commands", "query-fdsets",
    "query-hotpluggable-cpus", "query-kvm", "query-machines", "query-memdev",
    "query-name", "query-qmp-schema", "query-status", "query-target",
    "query-uuid", "query-version", "remove-fd", "set-numa-node",
    "x-exit-preconfig",
    /* HMP */
    "exit_preconfig", "help|?", "info", "memdev", "name", "object_add",
    "object_del", "qom-set", "status", "uuid", "version",
    /* both */
    "quit", "quit|q", NULL
};

static bool waiting;

bool preconfig_wait(void)
{
    bool goes_on;

    waiting = true;
    monitor_restrict(allowed);
    goes_on = qemu_main_loop_while(&waiting);
    monitor_restrict(NULL);
    return goes_on;
}

static bool check_waiting(Error **errp)
{
    if (!waiting) {
        error_setg(errp, "The command is permitted only before machine "
                   "initialization, which -preconfig waits with");
    }
    return waiting;
}

/* --- QMP ----------------------------------------------------------------- */

static JsonNode *qmp_set_numa_node(JsonObject *args, Error **errp)
{
    g_autoptr(JsonObject) opts = NULL;

    if (check_waiting(errp)) {
        opts = keyval_from_json(args, errp);
    }
    if (opts) {
        numa_parse(current_machine, opts, errp);
    }
    return NULL;
}

static JsonNode *qmp_exit_preconfig(JsonObject *args, Error **errp)
{
    if (check_waiting(errp)) {
        waiting = false;
    }
    return NULL;
}

static const QmpType preconfig_types[] = {
    { .name = "NumaOptionsType", .values = "node,dist,cpu,hmat-lb,hmat-cache",
      .help = "What of the NUMA nodes is said." },
    { .name = "NumaOptions", .members = "type:NumaOptionsType,**",
      .help = "What -numa says.\n"
      "type: what of the nodes is said\n"
      "**: the other members of -numa, as text or numbers" },
};

static const QmpCommand preconfig_commands[] = {
    { .name = "set-numa-node", .args = "NumaOptions", .fn = qmp_set_numa_node,
      .help = "Does what -numa does, while -preconfig waits.\n"
      "type: what of the nodes is said\n"
      "**: the other members of -numa, as text or numbers\n"
      "Errors: those of -numa; the machine has been built already" },
    { .name = "x-exit-preconfig", .fn = qmp_exit_preconfig,
      .help = "Ends the waiting of -preconfig: the machine is built, and, "
              "without -S, runs.\n"
      "Errors: the machine has been built already" },
};

/* --- HMP ----------------------------------------------------------------- */

static void hmp_exit_preconfig(GString *out, const char *args, Error **errp)
{
    JsonNode *node = hmp_call_qmp("x-exit-preconfig", NULL, errp);

    g_clear_pointer(&node, json_node_unref);
}

static const HmpCommand preconfig_hmp_commands[] = {
    { .name = "exit_preconfig", .params = "",
      .help = "build the machine that -preconfig waits with",
      .fn = hmp_exit_preconfig },
};

static void preconfig_register(void)
{
    qmp_register_types(preconfig_types, ARRAY_SIZE(preconfig_types));
    qmp_register_commands(preconfig_commands, ARRAY_SIZE(preconfig_commands));
    hmp_register_commands(preconfig_hmp_commands,
                          ARRAY_SIZE(preconfig_hmp_commands));
}
type_init(preconfig_register)
