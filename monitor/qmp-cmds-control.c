/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QMP commands about the monitor itself: which version and commands it has, and
 * those for people.
 */
#include "qemu/osdep.h"

#include "monitor/hmp.h"
#include "monitor/qmp.h"

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
};

static const QmpCommand qmp_control_commands[] = {
    { .name = "query-version", .returns = "VersionInfo",
      .fn = qmp_query_version,
      .help = "The QEMU release that is followed, and this program's "
              "version." },
    { .name = "query-commands", .returns = "[CommandInfo]",
      .fn = qmp_query_commands, .help = "The names of all commands." },
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
