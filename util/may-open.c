/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether files and sockets may still be opened (qemu/may-open.h). */
#include "qemu/osdep.h"

#include "qemu/may-open.h"

static bool announced, forbidden;

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
