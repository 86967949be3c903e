/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tables of commands for people, for those in monitor/ who look them up.
 * Big lock held. */
#ifndef MONITOR_HMP_COMMANDS_H
#define MONITOR_HMP_COMMANDS_H

#include "monitor/hmp.h"

/* const HmpCommand *, in the order of registration; @info: those of "info". */
GPtrArray *hmp_command_table(bool info);
/* By any of its names; NULL: there is no such command. */
const HmpCommand *hmp_find_command(const char *name, bool info);

#endif
