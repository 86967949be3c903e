/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether the VM runs, and what stops, resets or ends it. Devices, signals and
 * QMP only request; the main loop carries the request out between two polls.
 *
 * The *_request() functions may be called from any thread and from signal
 * handlers' bottom halves; all others with the big lock, vm_start() and
 * vm_stop() by the main thread or (vm_stop) by a vCPU thread. QEMU's names.
 */
#ifndef SYSEMU_RUNSTATE_H
#define SYSEMU_RUNSTATE_H

#include "qapi/error.h"
#include "qemu/notify.h"
#include "sysemu/accel.h"

typedef enum RunState {
    RUN_STATE_DEBUG,
    RUN_STATE_INTERNAL_ERROR,
    RUN_STATE_IO_ERROR,
    RUN_STATE_PAUSED,
    RUN_STATE_PRELAUNCH,
    RUN_STATE_RUNNING,
    RUN_STATE_SHUTDOWN,
    RUN_STATE_SUSPENDED,
    RUN_STATE_GUEST_PANICKED,
    RUN_STATE__MAX,
} RunState;

typedef enum ShutdownCause {
    SHUTDOWN_CAUSE_NONE,
    SHUTDOWN_CAUSE_HOST_ERROR,
    SHUTDOWN_CAUSE_HOST_QMP_QUIT,
    SHUTDOWN_CAUSE_HOST_QMP_SYSTEM_RESET,
    SHUTDOWN_CAUSE_HOST_SIGNAL,
    SHUTDOWN_CAUSE_HOST_UI,
    SHUTDOWN_CAUSE_GUEST_SHUTDOWN,
    SHUTDOWN_CAUSE_GUEST_RESET,
    SHUTDOWN_CAUSE_GUEST_PANIC,
    SHUTDOWN_CAUSE_SUBSYSTEM_RESET,       /* not announced by an event */
    SHUTDOWN_CAUSE__MAX,
} ShutdownCause;

/* As QMP spells them: "running", "guest-reset" ... */
const char *RunState_str(RunState state);
static inline bool shutdown_caused_by_guest(ShutdownCause cause)
{
    return cause >= SHUTDOWN_CAUSE_GUEST_SHUTDOWN;
}

/* --- the state --- */

RunState runstate_get(void);
/* A transition that is not in the table of runstate.c is a bug: abort. */
void runstate_set(RunState new_state);
bool runstate_is_running(void);
/* Only a reset leads out of these: internal-error, shutdown. */
bool runstate_needs_reset(void);

/* Hears of each start (@running 1) and stop (0), with the state it leads to. */
typedef void VMChangeStateHandler(void *opaque, int running, RunState state);
typedef struct VMChangeStateEntry VMChangeStateEntry;
/* On start handlers run in the order of registration, on stop against it. */
VMChangeStateEntry *qemu_add_vm_change_state_handler(VMChangeStateHandler *cb,
                                                     void *opaque);
void qemu_del_vm_change_state_handler(VMChangeStateEntry *e);
void vm_state_notify(int running, RunState state);

/* Starts clocks, devices, vCPUs; emits RESUME. Nothing if it runs. */
void vm_start(void);
/* Stops them and emits STOP; then the state is @state. 0 (never fails). On a
 * vCPU thread the stop is only requested, and the vCPU leaves its loop. */
int vm_stop(RunState state);

/* From now on, until it is called with NULL, nobody shall start or stop the VM
 * by hand, since @reason; that stays the caller's. One at a time. */
void runstate_hold(const char *reason);
/* Whether that is so; sets *errp to the reason then. */
bool runstate_is_held(Error **errp);

/* --- requests --- */

/* For cpus_register_accel(): a reset, or a stop for good. */
void runstate_cpu_exited(CPUExit reason);

/* With -no-reboot a reset by the guest is a shutdown. */
void qemu_system_reset_request(ShutdownCause reason);
void qemu_system_shutdown_request(ShutdownCause reason);
/* Whether there is such a request, and the program will end by it. */
bool qemu_system_will_end(void);
void qemu_system_powerdown_request(void);
/* The process was told by @signal to end; @pid of the sender, 0: unknown. */
void qemu_system_killed(int signal, pid_t pid);
/* The guest has crashed: emits GUEST_PANICKED and does what -action says. On
 * any thread that may call vm_stop(). */
void qemu_system_guest_panicked(void);
/* The guest has crashed, and its crash kernel takes over: only tells. */
void qemu_system_guest_crashloaded(void);

/* The ACPI power button: told at each system_powerdown. */
void qemu_register_powerdown_notifier(Notifier *notifier);
void qemu_unregister_powerdown_notifier(Notifier *notifier);

/* Resets the machine; emits RESET unless @reason is NONE or SUBSYSTEM_RESET. */
void qemu_system_reset(ShutdownCause reason);

/* -no-reboot, -no-shutdown. */
void runstate_set_no_reboot(bool on);
void runstate_set_no_shutdown(bool on);

/* -action panic=: what follows a panic; SHUTDOWN until it is set. */
typedef enum PanicAction {
    PANIC_ACTION_PAUSE,
    PANIC_ACTION_SHUTDOWN,
    PANIC_ACTION_EXIT_FAILURE,            /* the same, with exit status 1 */
    PANIC_ACTION_NONE,                    /* the guest goes on */
    PANIC_ACTION__MAX,
} PanicAction;
void runstate_set_panic_action(PanicAction action);

/* The process is about to end: told once the vCPUs are stopped for good, while
 * there are still monitors. */
void qemu_add_exit_notifier(Notifier *notifier);
void qemu_remove_exit_notifier(Notifier *notifier);
/* For vl.c alone. */
void qemu_run_exit_notifiers(void);

/* Obeys all requests but those to end, which only qemu_main_loop() does. Main
 * thread. */
void qemu_system_obey_requests(void);
/* Runs as long as *@wanted; false: the program is to end before. Main thread. */
bool qemu_main_loop_while(const bool *wanted);
/*
 * Runs until another thread has set *@done, atomically, and woken the main loop
 * (qemu_notify_event()). If the program is to end before, which has to wait for
 * that, too, @give_up is called, maybe several times, and has the thread come to an
 * end. Main thread.
 */
void qemu_main_loop_await(const gint *done, void (*give_up)(void *opaque),
                          void *opaque);
/* Runs until a shutdown request is to be obeyed; the exit status. Main
 * thread. */
int qemu_main_loop(void);

#endif
