/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Capabilities, by libcap-ng: whatever the process was started with, it keeps
 * no more than CAP_IPC_LOCK, by which devices may pin more memory than the
 * user's limit. They belong to a thread: each drops its own. Used by sandbox.c.
 */
#include "qemu/osdep.h"

#include <linux/capability.h>
#include <sys/syscall.h>

#ifdef CONFIG_LIBCAP_NG
#include <cap-ng.h>
#endif

#include "sandbox-internal.h"

#ifdef CONFIG_LIBCAP_NG

/* What the main thread has left, for the others. */
static struct __user_cap_header_struct header = {
    .version = _LINUX_CAPABILITY_VERSION_3,
};
static struct __user_cap_data_struct left[_LINUX_CAPABILITY_U32S_3];

bool sandbox_caps_drop(Error **errp)
{
    bool lock, all;

    capng_get_caps_process();
    lock = capng_have_capability(CAPNG_PERMITTED, CAP_IPC_LOCK);
    /* Others may not change what a program may have that is executed; none is. */
    all = capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP);
    capng_clear(CAPNG_SELECT_BOTH);
    if (lock) {
        capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED,
                     CAP_IPC_LOCK);
    }
    if (capng_apply(all ? CAPNG_SELECT_BOTH : CAPNG_SELECT_CAPS) ||
        syscall(SYS_capget, &header, left)) {
        error_setg_errno(errp, errno, "capabilities cannot be dropped");
        return false;
    }
    return true;
}

int sandbox_caps_enter(void)
{
    return syscall(SYS_capset, &header, left) ? -errno : 0;
}

#else

bool sandbox_caps_drop(Error **errp)
{
    return true;
}

int sandbox_caps_enter(void)
{
    return 0;
}

#endif
