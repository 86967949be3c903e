/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * main(): from the command line to the main loop, and out again. Everything is
 * put together in one order, whatever the order of the options; whatever fails
 * on the way ends the program with one message and status 1, and what had been
 * made by then (sockets, terminal settings, the pid file) is undone by exit
 * handlers. Does no work proportional to the guest's memory.
 */
#include "qemu/osdep.h"
#include "chardev/char.h"
#include "exec/address-spaces.h"
#include "hw/qdev-properties.h"
#include "monitor/monitor.h"
#include "net/net.h"
#include "qemu/error-report.h"
#include "qemu/file-mapping.h"
#include "qemu/main-loop.h"
#include "sysemu/cpus.h"
#include "sysemu/runstate.h"
#include "sandbox.h"
#include "sysemu/sysemu.h"
#include "preconfig.h"
#include "qtest.h"
#include "vl-internal.h"

static bool apply_uuid(const char *arg, void *opaque, Error **errp)
{
    return qemu_set_vm_uuid(arg, errp);
}

static bool apply_name(const char *arg, void *opaque, Error **errp)
{
    return vl_set_name(arg, errp);
}

static bool apply_pidfile(const char *arg, void *opaque, Error **errp)
{
    return vl_create_pidfile(arg, errp);
}

static bool apply_qtest(const char *arg, void *opaque, Error **errp)
{
    return qtest_server_init(arg, opaque, errp);
}

/* Ctrl-a x on the terminal. */
static void quit_by_key(Notifier *notifier, void *data)
{
    qemu_system_shutdown_request(SHUTDOWN_CAUSE_HOST_UI);
}

static bool apply_sandbox(const char *arg, void *opaque, Error **errp)
{
    return sandbox_configure(arg, errp);
}

/* The process and its loop; no guest yet. */
static bool set_up_process(const VlConfig *cfg, Error **errp)
{
    static Notifier quit = { .notify = quit_by_key };

    if ((cfg->name && !vl_with("name", cfg->name, apply_name, NULL, errp)) ||
        !vl_configure_messages(cfg, errp) || !vl_enable_traces(cfg, errp) ||
        !vl_enable_log_items(cfg, errp) || !vl_add_fds(cfg, errp) ||
        !vl_check_run_with(cfg, errp)) {
        return false;
    }
    if (cfg->sandbox ? !vl_with("sandbox", cfg->sandbox, apply_sandbox, NULL,
                                errp)
                     : !sandbox_configure(NULL, errp)) {
        return false;
    }
    if (!vl_check_daemon(cfg, errp) ||
        (cfg->daemonize && !vl_daemonize(errp)) ||
        !vl_start_async_teardown(errp) || !vl_open_log(cfg, errp)) {
        return false;
    }
    if ((cfg->uuid && !vl_with("uuid", cfg->uuid, apply_uuid, NULL, errp)) ||
        (cfg->pidfile && !vl_with("pidfile", cfg->pidfile, apply_pidfile, NULL,
                                  errp))) {
        return false;
    }
    /* Also when something fails: sockets, and how the terminal was. */
    atexit(qemu_chr_cleanup);
    atexit(netdev_cleanup);
    qemu_chr_add_quit_notifier(&quit);
    runstate_set_no_reboot(cfg->no_reboot);
    runstate_set_no_shutdown(cfg->no_shutdown);
    if (!vl_configure_actions(cfg, errp)) {
        return false;
    }
    vl_setup_signals();
    main_loop_set_hooks(qemu_system_will_end, qemu_system_obey_requests);
    return qemu_init_main_loop(errp) == 0 && file_mapping_init(errp) == 0;
}

/* What the machine will be, and who may ask for more. */
static bool describe_machine(const VlConfig *cfg, Error **errp)
{
    memory_map_init();
    vl_share_memory(cfg);
    if (!vl_create_machine(cfg, errp) ||
        !vl_register_globals(cfg, errp) ||
        !vl_create_objects(cfg, errp) ||
        !vl_configure_numa(cfg, errp) ||
        !vl_configure_firmware(cfg, errp) ||
        !vl_init_accel(cfg, errp) || !vl_check_machine(errp) ||
        !vl_create_chardevs(cfg, errp) ||
        !vl_create_netdevs(cfg, errp) ||
        !vl_create_monitors(cfg, errp) ||
        !vl_create_serials(cfg, errp)) {
        return false;
    }
    if (cfg->qtest && !vl_with("qtest", cfg->qtest, apply_qtest,
                               (void *)cfg->qtest_log, errp)) {
        return false;
    }
    return true;
}

/* The machine, with all that was asked for; not yet running. */
static bool build_machine(const VlConfig *cfg, Error **errp)
{
    return vl_create_block(cfg, errp) &&
           machine_run_board_init(current_machine, errp) &&
           vl_create_late_block(errp) &&
           vl_create_devices(cfg, errp) && vl_create_drive_devices(errp) &&
           vl_create_late_objects(cfg, errp) &&
           vl_configure_overcommit(cfg, errp);
}

static bool start(const VlConfig *cfg, Error **errp)
{
    qdev_prop_check_globals();
    qdev_machine_creation_done();
    qemu_system_reset(SHUTDOWN_CAUSE_NONE);
    cpu_synchronize_all_post_init();
    sandbox_warm_up();
    if (!vl_change_root_and_user(errp) || !sandbox_prepare(errp) ||
        !vl_daemonize_detach(errp) || !sandbox_enter(errp)) {
        return false;
    }
    vl_daemonize_done();
    if (!cfg->paused) {
        vm_start();
    }
    return true;
}

static void clean_up(void)
{
    if (runstate_is_running()) {
        pause_all_vcpus();
    }
    qemu_run_exit_notifiers();
    monitor_cleanup();
    qtest_server_cleanup();
}

static int fail(Error *err)
{
    error_report_err(err);
    return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    __attribute__((cleanup(vl_config_free))) VlConfig cfg = { 0 };
    Error *err = NULL;
    int status = EXIT_SUCCESS;            /* where nothing has run */

    sandbox_init();
    if (!vl_parse_options(&cfg, argc, argv, &err)) {
        return fail(err);
    }
    if (vl_print_help(&cfg, &err)) {
        return err ? fail(err) : EXIT_SUCCESS;
    }
    if (cfg.explain || cfg.explain_json) {
        return vl_explain(&cfg, &err) ? EXIT_SUCCESS : fail(err);
    }
    if (!set_up_process(&cfg, &err) || !describe_machine(&cfg, &err)) {
        return fail(err);
    }
    if (!cfg.preconfig || preconfig_wait()) {
        if (!build_machine(&cfg, &err) || !start(&cfg, &err)) {
            return fail(err);
        }
        status = qemu_main_loop();
    }
    clean_up();
    return status;
}
