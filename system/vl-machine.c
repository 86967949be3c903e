/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The part of the command line that describes the machine: -machine, -m, -smp,
 * -cpu, -numa, the accelerator, and the devices. Checks and fills in; what the
 * machine then is, is the board's business.
 */
#include "qemu/osdep.h"
#include "exec/address-spaces.h"
#include "hw/qdev-properties.h"
#include "qdev-monitor.h"
#include "qemu/error-report.h"
#include "qemu/keyval.h"
#include "qom/object_interfaces.h"
#include "sysemu/cpus.h"
#include "sysemu/hostmem.h"
#include "mem-lock.h"
#include "sysemu/numa.h"
#include "sysemu/qtest.h"
#include "sysemu/runstate.h"
#include "vl-internal.h"

/* One option must not say two things of the same: -smp 2,cpus=4. That a later
 * one says something else is how options are replaced. */
static bool check_no_contradiction(const char *arg, const char *implied_key,
                                   Error **errp)
{
    g_auto(GStrv) pieces = g_strsplit(arg, ",", -1);
    g_autoptr(GHashTable) said = g_hash_table_new_full(g_str_hash, g_str_equal,
                                                       g_free, NULL);

    for (char **piece = pieces; *piece; piece++) {
        const char *equals = strchr(*piece, '=');
        const char *value = equals ? equals + 1 : *piece, *before;
        char *name = equals ? g_strndup(*piece, equals - *piece)
                            : g_strdup(piece == pieces && implied_key
                                       ? implied_key : *piece);

        before = g_hash_table_lookup(said, name);
        if (before && strcmp(before, value) != 0) {
            error_setg(errp, "'%s' is both '%s' and '%s'", name, before, value);
            g_free(name);
            return false;
        }
        g_hash_table_replace(said, name, (void *)value);
    }
    return true;
}

/*
 * Parses each text of @args and joins the results, later values replacing
 * earlier ones, as if all had been one option. *location (g_free()) is what to
 * set as location when the result is used. NULL: *errp.
 */
static JsonObject *merge_args(const char *option, GPtrArray *args,
                              const char *implied_key, char **location,
                              Error **errp)
{
    g_autoptr(JsonObject) all = json_object_new();
    g_autoptr(GString) texts = g_string_new(NULL);

    for (guint i = 0; i < args->len; i++) {
        g_autoptr(JsonObject) one = NULL;
        JsonObjectIter iter;
        const char *name;
        JsonNode *node;

        g_string_append_printf(texts, "%s-%s %s", i ? " " : "", option,
                               (char *)args->pdata[i]);
        error_set_location(texts->str);
        one = keyval_parse(args->pdata[i], implied_key, NULL, errp);
        if (!one || !check_no_contradiction(args->pdata[i], implied_key,
                                            errp)) {
            return NULL;
        }
        json_object_iter_init(&iter, one);
        while (json_object_iter_next(&iter, &name, &node)) {
            json_object_set_member(all, name, json_node_copy(node));
        }
    }
    error_set_location(NULL);
    *location = g_strdup(texts->str);
    return g_steal_pointer(&all);
}

/* Removes the member @name and returns its text, g_free(); NULL: no member. */
static char *take_member(JsonObject *opts, const char *name)
{
    char *value = g_strdup(json_object_get_string_member_with_default(
        opts, name, NULL));

    json_object_remove_member(opts, name);
    return value;
}

/* Takes the on or off that is @name's; false: it is neither. */
static bool take_switch(JsonObject *opts, const char *name, bool *on,
                        Error **errp)
{
    g_autofree char *value = take_member(opts, name);

    *on = value && strcmp(value, "on") == 0;
    if (value && !*on && strcmp(value, "off") != 0) {
        error_setg(errp, "%s=%s: on or off is expected", name, value);
        return false;
    }
    return true;
}

/* --- -machine --- */

/* Properties are written with - or _: kernel_irqchip. */
static JsonObject *with_dashes(JsonObject *opts)
{
    JsonObject *result = json_object_new();
    JsonObjectIter iter;
    const char *name;
    JsonNode *node;

    json_object_iter_init(&iter, opts);
    while (json_object_iter_next(&iter, &name, &node)) {
        g_autofree char *dashed = g_strdelimit(g_strdup(name), "_", '-');

        json_object_set_member(result, dashed, json_node_copy(node));
    }
    return result;
}

/* kernel-irqchip=, of -machine and of -accel: there is one way. */
static bool check_irqchip(JsonObject *opts, Error **errp)
{
    g_autofree char *value = take_member(opts, "kernel-irqchip");

    if (value && strcmp(value, "on") != 0) {
        error_setg(errp, "kernel-irqchip=%s: not supported; possible: "
                   "on", value);
        return false;
    }
    return true;
}

static MachineClass *choose_class(const char *type, Error **errp)
{
    MachineClass *mc = type ? find_machine_class(type)
                            : find_default_machine_class();

    if (!mc) {
        error_setg(errp, "unsupported machine type '%s'; -machine help lists "
                   "those that are", type ? type : "");
    }
    return mc;
}

bool vl_check_machine(Error **errp)
{
    MachineClass *mc = MACHINE_GET_CLASS(current_machine);

    if (mc->qtest_only && !qtest_enabled()) {
        error_setg(errp, "machine type '%s' is for tests that play the guest, "
                   "by -accel qtest: a guest gets q35", mc->name);
        return false;
    }
    return true;
}

static MachineState *new_machine(MachineClass *mc)
{
    Object *obj = object_new(object_class_get_name(OBJECT_CLASS(mc)));

    object_property_add_child(object_get_root(), "machine", obj);
    object_unref(obj);
    /* The containers that QMP clients expect to find. */
    container_get(obj, "/peripheral");
    container_get(obj, "/peripheral-anon");
    container_get(obj, "/unattached");
    return MACHINE(obj);
}

/* -machine accel=A:B is -accel A -accel B. The names live for ever. */
static void add_accels(const VlConfig *cfg, const char *list)
{
    g_auto(GStrv) names = g_strsplit(list, ":", -1);

    for (char **name = names; *name; name++) {
        g_ptr_array_add(cfg->accel, (char *)g_intern_string(*name));
    }
}

/* -machine smp.cpus=N is -smp cpus=N, which -smp itself may replace. The texts
 * live for ever. */
static void add_smp(const VlConfig *cfg, JsonObject *opts)
{
    g_autoptr(GList) names = json_object_get_members(opts);

    for (GList *l = names; l; l = l->next) {
        const char *name = g_intern_string(l->data);

        if (g_str_has_prefix(name, "smp.")) {
            g_autofree char *value = take_member(opts, name);
            g_autofree char *text = g_strdup_printf("%s=%s", name + 4, value);

            g_ptr_array_insert(cfg->smp, 0, (char *)g_intern_string(text));
        }
    }
}

/* Creates it, too, since its type is one of the values. */
static bool apply_machine(const VlConfig *cfg, Error **errp)
{
    g_autofree char *location = NULL;
    g_autofree char *type = NULL;
    g_autofree char *accel = NULL;
    g_autoptr(JsonObject) given = merge_args("machine", cfg->machine, "type",
                                             &location, errp);
    g_autoptr(JsonObject) opts = NULL;
    MachineClass *mc;

    if (!given) {
        return false;
    }
    opts = with_dashes(given);
    add_smp(cfg, opts);
    error_set_location(cfg->machine->len ? location : NULL);
    type = take_member(opts, "type");
    mc = choose_class(type, errp);
    if (!mc) {
        return false;
    }
    current_machine = new_machine(mc);
    accel = take_member(opts, "accel");
    if (accel && cfg->accel->len) {
        error_setg(errp, "The -accel and \"-machine accel=\" options are "
                   "incompatible");
        return false;
    }
    if (!check_irqchip(opts, errp) ||
        !object_set_properties_from_json(OBJECT(current_machine), opts, true,
                                         errp)) {
        return false;
    }
    error_set_location(NULL);
    if (accel) {
        add_accels(cfg, accel);
    }
    return true;
}

/* --- -m, -smp, -cpu and the kernel --- */

typedef bool ParseFunc(MachineState *ms, JsonObject *opts, Error **errp);

static bool apply_merged(const char *option, GPtrArray *args,
                         const char *implied_key, ParseFunc *parse,
                         Error **errp)
{
    g_autofree char *location = NULL;
    g_autoptr(JsonObject) opts = NULL;

    if (!args->len) {
        return true;
    }
    opts = merge_args(option, args, implied_key, &location, errp);
    if (!opts) {
        return false;
    }
    error_set_location(location);
    if (!parse(current_machine, opts, errp)) {
        return false;
    }
    error_set_location(NULL);
    return true;
}

static bool apply_cpu(const char *arg, void *opaque, Error **errp)
{
    MachineState *ms = current_machine;
    MachineClass *mc = MACHINE_GET_CLASS(ms);
    g_auto(GStrv) parts = g_strsplit(arg, ",", 2);

    if (!parts[0] || !*parts[0]) {
        error_setg(errp, "a CPU model is expected; -cpu help lists them");
        return false;
    }
    if (mc->check_cpu && !mc->check_cpu(ms, parts[0], parts[1], errp)) {
        return false;
    }
    g_free(ms->cpu_type);
    ms->cpu_type = g_strconcat(parts[0], mc->cpu_type_suffix, NULL);
    ms->cpu_features = g_strdup(parts[1]);
    return true;
}

static void replace_text(char **field, const char *value)
{
    if (value) {
        g_free(*field);
        *field = g_strdup(value);
    }
}

static bool apply_kernel(const VlConfig *cfg, Error **errp)
{
    MachineState *ms = current_machine;

    replace_text(&ms->kernel_filename, cfg->kernel);
    replace_text(&ms->initrd_filename, cfg->initrd);
    replace_text(&ms->kernel_cmdline, cfg->append);
    replace_text(&ms->firmware, cfg->bios);
    ms->nographic |= cfg->nographic;
    if (!ms->kernel_filename && *ms->kernel_cmdline) {
        error_setg(errp, "-append only allowed with -kernel option");
        return false;
    }
    if (!ms->kernel_filename && ms->initrd_filename) {
        error_setg(errp, "-initrd only allowed with -kernel option");
        return false;
    }
    return true;
}

/* --- -overcommit --- */

/* What -overcommit says, checked: whether to lock memory. */
static bool parse_overcommit(JsonObject *opts, bool *lock, Error **errp)
{
    g_autoptr(GList) rest = NULL;
    bool cpu_pm;

    if (!take_switch(opts, "mem-lock", lock, errp) ||
        !take_switch(opts, "cpu-pm", &cpu_pm, errp)) {
        return false;
    }
    rest = json_object_get_members(opts);
    if (rest) {
        error_setg(errp, "Invalid parameter '%s'; expected: mem-lock, "
                   "cpu-pm", (char *)rest->data);
        return false;
    }
    if (cpu_pm) {
        error_setg(errp, "cpu-pm=on: not supported; possible: off");
        return false;
    }
    return true;
}

/* Left by note_overcommit(). */
static bool mem_lock_wanted;

static bool check_overcommit(MachineState *ms, JsonObject *opts, Error **errp)
{
    bool lock;

    return parse_overcommit(opts, &lock, errp);
}

static bool apply_overcommit(MachineState *ms, JsonObject *opts, Error **errp)
{
    static MemLock *mem_lock;             /* until the process ends */
    bool lock;

    if (!parse_overcommit(opts, &lock, errp)) {
        return false;
    }
    if (lock) {
        mem_lock = mem_lock_new(&address_space_memory, errp);
    }
    return !lock || mem_lock;
}

static bool note_overcommit(MachineState *ms, JsonObject *opts, Error **errp)
{
    return parse_overcommit(opts, &mem_lock_wanted, errp);
}

bool vl_wants_mem_lock(const VlConfig *cfg)
{
    apply_merged("overcommit", cfg->overcommit, NULL, note_overcommit, NULL);
    return mem_lock_wanted;
}

bool vl_configure_overcommit(const VlConfig *cfg, Error **errp)
{
    return apply_merged("overcommit", cfg->overcommit, NULL, apply_overcommit,
                        errp);
}

/* --- the machine --- */

bool vl_create_machine(const VlConfig *cfg, Error **errp)
{
    return apply_machine(cfg, errp) &&
           apply_merged("m", cfg->memory, "size", machine_parse_memory, errp) &&
           apply_merged("smp", cfg->smp, "cpus", machine_parse_smp, errp) &&
           (!cfg->cpu || vl_with("cpu", cfg->cpu, apply_cpu, NULL, errp)) &&
           apply_merged("overcommit", cfg->overcommit, NULL, check_overcommit,
                        errp) &&
           apply_kernel(cfg, errp);
}

/* --- -numa --- */

static bool apply_numa(const char *arg, void *opaque, Error **errp)
{
    g_autoptr(JsonObject) opts = keyval_parse(arg, "type", NULL, errp);

    return opts && numa_parse(current_machine, opts, errp);
}

/* Without -m, boot RAM is as large as the backend that it shall be. */
static void size_from_backend(const VlConfig *cfg)
{
    MachineState *ms = current_machine;
    Object *backend = ms->ram_memdev_id && !cfg->memory->len
        ? object_resolve_path_type(ms->ram_memdev_id, TYPE_MEMORY_BACKEND, NULL)
        : NULL;

    if (backend) {
        ms->ram_size = memory_region_size(
            host_memory_backend_get_memory(MEMORY_BACKEND(backend)));
        ms->maxram_size = ms->ram_size;
    }
}

bool vl_configure_numa(const VlConfig *cfg, Error **errp)
{
    size_from_backend(cfg);
    return vl_foreach("numa", cfg->numa, apply_numa, NULL, errp);
}

/* --- -accel --- */

static bool try_accel(const char *arg, void *opaque, Error **errp)
{
    g_autoptr(JsonObject) opts = keyval_parse(arg, "accel", NULL, errp);
    g_autofree char *name = NULL;
    g_autoptr(Object) accel = NULL;
    AccelClass *acc;

    if (!opts) {
        return false;
    }
    name = take_member(opts, "accel");
    acc = name ? accel_find(name) : NULL;
    if (!acc) {
        error_setg(errp, "invalid accelerator '%s'; -accel help lists those "
                   "that there are", name ? name : "");
        return false;
    }
    accel = object_new(object_class_get_name(OBJECT_CLASS(acc)));
    if (!check_irqchip(opts, errp) ||
        !object_set_properties_from_json(accel, opts, true, errp) ||
        accel_init_machine(ACCEL(accel), current_machine, errp) < 0) {
        return false;
    }
    cpus_register_accel(acc->cpus, runstate_cpu_exited);
    return true;
}

/* Each in order until one works; what the others said is told, too. */
static bool try_accels(const VlConfig *cfg, Error **errp)
{
    if (!cfg->accel->len) {
        return vl_with("accel", "kvm", try_accel, NULL, errp);
    }
    for (guint i = 0; i < cfg->accel->len; i++) {
        const char *arg = cfg->accel->pdata[i];
        Error *err = NULL;

        if (vl_with("accel", arg, try_accel, NULL, &err)) {
            if (i > 0) {
                warn_report("falling back to %s", arg);
            }
            return true;
        }
        if (i + 1 == cfg->accel->len) {
            error_propagate(errp, err);
            return false;
        }
        error_report_err(err);
    }
    return false;
}

/* Without messages: that there is none is no fault of this machine. */
static void try_accels_quietly(const VlConfig *cfg)
{
    for (guint i = 0; i < cfg->accel->len; i++) {
        if (try_accel(cfg->accel->pdata[i], NULL, NULL)) {
            return;
        }
    }
}

bool vl_init_accel(const VlConfig *cfg, Error **errp)
{
    if (MACHINE_GET_CLASS(current_machine)->accel_optional) {
        try_accels_quietly(cfg);
        return true;
    }
    return try_accels(cfg, errp);
}
