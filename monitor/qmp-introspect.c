/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * query-qmp-schema: the schema as clients read it. Commands, events and types
 * are entries of one list, which refer to each other; types, whose names are
 * no interface, have numbers for names, as in QEMU. Only what a command or an
 * event refers to is told.
 */
#include "qemu/osdep.h"

#include "monitor/qmp.h"
#include "qom/object.h"

typedef struct Introspection {
    JsonArray *entries;
    GHashTable *ids;                      /* what a type is called -> number */
} Introspection;

static const char *type_id(Introspection *in, const char *type);

/* A new entry, which is the list's. */
static JsonObject *add_entry(Introspection *in, const char *name,
                             const char *meta_type)
{
    JsonObject *entry = json_object_new();

    json_object_set_string_member(entry, "name", name);
    json_object_set_string_member(entry, "meta-type", meta_type);
    json_array_add_object_element(in->entries, entry);
    return entry;
}

/* The number that stands for @key from now on; the table's. */
static const char *new_id(Introspection *in, const char *key)
{
    char *id = g_strdup_printf("%u", g_hash_table_size(in->ids));

    g_hash_table_insert(in->ids, g_strdup(key), id);
    return id;
}

/* --- members ------------------------------------------------------------- */

static void add_member(JsonArray *members, const char *name, const char *type,
                       bool optional)
{
    JsonObject *member = json_object_new();

    json_object_set_string_member(member, "name", name);
    json_object_set_string_member(member, "type", type);
    if (optional) {
        json_object_set_null_member(member, "default");
    }
    json_array_add_object_element(members, member);
}

static JsonArray *members_array(Introspection *in, const char *spec)
{
    g_autoptr(GPtrArray) members = qmp_parse_members(spec);
    JsonArray *array = json_array_new();

    for (guint i = 0; i < members->len; i++) {
        const QmpMember *member = members->pdata[i];

        if (member->type) {
            add_member(array, member->name, type_id(in, member->type),
                       member->optional);
        }
    }
    return array;
}

/* The object type that @spec describes, called @key in this file. */
static const char *members_id(Introspection *in, const char *key,
                              const char *spec)
{
    const char *id = g_hash_table_lookup(in->ids, key);

    if (!id) {
        id = new_id(in, key);
        json_object_set_array_member(add_entry(in, id, "object"), "members",
                                     members_array(in, spec));
    }
    return id;
}

/* --- properties of objects ----------------------------------------------- */

typedef struct PropertyMembers {
    Introspection *in;
    JsonArray *members;
} PropertyMembers;

/* What JSON an object property of @type takes. */
static const char *property_type(const char *type)
{
    const QmpType *named = qmp_find_type(type);

    if (named && named->members) {
        return named->name;
    }
    if (!strcmp(type, "bool")) {
        return "bool";
    }
    if (g_str_has_prefix(type, "int") || g_str_has_prefix(type, "uint") ||
        !strcmp(type, "size")) {
        return "int";
    }
    return "str";                         /* enumerations and links, too */
}

static void add_property(ObjectProperty *prop, void *opaque)
{
    PropertyMembers *of = opaque;

    if (prop->set) {
        add_member(of->members, prop->name,
                   type_id(of->in, property_type(prop->type)), true);
    }
}

/* The object type of the properties of the objects of @qom_type. */
static const char *properties_id(Introspection *in, const char *qom_type)
{
    g_autofree char *key = g_strconcat("properties of ", qom_type, NULL);
    PropertyMembers of = { in, json_array_new() };
    const char *id = new_id(in, key);

    object_class_property_foreach(object_class_by_name(qom_type),
                                  add_property, &of);
    json_object_set_array_member(add_entry(in, id, "object"), "members",
                                 of.members);
    return id;
}

/* --- types --------------------------------------------------------------- */

static void add_variant(JsonArray *variants, const char *value,
                        const char *type)
{
    JsonObject *variant = json_object_new();

    json_object_set_string_member(variant, "case", value);
    json_object_set_string_member(variant, "type", type);
    json_array_add_object_element(variants, variant);
}

static JsonArray *variants_array(Introspection *in, const QmpType *type)
{
    g_autoptr(GPtrArray) variants = qmp_parse_members(type->variants);
    JsonArray *array = json_array_new();

    for (guint i = 0; i < variants->len; i++) {
        const QmpMember *variant = variants->pdata[i];

        add_variant(array, variant->name, type_id(in, variant->type));
    }
    if (type->implementing) {
        g_auto(GStrv) values = qmp_type_values(type);

        for (char **value = values; *value; value++) {
            add_variant(array, *value, properties_id(in, *value));
        }
    }
    return array;
}

static void add_object(Introspection *in, const char *id, const QmpType *type)
{
    JsonObject *entry = add_entry(in, id, "object");

    json_object_set_array_member(entry, "members",
                                 members_array(in, type->members));
    if (type->tag) {
        json_object_set_string_member(entry, "tag", type->tag);
        json_object_set_array_member(entry, "variants",
                                     variants_array(in, type));
    }
}

/* The values twice: as QEMU tells them, and as it did before 6.2. */
static void add_enum(Introspection *in, const char *id, const QmpType *type)
{
    g_auto(GStrv) names = qmp_type_values(type);
    JsonObject *entry = add_entry(in, id, "enum");
    JsonArray *members = json_array_new(), *values = json_array_new();

    for (char **name = names; *name; name++) {
        JsonObject *member = json_object_new();

        json_object_set_string_member(member, "name", *name);
        json_array_add_object_element(members, member);
        json_array_add_string_element(values, *name);
    }
    json_object_set_array_member(entry, "members", members);
    json_object_set_array_member(entry, "values", values);
}

static void add_choice(Introspection *in, const char *id, const QmpType *type)
{
    g_auto(GStrv) types = g_strsplit(type->alternatives, ",", -1);
    JsonObject *entry = add_entry(in, id, "alternate");
    JsonArray *members = json_array_new();

    for (char **one = types; *one; one++) {
        JsonObject *member = json_object_new();

        json_object_set_string_member(member, "type", type_id(in, *one));
        json_array_add_object_element(members, member);
    }
    json_object_set_array_member(entry, "members", members);
}

static const char *list_id(Introspection *in, const char *type)
{
    g_autofree char *element = g_strndup(type + 1, strlen(type) - 2);
    const char *element_id = type_id(in, element);
    char *id = g_hash_table_lookup(in->ids, type);

    if (id) {                             /* the element has such a list itself */
        return id;
    }
    id = g_strdup_printf("[%s]", element_id);
    g_hash_table_insert(in->ids, g_strdup(type), id);
    json_object_set_string_member(add_entry(in, id, "array"), "element-type",
                                  element_id);
    return id;
}

/* What @type is called in the list, which has it afterwards. */
static const char *type_id(Introspection *in, const char *type)
{
    const char *id = g_hash_table_lookup(in->ids, type);
    const QmpType *named;

    if (id) {
        return id;
    }
    if (*type == '[') {
        return list_id(in, type);
    }
    named = qmp_find_type(type);
    id = new_id(in, type);
    if (qmp_type_is_enum(named)) {
        add_enum(in, id, named);
    } else if (named->alternatives) {
        add_choice(in, id, named);
    } else {
        add_object(in, id, named);
    }
    return id;
}

/* The type of the arguments or data of @owner. */
static const char *owned_id(Introspection *in, const char *owner,
                            const char *spec)
{
    g_autofree char *key = g_strconcat("members of ", owner, NULL);

    if (!spec) {
        return members_id(in, "nothing", NULL);
    }
    return qmp_find_type(spec) ? type_id(in, spec) : members_id(in, key, spec);
}

/* --- the list ------------------------------------------------------------ */

static void add_builtin(const char *name, const char *json_type, void *opaque)
{
    Introspection *in = opaque;

    g_hash_table_insert(in->ids, g_strdup(name), g_strdup(name));
    json_object_set_string_member(add_entry(in, name, "builtin"), "json-type",
                                  json_type);
}

static void add_features(JsonObject *entry, const char *features)
{
    g_auto(GStrv) names = g_strsplit(features ? features : "", ",", -1);
    JsonArray *array;

    if (!*names) {
        return;
    }
    array = json_array_new();
    for (char **name = names; *name; name++) {
        json_array_add_string_element(array, *name);
    }
    json_object_set_array_member(entry, "features", array);
}

static void add_command(const QmpCommand *cmd, void *opaque)
{
    Introspection *in = opaque;
    JsonObject *entry = add_entry(in, cmd->name, "command");

    json_object_set_string_member(entry, "arg-type",
                                  owned_id(in, cmd->name, cmd->args));
    json_object_set_string_member(entry, "ret-type",
                                  cmd->returns ? type_id(in, cmd->returns)
                                               : owned_id(in, cmd->name, NULL));
    if (cmd->allow_oob) {
        json_object_set_boolean_member(entry, "allow-oob", true);
    }
    add_features(entry, cmd->features);
}

static void add_event(const QmpEventInfo *event, void *opaque)
{
    Introspection *in = opaque;
    JsonObject *entry = add_entry(in, event->name, "event");

    json_object_set_string_member(entry, "arg-type",
                                  owned_id(in, event->name, event->members));
}

static JsonNode *qmp_query_qmp_schema(JsonObject *args, Error **errp)
{
    Introspection in = {
        .entries = json_array_new(),
        .ids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free),
    };

    qmp_for_each_builtin(add_builtin, &in);
    qmp_for_each_command(add_command, &in);
    qmp_for_each_event(add_event, &in);
    g_hash_table_unref(in.ids);
    return json_array_node(in.entries);
}

/* --- what it says of itself ---------------------------------------------- */

static const QmpType introspect_types[] = {
    { .name = "SchemaMetaType",
      .values = "builtin,enum,array,object,alternate,command,event",
      .help = "The kinds of entries of the schema." },
    { .name = "SchemaInfo", .members = "name:str,meta-type:SchemaMetaType",
      .tag = "meta-type",
      .variants = "builtin:SchemaInfoBuiltin,enum:SchemaInfoEnum,"
                  "array:SchemaInfoArray,object:SchemaInfoObject,"
                  "alternate:SchemaInfoAlternate,"
                  "command:SchemaInfoCommand,event:SchemaInfoEvent",
      .help = "An entry of the schema.\n"
      "name: of the command or event, which is an interface, or of the type, "
      "which is not\n"
      "meta-type: what it describes" },
    { .name = "JSONType",
      .values = "string,number,int,boolean,null,object,array,value",
      .help = "The kinds of JSON values; value: any of them." },
    { .name = "SchemaInfoBuiltin", .members = "json-type:JSONType",
      .help = "A built-in type.\n"
      "json-type: what it looks like" },
    { .name = "SchemaInfoEnumMember", .members = "name:str,?features:[str]",
      .help = "A value of an enumeration.\n"
      "name: the value\n"
      "features: what is special about it" },
    { .name = "SchemaInfoEnum",
      .members = "members:[SchemaInfoEnumMember],values:[str]",
      .help = "An enumeration.\n"
      "members: its values\n"
      "values: the same, for older clients" },
    { .name = "SchemaInfoArray", .members = "element-type:str",
      .help = "A list.\n"
      "element-type: name of the type of its elements" },
    { .name = "SchemaInfoObjectMember",
      .members = "name:str,type:str,?default:any,?features:[str]",
      .help = "A member of an object.\n"
      "name: of the member\n"
      "type: name of its type\n"
      "default: null: it may be left out\n"
      "features: what is special about it" },
    { .name = "SchemaInfoObjectVariant", .members = "case:str,type:str",
      .help = "Members that an object has in one case.\n"
      "case: value of the tag\n"
      "type: name of the object type that has these members" },
    { .name = "SchemaInfoObject",
      .members = "members:[SchemaInfoObjectMember],?tag:str,"
                 "?variants:[SchemaInfoObjectVariant]",
      .help = "An object.\n"
      "members: that it always has\n"
      "tag: name of the member on whose value further ones depend\n"
      "variants: the further ones" },
    { .name = "SchemaInfoAlternateMember", .members = "type:str",
      .help = "One of several types.\n"
      "type: its name" },
    { .name = "SchemaInfoAlternate",
      .members = "members:[SchemaInfoAlternateMember]",
      .help = "A value of one of several types.\n"
      "members: the types" },
    { .name = "SchemaInfoCommand",
      .members = "arg-type:str,ret-type:str,?allow-oob:bool,?features:[str]",
      .help = "A command.\n"
      "arg-type: name of the type of its arguments\n"
      "ret-type: name of the type of what it returns\n"
      "allow-oob: whether it can be carried out of band\n"
      "features: what is special about it" },
    { .name = "SchemaInfoEvent", .members = "arg-type:str,?features:[str]",
      .help = "An event.\n"
      "arg-type: name of the type of its data\n"
      "features: what is special about it" },
};

static const QmpCommand introspect_commands[] = {
    { .name = "query-qmp-schema", .returns = "[SchemaInfo]",
      .fn = qmp_query_qmp_schema,
      .help = "All commands, events and types, for programs." },
};

static void introspect_register(void)
{
    qmp_register_types(introspect_types, ARRAY_SIZE(introspect_types));
    qmp_register_commands(introspect_commands,
                          ARRAY_SIZE(introspect_commands));
}
type_init(introspect_register)
