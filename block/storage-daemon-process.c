/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The storage daemon's process: a child that has nothing of ours but one end of a
 * pair of sockets, and ends when we do. Used by storage-daemon.c.
 */
#include "qemu/osdep.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "qemu/cutils.h"
#include "qemu/sandbox-need.h"
#include "storage-daemon-process.h"

#define PROGRAM STORAGE_DAEMON_PROGRAM

/*
 * In the child, which has the parent's memory until it executes the program:
 * nothing is changed in it, and the parent waits. Its sockets are for this user
 * only. What is wrong it says by QMP: whoever waits for the end of our output, of
 * one that goes into the background say, does not wait for the daemon's.
 */
static void G_GNUC_NORETURN be_daemon(const char *path, char *const argv[],
                                      int fd, int null, pid_t parent)
{
    sigset_t none;

    sigemptyset(&none);
    for (int i = 1; i < NSIG; i++) {
        signal(i, SIG_DFL);
    }
    umask(S_IRWXG | S_IRWXO);
    setsid();
    if (prctl(PR_SET_PDEATHSIG, SIGTERM) == 0 && getppid() == parent &&
        dup2(null, STDIN_FILENO) >= 0 && dup2(null, STDOUT_FILENO) >= 0 &&
        dup2(null, STDERR_FILENO) >= 0 && fcntl(fd, F_SETFD, 0) == 0) {
        if (fd > STDERR_FILENO + 1) {
            syscall(SYS_close_range, STDERR_FILENO + 1, fd - 1, 0);
        }
        syscall(SYS_close_range, fd + 1, ~0U, 0);
        sigprocmask(SIG_SETMASK, &none, NULL);
        execv(path, argv);
    }
    _exit(127);
}

/* fork() would copy the tables of all guest memory, and have pages that devices
 * write to copied for one of the two. The child's pid; -1: *errp. */
static pid_t spawn(const char *path, char *const argv[], int fd, Error **errp)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    pid_t parent = getpid(), pid;
    sigset_t all, before;

    if (null < 0) {
        error_setg_errno(errp, errno, "/dev/null cannot be opened");
        return -1;
    }
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid = vfork();
    if (pid == 0) {
        be_daemon(path, argv, fd, null, parent);
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    close(null);
    if (pid < 0) {
        error_setg_errno(errp, errno, "%s cannot be started", path);
    }
    return pid;
}

bool storage_daemon_spawn(const char *path, StorageDaemonProcess *p,
                          Error **errp)
{
    g_autofree char *chardev = NULL;
    char *argv[] = { (char *)PROGRAM, (char *)"--chardev", NULL,
                     (char *)"--monitor", (char *)"chardev=qmp", NULL };
    int fds[2];
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0) {
        error_setg_errno(errp, errno, "cannot create a pair of sockets");
        return false;
    }
    chardev = g_strdup_printf("socket,id=qmp,fd=%d", fds[1]);
    argv[2] = chardev;
    pid = spawn(path, argv, fds[1], errp);
    close(fds[1]);
    if (pid < 0) {
        close(fds[0]);
        return false;
    }
    /* Nobody has waited for it, so the pid is its own. */
    *p = (StorageDaemonProcess) { .qmp = fds[0], .pidfd = pidfd_open(pid, 0) };
    sandbox_need(SANDBOX_CHILD);
    return true;
}

void storage_daemon_process_kill(int pidfd, int signal)
{
    if (pidfd >= 0) {
        pidfd_send_signal(pidfd, signal, NULL, 0);
    }
}

bool storage_daemon_process_ends(int pidfd, int timeout_ms)
{
    struct pollfd p = { .fd = pidfd, .events = POLLIN };

    return pidfd < 0 || qemu_poll_ms(&p, 1, timeout_ms) > 0;
}
