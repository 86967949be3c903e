/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * I/O threads as objects (sysemu/iothread.h), and query-iothreads. The thread
 * itself is util/aio-context.c's.
 */
#include "qemu/osdep.h"

#include "monitor/hmp.h"
#include "monitor/qmp.h"
#include "qapi/visitor.h"
#include "qom/object_interfaces.h"
#include "sysemu/iothread.h"

struct IOThread {
    Object parent_obj;

    AioPolling polling;                   /* properties */
    AioContext *ctx;                      /* once complete */
    unsigned int users;                   /* devices */
};

AioContext *iothread_use(IOThread *iothread)
{
    if (!iothread) {
        return NULL;
    }
    iothread->users++;
    return iothread->ctx;
}

void iothread_release(IOThread *iothread)
{
    if (iothread) {
        g_assert(iothread->users);
        iothread->users--;
    }
}

/* --- the object --- */

/* Properties, which may change at any time. */
static const struct {
    const char *name;
    size_t offset;
    const char *description;
} polling_properties[] = {
    { "poll-max-ns", offsetof(AioPolling, max_ns),
      "How long the thread may look for work before it sleeps, ns; 0: not" },
    { "poll-grow", offsetof(AioPolling, grow),
      "Factor by which that time grows; 0: 2" },
    { "poll-shrink", offsetof(AioPolling, shrink),
      "Divisor by which it shrinks; 0: to nothing at once" },
};

static int64_t *polling_field(IOThread *s, void *opaque)
{
    return (int64_t *)((char *)&s->polling + (size_t)opaque);
}

static void get_polling(Object *obj, Visitor *v, const char *name,
                        void *opaque, Error **errp)
{
    visit_type_int64(v, name, polling_field(IOTHREAD(obj), opaque), errp);
}

static void set_polling(Object *obj, Visitor *v, const char *name,
                        void *opaque, Error **errp)
{
    IOThread *s = IOTHREAD(obj);
    int64_t value;

    if (!visit_type_int64(v, name, &value, errp)) {
        return;
    }
    if (value < 0) {
        error_setg(errp, "%s=%" PRId64 ": expected is 0 to %" PRId64, name,
                   value, INT64_MAX);
        return;
    }
    *polling_field(s, opaque) = value;
    if (s->ctx) {
        aio_context_set_polling(s->ctx, &s->polling);
    }
}

static void iothread_complete(UserCreatable *uc, Error **errp)
{
    IOThread *s = IOTHREAD(uc);
    const char *id = object_get_canonical_path_component(OBJECT(s));

    s->ctx = aio_context_new(id, errp);
    if (s->ctx) {
        aio_context_set_polling(s->ctx, &s->polling);
    }
}

static bool iothread_can_be_deleted(UserCreatable *uc)
{
    return !IOTHREAD(uc)->users;
}

static void iothread_finalize(Object *obj)
{
    g_clear_pointer(&IOTHREAD(obj)->ctx, aio_context_free);
}

static void iothread_class_init(ObjectClass *klass, void *data)
{
    UserCreatableClass *ucc = USER_CREATABLE_CLASS(klass);

    ucc->complete = iothread_complete;
    ucc->can_be_deleted = iothread_can_be_deleted;
    for (size_t i = 0; i < ARRAY_SIZE(polling_properties); i++) {
        object_class_property_add(klass, polling_properties[i].name, "int",
                                  get_polling, set_polling, NULL,
                                  (void *)polling_properties[i].offset);
        object_class_property_set_description(
            klass, polling_properties[i].name,
            polling_properties[i].description);
    }
}

static const TypeInfo iothread_types[] = {
    {
        .name = TYPE_IOTHREAD,
        .parent = TYPE_OBJECT,
        .instance_size = sizeof(IOThread),
        .instance_finalize = iothread_finalize,
        .class_init = iothread_class_init,
        .interfaces = (InterfaceInfo[]) {
            { TYPE_USER_CREATABLE },
            { NULL },
        },
    },
};
DEFINE_TYPES(iothread_types)

/* --- what there is --- */

static int append_iothread(Object *obj, void *opaque)
{
    JsonObject *o;
    IOThread *s;

    if (!object_dynamic_cast(obj, TYPE_IOTHREAD)) {
        return 0;
    }
    s = IOTHREAD(obj);
    o = json_object_new();
    json_object_set_string_member(
        o, "id", object_get_canonical_path_component(obj));
    json_object_set_int_member(o, "thread-id", aio_context_thread_id(s->ctx));
    json_object_set_int_member(o, "poll-max-ns", s->polling.max_ns);
    json_object_set_int_member(o, "poll-grow", s->polling.grow);
    json_object_set_int_member(o, "poll-shrink", s->polling.shrink);
    json_object_set_int_member(o, "aio-max-batch", 0);
    json_array_add_object_element(opaque, o);
    return 0;
}

static JsonNode *qmp_query_iothreads(JsonObject *args, Error **errp)
{
    JsonArray *list = json_array_new();

    object_child_foreach(object_get_objects_root(), append_iothread, list);
    return json_array_node(list);
}

static const QmpType iothread_qmp_types[] = {
    { .name = "IOThreadInfo",
      .members = "id:str,thread-id:int,poll-max-ns:int,poll-grow:int,"
                 "poll-shrink:int,aio-max-batch:int",
      .help = "A thread in which devices have their queues processed.\n"
      "id: its name\n"
      "thread-id: the host's number of the thread\n"
      "poll-max-ns: how long it may look for work before it sleeps\n"
      "poll-grow: the factor by which that time grows; 0: 2\n"
      "poll-shrink: the divisor by which it shrinks; 0: to nothing at once\n"
      "aio-max-batch: 0: as many requests as come are handed over at once" },
};

static const QmpCommand iothread_qmp_commands[] = {
    { .name = "query-iothreads", .returns = "[IOThreadInfo]",
      .fn = qmp_query_iothreads, .help = "Lists the I/O threads." },
};

static void hmp_info_iothreads(GString *out, const char *args, Error **errp)
{
    static const char *const members[] = {
        "thread-id", "poll-max-ns", "poll-grow", "poll-shrink",
    };
    g_autoptr(JsonNode) list = hmp_call_qmp("query-iothreads", NULL, errp);
    JsonArray *array = list ? json_node_get_array(list) : NULL;

    for (guint i = 0; array && i < json_array_get_length(array); i++) {
        JsonObject *o = json_array_get_object_element(array, i);

        g_string_append_printf(out, "%s:\n",
                               json_object_get_string_member(o, "id"));
        for (size_t m = 0; m < ARRAY_SIZE(members); m++) {
            g_string_append_printf(out, "  %s=%" G_GINT64_FORMAT "\n",
                                   members[m],
                                   json_object_get_int_member(o, members[m]));
        }
    }
}

static const HmpCommand iothread_hmp_info[] = {
    { .name = "iothreads", .params = "", .fn = hmp_info_iothreads,
      .help = "show the I/O threads" },
};

static void iothread_register(void)
{
    qmp_register_types(iothread_qmp_types, ARRAY_SIZE(iothread_qmp_types));
    qmp_register_commands(iothread_qmp_commands,
                          ARRAY_SIZE(iothread_qmp_commands));
    hmp_register_info(iothread_hmp_info, ARRAY_SIZE(iothread_hmp_info));
}
type_init(iothread_register)
