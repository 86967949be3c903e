/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line's options: one table, from which argv is parsed and -help
 * is printed. An option only stores its argument, or, where sparsevm can do
 * just one of the things that the option could ask for, checks it; what it
 * means is found out later, in an order that does not depend on argv's.
 */
#include "qemu/osdep.h"
#include "qemu/absent.h"
#include "qemu/error-report.h"
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
    [GROUP_BOOT] = "Boot options",
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
    OPT_CONFIG,                           /* reads the file that it names */
    OPT_SET,                              /* adds to an option before it */
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
        error_setg(errp, "not supported; possible: %s", opt->text);
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
            error_setg(errp, "%s: not supported; possible: %s",
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
        error_setg(errp, "driver=%s: not supported; possible: none",
                   driver);
        return false;
    }
    return true;
}

/* --- the table --- */

#define FIELD(f) .offset = offsetof(VlConfig, f)

static const VlOption options[] = {
    { .name = "help", .kind = OPT_FLAG, .group = GROUP_STANDARD, FIELD(help),
      .help = "print this help and exit" },
    { .name = "h", .kind = OPT_FLAG, .group = GROUP_STANDARD, FIELD(help) },
    { .name = "explain", .kind = OPT_FLAG, .group = GROUP_STANDARD,
      FIELD(explain),
      .help = "print what would be locked and mapped; start nothing" },
    { .name = "explain=json", .kind = OPT_FLAG, .group = GROUP_STANDARD,
      FIELD(explain_json), .help = "the same, as JSON" },
    { .name = "version", .kind = OPT_FLAG, .group = GROUP_STANDARD,
      FIELD(version), .help = "print the version and exit" },
    { .name = "machine", .kind = OPT_LIST, .group = GROUP_STANDARD,
      FIELD(machine), .params = "[type=]NAME[,PROP=VALUE...]",
      .help = "the machine (default: q35), its properties; help lists" },
    { .name = "M", .kind = OPT_LIST, .group = GROUP_STANDARD, FIELD(machine),
      .params = "ARG", .help = "the same as -machine" },
    { .name = "accel", .kind = OPT_LIST, .group = GROUP_STANDARD, FIELD(accel),
      .params = "[accel=]NAME",
      .help = "kvm (default) or qtest; repeated: the first that works" },
    { .name = "enable-kvm", .kind = OPT_APPEND_CONST, .group = GROUP_STANDARD,
      FIELD(accel), .help = "the same as -accel kvm", .text = "kvm" },
    { .name = "cpu", .kind = OPT_STRING, .group = GROUP_STANDARD, FIELD(cpu),
      .params = "MODEL[,+FEATURE][,-FEATURE]", .help = "the CPU; help lists" },
    { .name = "smp", .kind = OPT_LIST, .group = GROUP_STANDARD, FIELD(smp),
      .params = "[cpus=]N[,maxcpus=N][,sockets=N][,cores=N][,threads=N]",
      .help = "number and arrangement of CPUs (default: 1)" },
    { .name = "m", .kind = OPT_LIST, .group = GROUP_STANDARD, FIELD(memory),
      .params = "[size=]MEGS[,maxmem=SIZE][,slots=N]",
      .help = "boot RAM; maxmem leaves room for virtio-mem" },
    { .name = "numa", .kind = OPT_LIST, .group = GROUP_STANDARD, FIELD(numa),
      .params = "node[,nodeid=N][,mem=SIZE|,memdev=ID][,cpus=A[-B]]",
      .help = "a NUMA node; or cpu, dist, hmat-lb, hmat-cache" },
    { .name = "name", .kind = OPT_STRING, .group = GROUP_STANDARD, FIELD(name),
      .params = "[guest=]NAME[,process=NAME][,debug-threads=on|off]",
      .help = "name of the guest, and of the process" },
    { .name = "uuid", .kind = OPT_STRING, .group = GROUP_STANDARD, FIELD(uuid),
      .params = "UUID", .help = "identity of the guest" },

    { .name = "bios", .kind = OPT_STRING, .group = GROUP_BOOT, FIELD(bios),
      .params = "FILE",
      .help = "firmware (default: SeaBIOS, or none with -kernel)" },
    { .name = "pflash", .kind = OPT_LIST, .group = GROUP_BOOT, FIELD(pflashes),
      .params = "FILE",
      .help = "the same as -drive if=pflash,format=raw,file=FILE" },
    { .name = "L", .kind = OPT_LIST, .group = GROUP_BOOT, FIELD(data_dirs),
      .params = "DIR",
      .help = "where firmware and option ROMs are, too; help lists" },
    { .name = "kernel", .kind = OPT_STRING, .group = GROUP_BOOT, FIELD(kernel),
      .params = "FILE", .help = "bzImage, ELF kernel with a PVH entry, or multiboot" },
    { .name = "append", .kind = OPT_STRING, .group = GROUP_BOOT, FIELD(append),
      .params = "TEXT", .help = "kernel command line" },
    { .name = "initrd", .kind = OPT_STRING, .group = GROUP_BOOT, FIELD(initrd),
      .params = "FILE", .help = "initial RAM disk; multiboot: FILE ARGS,FILE..." },
    { .name = "boot", .kind = OPT_LIST, .group = GROUP_BOOT, FIELD(boots),
      .params = "[order=]L[,once=L][,menu=on|off][,strict=on|off]"
                "[,PROP=N...]",
      .help = "what firmware is told; -kernel needs none" },
    { .name = "fw_cfg", .kind = OPT_LIST, .group = GROUP_BOOT, FIELD(fw_cfgs),
      .params = "[name=]NAME,file=FILE|string=TEXT",
      .help = "a file that the guest finds in its fw_cfg device" },
    { .name = "option-rom", .kind = OPT_LIST, .group = GROUP_BOOT,
      FIELD(option_roms), .params = "[romfile=]FILE",
      .help = "an option ROM of no device, which SeaBIOS runs" },
    { .name = "smbios", .kind = OPT_LIST, .group = GROUP_BOOT, FIELD(smbios),
      .params = "type=N[,KEY=VALUE...]|file=FILE",
      .help = "what the guest is told of the machine's parts" },

    { .name = "device", .kind = OPT_LIST, .group = GROUP_DEVICES,
      FIELD(devices), .params = "DRIVER[,id=ID][,bus=BUS][,PROP=VALUE...]",
      .help = "add a device; help lists, DRIVER,help describes" },
    { .name = "drive", .kind = OPT_LIST, .group = GROUP_DEVICES, FIELD(drives),
      .params = "file=FILE[,if=virtio|none|pflash][,id=ID][,cache=MODE]"
                "[,OPTION=VALUE...]",
      .help = "a disk: an image and, unless if=none, its device" },
    { .name = "blockdev", .kind = OPT_LIST, .group = GROUP_DEVICES,
      FIELD(blockdevs),
      .params = "[driver=]raw|file|host_device,node-name=NAME[,OPTION=VALUE...]",
      .help = "an image for the drive= of a device" },
    { .name = "hda", .kind = OPT_LIST, .group = GROUP_DEVICES, FIELD(disks),
      .params = "FILE", .help = "the same as -drive file=FILE" },
    { .name = "hdb", .kind = OPT_LIST, .group = GROUP_DEVICES, FIELD(disks),
      .params = "ARG" },
    { .name = "hdc", .kind = OPT_LIST, .group = GROUP_DEVICES, FIELD(disks),
      .params = "ARG" },
    { .name = "hdd", .kind = OPT_LIST, .group = GROUP_DEVICES, FIELD(disks),
      .params = "ARG" },
    { .name = "cdrom", .kind = OPT_LIST, .group = GROUP_DEVICES, FIELD(cdroms),
      .params = "FILE",
      .help = "the same as -drive file=FILE,media=cdrom: a disk that is\n"
              "read-only, which -boot d means" },
    { .name = "object", .kind = OPT_LIST, .group = GROUP_DEVICES,
      FIELD(objects), .params = "TYPE,id=ID[,PROP=VALUE...]",
      .help = "create an object, e.g. a memory backend; help lists" },
    { .name = "netdev", .kind = OPT_LIST, .group = GROUP_DEVICES,
      FIELD(netdevs), .params = "TYPE,id=ID[,PROP=VALUE...]",
      .help = "the host's side of a network, for virtio-net-pci; help\n"
              "lists" },
    { .name = "nic", .kind = OPT_LIST, .group = GROUP_DEVICES, FIELD(nics),
      .params = "[TYPE][,mac=ADDRESS][,model=DRIVER][,PROP=VALUE...]",
      .help = "a netdev (user), and a network device for it; none" },
    { .name = "overcommit", .kind = OPT_LIST, .group = GROUP_DEVICES,
      FIELD(overcommit), .params = "[mem-lock=on|off][,cpu-pm=off]",
      .help = "lock the guest's memory: boot RAM, and what is plugged" },
    { .name = "global", .kind = OPT_LIST, .group = GROUP_DEVICES,
      FIELD(globals), .params = "DRIVER.PROP=VALUE",
      .help = "a property of all devices of a kind" },
    { .name = "set", .kind = OPT_SET, .group = GROUP_DEVICES,
      .params = "OPTION.ID.KEY=VALUE",
      .help = "one more KEY=VALUE for -OPTION ...,id=ID" },
    { .name = "readconfig", .kind = OPT_CONFIG, .group = GROUP_DEVICES,
      .params = "FILE", .help = "options in a file, as QEMU's docs/config has" },
    { .name = "nodefaults", .kind = OPT_FLAG, .group = GROUP_DEVICES,
      FIELD(no_defaults), .help = "no serial port and no monitor by default" },

    { .name = "add-fd", .kind = OPT_LIST, .group = GROUP_MONITOR,
      FIELD(add_fds), .params = "fd=N,set=M[,opaque=TEXT]",
      .help = "make an open file one of the set /dev/fdset/M" },
    { .name = "chardev", .kind = OPT_LIST, .group = GROUP_MONITOR,
      FIELD(chardevs), .params = "BACKEND,id=ID[,PROP=VALUE...]",
      .help = "create a character device; help lists" },
    { .name = "serial", .kind = OPT_LIST, .group = GROUP_MONITOR,
      FIELD(serials), .params = "DEV",
      .help = "serial port on DEV: stdio, mon:stdio, pty, null, none,\n"
              "file:PATH, unix:PATH[,server=on][,wait=off], chardev:ID" },
    { .name = "qmp", .kind = OPT_LIST, .group = GROUP_MONITOR, FIELD(qmps),
      .params = "DEV", .help = "QMP server on DEV" },
    { .name = "qmp-pretty", .kind = OPT_LIST, .group = GROUP_MONITOR,
      FIELD(qmp_prettys), .params = "DEV",
      .help = "the same, with indented replies" },
    { .name = "monitor", .kind = OPT_LIST, .group = GROUP_MONITOR,
      FIELD(monitors), .params = "DEV", .help = "monitor for people on DEV" },
    { .name = "mon", .kind = OPT_LIST, .group = GROUP_MONITOR, FIELD(mons),
      .params = "[chardev=]ID[,mode=readline|control][,pretty=on|off][,id=ID]",
      .help = "monitor on a -chardev" },
    { .name = "nographic", .kind = OPT_FLAG, .group = GROUP_MONITOR,
      FIELD(nographic),
      .help = "serial port and monitor on stdio (the default)" },

    { .name = "S", .kind = OPT_FLAG, .group = GROUP_RUN, FIELD(paused),
      .help = "do not start the CPUs: QMP's cont does" },
    { .name = "preconfig", .kind = OPT_FLAG, .group = GROUP_RUN,
      FIELD(preconfig),
      .help = "do not build the machine: QMP's x-exit-preconfig does" },
    { .name = "no-reboot", .kind = OPT_FLAG, .group = GROUP_RUN,
      FIELD(no_reboot), .help = "exit instead of rebooting" },
    { .name = "no-shutdown", .kind = OPT_FLAG, .group = GROUP_RUN,
      FIELD(no_shutdown),
      .help = "stop instead of exiting when the guest shuts down" },
    { .name = "action", .kind = OPT_LIST, .group = GROUP_RUN, FIELD(actions),
      .params = "[reboot=R][,shutdown=S][,panic=P]",
      .help = "what follows when the guest reboots (reset|shutdown),\n"
              "shuts down (poweroff|pause) or crashes (pause|shutdown|\n"
              "exit-failure|none)" },
    { .name = "msg", .kind = OPT_LIST, .group = GROUP_RUN, FIELD(msgs),
      .params = "[timestamp=on|off][,guest-name=on|off]",
      .help = "what comes before each message" },
    { .name = "trace", .kind = OPT_LIST, .group = GROUP_RUN, FIELD(traces),
      .params = "[enable=]PATTERN",
      .help = "print events that match, e.g. ram_discard_*; help lists" },
    { .name = "d", .kind = OPT_LIST, .group = GROUP_RUN, FIELD(log_items),
      .params = "ITEM[,ITEM...]",
      .help = "log guest_errors, trace:PATTERN; help lists" },
    { .name = "D", .kind = OPT_STRING, .group = GROUP_RUN, FIELD(log_file),
      .params = "FILE",
      .help = "the log is FILE (default: standard error)" },
    { .name = "sandbox", .kind = OPT_STRING, .group = GROUP_RUN, FIELD(sandbox),
      .params = "on|off[,hotplug=off][,dirs=DIR:DIR...]",
      .help = "what a running machine may do (default: on); help lists" },
    { .name = "run-with", .kind = OPT_LIST, .group = GROUP_RUN, FIELD(run_with),
      .params = "[async-teardown=on|off][,chroot=DIR][,user=USER[:GROUP]]",
      .help = "once all is open: have memory freed by another process,\n"
              "change the root, the user (or UID:GID)" },
    { .name = "runas", .kind = OPT_STRING, .group = GROUP_RUN, FIELD(runas),
      .params = "USER[:GROUP]", .help = "the same as -run-with user=" },
    { .name = "chroot", .kind = OPT_STRING, .group = GROUP_RUN, FIELD(chroot),
      .params = "DIR", .help = "the same as -run-with chroot=" },
    { .name = "pidfile", .kind = OPT_STRING, .group = GROUP_RUN, FIELD(pidfile),
      .params = "FILE", .help = "write the process id to FILE" },
    { .name = "daemonize", .kind = OPT_FLAG, .group = GROUP_RUN,
      FIELD(daemonize),
      .help = "go to the background once the machine is ready" },
    { .name = "qtest", .kind = OPT_STRING, .group = GROUP_RUN, FIELD(qtest),
      .params = "DEV", .help = "qtest server on DEV" },
    { .name = "qtest-log", .kind = OPT_STRING, .group = GROUP_RUN,
      FIELD(qtest_log), .params = "FILE",
      .help = "what the qtest server hears and says" },

    { .name = "display", .kind = OPT_CHECK, .group = GROUP_COMPAT,
      .params = "none", .help = "there is no display", .text = "none",
      .check = check_word },
    { .name = "vga", .kind = OPT_CHECK, .group = GROUP_COMPAT, .params = "none",
      .help = "there is no graphics card", .text = "none", .check = check_word },
    { .name = "net", .kind = OPT_CHECK, .group = GROUP_COMPAT, .params = "none",
      .help = "there is no default network", .text = "none",
      .check = check_word },
    { .name = "audio", .kind = OPT_CHECK, .group = GROUP_COMPAT,
      .params = "none", .help = "there is no sound", .text = "none",
      .check = check_word },
    { .name = "parallel", .kind = OPT_CHECK, .group = GROUP_COMPAT,
      .params = "none", .help = "there is no parallel port", .text = "none",
      .check = check_word },
    { .name = "rtc", .kind = OPT_CHECK, .group = GROUP_COMPAT,
      .params = "base=utc", .help = "the clock tells UTC",
      .text = "base=utc|clock=host|driftfix=none|driftfix=slew",
      .check = check_keyval },
    { .name = "audiodev", .kind = OPT_CHECK, .group = GROUP_COMPAT,
      .params = "[driver=]none[,id=ID]", .help = "there is no sound",
      .check = check_audiodev },
    { .name = "no-user-config", .kind = OPT_CHECK, .group = GROUP_COMPAT,
      .help = "no configuration file is read" },
    { .name = "no-hpet", .kind = OPT_CHECK, .group = GROUP_COMPAT,
      .help = "there is no HPET" },
    { .name = "no-fd-bootchk", .kind = OPT_FLAG, .group = GROUP_COMPAT,
      FIELD(no_fd_bootchk), .help = "firmware does not look at floppy disks" },
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

/* The arguments of -@group so far; NULL: there are none with ids. */
static GPtrArray *list_of(VlConfig *cfg, const char *group)
{
    for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
        if (options[i].kind == OPT_LIST && !strcmp(options[i].name, group)) {
            return *(GPtrArray **)((char *)cfg + options[i].offset);
        }
    }
    return NULL;
}

static bool add_to_option(VlConfig *cfg, const char *arg, Error **errp)
{
    g_auto(GStrv) parts = g_strsplit(arg, ".", 3);

    if (g_strv_length(parts) < 3 || !*parts[0] || !*parts[1] ||
        !strchr(parts[2], '=') || *parts[2] == '=') {
        error_setg(errp, "-set %s: OPTION.ID.KEY=VALUE is expected", arg);
        return false;
    }
    return vl_apply_set(list_of(cfg, parts[0]), parts[0], parts[1], parts[2],
                        errp);
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
    case OPT_CONFIG:
        return vl_read_config(cfg, arg, errp);
    case OPT_SET:
        return add_to_option(cfg, arg, errp);
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
    const char *reason = absent_reason(ABSENT_OPTION, name);

    if (reason) {
        error_setg(errp, "-%s: not supported: %s", name, reason);
    } else {
        error_setg(errp, "%s: invalid option", word);
    }
    return false;
}

/* What QEMU calls the options whose short name says little. */
static const char *const long_names[][2] = {
    { "boot", "boot-opts" }, { "m", "memory" }, { "smp", "smp-opts" },
};

const char *vl_group_name(const char *option)
{
    for (size_t i = 0; i < ARRAY_SIZE(long_names); i++) {
        if (!strcmp(option, long_names[i][0])) {
            return long_names[i][1];
        }
    }
    return option;
}

bool vl_store_group(VlConfig *cfg, const char *group, const char *arg,
                    Error **errp)
{
    for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
        const VlOption *opt = &options[i];

        /* Files do not name files. */
        if (opt->params && opt->kind < OPT_CONFIG &&
            !strcmp(vl_group_name(opt->name), group)) {
            /* As argv, it lives for ever. */
            return store(cfg, opt, g_intern_string(arg), errp);
        }
    }
    return explain_unknown(group, group, errp);
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
            error_setg(errp, "%s: not an option; a disk is given by -drive "
                       "file=%s,format=raw", word, word);
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
