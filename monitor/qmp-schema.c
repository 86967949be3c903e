/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The registry of QMP's types, and what the text of a schema says. Used by
 * those who check values (qmp-check.c), tell clients (qmp-introspect.c) and
 * print the reference. Must never look at a value.
 */
#include "qemu/osdep.h"

#include "monitor/qmp.h"
#include "qom/object.h"

/* name -> const QmpType *; made by the first constructor that registers. */
static GHashTable *qmp_types;

void qmp_register_types(const QmpType *types, size_t n)
{
    if (!qmp_types) {
        qmp_types = g_hash_table_new(g_str_hash, g_str_equal);
    }
    for (size_t i = 0; i < n; i++) {
        bool is_new = g_hash_table_insert(qmp_types, (void *)types[i].name,
                                          (void *)&types[i]);
        g_assert(is_new);
    }
}

const QmpType *qmp_find_type(const char *name)
{
    return qmp_types ? g_hash_table_lookup(qmp_types, name) : NULL;
}

void qmp_for_each_type(void (*fn)(const QmpType *type, void *opaque),
                       void *opaque)
{
    g_autoptr(GList) names = NULL;

    if (qmp_types) {
        names = g_hash_table_get_keys(qmp_types);
        names = g_list_sort(names, (GCompareFunc)strcmp);
    }
    for (GList *l = names; l; l = l->next) {
        fn(qmp_find_type(l->data), opaque);
    }
}

/* --- events --- */

static const QmpEventInfo *qmp_events;
static size_t nr_qmp_events;

void qmp_set_events(const QmpEventInfo *events, size_t n)
{
    qmp_events = events;
    nr_qmp_events = n;
}

void qmp_for_each_event(void (*fn)(const QmpEventInfo *event, void *opaque),
                        void *opaque)
{
    for (size_t i = 0; i < nr_qmp_events; i++) {
        fn(&qmp_events[i], opaque);
    }
}

/* --- built-in types ------------------------------------------------------ */

static const char *const qmp_builtins[][2] = {
    { "any", "value" }, { "bool", "boolean" }, { "int", "int" },
    { "null", "null" }, { "number", "number" }, { "str", "string" },
};

const char *qmp_builtin_json_type(const char *type)
{
    for (size_t i = 0; i < ARRAY_SIZE(qmp_builtins); i++) {
        if (!strcmp(type, qmp_builtins[i][0])) {
            return qmp_builtins[i][1];
        }
    }
    return NULL;
}

void qmp_for_each_builtin(void (*fn)(const char *name, const char *json_type,
                                     void *opaque), void *opaque)
{
    for (size_t i = 0; i < ARRAY_SIZE(qmp_builtins); i++) {
        fn(qmp_builtins[i][0], qmp_builtins[i][1], opaque);
    }
}

/* --- the text ------------------------------------------------------------ */

static void qmp_member_free(gpointer data)
{
    QmpMember *member = data;

    g_free(member->name);
    g_free(member->type);
    g_free(member);
}

static QmpMember *qmp_parse_member(const char *item)
{
    QmpMember *member = g_new0(QmpMember, 1);
    const char *colon = strchr(item, ':');

    member->optional = *item == '?';
    item += member->optional;
    g_assert(colon || !strcmp(item, "**"));
    member->name = colon ? g_strndup(item, colon - item) : g_strdup(item);
    member->type = colon ? g_strdup(colon + 1) : NULL;
    return member;
}

GPtrArray *qmp_parse_members(const char *spec)
{
    g_auto(GStrv) items = g_strsplit(spec ? spec : "", ",", -1);
    GPtrArray *members = g_ptr_array_new_with_free_func(qmp_member_free);

    for (char **item = items; *item; item++) {
        g_ptr_array_add(members, qmp_parse_member(*item));
    }
    return members;
}

bool qmp_type_is_enum(const QmpType *type)
{
    return type->values || (type->implementing && !type->tag);
}

char **qmp_type_values(const QmpType *type)
{
    g_autoptr(GSList) classes = NULL;
    g_autoptr(GStrvBuilder) names = NULL;

    if (type->values) {
        return g_strsplit(type->values, ",", -1);
    }
    names = g_strv_builder_new();
    classes = object_class_get_list_sorted(type->implementing, false);
    for (GSList *l = classes; l; l = l->next) {
        g_strv_builder_add(names, object_class_get_name(l->data));
    }
    return g_strv_builder_end(names);
}

/* --- whether it fits together -------------------------------------------- */

typedef struct SchemaCheck {
    const char *owner;
    Error *err;                           /* the first one */
} SchemaCheck;

static void check_type_exists(SchemaCheck *check, const char *type)
{
    g_autofree char *element = NULL;

    if (*type == '[') {
        element = g_strndup(type + 1, strlen(type) - 2);
        type = element;
    }
    if (!check->err && !qmp_builtin_json_type(type) && !qmp_find_type(type)) {
        error_setg(&check->err, "%s: there is no type '%s'", check->owner,
                   type);
    }
}

/* Whether @help has a line on @name. */
static bool is_described(const char *help, const char *name)
{
    g_autofree char *line = g_strdup_printf("\n%s: ", name);

    return strstr(help, line);
}

static void check_members(SchemaCheck *check, const char *spec,
                          const char *help)
{
    g_autoptr(GPtrArray) members = qmp_parse_members(spec);

    for (guint i = 0; i < members->len; i++) {
        const QmpMember *member = members->pdata[i];

        if (member->type) {
            check_type_exists(check, member->type);
        }
        if (!check->err && !is_described(help, member->name)) {
            error_setg(&check->err, "%s: '%s' is not described", check->owner,
                       member->name);
        }
    }
}

static void check_command(const QmpCommand *cmd, void *opaque)
{
    SchemaCheck *check = opaque;

    check->owner = cmd->name;
    if (cmd->args && !strchr(cmd->args, ':')) {
        check_type_exists(check, cmd->args);
    } else {
        check_members(check, cmd->args, cmd->help);
    }
    if (cmd->returns) {
        check_type_exists(check, cmd->returns);
    }
}

static void check_event(const QmpEventInfo *event, void *opaque)
{
    SchemaCheck *check = opaque;

    check->owner = event->name;
    check_members(check, event->members, event->help);
}

static void check_type(const QmpType *type, void *opaque)
{
    SchemaCheck *check = opaque;
    g_autoptr(GPtrArray) variants = qmp_parse_members(type->variants);
    g_auto(GStrv) alternatives = g_strsplit(type->alternatives ?: "", ",", -1);

    check->owner = type->name;
    check_members(check, type->members, type->help);
    for (guint i = 0; i < variants->len; i++) {
        check_type_exists(check, ((QmpMember *)variants->pdata[i])->type);
    }
    for (char **one = alternatives; *one; one++) {
        check_type_exists(check, *one);
    }
}

bool qmp_check_schema(Error **errp)
{
    SchemaCheck check = { 0 };

    qmp_for_each_command(check_command, &check);
    qmp_for_each_event(check_event, &check);
    qmp_for_each_type(check_type, &check);
    error_propagate(errp, check.err);
    return !check.err;
}
