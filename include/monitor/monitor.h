/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Monitors: character devices on which somebody controls the machine, by QMP
 * (mode=control) or by typing (mode=readline). Any number at once. Main loop,
 * big lock held; events may be emitted by any thread that holds it.
 */
#ifndef MONITOR_MONITOR_H
#define MONITOR_MONITOR_H

#include <json-glib/json-glib.h>

#include "qapi/error.h"

/*
 * -mon [chardev=]ID[,mode=control|readline][,pretty=on|off]. Values may be
 * text (from the command line) or typed. An unknown member, chardev or mode is
 * refused. @opts stays the caller's.
 */
bool monitor_init_opts(JsonObject *opts, Error **errp);

/* A QMP server on @chr, which must not be in use. @pretty: indented replies. */
bool monitor_init_qmp(Chardev *chr, bool pretty, Error **errp);
/* A monitor for people on @chr. */
bool monitor_init_hmp(Chardev *chr, Error **errp);

/*
 * From now on only commands that are called @names (QMP's and HMP's alike, as
 * they are registered) are carried out; NULL: all. @names must live until then.
 */
void monitor_restrict(const char *const *names);

/*
 * Sends what is still to be sent, for a second at most, and closes all
 * monitors. At exit, before the character devices go.
 */
void monitor_cleanup(void);

#endif
