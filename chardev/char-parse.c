/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Making character devices from what users write, finding and deleting them
 * (chardev/char.h). The long form is properties; the short forms of -serial and
 * the like are turned into it, so that there is one way to open a device.
 */
#include "qemu/osdep.h"

#include "char-make.h"
#include "qapi/visitor.h"
#include "qemu/id.h"
#include "qemu/keyval.h"
#include "qom/object_interfaces.h"

Object *chardevs_root(void)
{
    return container_get(object_get_root(), "/chardevs");
}

Chardev *qemu_chr_find(const char *label)
{
    Object *obj = object_resolve_path_component(chardevs_root(), label);

    return (Chardev *)object_dynamic_cast(obj, TYPE_CHARDEV);
}

typedef struct ForeachChardev {
    void (*fn)(Chardev *chr, void *opaque);
    void *opaque;
} ForeachChardev;

static int call_for_chardev(Object *obj, void *opaque)
{
    ForeachChardev *each = opaque;

    each->fn(CHARDEV(obj), each->opaque);
    return 0;
}

void qemu_chr_foreach(void (*fn)(Chardev *chr, void *opaque), void *opaque)
{
    ForeachChardev each = { fn, opaque };

    object_child_foreach(chardevs_root(), call_for_chardev, &each);
}

/* --- kinds --------------------------------------------------------------- */

static const char *class_backend(ObjectClass *klass)
{
    return CHARDEV_CLASS(klass)->backend;
}

/* The type that -chardev calls @backend, or NULL. */
static const char *find_type(const char *backend)
{
    g_autoptr(GSList) classes = object_class_get_list_sorted(TYPE_CHARDEV,
                                                             false);

    for (GSList *l = classes; l; l = l->next) {
        if (!g_strcmp0(class_backend(l->data), backend)) {
            return object_class_get_name(l->data);
        }
    }
    return NULL;
}

void qemu_chr_foreach_backend(void (*fn)(ChardevClass *cc, void *opaque),
                              void *opaque)
{
    g_autoptr(GSList) classes = object_class_get_list_sorted(TYPE_CHARDEV,
                                                             false);

    for (GSList *l = classes; l; l = l->next) {
        if (class_backend(l->data)) {
            fn(CHARDEV_CLASS(l->data), opaque);
        }
    }
}

static void print_type(ChardevClass *cc, void *opaque)
{
    printf("  %-8s %s\n", cc->backend, cc->help);
}

void qemu_chr_print_types(void)
{
    printf("Available chardev backend types:\n");
    qemu_chr_foreach_backend(print_type, NULL);
}

/* --- making one ---------------------------------------------------------- */

/* A device of @type, opened, which is the caller's; NULL and *errp. */
static Chardev *chardev_open(const char *label, const char *type,
                             JsonObject *props, bool keyval, Error **errp)
{
    g_autoptr(Object) obj = object_new(type);
    Chardev *chr = CHARDEV(obj);

    chr->label = g_strdup(label);
    if (!object_set_properties_from_json(obj, props, keyval, errp)) {
        return NULL;
    }
    chr->opened = true;
    if (!chardev_log_open(chr, errp) ||
        !CHARDEV_GET_CLASS(chr)->open(chr, errp)) {
        return NULL;
    }
    g_steal_pointer(&obj);
    return chr;
}

/* The same, as /chardevs/@label. */
static Chardev *chardev_new(const char *label, const char *type,
                            JsonObject *props, bool keyval, Error **errp)
{
    Chardev *chr = chardev_open(label, type, props, keyval, errp);

    if (chr) {
        object_property_add_child(chardevs_root(), label, OBJECT(chr));
        object_unref(OBJECT(chr));
    }
    return chr;
}

/* The same, to be shared: @label is the mux, "@label-base" the device. */
static Chardev *chardev_new_shared(const char *label, const char *type,
                                   JsonObject *props, bool keyval, Error **errp)
{
    g_autofree char *base_label = g_strdup_printf("%s-base", label);
    g_autoptr(JsonObject) mux_props = json_object_new();
    Chardev *base, *mux;

    if (qemu_chr_find(base_label)) {
        error_setg(errp, "Chardev with id '%s' already exists", base_label);
        return NULL;
    }
    base = chardev_new(base_label, type, props, keyval, errp);
    if (!base) {
        return NULL;
    }
    json_object_set_string_member(mux_props, "chardev", base_label);
    mux = chardev_new(label, TYPE_CHARDEV_MUX, mux_props, keyval, errp);
    if (!mux) {
        object_unparent(OBJECT(base));
    }
    return mux;
}

char *chardev_take_string(JsonObject *props, const char *name)
{
    JsonNode *node = json_object_get_member(props, name);
    char *value = NULL;

    if (node && JSON_NODE_HOLDS_VALUE(node) &&
        json_node_get_value_type(node) == G_TYPE_STRING) {
        value = json_node_dup_string(node);
        json_object_remove_member(props, name);
    }
    return value;
}

/* Takes "mux" out of @props. */
static bool take_mux(JsonObject *props, bool keyval, bool *mux, Error **errp)
{
    JsonNode *node = json_object_get_member(props, "mux");
    g_autoptr(Visitor) v = node ? visitor_input_new(node, keyval) : NULL;

    *mux = false;
    if (v && !visit_type_bool(v, "mux", mux, errp)) {
        return false;
    }
    if (node) {
        json_object_remove_member(props, "mux");
    }
    return true;
}

/* What people wrote before there was wait=off. */
static void replace_nowait(JsonObject *props)
{
    if (!g_strcmp0(json_object_get_string_member_with_default(props, "nowait",
                                                              NULL), "on")) {
        json_object_remove_member(props, "nowait");
        json_object_set_string_member(props, "wait", "off");
    }
}

JsonObject *chardev_copy_options(JsonObject *obj)
{
    g_autoptr(GList) names = json_object_get_members(obj);
    JsonObject *copy = json_object_new();

    for (GList *l = names; l; l = l->next) {
        json_object_set_member(copy, l->data,
                               json_object_dup_member(obj, l->data));
    }
    return copy;
}

/* Takes the type that "backend" means out of @props; NULL and *errp. */
static const char *take_type(JsonObject *props, Error **errp)
{
    g_autofree char *backend = chardev_take_string(props, "backend");
    const char *type = backend ? find_type(backend) : NULL;

    if (!type) {
        error_setg(errp, "'%s' is not a valid char driver name (-chardev help "
                   "lists them)", backend ? backend : "");
    }
    return type;
}

Chardev *chardev_open_from_props(const char *label, JsonObject *opts,
                                 bool keyval, Error **errp)
{
    g_autoptr(JsonObject) props = chardev_copy_options(opts);
    const char *type = take_type(props, errp);

    return type ? chardev_open(label, type, props, keyval, errp) : NULL;
}

/* @label may be any text that is no path. */
static Chardev *chardev_new_from_props(const char *label, JsonObject *opts,
                                       bool keyval, Error **errp)
{
    g_autoptr(JsonObject) props = chardev_copy_options(opts);
    const char *type = take_type(props, errp);
    bool mux;

    if (!type) {
        return NULL;
    }
    if (qemu_chr_find(label)) {
        error_setg(errp, "Chardev with id '%s' already exists", label);
        return NULL;
    }
    if (!take_mux(props, keyval, &mux, errp)) {
        return NULL;
    }
    if (keyval && !strcmp(type, TYPE_CHARDEV_SOCKET)) {
        replace_nowait(props);
    }
    return mux ? chardev_new_shared(label, type, props, keyval, errp)
               : chardev_new(label, type, props, keyval, errp);
}

Chardev *qemu_chr_new_from_json(JsonObject *opts, bool keyval, Error **errp)
{
    g_autoptr(JsonObject) props = chardev_copy_options(opts);
    g_autofree char *id = chardev_take_string(props, "id");

    if (!id) {
        error_setg(errp, "chardev: no id specified");
        return NULL;
    }
    if (!id_wellformed(id)) {
        error_setg(errp, ERROR_ID_MALFORMED);
        return NULL;
    }
    return chardev_new_from_props(id, props, keyval, errp);
}

Chardev *qemu_chr_new_from_text(const char *text, Error **errp)
{
    g_autoptr(JsonObject) opts = keyval_parse(text, "backend", NULL, errp);

    return opts ? qemu_chr_new_from_json(opts, true, errp) : NULL;
}

/* --- short forms --------------------------------------------------------- */

/* "tcp:" has been read: "[HOST]:PORT[,KEY=VALUE...]", where a host with colons
 * is in brackets. */
static JsonObject *parse_tcp(const char *text, Error **errp)
{
    const char *start = *text == '[' ? text + 1 : text;
    const char *end = strchr(start, *text == '[' ? ']' : ':');
    const char *colon = end && *end == ']' ? end + 1 : end;
    g_autofree char *host = NULL;
    JsonObject *opts;

    if (!colon || *colon != ':') {
        error_setg(errp, "'tcp:%s' has no port: write tcp:HOST:PORT", text);
        return NULL;
    }
    host = g_strndup(start, end - start);
    opts = keyval_parse(colon + 1, "port", NULL, errp);
    if (opts) {
        json_object_set_string_member(opts, "host", host);
        json_object_set_string_member(opts, "backend", "socket");
    }
    return opts;
}

/* "file:PATH", "pipe:PATH": all the rest is the path, commas included. */
static JsonObject *parse_path(const char *backend, const char *path)
{
    JsonObject *opts = json_object_new();

    json_object_set_string_member(opts, "backend", backend);
    json_object_set_string_member(opts, "path", path);
    return opts;
}

static JsonObject *parse_unix(const char *text, Error **errp)
{
    JsonObject *opts = keyval_parse(text, "path", NULL, errp);

    if (opts) {
        json_object_set_string_member(opts, "backend", "socket");
    }
    return opts;
}

/* "stdio", "null", "pty", each with options after a comma. */
static JsonObject *parse_simple(const char *text, Error **errp)
{
    static const char *const simple[] = { "stdio", "null", "pty", NULL };
    g_autoptr(JsonObject) opts = keyval_parse(text, "backend", NULL, errp);

    if (!opts) {
        return NULL;
    }
    if (!g_strv_contains(simple, json_object_get_string_member_with_default(
                                     opts, "backend", ""))) {
        error_setg(errp, "'%s' is not a character device: it can be stdio, "
                   "null, pty, file:PATH, pipe:PATH, unix:PATH, tcp:HOST:PORT "
                   "or chardev:ID", text);
        return NULL;
    }
    return g_steal_pointer(&opts);
}

static JsonObject *parse_short_form(const char *text, Error **errp)
{
    if (g_str_has_prefix(text, "unix:")) {
        return parse_unix(text + strlen("unix:"), errp);
    }
    if (g_str_has_prefix(text, "tcp:")) {
        return parse_tcp(text + strlen("tcp:"), errp);
    }
    if (g_str_has_prefix(text, "file:")) {
        return parse_path("file", text + strlen("file:"));
    }
    if (g_str_has_prefix(text, "pipe:")) {
        return parse_path("pipe", text + strlen("pipe:"));
    }
    return parse_simple(text, errp);
}

/* Ctrl-C must reach the guest, as Ctrl-a is there to end the emulator. */
static void share(JsonObject *opts)
{
    json_object_set_string_member(opts, "mux", "on");
    if (!strcmp(json_object_get_string_member(opts, "backend"), "stdio") &&
        !json_object_has_member(opts, "signal")) {
        json_object_set_string_member(opts, "signal", "off");
    }
}

Chardev *qemu_chr_parse_compat(const char *label, const char *text,
                               Error **errp)
{
    g_autoptr(JsonObject) opts = NULL;
    bool shared = g_str_has_prefix(text, "mon:");

    text += shared ? strlen("mon:") : 0;
    if (g_str_has_prefix(text, "chardev:")) {
        Chardev *chr = qemu_chr_find(text + strlen("chardev:"));

        if (!chr) {
            error_setg(errp, "chardev '%s' not found",
                       text + strlen("chardev:"));
        }
        return chr;
    }
    opts = parse_short_form(text, errp);
    if (!opts) {
        return NULL;
    }
    if (shared) {
        share(opts);
    }
    return chardev_new_from_props(label, opts, true, errp);
}

/* --- the end ------------------------------------------------------------- */

static int unparent_child(Object *obj, void *opaque)
{
    chardev_set_aio_context(CHARDEV(obj), NULL);
    object_unparent(obj);
    return 0;
}

/* Threads that have chardevs may still run. */
void qemu_chr_cleanup(void)
{
    aio_pause_all();
    object_child_foreach(chardevs_root(), unparent_child, NULL);
    aio_resume_all();
}
