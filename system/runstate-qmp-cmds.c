/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QMP commands about the run state: whether the VM runs, and how to start,
 * stop, reset and end it. What they do is runstate.c's.
 */
#include "qemu/osdep.h"

#include "monitor/qmp.h"
#include "sysemu/runstate.h"

static JsonNode *qmp_query_status(JsonObject *args, Error **errp)
{
    JsonObject *info = json_object_new();

    json_object_set_string_member(info, "status", RunState_str(runstate_get()));
    json_object_set_boolean_member(info, "singlestep", false);
    json_object_set_boolean_member(info, "running", runstate_is_running());
    return json_object_node(info);
}

static JsonNode *qmp_stop(JsonObject *args, Error **errp)
{
    if (!runstate_is_held(errp)) {
        vm_stop(RUN_STATE_PAUSED);
    }
    return NULL;
}

static JsonNode *qmp_cont(JsonObject *args, Error **errp)
{
    if (runstate_is_held(errp)) {
        return NULL;
    }
    if (runstate_needs_reset()) {
        error_setg(errp, "Resetting the Virtual Machine is required");
        return NULL;
    }
    vm_start();
    return NULL;
}

static JsonNode *qmp_system_reset(JsonObject *args, Error **errp)
{
    qemu_system_reset_request(SHUTDOWN_CAUSE_HOST_QMP_SYSTEM_RESET);
    return NULL;
}

static JsonNode *qmp_system_powerdown(JsonObject *args, Error **errp)
{
    qemu_system_powerdown_request();
    return NULL;
}

static JsonNode *qmp_quit(JsonObject *args, Error **errp)
{
    /* -no-shutdown is about guests that power off, not about this. */
    runstate_set_no_shutdown(false);
    qemu_system_shutdown_request(SHUTDOWN_CAUSE_HOST_QMP_QUIT);
    return NULL;
}

static const QmpType runstate_types[] = {
    { .name = "RunState",
      .values = "debug,internal-error,io-error,paused,prelaunch,running,"
                "shutdown,suspended,guest-panicked",
      .help = "Whether the VM runs, and if not, why." },
    { .name = "StatusInfo",
      .members = "running:bool,singlestep:bool,status:RunState",
      .help = "Whether the VM runs.\n"
      "running: whether it does\n"
      "singlestep: false\n"
      "status: why it does not" },
};

static const QmpCommand runstate_commands[] = {
    { .name = "query-status", .returns = "StatusInfo", .fn = qmp_query_status,
      .help = "Whether the VM runs, and if not, why." },
    { .name = "stop", .fn = qmp_stop,
      .help = "Stops the virtual CPUs; event STOP." },
    { .name = "cont", .fn = qmp_cont,
      .help = "Lets the virtual CPUs run; event RESUME." },
    { .name = "system_reset", .fn = qmp_system_reset,
      .help = "Resets the machine, which unplugs all virtio-mem memory; event "
              "RESET." },
    { .name = "system_powerdown", .fn = qmp_system_powerdown,
      .help = "Presses the power button; the guest decides; event "
              "POWERDOWN." },
    { .name = "quit", .fn = qmp_quit,
      .help = "Ends the emulator; event SHUTDOWN." },
};

static void runstate_commands_register(void)
{
    qmp_register_types(runstate_types, ARRAY_SIZE(runstate_types));
    qmp_register_commands(runstate_commands, ARRAY_SIZE(runstate_commands));
}
type_init(runstate_commands_register)
