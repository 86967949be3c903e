/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -action: what happens when the guest reboots, shuts down, or cannot go on.
 * Two of them are -no-reboot and -no-shutdown under other names.
 */
#include "qemu/osdep.h"

#include "sysemu/runstate.h"
#include "vl-internal.h"

/* One thing that may happen, and what may be done about it. */
typedef struct ActionEvent {
    const char *name;
    const char *values[PANIC_ACTION__MAX + 1]; /* ends with NULL */
    void (*set)(unsigned nth);            /* NULL: the only one holds anyway */
} ActionEvent;

static void set_reboot(unsigned nth)
{
    runstate_set_no_reboot(nth == 1);
}

static void set_shutdown(unsigned nth)
{
    runstate_set_no_shutdown(nth == 1);
}

static void set_panic(unsigned nth)
{
    runstate_set_panic_action((PanicAction)nth);
}

static const ActionEvent events[] = {
    { .name = "reboot", .values = { "reset", "shutdown" }, .set = set_reboot },
    { .name = "shutdown", .values = { "poweroff", "pause" },
      .set = set_shutdown },
    { .name = "panic",
      .values = {
        [PANIC_ACTION_PAUSE] = "pause",
        [PANIC_ACTION_SHUTDOWN] = "shutdown",
        [PANIC_ACTION_EXIT_FAILURE] = "exit-failure",
        [PANIC_ACTION_NONE] = "none" },
      .set = set_panic },
    { .name = "watchdog", .values = { "none" } },
};

static bool apply_event(const ActionEvent *event, const char *value,
                        Error **errp)
{
    g_autofree char *all = NULL;

    for (unsigned i = 0; event->values[i]; i++) {
        if (!strcmp(value, event->values[i])) {
            if (event->set) {
                event->set(i);
            }
            return true;
        }
    }
    all = g_strjoinv("|", (char **)event->values);
    error_setg(errp, "%s=%s: not supported; possible: %s",
               event->name, value, all);
    return false;
}

static bool apply_member(const char *name, const char *value, Error **errp)
{
    for (size_t i = 0; i < ARRAY_SIZE(events); i++) {
        if (!strcmp(name, events[i].name)) {
            return apply_event(&events[i], value, errp);
        }
    }
    error_setg(errp, "Invalid parameter '%s'; expected: reboot, shutdown, "
               "panic, watchdog", name);
    return false;
}

bool vl_configure_actions(const VlConfig *cfg, Error **errp)
{
    return vl_foreach_member("action", cfg->actions, apply_member, errp);
}
