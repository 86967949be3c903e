/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What all character devices have in common: the type, and their options as
 * properties (chardev/char.h). Used by the kinds of character device.
 */
#include "qemu/osdep.h"

#include "chardev/char.h"
#include "qapi/visitor.h"

/* --- options ------------------------------------------------------------- */

static void *option_ptr(Object *obj, const ChardevOption *option)
{
    return (char *)obj + option->offset;
}

static void get_option(Object *obj, Visitor *v, const char *name, void *opaque,
                       Error **errp)
{
    const ChardevOption *option = opaque;
    void *ptr = option_ptr(obj, option);

    switch (option->kind) {
    case CHARDEV_OPTION_STR:
        visit_type_str(v, name, ptr, errp);
        break;
    case CHARDEV_OPTION_BOOL:
        visit_type_bool(v, name, ptr, errp);
        break;
    case CHARDEV_OPTION_UINT32:
        visit_type_uint32(v, name, ptr, errp);
        break;
    }
}

static void set_option_str(Visitor *v, const char *name, char **ptr,
                           Error **errp)
{
    char *value;

    if (visit_type_str(v, name, &value, errp)) {
        g_free(*ptr);
        *ptr = value;
    }
}

static void set_option(Object *obj, Visitor *v, const char *name, void *opaque,
                       Error **errp)
{
    const ChardevOption *option = opaque;

    if (CHARDEV(obj)->opened) {
        error_setg(errp, "cannot change property '%s' of chardev '%s'", name,
                   CHARDEV(obj)->label);
    } else if (option->kind == CHARDEV_OPTION_STR) {
        set_option_str(v, name, option_ptr(obj, option), errp);
    } else {
        /* Reading and writing are the same: the visitor knows which it is. */
        get_option(obj, v, name, opaque, errp);
    }
}

static void release_option(Object *obj, const char *name, void *opaque)
{
    const ChardevOption *option = opaque;

    if (option->kind == CHARDEV_OPTION_STR) {
        g_clear_pointer((char **)option_ptr(obj, option), g_free);
    }
}

void chardev_class_add_options(ObjectClass *klass, const ChardevOption *options)
{
    static const char *const types[] = {
        [CHARDEV_OPTION_STR] = "string",
        [CHARDEV_OPTION_BOOL] = "bool",
        [CHARDEV_OPTION_UINT32] = "uint32",
    };

    for (const ChardevOption *o = options; o->name; o++) {
        object_class_property_add(klass, o->name, types[o->kind], get_option,
                                  set_option, release_option, (void *)o);
        object_class_property_set_description(klass, o->name, o->description);
    }
}

/* --- the type ------------------------------------------------------------ */

static void chardev_init(Object *obj)
{
    QLIST_INIT(&CHARDEV(obj)->watches);
}

static void chardev_finalize(Object *obj)
{
    Chardev *chr = CHARDEV(obj);

    chardev_watches_hang_up(chr);
    if (chr->be) {
        chr->be->chr = NULL;
    }
    g_free(chr->label);
    g_free(chr->filename);
}

static const TypeInfo chardev_types[] = {
    {
        .name = TYPE_CHARDEV,
        .parent = TYPE_OBJECT,
        .abstract = true,
        .instance_size = sizeof(Chardev),
        .instance_init = chardev_init,
        .instance_finalize = chardev_finalize,
        .class_size = sizeof(ChardevClass),
    },
};

DEFINE_TYPES(chardev_types)
