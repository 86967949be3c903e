/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Commands for people: what can be typed at a -monitor, or given to QMP's
 * human-monitor-command. Owners of a subject register theirs next to it, as
 * they do with QMP commands, and write their text into a string: a command
 * knows nothing of the session that it came from. Big lock held.
 */
#ifndef MONITOR_HMP_H
#define MONITOR_HMP_H

#include <json-glib/json-glib.h>

#include "qapi/error.h"

/*
 * @args is what follows the command's name, without outer blanks, never NULL.
 * Appends text, with newlines, to @out. An error is shown as "Error: MESSAGE".
 */
typedef void HmpCommandFunc(GString *out, const char *args, Error **errp);

typedef struct HmpCommand {
    const char *name;                     /* "quit|q": alternatives */
    const char *params;                   /* for help; "" if there are none */
    const char *help;
    HmpCommandFunc *fn;
} HmpCommand;

/* Adds @n commands; @cmds must live for ever. Called by constructors. */
void hmp_register_commands(const HmpCommand *cmds, size_t n);
/* The same for what is called as "info NAME". */
void hmp_register_info(const HmpCommand *cmds, size_t n);

/* Carries out the QMP command @name, which must exist; takes @args (NULL:
 * none). The value of its "return" (transfer full; NULL: empty), or *errp. */
JsonNode *hmp_call_qmp(const char *name, JsonObject *args, Error **errp);

/* Carries out one line and appends what it says, errors included, to @out. */
void hmp_execute(GString *out, const char *line);

/* The words that may follow @line's last, incomplete one: for completion.
 * A NULL-terminated array of the caller's (g_strfreev), sorted. */
char **hmp_complete(const char *line);

#endif
