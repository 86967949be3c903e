/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QMP commands that cut connections (qemu/yank.h). They are for a client that
 * finds the main loop waiting for a peer, so they are carried out of band: they
 * take no lock but the list's, and touch no device.
 */
#include "qemu/osdep.h"

#include "monitor/qmp.h"
#include "qemu/yank.h"

static void append_instance(const char *id, void *opaque)
{
    JsonObject *instance = json_object_new();

    json_object_set_string_member(instance, "type", "chardev");
    json_object_set_string_member(instance, "id", id);
    json_array_add_object_element(opaque, instance);
}

static JsonNode *qmp_query_yank(JsonObject *args, Error **errp)
{
    JsonArray *list = json_array_new();

    yank_foreach(append_instance, list);
    return json_array_node(list);
}

/* NULL: not one that can exist. */
static const char *instance_id(JsonArray *instances, guint i)
{
    JsonObject *instance = json_array_get_object_element(instances, i);

    return json_object_get_string_member_with_default(instance, "id", NULL);
}

static JsonNode *qmp_yank(JsonObject *args, Error **errp)
{
    JsonArray *instances = json_object_get_array_member(args, "instances");
    guint n = json_array_get_length(instances);

    for (guint i = 0; i < n; i++) {
        const char *id = instance_id(instances, i);

        if (!id || !yank_exists(id)) {
            error_set(errp, ERROR_CLASS_DEVICE_NOT_FOUND, "Instance not found");
            return NULL;
        }
    }
    for (guint i = 0; i < n; i++) {
        yank(instance_id(instances, i));
    }
    return NULL;
}

static const QmpType yank_types[] = {
    { .name = "YankInstanceType", .values = "block-node,chardev,migration",
      .help = "What has connections that can be cut. Here chardevs have." },
    { .name = "YankInstanceBlockNode", .members = "node-name:str",
      .help = "A block node; none has a connection.\n"
      "node-name: its name" },
    { .name = "YankInstanceChardev", .members = "id:str",
      .help = "A chardev that is a socket.\n"
      "id: its id" },
    { .name = "YankInstance", .members = "type:YankInstanceType",
      .tag = "type",
      .variants = "block-node:YankInstanceBlockNode,"
                  "chardev:YankInstanceChardev",
      .help = "Something with connections.\n"
      "type: what it is" },
};

static const QmpCommand yank_commands[] = {
    { .name = "query-yank", .returns = "[YankInstance]", .allow_oob = true,
      .fn = qmp_query_yank,
      .help = "Lists what has connections that yank can cut." },
    { .name = "yank", .args = "instances:[YankInstance]", .allow_oob = true,
      .fn = qmp_yank,
      .help = "Cuts connections, so that nobody waits for their peers any "
      "longer: a chardev's peer then has gone.\n"
      "instances: whose\n"
      "Errors: DeviceNotFound, if there is no such instance; then none is "
      "cut" },
};

static void yank_register(void)
{
    qmp_register_types(yank_types, ARRAY_SIZE(yank_types));
    qmp_register_commands(yank_commands, ARRAY_SIZE(yank_commands));
}
type_init(yank_register)
