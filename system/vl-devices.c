/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The part of the command line that makes devices: -device, -nic, and -global,
 * which gives values to all of a kind. */
#include "qemu/osdep.h"

#include "hw/qdev-properties.h"
#include "net/net.h"
#include "qdev-monitor.h"
#include "qemu/keyval.h"
#include "sysemu/hostmem.h"
#include "vl-internal.h"

/* --- -global --- */

static char *dup_member(JsonObject *opts, const char *name)
{
    return g_strdup(json_object_get_string_member_with_default(opts, name,
                                                               NULL));
}

/* driver=,property=,value=: for drivers whose name has a dot. */
static bool apply_long_global(const char *arg, Error **errp)
{
    g_autoptr(JsonObject) opts = keyval_parse(arg, NULL, NULL, errp);
    GlobalProperty gp = { 0 };

    if (!opts) {
        return false;
    }
    gp.driver = dup_member(opts, "driver");
    gp.property = dup_member(opts, "property");
    gp.value = dup_member(opts, "value");
    if (!gp.driver || !gp.property || !gp.value ||
        json_object_get_size(opts) != 3) {
        error_setg(errp, "driver=, property= and value= are expected");
        g_free(gp.driver);
        g_free(gp.property);
        g_free(gp.value);
        return false;
    }
    qdev_prop_register_global(g_memdup2(&gp, sizeof(gp)));
    return true;
}

/* DRIVER.PROPERTY=VALUE, where a dot comes before the first '='. */
static bool apply_global(const char *arg, void *opaque, Error **errp)
{
    const char *equals = strchr(arg, '=');
    const char *dot = equals ? memchr(arg, '.', equals - arg) : NULL;
    GlobalProperty *gp;

    if (equals && !dot) {
        return apply_long_global(arg, errp);
    }
    if (!equals || dot == arg || equals == dot + 1) {
        error_setg(errp, "DRIVER.PROPERTY=VALUE is expected");
        return false;
    }
    gp = g_new0(GlobalProperty, 1);
    gp->driver = g_strndup(arg, dot - arg);
    gp->property = g_strndup(dot + 1, equals - dot - 1);
    gp->value = g_strdup(equals + 1);
    qdev_prop_register_global(gp);
    return true;
}

bool vl_register_globals(const VlConfig *cfg, Error **errp)
{
    return vl_foreach("global", cfg->globals, apply_global, NULL, errp);
}

/* --- -nic --- */

/* Takes member @name out of @opts; g_free(). */
static char *take_text(JsonObject *opts, const char *name)
{
    char *text = dup_member(opts, name);

    json_object_remove_member(opts, name);
    return text;
}

static JsonObject *nic_device(const char *model, const char *netdev,
                              const char *mac)
{
    JsonObject *opts = json_object_new();

    json_object_set_string_member(opts, "driver",
                                  model && strcmp(model, "virtio")
                                      ? model : "virtio-net-pci");
    json_object_set_string_member(opts, "netdev", netdev);
    if (mac) {
        json_object_set_string_member(opts, "mac", mac);
    }
    return opts;
}

/* A netdev, user if nothing is said, and the device that it is for; an id, if
 * there is one, is the netdev's. "none" is accepted, as there is no default
 * network. */
static bool create_nic(const char *arg, void *opaque, Error **errp)
{
    g_autoptr(JsonObject) opts = netdev_parse(arg, errp);
    g_autoptr(JsonObject) device = NULL;
    g_autofree char *model = NULL, *mac = NULL;
    unsigned *number = opaque;

    if (!opts) {
        return false;
    }
    if (!strcmp(arg, "none")) {
        return true;
    }
    if (!json_object_has_member(opts, "type")) {
        json_object_set_string_member(opts, "type", "user");
    }
    model = take_text(opts, "model");
    mac = take_text(opts, "mac");
    if (!json_object_has_member(opts, "id")) {
        g_autofree char *id = g_strdup_printf("nic%u", *number);

        json_object_set_string_member(opts, "id", id);
    }
    (*number)++;
    device = nic_device(model, json_object_get_string_member(opts, "id"), mac);
    return netdev_new_from_json(opts, true, errp) &&
           qdev_device_add_from_json(device, true, errp);
}

/* --- -device --- */

/* Whether -device @arg, if it is one, lets another process use guest memory. */
static bool device_shares_memory(const char *arg)
{
    bool keyval;
    g_autoptr(JsonObject) opts = vl_parse_keyval(arg, "driver", &keyval, NULL,
                                                 NULL);
    const char *driver = opts ? json_object_get_string_member_with_default(
                                    opts, "driver", NULL) : NULL;
    ObjectClass *klass = driver ? object_class_by_name(driver) : NULL;

    return klass && object_class_dynamic_cast(klass, TYPE_DEVICE) &&
           DEVICE_CLASS(klass)->shares_memory;
}

/* The same of -netdev or -nic @arg. */
static bool netdev_shares_memory(const char *arg)
{
    bool keyval;
    g_autoptr(JsonObject) opts = vl_parse_netdev(arg, &keyval, NULL);

    return opts && netdev_type_shares_memory(opts);
}

static bool any_shares_memory(const GPtrArray *args, bool (*fn)(const char *arg))
{
    bool any = false;

    for (guint i = 0; i < args->len; i++) {
        any = any || fn(args->pdata[i]);
    }
    return any;
}

void vl_share_memory(const VlConfig *cfg)
{
    if (any_shares_memory(cfg->devices, device_shares_memory) ||
        any_shares_memory(cfg->netdevs, netdev_shares_memory) ||
        any_shares_memory(cfg->nics, netdev_shares_memory) ||
        vl_block_needs_sharing(cfg)) {
        host_memory_backend_set_default_share(true);
    }
}

static bool create_device(const char *arg, void *opaque, Error **errp)
{
    bool keyval;
    g_autoptr(JsonObject) opts = vl_parse_keyval(arg, "driver", &keyval, NULL,
                                                 errp);

    return opts && qdev_device_add_from_json(opts, keyval, errp);
}

bool vl_create_devices(const VlConfig *cfg, Error **errp)
{
    unsigned number = 0;

    return vl_foreach("nic", cfg->nics, create_nic, &number, errp) &&
           vl_foreach("device", cfg->devices, create_device, NULL, errp);
}
