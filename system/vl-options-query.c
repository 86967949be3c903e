/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * query-command-line-options: the options with the keys that their arguments
 * may have, as the table of options describes them for people, and, for
 * -machine, as the machine's properties.
 */
#include "qemu/osdep.h"

#include "hw/boards.h"
#include "monitor/qmp.h"
#include "vl-internal.h"

static void add_parameter(JsonArray *parameters, const char *name,
                          const char *type, const char *help)
{
    JsonObject *info = json_object_new();

    json_object_set_string_member(info, "name", name);
    json_object_set_string_member(info, "type", type);
    if (help) {
        json_object_set_string_member(info, "help", help);
    }
    json_array_add_object_element(parameters, info);
}

/* "KEY=VALUE" in @params: on|off is a boolean, SIZE a size. */
static void add_keys(JsonArray *parameters, const char *params)
{
    g_autoptr(GRegex) regex = g_regex_new("([a-z][a-z-]*)=\\]?([^\\[\\],]*)",
                                          0, 0, NULL);
    g_autoptr(GMatchInfo) match = NULL;

    g_regex_match(regex, params, 0, &match);
    while (g_match_info_matches(match)) {
        g_autofree char *key = g_match_info_fetch(match, 1);
        g_autofree char *value = g_match_info_fetch(match, 2);

        add_parameter(parameters, key,
                      !strcmp(value, "on|off") ? "boolean" :
                      !strcmp(value, "SIZE") ? "size" :
                      !strcmp(value, "N") ? "number" : "string", NULL);
        g_match_info_next(match, NULL);
    }
}

static void add_property(ObjectProperty *prop, void *opaque)
{
    if (prop->set) {
        add_parameter(opaque, prop->name,
                      !strcmp(prop->type, "bool") ? "boolean" : "string",
                      prop->description);
    }
}

typedef struct OptionQuery {
    const char *option;                   /* NULL: all */
    JsonArray *list;
} OptionQuery;

static void add_option(const char *name, const char *params, void *opaque)
{
    OptionQuery *query = opaque;
    JsonObject *info;
    JsonArray *parameters;

    name = vl_group_name(name);
    if (query->option && strcmp(query->option, name) != 0) {
        return;
    }
    info = json_object_new();
    parameters = json_array_new();
    add_keys(parameters, params);
    if (!strcmp(name, "machine")) {
        MachineClass *mc = find_default_machine_class();

        object_class_property_foreach(OBJECT_CLASS(mc), add_property,
                                      parameters);
    }
    json_object_set_string_member(info, "option", name);
    json_object_set_array_member(info, "parameters", parameters);
    json_array_add_object_element(query->list, info);
}

static JsonNode *qmp_query_command_line_options(JsonObject *args, Error **errp)
{
    OptionQuery query = {
        json_object_get_string_member_with_default(args, "option", NULL),
        json_array_new(),
    };

    vl_for_each_option(add_option, &query);
    if (query.option && !json_array_get_length(query.list)) {
        error_setg(errp, "invalid option name: %s", query.option);
        json_array_unref(query.list);
        return NULL;
    }
    return json_array_node(query.list);
}

static const QmpType options_types[] = {
    { .name = "CommandLineParameterType",
      .values = "string,boolean,number,size",
      .help = "What the value of a key of an option is." },
    { .name = "CommandLineParameterInfo",
      .members = "name:str,type:CommandLineParameterType,?help:str,"
                 "?default:str",
      .help = "A key of an option.\n"
      "name: the key\n"
      "type: what its value is\n"
      "help: for people\n"
      "default: what it is unless it is given" },
    { .name = "CommandLineOptionInfo",
      .members = "option:str,parameters:[CommandLineParameterInfo]",
      .help = "An option of the command line that has an argument.\n"
      "option: its name\n"
      "parameters: the keys that the argument may have" },
};

static const QmpCommand options_commands[] = {
    { .name = "query-command-line-options", .args = "?option:str",
      .returns = "[CommandLineOptionInfo]",
      .fn = qmp_query_command_line_options,
      .help = "Lists the command line's options that have an argument.\n"
      "option: only the one of this name\n"
      "Errors: there is no such option" },
};

static void options_register(void)
{
    qmp_register_types(options_types, ARRAY_SIZE(options_types));
    qmp_register_commands(options_commands, ARRAY_SIZE(options_commands));
}
type_init(options_register)
