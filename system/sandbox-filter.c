/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Filters of system calls, by libseccomp: one for each kind of thread, made of
 * the table in sandbox-rules.c when the machine is ready, and entered by each
 * thread for itself. A call that is in no rule of the thread's kind ends the
 * process by SIGSYS, after a line that names the call and the thread.
 */
#include "qemu/osdep.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>

#include "qemu/cutils.h"
#include "sandbox-internal.h"

/* As the kernel takes them. */
static struct sock_fprog filters[QEMU_THREAD__MAX];

/* --- the end --- */

static const char *const call_names[] = {
#include "syscall-names.h"
};

static const char *const kind_names[QEMU_THREAD__MAX] = {
    [QEMU_THREAD_MAIN] = "the main thread",
    [QEMU_THREAD_VCPU] = "a vCPU thread",
    [QEMU_THREAD_WORKER] = "a worker thread",
    [QEMU_THREAD_IO] = "an I/O thread",
};

/* A line that is put together without the C library, which may be in the midst
 * of anything. What does not fit is cut. */
typedef struct Line {
    char text[256];
    size_t len;
} Line;

static void append(Line *line, const char *text)
{
    while (*text && line->len < sizeof(line->text)) {
        line->text[line->len++] = *text++;
    }
}

static void append_number(Line *line, uint64_t number, unsigned base)
{
    char digits[24];
    char *p = digits + sizeof(digits) - 1;

    *p = '\0';
    do {
        *--p = "0123456789abcdef"[number % base];
        number /= base;
    } while (number);
    append(line, base == 16 ? "0x" : "");
    append(line, p);
}

static void append_call(Line *line, unsigned nr, const greg_t *registers)
{
    append(line, nr < ARRAY_SIZE(call_names) && call_names[nr]
                 ? call_names[nr] : "an unknown one");
    append(line, "(");
    append_number(line, registers[REG_RDI], 16);
    append(line, ", ");
    append_number(line, registers[REG_RSI], 16);
    append(line, ", ");
    append_number(line, registers[REG_RDX], 16);
    append(line, ", ...), system call ");
    append_number(line, nr, 10);
}

/*
 * A signal handler. The signal's action is the default again: so making the
 * call once more, which the filter denies once more, ends the process.
 */
static void on_denied_call(int signal, siginfo_t *info, void *opaque)
{
    const ucontext_t *context = opaque;
    const greg_t *r = context->uc_mcontext.gregs;
    unsigned nr = info->si_syscall;
    Line line = { .len = 0 };

    append(&line, "sparsevm: sandbox: ");
    append(&line, kind_names[qemu_thread_kind()]);
    append(&line, " ('");
    append(&line, qemu_thread_name());
    append(&line, "') may not call ");
    append_call(&line, nr, r);
    append(&line, ": killed\n");
    if (write(STDERR_FILENO, line.text, line.len) < 0) {
        /* Nobody reads it. */
    }
    syscall(nr, r[REG_RDI], r[REG_RSI], r[REG_RDX], r[REG_R10], r[REG_R8],
            r[REG_R9]);
    _exit(128 + SIGSYS);
}

/* --- making filters --- */

static int add_rule(scmp_filter_ctx ctx, const SandboxRule *rule)
{
    int nr = seccomp_syscall_resolve_name(rule->call);
    struct scmp_arg_cmp arg = SCMP_CMP64(
        rule->arg, SCMP_CMP_MASKED_EQ, rule->mask,
        rule->value == SANDBOX_OWN_PID ? (uint64_t)getpid() : rule->value);
    uint32_t action = rule->answer ? SCMP_ACT_ERRNO(rule->answer)
                                   : SCMP_ACT_ALLOW;

    /* A library that is older than the call: it stays forbidden. */
    return nr == __NR_SCMP_ERROR ? 0
           : seccomp_rule_add_array(ctx, action, nr, rule->mask ? 1 : 0, &arg);
}

static bool is_needed(const SandboxRule *rule)
{
    for (int need = 0; need < SANDBOX_NEED__MAX; need++) {
        if (rule->needs & 1U << need && sandbox_has_need(need)) {
            return true;
        }
    }
    return false;
}

/* What no later device or object can bring. */
#define NEEDS_OF_THE_START                                                   \
    (1U << SANDBOX_TERMINAL | 1U << SANDBOX_MEM_LOCK | 1U << SANDBOX_KVM |     \
     1U << SANDBOX_CHILD)

static bool may_be_needed(const SandboxRule *rule)
{
    return rule->needs & ~NEEDS_OF_THE_START;
}

static int add_rules(scmp_filter_ctx ctx, QemuThreadKind kind, bool hotplug)
{
    int ret = 0;

    for (size_t i = 0; i < sandbox_nr_rules && !ret; i++) {
        const SandboxRule *rule = &sandbox_rules[i];

        if (rule->threads & 1U << kind &&
            (is_needed(rule) || (hotplug && may_be_needed(rule)))) {
            ret = add_rule(ctx, rule);
        }
    }
    return ret;
}

/* The filter as the kernel takes it. 0 or -errno. */
static int export_filter(scmp_filter_ctx ctx, struct sock_fprog *filter)
{
    int fd = memfd_create("sandbox", MFD_CLOEXEC);
    int ret = fd < 0 ? -errno : seccomp_export_bpf(ctx, fd);
    off_t size = ret ? 0 : lseek(fd, 0, SEEK_END);

    if (!ret && (size <= 0 ||
                 size > (off_t)(BPF_MAXINSNS * sizeof(*filter->filter)))) {
        ret = -E2BIG;
    }
    if (!ret) {
        filter->len = size / sizeof(*filter->filter);
        filter->filter = g_malloc(size);
        if (pread(fd, filter->filter, size, 0) != size) {
            ret = -EIO;
        }
    }
    if (fd >= 0) {
        close(fd);
    }
    return ret;
}

static int make_filter(QemuThreadKind kind, bool hotplug)
{
    scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_TRAP);
    int ret = ctx ? 0 : -ENOMEM;

    /* Calls of another architecture have other numbers. */
    ret = ret ? ret : seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH,
                                       SCMP_ACT_KILL_PROCESS);
    /* A tree of comparisons instead of a row. */
    ret = ret ? ret : seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    ret = ret ? ret : add_rules(ctx, kind, hotplug);
    ret = ret ? ret : export_filter(ctx, &filters[kind]);
    if (ctx) {
        seccomp_release(ctx);
    }
    return ret;
}

/* --- for sandbox.c --- */

/* Valgrind makes, in the same process, calls that no list of ours has. */
static bool runs_under_valgrind(void)
{
    const char *preloaded = g_getenv("LD_PRELOAD");

    return preloaded && strstr(preloaded, "/vgpreload");
}

bool sandbox_filter_available(Error **errp)
{
    uint32_t action = SECCOMP_RET_TRAP;

#ifdef CONFIG_SANITIZERS
    error_setg(errp, "system calls cannot be filtered in a build with "
               "sanitizers");
    return false;
#endif
    if (runs_under_valgrind()) {
        error_setg(errp, "system calls cannot be filtered under valgrind");
        return false;
    }
    if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action)) {
        error_setg_errno(errp, errno, "this kernel cannot filter system calls "
                         "(CONFIG_SECCOMP_FILTER)");
        return false;
    }
    return true;
}

bool sandbox_filter_prepare(bool hotplug, Error **errp)
{
    struct sigaction action = {
        .sa_sigaction = on_denied_call,
        .sa_flags = SA_SIGINFO | SA_RESETHAND | SA_NODEFER,
    };

    for (int kind = 0; kind < QEMU_THREAD__MAX; kind++) {
        int ret = make_filter(kind, hotplug);

        if (ret) {
            error_setg_errno(errp, -ret, "no filter of system calls can be "
                             "made for %s", kind_names[kind]);
            return false;
        }
    }
    sigaction(SIGSYS, &action, NULL);
    return true;
}

int sandbox_filter_enter(QemuThreadKind kind)
{
    /* Without the flag, threads under a filter run, and so does the guest, with
     * mitigations for programs that run other's code in their own space. */
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                   SECCOMP_FILTER_FLAG_SPEC_ALLOW, &filters[kind]) ? -errno : 0;
}
