/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which files may be opened later, by Landlock: a filter of system calls cannot
 * read a path. What is open by then stays usable.
 *
 *   hotplug=off        nothing is opened (the filter has no call for it, too)
 *   dirs=DIR:DIR       what is beneath these, and what devices need of the host
 *   neither            whatever the user may, but programs: none is executed
 *
 * Kernels without Landlock have the filter only. Used by sandbox.c.
 */
#include "qemu/osdep.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/syscall.h>

#include "sandbox-internal.h"

#define READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define WRITE LANDLOCK_ACCESS_FS_WRITE_FILE
#define CHANGE (LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG | \
                LANDLOCK_ACCESS_FS_MAKE_SOCK)
/* Nobody needs these, whatever is plugged. */
#define NEVER (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_MAKE_CHAR |    \
               LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_DIR |  \
               LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_SYM |   \
               LANDLOCK_ACCESS_FS_REMOVE_DIR)

/* What devices are told by the host, and by what they reach it. */
static const struct {
    const char *path;
    uint64_t access;
} host_paths[] = {
    { "/sys", READ },
    { "/proc", READ },
    { "/proc/self", READ | WRITE },       /* mem, to populate memory */
    { "/dev/vfio", READ | WRITE },
    { "/dev/vhost-net", LANDLOCK_ACCESS_FS_READ_FILE | WRITE },
    { "/dev/vhost-vsock", LANDLOCK_ACCESS_FS_READ_FILE | WRITE },
    { "/etc/resolv.conf", LANDLOCK_ACCESS_FS_READ_FILE }, /* -netdev user */
    { "/dev/userfaultfd", LANDLOCK_ACCESS_FS_READ_FILE | WRITE },
};

/* 0 or -errno; a path that does not exist is no error unless @must_exist. */
static int allow(int ruleset, const char *path, uint64_t access,
                 bool must_exist)
{
    struct landlock_path_beneath_attr rule = {
        .allowed_access = access,
        .parent_fd = open(path, O_PATH | O_CLOEXEC),
    };
    int ret;

    if (rule.parent_fd < 0) {
        return must_exist ? -errno : 0;
    }
    ret = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH,
                  &rule, 0) ? -errno : 0;
    close(rule.parent_fd);
    return ret;
}

static bool allow_all(int ruleset, char *const *dirs, Error **errp)
{
    for (; *dirs; dirs++) {
        int ret = allow(ruleset, *dirs, READ | WRITE | CHANGE, true);

        if (ret) {
            error_setg_errno(errp, -ret, "dirs: %s cannot be opened", *dirs);
            return false;
        }
    }
    for (size_t i = 0; i < ARRAY_SIZE(host_paths); i++) {
        int ret = allow(ruleset, host_paths[i].path, host_paths[i].access,
                        false);

        if (ret) {
            error_setg_errno(errp, -ret, "Landlock refuses a rule for %s",
                             host_paths[i].path);
            return false;
        }
    }
    return true;
}

/* At exit, what was made is removed: sockets, the file with the process's id. */
static uint64_t restricted_accesses(bool hotplug, char *const *dirs)
{
    if (!hotplug) {
        return NEVER | READ | WRITE | (CHANGE & ~LANDLOCK_ACCESS_FS_REMOVE_FILE);
    }
    return dirs ? NEVER | READ | WRITE | CHANGE : NEVER;
}

int sandbox_landlock_prepare(bool hotplug, char *const *dirs, Error **errp)
{
    struct landlock_ruleset_attr attr = {
        .handled_access_fs = restricted_accesses(hotplug, dirs),
    };
    int ruleset = syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);

    if (ruleset < 0) {
        if (dirs) {
            error_setg_errno(errp, errno, "dirs: this kernel has no Landlock");
        }
        return -1;
    }
    if (hotplug && dirs && !allow_all(ruleset, dirs, errp)) {
        close(ruleset);
        return -1;
    }
    return ruleset;
}

int sandbox_landlock_enter(int ruleset)
{
    return syscall(SYS_landlock_restrict_self, ruleset, 0) ? -errno : 0;
}
