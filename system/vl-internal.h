/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line, between the files of vl: vl-options.c turns argv into a
 * VlConfig, vl.c hands its parts, in order, to those who carry them out.
 * Nothing else includes this.
 */
#ifndef SYSTEM_VL_INTERNAL_H
#define SYSTEM_VL_INTERNAL_H

#include <json-glib/json-glib.h>

#include "hw/boards.h"

/* The arguments as they were given; all strings are argv's. */
typedef struct VlConfig {
    /* arguments of options that may be repeated, in order (char *) */
    GPtrArray *machine;
    GPtrArray *accel;
    GPtrArray *smp;
    GPtrArray *memory;
    GPtrArray *numa;
    GPtrArray *overcommit;
    GPtrArray *objects;
    GPtrArray *devices;
    GPtrArray *globals;
    GPtrArray *add_fds;
    GPtrArray *chardevs;
    GPtrArray *netdevs;
    GPtrArray *nics;
    GPtrArray *serials;
    GPtrArray *mons;
    GPtrArray *qmps;
    GPtrArray *qmp_prettys;
    GPtrArray *monitors;
    GPtrArray *traces;
    GPtrArray *msgs;
    GPtrArray *actions;
    GPtrArray *log_items;
    GPtrArray *data_dirs;
    GPtrArray *boots;
    GPtrArray *fw_cfgs;
    GPtrArray *option_roms;
    GPtrArray *smbios;
    GPtrArray *blockdevs;
    GPtrArray *drives;
    GPtrArray *pflashes;
    GPtrArray *disks;                     /* -hda and others */
    GPtrArray *cdroms;
    GPtrArray *run_with;
    /* the last one counts; NULL: not given */
    const char *cpu;
    bool no_fd_bootchk;
    const char *bios;
    const char *kernel;
    const char *initrd;
    const char *append;
    const char *name;
    const char *uuid;
    const char *pidfile;
    const char *log_file;
    const char *runas;
    const char *chroot;
    const char *sandbox;
    const char *qtest;
    const char *qtest_log;
    bool help;
    bool version;
    bool explain;
    bool explain_json;
    bool no_defaults;
    bool nographic;
    bool no_reboot;
    bool no_shutdown;
    bool paused;                          /* -S */
    bool preconfig;
    bool daemonize;
} VlConfig;

/* vl-options.c. false: *errp, worded for the user. */
bool vl_parse_options(VlConfig *cfg, int argc, char **argv, Error **errp);
void vl_config_free(VlConfig *cfg);
/* Calls @fn for each option that has an argument, and is not another's other
 * name; @params describes the argument. */
void vl_for_each_option(void (*fn)(const char *name, const char *params,
                                   void *opaque), void *opaque);
/* The name by which QMP and configuration files know @option. */
const char *vl_group_name(const char *option);
/* Does what -@group @arg does; @arg is copied. */
bool vl_store_group(VlConfig *cfg, const char *group, const char *arg,
                    Error **errp);
/* vl-readconfig.c: stores the options that the file @path has. */
bool vl_read_config(VlConfig *cfg, const char *path, Error **errp);
/* vl-set.c: -set GROUP.ID.ASSIGNMENT; @list: the arguments of -@group so far;
 * NULL: there is no such option. */
bool vl_apply_set(GPtrArray *list, const char *group, const char *id,
                  const char *assignment, Error **errp);
/* Prints what -help prints. */
void vl_print_usage(void);
/* Parses "key=value,..."; whatever begins with '{' is JSON, and *keyval false
 * then. NULL: *errp. *help may be NULL: help is a key like others. */
JsonObject *vl_parse_keyval(const char *text, const char *implied_key,
                            bool *keyval, bool *help, Error **errp);

/* The same for -netdev and -nic. */
JsonObject *vl_parse_netdev(const char *text, bool *keyval, Error **errp);

/*
 * Calls @fn for each argument in @args until one fails, with the error
 * messages' location set to "-@option ARGUMENT", which is left set on failure.
 */
typedef bool VlArgFunc(const char *arg, void *opaque, Error **errp);
bool vl_foreach(const char *option, GPtrArray *args, VlArgFunc *fn,
                void *opaque, Error **errp);
/* The same for each "name=value" of each argument. */
typedef bool VlMemberFunc(const char *name, const char *value, Error **errp);
bool vl_foreach_member(const char *option, GPtrArray *args, VlMemberFunc *fn,
                       Error **errp);
bool vl_with(const char *option, const char *arg, VlArgFunc *fn, void *opaque,
             Error **errp);

/* vl-help.c. true: some option asked for help, which has been printed (or, if
 * *errp is set, could not be). */
bool vl_print_help(const VlConfig *cfg, Error **errp);

/* vl-devices.c. The former before any device exists. */
bool vl_register_globals(const VlConfig *cfg, Error **errp);
/* Before any object exists: memory is shared unless it says otherwise, if there
 * will be a device that needs it. */
void vl_share_memory(const VlConfig *cfg);
bool vl_create_devices(const VlConfig *cfg, Error **errp);

/* vl-machine.c. */
/* Creates current_machine and fills it in. */
bool vl_create_machine(const VlConfig *cfg, Error **errp);
/* After -object, before machine_run_board_init(). */
bool vl_configure_numa(const VlConfig *cfg, Error **errp);
bool vl_init_accel(const VlConfig *cfg, Error **errp);
/* After that: whether the machine may be used with it. */
bool vl_check_machine(Error **errp);
/* -overcommit, when all memory is in place: may lock it for good. */
bool vl_configure_overcommit(const VlConfig *cfg, Error **errp);
/* Whether that would lock memory; what it says has been checked. */
bool vl_wants_mem_lock(const VlConfig *cfg);

/* vl-explain.c: prints what the VM would need, in place of all that follows
 * the parsing of options. false: *errp. */
bool vl_explain(const VlConfig *cfg, Error **errp);

/* vl-firmware.c: -L, -boot, -fw_cfg, -option-rom, -smbios. Before machine_run_board_init(). */
bool vl_configure_firmware(const VlConfig *cfg, Error **errp);

/* vl-backends.c: what devices and monitors are connected to. */
/* -add-fd, before whatever opens files. */
bool vl_add_fds(const VlConfig *cfg, Error **errp);
bool vl_create_objects(const VlConfig *cfg, Error **errp);
/* Those that name devices, after these. */
bool vl_create_late_objects(const VlConfig *cfg, Error **errp);
bool vl_create_chardevs(const VlConfig *cfg, Error **errp);
bool vl_create_netdevs(const VlConfig *cfg, Error **errp);
/* Whether what has no terminal can do without one. */
bool vl_check_daemon(const VlConfig *cfg, Error **errp);
bool vl_create_monitors(const VlConfig *cfg, Error **errp);
bool vl_create_serials(const VlConfig *cfg, Error **errp);

/* vl-block.c: -blockdev, -drive, -pflash, -hda. Before devices; the latter before any
 * object: whether another process will need guest memory for them. */
bool vl_create_block(const VlConfig *cfg, Error **errp);
/* Those of them that need guest memory, which is there now. */
bool vl_create_late_block(Error **errp);
bool vl_block_needs_sharing(const VlConfig *cfg);
/* How many drives of the host this process is to drive by itself. */
unsigned vl_block_nr_drives(const VlConfig *cfg);
/* The devices of -drive if=virtio. After those of -device. */
bool vl_create_drive_devices(Error **errp);

/* vl-disk-names.c: whether @file is a name of a server's disk; then it is options of
 * @o's now. */
bool vl_expand_disk_name(JsonObject *o, const char *file);
/* false: *errp, it is one that is no path either. */
bool vl_check_disk_name(const char *file, Error **errp);

/* vl-throttle.c: limits of -drive @o, whose values are text. */
bool vl_drive_is_throttled(JsonObject *o);
/* Takes them out, and makes them a group, called @id unless @o says so, and a node
 * over that of *@o, which is replaced. false: *errp. */
bool vl_expand_throttling(JsonObject **o, const char *id, Error **errp);

/* vl-msg.c: -msg. After -name. */
bool vl_configure_messages(const VlConfig *cfg, Error **errp);

/* vl-action.c: -action. */
bool vl_configure_actions(const VlConfig *cfg, Error **errp);

/* vl-log.c. Before whatever might be logged. */
bool vl_enable_log_items(const VlConfig *cfg, Error **errp);
/* After -add-fd, and -daemonize, as its name may have the process's id. */
bool vl_open_log(const VlConfig *cfg, Error **errp);
/* Prints what -d help prints. */
void vl_list_log_items(void);

/* vl-trace.c: -trace. Before whatever might be traced. */
bool vl_enable_traces(const VlConfig *cfg, Error **errp);
void vl_list_traces(void);

/* vl-run-with.c: -run-with, -runas, -chroot. Looks names up; before the root is
 * another. */
bool vl_check_run_with(const VlConfig *cfg, Error **errp);
/* If it was asked for. In the process that stays, while it has few files. */
bool vl_start_async_teardown(Error **errp);
/* When all is open. Nothing is undone on failure: the program must end then. */
bool vl_change_root_and_user(Error **errp);

/* vl-teardown.c */
bool vl_start_teardown_helper(Error **errp);

/* vl-process.c: what this process is to the rest of the host. */
bool vl_set_name(const char *arg, Error **errp);
/* Becomes a child; the parent waits until vl_daemonize_done(), then exits. */
bool vl_daemonize(Error **errp);
/* Leaves the directory, standard input, output and error; what is said
 * afterwards goes to the log, or nowhere. */
bool vl_daemonize_detach(Error **errp);
void vl_daemonize_done(void);
/* Removed when the process ends. */
bool vl_create_pidfile(const char *path, Error **errp);
void vl_setup_signals(void);

#endif
