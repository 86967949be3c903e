/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmgenid: a number in the guest's memory that another run of the same state would
 * have otherwise, such as a machine that was cloned; Linux then has new random
 * numbers. A machine here never goes back to an earlier state while it runs, so the
 * number is chosen at the start, the guest is never told of a change, and a reset keeps it.
 *
 * The board places it: firmware by a fw_cfg file, or the board itself.
 */
#include "qemu/osdep.h"

#include "hw/acpi/vmgenid.h"
#include "hw/nvram/fw_cfg.h"
#include "hw/qdev-core.h"
#include "monitor/hmp.h"
#include "monitor/qmp.h"
#include "qapi/error.h"

#define TYPE_VMGENID "vmgenid"
OBJECT_DECLARE_SIMPLE_TYPE(VmGenIdState, VMGENID)

struct VmGenIdState {
    DeviceState parent_obj;

    QemuUUID guid;
};

static VmGenIdState *find_device(void)
{
    Object *obj = object_resolve_path_type("", TYPE_VMGENID, NULL);

    return obj ? VMGENID(obj) : NULL;
}

/* --- the ID --- */

bool vmgenid_get_guid(QemuUUID *guid)
{
    VmGenIdState *s = find_device();

    if (s) {
        *guid = qemu_uuid_bswap(s->guid);
    }
    return s;
}

static char *get_guid(Object *obj, Error **errp)
{
    return qemu_uuid_unparse_strdup(&VMGENID(obj)->guid);
}

static void set_guid(Object *obj, const char *value, Error **errp)
{
    VmGenIdState *s = VMGENID(obj);

    if (DEVICE(obj)->realized) {
        error_setg(errp, "guid cannot be changed: the guest has read it");
        return;
    }
    if (!strcmp(value, "auto")) {
        qemu_uuid_generate(&s->guid);
    } else if (qemu_uuid_parse(value, &s->guid) < 0) {
        error_setg(errp, "guid=%s: auto or a UUID is expected, for example "
                   "550e8400-e29b-41d4-a716-446655440000", value);
    }
}

/* --- QMP, HMP --- */

static JsonNode *qmp_query_vm_generation_id(JsonObject *args, Error **errp)
{
    VmGenIdState *s = find_device();
    g_autofree char *text = NULL;
    JsonObject *info;

    if (!s) {
        error_setg(errp, "VM Generation ID device not found");
        return NULL;
    }
    text = qemu_uuid_unparse_strdup(&s->guid);
    info = json_object_new();
    json_object_set_string_member(info, "guid", text);
    return json_object_node(info);
}

static void hmp_info_vm_generation_id(GString *out, const char *args,
                                      Error **errp)
{
    g_autoptr(JsonNode) info = hmp_call_qmp("query-vm-generation-id", NULL, errp);

    if (info) {
        g_string_append_printf(out, "%s\n", json_object_get_string_member(
            json_node_get_object(info), "guid"));
    }
}

static const QmpType vmgenid_qmp_types[] = {
    { .name = "GuidInfo", .members = "guid:str",
      .help = "A number that a clone of the machine would have otherwise.\n"
      "guid: as a UUID" },
};

static const QmpCommand vmgenid_commands[] = {
    { .name = "query-vm-generation-id", .returns = "GuidInfo",
      .fn = qmp_query_vm_generation_id,
      .help = "Tells the generation ID of the device vmgenid." },
};

static const HmpCommand vmgenid_info[] = {
    { "vm-generation-id", "", "show the VM's generation ID",
      hmp_info_vm_generation_id },
};

/* --- life --- */

static void vmgenid_realize(DeviceState *dev, Error **errp)
{
    FWCfgState *fw_cfg = fw_cfg_find();
    g_autofree uint8_t *page = g_malloc0(VMGENID_FW_CFG_SIZE);
    QemuUUID guid = qemu_uuid_bswap(VMGENID(dev)->guid);

    if (!fw_cfg) {
        error_setg(errp, "this machine has no fw_cfg device");
        return;
    }
    memcpy(page + VMGENID_GUID_OFFSET, guid.data, sizeof(guid.data));
    /* A second one finds that there is such a file. */
    fw_cfg_add_file(fw_cfg, VMGENID_GUID_FW_CFG_FILE, page, VMGENID_FW_CFG_SIZE,
                    errp);
}

static void vmgenid_instance_init(Object *obj)
{
    qemu_uuid_generate(&VMGENID(obj)->guid);
}

static void vmgenid_class_init(ObjectClass *klass, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->desc = "a number that a clone of the machine has otherwise";
    dc->realize = vmgenid_realize;
    dc->hotpluggable = false;
    set_bit(DEVICE_CATEGORY_MISC, dc->categories);
    object_class_property_add_str(klass, "guid", get_guid, set_guid);
    object_class_property_set_description(klass, "guid",
                                          "the number: a UUID, or auto");
}

static const TypeInfo vmgenid_types[] = {
    {
        .name = TYPE_VMGENID,
        .parent = TYPE_DEVICE,
        .instance_size = sizeof(VmGenIdState),
        .instance_init = vmgenid_instance_init,
        .class_init = vmgenid_class_init,
    },
};

static void vmgenid_register(void)
{
    type_register_static_array(vmgenid_types, ARRAY_SIZE(vmgenid_types));
    qmp_register_types(vmgenid_qmp_types, ARRAY_SIZE(vmgenid_qmp_types));
    qmp_register_commands(vmgenid_commands, ARRAY_SIZE(vmgenid_commands));
    hmp_register_info(vmgenid_info, ARRAY_SIZE(vmgenid_info));
}
type_init(vmgenid_register)
