/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the parts of a machine need of the kernel once it runs. Each part says so
 * when it is made; a sandbox without hot plug allows what was said by then, and
 * nothing else (system/sandbox-rules.c has the calls behind each word).
 *
 * Main thread only, but for those that ask.
 */
#ifndef QEMU_SANDBOX_NEED_H
#define QEMU_SANDBOX_NEED_H

typedef enum SandboxNeed {
    SANDBOX_ALWAYS,                       /* every machine has it */
    SANDBOX_HOTPLUG,                      /* opens, connects, makes */
    SANDBOX_THREADS,                      /* starts threads while it runs */
    SANDBOX_TERMINAL,                     /* leaves one as it was found */
    SANDBOX_PEERS,                        /* breaks off with a device's server */
    SANDBOX_RANDOM,                       /* takes random bytes of the kernel's */
    SANDBOX_LISTEN,                       /* waits for those who connect */
    SANDBOX_FILES,                        /* removes files at the end */
    SANDBOX_LOCK,                         /* is bound to how much may be locked */
    SANDBOX_MEM_LOCK,                     /* locks its memory */
    SANDBOX_GUARD,                        /* guards memory: userfaultfd */
    SANDBOX_DISK,                         /* disk images */
    SANDBOX_CHILD,                        /* ends a program that it has started */
    SANDBOX_TAP,                          /* network interfaces */
    SANDBOX_NET_SOCKET,                   /* frames over sockets */
    SANDBOX_CHANNEL,                      /* character devices in I/O threads */
    SANDBOX_KVM,
    SANDBOX_VFIO,                         /* devices of the kernel's VFIO */
    SANDBOX_VHOST,                        /* devices of the kernel's vhost */
    SANDBOX_NEED__MAX
} SandboxNeed;

/* A part of the machine needs @need. Once the machine runs without hot plug, it
 * is too late, and there is no part that comes so late. */
void sandbox_need(SandboxNeed need);

/* Whether somebody has said so by now. */
bool sandbox_has_need(SandboxNeed need);

/* Whether the calling thread may start threads: no vCPU may, and without hot plug
 * the main thread only if there was a need. */
bool sandbox_may_start_threads(void);

#endif
