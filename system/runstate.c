/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The run state, the requests to change it, and the main loop that obeys them.
 * sysemu/runstate.h has the contract. The vCPU threads are cpus.c's business.
 */
#include "qemu/osdep.h"

#include "hw/boards.h"
#include "qapi/client-event.h"
#include "qemu/error-report.h"
#include "qemu/main-loop.h"
#include "qemu/may-open.h"
#include "qemu/timer.h"
#include "sysemu/cpus.h"
#include "sysemu/reset.h"
#include "sysemu/runstate.h"
#include "trace.h"

/* --- names --- */

static const char *const run_state_names[RUN_STATE__MAX] = {
    [RUN_STATE_DEBUG] = "debug",
    [RUN_STATE_INTERNAL_ERROR] = "internal-error",
    [RUN_STATE_IO_ERROR] = "io-error",
    [RUN_STATE_PAUSED] = "paused",
    [RUN_STATE_PRELAUNCH] = "prelaunch",
    [RUN_STATE_RUNNING] = "running",
    [RUN_STATE_SHUTDOWN] = "shutdown",
    [RUN_STATE_SUSPENDED] = "suspended",
    [RUN_STATE_GUEST_PANICKED] = "guest-panicked",
};

static const char *const shutdown_cause_names[SHUTDOWN_CAUSE__MAX] = {
    [SHUTDOWN_CAUSE_NONE] = "none",
    [SHUTDOWN_CAUSE_HOST_ERROR] = "host-error",
    [SHUTDOWN_CAUSE_HOST_QMP_QUIT] = "host-qmp-quit",
    [SHUTDOWN_CAUSE_HOST_QMP_SYSTEM_RESET] = "host-qmp-system-reset",
    [SHUTDOWN_CAUSE_HOST_SIGNAL] = "host-signal",
    [SHUTDOWN_CAUSE_HOST_UI] = "host-ui",
    [SHUTDOWN_CAUSE_GUEST_SHUTDOWN] = "guest-shutdown",
    [SHUTDOWN_CAUSE_GUEST_RESET] = "guest-reset",
    [SHUTDOWN_CAUSE_GUEST_PANIC] = "guest-panic",
    [SHUTDOWN_CAUSE_SUBSYSTEM_RESET] = "subsystem-reset",
};

const char *RunState_str(RunState state)
{
    g_assert(state < RUN_STATE__MAX);
    return run_state_names[state];
}

/* --- the state --- */

static RunState current_run_state = RUN_STATE_PRELAUNCH;

#define TO(state) (1U << RUN_STATE_##state)

/* Ways to stop that are open to a VM that runs or could. */
#define TO_STOPPED (TO(PAUSED) | TO(INTERNAL_ERROR) | TO(IO_ERROR) |         \
                    TO(SHUTDOWN) | TO(GUEST_PANICKED) | TO(DEBUG))

/* After a state that needs one, a reset: to prelaunch (or paused) only. */
static const unsigned run_state_transitions[RUN_STATE__MAX] = {
    [RUN_STATE_PRELAUNCH] = TO(RUNNING) | TO_STOPPED,
    [RUN_STATE_RUNNING] = TO_STOPPED | TO(SUSPENDED),
    [RUN_STATE_PAUSED] = TO(RUNNING) | TO(PRELAUNCH) | TO_STOPPED,
    [RUN_STATE_DEBUG] = TO(RUNNING) | TO(PRELAUNCH) | TO(PAUSED),
    [RUN_STATE_IO_ERROR] = TO(RUNNING) | TO(PRELAUNCH) | TO(PAUSED),
    [RUN_STATE_SUSPENDED] = TO(RUNNING) | TO(PRELAUNCH) | TO_STOPPED,
    [RUN_STATE_INTERNAL_ERROR] = TO(PRELAUNCH) | TO(PAUSED),
    [RUN_STATE_SHUTDOWN] = TO(PRELAUNCH) | TO(PAUSED),
    /* It may still have something to do: boot its crash kernel. */
    [RUN_STATE_GUEST_PANICKED] = TO(RUNNING) | TO(PRELAUNCH) | TO(PAUSED) |
                                 TO(SHUTDOWN),
};

RunState runstate_get(void)
{
    return current_run_state;
}

bool runstate_is_running(void)
{
    return current_run_state == RUN_STATE_RUNNING;
}

bool runstate_needs_reset(void)
{
    return !(run_state_transitions[current_run_state] &
             (TO(RUNNING) | TO(SUSPENDED)));
}

void runstate_set(RunState new_state)
{
    g_assert(new_state < RUN_STATE__MAX);
    if (new_state == current_run_state) {
        return;
    }
    if (!(run_state_transitions[current_run_state] & (1U << new_state))) {
        g_error("invalid runstate transition: '%s' -> '%s'",
                RunState_str(current_run_state), RunState_str(new_state));
    }
    trace_runstate_set(RunState_str(current_run_state), RunState_str(new_state));
    current_run_state = new_state;
}

/* --- who hears of changes --- */

struct VMChangeStateEntry {
    VMChangeStateHandler *cb;
    void *opaque;
};

/* VMChangeStateEntry, in the order of registration. */
static GQueue change_handlers = G_QUEUE_INIT;

VMChangeStateEntry *qemu_add_vm_change_state_handler(VMChangeStateHandler *cb,
                                                     void *opaque)
{
    VMChangeStateEntry *e = g_new(VMChangeStateEntry, 1);

    *e = (VMChangeStateEntry) { cb, opaque };
    g_queue_push_tail(&change_handlers, e);
    return e;
}

void qemu_del_vm_change_state_handler(VMChangeStateEntry *e)
{
    g_queue_remove(&change_handlers, e);
    g_free(e);
}

void vm_state_notify(int running, RunState state)
{
    GList *l = running ? change_handlers.head : change_handlers.tail;

    while (l) {
        VMChangeStateEntry *e = l->data;

        /* First, since a handler may remove itself. */
        l = running ? l->next : l->prev;
        e->cb(e->opaque, running, state);
    }
}

/* --- start and stop --- */

static gint vmstop_requested = RUN_STATE__MAX; /* RunState; __MAX: none */

/* For any thread: the main loop is to do it. */
static void request_vmstop(RunState state)
{
    g_atomic_int_set(&vmstop_requested, state);
    g_main_context_wakeup(NULL);
}

void vm_start(void)
{
    if (runstate_is_running()) {
        return;
    }
    cpu_enable_ticks();
    runstate_set(RUN_STATE_RUNNING);
    vm_state_notify(1, RUN_STATE_RUNNING);
    resume_all_vcpus();
    qapi_event_emit("RESUME", NULL);
}

int vm_stop(RunState state)
{
    if (qemu_in_vcpu_thread()) {
        request_vmstop(state);
        cpu_stop_current();
        return 0;
    }
    if (!runstate_is_running()) {
        return 0;
    }
    cpu_disable_ticks();
    pause_all_vcpus();
    runstate_set(state);
    vm_state_notify(0, state);
    qapi_event_emit("STOP", NULL);
    return 0;
}

static const char *held;                  /* why; NULL: not held */

void runstate_hold(const char *reason)
{
    g_assert(!held || !reason);
    held = reason;
}

bool runstate_is_held(Error **errp)
{
    if (held) {
        error_setg(errp, "%s", held);
    }
    return held != NULL;
}

/* --- requests: written by any thread, taken by the main loop --- */

static gint reset_requested;              /* ShutdownCause */
static gint shutdown_requested;           /* ShutdownCause */
static gint powerdown_requested;          /* bool */
static gint shutdown_signal;
static gint shutdown_pid;
static bool no_reboot;
static bool no_shutdown;

static NotifierList powerdown_notifiers =
    NOTIFIER_LIST_INITIALIZER(powerdown_notifiers);
void runstate_set_no_reboot(bool on)
{
    no_reboot = on;
}

void runstate_set_no_shutdown(bool on)
{
    no_shutdown = on;
}

static void wake_main_loop(void)
{
    g_main_context_wakeup(NULL);
}

void qemu_system_reset_request(ShutdownCause reason)
{
    if (no_reboot && reason != SHUTDOWN_CAUSE_SUBSYSTEM_RESET) {
        g_atomic_int_set(&shutdown_requested, reason);
    } else {
        g_atomic_int_set(&reset_requested, reason);
    }
    cpu_stop_current();
    wake_main_loop();
}

void qemu_system_shutdown_request(ShutdownCause reason)
{
    g_atomic_int_set(&shutdown_requested, reason);
    wake_main_loop();
}

bool qemu_system_will_end(void)
{
    return g_atomic_int_get(&shutdown_requested) && !no_shutdown;
}

void qemu_system_powerdown_request(void)
{
    g_atomic_int_set(&powerdown_requested, true);
    wake_main_loop();
}

/* Called in a signal handler: nothing but atomic stores and a write(). */
void qemu_system_killed(int signal, pid_t pid)
{
    g_atomic_int_set(&shutdown_signal, signal);
    g_atomic_int_set(&shutdown_pid, pid);
    /* Whoever kills the process means it, -no-shutdown or not. */
    no_shutdown = false;
    g_atomic_int_set(&shutdown_requested, SHUTDOWN_CAUSE_HOST_SIGNAL);
    wake_main_loop();
}

/* --- a guest that has crashed --- */

static PanicAction panic_action = PANIC_ACTION_SHUTDOWN;

/* As clients are told of them. */
static const char *const panic_action_texts[PANIC_ACTION__MAX] = {
    [PANIC_ACTION_PAUSE] = "pause",
    [PANIC_ACTION_SHUTDOWN] = "poweroff",
    [PANIC_ACTION_EXIT_FAILURE] = "poweroff",
    [PANIC_ACTION_NONE] = "run",
};

void runstate_set_panic_action(PanicAction action)
{
    panic_action = action;
}

/* What is done, in words: @source is of panic_action_texts. */
static JsonObject *guest_news(void *source)
{
    JsonObject *data = json_object_new();

    json_object_set_string_member(data, "action", *(const char **)source);
    return data;
}

/* The guest goes on, and may say it again and again: hence thinned out. */
void qemu_system_guest_crashloaded(void)
{
    static const char *run = "run";

    qapi_event_emit_thinned("GUEST_CRASHLOADED", guest_news, &run);
}

void qemu_system_guest_panicked(void)
{
    void *text = (void *)&panic_action_texts[panic_action];

    if (panic_action == PANIC_ACTION_NONE) {
        qapi_event_emit_thinned("GUEST_PANICKED", guest_news, text);
        return;
    }
    qapi_event_emit("GUEST_PANICKED", guest_news(text));
    vm_stop(RUN_STATE_GUEST_PANICKED);
    if (panic_action != PANIC_ACTION_PAUSE) {
        qemu_system_shutdown_request(SHUTDOWN_CAUSE_GUEST_PANIC);
    }
}

/* --- the power button --- */

void qemu_register_powerdown_notifier(Notifier *notifier)
{
    notifier_list_add(&powerdown_notifiers, notifier);
}

void qemu_unregister_powerdown_notifier(Notifier *notifier)
{
    notifier_remove(notifier);
}

void runstate_cpu_exited(CPUExit reason)
{
    if (reason == CPU_EXIT_RESET) {
        qemu_system_reset_request(SHUTDOWN_CAUSE_GUEST_RESET);
    } else if (reason == CPU_EXIT_ERROR) {
        vm_stop(RUN_STATE_INTERNAL_ERROR);
    }
}

/* --- obeying them --- */

static void emit_cause(const char *event, ShutdownCause cause)
{
    JsonObject *data = json_object_new();

    json_object_set_boolean_member(data, "guest",
                                   shutdown_caused_by_guest(cause));
    json_object_set_string_member(data, "reason", shutdown_cause_names[cause]);
    qapi_event_emit(event, data);
}

void qemu_system_reset(ShutdownCause reason)
{
    MachineState *ms = current_machine;

    /* No device starts anything before all of them are reset. */
    aio_pause_all();
    if (ms && MACHINE_GET_CLASS(ms)->reset) {
        MACHINE_GET_CLASS(ms)->reset(ms);
    } else {
        qemu_devices_reset();
    }
    aio_resume_all();
    if (reason && reason != SHUTDOWN_CAUSE_SUBSYSTEM_RESET) {
        emit_cause("RESET", reason);
    }
    cpu_synchronize_all_post_reset();
}

/* The name of process @pid, for a message; g_free(); NULL: it is gone. */
static char *process_name(int pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/comm", pid);
    char *name = NULL;

    if (qemu_may_open(NULL) && g_file_get_contents(path, &name, NULL, NULL)) {
        g_strchomp(name);
    }
    return name;
}

static void report_kill(void)
{
    int sig = g_atomic_int_get(&shutdown_signal);
    int pid = g_atomic_int_get(&shutdown_pid);
    g_autofree char *name = NULL;

    if (!sig) {
        return;
    }
    if (!pid) {
        /* Ctrl-C on the terminal: the user knows. */
        info_report("terminating on signal %d", sig);
    } else {
        name = process_name(pid);
        info_report("terminating on signal %d from pid %d (%s)", sig, pid,
                    name ? name : "<unknown process>");
    }
    g_atomic_int_set(&shutdown_signal, 0);
}

/* Reads a request and leaves @none in its place. */
static gint take_request(gint *request, gint none)
{
    return __atomic_exchange_n(request, none, __ATOMIC_SEQ_CST);
}

static int exit_status = EXIT_SUCCESS;

/* true: the main loop is to end. */
static bool obey_shutdown(void)
{
    ShutdownCause cause = take_request(&shutdown_requested, 0);

    if (!cause) {
        return false;
    }
    report_kill();
    emit_cause("SHUTDOWN", cause);
    if (no_shutdown) {
        vm_stop(cause == SHUTDOWN_CAUSE_GUEST_PANIC ? RUN_STATE_GUEST_PANICKED
                                                    : RUN_STATE_SHUTDOWN);
        return false;
    }
    exit_status = cause == SHUTDOWN_CAUSE_GUEST_PANIC &&
                  panic_action == PANIC_ACTION_EXIT_FAILURE ? EXIT_FAILURE
                                                            : EXIT_SUCCESS;
    return true;
}

static void obey_reset(void)
{
    ShutdownCause cause = take_request(&reset_requested, 0);

    if (!cause) {
        return;
    }
    pause_all_vcpus();
    /* Before the reset, which may find that the guest can no longer be run. */
    if (!runstate_is_running()) {
        runstate_set(RUN_STATE_PRELAUNCH);
    }
    qemu_system_reset(cause);
    if (runstate_is_running()) {
        resume_all_vcpus();
    }
}

static void obey_powerdown(void)
{
    if (take_request(&powerdown_requested, 0)) {
        qapi_event_emit("POWERDOWN", NULL);
        notifier_list_notify(&powerdown_notifiers, NULL);
    }
}

static void obey_vmstop(void)
{
    RunState state = take_request(&vmstop_requested, RUN_STATE__MAX);

    if (state < RUN_STATE__MAX) {
        vm_stop(state);
    }
}

/* --- the end --- */

static NotifierList exit_notifiers = NOTIFIER_LIST_INITIALIZER(exit_notifiers);

void qemu_add_exit_notifier(Notifier *notifier)
{
    notifier_list_add(&exit_notifiers, notifier);
}

void qemu_remove_exit_notifier(Notifier *notifier)
{
    notifier_remove(notifier);
}

void qemu_run_exit_notifiers(void)
{
    notifier_list_notify(&exit_notifiers, NULL);
}

void qemu_system_obey_requests(void)
{
    obey_reset();
    obey_powerdown();
    obey_vmstop();
}

static bool main_loop_should_exit(void)
{
    if (obey_shutdown()) {
        return true;
    }
    qemu_system_obey_requests();
    return false;
}

bool qemu_main_loop_while(const bool *wanted)
{
    while (*wanted) {
        if (main_loop_should_exit()) {
            return false;
        }
        main_loop_wait(false);
    }
    return true;
}

void qemu_main_loop_await(const gint *done, void (*give_up)(void *opaque),
                          void *opaque)
{
    while (!g_atomic_int_get(done)) {
        if (qemu_system_will_end()) {
            give_up(opaque);
        }
        main_loop_wait(false);
    }
}

int qemu_main_loop(void)
{
    while (!main_loop_should_exit()) {
        main_loop_wait(false);
    }
    return exit_status;
}
