/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HMP sessions: a prompt on a character device, for people. What a line does
 * is the business of hmp-commands.c, how it is typed that of hmp-readline.c.
 */
#include "qemu/osdep.h"

#include "monitor/hmp.h"
#include "monitor/monitor.h"
#include "qemu/main-loop.h"
#include "qemu/queue.h"

#include "hmp-readline.h"
#include "monitor-internal.h"

/* Programs that drive an emulator by its monitor wait for this prompt. */
#define HMP_PROMPT "(qemu) "

/* Of one read of the character device, bytes. */
#define HMP_READ_SIZE 1024

typedef struct HmpSession {
    CharBackend chr;
    CharOutput out;
    Readline *readline;
    QEMUBH *greeter;
    bool greeted;
    bool muted;                   /* the mux's focus is on another front end */
    QTAILQ_ENTRY(HmpSession) next;
} HmpSession;

static QTAILQ_HEAD(, HmpSession) hmp_sessions =
    QTAILQ_HEAD_INITIALIZER(hmp_sessions);

static void hmp_session_print(void *opaque, const char *text, size_t len)
{
    HmpSession *s = opaque;

    if (!char_output_add(&s->out, text, len)) {
        char_output_discard(&s->out);
        qemu_chr_fe_disconnect(&s->chr);
    }
}

static void hmp_session_execute(void *opaque, const char *line)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_auto(GStrv) lines = NULL;
    g_autofree char *out = NULL;

    hmp_execute(text, line);
    lines = g_strsplit(text->str, "\n", -1);
    out = g_strjoinv("\r\n", lines);
    hmp_session_print(opaque, out, strlen(out));
}

static char **hmp_session_complete(void *opaque, const char *line)
{
    return hmp_complete(line);
}

static const ReadlineOps hmp_readline_ops = {
    .print = hmp_session_print,
    .execute = hmp_session_execute,
    .complete = hmp_session_complete,
};

static int hmp_session_can_read(void *opaque)
{
    HmpSession *s = opaque;

    return char_output_pending(&s->out) < CHAR_OUTPUT_PAUSE
           ? HMP_READ_SIZE : 0;
}

static void hmp_session_read(void *opaque, const uint8_t *buf, int size)
{
    HmpSession *s = opaque;

    readline_feed(s->readline, (const char *)buf, size);
}

/*
 * From the main loop: a start that fails prints its reason and nothing else. A
 * monitor that shares the terminal greets when it is switched to.
 */
static void hmp_session_greet(void *opaque)
{
    static const char greeting[] = "sparsevm " SPARSEVM_VERSION
        " monitor - type 'help' for more information\r\n";
    HmpSession *s = opaque;

    if (!s->muted && !s->greeted) {
        s->greeted = true;
        hmp_session_print(s, greeting, strlen(greeting));
        readline_show(s->readline);
    }
}

static void hmp_session_event(void *opaque, QEMUChrEvent event)
{
    HmpSession *s = opaque;

    switch (event) {
    case CHR_EVENT_OPENED:
        readline_reset(s->readline);
        s->greeted = false;
        qemu_bh_schedule(s->greeter);
        break;
    case CHR_EVENT_MUX_IN:
        s->muted = false;
        hmp_session_print(s, "\r\n", 2);
        if (s->greeted) {
            readline_show(s->readline);
        } else {
            hmp_session_greet(s);
        }
        break;
    case CHR_EVENT_MUX_OUT:
        s->muted = true;
        break;
    case CHR_EVENT_CLOSED:
        char_output_discard(&s->out);
        break;
    default:
        break;
    }
}

bool monitor_init_hmp(Chardev *chr, Error **errp)
{
    HmpSession *s = g_new0(HmpSession, 1);

    if (!qemu_chr_fe_init(&s->chr, chr, errp)) {
        g_free(s);
        return false;
    }
    s->greeter = qemu_bh_new(hmp_session_greet, s);
    s->readline = readline_new(&hmp_readline_ops, s, HMP_PROMPT);
    char_output_init(&s->out, &s->chr);
    QTAILQ_INSERT_TAIL(&hmp_sessions, s, next);
    qemu_chr_fe_set_handlers(&s->chr, hmp_session_can_read, hmp_session_read,
                             hmp_session_event, NULL, s, NULL, true);
    return true;
}

void hmp_sessions_close(gint64 deadline)
{
    HmpSession *s, *next;

    QTAILQ_FOREACH_SAFE(s, &hmp_sessions, next, next) {
        QTAILQ_REMOVE(&hmp_sessions, s, next);
        char_output_drain(&s->out, deadline);
        char_output_destroy(&s->out);
        qemu_chr_fe_deinit(&s->chr, false);
        qemu_bh_delete(s->greeter);
        readline_free(s->readline);
        g_free(s);
    }
}
