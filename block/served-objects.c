/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Objects that nodes of the storage daemon name. They are made there before the
 * node, by QMP, which nobody else reads: a secret is in no command line. What a node
 * needs only to be opened is deleted there when it is; limits of its speed stay as
 * long as it does. Meanwhile the object here is in use. Used by served.c.
 */
#include "qemu/osdep.h"

#include "block-internal.h"
#include "served-objects.h"
#include "storage-daemon.h"
#include "sysemu/storage-object.h"

typedef struct Given {
    Object *obj;
    unsigned users;                       /* nodes, and other objects */
    bool made;                            /* the daemon has said so */
} Given;

/* By id; NULL: none. */
static GHashTable *given;
/* Of each node, by name, the ids of what stays (GPtrArray). */
static GHashTable *kept;

static void given_free(gpointer opaque)
{
    Given *g = opaque;

    object_unref(g->obj);
    g_free(g);
}

static Given *find(const char *id)
{
    return given ? g_hash_table_lookup(given, id) : NULL;
}

/* --- who names what --- */

static const char *type_of_named(const char *key)
{
    static const struct { const char *key, *type; } named[] = {
        { "keyid", TYPE_SECRET },         /* of secrets */
        { "passwordid", TYPE_SECRET },    /* of certificates */
        { "tls-creds", TYPE_TLS_CREDS },
        { "throttle-group", TYPE_THROTTLE_GROUP },
    };

    for (size_t i = 0; i < ARRAY_SIZE(named); i++) {
        if (strcmp(named[i].key, key) == 0) {
            return named[i].type;
        }
    }
    return g_str_has_suffix(key, "-secret") ? TYPE_SECRET : NULL;
}

static bool give_named(JsonObject *options, GPtrArray *ids, Error **errp);

/* --- giving --- */

/* Others go on meanwhile; if the daemon goes, nothing is given any more. */
static bool make(const char *id, JsonObject *options, Error **errp)
{
    g_autoptr(JsonNode) done = storage_daemon_execute("object-add", options,
                                                      errp);
    Given *g = find(id);

    if (done && g) {
        g->made = true;
    }
    return done;
}

/* Adds the id to @ids, also if it fails. */
static bool give(const char *id, const char *type, GPtrArray *ids, Error **errp)
{
    Object *obj = storage_object_find(id, type, errp);
    g_autoptr(JsonObject) options = NULL;
    Given *g = find(id);

    if (!obj || g_ptr_array_find_with_equal_func(ids, id, g_str_equal, NULL)) {
        return obj;
    }
    g_ptr_array_add(ids, g_strdup(id));
    if (g) {
        g->users++;
        return true;
    }
    given = given ?: g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                           given_free);
    g = g_new0(Given, 1);
    *g = (Given) { .obj = object_ref(obj), .users = 1 };
    g_hash_table_insert(given, g_strdup(id), g);
    options = storage_object_options(obj, id);
    return give_named(options, ids, errp) && make(id, options, errp);
}

static bool give_value(const char *key, JsonNode *value, GPtrArray *ids,
                       Error **errp)
{
    const char *type = type_of_named(key);
    JsonArray *list;
    bool ok = true;

    if (JSON_NODE_HOLDS_OBJECT(value)) {
        return give_named(json_node_get_object(value), ids, errp);
    }
    if (JSON_NODE_HOLDS_ARRAY(value)) {
        list = json_node_get_array(value);
        for (guint i = 0; ok && i < json_array_get_length(list); i++) {
            ok = give_value("", json_array_get_element(list, i), ids, errp);
        }
        return ok;
    }
    return !type || !JSON_NODE_HOLDS_VALUE(value) ||
           json_node_get_value_type(value) != G_TYPE_STRING ||
           give(json_node_get_string(value), type, ids, errp);
}

static bool give_named(JsonObject *options, GPtrArray *ids, Error **errp)
{
    JsonObjectIter iter;
    const char *key;
    JsonNode *value;

    json_object_iter_init(&iter, options);
    while (json_object_iter_next(&iter, &key, &value)) {
        if (!give_value(key, value, ids, errp)) {
            return false;
        }
    }
    return true;
}

/* --- taking back --- */

static void take_back(const char *id)
{
    g_autoptr(JsonObject) args = NULL;
    Given *g = find(id);

    if (!g || --g->users) {
        return;
    }
    if (g->made) {
        args = json_object_new();
        json_object_set_string_member(args, "id", id);
        storage_daemon_tell("object-del", args);
    }
    g_hash_table_remove(given, id);
}

/* What names others goes before them. */
static void take_back_all(GPtrArray *ids)
{
    for (guint i = 0; i < ids->len; i++) {
        take_back(ids->pdata[i]);
    }
    g_ptr_array_unref(ids);
}

/* --- for served.c --- */

GPtrArray *block_objects_give(JsonObject *options, Error **errp)
{
    GPtrArray *ids = g_ptr_array_new_with_free_func(g_free);

    if (!give_named(options, ids, errp)) {
        take_back_all(ids);
        return NULL;
    }
    return ids;
}

void block_objects_opened(GPtrArray *ids, const char *node)
{
    GPtrArray *stay = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; node && i < ids->len; i++) {
        Given *g = find(ids->pdata[i]);

        if (g && object_dynamic_cast(g->obj, TYPE_THROTTLE_GROUP)) {
            g->users++;
            g_ptr_array_add(stay, g_strdup(ids->pdata[i]));
        }
    }
    take_back_all(ids);
    if (!stay->len) {
        g_ptr_array_unref(stay);
        return;
    }
    kept = kept ?: g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_hash_table_insert(kept, g_strdup(node), stay);
}

void block_objects_closed(const char *node)
{
    GPtrArray *ids = kept ? g_hash_table_lookup(kept, node) : NULL;

    if (ids) {
        g_hash_table_remove(kept, node);
        take_back_all(ids);
    }
}

void block_objects_all_gone(void)
{
    GHashTableIter iter;
    gpointer ids;

    g_clear_pointer(&given, g_hash_table_unref);
    if (kept) {
        g_hash_table_iter_init(&iter, kept);
        while (g_hash_table_iter_next(&iter, NULL, &ids)) {
            g_ptr_array_unref(ids);
        }
    }
    g_clear_pointer(&kept, g_hash_table_unref);
}

bool block_object_set(const char *id, const char *property, JsonNode *value,
                      Error **errp)
{
    g_autofree char *path = g_strconcat("/objects/", id, NULL);
    g_autoptr(JsonObject) args = NULL;
    g_autoptr(JsonNode) done = NULL;

    if (!find(id)) {
        return true;
    }
    args = json_object_new();
    json_object_set_string_member(args, "path", path);
    json_object_set_string_member(args, "property", property);
    json_object_set_member(args, "value", json_node_copy(value));
    done = storage_daemon_execute("qom-set", args, errp);
    return done;
}
