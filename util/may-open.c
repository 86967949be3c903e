/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether things may still be opened, and started (qemu/may-open.h). */
#include "qemu/osdep.h"

#include "qemu/may-open.h"

static bool announced, forbidden;
static bool spawning_forbidden;

bool qemu_may_open(Error **errp)
{
    if (forbidden) {
        error_setg(errp, "not possible with -sandbox hotplug=off: nothing is "
                   "opened or plugged while the machine runs");
    }
    return !forbidden;
}

bool qemu_may_open_later(const char *why, Error **errp)
{
    if (announced) {
        error_setg(errp, "not possible with -sandbox hotplug=off: %s", why);
    }
    return !announced;
}

void qemu_announce_no_opening(void)
{
    announced = true;
}

void qemu_forbid_opening(void)
{
    forbidden = true;
}

bool qemu_may_spawn(Error **errp)
{
    if (spawning_forbidden) {
        error_setg(errp, "the sandbox starts no program while the machine "
                   "runs, as with -sandbox spawn=deny; what is needed then has "
                   "to be on the command line, or it says -sandbox off");
    }
    return !spawning_forbidden;
}

void qemu_forbid_spawning(void)
{
    spawning_forbidden = true;
}
