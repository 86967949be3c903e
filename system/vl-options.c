/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line's options: one table, from which argv is parsed and -help
 * is printed. An option only stores its argument, or, where sparsevm can do
 * just one of the things that the option could ask for, checks it; what it
 * means is found out later, in an order that does not depend on argv's.
 */
#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "qemu/keyval.h"
#include "vl-internal.h"

typedef enum OptionGroup {
    GROUP_STANDARD,
    GROUP_BOOT,
    GROUP_DEVICES,
    GROUP_MONITOR,
    GROUP_RUN,
    GROUP_COMPAT,
    GROUP__MAX,
} OptionGroup;

static const char *const group_titles[GROUP__MAX] = {
    [GROUP_STANDARD] = "Standard options",
    [GROUP_BOOT] = "Linux boot options",
    [GROUP_DEVICES] = "Device and memory options",
    [GROUP_MONITOR] = "Character device and monitor options",
    [GROUP_RUN] = "Run and debug options",
    [GROUP_COMPAT] = "Accepted for QEMU command lines (only what is said)",
};

typedef enum OptionKind {
    OPT_FLAG,                             /* sets a bool */
    OPT_STRING,                           /* stores the argument */
    OPT_LIST,                             /* appends the argument */
    OPT_CHECK,                            /* calls check, stores nothing */
    OPT_APPEND_CONST,                     /* appends text */
} OptionKind;

typedef struct VlOption {
    const char *name;
    OptionKind kind;
    OptionGroup group;
    size_t offset;                        /* of the VlConfig member */
    const char *params;                   /* for -help; NULL: no argument */
    const char *help;                     /* NULL: another name, not listed */
    const char *text;                     /* APPEND_CONST; CHECK: what is fine */
    bool (*check)(const struct VlOption *opt, const char *arg, Error **errp);
} VlOption;

/* --- options that accept what sparsevm does anyway --- */

/* The argument must be one of the words in @opt->text ("a|b"). */
static bool check_word(const VlOption *opt, const char *arg, Error **errp)
{
    g_auto(GStrv) words = g_strsplit(opt->text, "|", -1);

    if (!g_strv_contains((const char *const *)words, arg)) {
        error_setg(errp, "not supported by sparsevm; what is: %s", opt->text);
        return false;
    }
    return true;
}

/* Each key=value of the argument must be one of those in @opt->text. */
static bool check_keyval(const VlOption *opt, const char *arg, Error **errp)
{
    g_auto(GStrv) allowed = g_strsplit(opt->text, "|", -1);
    g_auto(GStrv) parts = g_strsplit(arg, ",", -1);

    for (char **part = parts; *part; part++) {
        if (!g_strv_contains((const char *const *)allowed, *part)) {
            error_setg(errp, "%s: not supported by sparsevm; what is: %s",
                       *part, opt->text);
            return false;
        }
    }
    return true;
}

/* -audiodev, as text or JSON: the driver must be none. */
static bool check_audiodev(const VlOption *opt, const char *arg, Error **errp)
{
    bool keyval;
    g_autoptr(JsonObject) opts = vl_parse_keyval(arg, "driver", &keyval, NULL,
                                                 errp);
    const char *driver;

    if (!opts) {
        return false;
    }
    driver = json_object_get_string_member_with_default(opts, "driver", "");
    if (strcmp(driver, "none") != 0) {
        error_setg(errp, "driver=%s: not supported by sparsevm; what is: none",
                   driver);
        return false;
    }
    return true;
}

/* --- the table --- */

#define FIELD(f) offsetof(VlConfig, f)

static const VlOption options[] = {
    { "help", OPT_FLAG, GROUP_STANDARD, FIELD(help), NULL,
      "print this help and exit", NULL, NULL },
    { "h", OPT_FLAG, GROUP_STANDARD, FIELD(help), NULL, NULL, NULL, NULL },
    { "version", OPT_FLAG, GROUP_STANDARD, FIELD(version), NULL,
      "print the version and exit", NULL, NULL },
    { "machine", OPT_LIST, GROUP_STANDARD, FIELD(machine),
      "[type=]NAME[,PROP=VALUE...]",
      "the machine (default: q35), its properties; help lists", NULL, NULL },
    { "M", OPT_LIST, GROUP_STANDARD, FIELD(machine), "ARG",
      "the same as -machine", NULL, NULL },
    { "accel", OPT_LIST, GROUP_STANDARD, FIELD(accel), "[accel=]NAME",
      "kvm (default) or qtest; repeated: the first that works", NULL, NULL },
    { "enable-kvm", OPT_APPEND_CONST, GROUP_STANDARD, FIELD(accel), NULL,
      "the same as -accel kvm", "kvm", NULL },
    { "cpu", OPT_STRING, GROUP_STANDARD, FIELD(cpu),
      "MODEL[,+FEATURE][,-FEATURE]", "the CPU; help lists", NULL, NULL },
    { "smp", OPT_LIST, GROUP_STANDARD, FIELD(smp),
      "[cpus=]N[,maxcpus=N][,sockets=N][,cores=N][,threads=N]",
      "number and arrangement of CPUs (default: 1)", NULL, NULL },
    { "m", OPT_LIST, GROUP_STANDARD, FIELD(memory),
      "[size=]MEGS[,maxmem=SIZE][,slots=N]",
      "boot RAM; maxmem leaves room for virtio-mem", NULL, NULL },
    { "numa", OPT_LIST, GROUP_STANDARD, FIELD(numa),
      "node[,nodeid=N][,mem=SIZE|,memdev=ID][,cpus=A[-B]]",
      "a NUMA node of the guest", NULL, NULL },
    { "name", OPT_STRING, GROUP_STANDARD, FIELD(name),
      "[guest=]NAME[,process=NAME][,debug-threads=on|off]",
      "name of the guest, and of the process", NULL, NULL },
    { "uuid", OPT_STRING, GROUP_STANDARD, FIELD(uuid), "UUID",
      "identity of the guest", NULL, NULL },

    { "kernel", OPT_STRING, GROUP_BOOT, FIELD(kernel), "FILE",
      "bzImage, or ELF kernel with a PVH entry", NULL, NULL },
    { "append", OPT_STRING, GROUP_BOOT, FIELD(append), "TEXT",
      "kernel command line", NULL, NULL },
    { "initrd", OPT_STRING, GROUP_BOOT, FIELD(initrd), "FILE",
      "initial RAM disk", NULL, NULL },

    { "device", OPT_LIST, GROUP_DEVICES, FIELD(devices),
      "DRIVER[,id=ID][,bus=BUS][,PROP=VALUE...]",
      "add a device; help lists, DRIVER,help describes", NULL, NULL },
    { "object", OPT_LIST, GROUP_DEVICES, FIELD(objects),
      "TYPE,id=ID[,PROP=VALUE...]",
      "create an object, e.g. a memory backend; help lists", NULL, NULL },
    { "overcommit", OPT_LIST, GROUP_DEVICES, FIELD(overcommit),
      "[mem-lock=on|off][,cpu-pm=off]",
      "lock the guest's memory: boot RAM, and what is plugged", NULL, NULL },
    { "global", OPT_LIST, GROUP_DEVICES, FIELD(globals),
      "DRIVER.PROP=VALUE", "a property of all devices of a kind", NULL, NULL },
    { "nodefaults", OPT_FLAG, GROUP_DEVICES, FIELD(no_defaults), NULL,
      "no serial port and no monitor by default", NULL, NULL },

    { "add-fd", OPT_LIST, GROUP_MONITOR, FIELD(add_fds),
      "fd=N,set=M[,opaque=TEXT]",
      "make an open file one of the set /dev/fdset/M", NULL, NULL },
    { "chardev", OPT_LIST, GROUP_MONITOR, FIELD(chardevs),
      "BACKEND,id=ID[,PROP=VALUE...]", "create a character device; help lists",
      NULL, NULL },
    { "serial", OPT_LIST, GROUP_MONITOR, FIELD(serials), "DEV",
      "serial port on DEV: stdio, mon:stdio, pty, null, none,\n"
      "file:PATH, unix:PATH[,server=on][,wait=off], chardev:ID", NULL, NULL },
    { "qmp", OPT_LIST, GROUP_MONITOR, FIELD(qmps), "DEV",
      "QMP server on DEV", NULL, NULL },
    { "qmp-pretty", OPT_LIST, GROUP_MONITOR, FIELD(qmp_prettys), "DEV",
      "the same, with indented replies", NULL, NULL },
    { "monitor", OPT_LIST, GROUP_MONITOR, FIELD(monitors), "DEV",
      "monitor for people on DEV", NULL, NULL },
    { "mon", OPT_LIST, GROUP_MONITOR, FIELD(mons),
      "[chardev=]ID[,mode=readline|control][,pretty=on|off][,id=ID]",
      "monitor on a -chardev", NULL, NULL },
    { "nographic", OPT_FLAG, GROUP_MONITOR, FIELD(nographic), NULL,
      "serial port and monitor on stdio (the default)", NULL, NULL },

    { "S", OPT_FLAG, GROUP_RUN, FIELD(paused), NULL,
      "do not start the CPUs: QMP's cont does", NULL, NULL },
    { "no-reboot", OPT_FLAG, GROUP_RUN, FIELD(no_reboot), NULL,
      "exit instead of rebooting", NULL, NULL },
    { "no-shutdown", OPT_FLAG, GROUP_RUN, FIELD(no_shutdown), NULL,
      "stop instead of exiting when the guest shuts down", NULL, NULL },
    { "action", OPT_LIST, GROUP_RUN, FIELD(actions),
      "[reboot=R][,shutdown=S][,panic=P]",
      "what follows when the guest reboots (reset|shutdown),\n"
      "shuts down (poweroff|pause) or crashes (pause|shutdown|\n"
      "exit-failure|none)", NULL, NULL },
    { "msg", OPT_LIST, GROUP_RUN, FIELD(msgs),
      "[timestamp=on|off][,guest-name=on|off]",
      "what comes before each message", NULL, NULL },
    { "trace", OPT_LIST, GROUP_RUN, FIELD(traces), "[enable=]PATTERN",
      "print events that match, e.g. ram_discard_*; help lists",
      NULL, NULL },
    { "sandbox", OPT_STRING, GROUP_RUN, FIELD(sandbox),
      "on|off[,hotplug=off][,dirs=DIR:DIR...]",
      "what a running machine may do (default: on); help lists", NULL, NULL },
    { "pidfile", OPT_STRING, GROUP_RUN, FIELD(pidfile), "FILE",
      "write the process id to FILE", NULL, NULL },
    { "daemonize", OPT_FLAG, GROUP_RUN, FIELD(daemonize), NULL,
      "go to the background once the machine is ready", NULL, NULL },
    { "qtest", OPT_STRING, GROUP_RUN, FIELD(qtest), "DEV",
      "qtest server on DEV", NULL, NULL },
    { "qtest-log", OPT_STRING, GROUP_RUN, FIELD(qtest_log), "FILE",
      "what the qtest server hears and says", NULL, NULL },

    { "display", OPT_CHECK, GROUP_COMPAT, 0, "none",
      "there is no display", "none", check_word },
    { "vga", OPT_CHECK, GROUP_COMPAT, 0, "none",
      "there is no graphics card", "none", check_word },
    { "net", OPT_CHECK, GROUP_COMPAT, 0, "none",
      "there is no default network", "none", check_word },
    { "nic", OPT_CHECK, GROUP_COMPAT, 0, "none",
      "there is no default network", "none", check_word },
    { "audio", OPT_CHECK, GROUP_COMPAT, 0, "none",
      "there is no sound", "none", check_word },
    { "parallel", OPT_CHECK, GROUP_COMPAT, 0, "none",
      "there is no parallel port", "none", check_word },
    { "boot", OPT_CHECK, GROUP_COMPAT, 0, "strict=on|off",
      "there is no firmware: -kernel is what boots",
      "strict=on|strict=off|menu=off", check_keyval },
    { "rtc", OPT_CHECK, GROUP_COMPAT, 0, "base=utc",
      "the clock tells UTC",
      "base=utc|clock=host|driftfix=none|driftfix=slew", check_keyval },
    { "audiodev", OPT_CHECK, GROUP_COMPAT, 0, "[driver=]none[,id=ID]",
      "there is no sound", NULL, check_audiodev },
    { "no-user-config", OPT_CHECK, GROUP_COMPAT, 0, NULL,
      "no configuration file is read", NULL, NULL },
    { "no-hpet", OPT_CHECK, GROUP_COMPAT, 0, NULL,
      "there is no HPET", NULL, NULL },
    { "no-fd-bootchk", OPT_CHECK, GROUP_COMPAT, 0, NULL,
      "there is no firmware", NULL, NULL },
};

/* Options that a QEMU 5.2 has for things that sparsevm is not about. */
static const char *const unsupported_options[] = {
    "L", "D", "acpitable", "alt-grab", "audio-help", "bios",
    "blockdev", "bt", "cdrom", "chroot", "ctrl-grab", "curses", "d", "dfilter", "drive",
    "dtb", "dump-vmstate", "enable-fips", "fda", "fdb", "fsdev",
    "full-screen", "fw_cfg", "g", "gdb", "hda", "hdb", "hdc", "hdd", "icount",
    "incoming", "iscsi", "k", "loadvm", "mem-path", "mem-prealloc", "mtdblock",
    "netdev", "no-acpi", "no-quit", "only-migratable", "option-rom", "pflash",
    "plugin", "preconfig", "prom-env", "readconfig", "realtime", "runas", "s",
    "sd", "sdl", "seed", "semihosting", "semihosting-config",
    "set", "show-cursor", "singlestep", "smbios", "snapshot", "spice",
    "tb-size", "tpmdev", "usb", "usbdevice", "virtfs", "vnc", "watchdog",
    "watchdog-action", "win2k-hack", "writeconfig", "xen-attach",
    "xen-domid", "xen-domid-restrict", NULL
};

/* --- parsing --- */

static const VlOption *find_option(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
        if (strcmp(options[i].name, name) == 0) {
            return &options[i];
        }
    }
    return NULL;
}

static void append(VlConfig *cfg, const VlOption *opt, const char *text)
{
    GPtrArray **list = (GPtrArray **)((char *)cfg + opt->offset);

    g_ptr_array_add(*list, (char *)text);
}

static bool store(VlConfig *cfg, const VlOption *opt, const char *arg,
                  Error **errp)
{
    switch (opt->kind) {
    case OPT_FLAG:
        *(bool *)((char *)cfg + opt->offset) = true;
        return true;
    case OPT_STRING:
        *(const char **)((char *)cfg + opt->offset) = arg;
        return true;
    case OPT_LIST:
        append(cfg, opt, arg);
        return true;
    case OPT_APPEND_CONST:
        append(cfg, opt, opt->text);
        return true;
    case OPT_CHECK:
        if (!opt->check || opt->check(opt, arg, errp)) {
            return true;
        }
        error_prepend(errp, "-%s %s: ", opt->name, arg);
        return false;
    }
    g_assert_not_reached();
}

static bool explain_unknown(const char *word, const char *name, Error **errp)
{
    if (g_strv_contains(unsupported_options, name)) {
        error_setg(errp, "-%s: not supported by sparsevm", name);
    } else {
        error_setg(errp, "%s: invalid option", word);
    }
    return false;
}

static void init_lists(VlConfig *cfg)
{
    for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
        GPtrArray **list = (GPtrArray **)((char *)cfg + options[i].offset);

        if (options[i].kind == OPT_LIST && !*list) {
            *list = g_ptr_array_new();
        }
    }
}

void vl_config_free(VlConfig *cfg)
{
    for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
        GPtrArray **list = (GPtrArray **)((char *)cfg + options[i].offset);

        if (options[i].kind == OPT_LIST) {
            g_clear_pointer(list, g_ptr_array_unref);
        }
    }
}

bool vl_parse_options(VlConfig *cfg, int argc, char **argv, Error **errp)
{
    ERRP_GUARD();

    init_lists(cfg);
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        const char *name = word;
        const char *arg = NULL;
        const VlOption *opt;

        if (*name != '-') {
            error_setg(errp, "%s: not an option; disk images are not supported "
                       "by sparsevm", word);
            return false;
        }
        name += name[1] == '-' ? 2 : 1;
        opt = find_option(name);
        if (!opt) {
            return explain_unknown(word, name, errp);
        }
        if (opt->params) {
            arg = argv[++i];
            if (!arg) {
                error_setg(errp, "%s: requires an argument", word);
                return false;
            }
        }
        if (!store(cfg, opt, arg, errp)) {
            return false;
        }
    }
    return true;
}

void vl_for_each_option(void (*fn)(const char *name, const char *params,
                                   void *opaque), void *opaque)
{
    for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
        const VlOption *opt = &options[i];

        if (opt->params && opt->help && strcmp(opt->params, "ARG") != 0) {
            fn(opt->name, opt->params, opaque);
        }
    }
}

/* --- help --- */

static void print_option(const VlOption *opt)
{
    g_auto(GStrv) lines = g_strsplit(opt->help, "\n", -1);
    g_autofree char *head = g_strdup_printf("-%s%s%s", opt->name,
                                            opt->params ? " " : "",
                                            opt->params ? opt->params : "");
    bool fits = strlen(head) < 24;

    printf("%-23s%s", head, fits ? " " : "\n");
    for (char **line = lines; *line; line++) {
        printf("%*s%s\n", line == lines && fits ? 0 : 24, "", *line);
    }
}

void vl_print_usage(void)
{
    puts("usage: sparsevm [options]\n\n"
         "Runs a virtual machine whose RAM is sparse down to the IOMMU.");
    for (OptionGroup group = 0; group < GROUP__MAX; group++) {
        printf("\n%s:\n", group_titles[group]);
        for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
            if (options[i].group == group && options[i].help) {
                print_option(&options[i]);
            }
        }
    }
    puts("\nAn example:\n"
         "  sparsevm -M q35 -cpu host -m 4G,maxmem=68G -nodefaults "
         "-serial mon:stdio \\\n"
         "    -kernel bzImage -append console=ttyS0 \\\n"
         "    -object memory-backend-memfd,id=mem0,size=64G \\\n"
         "    -device virtio-mem-pci,id=vm0,memdev=mem0,requested-size=1G");
}

/* --- for those who carry out options --- */

JsonObject *vl_parse_keyval(const char *text, const char *implied_key,
                            bool *keyval, bool *help, Error **errp)
{
    g_autoptr(JsonNode) node = NULL;
    g_autoptr(GError) err = NULL;

    *keyval = text[0] != '{';
    if (*keyval) {
        return keyval_parse(text, implied_key, help, errp);
    }
    if (help) {
        *help = false;
    }
    node = json_from_string(text, &err);
    if (!node || !JSON_NODE_HOLDS_OBJECT(node)) {
        error_setg(errp, "JSON parse error: %s",
                   err ? err->message : "an object is expected");
        return NULL;
    }
    return json_object_ref(json_node_get_object(node));
}

bool vl_with(const char *option, const char *arg, VlArgFunc *fn, void *opaque,
             Error **errp)
{
    g_autofree char *location = g_strdup_printf("-%s %s", option, arg);

    error_set_location(location);
    if (!fn(arg, opaque, errp)) {
        return false;
    }
    error_set_location(NULL);
    return true;
}

bool vl_foreach(const char *option, GPtrArray *args, VlArgFunc *fn,
                void *opaque, Error **errp)
{
    for (guint i = 0; i < args->len; i++) {
        if (!vl_with(option, args->pdata[i], fn, opaque, errp)) {
            return false;
        }
    }
    return true;
}
