/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the process is to the rest of the host: its name, signals, process id
 * file, and whether it is in the background.
 */
#include "qemu/osdep.h"
#include <fcntl.h>
#include <glib-unix.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "qemu/cutils.h"
#include "qemu/fdset.h"
#include "qemu/keyval.h"
#include "qemu/log.h"
#include "qemu/sandbox-need.h"
#include "sysemu/runstate.h"
#include "sysemu/sysemu.h"
#include "vl-internal.h"

/* --- -name --- */

bool vl_set_name(const char *arg, Error **errp)
{
    static const char *const keys[] = {
        "guest", "process", "debug-threads", NULL
    };
    g_autoptr(JsonObject) opts = keyval_parse(arg, "guest", NULL, errp);
    const char *name, *text;
    JsonObjectIter iter;
    bool on;

    if (!opts) {
        return false;
    }
    json_object_iter_init(&iter, opts);
    while (json_object_iter_next(&iter, &name, NULL)) {
        if (!g_strv_contains(keys, name)) {
            error_setg(errp, "Invalid parameter '%s'", name);
            return false;
        }
    }
    /* Threads always have names, whatever it says. */
    text = json_object_get_string_member_with_default(opts, "debug-threads",
                                                      "on");
    if (!qemu_parse_bool(text, &on)) {
        error_setg(errp, "Parameter 'debug-threads' expects 'on' or 'off'");
        return false;
    }
    text = json_object_get_string_member_with_default(opts, "process", NULL);
    if (text) {
        prctl(PR_SET_NAME, text);
    }
    qemu_set_vm_name(json_object_get_string_member_with_default(opts, "guest",
                                                                NULL));
    return true;
}

/* --- signals --- */

static void on_termination(int signal, siginfo_t *info, void *context)
{
    qemu_system_killed(signal, info->si_code == SI_USER ||
                               info->si_code == SI_QUEUE ? info->si_pid : 0);
}

void vl_setup_signals(void)
{
    static const int signals[] = { SIGINT, SIGHUP, SIGTERM };
    struct sigaction action = {
        .sa_sigaction = on_termination,
        .sa_flags = SA_SIGINFO | SA_RESTART,
    };

    for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
        sigaction(signals[i], &action, NULL);
    }
    /* A peer that has gone is an error of the write, and so is a file that is
     * as large as it may be (RLIMIT_FSIZE). */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
}

/* --- -daemonize --- */

/* Where the child tells the parent that it is ready; -1: not a daemon. */
static int daemon_pipe = -1;
/* Its /dev/null, opened while there is one. */
static int daemon_null = -1;

/* The parent: ends with the child's verdict. */
static void G_GNUC_NORETURN wait_for_child(int fd, pid_t child)
{
    uint8_t status;
    ssize_t len;

    do {
        len = read(fd, &status, 1);
    } while (len < 0 && errno == EINTR);
    if (len != 1) {
        /* It has said why on stderr. */
        waitpid(child, NULL, 0);
        _exit(1);
    }
    _exit(status);
}

bool vl_daemonize(Error **errp)
{
    int fds[2];
    pid_t pid;

    daemon_null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (daemon_null < 0) {
        error_setg_errno(errp, errno, "cannot open /dev/null");
        return false;
    }
    if (!g_unix_open_pipe(fds, FD_CLOEXEC, NULL)) {
        error_setg(errp, "cannot create a pipe for -daemonize");
        return false;
    }
    pid = fork();
    if (pid < 0) {
        error_setg_errno(errp, errno, "cannot fork for -daemonize");
        close(fds[0]);
        close(fds[1]);
        return false;
    }
    if (pid > 0) {
        close(fds[1]);
        wait_for_child(fds[0], pid);
    }
    close(fds[0]);
    daemon_pipe = fds[1];
    setsid();
    /* Not that of whoever happens to start it. */
    umask(027);
    return true;
}

bool vl_daemonize_detach(Error **errp)
{
    if (daemon_pipe < 0) {
        return true;
    }
    dup2(daemon_null, STDIN_FILENO);
    dup2(daemon_null, STDOUT_FILENO);
    dup2(qemu_log_fd() < 0 ? daemon_null : qemu_log_fd(), STDERR_FILENO);
    close(daemon_null);
    /* No file system is kept busy; so paths mean the same whoever starts it. */
    if (chdir("/") < 0) {
        error_setg_errno(errp, errno, "cannot change to the directory /");
        return false;
    }
    return true;
}

void vl_daemonize_done(void)
{
    const uint8_t status = 0;

    if (daemon_pipe >= 0) {
        qemu_write_full(daemon_pipe, &status, sizeof(status));
        close(daemon_pipe);
        daemon_pipe = -1;
    }
}

/* --- -pidfile --- */

static char *pidfile_path;
static int pidfile_fd;                    /* holds the lock */

/* Behind another root the name may mean another file. */
static void remove_pidfile(void)
{
    struct stat own, there;

    if (fstat(pidfile_fd, &own) == 0 && lstat(pidfile_path, &there) == 0 &&
        own.st_dev == there.st_dev && own.st_ino == there.st_ino) {
        unlink(pidfile_path);
    }
}

/* Locked as long as the process lives, so that a second one notices. */
static bool write_pid(int fd, const char *path, Error **errp)
{
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    g_autofree char *text = g_strdup_printf("%d\n", (int)getpid());

    if (fcntl(fd, F_SETLK, &lock) < 0) {
        error_setg_errno(errp, errno, "cannot lock PID file %s, another "
                         "process has it", path);
        return false;
    }
    if (ftruncate(fd, 0) < 0 ||
        qemu_write_full(fd, text, strlen(text)) != (ssize_t)strlen(text)) {
        error_setg_errno(errp, errno, "cannot write PID file %s", path);
        return false;
    }
    return true;
}

bool vl_create_pidfile(const char *path, Error **errp)
{
    ERRP_GUARD();
    int fd = fdset_open_write(path, 0, errp);

    if (fd < 0) {
        error_prepend(errp, "cannot create PID file ");
        return false;
    }
    if (!write_pid(fd, path, errp)) {
        close(fd);
        return false;
    }
    if (fdset_is_path(path)) {
        return true;                      /* who has made it removes it */
    }
    /* The directory may have changed by then. */
    pidfile_path = g_canonicalize_filename(path, NULL);
    pidfile_fd = fd;
    sandbox_need(SANDBOX_FILES);
    atexit(remove_pidfile);
    return true;
}
