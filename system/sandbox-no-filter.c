/* SPDX-License-Identifier: GPL-2.0-or-later */
/* In place of sandbox-filter.c in a build without libseccomp: says so. */
#include "qemu/osdep.h"

#include "sandbox-internal.h"

bool sandbox_filter_available(Error **errp)
{
    error_setg(errp, "this build cannot filter system calls: it was made "
               "without libseccomp");
    return false;
}

bool sandbox_filter_prepare(bool hotplug, Error **errp)
{
    return sandbox_filter_available(errp);
}

int sandbox_filter_enter(QemuThreadKind kind)
{
    return -ENOSYS;
}
