/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sandbox (sandbox.h): what -sandbox says, and the order of what is
 * done. First whatever may fail, or reads a file only once; then each thread
 * gives up what it does not need, the main thread last.
 */
#include "qemu/osdep.h"

#include <malloc.h>
#include <sys/prctl.h>

#include "qemu/error-report.h"
#include "qemu/keyval.h"
#include "qemu/may-open.h"
#include "sandbox-internal.h"
#include "sandbox.h"

/* The C library's qsort() takes memory for more bytes than these. */
#define SORTED_ON_STACK 1024

static struct {
    bool on;
    bool hotplug;
    char **dirs;                          /* NULL: not said */
    int ruleset;                          /* of Landlock; -1: none */
} sandbox = { .hotplug = true, .ruleset = -1 };

/* --- libraries --- */

void sandbox_init(void)
{
    /* With more, malloc() reads files of /sys and /proc: how many CPUs there
     * are when there are many arenas, whether memory is overcommitted when one
     * shrinks. Threads do not allocate so often that they had to wait. */
    mallopt(M_ARENA_MAX, 1);
    error_report_messages_of_glib();
}

/* --- -sandbox --- */

/* Words of QEMU's for what is never allowed here; what they may say. */
static const struct {
    const char *name;
    const char *values;
} denied[] = {
    { "obsolete", "deny" },
    { "elevateprivileges", "deny|children" },
    { "spawn", "deny" },
    { "resourcecontrol", "deny" },
};

/* Whether @name is one of those above; false and *errp: with another value. */
static bool is_denied(const char *name, const char *value, Error **errp)
{
    for (size_t i = 0; i < ARRAY_SIZE(denied); i++) {
        g_auto(GStrv) values = g_strsplit(denied[i].values, "|", -1);

        if (strcmp(denied[i].name, name) != 0) {
            continue;
        }
        if (!g_strv_contains((const char *const *)values, value)) {
            error_setg(errp, "%s=%s: not supported; possible: %s",
                       name, value, denied[i].values);
            return false;
        }
        return true;
    }
    error_setg(errp, "Invalid parameter '%s'; expected: hotplug, dirs, "
               "obsolete, elevateprivileges, spawn, resourcecontrol", name);
    return false;
}

static bool set_switch(const char *name, const char *value, bool *to,
                       Error **errp)
{
    *to = strcmp(value, "on") == 0;
    if (!*to && strcmp(value, "off") != 0) {
        error_setg(errp, "%s=%s: on or off is expected", name, value);
        return false;
    }
    return true;
}

static bool set_word(const char *name, const char *value, Error **errp)
{
    if (strcmp(name, "enable") == 0) {
        return set_switch(name, value, &sandbox.on, errp);
    }
    if (strcmp(name, "hotplug") == 0) {
        return set_switch(name, value, &sandbox.hotplug, errp);
    }
    if (strcmp(name, "dirs") == 0) {
        g_strfreev(sandbox.dirs);
        sandbox.dirs = g_strsplit(value, ":", -1);
        return true;
    }
    return is_denied(name, value, errp);
}

static bool check(Error **errp)
{
    if (!sandbox.on) {
        return true;
    }
    if (sandbox.dirs && !sandbox.hotplug) {
        error_setg(errp, "dirs: nothing is opened with hotplug=off");
        return false;
    }
    if (!sandbox.hotplug) {
        qemu_announce_no_opening();
    }
    return sandbox_filter_available(errp);
}

bool sandbox_configure(const char *arg, Error **errp)
{
    g_autoptr(JsonObject) opts = NULL;
    JsonObjectIter iter;
    const char *name;
    JsonNode *node;

    sandbox.on = arg || sandbox_filter_available(NULL);
    if (!arg) {
        return true;
    }
    opts = keyval_parse(arg, "enable", NULL, errp);
    if (!opts) {
        return false;
    }
    json_object_iter_init(&iter, opts);
    while (json_object_iter_next(&iter, &name, &node)) {
        if (!set_word(name, json_node_get_string(node), errp)) {
            return false;
        }
    }
    return check(errp);
}

static const char *const kind_names[QEMU_THREAD__MAX] = {
    [QEMU_THREAD_MAIN] = "main",
    [QEMU_THREAD_VCPU] = "vcpu",
    [QEMU_THREAD_WORKER] = "worker",
    [QEMU_THREAD_IO] = "io",
};

static const char *const need_names[SANDBOX_NEED__MAX] = {
    [SANDBOX_ALWAYS] = "always",
    [SANDBOX_HOTPLUG] = "hotplug",
    [SANDBOX_THREADS] = "threads",
    [SANDBOX_TERMINAL] = "terminal",
    [SANDBOX_PEERS] = "peers",
    [SANDBOX_RANDOM] = "random",
    [SANDBOX_LISTEN] = "listen",
    [SANDBOX_FILES] = "files",
    [SANDBOX_LOCK] = "lock",
    [SANDBOX_MEM_LOCK] = "mem-lock",
    [SANDBOX_GUARD] = "guard",
    [SANDBOX_DISK] = "disk",
    [SANDBOX_CHILD] = "child",
    [SANDBOX_TAP] = "tap",
    [SANDBOX_NET_SOCKET] = "net-socket",
    [SANDBOX_CHANNEL] = "channel",
    [SANDBOX_KVM] = "kvm",
    [SANDBOX_VFIO] = "vfio",
    [SANDBOX_VHOST] = "vhost",
};

/* The names of the bits that are set. */
static char *names_of(unsigned bits, const char *const *names, int nr)
{
    GString *text = g_string_new(NULL);

    for (int i = 0; i < nr; i++) {
        if (bits & 1U << i) {
            g_string_append_printf(text, "%s%s", text->len ? "," : "", names[i]);
        }
    }
    return g_string_free(text, FALSE);
}

static void print_rule(const SandboxRule *rule)
{
    g_autofree char *threads = names_of(rule->threads, kind_names,
                                        QEMU_THREAD__MAX);
    g_autofree char *needs = names_of(rule->needs, need_names,
                                      SANDBOX_NEED__MAX);

    printf("%-16s %-12s %-*s%s%s\n", threads, needs,
           rule->demand ? 16 : 0, rule->call, rule->demand ? " " : "",
           rule->demand ? rule->demand : "");
}

/* How many calls a kind of thread may make, for any of @needs. */
static unsigned count_calls(QemuThreadKind kind, unsigned needs)
{
    g_autoptr(GHashTable) calls = g_hash_table_new(g_str_hash, g_str_equal);

    for (size_t i = 0; i < sandbox_nr_rules; i++) {
        const SandboxRule *rule = &sandbox_rules[i];

        if (rule->threads & 1U << kind && rule->needs & needs && !rule->answer) {
            g_hash_table_add(calls, (void *)rule->call);
        }
    }
    return g_hash_table_size(calls);
}

void sandbox_print_help(void)
{
    puts("# threads        needed by    system call      only with");
    for (size_t i = 0; i < sandbox_nr_rules; i++) {
        print_rule(&sandbox_rules[i]);
    }
    for (int kind = 0; kind < QEMU_THREAD__MAX; kind++) {
        printf("# %s: %u system calls with hot plug; without it %u, and what "
               "the machine's parts need\n", kind_names[kind],
               count_calls(kind, UINT_MAX),
               count_calls(kind, 1U << SANDBOX_ALWAYS));
    }
}

/* --- going in --- */

static int compare_bytes(const void *a, const void *b)
{
    return *(const char *)a - *(const char *)b;
}

void sandbox_warm_up(void)
{
    char bytes[SORTED_ON_STACK + 1] = "";
    /* GLib declares it to have no effect: a result that nobody uses is none. */
    const char *volatile text = g_strerror(ENOENT);

    (void)text;
    g_date_time_unref(g_date_time_new_now_local());
    /* How much memory there is, which it asks for when it sorts much. */
    qsort(bytes, sizeof(bytes), 1, compare_bytes);
    (void)qemu_num_processors();
}

/* Writes all that there is to say if a thread cannot be confined. */
static void G_GNUC_NORETURN fail_in_thread(void)
{
    static const char text[] = "sparsevm: sandbox: a thread cannot be "
                               "confined\n";

    if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0) {
        /* Nobody reads it. */
    }
    _exit(EXIT_FAILURE);
}

/* Of another thread, in a signal handler or at its start. What is inherited is
 * all but the filter of its kind. */
static void confine_thread(QemuThreadKind kind, bool inherits)
{
    if (!inherits &&
        (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || sandbox_caps_enter() ||
         (sandbox.ruleset >= 0 && sandbox_landlock_enter(sandbox.ruleset)))) {
        fail_in_thread();
    }
    if (sandbox_filter_enter(kind)) {
        fail_in_thread();
    }
}

bool sandbox_prepare(Error **errp)
{
    ERRP_GUARD();
    int ret;

    if (!sandbox.on) {
        return true;
    }
    sandbox.ruleset = sandbox_landlock_prepare(sandbox.hotplug, sandbox.dirs,
                                               errp);
    if (*errp || !sandbox_filter_prepare(sandbox.hotplug, errp) ||
        !sandbox_caps_drop(errp)) {
        return false;
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) {
        error_setg_errno(errp, errno, "new privileges cannot be renounced");
        return false;
    }
    qemu_threads_confine(confine_thread);
    ret = sandbox.ruleset >= 0 ? sandbox_landlock_enter(sandbox.ruleset) : 0;
    if (ret) {
        error_setg_errno(errp, -ret, "Landlock cannot be entered");
        return false;
    }
    return true;
}

bool sandbox_enter(Error **errp)
{
    int ret;

    if (!sandbox.on) {
        return true;
    }
    if (sandbox.ruleset >= 0) {
        close(sandbox.ruleset);
        sandbox.ruleset = -1;
    }
    if (!sandbox.hotplug) {
        qemu_forbid_opening();
    }
    qemu_forbid_spawning();
    ret = sandbox_filter_enter(QEMU_THREAD_MAIN);
    if (ret) {
        error_setg_errno(errp, -ret, "the filter of system calls cannot be "
                         "entered");
        return false;
    }
    return true;
}

const char *sandbox_features(void)
{
    return ""
#ifdef CONFIG_SECCOMP
           " libseccomp"
#endif
#ifdef CONFIG_LIBCAP_NG
           " libcap-ng"
#endif
#ifdef CONFIG_LINUX_IO_URING
           " liburing"
#endif
#ifdef CONFIG_SLIRP
           " libslirp"
#endif
           " Landlock";
}
