/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QMP commands about the emulator itself: its version, its commands, whether
 * it runs, and how to stop, reset and end it.
 */
#include "qemu/osdep.h"

#include "monitor/hmp.h"
#include "monitor/qmp.h"
#include "sysemu/dump.h"
#include "sysemu/runstate.h"
#include "sysemu/sysemu.h"

/* The QEMU release whose QMP and command line clients may expect. */
#define QEMU_COMPAT_MAJOR 7
#define QEMU_COMPAT_MINOR 2
#define QEMU_COMPAT_MICRO 0

JsonObject *qmp_version_object(void)
{
    JsonObject *version = json_object_new();
    JsonObject *qemu = json_object_new();

    json_object_set_int_member(qemu, "micro", QEMU_COMPAT_MICRO);
    json_object_set_int_member(qemu, "minor", QEMU_COMPAT_MINOR);
    json_object_set_int_member(qemu, "major", QEMU_COMPAT_MAJOR);
    json_object_set_object_member(version, "qemu", qemu);
    json_object_set_string_member(version, "package",
                                  "sparsevm-" SPARSEVM_VERSION);
    return version;
}

static JsonNode *qmp_query_version(JsonObject *args, Error **errp)
{
    return json_object_node(qmp_version_object());
}

static void qmp_append_command(const QmpCommand *cmd, void *opaque)
{
    JsonObject *info = json_object_new();

    json_object_set_string_member(info, "name", cmd->name);
    json_array_add_object_element(opaque, info);
}

static JsonNode *qmp_query_commands(JsonObject *args, Error **errp)
{
    JsonArray *commands = json_array_new();

    qmp_for_each_command(qmp_append_command, commands);
    return json_array_node(commands);
}

static JsonNode *qmp_query_name(JsonObject *args, Error **errp)
{
    JsonObject *info = json_object_new();

    if (qemu_get_vm_name()) {
        json_object_set_string_member(info, "name", qemu_get_vm_name());
    }
    return json_object_node(info);
}

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
    if (!dump_in_progress(errp)) {
        vm_stop(RUN_STATE_PAUSED);
    }
    return NULL;
}

static JsonNode *qmp_cont(JsonObject *args, Error **errp)
{
    if (dump_in_progress(errp)) {
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

static JsonNode *qmp_human_monitor_command(JsonObject *args, Error **errp)
{
    g_autoptr(GString) out = g_string_new(NULL);
    JsonNode *node = json_node_new(JSON_NODE_VALUE);

    hmp_execute(out, json_object_get_string_member(args, "command-line"));
    json_node_set_string(node, out->str);
    return node;
}

static const QmpType qmp_control_types[] = {
    { .name = "VersionTriple", .members = "major:int,minor:int,micro:int",
      .help = "The number of a release.\n"
      "major: before the first dot\n"
      "minor: after it\n"
      "micro: after the second" },
    { .name = "VersionInfo", .members = "qemu:VersionTriple,package:str",
      .help = "What program this is.\n"
      "qemu: the QEMU release whose interfaces are followed\n"
      "package: the program's own name and version" },
    { .name = "CommandInfo", .members = "name:str",
      .help = "A command.\n"
      "name: as execute takes it" },
    { .name = "NameInfo", .members = "?name:str",
      .help = "The guest's name.\n"
      "name: left out if it has none" },
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

static const QmpCommand qmp_control_commands[] = {
    { .name = "query-version", .returns = "VersionInfo",
      .fn = qmp_query_version,
      .help = "The QEMU release that is followed, and this program's "
              "version." },
    { .name = "query-commands", .returns = "[CommandInfo]",
      .fn = qmp_query_commands, .help = "The names of all commands." },
    { .name = "query-name", .returns = "NameInfo", .fn = qmp_query_name,
      .help = "The name given by -name, if one was." },
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
    { .name = "human-monitor-command", .args = "command-line:str,?cpu-index:int",
      .returns = "str", .fn = qmp_human_monitor_command,
      .help =
      "Carries out a line of the monitor for people and returns its text.\n"
      "command-line: the line, as it would be typed\n"
      "cpu-index: 0; there is no per-CPU command\n"
      "Returns: what it says; a command that fails says so in it" },
};

static void qmp_control_register(void)
{
    qmp_register_types(qmp_control_types, ARRAY_SIZE(qmp_control_types));
    qmp_register_commands(qmp_control_commands,
                          ARRAY_SIZE(qmp_control_commands));
}
type_init(qmp_control_register)
