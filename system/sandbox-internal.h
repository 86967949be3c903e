/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between the files of the sandbox: sandbox.c has the option and the order of
 * things, sandbox-rules.c the table of system calls, sandbox-filter.c makes
 * filters of it, sandbox-landlock.c says which files may be opened,
 * sandbox-caps.c drops capabilities.
 */
#ifndef SYSTEM_SANDBOX_INTERNAL_H
#define SYSTEM_SANDBOX_INTERNAL_H

#include "qemu/sandbox-need.h"
#include "qemu/thread.h"

/* As a rule's value: the process's own id. */
#define SANDBOX_OWN_PID UINT64_MAX

/* One row of the table: a system call that some kinds of threads may make. */
typedef struct SandboxRule {
    const char *call;
    unsigned threads;                     /* bits: 1 << QemuThreadKind */
    unsigned needs;                       /* bits: 1 << SandboxNeed, any of them */
    /* What is demanded of its arguments; NULL: nothing, and else the other
     * members: argument number @arg, masked, must be @value. */
    const char *demand;
    unsigned arg;
    uint64_t mask;
    uint64_t value;
    /* Not 0: the call is not made, but answered so; threads go on. */
    int answer;
} SandboxRule;

/* sandbox-rules.c */
extern const SandboxRule sandbox_rules[];
extern const size_t sandbox_nr_rules;

/* sandbox-filter.c */

/* Whether this build and this kernel can filter; false: *errp says why not. */
bool sandbox_filter_available(Error **errp);
/* Makes the filters of all kinds; must come before the next. Without @hotplug they
 * allow what was needed by now (qemu/sandbox-need.h), with it whatever a machine may
 * ever need. */
bool sandbox_filter_prepare(bool hotplug, Error **errp);
/* The calling thread has no more than its kind's calls from here on. 0 or
 * -errno. Does what a signal handler may do, and nothing more. */
int sandbox_filter_enter(QemuThreadKind kind);

/* sandbox-landlock.c */

/* A ruleset's descriptor; -1: this kernel or build has none. */
int sandbox_landlock_prepare(bool hotplug, char *const *dirs, Error **errp);
/* The same conditions as sandbox_filter_enter()'s. */
int sandbox_landlock_enter(int ruleset);

/* sandbox-caps.c */

/* The calling thread keeps CAP_IPC_LOCK if it has it, and no other capability. */
bool sandbox_caps_drop(Error **errp);
/* The same for another thread, later; conditions as sandbox_filter_enter()'s. */
int sandbox_caps_enter(void);

#endif
