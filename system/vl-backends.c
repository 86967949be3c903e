/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the machine and its users are connected to: -object, -chardev, -netdev,
 * -serial, and the monitors, with the defaults that hold if none is given.
 */
#include "qemu/osdep.h"
#include <fcntl.h>
#include "chardev/char.h"
#include "monitor/monitor.h"
#include "net/net.h"
#include "qemu/cutils.h"
#include "qemu/fdset.h"
#include "qemu/keyval.h"
#include "qom/object_interfaces.h"
#include "sysemu/sysemu.h"
#include "vl-internal.h"

/* --- -add-fd --- */

/* The number @name of @opts, from 0 to @max; -1: *errp. */
static int64_t get_number(JsonObject *opts, const char *name, int64_t max,
                          Error **errp)
{
    const char *text = json_object_get_string_member_with_default(opts, name,
                                                                  NULL);
    uint64_t value;

    if (!text) {
        error_setg(errp, "%s= is missing; what is expected: fd=N,set=M", name);
        return -1;
    }
    if (qemu_strtou64(text, NULL, 10, &value) < 0 || value > (uint64_t)max) {
        error_setg(errp, "%s=%s: a number from 0 to %" PRId64 " is expected",
                   name, text, max);
        return -1;
    }
    return (int64_t)value;
}

static bool add_fd(const char *arg, void *opaque, Error **errp)
{
    g_autoptr(JsonObject) opts = keyval_parse(arg, NULL, NULL, errp);
    const char *words;
    int64_t fd, set;

    if (!opts || (fd = get_number(opts, "fd", INT_MAX, errp)) < 0 ||
        (set = get_number(opts, "set", INT64_MAX, errp)) < 0) {
        return false;
    }
    if (fd <= STDERR_FILENO) {
        error_setg(errp, "fd=%" PRId64 ": standard input, output and error "
                   "cannot be in a set", fd);
        return false;
    }
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) {
        error_setg_errno(errp, errno, "fd=%" PRId64, fd);
        return false;
    }
    words = json_object_get_string_member_with_default(opts, "opaque", NULL);
    return fdset_add(fd, set, words, errp) >= 0;
}

bool vl_add_fds(const VlConfig *cfg, Error **errp)
{
    return vl_foreach("add-fd", cfg->add_fds, add_fd, NULL, errp);
}

/* --- objects and character devices --- */

/* Those that name devices if @late, else the others. */
static bool create_object(const char *arg, bool late, Error **errp)
{
    static const char *const lists[] = { "device", NULL };
    bool keyval = arg[0] != '{';
    g_autoptr(JsonObject) opts = keyval
        ? keyval_parse_lists(arg, "qom-type", lists, NULL, errp)
        : vl_parse_keyval(arg, NULL, &keyval, NULL, errp);
    JsonNode *type;

    if (!opts) {
        return false;
    }
    type = json_object_get_member(opts, "qom-type");
    if (late != (type && JSON_NODE_HOLDS_VALUE(type) &&
                 user_creatable_names_devices(
                     json_node_get_string(type) ?: ""))) {
        return true;
    }
    return user_creatable_add_from_json(opts, keyval, errp);
}

static bool create_early(const char *arg, void *opaque, Error **errp)
{
    return create_object(arg, false, errp);
}

static bool create_late(const char *arg, void *opaque, Error **errp)
{
    return create_object(arg, true, errp);
}

bool vl_create_objects(const VlConfig *cfg, Error **errp)
{
    return vl_foreach("object", cfg->objects, create_early, NULL, errp);
}

bool vl_create_late_objects(const VlConfig *cfg, Error **errp)
{
    return vl_foreach("object", cfg->objects, create_late, NULL, errp);
}

static bool create_chardev(const char *arg, void *opaque, Error **errp)
{
    return qemu_chr_new_from_text(arg, errp) != NULL;
}

bool vl_create_chardevs(const VlConfig *cfg, Error **errp)
{
    return vl_foreach("chardev", cfg->chardevs, create_chardev, NULL, errp);
}

JsonObject *vl_parse_netdev(const char *arg, bool *keyval, Error **errp)
{
    *keyval = arg[0] != '{';
    return *keyval ? netdev_parse(arg, errp)
                   : vl_parse_keyval(arg, NULL, keyval, NULL, errp);
}

static bool create_netdev(const char *arg, void *opaque, Error **errp)
{
    bool keyval;
    g_autoptr(JsonObject) opts = vl_parse_netdev(arg, &keyval, errp);

    return opts && netdev_new_from_json(opts, keyval, errp);
}

bool vl_create_netdevs(const VlConfig *cfg, Error **errp)
{
    return vl_foreach("netdev", cfg->netdevs, create_netdev, NULL, errp);
}

/* --- monitors --- */

/* A label that no other of these has. */
static char *next_label(const char *base)
{
    static unsigned int number;

    return g_strdup_printf("%s%u", base, number++);
}

static bool create_qmp(const char *arg, bool pretty, Error **errp)
{
    g_autofree char *label = next_label("compat_monitor");
    Chardev *chr;

    if (strcmp(arg, "none") == 0) {
        return true;
    }
    chr = qemu_chr_parse_compat(label, arg, errp);
    return chr && monitor_init_qmp(chr, pretty, errp);
}

static bool create_plain_qmp(const char *arg, void *opaque, Error **errp)
{
    return create_qmp(arg, false, errp);
}

static bool create_pretty_qmp(const char *arg, void *opaque, Error **errp)
{
    return create_qmp(arg, true, errp);
}

static bool create_hmp(const char *arg, void *opaque, Error **errp)
{
    g_autofree char *label = next_label("compat_monitor");
    Chardev *chr;

    if (strcmp(arg, "none") == 0) {
        return true;
    }
    chr = qemu_chr_parse_compat(label, arg, errp);
    return chr && monitor_init_hmp(chr, errp);
}

static bool create_mon(const char *arg, void *opaque, Error **errp)
{
    bool keyval;
    g_autoptr(JsonObject) opts = vl_parse_keyval(arg, "chardev", &keyval, NULL,
                                                 errp);

    return opts && monitor_init_opts(opts, errp);
}

bool vl_create_monitors(const VlConfig *cfg, Error **errp)
{
    return vl_foreach("mon", cfg->mons, create_mon, NULL, errp) &&
           vl_foreach("qmp", cfg->qmps, create_plain_qmp, NULL, errp) &&
           vl_foreach("qmp-pretty", cfg->qmp_prettys, create_pretty_qmp, NULL,
                      errp) &&
           vl_foreach("monitor", cfg->monitors, create_hmp, NULL, errp);
}

/* --- serial ports --- */

static bool create_serial(const char *arg, void *opaque, Error **errp)
{
    g_autofree char *label = next_label("serial");
    Chardev *chr;

    if (strcmp(arg, "none") == 0) {
        return serial_hd_add(NULL, errp);
    }
    chr = qemu_chr_parse_compat(label, arg, errp);
    if (!chr) {
        return false;
    }
    if (g_str_has_prefix(arg, "mon:") && !monitor_init_hmp(chr, errp)) {
        return false;
    }
    return serial_hd_add(chr, errp);
}

/* Whether one of the texts speaks of the terminal. */
static bool any_uses_stdio(const GPtrArray *args)
{
    for (guint i = 0; i < args->len; i++) {
        if (strstr(args->pdata[i], "stdio")) {
            return true;
        }
    }
    return false;
}

/* "stdio", with options, or shared with the monitor. */
static bool is_stdio(const char *text)
{
    text += g_str_has_prefix(text, "mon:") ? strlen("mon:") : 0;
    return g_str_has_prefix(text, "stdio") &&
           (!text[strlen("stdio")] || text[strlen("stdio")] == ',');
}

/* The first that wants the terminal; NULL: none. */
static const char *find_stdio(const GPtrArray *args)
{
    guint i = 0;

    while (i < args->len && !is_stdio(args->pdata[i])) {
        i++;
    }
    return i < args->len ? args->pdata[i] : NULL;
}

bool vl_check_daemon(const VlConfig *cfg, Error **errp)
{
    GPtrArray *const lists[] = { cfg->chardevs, cfg->qmps, cfg->qmp_prettys,
                                 cfg->monitors, cfg->serials };
    const char *taker = NULL;

    if (!cfg->daemonize) {
        return true;
    }
    if (cfg->preconfig) {
        error_setg(errp, "'preconfig' and 'daemonize' options are mutually "
                   "exclusive");
        return false;
    }
    if (cfg->nographic && !cfg->no_defaults) {
        error_setg(errp, "-nographic cannot be used with -daemonize: there is no "
                   "terminal; -display none can");
        return false;
    }
    for (unsigned i = 0; !taker && i < ARRAY_SIZE(lists); i++) {
        taker = find_stdio(lists[i]);
    }
    if (taker) {
        error_setg(errp, "'%s' cannot be used with -daemonize: there is no "
                   "terminal; file and socket can", taker);
    }
    return !taker;
}

static bool stdio_is_taken(const VlConfig *cfg)
{
    return any_uses_stdio(cfg->chardevs) || any_uses_stdio(cfg->qmps) ||
           any_uses_stdio(cfg->qmp_prettys) || any_uses_stdio(cfg->monitors) ||
           any_uses_stdio(cfg->serials) || cfg->daemonize ||
           (cfg->qtest && strstr(cfg->qtest, "stdio"));
}

/*
 * Who starts a VM by hand wants to see its console: unless told otherwise the
 * serial port is on the terminal, and the monitor, if no other is asked for,
 * behind Ctrl-a c. With -serial and -nographic the monitor alone is there.
 */
static const char *default_serial(const VlConfig *cfg)
{
    bool monitor = cfg->monitors->len || cfg->mons->len;

    if (cfg->no_defaults || cfg->serials->len || stdio_is_taken(cfg)) {
        return NULL;
    }
    return monitor ? "stdio" : "mon:stdio";
}

static bool wants_default_monitor(const VlConfig *cfg)
{
    return cfg->nographic && cfg->serials->len && !cfg->no_defaults &&
           !cfg->monitors->len && !cfg->mons->len && !cfg->qmps->len &&
           !cfg->qmp_prettys->len && !stdio_is_taken(cfg);
}

bool vl_create_serials(const VlConfig *cfg, Error **errp)
{
    const char *serial = default_serial(cfg);

    if (serial) {
        return vl_with("serial", serial, create_serial, NULL, errp);
    }
    if (wants_default_monitor(cfg) &&
        !vl_with("monitor", "stdio", create_hmp, NULL, errp)) {
        return false;
    }
    return vl_foreach("serial", cfg->serials, create_serial, NULL, errp);
}
