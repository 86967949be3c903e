/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the command line said that others ask for later: the guest's name and
 * UUID, and its serial ports. vl.c fills it in.
 */
#include "qemu/osdep.h"
#include "monitor/qmp.h"
#include "sysemu/sysemu.h"

#define MAX_SERIAL_PORTS 4

static char *vm_name;
static QemuUUID vm_uuid;                  /* zeros: none */
static Chardev *serial_ports[MAX_SERIAL_PORTS];
static int nr_serial_ports;
void qemu_set_vm_name(const char *name)
{
    g_free(vm_name);
    vm_name = g_strdup(name);
}

const char *qemu_get_vm_name(void)
{
    return vm_name;
}

bool qemu_set_vm_uuid(const char *uuid, Error **errp)
{
    if (qemu_uuid_parse(uuid, &vm_uuid) < 0) {
        error_setg(errp, "failed to parse UUID string: wrong format; an "
                   "example is 550e8400-e29b-41d4-a716-446655440000");
        return false;
    }
    return true;
}

QemuUUID qemu_vm_uuid(void)
{
    return vm_uuid;
}

bool serial_hd_add(Chardev *chr, Error **errp)
{
    if (nr_serial_ports == MAX_SERIAL_PORTS) {
        error_setg(errp, "too many serial ports: the machine has %d",
                   MAX_SERIAL_PORTS);
        return false;
    }
    serial_ports[nr_serial_ports++] = chr;
    return true;
}

Chardev *serial_hd(int i)
{
    return i >= 0 && i < nr_serial_ports ? serial_ports[i] : NULL;
}

/* --- QMP --- */

static JsonNode *qmp_query_name(JsonObject *args, Error **errp)
{
    JsonObject *info = json_object_new();

    if (vm_name) {
        json_object_set_string_member(info, "name", vm_name);
    }
    return json_object_node(info);
}

static JsonNode *qmp_query_uuid(JsonObject *args, Error **errp)
{
    JsonObject *info = json_object_new();
    g_autofree char *text = qemu_uuid_unparse_strdup(&vm_uuid);

    json_object_set_string_member(info, "UUID", text);
    return json_object_node(info);
}

static const QmpType sysemu_types[] = {
    { .name = "NameInfo", .members = "?name:str",
      .help = "The guest's name.\n"
      "name: left out if it has none" },
    { .name = "UuidInfo", .members = "UUID:str",
      .help = "The guest's identity.\n"
      "UUID: zeros: it has none" },
};

static const QmpCommand sysemu_commands[] = {
    { .name = "query-name", .returns = "NameInfo", .fn = qmp_query_name,
      .help = "The name given by -name, if one was." },
    { .name = "query-uuid", .returns = "UuidInfo", .fn = qmp_query_uuid,
      .help = "Tells the guest's UUID." },
};

static void sysemu_register(void)
{
    qmp_register_types(sysemu_types, ARRAY_SIZE(sysemu_types));
    qmp_register_commands(sysemu_commands, ARRAY_SIZE(sysemu_commands));
}
type_init(sysemu_register)
