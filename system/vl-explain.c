/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -explain: what the VM of a command line needs, without starting it. The board
 * and its memory are put together as they would be, so the forecast is made by
 * what later keeps to it; but no memory is allocated, no file made, no device or
 * socket opened: devices that are passed through are only asked about.
 */
#include "qemu/osdep.h"

#include "block/block.h"
#include "exec/address-spaces.h"
#include "hw/qdev-core.h"
#include "mem-lock.h"
#include "memory-budget.h"
#include "monitor/qmp.h"
#include "net/net.h"
#include "qdev-monitor.h"
#include "qom/object_interfaces.h"
#include "sysemu/hostmem.h"
#include "sysemu/sysemu.h"
#include "vl-internal.h"

typedef struct Forecast {
    const MemoryForecast *forecast;
    unsigned nr;                          /* of devices */
    unsigned drives;                      /* that this process drives, besides */
} Forecast;

/* --- what is made --- */

static bool is_of_type(const char *typename, const char *parent)
{
    ObjectClass *klass = object_class_by_name(typename);

    return klass && object_class_dynamic_cast(klass, parent);
}

static const char *type_of(JsonObject *opts, const char *name)
{
    JsonNode *node = json_object_get_member(opts, name);

    return node && JSON_NODE_HOLDS_VALUE(node) ? json_node_get_string(node) ?: ""
                                               : "";
}

static bool create_backend(const char *arg, void *opaque, Error **errp)
{
    bool keyval;
    g_autoptr(JsonObject) opts = vl_parse_keyval(arg, "qom-type", &keyval, NULL,
                                                 errp);

    return opts && (!is_of_type(type_of(opts, "qom-type"),
                                TYPE_MEMORY_BACKEND) ||
                    user_creatable_add_from_json(opts, keyval, errp));
}

/* Memory, and the bridges that it may be plugged into. */
static bool is_made(const char *driver)
{
    ObjectClass *klass = object_class_by_name(driver);

    return klass && object_class_dynamic_cast(klass, TYPE_DEVICE) &&
           (object_class_dynamic_cast(klass, "memory-device") ||
            test_bit(DEVICE_CATEGORY_BRIDGE, DEVICE_CLASS(klass)->categories));
}

static Forecast *find_or_add(GArray *forecasts, const MemoryForecast *forecast)
{
    Forecast new = { .forecast = forecast };

    for (guint i = 0; forecast->shared && i < forecasts->len; i++) {
        Forecast *f = &g_array_index(forecasts, Forecast, i);

        if (f->forecast == forecast) {
            return f;
        }
    }
    g_array_append_val(forecasts, new);
    return &g_array_index(forecasts, Forecast, forecasts->len - 1);
}

/* One more device of @forecast. */
static void count(GArray *forecasts, const MemoryForecast *forecast)
{
    find_or_add(forecasts, forecast)->nr++;
}

/* They are in the container of the devices that are passed through. */
static void count_drives(const VlConfig *cfg, GArray *forecasts)
{
    const MemoryForecast *vfio = memory_forecast_find("vfio-pci");
    unsigned nr = vl_block_nr_drives(cfg);

    if (nr && vfio) {
        find_or_add(forecasts, vfio)->drives = nr;
    }
}

static bool create_device(const char *arg, void *opaque, Error **errp)
{
    bool keyval;
    g_autoptr(JsonObject) opts = vl_parse_keyval(arg, "driver", &keyval, NULL,
                                                 errp);
    const MemoryForecast *forecast;

    if (!opts) {
        return false;
    }
    forecast = memory_forecast_find(type_of(opts, "driver"));
    if (forecast) {
        count(opaque, forecast);
    }
    return !is_made(type_of(opts, "driver")) ||
           qdev_device_add_from_json(opts, keyval, errp);
}

static bool is_on(JsonObject *opts, const char *name)
{
    JsonNode *node = json_object_get_member(opts, name);

    return node && JSON_NODE_HOLDS_VALUE(node) &&
           (json_node_get_boolean(node) ||
            !g_strcmp0(json_node_get_string(node), "on"));
}

/* The queue pairs of a tap, each of which the kernel's vhost has by itself. */
static unsigned tap_queues(JsonObject *opts)
{
    JsonNode *node = json_object_get_member(opts, "queues");
    g_auto(GStrv) fds = g_strsplit(type_of(opts, "fds"), ":", -1);
    uint64_t n = 1;

    if (g_strv_length(fds)) {
        return MIN(g_strv_length(fds), NET_QUEUES_MAX);
    }
    if (node && JSON_NODE_HOLDS_VALUE(node)) {
        n = json_node_get_value_type(node) == G_TYPE_STRING
                ? g_ascii_strtoull(json_node_get_string(node), NULL, 10)
                : (uint64_t)json_node_get_int(node);
    }
    return CLAMP(n, 1, NET_QUEUES_MAX);
}

/* No netdev is made; of interest is who else has the memory of its device. */
static bool count_netdev(const char *arg, void *opaque, Error **errp)
{
    bool keyval;
    g_autoptr(JsonObject) opts = vl_parse_netdev(arg, &keyval, errp);
    bool vhost;

    if (!opts) {
        return false;
    }
    if (netdev_type_shares_memory(opts)) {
        count(opaque, memory_forecast_find("netdev-vhost-user"));
    }
    vhost = !strcmp(type_of(opts, "type"), "tap") &&
            (is_on(opts, "vhost") || is_on(opts, "vhostforce"));
    for (unsigned n = vhost ? tap_queues(opts) : 0; n; n--) {
        count(opaque, memory_forecast_find("netdev-vhost"));
    }
    return true;
}

/* Images are not opened, and firmware is not what is asked for. */
static bool take_flash_out(Error **errp)
{
    static const char *const names[] = { "pflash0", "pflash1" };
    Object *machine = OBJECT(current_machine);
    bool ok = true;

    for (size_t i = 0; ok && i < ARRAY_SIZE(names); i++) {
        ok = !object_property_find(machine, names[i]) ||
             object_property_set_str(machine, names[i], "", errp);
    }
    return ok;
}

static bool build(const VlConfig *cfg, GArray *forecasts, Error **errp)
{
    g_autoptr(GPtrArray) accel = g_ptr_array_new();
    VlConfig dry = *cfg;

    g_ptr_array_add(accel, (void *)"qtest");
    dry.accel = accel;
    dry.bios = dry.kernel = dry.initrd = dry.append = NULL;
    memory_map_init();
    host_memory_backend_rehearse();
    return vl_create_machine(&dry, errp) && take_flash_out(errp) &&
           vl_register_globals(&dry, errp) &&
           vl_foreach("object", dry.objects, create_backend, NULL, errp) &&
           vl_configure_numa(&dry, errp) && vl_init_accel(&dry, errp) &&
           machine_run_board_init(current_machine, errp) &&
           vl_foreach("device", dry.devices, create_device, forecasts, errp) &&
           vl_foreach("netdev", dry.netdevs, count_netdev, forecasts, errp) &&
           vl_foreach("nic", dry.nics, count_netdev, forecasts, errp);
}

/* --- what it needs --- */

static GArray *gather(const VlConfig *cfg, const GArray *forecasts)
{
    GArray *all = g_array_new(false, true, sizeof(MemoryNeeds));
    MemoryNeeds needs = { 0 };

    for (guint i = 0; i < forecasts->len; i++) {
        const Forecast *f = &g_array_index(forecasts, Forecast, i);

        f->forecast->get_needs(&address_space_memory, f->nr, &needs);
        needs.locked += f->drives * BLOCK_DRIVE_MEMORY;
        needs.locked_max += f->drives * BLOCK_DRIVE_MEMORY;
        needs.mappings += f->drives;
        needs.mappings_max += f->drives;
        g_array_append_val(all, needs);
    }
    if (vl_wants_mem_lock(cfg)) {
        mem_lock_forecast(&address_space_memory, &needs);
        g_array_append_val(all, needs);
    }
    return all;
}

bool vl_explain(const VlConfig *cfg, Error **errp)
{
    g_autoptr(GArray) forecasts = g_array_new(false, false, sizeof(Forecast));
    g_autoptr(GArray) needs = NULL;
    g_autoptr(JsonObject) info = NULL;
    g_autofree char *text = NULL;

    if (!build(cfg, forecasts, errp)) {
        return false;
    }
    count_drives(cfg, forecasts);
    needs = gather(cfg, forecasts);
    info = memory_budget_info(needs);
    if (cfg->explain_json) {
        g_autoptr(JsonNode) node = json_object_node(json_object_ref(info));

        text = json_to_string(node, true);
        puts(text);
    } else {
        text = memory_budget_text(info);
        fputs(text, stdout);
    }
    return true;
}
