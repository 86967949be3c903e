/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of QMP commands and the way from a request to its reply. Used by
 * QMP sessions (qmp-session.c); knows nothing of connections, so that it can be
 * tested without any. Whatever the request holds, the answer is a reply, never a
 * crash: each member is checked (qmp-check.c) before it is looked at.
 */
#include "qemu/osdep.h"

#include "monitor/qmp.h"
#include "trace.h"

#include "monitor-internal.h"

/* name -> const QmpCommand *; made by the first constructor that registers. */
static GHashTable *qmp_commands;

void qmp_register_commands(const QmpCommand *cmds, size_t n)
{
    if (!qmp_commands) {
        qmp_commands = g_hash_table_new(g_str_hash, g_str_equal);
    }
    for (size_t i = 0; i < n; i++) {
        bool is_new = g_hash_table_insert(qmp_commands, (void *)cmds[i].name,
                                          (void *)&cmds[i]);
        g_assert(is_new);
    }
}

const QmpCommand *qmp_find_command(const char *name)
{
    return qmp_commands ? g_hash_table_lookup(qmp_commands, name) : NULL;
}

const QmpCommand *qmp_find_any(const char *name, void *opaque, Error **errp)
{
    const QmpCommand *cmd = qmp_find_command(name);

    if (!cmd) {
        error_set(errp, ERROR_CLASS_COMMAND_NOT_FOUND,
                  "The command %s has not been found", name);
    }
    return cmd;
}

void qmp_for_each_command(void (*fn)(const QmpCommand *cmd, void *opaque),
                          void *opaque)
{
    g_autoptr(GList) names = NULL;

    if (qmp_commands) {
        names = g_hash_table_get_keys(qmp_commands);
        names = g_list_sort(names, (GCompareFunc)strcmp);
    }
    for (GList *l = names; l; l = l->next) {
        fn(qmp_find_command(l->data), opaque);
    }
}

/* --- requests ------------------------------------------------------------ */

static bool json_node_is(JsonNode *node, GType type)
{
    return JSON_NODE_HOLDS_VALUE(node) &&
           json_node_get_value_type(node) == type;
}

static bool qmp_check_member(const char *name, JsonNode *value, bool oob,
                             Error **errp)
{
    if (!strcmp(name, "execute") || (oob && !strcmp(name, "exec-oob"))) {
        if (!json_node_is(value, G_TYPE_STRING)) {
            error_setg(errp, "QMP input member '%s' must be a string", name);
            return false;
        }
    } else if (!strcmp(name, "arguments")) {
        if (!JSON_NODE_HOLDS_OBJECT(value)) {
            error_setg(errp, "QMP input member 'arguments' must be an object");
            return false;
        }
    } else if (strcmp(name, "id") != 0) {
        error_setg(errp, "QMP input member '%s' is unexpected", name);
        return false;
    }
    return true;
}

/* The command that @request names; NULL: *errp. */
static const char *qmp_check_request(JsonObject *request, bool oob,
                                     Error **errp)
{
    g_autoptr(GList) names = json_object_get_members(request);
    bool in_band = json_object_has_member(request, "execute");
    bool out_of_band = json_object_has_member(request, "exec-oob");

    for (GList *l = names; l; l = l->next) {
        if (!qmp_check_member(l->data, json_object_get_member(request, l->data),
                              oob, errp)) {
            return NULL;
        }
    }
    if (in_band && out_of_band) {
        error_setg(errp, "QMP input member 'exec-oob' clashes with 'execute'");
        return NULL;
    }
    if (!in_band && !out_of_band) {
        error_setg(errp, "QMP input lacks member 'execute'");
        return NULL;
    }
    return json_object_get_string_member(request,
                                         in_band ? "execute" : "exec-oob");
}

bool qmp_request_is_oob(JsonNode *request)
{
    return JSON_NODE_HOLDS_OBJECT(request) &&
           json_object_has_member(json_node_get_object(request), "exec-oob");
}

/* Whether @request may have @cmd carried out now. */
static bool qmp_check_command(JsonObject *request, const QmpCommand *cmd,
                              Error **errp)
{
    if (json_object_has_member(request, "exec-oob") && !cmd->allow_oob) {
        error_setg(errp, "The command %s does not support OOB", cmd->name);
        return false;
    }
    return monitor_check_restriction(cmd->name, errp);
}

static JsonNode *qmp_execute(JsonObject *request, bool oob, QmpFindFunc *find,
                             void *opaque, Error **errp)
{
    g_autoptr(JsonObject) none = json_object_new();
    JsonObject *args = none;
    const char *name = qmp_check_request(request, oob, errp);
    const QmpCommand *cmd = name ? find(name, opaque, errp) : NULL;

    if (!cmd || !qmp_check_command(request, cmd, errp)) {
        return NULL;
    }
    if (json_object_has_member(request, "arguments")) {
        args = json_object_get_object_member(request, "arguments");
    }
    if (!qmp_check_members(cmd->args, args, errp)) {
        return NULL;
    }
    trace_qmp_command(cmd->name);
    return cmd->fn(args, errp);
}

JsonObject *qmp_error_response(Error *err)
{
    JsonObject *response = json_object_new();
    JsonObject *error = json_object_new();

    json_object_set_string_member(error, "class",
                                  error_class_str(error_get_class(err)));
    json_object_set_string_member(error, "desc", error_get_pretty(err));
    json_object_set_object_member(response, "error", error);
    error_free(err);
    return response;
}

static JsonObject *qmp_return_response(JsonNode *value)
{
    JsonObject *response = json_object_new();

    if (value) {
        json_object_set_member(response, "return", value);
    } else {
        json_object_set_object_member(response, "return", json_object_new());
    }
    return response;
}

JsonObject *qmp_dispatch(JsonNode *request, bool oob, QmpFindFunc *find,
                         void *opaque)
{
    JsonObject *members, *response;
    JsonNode *value;
    Error *err = NULL;

    if (!JSON_NODE_HOLDS_OBJECT(request)) {
        error_setg(&err, "QMP input must be a JSON object");
        return qmp_error_response(err);
    }
    members = json_node_get_object(request);
    value = qmp_execute(members, oob, find, opaque, &err);
    response = err ? qmp_error_response(err) : qmp_return_response(value);
    if (json_object_has_member(members, "id")) {
        json_object_set_member(response, "id",
                               json_object_dup_member(members, "id"));
    }
    return response;
}
