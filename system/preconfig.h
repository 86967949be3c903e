/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -preconfig, between preconfig.c and vl.c. Nothing else includes this. */
#ifndef SYSTEM_PRECONFIG_H
#define SYSTEM_PRECONFIG_H

/* Runs the main loop until a client wants the machine to be built; false: the
 * program is to end instead. Big lock held. */
bool preconfig_wait(void);

#endif
