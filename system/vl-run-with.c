/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -run-with, -runas, -chroot: as whom the process goes on, and with which root,
 * once all that the command line names is open. Names are looked up at the
 * beginning, while there are files to look them up in. It must never go on with
 * rights that were to be given up.
 */
#include "qemu/osdep.h"

#include <grp.h>
#include <pwd.h>

#include "qapi/error.h"
#include "qemu/cutils.h"
#include "vl-internal.h"

static struct {
    bool async_teardown;
    const char *root;                     /* NULL: stays */
    bool change_user;
    /* whose supplementary groups as well; NULL, only @gid: it was a number */
    char *user_name;
    uid_t uid;
    gid_t gid;
} run_with;

/* --- what is asked for --- */

/* An id; the largest number is the kernel's word for none. */
static bool parse_id(const char *text, uint32_t *id)
{
    uint64_t value;

    if (qemu_strtou64(text, NULL, 10, &value) < 0 || value >= UINT32_MAX) {
        return false;
    }
    *id = value;
    return true;
}

/* @user is a name, @group one or NULL: the user's own. */
static bool find_names(const char *user, const char *group)
{
    const struct passwd *pw = getpwnam(user);
    const struct group *gr = pw && group ? getgrnam(group) : NULL;

    if (!pw || (group && !gr)) {
        return false;
    }
    g_free(run_with.user_name);
    run_with.user_name = g_strdup(user);
    run_with.uid = pw->pw_uid;
    run_with.gid = gr ? gr->gr_gid : pw->pw_gid;
    return true;
}

/* "UID:GID". */
static bool find_ids(const char *user, const char *group)
{
    if (!group || !parse_id(user, &run_with.uid) ||
        !parse_id(group, &run_with.gid)) {
        return false;
    }
    g_clear_pointer(&run_with.user_name, g_free);
    return true;
}

static bool set_user(const char *value, Error **errp)
{
    g_auto(GStrv) parts = g_strsplit(value, ":", 2);
    const char *user = parts[0] ? parts[0] : "";
    const char *group = *user ? parts[1] : NULL;

    if (!find_names(user, group) && !find_ids(user, group)) {
        error_setg(errp, "user '%s': there is no such user or group; what is "
                   "expected: USER, USER:GROUP or UID:GID", value);
        return false;
    }
    if (!run_with.uid) {
        error_setg(errp, "user '%s': it has all rights; name one that has not",
                   value);
        return false;
    }
    run_with.change_user = true;
    return true;
}

static bool set_root(const char *value, Error **errp)
{
    if (!g_file_test(value, G_FILE_TEST_IS_DIR)) {
        error_setg(errp, "root '%s': it is not a directory", value);
        return false;
    }
    run_with.root = value;
    return true;
}

static bool apply_member(const char *name, const char *value, Error **errp)
{
    if (!strcmp(name, "user")) {
        return set_user(value, errp);
    }
    if (!strcmp(name, "chroot")) {
        return set_root(g_intern_string(value), errp);
    }
    if (strcmp(name, "async-teardown")) {
        error_setg(errp, "Invalid parameter '%s'; what there is: "
                   "async-teardown, chroot, user", name);
        return false;
    }
    if (!qemu_parse_bool(value, &run_with.async_teardown)) {
        error_setg(errp, "Parameter '%s' expects 'on' or 'off'", name);
        return false;
    }
    return true;
}

static bool apply_runas(const char *arg, void *opaque, Error **errp)
{
    return set_user(arg, errp);
}

static bool apply_chroot(const char *arg, void *opaque, Error **errp)
{
    return set_root(arg, errp);
}

bool vl_check_run_with(const VlConfig *cfg, Error **errp)
{
    return (!cfg->runas ||
            vl_with("runas", cfg->runas, apply_runas, NULL, errp)) &&
           (!cfg->chroot ||
            vl_with("chroot", cfg->chroot, apply_chroot, NULL, errp)) &&
           vl_foreach_member("run-with", cfg->run_with, apply_member, errp);
}

bool vl_start_async_teardown(Error **errp)
{
    return !run_with.async_teardown || vl_start_teardown_helper(errp);
}

/* --- doing it --- */

static bool change_root(Error **errp)
{
    if (run_with.root && (chroot(run_with.root) || chdir("/"))) {
        error_setg_errno(errp, errno, "'%s' cannot be made the root",
                         run_with.root);
        return false;
    }
    return true;
}

static bool change_user(Error **errp)
{
    if (!run_with.change_user) {
        return true;
    }
    /* The C library does each of these in all threads. */
    if (setgid(run_with.gid) ||
        (run_with.user_name ? initgroups(run_with.user_name, run_with.gid)
                            : setgroups(1, &run_with.gid)) ||
        setuid(run_with.uid)) {
        error_setg_errno(errp, errno, "cannot become user %u, group %u",
                         run_with.uid, run_with.gid);
        return false;
    }
    if (setuid(0) == 0) {
        error_setg(errp, "rights that were given up could be had back");
        return false;
    }
    return true;
}

bool vl_change_root_and_user(Error **errp)
{
    return change_root(errp) && change_user(errp);
}
