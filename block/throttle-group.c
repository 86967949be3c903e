/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -object throttle-group: limits of the speed of those nodes of driver throttle
 * that name it. QEMU's storage daemon has these nodes, and holds them back; here the
 * limits are checked, and told to it, when a node needs them and when they change.
 */
#include "qemu/osdep.h"

#include "block-internal.h"
#include "monitor/qmp.h"
#include "qapi/visitor.h"
#include "served-objects.h"
#include "sysemu/storage-object.h"

typedef struct ThrottleGroup ThrottleGroup;
DECLARE_INSTANCE_CHECKER(ThrottleGroup, THROTTLE_GROUP, TYPE_THROTTLE_GROUP)

/* QEMU's limit of all of them. */
#define VALUE_MAX INT64_C(1000000000000000)

/* What is limited; each has three figures: on average, in a burst, and how many
 * seconds of one. Totals come before their parts. */
enum { BPS, BPS_READ, BPS_WRITE, IOPS, IOPS_READ, IOPS_WRITE, NR_LIMITED };
enum { AVERAGE, BURST, SECONDS, NR_FIGURES };
#define NR_LIMITS (NR_LIMITED * NR_FIGURES + 1)
#define IOPS_SIZE (NR_LIMITS - 1)
#define LIMIT(what, figure) ((what) * NR_FIGURES + (figure))

#define NAMES(of) of, of "-max", of "-max-length"
static const char *const names[NR_LIMITS] = {
    NAMES("bps-total"), NAMES("bps-read"), NAMES("bps-write"),
    NAMES("iops-total"), NAMES("iops-read"), NAMES("iops-write"), "iops-size",
};

/* bps: bytes, iops: requests, a second; 0: no limit. */
typedef struct Limits {
    int64_t values[NR_LIMITS];
} Limits;

struct ThrottleGroup {
    Object parent_obj;

    Limits limits;
    bool complete;
    bool awaited;                         /* the daemon is told of others */
};

/* --- what makes sense --- */

static bool check_range(const Limits *l, Error **errp)
{
    for (unsigned i = 0; i < NR_LIMITS; i++) {
        if (l->values[i] < 0 || l->values[i] > VALUE_MAX) {
            error_setg(errp, "%s=%" PRId64 ": expected is a number from 0 to %"
                       PRId64, names[i], l->values[i], VALUE_MAX);
            return false;
        }
    }
    return true;
}

static bool check_burst(const Limits *l, unsigned what, Error **errp)
{
    int64_t average = l->values[LIMIT(what, AVERAGE)];
    int64_t burst = l->values[LIMIT(what, BURST)];
    int64_t seconds = l->values[LIMIT(what, SECONDS)];
    const char *name = names[LIMIT(what, AVERAGE)];

    if (burst && !average) {
        error_setg(errp, "%s-max=%" PRId64 ": a burst needs %s, too", name,
                   burst, name);
    } else if (burst && burst < average) {
        error_setg(errp, "%s-max=%" PRId64 ": a burst cannot be slower than %s=%"
                   PRId64, name, burst, name, average);
    } else if (!seconds || (seconds > 1 && !burst)) {
        error_setg(errp, "%s-max-length=%" PRId64 ": expected are seconds, of "
                   "which there is one without %s-max", name, seconds, name);
    } else if (burst && seconds > MIN(VALUE_MAX / burst, UINT32_MAX)) {
        error_setg(errp, "%s-max-length=%" PRId64 ": too long for %s-max=%" PRId64,
                   name, seconds, name, burst);
    } else {
        return true;
    }
    return false;
}

/* A total and its parts exclude each other, on average as in a burst. */
static bool check_total(const Limits *l, unsigned total, Error **errp)
{
    for (unsigned figure = AVERAGE; figure <= BURST; figure++) {
        for (unsigned part = total + 1; part <= total + 2; part++) {
            if (l->values[LIMIT(total, figure)] &&
                l->values[LIMIT(part, figure)]) {
                error_setg(errp, "%s and %s exclude each other",
                           names[LIMIT(total, figure)],
                           names[LIMIT(part, figure)]);
                return false;
            }
        }
    }
    return true;
}

static bool check(const Limits *l, Error **errp)
{
    bool ok = check_range(l, errp) && check_total(l, BPS, errp) &&
              check_total(l, IOPS, errp);

    for (unsigned what = 0; ok && what < NR_LIMITED; what++) {
        ok = check_burst(l, what, errp);
    }
    if (ok && l->values[IOPS_SIZE] && !l->values[LIMIT(IOPS, AVERAGE)] &&
        !l->values[LIMIT(IOPS_READ, AVERAGE)] &&
        !l->values[LIMIT(IOPS_WRITE, AVERAGE)]) {
        error_setg(errp, "iops-size=%" PRId64 ": it needs a limit of iops",
                   l->values[IOPS_SIZE]);
        return false;
    }
    return ok;
}

/* --- as JSON --- */

#define MEMBERS(of) "?" of ":int,?" of "-max:int,?" of "-max-length:int,"
#define MEMBERS_HELP(of, what)                                               \
    of ": " what ", a second; 0: no limit\n"                                 \
    of "-max: in a burst, a second\n"                                        \
    of "-max-length: of a burst, seconds\n"

static const QmpType throttle_types[] = {
    { .name = "ThrottleLimits",
      .members = MEMBERS("bps-total") MEMBERS("bps-read") MEMBERS("bps-write")
                 MEMBERS("iops-total") MEMBERS("iops-read")
                 MEMBERS("iops-write") "?iops-size:int",
      .help = "Limits of a throttle-group. What is not given stays.\n"
      MEMBERS_HELP("bps-total", "bytes") MEMBERS_HELP("bps-read", "bytes read")
      MEMBERS_HELP("bps-write", "bytes written")
      MEMBERS_HELP("iops-total", "requests") MEMBERS_HELP("iops-read", "reads")
      MEMBERS_HELP("iops-write", "writes")
      "iops-size: bytes that count as a request; 0: any number" },
};

static void throttle_types_register(void)
{
    qmp_register_types(throttle_types, ARRAY_SIZE(throttle_types));
}
type_init(throttle_types_register)

static JsonObject *limits_to_json(const Limits *l)
{
    JsonObject *o = json_object_new();

    for (unsigned i = 0; i < NR_LIMITS; i++) {
        json_object_set_int_member(o, names[i], l->values[i]);
    }
    return o;
}

/* Those that are not there stay. */
static bool limits_from_json(Limits *l, JsonObject *from, Error **errp)
{
    g_autoptr(JsonObject) o = block_options_nest(from, errp);

    for (unsigned i = 0; o && i < NR_LIMITS; i++) {
        if (!block_take_int64(o, names[i], &l->values[i], errp)) {
            return false;
        }
    }
    return o && block_check_no_more(o, "limits", errp);
}

static JsonNode *node_of(JsonObject *o)
{
    JsonNode *node = json_node_new(JSON_NODE_OBJECT);

    json_node_take_object(node, o);
    return node;
}

static void describe(StorageObject *obj, JsonObject *options)
{
    json_object_set_object_member(
        options, "limits", limits_to_json(&THROTTLE_GROUP(obj)->limits));
}

/* --- properties --- */

/* Has the daemon know of @l, and then this process. Others go on meanwhile. */
static bool change(ThrottleGroup *tg, const Limits *l, Error **errp)
{
    Object *obj = object_ref(OBJECT(tg));
    const char *id = object_get_canonical_path_component(obj);
    g_autoptr(JsonNode) value = node_of(limits_to_json(l));
    bool ok;

    tg->awaited = true;
    ok = block_object_set(id, "limits", value, errp);
    tg->awaited = false;
    if (ok) {
        tg->limits = *l;
    }
    object_unref(obj);
    return ok;
}

static void set_limits(Object *obj, Visitor *v, const char *name, void *opaque,
                       Error **errp)
{
    ThrottleGroup *tg = THROTTLE_GROUP(obj);
    g_autoptr(JsonNode) node = NULL;
    Limits l = tg->limits;

    if (!visit_type_any(v, name, &node, errp)) {
        return;
    }
    if (!JSON_NODE_HOLDS_OBJECT(node)) {
        error_setg(errp, "Invalid parameter type for 'limits', expected: object "
                   "(limits.iops-total, limits.bps-total, ...)");
        return;
    }
    if (!limits_from_json(&l, json_node_get_object(node), errp)) {
        return;
    }
    if (!tg->complete) {
        tg->limits = l;                   /* others may follow */
    } else if (tg->awaited) {
        error_setg(errp, "the limits are just changed: qemu-storage-daemon has not "
                   "answered yet");
    } else if (check(&l, errp)) {
        change(tg, &l, errp);
    }
}

static void get_limits(Object *obj, Visitor *v, const char *name, void *opaque,
                       Error **errp)
{
    g_autoptr(JsonNode) node = node_of(
        limits_to_json(&THROTTLE_GROUP(obj)->limits));

    visit_type_any(v, name, &node, errp);
}

/* One of them, x-NAME. */
static void set_limit(Object *obj, Visitor *v, const char *name, void *opaque,
                      Error **errp)
{
    ThrottleGroup *tg = THROTTLE_GROUP(obj);

    if (tg->complete) {
        error_setg(errp, "%s cannot be set any more; limits can", name);
        return;
    }
    visit_type_int64(v, name, &tg->limits.values[GPOINTER_TO_UINT(opaque)], errp);
}

static void get_limit(Object *obj, Visitor *v, const char *name, void *opaque,
                      Error **errp)
{
    ThrottleGroup *tg = THROTTLE_GROUP(obj);

    visit_type_int64(v, name, &tg->limits.values[GPOINTER_TO_UINT(opaque)], errp);
}

/* --- the type --- */

static void throttle_group_complete(UserCreatable *uc, Error **errp)
{
    ThrottleGroup *tg = THROTTLE_GROUP(uc);

    tg->complete = check(&tg->limits, errp);
}

static void throttle_group_init(Object *obj)
{
    for (unsigned what = 0; what < NR_LIMITED; what++) {
        THROTTLE_GROUP(obj)->limits.values[LIMIT(what, SECONDS)] = 1;
    }
}

static void throttle_group_class_init(ObjectClass *klass, void *data)
{
    USER_CREATABLE_CLASS(klass)->complete = throttle_group_complete;
    USER_CREATABLE_CLASS(klass)->can_be_deleted = storage_object_is_unused;
    STORAGE_OBJECT_CLASS(klass)->describe = describe;
    object_class_property_add(klass, "limits", "ThrottleLimits", get_limits,
                              set_limits, NULL, NULL);
    object_class_property_set_description(klass, "limits",
                                          "All of them; can be changed");
    for (unsigned i = 0; i < NR_LIMITS; i++) {
        g_autofree char *name = g_strconcat("x-", names[i], NULL);

        object_class_property_add(klass, name, "int", get_limit, set_limit, NULL,
                                  GUINT_TO_POINTER(i));
        object_class_property_set_description(klass, name,
                                              "One of limits, QEMU's older way");
    }
}

static const TypeInfo throttle_group_types[] = {
    {
        .name = TYPE_THROTTLE_GROUP,
        .parent = TYPE_OBJECT,
        .instance_size = sizeof(ThrottleGroup),
        .instance_init = throttle_group_init,
        .class_init = throttle_group_class_init,
        .interfaces = (InterfaceInfo[]) {
            { TYPE_USER_CREATABLE },
            { TYPE_STORAGE_OBJECT },
            { },
        },
    },
};
DEFINE_TYPES(throttle_group_types)
