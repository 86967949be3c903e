/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -run-with async-teardown=on. To free the memory of a large guest takes the
 * kernel seconds, in which its process cannot be waited for. So another process
 * has the same memory, and does nothing but to end after this one: it is in
 * there that the memory is freed.
 *
 * Whoever takes over the emulator can write to the helper's stack. It can do
 * nothing with that: the helper has one descriptor, and seccomp's strict mode.
 */
#include "qemu/osdep.h"

#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "qapi/error.h"
#include "vl-internal.h"

#define STACK_SIZE (64 * 1024)

/* The helper's end of a pair of sockets, of which the other is the emulator's. */
static int helper_fd;
/* Open as long as the process lives. */
static int own_fd;
static char helper_name[16];

/*
 * The helper. It shares memory with the emulator, also what is the thread's own,
 * such as errno: the emulator waits until the helper makes no call any more
 * that can fail.
 */
static int be_helper(void *opaque)
{
    char byte = 0;

    prctl(PR_SET_NAME, helper_name);
    if (dup2(helper_fd, STDIN_FILENO) < 0 ||
        syscall(SYS_close_range, STDIN_FILENO + 1, ~0U, 0) < 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) < 0) {
        syscall(SYS_exit, 1);
    }
    if (write(STDIN_FILENO, &byte, 1) == 1) {
        while (read(STDIN_FILENO, &byte, 1) > 0) {
            /* nobody writes; it ends when the emulator has ended */
        }
    }
    syscall(SYS_exit, 0);
    return 0;
}

/* No signal must have a handler run in the helper: it would be the emulator's. */
static bool start_helper(char *stack)
{
    sigset_t all, before;
    int pid;

    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid = clone(be_helper, stack + STACK_SIZE, CLONE_VM, NULL);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return pid >= 0;
}

bool vl_start_teardown_helper(Error **errp)
{
    static char stack[STACK_SIZE] __attribute__((aligned(16)));
    int fds[2];
    char byte;
    bool started;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0) {
        error_setg_errno(errp, errno, "cannot create a pair of sockets for "
                         "async-teardown=on");
        return false;
    }
    own_fd = fds[0];
    helper_fd = fds[1];
    snprintf(helper_name, sizeof(helper_name), "cleanup/%d", (int)getpid());
    started = start_helper(stack);
    close(helper_fd);
    if (!started || read(own_fd, &byte, 1) != 1) {
        error_setg(errp, "async-teardown=on: a process that frees the memory "
                   "cannot be started and confined");
        close(own_fd);
        return false;
    }
    return true;
}
