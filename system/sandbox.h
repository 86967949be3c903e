/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sandbox: from when the machine is ready the process may do only what a
 * running machine needs. Used by vl.c, and by those who carry out what a client
 * asks for later. docs/sandbox.md is about it; SECURITY.md says against whom.
 *
 * Main thread only.
 */
#ifndef SYSTEM_SANDBOX_H
#define SYSTEM_SANDBOX_H

#include "qapi/error.h"

/*
 * First of all, before there are other threads: the C library and GLib are told not
 * to do what confined threads may not.
 */
void sandbox_init(void);

/*
 * What -sandbox says: "on", "off" or, with on, further words. NULL: no option,
 * which is as on where this build and this kernel can, and as off elsewhere.
 */
bool sandbox_configure(const char *arg, Error **errp);

/*
 * Has the C library and GLib read what they read when they first need it. Before
 * the next, and while the host's files are there.
 */
void sandbox_warm_up(void);

/*
 * The threads that there are, and all that come, are confined, and so is the
 * main thread, but for its filter: sandbox_enter() follows. Nothing is
 * undone on failure: the program must end then.
 */
bool sandbox_prepare(Error **errp);
bool sandbox_enter(Error **errp);

/* What -sandbox help prints: the table of system calls. */
void sandbox_print_help(void);

/* For -version: what this build has, each word after a blank. */
const char *sandbox_features(void);

#endif
