/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Netdevs: made from what users write, found, connected to a device of the
 * guest, and deleted, whichever of the two goes first (net/net.h). The kinds
 * have a file each.
 */
#include "qemu/osdep.h"

#include "net-internal.h"
#include "qapi/error.h"
#include "qapi/visitor.h"
#include "qemu/id.h"
#include "qemu/keyval.h"
#include "qemu/may-open.h"
#include "qom/object_interfaces.h"

static Object *netdevs_root(void)
{
    return container_get(object_get_root(), "/netdevs");
}

Netdev *netdev_find(const char *id)
{
    return (Netdev *)object_dynamic_cast(
        object_resolve_path_component(netdevs_root(), id), TYPE_NETDEV);
}

typedef struct ForeachNetdev {
    void (*fn)(Netdev *nd, void *opaque);
    void *opaque;
} ForeachNetdev;

static int call_for_netdev(Object *obj, void *opaque)
{
    ForeachNetdev *each = opaque;

    each->fn(NETDEV(obj), each->opaque);
    return 0;
}

void netdev_foreach(void (*fn)(Netdev *nd, void *opaque), void *opaque)
{
    ForeachNetdev each = { fn, opaque };

    object_child_foreach(netdevs_root(), call_for_netdev, &each);
}

static void clean_up(Netdev *nd, void *opaque)
{
    if (NETDEV_GET_CLASS(nd)->at_exit) {
        NETDEV_GET_CLASS(nd)->at_exit(nd);
    }
}

void netdev_cleanup(void)
{
    netdev_foreach(clean_up, NULL);
}

/* --- kinds ---------------------------------------------------------------- */

static NetdevClass *find_kind(const char *kind)
{
    g_autoptr(GSList) classes = object_class_get_list_sorted(TYPE_NETDEV, false);

    for (GSList *l = classes; l; l = l->next) {
        if (!strcmp(NETDEV_CLASS(l->data)->kind, kind)) {
            return l->data;
        }
    }
    return NULL;
}

/* One that this program, or this build of it, does not have. */
static void refuse_kind(const char *kind, Error **errp)
{
    static const struct {
        const char *kind, *instead;
    } others[] = {
        { "bridge", "tap with ifname=, an interface that is in the bridge" },
        { "socket", "stream for listen= and connect=, dgram for udp= and mcast=" },
#ifndef CONFIG_SLIRP
        { "user", "this build is without libslirp; stream to passt does the same" },
#endif
        { "vhost-vdpa", "vfio-pci, which passes the device through" },
    };

    for (unsigned i = 0; i < ARRAY_SIZE(others); i++) {
        if (!strcmp(kind, others[i].kind)) {
            error_setg(errp, "netdev %s is not supported: %s", kind,
                       others[i].instead);
            return;
        }
    }
    error_setg(errp, "Parameter 'type' expects a netdev backend type, which '%s' "
               "is not (-netdev help lists them)", kind);
}

void netdev_print_types(void)
{
    g_autoptr(GSList) classes = object_class_get_list_sorted(TYPE_NETDEV, false);

    printf("Available netdev backend types:\n");
    for (GSList *l = classes; l; l = l->next) {
        printf("  %-8s %s\n", NETDEV_CLASS(l->data)->kind,
               NETDEV_CLASS(l->data)->help);
    }
}

/* --- options -------------------------------------------------------------- */

static void *option_ptr(Netdev *nd, const NetdevOption *option)
{
    return (char *)nd + option->offset;
}

static const NetdevOption *find_option(const NetdevClass *nc, const char *name)
{
    for (const NetdevOption *o = nc->options; o->name; o++) {
        if (!strcmp(o->name, name)) {
            return o;
        }
    }
    return NULL;
}

JsonObject *netdev_parse(const char *text, Error **errp)
{
    static const char *const lists[] = { "dnssearch", "hostfwd", NULL };

    return keyval_parse_lists(text, "type", lists, NULL, errp);
}

/* An element of a list: text, or QMP's object that has nothing but text. */
static const char *list_element(JsonNode *node)
{
    if (JSON_NODE_HOLDS_OBJECT(node) &&
        json_object_get_size(json_node_get_object(node)) == 1) {
        node = json_object_get_member(json_node_get_object(node), "str");
    }
    return node && json_node_get_value_type(node) == G_TYPE_STRING
               ? json_node_get_string(node) : NULL;
}

static bool set_list(char ***list, const char *name, JsonNode *value,
                     Error **errp)
{
    JsonArray *array = JSON_NODE_HOLDS_ARRAY(value) ? json_node_get_array(value)
                                                    : NULL;
    guint n = array ? json_array_get_length(array) : 0;
    g_auto(GStrv) texts = g_new0(char *, n + 1);

    for (guint i = 0; i < n; i++) {
        texts[i] = g_strdup(list_element(json_array_get_element(array, i)));
        if (!texts[i]) {
            array = NULL;
            break;
        }
    }
    if (!array) {
        error_setg(errp, "Invalid parameter type for '%s', expected: list of "
                   "strings", name);
        return false;
    }
    g_strfreev(*list);
    *list = g_steal_pointer(&texts);
    return true;
}

static bool set_option(Netdev *nd, const char *name, JsonNode *value,
                       bool keyval, Error **errp)
{
    const NetdevClass *nc = NETDEV_GET_CLASS(nd);
    const NetdevOption *option = find_option(nc, name);
    g_autoptr(Visitor) v = NULL;
    void *ptr;

    if (!option) {
        error_setg(errp, "Invalid parameter '%s': netdev %s has %s", name,
                   nc->kind, nc->help);
        return false;
    }
    v = visitor_input_new(value, keyval);
    ptr = option_ptr(nd, option);
    switch (option->kind) {
    case NETDEV_OPTION_STR:
        g_clear_pointer((char **)ptr, g_free);
        return visit_type_str(v, name, ptr, errp);
    case NETDEV_OPTION_STR_LIST:
        return set_list(ptr, name, value, errp);
    case NETDEV_OPTION_BOOL:
        return visit_type_bool(v, name, ptr, errp);
    case NETDEV_OPTION_UINT32:
        return visit_type_uint32(v, name, ptr, errp);
    }
    g_assert_not_reached();
}

/* A member of an object that is a member is "outer.inner", one level deep. */
static bool set_options(Netdev *nd, JsonObject *opts, const char *outer,
                        bool keyval, Error **errp)
{
    JsonObjectIter iter;
    const char *name;
    JsonNode *value;

    json_object_iter_init(&iter, opts);
    while (json_object_iter_next(&iter, &name, &value)) {
        g_autofree char *whole = outer ? g_strdup_printf("%s.%s", outer, name)
                                       : g_strdup(name);
        bool ok = true;

        if (!outer && JSON_NODE_HOLDS_OBJECT(value)) {
            ok = set_options(nd, json_node_get_object(value), name, keyval, errp);
        } else if (outer || (strcmp(name, "type") && strcmp(name, "id"))) {
            ok = set_option(nd, whole, value, keyval, errp);
        }
        if (!ok) {
            return false;
        }
    }
    return true;
}

/* --- making one ----------------------------------------------------------- */

static const char *get_string(JsonObject *opts, const char *name, Error **errp)
{
    JsonNode *node = json_object_get_member(opts, name);

    if (!node || json_node_get_value_type(node) != G_TYPE_STRING) {
        error_setg(errp, "Parameter '%s' is missing", name);
        return NULL;
    }
    return json_node_get_string(node);
}

static const char *get_new_id(JsonObject *opts, Error **errp)
{
    const char *id = get_string(opts, "id", errp);

    if (id && !id_wellformed(id)) {
        error_setg(errp, ERROR_ID_MALFORMED);
        return NULL;
    }
    if (id && netdev_find(id)) {
        error_setg(errp, "Duplicate ID '%s' for netdev", id);
        return NULL;
    }
    return id;
}

Netdev *netdev_new_from_json(JsonObject *opts, bool keyval, Error **errp)
{
    const char *kind = qemu_may_open(errp) ? get_string(opts, "type", errp)
                                           : NULL;
    const char *id = kind ? get_new_id(opts, errp) : NULL;
    g_autoptr(Object) obj = NULL;
    NetdevClass *nc;
    Netdev *nd;

    if (!id) {
        return NULL;
    }
    nc = find_kind(kind);
    if (!nc) {
        refuse_kind(kind, errp);
        return NULL;
    }
    obj = object_new(object_class_get_name(OBJECT_CLASS(nc)));
    nd = NETDEV(obj);
    nd->id = g_strdup(id);
    if (!set_options(nd, opts, NULL, keyval, errp) || !nc->open(nd, errp)) {
        return NULL;
    }
    object_property_add_child(netdevs_root(), id, obj);
    return nd;
}

bool netdev_type_shares_memory(JsonObject *opts)
{
    const char *kind = get_string(opts, "type", NULL);
    NetdevClass *nc = kind ? find_kind(kind) : NULL;

    return nc && nc->get_vhost_user;
}

/* --- I/O threads ---------------------------------------------------------- */

bool netdev_set_aio_context(Netdev *nd, AioContext *ctx, Error **errp)
{
    const NetdevClass *nc = NETDEV_GET_CLASS(nd);

    if (nc->set_aio_context ? nc->set_aio_context(nd, ctx) : !ctx) {
        return true;
    }
    error_setg(errp, "iothread=: netdev '%s' (%s) cannot be in an I/O thread: "
               "stream, dgram, and tap without vhost=on, can", nd->id, nc->kind);
    return false;
}

/* --- connecting ----------------------------------------------------------- */

bool netdev_connect(Netdev *nd, NetEnd *ends, unsigned n, Error **errp)
{
    if (n > nd->nr_ends) {
        error_setg(errp, "netdev '%s' has %u queues, the device %u", nd->id,
                   nd->nr_ends, n);
        return false;
    }
    if (nd->ends[0].peer) {
        error_setg(errp, "netdev '%s' is in use", nd->id);
        return false;
    }
    for (unsigned i = 0; i < n; i++) {
        ends[i].peer = &nd->ends[i];
        nd->ends[i].peer = &ends[i];
    }
    for (unsigned i = 0; i < n; i++) {
        net_end_link_changed(&nd->ends[i]);
    }
    return true;
}

void net_ends_disconnect(NetEnd *ends, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        NetEnd *peer = ends[i].peer;

        if (peer) {
            ends[i].peer = NULL;
            peer->peer = NULL;
            net_end_link_changed(&ends[i]);
            net_end_link_changed(peer);
        }
    }
}

/* --- the type ------------------------------------------------------------- */

static void netdev_init(Object *obj)
{
    Netdev *nd = NETDEV(obj);

    nd->nr_ends = 1;
    for (unsigned i = 0; i < NET_QUEUES_MAX; i++) {
        nd->ends[i] = (NetEnd) { .ops = NETDEV_GET_CLASS(nd)->ops,
                                 .owner = nd, .index = i };
    }
}

/* It goes, whoever has it: a device then has a link that is down. */
static void netdev_unparent(Object *obj)
{
    Netdev *nd = NETDEV(obj);

    aio_pause_all();
    net_ends_disconnect(nd->ends, nd->nr_ends);
    netdev_set_aio_context(nd, NULL, &error_abort);
    aio_resume_all();
}

static void netdev_finalize(Object *obj)
{
    Netdev *nd = NETDEV(obj);

    for (const NetdevOption *o = NETDEV_GET_CLASS(nd)->options; o->name; o++) {
        if (o->kind == NETDEV_OPTION_STR) {
            g_free(*(char **)option_ptr(nd, o));
        } else if (o->kind == NETDEV_OPTION_STR_LIST) {
            g_strfreev(*(char ***)option_ptr(nd, o));
        }
    }
    g_free(nd->id);
    g_free(nd->info);
}

static void netdev_class_init(ObjectClass *klass, void *data)
{
    klass->unparent = netdev_unparent;
}

static const TypeInfo netdev_types[] = {
    {
        .name = TYPE_NETDEV,
        .parent = TYPE_OBJECT,
        .abstract = true,
        .instance_size = sizeof(Netdev),
        .instance_init = netdev_init,
        .instance_finalize = netdev_finalize,
        .class_size = sizeof(NetdevClass),
        .class_init = netdev_class_init,
    },
};
DEFINE_TYPES(netdev_types)
