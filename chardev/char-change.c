/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Character devices that come, go and are exchanged while the machine runs
 * (chardev/char.h). For the monitors. Nothing here may wait for a peer, and a
 * front end must always have a device: the old one or the new one.
 */
#include "qemu/osdep.h"

#include "char-make.h"
#include "qapi/visitor.h"
#include "qemu/may-open.h"

/* --- options -------------------------------------------------------------- */

/* The VM would stand still until somebody connects. */
static bool switch_waiting_off(JsonObject *props, bool keyval, Error **errp)
{
    JsonNode *node = json_object_get_member(props, "wait");
    g_autoptr(Visitor) v = node ? visitor_input_new(node, keyval) : NULL;
    bool wait = false;

    if (v && !visit_type_bool(v, "wait", &wait, errp)) {
        return false;
    }
    if (wait) {
        error_setg(errp, "wait=on: not possible while the VM exists, which would "
                   "stand still; possible: wait=off");
        return false;
    }
    if (keyval) {
        json_object_set_string_member(props, "wait", "off");
    } else {
        json_object_set_boolean_member(props, "wait", false);
    }
    return true;
}

/* A copy of @opts that is fit for a machine that runs; NULL and *errp. */
static JsonObject *options_for_running(JsonObject *opts, bool keyval,
                                       Error **errp)
{
    g_autoptr(JsonObject) props = NULL;
    const char *backend;

    if (!qemu_may_open(errp)) {
        return NULL;
    }
    props = chardev_copy_options(opts);
    backend = json_object_get_string_member_with_default(props, "backend", "");
    if (!strcmp(backend, "stdio")) {
        error_setg(errp, "standard input and output belong to who has started "
                   "the emulator: stdio is for the command line");
        return NULL;
    }
    if (!strcmp(backend, "socket") &&
        !switch_waiting_off(props, keyval, errp)) {
        return NULL;
    }
    return g_steal_pointer(&props);
}

Chardev *qemu_chr_add(JsonObject *opts, bool keyval, Error **errp)
{
    g_autoptr(JsonObject) props = options_for_running(opts, keyval, errp);

    return props ? qemu_chr_new_from_json(props, keyval, errp) : NULL;
}

/* --- removal -------------------------------------------------------------- */

bool qemu_chr_remove(const char *id, Error **errp)
{
    Chardev *chr = qemu_chr_find(id), *base = NULL;
    ChardevClass *cc;

    if (!chr) {
        error_setg(errp, "Chardev '%s' not found", id);
        return false;
    }
    if (chr->nr_front_ends) {
        error_setg(errp, "Chardev '%s' is busy", id);
        return false;
    }
    cc = CHARDEV_GET_CLASS(chr);
    if (cc->chr_output) {
        base = cc->chr_output(chr)->chr;
    }
    object_unparent(OBJECT(chr));
    if (base) {
        object_unparent(OBJECT(base));
    }
    return true;
}

/* --- exchange ------------------------------------------------------------- */

static void attach(CharBackend *be, Chardev *chr)
{
    be->chr = chr;
    chr->be = be;
    chr->nr_front_ends++;
}

static void detach(CharBackend *be)
{
    be->chr->nr_front_ends--;
    be->chr->be = NULL;
    be->chr = NULL;
}

/* @be, which uses another one, uses @chr, in the thread @ctx. */
static void move_to(CharBackend *be, Chardev *chr, AioContext *ctx)
{
    chardev_set_aio_context(be->chr, NULL);
    detach(be);
    attach(be, chr);
    chardev_set_aio_context(chr, ctx);
}

/* The front end of @old uses @new; false: it does not want to. A front end that has
 * had a peer is told that it has gone, unless there is another. */
static bool exchange(Chardev *old, Chardev *new, AioContext *ctx)
{
    CharBackend *be = old->be;
    bool closed = old->be_open && !new->be_open;

    if (closed) {
        qemu_chr_be_event(old, CHR_EVENT_CLOSED);
    }
    move_to(be, new, ctx);
    if (be->chr_be_change(be->opaque) == 0) {
        return true;
    }
    move_to(be, old, ctx);
    if (closed) {
        qemu_chr_be_event(old, CHR_EVENT_OPENED);
    }
    return false;
}

static bool hand_over(Chardev *old, Chardev *new, Error **errp)
{
    AioContext *ctx = old->ctx;
    bool done;

    aio_context_pause(ctx);
    done = exchange(old, new, ctx);
    aio_context_resume(ctx);
    if (!done) {
        error_setg(errp, "Chardev '%s' change failed", old->label);
    }
    return done;
}

static bool check_exchange(const char *id, Chardev *chr, Error **errp)
{
    if (!chr) {
        error_setg(errp, "Chardev '%s' does not exist", id);
    } else if (CHARDEV_GET_CLASS(chr)->chr_attach) {
        error_setg(errp, "Chardev '%s' is shared (mux=on): it cannot be "
                   "exchanged", id);
        chr = NULL;
    } else if (chr->be && !chr->be->chr_be_change) {
        error_setg(errp, "Chardev user does not support chardev hotswap");
        chr = NULL;
    }
    return chr != NULL;
}

Chardev *qemu_chr_change(JsonObject *opts, bool keyval, Error **errp)
{
    g_autoptr(JsonObject) props = options_for_running(opts, keyval, errp);
    g_autofree char *id = props ? chardev_take_string(props, "id") : NULL;
    g_autoptr(Object) obj = NULL;
    Chardev *old, *new;

    if (!props) {
        return NULL;
    }
    if (!id) {
        error_setg(errp, "chardev: no id specified");
        return NULL;
    }
    old = qemu_chr_find(id);
    if (!check_exchange(id, old, errp)) {
        return NULL;
    }
    new = chardev_open_from_props(id, props, keyval, errp);
    obj = (Object *)new;
    if (!new || (old->be && !hand_over(old, new, errp))) {
        return NULL;
    }
    object_unparent(OBJECT(old));
    object_property_add_child(chardevs_root(), id, obj);
    return new;
}
