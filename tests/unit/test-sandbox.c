/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The filters of system calls: for each kind of thread, every call that is not
 * in its list, and every argument that is not allowed, ends the process, after
 * a line that names both; and what the table promises to itself holds.
 */
#include "qemu/osdep.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>

#include "system/sandbox-internal.h"
#include "system/sandbox.h"
#include "tests/patience.h"

/* More than Linux has for now. */
#define NR_CALLS 512

static const char *const names[NR_CALLS] = {
#include "syscall-names.h"
};

static const char *const kind_words[QEMU_THREAD__MAX] = {
    [QEMU_THREAD_MAIN] = "the main thread ('main')",
    [QEMU_THREAD_VCPU] = "a vCPU thread ('tested')",
    [QEMU_THREAD_WORKER] = "a worker thread ('tested')",
    [QEMU_THREAD_IO] = "an I/O thread ('tested')",
};

typedef struct Call {
    QemuThreadKind kind;
    long nr;
    unsigned long args[4];
} Call;

/* --- in the child --- */

static gpointer make_call(gpointer opaque)
{
    const Call *call = opaque;
    const unsigned long *a = call->args;

    if (sandbox_filter_enter(call->kind)) {
        _exit(2);
    }
    _exit(syscall(call->nr, a[0], a[1], a[2], a[3]) < 0 ? errno : 0);
}

static void call_in_thread(void *opaque)
{
    Call *call = opaque;

    if (call->kind == QEMU_THREAD_MAIN) {
        make_call(call);
    }
    g_thread_join(qemu_thread_try_new(call->kind, "tested", make_call, call,
                                      &error_abort));
}

/* Which is given so many @seconds. */
static void G_GNUC_NORETURN be_child(void (*fn)(void *opaque), void *opaque,
                                     int output, unsigned seconds)
{
    struct rlimit no_core = { 0, 0 };

    setrlimit(RLIMIT_CORE, &no_core);
    dup2(output, STDERR_FILENO);
    dup2(output, STDOUT_FILENO);          /* TAP is the parent's */
    alarm(seconds);
    if (!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) {
        fn(opaque);
    }
    _exit(2);
}

/* --- in the test --- */

/* The wait status of a child that does @fn, which ends it by _exit(). *said
 * (g_free()) is what it wrote. */
static int run_child(void (*fn)(void *opaque), void *opaque, char **said)
{
    unsigned seconds = 1 + patience_us() / G_USEC_PER_SEC;
    char buffer[1024];
    ssize_t len;
    int status, fds[2];
    pid_t pid;

    g_assert_no_errno(pipe(fds));
    pid = fork();
    g_assert_cmpint(pid, >=, 0);
    if (!pid) {
        be_child(fn, opaque, fds[1], seconds);
    }
    close(fds[1]);
    g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
    len = read(fds[0], buffer, sizeof(buffer) - 1);
    buffer[MAX(len, 0)] = '\0';
    close(fds[0]);
    *said = g_strdup(buffer);
    return status;
}

/* Makes the call in a thread of its kind; as run_child(). */
static int try_call(Call call, char **said)
{
    return run_child(call_in_thread, &call, said);
}

static void expect_denied(Call call)
{
    g_autofree char *said = NULL;
    g_autofree char *expected = g_strdup_printf(
        "sparsevm: sandbox: %s may not call %s(0x%lx, ", kind_words[call.kind],
        call.nr < NR_CALLS ? names[call.nr] : "an unknown one", call.args[0]);
    int status = try_call(call, &said);

    g_test_message("%s %ld: status 0x%x, %s", kind_words[call.kind], call.nr,
                   status, said);
    g_assert_true(WIFSIGNALED(status));
    g_assert_cmpint(WTERMSIG(status), ==, SIGSYS);
    g_assert_true(g_str_has_prefix(said, expected));
    g_assert_true(g_str_has_suffix(said, ": killed\n"));
}

static void expect_answer(Call call, int err)
{
    g_autofree char *said = NULL;
    int status = try_call(call, &said);

    g_test_message("%s %ld: %s", kind_words[call.kind], call.nr, said);
    g_assert_true(WIFEXITED(status));
    g_assert_cmpint(WEXITSTATUS(status), ==, err);
}

static bool is_listed(QemuThreadKind kind, bool hotplug, const char *name)
{
    for (size_t i = 0; i < sandbox_nr_rules; i++) {
        const SandboxRule *rule = &sandbox_rules[i];

        if (name && !strcmp(rule->call, name) && rule->threads & 1U << kind &&
            (hotplug || rule->needs & 1U << SANDBOX_ALWAYS)) {
            return true;
        }
    }
    return false;
}

static void prepare(bool hotplug)
{
    sandbox_filter_prepare(hotplug, &error_abort);
}

static void test_calls_that_are_not_listed_kill(gconstpointer data)
{
    QemuThreadKind kind = GPOINTER_TO_INT(data);
    unsigned denied = 0;

    prepare(true);
    for (long nr = 0; nr < NR_CALLS; nr++) {
        if (names[nr] && !is_listed(kind, true, names[nr])) {
            expect_denied((Call) { .kind = kind, .nr = nr });
            denied++;
        }
    }
    g_assert_cmpuint(denied, >, 250);
    expect_denied((Call) { .kind = kind, .nr = NR_CALLS });
}

static void test_calls_of_hot_plug_kill_without_it(void)
{
    prepare(false);
    for (long nr = 0; nr < NR_CALLS; nr++) {
        if (is_listed(QEMU_THREAD_MAIN, true, names[nr]) &&
            !is_listed(QEMU_THREAD_MAIN, false, names[nr])) {
            expect_denied((Call) { .kind = QEMU_THREAD_MAIN, .nr = nr });
        }
    }
}

/* What is needed stays needed: so this comes after what has no needs. */
static void test_what_parts_need_is_allowed_without_hot_plug(void)
{
    const Call lock = { QEMU_THREAD_MAIN, SYS_munlock, { 4096, -4096UL } };
    const Call device = { QEMU_THREAD_VCPU, SYS_pread64, { -1UL } };

    prepare(false);
    expect_denied(lock);
    expect_denied(device);
    prepare(true);
    expect_denied(lock);
    g_assert_false(sandbox_has_need(SANDBOX_MEM_LOCK));
    sandbox_need(SANDBOX_MEM_LOCK);
    prepare(true);
    expect_answer(lock, EINVAL);
    prepare(false);
    expect_answer(lock, EINVAL);
    expect_denied(device);
    sandbox_need(SANDBOX_VFIO);
    prepare(false);
    expect_answer(device, EBADF);
}

static void test_arguments_are_checked(gconstpointer data)
{
    QemuThreadKind kind = GPOINTER_TO_INT(data);
    const Call calls[] = {
        { kind, SYS_mmap, { 0, 4096, PROT_READ | PROT_EXEC,
                            MAP_PRIVATE | MAP_ANONYMOUS } },
        { kind, SYS_mprotect, { 0, 4096, PROT_EXEC } },
        { kind, SYS_ioctl, { 0, TIOCSTI } },
        { kind, SYS_tgkill, { 1, 1, 0 } },
        { kind, SYS_clone, { SIGCHLD } },
        { kind, SYS_clone, { CLONE_VM | CLONE_VFORK | SIGCHLD } },
        { kind, SYS_socket, { AF_NETLINK, SOCK_RAW, 0 } },
        { kind, SYS_socket, { AF_PACKET, SOCK_RAW, 0 } },
        { kind, SYS_prctl, { PR_SET_DUMPABLE, 1 } },
        { kind, SYS_fcntl, { 0, F_SETOWN, 1 } },
        { kind, SYS_seccomp, { 0 } },     /* SECCOMP_SET_MODE_STRICT */
        { kind, SYS_prlimit64, { 0, RLIMIT_MEMLOCK, 4096 } },
    };

    prepare(true);
    for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
        expect_denied(calls[i]);
    }
}

static void test_a_request_of_another_kind_kills(void)
{
    sandbox_need(SANDBOX_KVM);
    sandbox_need(SANDBOX_TERMINAL);
    prepare(true);
    /* KVM_RUN is a vCPU's, and no other's. */
    expect_denied((Call) { QEMU_THREAD_MAIN, SYS_ioctl, { -1UL, 0xae80 } });
    expect_denied((Call) { QEMU_THREAD_WORKER, SYS_ioctl, { -1UL, 0xae80 } });
    expect_answer((Call) { QEMU_THREAD_VCPU, SYS_ioctl, { -1UL, 0xae80 } },
                  EBADF);
    expect_denied((Call) { QEMU_THREAD_VCPU, SYS_ioctl, { 0, TCGETS } });
    expect_answer((Call) { QEMU_THREAD_MAIN, SYS_ioctl, { -1UL, TCGETS } },
                  EBADF);
}

static void test_listed_calls_are_made(void)
{
    prepare(true);
    expect_answer((Call) { QEMU_THREAD_MAIN, SYS_close, { -1UL } }, EBADF);
    expect_answer((Call) { QEMU_THREAD_VCPU, SYS_write, { -1UL } }, EBADF);
    expect_answer((Call) { QEMU_THREAD_WORKER, SYS_read, { -1UL } }, EBADF);
    expect_answer((Call) { QEMU_THREAD_MAIN, SYS_clone3, { 0 } }, ENOSYS);
    expect_answer((Call) { QEMU_THREAD_MAIN, SYS_socket, { AF_UNIX, -1UL } },
                  EINVAL);
}

static void test_handler_says_what_a_blocked_signal_cannot(void)
{
    g_autofree char *said = NULL;
    sigset_t all, before;
    int status;

    /* As the C library does when it starts and ends threads. */
    prepare(true);
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    status = try_call((Call) { QEMU_THREAD_MAIN, SYS_setsid, { 0 } }, &said);
    sigprocmask(SIG_SETMASK, &before, NULL);
    g_assert_true(WIFSIGNALED(status));
    g_assert_cmpint(WTERMSIG(status), ==, SIGSYS);
    g_assert_cmpstr(said, ==, "");
}

/* --- libraries --- */

typedef struct Act {
    QemuThreadKind kind;
    unsigned nr;                          /* of threads */
    void (*fn)(void);
} Act;

static gpointer act_confined(gpointer opaque)
{
    const Act *act = opaque;

    if (sandbox_filter_enter(act->kind)) {
        _exit(2);
    }
    act->fn();
    return NULL;
}

#define NR_THREADS 40

/* In a child: all threads are there before the first is confined, so that each
 * takes an arena of malloc() if it can. */
static void act_in_threads(void *opaque)
{
    Act *act = opaque;
    GThread *threads[NR_THREADS];

    g_log_set_always_fatal(G_LOG_LEVEL_ERROR);
    sandbox_init();
    sandbox_warm_up();
    prepare(false);                       /* they name the process */
    if (act->kind == QEMU_THREAD_MAIN) {
        act_confined(act);
        _exit(0);
    }
    for (unsigned i = 0; i < act->nr; i++) {
        threads[i] = qemu_thread_try_new(act->kind, "tested", act_confined, act,
                                         &error_abort);
    }
    for (unsigned i = 0; i < act->nr; i++) {
        g_thread_join(threads[i]);
    }
    _exit(0);
}

/* The wait status of a child in which @nr threads of each kind do @fn. */
static int try_act(QemuThreadKind kind, unsigned nr, void (*fn)(void),
                   char **said)
{
    Act act = { kind, nr, fn };
    int status = run_child(act_in_threads, &act, said);

    g_test_message("kind %d: status 0x%x, %s", kind, status, *said);
    return status;
}

/* Below what is mapped by itself, and more than stays in an arena's top. */
static void allocate_and_free(void)
{
    void *blocks[64];

    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < ARRAY_SIZE(blocks); i++) {
            blocks[i] = malloc(100 * 1024);
            memset(blocks[i], 1, 100 * 1024);
        }
        for (unsigned i = ARRAY_SIZE(blocks); i-- > 0;) {
            free(blocks[i]);
        }
    }
}

static void test_threads_may_allocate(gconstpointer data)
{
    g_autofree char *said = NULL;

    g_assert_cmpint(try_act(GPOINTER_TO_INT(data), NR_THREADS,
                            allocate_and_free, &said), ==, 0);
    g_assert_cmpstr(said, ==, "");
}

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(int));
}

/* More than the C library sorts on its stack, and grown where it lies. */
static void sort_and_grow(void)
{
    static int numbers[100000];
    char *grows = malloc(1 << 20);

    qsort(numbers, ARRAY_SIZE(numbers), sizeof(numbers[0]), compare);
    memset(grows, 1, 1 << 20);
    grows = realloc(grows, 1 << 26);
    g_assert_cmpint(grows[(1 << 20) - 1], ==, 1);
    free(grows);
}

static void test_threads_may_sort_and_grow(gconstpointer data)
{
    g_autofree char *said = NULL;

    g_assert_cmpint(try_act(GPOINTER_TO_INT(data), 1, sort_and_grow, &said),
                    ==, 0);
    g_assert_cmpstr(said, ==, "");
}

static void warn(void)
{
    g_log("Lib", G_LOG_LEVEL_WARNING, "careful");
    g_log("Lib", G_LOG_LEVEL_CRITICAL, "bad");
}

static void test_threads_may_warn(gconstpointer data)
{
    g_autofree char *said = NULL;

    g_assert_cmpint(try_act(GPOINTER_TO_INT(data), 1, warn, &said), ==, 0);
    g_assert_nonnull(strstr(said, "sparsevm: warning: Lib: careful\n"));
    g_assert_nonnull(strstr(said, "sparsevm: Lib: bad\n"));
}

static void fail(void)
{
    g_assert_cmpint(1, ==, 2);
}

static void test_assertions_say_what_failed(gconstpointer data)
{
    g_autofree char *said = NULL;
    int status;

    status = try_act(GPOINTER_TO_INT(data), 1, fail, &said);
    g_assert_true(WIFSIGNALED(status));
    g_assert_cmpint(WTERMSIG(status), ==, SIGABRT);
    g_assert_nonnull(strstr(said, "assertion failed (1 == 2)"));
}

/* --- the table --- */

static bool covers(const SandboxRule *main_rule, const SandboxRule *rule)
{
    return main_rule->threads & 1U << QEMU_THREAD_MAIN &&
           !strcmp(main_rule->call, rule->call) &&
           (main_rule->needs & (1U << SANDBOX_ALWAYS | 1U << SANDBOX_THREADS) ||
            (main_rule->needs & rule->needs) == rule->needs) &&
           (!main_rule->mask || (main_rule->mask == rule->mask &&
                                 main_rule->arg == rule->arg &&
                                 main_rule->value == rule->value));
}

/* A worker that is started later is under the main thread's filter, too; then the
 * main thread has what threads need. */
static void test_what_workers_may_the_main_thread_may(void)
{
    for (size_t i = 0; i < sandbox_nr_rules; i++) {
        const SandboxRule *rule = &sandbox_rules[i];
        bool covered = !(rule->threads & 1U << QEMU_THREAD_WORKER);

        for (size_t j = 0; j < sandbox_nr_rules && !covered; j++) {
            covered = covers(&sandbox_rules[j], rule);
        }
        g_test_message("%s", rule->call);
        g_assert_true(covered);
    }
}

/* A rule without a demand would make one with a demand, of the same call and
 * for the same threads, void. */
static void test_no_rule_makes_another_void(void)
{
    for (size_t i = 0; i < sandbox_nr_rules; i++) {
        for (size_t j = 0; j < sandbox_nr_rules; j++) {
            const SandboxRule *a = &sandbox_rules[i], *b = &sandbox_rules[j];

            if (i != j && a->threads & b->threads && !a->mask) {
                g_assert_cmpstr(a->call, !=, b->call);
            }
        }
    }
}

static void test_each_rule_is_of_a_call(void)
{
    for (size_t i = 0; i < sandbox_nr_rules; i++) {
        const SandboxRule *rule = &sandbox_rules[i];
        bool found = false;

        for (long nr = 0; nr < NR_CALLS && !found; nr++) {
            found = names[nr] && !strcmp(names[nr], rule->call);
        }
        g_test_message("%s", rule->call);
        g_assert_true(found && rule->threads);
        g_assert_true(!rule->mask || rule->demand);
    }
}

int main(int argc, char **argv)
{
    static const char *const kinds[] = { "main", "vcpu", "worker", "io" };
    g_autoptr(GString) path = g_string_new(NULL);
    Error *err = NULL;

    g_test_init(&argc, &argv, NULL);
#define ADD(name, fn) g_test_add_func("/sandbox/" name, fn)
    ADD("table/workers-within-main", test_what_workers_may_the_main_thread_may);
    ADD("table/no-void-rule", test_no_rule_makes_another_void);
    ADD("table/calls-exist", test_each_rule_is_of_a_call);
    if (!sandbox_filter_available(&err)) {
        g_test_message("%s", error_get_pretty(err));
        error_free(err);
        return g_test_run();
    }
    for (int kind = 0; kind < QEMU_THREAD__MAX; kind++) {
        g_string_printf(path, "/sandbox/%s/calls-not-listed", kinds[kind]);
        g_test_add_data_func(path->str, GINT_TO_POINTER(kind),
                             test_calls_that_are_not_listed_kill);
        g_string_printf(path, "/sandbox/%s/arguments", kinds[kind]);
        g_test_add_data_func(path->str, GINT_TO_POINTER(kind),
                             test_arguments_are_checked);
        g_string_printf(path, "/sandbox/%s/malloc", kinds[kind]);
        g_test_add_data_func(path->str, GINT_TO_POINTER(kind),
                             test_threads_may_allocate);
        g_string_printf(path, "/sandbox/%s/sort-and-grow", kinds[kind]);
        g_test_add_data_func(path->str, GINT_TO_POINTER(kind),
                             test_threads_may_sort_and_grow);
        g_string_printf(path, "/sandbox/%s/warnings", kinds[kind]);
        g_test_add_data_func(path->str, GINT_TO_POINTER(kind),
                             test_threads_may_warn);
        g_string_printf(path, "/sandbox/%s/assertions", kinds[kind]);
        g_test_add_data_func(path->str, GINT_TO_POINTER(kind),
                             test_assertions_say_what_failed);
    }
    ADD("without-hot-plug", test_calls_of_hot_plug_kill_without_it);
    ADD("requests-by-kind", test_a_request_of_another_kind_kills);
    ADD("listed-calls", test_listed_calls_are_made);
    ADD("signals-blocked", test_handler_says_what_a_blocked_signal_cannot);
    ADD("needs", test_what_parts_need_is_allowed_without_hot_plug);
#undef ADD
    return g_test_run();
}
