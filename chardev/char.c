/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What all character devices have in common: the type, and their options as
 * properties (chardev/char.h). Used by the kinds of character device.
 */
#include "qemu/osdep.h"

#include <fcntl.h>

#include "chardev/char.h"
#include "qapi/visitor.h"
#include "qemu/cutils.h"
#include "qemu/error-report.h"
#include "qemu/fdset.h"

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

/* --- the log ------------------------------------------------------------- */

bool chardev_log_open(Chardev *chr, Error **errp)
{
    ERRP_GUARD();

    if (!chr->log_path) {
        return true;
    }
    chr->log_fd = fdset_open_write(chr->log_path, chr->log_append ? O_APPEND
                                                                  : O_TRUNC,
                                   errp);
    if (chr->log_fd < 0) {
        error_prepend(errp, "logfile of chardev '%s': ", chr->label);
    }
    return chr->log_fd >= 0;
}

/* A log that cannot be written ends; the device goes on. */
static void end_log(Chardev *chr)
{
    warn_report("chardev '%s': logfile '%s' cannot be written, it ends here",
                chr->label, chr->log_path);
    close(chr->log_fd);
    chr->log_fd = -1;
    chr->log_failed = false;
}

void chardev_log(Chardev *chr, const uint8_t *buf, int len)
{
    if (chr->log_fd < 0 || len <= 0 || chr->log_failed ||
        qemu_write_full(chr->log_fd, buf, len) == len) {
        return;
    }
    if (aio_in_turn()) {
        chr->log_failed = true;
        chardev_rest_later(chr);
    } else {
        end_log(chr);
    }
}

/* --- the rest ------------------------------------------------------------ */

/* What turns, and those who must not be disturbed, leave to the main loop. */
static void chardev_rest(void *opaque)
{
    Chardev *chr = opaque;
    AioContext *ctx = chr->ctx;

    aio_context_pause(ctx);
    if (chr->log_failed) {
        end_log(chr);
    }
    if (CHARDEV_GET_CLASS(chr)->chr_rest) {
        CHARDEV_GET_CLASS(chr)->chr_rest(chr);
    }
    aio_context_resume(ctx);
}

void chardev_rest_later(Chardev *chr)
{
    qemu_bh_schedule(chr->rest_bh);
}

/* --- the type ------------------------------------------------------------ */

static void chardev_init(Object *obj)
{
    Chardev *chr = CHARDEV(obj);

    QLIST_INIT(&chr->watches);
    chr->log_fd = -1;
    chr->read_fd = -1;
    chr->turn_fds[0] = chr->turn_fds[1] = -1;
    chr->rest_bh = qemu_bh_new(chardev_rest, chr);
}

static void chardev_finalize(Object *obj)
{
    Chardev *chr = CHARDEV(obj);

    chardev_watches_hang_up(chr);
    if (chr->be) {
        chr->be->chr = NULL;
    }
    if (chr->log_fd >= 0) {
        close(chr->log_fd);
    }
    qemu_bh_delete(chr->rest_bh);
    g_free(chr->label);
    g_free(chr->filename);
}

static const ChardevOption chardev_log_options[] = {
    { "logfile", CHARDEV_OPTION_STR, offsetof(Chardev, log_path),
      "Write what is written to this file, too" },
    { "logappend", CHARDEV_OPTION_BOOL, offsetof(Chardev, log_append),
      "Keep what that file has" },
    { NULL, 0, 0, NULL },
};

static void chardev_class_init(ObjectClass *klass, void *data)
{
    chardev_class_add_options(klass, chardev_log_options);
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
        .class_init = chardev_class_init,
    },
};

DEFINE_TYPES(chardev_types)
