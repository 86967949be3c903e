/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `-OPTION help` prints, on standard output. */
#include "qemu/osdep.h"
#include "chardev/char.h"
#include "net/net.h"
#include "qdev-monitor.h"
#include "qemu/datadir.h"
#include "qemu/error-report.h"
#include "qemu/keyval.h"
#include "qom/object_interfaces.h"
#include "sysemu/accel.h"
#include "sandbox.h"
#include "vl-internal.h"

/* --- types --- */

static void list_machines(void)
{
    g_autoptr(GSList) classes =
        object_class_get_list_sorted(TYPE_MACHINE, false);

    puts("Supported machines are:");
    for (GSList *l = classes; l; l = l->next) {
        MachineClass *mc = MACHINE_CLASS(l->data);

        if (mc->qtest_only) {
            continue;
        }
        if (mc->alias) {
            printf("%-20s %s (alias of %s)\n", mc->alias, mc->desc, mc->name);
        }
        printf("%-20s %s%s\n", mc->name, mc->desc ? mc->desc : "",
               mc->is_default ? " (default)" : "");
    }
}

static void list_accels(void)
{
    g_autoptr(GSList) classes = object_class_get_list_sorted(TYPE_ACCEL, false);

    puts("Accelerators supported in sparsevm:");
    for (GSList *l = classes; l; l = l->next) {
        const char *type = object_class_get_name(l->data);

        printf("%.*s\n", (int)(strlen(type) - strlen(ACCEL_CLASS_SUFFIX)),
               type);
    }
}

static void list_objects(void)
{
    g_autoptr(GSList) classes =
        object_class_get_list_sorted(TYPE_USER_CREATABLE, false);

    puts("List of user creatable objects:");
    for (GSList *l = classes; l; l = l->next) {
        printf("  %s\n", object_class_get_name(l->data));
    }
}

/* --- properties --- */

static void print_property(ObjectProperty *prop, void *opaque)
{
    g_autofree char *head = g_strdup_printf("%s=<%s>", prop->name, prop->type);

    if (!prop->set) {
        return;
    }
    printf("  %-*s", prop->description ? 32 : 0, head);
    if (prop->description) {
        printf(" - %s", prop->description);
    }
    putchar('\n');
}

static void list_properties(ObjectClass *oc, const char *name)
{
    printf("%s options:\n", name);
    object_class_property_foreach(oc, print_property, NULL);
}

/* --- options --- */

/* Each of these prints and returns true if @arg asks for help. */
typedef bool HelpFunc(const char *arg, Error **errp);

static bool is_help(const char *arg)
{
    return !strcmp(arg, "help") || !strcmp(arg, "?");
}

/* Whether @arg asks for help; *what (g_free()): on this, NULL: on all. */
static bool asks_for_help(const char *arg, const char *key, char **what)
{
    bool help = false;
    g_autoptr(JsonObject) opts = NULL;

    *what = NULL;
    if (arg[0] == '{') {
        return false;
    }
    opts = keyval_parse(arg, key, &help, NULL);
    if (opts && help) {
        *what = g_strdup(json_object_get_string_member_with_default(opts, key,
                                                                    NULL));
    }
    return opts && help;
}

static bool help_machine(const char *arg, Error **errp)
{
    g_autofree char *type = NULL;
    MachineClass *mc;

    if (!asks_for_help(arg, "type", &type)) {
        return false;
    }
    if (!type) {
        list_machines();
        return true;
    }
    mc = find_machine_class(type);
    if (mc) {
        list_properties(OBJECT_CLASS(mc), type);
    } else {
        error_setg(errp, "unsupported machine type '%s'", type);
    }
    return true;
}

static bool help_accel(const char *arg, Error **errp)
{
    g_autofree char *name = NULL;
    AccelClass *acc;

    if (!asks_for_help(arg, "accel", &name)) {
        return false;
    }
    if (!name) {
        list_accels();
        return true;
    }
    acc = accel_find(name);
    if (acc) {
        list_properties(OBJECT_CLASS(acc), name);
    } else {
        error_setg(errp, "invalid accelerator '%s'", name);
    }
    return true;
}

static bool help_object(const char *arg, Error **errp)
{
    g_autofree char *type = NULL;
    ObjectClass *oc;

    if (!asks_for_help(arg, "qom-type", &type)) {
        return false;
    }
    if (!type) {
        list_objects();
        return true;
    }
    oc = object_class_by_name(type);
    if (oc && object_class_dynamic_cast(oc, TYPE_USER_CREATABLE)) {
        list_properties(oc, type);
    } else {
        error_setg(errp, "invalid object type: %s", type);
    }
    return true;
}

static bool help_device(const char *arg, Error **errp)
{
    g_autofree char *driver = NULL;
    g_autoptr(GString) text = g_string_new(NULL);

    if (!asks_for_help(arg, "driver", &driver)) {
        return false;
    }
    if (driver) {
        qdev_list_properties_help(text, driver, errp);
    } else {
        qdev_list_devices_help(text);
    }
    fputs(text->str, stdout);
    return true;
}

static bool help_chardev(const char *arg, Error **errp)
{
    g_autofree char *backend = NULL;

    if (!asks_for_help(arg, "backend", &backend)) {
        return false;
    }
    qemu_chr_print_types();
    return true;
}

static bool help_netdev(const char *arg, Error **errp)
{
    g_autofree char *type = NULL;

    if (!asks_for_help(arg, "type", &type)) {
        return false;
    }
    netdev_print_types();
    return true;
}

static bool help_cpu(const char *arg, Error **errp)
{
    MachineClass *mc = find_default_machine_class();

    if (!is_help(arg)) {
        return false;
    }
    if (mc && mc->list_cpus) {
        mc->list_cpus();
    } else {
        error_setg(errp, "the machine has no choice of CPUs");
    }
    return true;
}

static bool help_trace(const char *arg, Error **errp)
{
    if (!is_help(arg)) {
        return false;
    }
    vl_list_traces();
    return true;
}

static bool help_log(const char *arg, Error **errp)
{
    if (strcmp(arg, "trace:help") == 0) {
        vl_list_traces();
        return true;
    }
    if (!is_help(arg)) {
        return false;
    }
    vl_list_log_items();
    return true;
}

static bool help_sandbox(const char *arg)
{
    if (!is_help(arg)) {
        return false;
    }
    sandbox_print_help();
    return true;
}

/* With those of the command line, which nobody else will look into. */
static bool help_data_dirs(const GPtrArray *args)
{
    bool asked = false;

    for (guint i = 0; i < args->len; i++) {
        asked |= is_help(args->pdata[i]);
    }
    for (guint i = 0; asked && i < args->len; i++) {
        if (!is_help(args->pdata[i])) {
            qemu_add_data_dir(args->pdata[i]);
        }
    }
    if (asked) {
        qemu_list_data_dirs();
    }
    return asked;
}

static bool try_help(const char *option, GPtrArray *args, HelpFunc *fn,
                     Error **errp)
{
    for (guint i = 0; i < args->len; i++) {
        if (fn(args->pdata[i], errp)) {
            g_autofree char *location =
                g_strdup_printf("-%s %s", option, (char *)args->pdata[i]);

            error_set_location(location);
            return true;
        }
    }
    return false;
}

bool vl_print_help(const VlConfig *cfg, Error **errp)
{
    if (cfg->help) {
        vl_print_usage();
        return true;
    }
    if (cfg->version) {
        printf("sparsevm version " SPARSEVM_VERSION "\nsandbox:%s\n",
               sandbox_features());
        return true;
    }
    return try_help("machine", cfg->machine, help_machine, errp) ||
           try_help("accel", cfg->accel, help_accel, errp) ||
           (cfg->cpu && help_cpu(cfg->cpu, errp)) ||
           try_help("object", cfg->objects, help_object, errp) ||
           try_help("chardev", cfg->chardevs, help_chardev, errp) ||
           try_help("netdev", cfg->netdevs, help_netdev, errp) ||
           try_help("device", cfg->devices, help_device, errp) ||
           try_help("d", cfg->log_items, help_log, errp) ||
           try_help("trace", cfg->traces, help_trace, errp) ||
           help_data_dirs(cfg->data_dirs) ||
           (cfg->sandbox && help_sandbox(cfg->sandbox));
}
