/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -chardev null: takes everything, brings nothing. */
#include "qemu/osdep.h"

#include "chardev/char.h"

static bool null_open(Chardev *chr, Error **errp)
{
    chr->filename = g_strdup("null");
    return true;
}

static void null_class_init(ObjectClass *klass, void *data)
{
    ChardevClass *cc = CHARDEV_CLASS(klass);

    cc->backend = "null";
    cc->help = "drops what is written";
    cc->open = null_open;
}

static const TypeInfo null_types[] = {
    {
        .name = TYPE_CHARDEV_NULL,
        .parent = TYPE_CHARDEV,
        .class_init = null_class_init,
    },
};

DEFINE_TYPES(null_types)
