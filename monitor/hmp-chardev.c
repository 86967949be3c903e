/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commands for people by which character devices come, go and are exchanged:
 * with the words of -chardev. */
#include "qemu/osdep.h"

#include "chardev/char.h"
#include "monitor/hmp.h"
#include "qapi/error.h"
#include "qemu/keyval.h"

/* Where a pseudo terminal is, info chardev tells. */
static void hmp_chardev_add(GString *out, const char *args, Error **errp)
{
    g_autoptr(JsonObject) opts = keyval_parse(args, "backend", NULL, errp);

    if (opts) {
        qemu_chr_add(opts, true, errp);
    }
}

static void hmp_chardev_change(GString *out, const char *args, Error **errp)
{
    g_auto(GStrv) words = g_strsplit(args, " ", 2);
    g_autoptr(JsonObject) opts = NULL;

    if (!words[0] || !words[1]) {
        error_setg(errp, "an id and a character device are expected");
        return;
    }
    opts = keyval_parse(g_strstrip(words[1]), "backend", NULL, errp);
    if (opts) {
        json_object_set_string_member(opts, "id", words[0]);
        qemu_chr_change(opts, true, errp);
    }
}

static void call_with_id(const char *command, const char *id, Error **errp)
{
    JsonObject *args = json_object_new();
    JsonNode *result;

    json_object_set_string_member(args, "id", id);
    result = hmp_call_qmp(command, args, errp);
    if (result) {
        json_node_unref(result);
    }
}

static void hmp_chardev_remove(GString *out, const char *args, Error **errp)
{
    call_with_id("chardev-remove", args, errp);
}

static void hmp_chardev_send_break(GString *out, const char *args,
                                   Error **errp)
{
    call_with_id("chardev-send-break", args, errp);
}

static const HmpCommand chardev_commands[] = {
    { .name = "chardev-add", .params = "backend,id=id[,prop=value][,...]",
      .help = "make a character device", .fn = hmp_chardev_add },
    { .name = "chardev-change", .params = "chardev backend[,prop=value][,...]",
      .help = "put another character device in the place of one",
      .fn = hmp_chardev_change },
    { .name = "chardev-remove", .params = "chardev",
      .help = "remove a character device that nobody uses",
      .fn = hmp_chardev_remove },
    { .name = "chardev-send-break", .params = "chardev",
      .help = "have the user of a character device see a break",
      .fn = hmp_chardev_send_break },
};

static void hmp_chardev_register(void)
{
    hmp_register_commands(chardev_commands, ARRAY_SIZE(chardev_commands));
}
type_init(hmp_chardev_register)
