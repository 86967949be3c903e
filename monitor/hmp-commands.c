/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of commands for people, how a line finds its command, and the
 * commands that every machine has. Most do what the QMP command of the same
 * name does, so that both ways of control have one implementation.
 */
#include "qemu/osdep.h"
#include "hmp-commands.h"
#include "monitor-internal.h"

#include "monitor/qmp.h"
#include "qapi/json-uint64.h"
#include "qapi/visitor.h"
#include "qemu/json-text.h"
#include "qemu/keyval.h"
#include "qom/object.h"
#include "qom/object_interfaces.h"

/* const HmpCommand *, in the order of registration. */
static GPtrArray *hmp_commands;
static GPtrArray *hmp_info_commands;

static void hmp_register(GPtrArray **table, const HmpCommand *cmds, size_t n)
{
    if (!*table) {
        *table = g_ptr_array_new();
    }
    for (size_t i = 0; i < n; i++) {
        g_ptr_array_add(*table, (void *)&cmds[i]);
    }
}

void hmp_register_commands(const HmpCommand *cmds, size_t n)
{
    hmp_register(&hmp_commands, cmds, n);
}

void hmp_register_info(const HmpCommand *cmds, size_t n)
{
    hmp_register(&hmp_info_commands, cmds, n);
}

/* --- from a line to its command ------------------------------------------ */

GPtrArray *hmp_command_table(bool info)
{
    return info ? hmp_info_commands : hmp_commands;
}

const HmpCommand *hmp_find_command(const char *name, bool info)
{
    GPtrArray *table = hmp_command_table(info);

    for (guint i = 0; i < table->len; i++) {
        const HmpCommand *cmd = g_ptr_array_index(table, i);
        g_auto(GStrv) names = g_strsplit(cmd->name, "|", -1);

        if (g_strv_contains((const char *const *)names, name)) {
            return cmd;
        }
    }
    return NULL;
}

/* Cuts the first word off *@line, which then begins at the next word. */
static char *hmp_take_word(char **line)
{
    char *word = *line;
    size_t len = strcspn(word, " \t");

    *line = g_strchug(word + len + (word[len] != '\0'));
    word[len] = '\0';
    return word;
}

void hmp_execute(GString *out, const char *line)
{
    g_autofree char *copy = g_strstrip(g_strdup(line));
    char *rest = copy;
    char *name = hmp_take_word(&rest);
    const HmpCommand *cmd;
    Error *err = NULL;

    if (!*name) {
        return;
    }
    cmd = hmp_find_command(name, false);
    if (!cmd) {
        g_string_append_printf(out, "unknown command: '%s'\n", name);
        return;
    }
    if (monitor_check_restriction(cmd->name, &err)) {
        cmd->fn(out, rest, &err);
    }
    if (err) {
        g_string_append_printf(out, "Error: %s\n", error_get_pretty(err));
        error_free(err);
    }
}

/* --- help and info ------------------------------------------------------- */

static void hmp_help_line(GString *out, const char *prefix,
                          const HmpCommand *cmd)
{
    g_string_append_printf(out, "%s%s%s%s -- %s\n", prefix, cmd->name,
                           *cmd->params ? " " : "", cmd->params, cmd->help);
}

static void hmp_help_table(GString *out, const char *prefix, GPtrArray *table)
{
    for (guint i = 0; i < table->len; i++) {
        hmp_help_line(out, prefix, g_ptr_array_index(table, i));
    }
}

static void hmp_help(GString *out, const char *args, Error **errp)
{
    const HmpCommand *cmd;

    if (!*args) {
        hmp_help_table(out, "", hmp_commands);
        return;
    }
    if (!strcmp(args, "info")) {
        hmp_help_table(out, "info ", hmp_info_commands);
        return;
    }
    cmd = hmp_find_command(args, false);
    if (cmd) {
        hmp_help_line(out, "", cmd);
    } else {
        error_setg(errp, "unknown command: '%s'", args);
    }
}

static void hmp_info(GString *out, const char *args, Error **errp)
{
    g_autofree char *copy = g_strdup(args);
    char *rest = copy;
    char *name = hmp_take_word(&rest);
    const HmpCommand *cmd;

    if (!*name) {
        hmp_help_table(out, "info ", hmp_info_commands);
        return;
    }
    cmd = hmp_find_command(name, true);
    if (!cmd) {
        error_setg(errp, "unknown command: 'info %s'", name);
    } else if (monitor_check_restriction(cmd->name, errp)) {
        cmd->fn(out, rest, errp);
    }
}

/* --- what QMP does ------------------------------------------------------- */

JsonNode *hmp_call_qmp(const char *name, JsonObject *args, Error **errp)
{
    const QmpCommand *cmd = qmp_find_command(name);
    g_autoptr(JsonObject) object = args ? args : json_object_new();

    g_assert(cmd);
    if (!qmp_check_members(cmd->args, object, errp)) {
        return NULL;
    }
    return cmd->fn(object, errp);
}

static void hmp_do_qmp(const char *name, JsonObject *args, Error **errp)
{
    JsonNode *node = hmp_call_qmp(name, args, errp);

    g_clear_pointer(&node, json_node_unref);
}

/* The same for a command that returns an object; NULL: *errp. */
static JsonObject *hmp_query_qmp(const char *name, Error **errp)
{
    g_autoptr(JsonNode) node = hmp_call_qmp(name, NULL, errp);

    return node ? json_node_dup_object(node) : NULL;
}

static void hmp_stop(GString *out, const char *args, Error **errp)
{
    hmp_do_qmp("stop", NULL, errp);
}

static void hmp_cont(GString *out, const char *args, Error **errp)
{
    hmp_do_qmp("cont", NULL, errp);
}

static void hmp_system_reset(GString *out, const char *args, Error **errp)
{
    hmp_do_qmp("system_reset", NULL, errp);
}

static void hmp_system_powerdown(GString *out, const char *args, Error **errp)
{
    hmp_do_qmp("system_powerdown", NULL, errp);
}

static void hmp_quit(GString *out, const char *args, Error **errp)
{
    hmp_do_qmp("quit", NULL, errp);
}

static void hmp_do_with_id(const char *name, const char *id, Error **errp)
{
    JsonObject *object = json_object_new();

    if (*id) {
        json_object_set_string_member(object, "id", id);
    }
    hmp_do_qmp(name, object, errp);
}

static void hmp_device_del(GString *out, const char *args, Error **errp)
{
    hmp_do_with_id("device_del", args, errp);
}

static void hmp_object_del(GString *out, const char *args, Error **errp)
{
    hmp_do_with_id("object-del", args, errp);
}

static void hmp_object_add(GString *out, const char *args, Error **errp)
{
    bool help = false;
    g_autoptr(JsonObject) opts = keyval_parse(args, "qom-type", &help, errp);

    if (opts && help) {
        error_setg(errp, "help is available by -object help, or -object "
                   "TYPE,help");
    } else if (opts) {
        user_creatable_add_from_json(opts, true, errp);
    }
}

/* --- properties ---------------------------------------------------------- */

static Object *hmp_resolve(const char *path, Error **errp)
{
    Object *obj = object_resolve_path(path, NULL);

    if (!obj) {
        error_set(errp, ERROR_CLASS_DEVICE_NOT_FOUND, "Device '%s' not found",
                  path);
    }
    return obj;
}

static void hmp_append_property(ObjectProperty *prop, void *opaque)
{
    g_string_append_printf(opaque, "%s (%s)\n", prop->name, prop->type);
}

static void hmp_qom_list(GString *out, const char *args, Error **errp)
{
    Object *obj = hmp_resolve(*args ? args : "/", errp);

    if (obj) {
        object_property_foreach(obj, hmp_append_property, out);
    }
}

static void hmp_qom_get(GString *out, const char *args, Error **errp)
{
    g_auto(GStrv) words = g_strsplit(args, " ", 2);
    g_autoptr(JsonNode) value = NULL;
    g_autofree char *text = NULL;
    JsonObject *object = json_object_new();

    if (g_strv_length(words) == 2) {
        json_object_set_string_member(object, "path", words[0]);
        json_object_set_string_member(object, "property",
                                      g_strstrip(words[1]));
    }
    value = hmp_call_qmp("qom-get", object, errp);
    if (value) {
        text = json_uint64_to_string(value, true);
        g_string_append_printf(out, "%s\n", text);
    }
}

/* @text: what comes behind PATH PROPERTY, with -j JSON. */
static void hmp_set_property(Object *obj, const char *name, const char *text,
                             bool json, Error **errp)
{
    ERRP_GUARD();
    g_autoptr(JsonNode) value = NULL;
    g_autoptr(Visitor) v = NULL;

    if (!json) {
        object_property_parse(obj, name, text, errp);
        return;
    }
    value = json_text_parse(text, errp);
    if (!value) {
        error_prepend(errp, "'%s' is no JSON value: ", text);
        return;
    }
    v = visitor_input_new(value, false);
    object_property_set(obj, name, v, errp);
}

static void hmp_qom_set(GString *out, const char *args, Error **errp)
{
    bool json = g_str_has_prefix(args, "-j ");
    g_auto(GStrv) words = g_strsplit(args + (json ? 3 : 0), " ", 3);
    Object *obj;

    if (g_strv_length(words) < 3) {
        error_setg(errp, "expected: [-j] PATH PROPERTY VALUE");
        return;
    }
    obj = hmp_resolve(words[0], errp);
    if (obj) {
        hmp_set_property(obj, words[1], words[2], json, errp);
    }
}

/* --- info ---------------------------------------------------------------- */

static void hmp_info_version(GString *out, const char *args, Error **errp)
{
    g_autoptr(JsonObject) version = hmp_query_qmp("query-version", errp);
    JsonObject *qemu;

    if (!version) {
        return;
    }
    qemu = json_object_get_object_member(version, "qemu");
    g_string_append_printf(
        out, "%" PRId64 ".%" PRId64 ".%" PRId64 " (%s)\n",
        json_object_get_int_member(qemu, "major"),
        json_object_get_int_member(qemu, "minor"),
        json_object_get_int_member(qemu, "micro"),
        json_object_get_string_member(version, "package"));
}

static void hmp_info_name(GString *out, const char *args, Error **errp)
{
    g_autoptr(JsonObject) info = hmp_query_qmp("query-name", errp);

    if (info && json_object_has_member(info, "name")) {
        g_string_append_printf(out, "%s\n",
                               json_object_get_string_member(info, "name"));
    }
}

static void hmp_info_status(GString *out, const char *args, Error **errp)
{
    g_autoptr(JsonObject) info = hmp_query_qmp("query-status", errp);
    const char *status;

    if (!info) {
        return;
    }
    status = json_object_get_string_member(info, "status");
    if (json_object_get_boolean_member(info, "running")) {
        g_string_append(out, "VM status: running\n");
    } else if (!strcmp(status, "paused")) {
        g_string_append(out, "VM status: paused\n");
    } else {
        g_string_append_printf(out, "VM status: paused (%s)\n", status);
    }
}

static const HmpCommand hmp_basic_commands[] = {
    { .name = "help|?", .params = "[cmd]", .help = "show the help",
      .fn = hmp_help },
    { .name = "info", .params = "[subcommand]",
      .help = "show various information", .fn = hmp_info },
    { .name = "quit|q", .params = "", .help = "quit the emulator",
      .fn = hmp_quit },
    { .name = "stop|s", .params = "", .help = "stop emulation", .fn = hmp_stop },
    { .name = "cont|c", .params = "", .help = "resume emulation",
      .fn = hmp_cont },
    { .name = "system_reset", .params = "", .help = "reset the machine",
      .fn = hmp_system_reset },
    { .name = "system_powerdown", .params = "",
      .help = "press the power button", .fn = hmp_system_powerdown },
    { .name = "device_del", .params = "device",
      .help = "ask the guest to release a device, then remove it",
      .fn = hmp_device_del },
    { .name = "object_add", .params = "type,id=id[,prop=value][,...]",
      .help = "create an object", .fn = hmp_object_add },
    { .name = "object_del", .params = "object",
      .help = "delete an object that nobody uses", .fn = hmp_object_del },
    { .name = "qom-list", .params = "[path]",
      .help = "list the properties of an object", .fn = hmp_qom_list },
    { .name = "qom-get", .params = "path property", .help = "show a property",
      .fn = hmp_qom_get },
    { .name = "qom-set", .params = "[-j] path property value",
      .help = "set a property (-j: to a JSON "
              "value)", .fn = hmp_qom_set },
};

static const HmpCommand hmp_basic_info[] = {
    { .name = "version", .params = "", .help = "show the version",
      .fn = hmp_info_version },
    { .name = "name", .params = "", .help = "show the name of the VM",
      .fn = hmp_info_name },
    { .name = "status", .params = "", .help = "show whether the VM runs",
      .fn = hmp_info_status },
};

static void hmp_basic_register(void)
{
    hmp_register_commands(hmp_basic_commands, ARRAY_SIZE(hmp_basic_commands));
    hmp_register_info(hmp_basic_info, ARRAY_SIZE(hmp_basic_info));
}
type_init(hmp_basic_register)
