/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Run states, requests and the events that tell of them; and vCPU threads, of
 * an accelerator that only counts, as they start and stop.
 */
#include "qemu/osdep.h"
#include <signal.h>

#include "qapi/client-event.h"
#include "qemu/main-loop.h"
#include "sysemu/cpus.h"
#include "sysemu/reset.h"
#include "sysemu/runstate.h"
#include "tests/patience.h"

/* --- what was told --- */

static GString *events;

static void record_event(const char *event, JsonObject *data)
{
    g_string_append_printf(events, "%s%s", events->len ? " " : "", event);
    if (data) {
        if (json_object_has_member(data, "reason")) {
            g_string_append_printf(
                events, "(%s,%s)",
                json_object_get_string_member(data, "reason"),
                json_object_get_boolean_member(data, "guest") ? "guest"
                                                              : "host");
        }
        json_object_unref(data);
    }
}

static int resets;

static void count_reset(void *opaque)
{
    resets++;
}

static void set_up(void)
{
    vm_stop(RUN_STATE_PAUSED);
    runstate_set(RUN_STATE_PRELAUNCH);
    runstate_set_no_reboot(false);
    runstate_set_no_shutdown(false);
    resets = 0;
    g_string_truncate(events, 0);
}

static gboolean end_loop(gpointer opaque)
{
    qemu_system_shutdown_request(SHUTDOWN_CAUSE_HOST_QMP_QUIT);
    return G_SOURCE_REMOVE;
}

/* Runs the loop until nothing is left to do, then ends it. */
static void run_loop(void)
{
    g_timeout_add(20, end_loop, NULL);
    qemu_main_loop();
}

/* --- states --- */

static void test_start_and_stop_are_told(void)
{
    set_up();
    vm_start();
    g_assert_true(runstate_is_running());
    vm_start();
    vm_stop(RUN_STATE_PAUSED);
    g_assert_cmpint(runstate_get(), ==, RUN_STATE_PAUSED);
    vm_stop(RUN_STATE_PAUSED);

    g_assert_cmpstr(events->str, ==, "RESUME STOP");
}

static void test_names_are_qmp_s(void)
{
    g_assert_cmpstr(RunState_str(RUN_STATE_PRELAUNCH), ==, "prelaunch");
    g_assert_cmpstr(RunState_str(RUN_STATE_INTERNAL_ERROR), ==,
                    "internal-error");
    for (int i = 0; i < RUN_STATE__MAX; i++) {
        g_assert_nonnull(RunState_str(i));
    }
}

static void test_wrong_transition_is_a_bug(void)
{
    if (g_test_subprocess()) {
        set_up();
        vm_start();
        runstate_set(RUN_STATE_PRELAUNCH);
        return;
    }
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_failed();
    g_test_trap_assert_stderr("*'running' -> 'prelaunch'*");
}

static GString *order;

static void note_change(void *opaque, int running, RunState state)
{
    g_string_append_printf(order, "%s%d ", (char *)opaque, running);
}

static void test_change_handlers_nest(void)
{
    VMChangeStateEntry *e[3];

    set_up();
    order = g_string_new(NULL);
    e[0] = qemu_add_vm_change_state_handler(note_change, "a");
    e[1] = qemu_add_vm_change_state_handler(note_change, "b");
    e[2] = qemu_add_vm_change_state_handler(note_change, "c");

    vm_start();
    vm_stop(RUN_STATE_PAUSED);
    g_assert_cmpstr(order->str, ==, "a1 b1 c1 c0 b0 a0 ");

    for (int i = 0; i < 3; i++) {
        qemu_del_vm_change_state_handler(e[i]);
    }
    vm_start();
    g_assert_cmpuint(order->len, ==, 18);
    g_string_free(order, true);
}

/* --- requests --- */

static void test_shutdown_ends_the_loop_with_its_reason(void)
{
    set_up();
    qemu_system_shutdown_request(SHUTDOWN_CAUSE_GUEST_SHUTDOWN);
    qemu_main_loop();

    g_assert_cmpstr(events->str, ==, "SHUTDOWN(guest-shutdown,guest)");
}

static void test_signal_ends_the_loop_even_with_no_shutdown(void)
{
    set_up();
    runstate_set_no_shutdown(true);
    qemu_system_killed(SIGTERM, 0);
    qemu_main_loop();

    g_assert_cmpstr(events->str, ==, "SHUTDOWN(host-signal,host)");
}

static gboolean quit_by_signal(gpointer opaque)
{
    qemu_system_killed(SIGTERM, 0);
    return G_SOURCE_REMOVE;
}

static void test_no_shutdown_stops_instead(void)
{
    set_up();
    runstate_set_no_shutdown(true);
    vm_start();
    qemu_system_shutdown_request(SHUTDOWN_CAUSE_GUEST_SHUTDOWN);
    g_timeout_add(20, quit_by_signal, NULL);
    qemu_main_loop();

    g_assert_cmpstr(events->str, ==, "RESUME SHUTDOWN(guest-shutdown,guest) "
                    "STOP SHUTDOWN(host-signal,host)");
    g_assert_cmpint(runstate_get(), ==, RUN_STATE_SHUTDOWN);
    g_assert_true(runstate_needs_reset());
}

static void test_reset_keeps_a_running_vm_running(void)
{
    set_up();
    vm_start();
    qemu_system_reset_request(SHUTDOWN_CAUSE_GUEST_RESET);
    run_loop();

    g_assert_cmpint(resets, ==, 1);
    g_assert_true(runstate_is_running());
    g_assert_cmpstr(events->str, ==, "RESUME RESET(guest-reset,guest) "
                    "SHUTDOWN(host-qmp-quit,host)");
}

static void test_reset_of_a_paused_vm_leads_to_prelaunch(void)
{
    set_up();
    vm_start();
    vm_stop(RUN_STATE_INTERNAL_ERROR);
    qemu_system_reset_request(SHUTDOWN_CAUSE_HOST_QMP_SYSTEM_RESET);
    run_loop();

    g_assert_cmpint(resets, ==, 1);
    g_assert_cmpint(runstate_get(), ==, RUN_STATE_PRELAUNCH);
    g_assert_false(runstate_needs_reset());
}

static void test_no_reboot_makes_a_reset_a_shutdown(void)
{
    set_up();
    runstate_set_no_reboot(true);
    qemu_system_reset_request(SHUTDOWN_CAUSE_GUEST_RESET);
    qemu_main_loop();

    g_assert_cmpint(resets, ==, 0);
    g_assert_cmpstr(events->str, ==, "SHUTDOWN(guest-reset,guest)");
}

static void test_first_reset_is_silent(void)
{
    set_up();
    qemu_system_reset(SHUTDOWN_CAUSE_NONE);

    g_assert_cmpint(resets, ==, 1);
    g_assert_cmpstr(events->str, ==, "");
}

static int powerdowns;

static void count_powerdown(Notifier *n, void *data)
{
    powerdowns++;
}

static void test_powerdown_presses_the_button(void)
{
    Notifier n = { .notify = count_powerdown };

    set_up();
    qemu_register_powerdown_notifier(&n);
    qemu_system_powerdown_request();
    run_loop();
    qemu_unregister_powerdown_notifier(&n);

    g_assert_cmpint(powerdowns, ==, 1);
    g_assert_true(g_str_has_prefix(events->str, "POWERDOWN"));
}

static void test_panic_pauses_if_told_so(void)
{
    set_up();
    runstate_set_panic_action(PANIC_ACTION_PAUSE);
    vm_start();
    qemu_system_guest_panicked();

    g_assert_cmpstr(events->str, ==, "RESUME GUEST_PANICKED STOP");
    g_assert_cmpint(runstate_get(), ==, RUN_STATE_GUEST_PANICKED);
    /* Its crash kernel may have to be booted. */
    g_assert_false(runstate_needs_reset());
}

static void test_panic_ends_the_loop(void)
{
    static const struct {
        PanicAction action;
        int status;
    } cases[] = {
        { PANIC_ACTION_SHUTDOWN, EXIT_SUCCESS },
        { PANIC_ACTION_EXIT_FAILURE, EXIT_FAILURE },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        set_up();
        runstate_set_panic_action(cases[i].action);
        vm_start();
        qemu_system_guest_panicked();
        g_assert_cmpint(qemu_main_loop(), ==, cases[i].status);
        g_assert_cmpstr(events->str, ==, "RESUME GUEST_PANICKED STOP "
                        "SHUTDOWN(guest-panic,guest)");
    }
}

static void test_panic_may_be_let_pass(void)
{
    set_up();
    runstate_set_panic_action(PANIC_ACTION_NONE);
    vm_start();
    qemu_system_guest_panicked();
    qemu_system_guest_crashloaded();

    g_assert_cmpstr(events->str, ==,
                    "RESUME GUEST_PANICKED GUEST_CRASHLOADED");
    g_assert_true(runstate_is_running());
}

/* --- vCPU threads --- */

static const TypeInfo cpu_types[] = {
    { .name = "counting-cpu", .parent = TYPE_CPU },
};
DEFINE_TYPES(cpu_types)

#define NR_CPUS 4

static gint turns[NR_CPUS];               /* of "running the guest" */

/* What the guest of CPU 0 does next; once. */
static gint next_exit;                    /* CPUExit */

static CPUExit count_turns(CPUState *cpu)
{
    CPUExit reason = CPU_EXIT_NONE;

    while (!g_atomic_int_get(&cpu->exit_request)) {
        if (cpu->cpu_index == 0) {
            reason = __atomic_exchange_n(&next_exit, CPU_EXIT_NONE,
                                         __ATOMIC_SEQ_CST);
        }
        if (reason != CPU_EXIT_NONE) {
            return reason;
        }
        g_atomic_int_inc(&turns[cpu->cpu_index]);
        g_usleep(50);
    }
    return CPU_EXIT_REQUESTED;
}

static const CpusAccel counting_accel = {
    .name = "count",
    .exec = count_turns,
};

static CPUState *cpus[NR_CPUS];

static void wait_for_turns(void)
{
    int before[NR_CPUS];

    for (int i = 0; i < NR_CPUS; i++) {
        before[i] = g_atomic_int_get(&turns[i]);
    }
    for (int i = 0; i < NR_CPUS; i++) {
        gint64 deadline = patience_deadline();

        while (g_atomic_int_get(&turns[i]) == before[i]) {
            patience_check(deadline);
            qemu_mutex_unlock_iothread();
            g_usleep(1000);
            qemu_mutex_lock_iothread();
        }
    }
}

static void test_cpus_are_created_stopped(void)
{
    set_up();
    for (int i = 0; i < NR_CPUS; i++) {
        cpus[i] = CPU(object_new("counting-cpu"));
        qemu_init_vcpu(cpus[i]);
        g_assert_cmpint(cpus[i]->cpu_index, ==, i);
        g_assert_true(cpus[i]->created);
        g_assert_true(cpus[i]->stopped);
        g_assert_cmpint(cpus[i]->thread_id, >, 0);
    }
}

static void test_cpus_run_and_stop_together(void)
{
    CPUState *cpu;
    int stopped_at;

    set_up();
    for (int round = 0; round < 20; round++) {
        vm_start();
        if (round % 4 == 0) {
            wait_for_turns();
        }
        vm_stop(RUN_STATE_PAUSED);
        stopped_at = g_atomic_int_get(&turns[0]);
        CPU_FOREACH(cpu) {
            g_assert_true(cpu->stopped);
        }
        g_usleep(500);
        g_assert_cmpint(g_atomic_int_get(&turns[0]), ==, stopped_at);
    }
}

/* Starts the VM; its CPU 0 leaves the guest for @reason, and has stopped. */
static void leave_guest(CPUExit reason)
{
    vm_start();
    g_atomic_int_set(&next_exit, reason);
    for (int ms = 0; !cpus[0]->stopped; ms++) {
        g_assert_cmpint(ms, <, 10000);
        qemu_mutex_unlock_iothread();
        g_usleep(1000);
        qemu_mutex_lock_iothread();
    }
    run_loop();
}

static void test_cpu_that_cannot_go_on_stops_the_vm(void)
{
    set_up();
    leave_guest(CPU_EXIT_ERROR);

    g_assert_cmpint(runstate_get(), ==, RUN_STATE_INTERNAL_ERROR);
    g_assert_true(cpus[1]->stopped);
    g_assert_cmpint(resets, ==, 0);
}

static void test_cpu_that_resets_runs_again(void)
{
    set_up();
    leave_guest(CPU_EXIT_RESET);

    g_assert_cmpint(resets, ==, 1);
    wait_for_turns();
}

static void test_cpus_end(void)
{
    set_up();
    for (int i = NR_CPUS - 1; i >= 0; i--) {
        cpu_remove_sync(cpus[i]);
        object_unref(cpus[i]);
    }
    g_assert_null(first_cpu);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    events = g_string_new(NULL);
    qapi_event_set_emitter(record_event);
    qemu_register_reset(count_reset, NULL);
    qemu_init_main_loop(&error_abort);
    cpus_register_accel(&counting_accel, runstate_cpu_exited);
    g_test_add_func("/runstate/start-and-stop-are-told",
                    test_start_and_stop_are_told);
    g_test_add_func("/runstate/names-are-qmp-s", test_names_are_qmp_s);
    g_test_add_func("/runstate/wrong-transition-is-a-bug",
                    test_wrong_transition_is_a_bug);
    g_test_add_func("/runstate/change-handlers-nest",
                    test_change_handlers_nest);
    g_test_add_func("/runstate/shutdown-ends-the-loop-with-its-reason",
                    test_shutdown_ends_the_loop_with_its_reason);
    g_test_add_func("/runstate/signal-ends-the-loop-even-with-no-shutdown",
                    test_signal_ends_the_loop_even_with_no_shutdown);
    g_test_add_func("/runstate/no-shutdown-stops-instead",
                    test_no_shutdown_stops_instead);
    g_test_add_func("/runstate/reset-keeps-a-running-vm-running",
                    test_reset_keeps_a_running_vm_running);
    g_test_add_func("/runstate/reset-of-a-paused-vm-leads-to-prelaunch",
                    test_reset_of_a_paused_vm_leads_to_prelaunch);
    g_test_add_func("/runstate/no-reboot-makes-a-reset-a-shutdown",
                    test_no_reboot_makes_a_reset_a_shutdown);
    g_test_add_func("/runstate/first-reset-is-silent",
                    test_first_reset_is_silent);
    g_test_add_func("/runstate/powerdown-presses-the-button",
                    test_powerdown_presses_the_button);
    g_test_add_func("/runstate/panic-pauses-if-told-so",
                    test_panic_pauses_if_told_so);
    g_test_add_func("/runstate/panic-ends-the-loop", test_panic_ends_the_loop);
    g_test_add_func("/runstate/panic-may-be-let-pass",
                    test_panic_may_be_let_pass);
    g_test_add_func("/cpus/are-created-stopped", test_cpus_are_created_stopped);
    g_test_add_func("/cpus/run-and-stop-together",
                    test_cpus_run_and_stop_together);
    g_test_add_func("/cpus/that-cannot-go-on-stops-the-vm",
                    test_cpu_that_cannot_go_on_stops_the_vm);
    g_test_add_func("/cpus/that-resets-runs-again",
                    test_cpu_that_resets_runs_again);
    g_test_add_func("/cpus/end", test_cpus_end);
    return g_test_run();
}
