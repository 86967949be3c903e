/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmcoreinfo: how a guest says, before it has crashed, where it keeps the note
 * by which tools find their way through its memory. It writes a struct
 * fw_cfg_vmcoreinfo to the fw_cfg file etc/vmcoreinfo; a dump then contains the
 * note. Linux's qemu_fw_cfg does that when it is loaded.
 *
 * It must never look at the note: what the guest has written is believed by
 * nobody but the dump, which checks it.
 */
#include "qemu/osdep.h"

#include "hw/nvram/fw_cfg.h"
#include "hw/qdev-core.h"
#include "qapi/error.h"
#include "sysemu/dump.h"
#include "sysemu/reset.h"

#define TYPE_VMCOREINFO "vmcoreinfo"
OBJECT_DECLARE_SIMPLE_TYPE(VMCoreInfoState, VMCOREINFO)

struct VMCoreInfoState {
    DeviceState parent_obj;

    struct fw_cfg_vmcoreinfo file;        /* the guest's; little endian */
    bool is_told;                         /* since the last reset */
};

static void on_written(void *opaque)
{
    VMCOREINFO(opaque)->is_told = true;
}

/* The kernel that booted last has not said anything yet. */
static void on_reset(void *opaque)
{
    VMCoreInfoState *s = opaque;

    s->is_told = false;
    s->file = (struct fw_cfg_vmcoreinfo) {
        .host_format = GUINT16_TO_LE(FW_CFG_VMCOREINFO_FORMAT_ELF),
    };
}

static bool get_note(void *opaque, hwaddr *addr, uint32_t *size)
{
    const VMCoreInfoState *s = opaque;
    uint16_t format = GUINT16_FROM_LE(s->file.guest_format);

    *addr = GUINT64_FROM_LE(s->file.paddr);
    *size = GUINT32_FROM_LE(s->file.size);
    return s->is_told && format == FW_CFG_VMCOREINFO_FORMAT_ELF;
}

static void vmcoreinfo_realize(DeviceState *dev, Error **errp)
{
    VMCoreInfoState *s = VMCOREINFO(dev);
    FWCfgState *fw_cfg = fw_cfg_find();

    if (!fw_cfg) {
        error_setg(errp, "this machine has no fw_cfg device");
        return;
    }
    /* A second one finds that there is such a file. */
    if (!fw_cfg_add_writable_file(fw_cfg, FW_CFG_VMCOREINFO_FILENAME, &s->file,
                                  sizeof(s->file), on_written, s, errp)) {
        return;
    }
    qemu_register_reset(on_reset, s);
    dump_set_guest_note(get_note, s);
}

static void vmcoreinfo_class_init(ObjectClass *klass, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->desc = "lets a guest say where its debug information is";
    dc->realize = vmcoreinfo_realize;
    dc->hotpluggable = false;
    set_bit(DEVICE_CATEGORY_MISC, dc->categories);
}

static const TypeInfo vmcoreinfo_types[] = {
    {
        .name = TYPE_VMCOREINFO,
        .parent = TYPE_DEVICE,
        .instance_size = sizeof(VMCoreInfoState),
        .class_init = vmcoreinfo_class_init,
    },
};
DEFINE_TYPES(vmcoreinfo_types)
