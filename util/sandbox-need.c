/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of a machine need of the kernel (qemu/sandbox-need.h). */
#include "qemu/osdep.h"

#include "qemu/may-open.h"
#include "qemu/sandbox-need.h"
#include "qemu/thread.h"

/* Atomic: a device may be prepared, and so need something, in any thread. */
static guint needs = 1U << SANDBOX_ALWAYS;

void sandbox_need(SandboxNeed need)
{
    g_atomic_int_or(&needs, 1U << need);
}

bool sandbox_has_need(SandboxNeed need)
{
    return (guint)g_atomic_int_get(&needs) & 1U << need;
}

bool sandbox_may_start_threads(void)
{
    return qemu_thread_kind() == QEMU_THREAD_MAIN &&
           (qemu_may_open(NULL) || sandbox_has_need(SANDBOX_THREADS));
}
