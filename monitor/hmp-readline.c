/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The line editor of HMP sessions. The GNU library of that name owns the
 * process's terminal and blocks; this one edits any character device, byte by
 * byte, without waiting. It knows nothing of commands.
 */
#include "qemu/osdep.h"

#include "hmp-readline.h"

#define READLINE_MAX_LINE 4096
#define READLINE_MAX_HISTORY 64

#define KEY_CTRL(c) ((c) & 0x1f)
#define KEY_ESC 0x1b
#define KEY_DEL 0x7f

typedef enum EscapeState {
    ESCAPE_NONE,
    ESCAPE_BEGIN,                         /* after ESC */
    ESCAPE_CSI,                           /* after ESC [ or ESC O */
} EscapeState;

struct Readline {
    const ReadlineOps *ops;
    void *opaque;
    char *prompt;
    GString *line;
    size_t cursor;                        /* in line */
    EscapeState escape;
    unsigned escape_arg;                  /* the number in ESC [ 3 ~ */
    bool after_cr;                        /* its line feed is not another */
    GPtrArray *history;                   /* char *, oldest first */
    guint history_at;                     /* history->len: the line itself */
};

Readline *readline_new(const ReadlineOps *ops, void *opaque,
                       const char *prompt)
{
    Readline *rl = g_new0(Readline, 1);

    rl->ops = ops;
    rl->opaque = opaque;
    rl->prompt = g_strdup(prompt);
    rl->line = g_string_new(NULL);
    rl->history = g_ptr_array_new_with_free_func(g_free);
    return rl;
}

void readline_free(Readline *rl)
{
    g_ptr_array_unref(rl->history);
    g_string_free(rl->line, TRUE);
    g_free(rl->prompt);
    g_free(rl);
}

static void readline_print(Readline *rl, const char *text)
{
    rl->ops->print(rl->opaque, text, strlen(text));
}

void readline_show(Readline *rl)
{
    readline_print(rl, rl->prompt);
    readline_print(rl, rl->line->str);
    for (size_t i = rl->cursor; i < rl->line->len; i++) {
        readline_print(rl, "\b");
    }
}

static void readline_redraw(Readline *rl)
{
    readline_print(rl, "\r\033[K");
    readline_show(rl);
}

void readline_reset(Readline *rl)
{
    g_string_truncate(rl->line, 0);
    rl->cursor = 0;
    rl->escape = ESCAPE_NONE;
    rl->history_at = rl->history->len;
}

/* --- editing ------------------------------------------------------------- */

static void readline_insert(Readline *rl, const char *text)
{
    if (rl->line->len + strlen(text) > READLINE_MAX_LINE) {
        return;
    }
    g_string_insert(rl->line, rl->cursor, text);
    rl->cursor += strlen(text);
    if (rl->cursor == rl->line->len) {
        readline_print(rl, text);
    } else {
        readline_redraw(rl);
    }
}

static void readline_erase(Readline *rl, size_t from, size_t to)
{
    if (from < to && to <= rl->line->len) {
        g_string_erase(rl->line, from, to - from);
        rl->cursor = from;
        readline_redraw(rl);
    }
}

static void readline_move(Readline *rl, size_t to)
{
    if (to <= rl->line->len && to != rl->cursor) {
        rl->cursor = to;
        readline_redraw(rl);
    }
}

static size_t readline_word_start(Readline *rl)
{
    size_t at = rl->cursor;

    while (at > 0 && rl->line->str[at - 1] == ' ') {
        at--;
    }
    while (at > 0 && rl->line->str[at - 1] != ' ') {
        at--;
    }
    return at;
}

static void readline_recall(Readline *rl, guint at)
{
    if (at > rl->history->len) {
        return;
    }
    rl->history_at = at;
    g_string_assign(rl->line, at < rl->history->len
                              ? g_ptr_array_index(rl->history, at) : "");
    rl->cursor = rl->line->len;
    readline_redraw(rl);
}

static void readline_remember(Readline *rl)
{
    GPtrArray *history = rl->history;

    if (rl->line->len == 0 ||
        (history->len > 0 &&
         !strcmp(g_ptr_array_index(history, history->len - 1),
                 rl->line->str))) {
        return;
    }
    if (history->len == READLINE_MAX_HISTORY) {
        g_ptr_array_remove_index(history, 0);
    }
    g_ptr_array_add(history, g_strdup(rl->line->str));
}

static void readline_enter(Readline *rl)
{
    g_autofree char *line = NULL;

    readline_print(rl, "\r\n");
    readline_remember(rl);
    line = g_strdup(rl->line->str);
    readline_reset(rl);
    rl->ops->execute(rl->opaque, line);
    readline_show(rl);
}

/* --- completion ---------------------------------------------------------- */

/* Bytes that all of @words begin with. */
static size_t common_prefix(char **words)
{
    size_t len = strlen(words[0]);

    for (char **w = words + 1; *w; w++) {
        size_t same = 0;

        while (same < len && (*w)[same] == words[0][same]) {
            same++;
        }
        len = same;
    }
    return len;
}

static void readline_complete(Readline *rl)
{
    g_autofree char *before = g_strndup(rl->line->str, rl->cursor);
    g_auto(GStrv) words = rl->ops->complete(rl->opaque, before);
    const char *blank = strrchr(before, ' ');
    size_t typed = strlen(blank ? blank + 1 : before);
    size_t known;

    if (!words[0]) {
        return;
    }
    known = common_prefix(words);
    if (known > typed) {
        g_autofree char *rest = g_strndup(words[0] + typed, known - typed);

        readline_insert(rl, rest);
    }
    if (!words[1]) {
        readline_insert(rl, " ");
    } else if (known == typed) {
        readline_print(rl, "\r\n");
        for (char **w = words; *w; w++) {
            readline_print(rl, *w);
            readline_print(rl, w[1] ? "  " : "\r\n");
        }
        readline_show(rl);
    }
}

/* --- keys ---------------------------------------------------------------- */

static void readline_escape_key(Readline *rl, char c)
{
    switch (c) {
    case 'A':
        if (rl->history_at > 0) {
            readline_recall(rl, rl->history_at - 1);
        }
        break;
    case 'B':
        readline_recall(rl, rl->history_at + 1);
        break;
    case 'C':
        readline_move(rl, rl->cursor + 1);
        break;
    case 'D':
        readline_move(rl, rl->cursor - 1);
        break;
    case 'H':
        readline_move(rl, 0);
        break;
    case 'F':
        readline_move(rl, rl->line->len);
        break;
    case '~':
        if (rl->escape_arg == 1 || rl->escape_arg == 4) {
            readline_move(rl, rl->escape_arg == 1 ? 0 : rl->line->len);
        } else if (rl->escape_arg == 3) {
            readline_erase(rl, rl->cursor, rl->cursor + 1);
        }
        break;
    }
}

/* True if @c belongs to an escape sequence. */
static bool readline_escape(Readline *rl, char c)
{
    switch (rl->escape) {
    case ESCAPE_NONE:
        if (c != KEY_ESC) {
            return false;
        }
        rl->escape = ESCAPE_BEGIN;
        rl->escape_arg = 0;
        break;
    case ESCAPE_BEGIN:
        rl->escape = c == '[' || c == 'O' ? ESCAPE_CSI : ESCAPE_NONE;
        break;
    case ESCAPE_CSI:
        if (g_ascii_isdigit(c)) {
            rl->escape_arg = (rl->escape_arg * 10 + (c - '0')) % 1000;
        } else if (c != ';') {
            rl->escape = ESCAPE_NONE;
            readline_escape_key(rl, c);
        }
        break;
    }
    return true;
}

static void readline_control(Readline *rl, char c)
{
    switch (c) {
    case '\r':
    case '\n':
        readline_enter(rl);
        break;
    case '\t':
        readline_complete(rl);
        break;
    case '\b':
    case KEY_DEL:
        if (rl->cursor > 0) {
            readline_erase(rl, rl->cursor - 1, rl->cursor);
        }
        break;
    case KEY_CTRL('A'):
        readline_move(rl, 0);
        break;
    case KEY_CTRL('E'):
        readline_move(rl, rl->line->len);
        break;
    case KEY_CTRL('U'):
        readline_erase(rl, 0, rl->cursor);
        break;
    case KEY_CTRL('K'):
        readline_erase(rl, rl->cursor, rl->line->len);
        break;
    case KEY_CTRL('W'):
        readline_erase(rl, readline_word_start(rl), rl->cursor);
        break;
    case KEY_CTRL('P'):
        readline_escape_key(rl, 'A');
        break;
    case KEY_CTRL('N'):
        readline_escape_key(rl, 'B');
        break;
    default:
        break;
    }
}

static void readline_key(Readline *rl, char c)
{
    bool after_cr = rl->after_cr;
    char text[2] = { c, '\0' };

    rl->after_cr = c == '\r';
    if ((after_cr && c == '\n') || readline_escape(rl, c)) {
        return;
    }
    if ((unsigned char)c < ' ' || c == KEY_DEL) {
        readline_control(rl, c);
    } else {
        readline_insert(rl, text);
    }
}

void readline_feed(Readline *rl, const char *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        readline_key(rl, data[i]);
    }
}
