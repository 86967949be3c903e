/* SPDX-License-Identifier: GPL-2.0-or-later */
/* QMP commands on character devices. */
#include "qemu/osdep.h"

#include "chardev/char.h"
#include "monitor/qmp.h"

static void append_chardev(Chardev *chr, void *opaque)
{
    JsonObject *info = json_object_new();

    json_object_set_string_member(info, "label", chr->label);
    json_object_set_string_member(info, "filename",
                                  chr->filename ? chr->filename : "");
    json_object_set_boolean_member(info, "frontend-open",
                                   chr->be && !chr->be->closed);
    json_array_add_object_element(opaque, info);
}

static JsonNode *qmp_query_chardev(JsonObject *args, Error **errp)
{
    JsonArray *list = json_array_new();

    qemu_chr_foreach(append_chardev, list);
    return json_array_node(list);
}

static void append_backend(ChardevClass *cc, void *opaque)
{
    JsonObject *info = json_object_new();

    json_object_set_string_member(info, "name", cc->backend);
    json_array_add_object_element(opaque, info);
}

static JsonNode *qmp_query_chardev_backends(JsonObject *args, Error **errp)
{
    JsonArray *list = json_array_new();

    qemu_chr_foreach_backend(append_backend, list);
    return json_array_node(list);
}

static const QmpType chardev_types[] = {
    { .name = "ChardevInfo",
      .members = "label:str,filename:str,frontend-open:bool",
      .help = "A character device.\n"
      "label: its id\n"
      "filename: what it is, e.g. pty:/dev/pts/3\n"
      "frontend-open: whether somebody in the VM uses it: of a channel of "
      "virtio-serial, whether a program there has it open" },
    { .name = "ChardevBackendInfo", .members = "name:str",
      .help = "A kind of character device.\n"
      "name: as -chardev takes it" },
};

static const QmpCommand chardev_commands[] = {
    { .name = "query-chardev", .returns = "[ChardevInfo]",
      .fn = qmp_query_chardev, .help = "Lists the character devices." },
    { .name = "query-chardev-backends", .returns = "[ChardevBackendInfo]",
      .fn = qmp_query_chardev_backends,
      .help = "Lists the kinds of character devices." },
};

static void chardev_commands_register(void)
{
    qmp_register_types(chardev_types, ARRAY_SIZE(chardev_types));
    qmp_register_commands(chardev_commands, ARRAY_SIZE(chardev_commands));
}
type_init(chardev_commands_register)
