/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The accelerator type, and the choice of the one that the machine uses. */
#include "qemu/osdep.h"
#include "hw/boards.h"
#include "sysemu/accel.h"

AccelClass *accel_find(const char *opt_name)
{
    g_autofree char *type = g_strconcat(opt_name, ACCEL_CLASS_SUFFIX, NULL);
    ObjectClass *oc = object_class_by_name(type);

    oc = oc ? object_class_dynamic_cast(oc, TYPE_ACCEL) : NULL;
    return oc && !object_class_is_abstract(oc) ? ACCEL_CLASS(oc) : NULL;
}

int accel_init_machine(AccelState *accel, MachineState *ms, Error **errp)
{
    AccelClass *acc = ACCEL_GET_CLASS(accel);
    int ret;

    ms->accelerator = accel;
    *acc->allowed = true;
    ret = acc->init_machine(ms, errp);
    if (ret < 0) {
        ms->accelerator = NULL;
        *acc->allowed = false;
        return ret;
    }
    object_ref(accel);
    return 0;
}

static const TypeInfo accel_types[] = {
    {
        .name = TYPE_ACCEL,
        .parent = TYPE_OBJECT,
        .abstract = true,
        .class_size = sizeof(AccelClass),
        .instance_size = sizeof(AccelState),
    },
};
DEFINE_TYPES(accel_types)
