/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Editing one line on a terminal that sends each key at once and echoes
 * nothing: cursor keys, history, completion, and the usual control keys.
 * Private to monitor/. Main loop.
 */
#ifndef MONITOR_HMP_READLINE_H
#define MONITOR_HMP_READLINE_H

typedef struct Readline Readline;

/* What a line editor needs of its session. */
typedef struct ReadlineOps {
    void (*print)(void *opaque, const char *text, size_t len);
    /* A line is complete; the next prompt follows when this returns. */
    void (*execute)(void *opaque, const char *line);
    /* What may come in place of the last word; g_strfreev(). */
    char **(*complete)(void *opaque, const char *line);
} ReadlineOps;

Readline *readline_new(const ReadlineOps *ops, void *opaque,
                       const char *prompt);
void readline_free(Readline *rl);

/* Shows the prompt and, after it, what has been typed so far. */
void readline_show(Readline *rl);
/* Forgets what has been typed; the history stays. */
void readline_reset(Readline *rl);
void readline_feed(Readline *rl, const char *data, size_t len);

#endif
