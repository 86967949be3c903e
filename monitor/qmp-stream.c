/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cuts a QMP client's bytes into JSON values and has json-glib parse each.
 *
 * json-glib reads whole texts, recursively, and forgives much (comments, "var
 * x =", hexadecimal numbers, lone surrogates). So this lexer finds where a
 * value ends, bounds its size and depth, refuses what is no JSON token, and
 * collects an equal text with double quotes only. How tokens go together is
 * left to json-glib. It must never hand json-glib what it has not checked.
 */
#include "qemu/osdep.h"

#include <math.h>

#include "qmp-stream.h"
#include "qemu/units.h"

typedef enum LexState {
    LEX_BETWEEN,                          /* no token has begun */
    LEX_STRING,
    LEX_ESCAPE,                           /* after the backslash */
    LEX_UNICODE,                          /* in the four digits of \u */
    LEX_NUMBER,
    LEX_WORD,
    LEX_RECOVER,                          /* to a '{' or the end of the line */
    LEX_SKIP,                             /* to the end of the line */
} LexState;

struct QmpStream {
    QmpStreamFunc *fn;
    void *opaque;
    LexState state;
    GString *text;                        /* the value so far, double quoted */
    size_t token;                         /* where in text the token begins */
    char quote;                           /* the one that ends the string */
    unsigned digits;                      /* of \u: how many were seen */
    uint32_t unicode;                     /* of \u: their value */
    bool low_surrogate;                   /* a high one must be completed */
    unsigned tokens;
    unsigned depth;
    char brackets[QMP_STREAM_MAX_DEPTH];  /* what closes each open level */
    unsigned resets;                      /* tells feed that it is overtaken */
    bool paused;                          /* tells feed to return */
};

QmpStream *qmp_stream_new(QmpStreamFunc *fn, void *opaque)
{
    QmpStream *s = g_new0(QmpStream, 1);

    s->fn = fn;
    s->opaque = opaque;
    s->text = g_string_new(NULL);
    return s;
}

void qmp_stream_free(QmpStream *s)
{
    if (s) {
        g_string_free(s->text, TRUE);
        g_free(s);
    }
}

static void qmp_stream_start_over(QmpStream *s)
{
    /* A huge value must not keep its memory for the rest of the session. */
    if (s->text->allocated_len > 64 * KiB) {
        g_string_free(s->text, TRUE);
        s->text = g_string_new(NULL);
    }
    g_string_truncate(s->text, 0);
    s->state = LEX_BETWEEN;
    s->depth = 0;
    s->tokens = 0;
    s->low_surrogate = false;
}

void qmp_stream_reset(QmpStream *s)
{
    qmp_stream_start_over(s);
    s->resets++;
}

bool qmp_stream_is_idle(const QmpStream *s)
{
    return s->state == LEX_BETWEEN && !s->tokens;
}

/* Takes @message. All is skipped until @state, LEX_RECOVER or LEX_SKIP, ends. */
static void qmp_stream_give_up(QmpStream *s, LexState state, char *message)
{
    Error *err = NULL;

    error_setg(&err, "%s", message);
    g_free(message);
    qmp_stream_start_over(s);
    s->state = state;
    s->fn(s->opaque, NULL, err);
}

/* It is no JSON: as in QEMU, a command may follow on the same line. */
static void G_GNUC_PRINTF(2, 3)
qmp_stream_fail(QmpStream *s, const char *fmt, ...)
{
    va_list ap;
    char *message;

    va_start(ap, fmt);
    message = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    qmp_stream_give_up(s, LEX_RECOVER, message);
}

/* It is too much: what follows on the line is more of the same, and not worth
 * another error. */
static void qmp_stream_exceed(QmpStream *s, const char *what)
{
    qmp_stream_give_up(s, LEX_SKIP,
                       g_strdup_printf("JSON %s limit exceeded", what));
}

/* The text is balanced and made of valid tokens: it is json-glib's turn. */
static void qmp_stream_complete(QmpStream *s)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    g_autoptr(JsonNode) value = NULL;
    g_autoptr(GError) parse_error = NULL;
    Error *err = NULL;

    if (json_parser_load_from_data(parser, s->text->str, s->text->len,
                                   &parse_error)) {
        value = json_parser_steal_root(parser);
    } else {
        error_setg(&err, "JSON parse error, %s", parse_error->message);
    }
    qmp_stream_start_over(s);
    s->fn(s->opaque, value, err);
}

/* A value at the outermost level is complete with its last token. */
static void qmp_stream_end_token(QmpStream *s)
{
    s->state = LEX_BETWEEN;
    if (s->depth == 0) {
        qmp_stream_complete(s);
    }
}

/* --- strings ------------------------------------------------------------- */

static void lex_string_end(QmpStream *s)
{
    if (s->low_surrogate) {
        qmp_stream_fail(s, "JSON parse error, lone surrogate in string");
        return;
    }
    if (!g_utf8_validate(s->text->str + s->token, s->text->len - s->token,
                         NULL)) {
        qmp_stream_fail(s, "JSON parse error, invalid UTF-8 sequence in "
                        "string");
        return;
    }
    g_string_append_c(s->text, '"');
    qmp_stream_end_token(s);
}

/* Whether no text in UTF-8 has such a byte: there is no use in waiting for the
 * end of the string. */
static bool is_impossible_byte(unsigned char c)
{
    return c == 0xc0 || c == 0xc1 || c >= 0xf5;
}

static void lex_string(QmpStream *s, char c)
{
    if (c == s->quote) {
        lex_string_end(s);
    } else if (is_impossible_byte(c)) {
        qmp_stream_fail(s, "JSON parse error, invalid UTF-8 sequence in "
                        "string");
    } else if ((unsigned char)c < ' ') {
        qmp_stream_fail(s, "JSON parse error, control character in string");
    } else if (c == '\\') {
        s->state = LEX_ESCAPE;
    } else if (s->low_surrogate) {
        qmp_stream_fail(s, "JSON parse error, lone surrogate in string");
    } else if (c == '"') {
        g_string_append(s->text, "\\\"");
    } else {
        g_string_append_c(s->text, c);
    }
}

static void lex_escape(QmpStream *s, char c)
{
    if (c == 'u') {
        s->state = LEX_UNICODE;
        s->digits = 0;
        s->unicode = 0;
    } else if (s->low_surrogate) {
        qmp_stream_fail(s, "JSON parse error, lone surrogate in string");
    } else if (c == '\'') {
        g_string_append_c(s->text, c);
        s->state = LEX_STRING;
    } else if (c && strchr("\"\\/bfnrt", c)) {
        g_string_append_c(s->text, '\\');
        g_string_append_c(s->text, c);
        s->state = LEX_STRING;
    } else {
        qmp_stream_fail(s, "JSON parse error, invalid escape sequence in "
                        "string");
    }
}

static void lex_unicode(QmpStream *s, char c)
{
    bool high, low;

    if (!g_ascii_isxdigit(c)) {
        qmp_stream_fail(s, "JSON parse error, invalid escape sequence in "
                        "string");
        return;
    }
    s->unicode = s->unicode << 4 | g_ascii_xdigit_value(c);
    if (++s->digits < 4) {
        return;
    }
    high = s->unicode >= 0xd800 && s->unicode < 0xdc00;
    low = s->unicode >= 0xdc00 && s->unicode < 0xe000;
    /* U+0000 would end the text early for everybody who reads it. */
    if (low != s->low_surrogate || s->unicode == 0) {
        qmp_stream_fail(s, "JSON parse error, \\u%04x is not a valid Unicode "
                        "character", s->unicode);
        return;
    }
    s->low_surrogate = high;
    g_string_append_printf(s->text, "\\u%04x", s->unicode);
    s->state = LEX_STRING;
}

/* --- numbers and words --------------------------------------------------- */

static const char *skip_digits(const char *p)
{
    while (g_ascii_isdigit(*p)) {
        p++;
    }
    return p;
}

/* Whether @p is a number as RFC 8259 has it; *integer: without . and e. */
static bool is_json_number(const char *p, bool *integer)
{
    const char *start;

    p += *p == '-';
    start = p;
    p = skip_digits(p);
    if (p == start || (*start == '0' && p > start + 1)) {
        return false;
    }
    *integer = !*p;
    if (*p == '.') {
        start = ++p;
        p = skip_digits(p);
        if (p == start) {
            return false;
        }
    }
    if (*p == 'e' || *p == 'E') {
        p++;
        p += *p == '+' || *p == '-';
        start = p;
        p = skip_digits(p);
        if (p == start) {
            return false;
        }
    }
    return !*p;
}

/* Whether the digits at @p, with an optional sign, fit in 64 bits. */
static bool fits_in_64_bits(const char *p)
{
    errno = 0;
    if (*p == '-') {
        g_ascii_strtoll(p, NULL, 10);
    } else {
        g_ascii_strtoull(p, NULL, 10);
    }
    return errno == 0;
}

static void lex_number_end(QmpStream *s)
{
    const char *number = s->text->str + s->token;
    bool integer;

    if (!is_json_number(number, &integer)) {
        qmp_stream_fail(s, "JSON parse error, invalid number '%.32s'", number);
        return;
    }
    if (isinf(g_ascii_strtod(number, NULL))) {
        qmp_stream_fail(s, "JSON parse error, number too large '%.32s'",
                        number);
        return;
    }
    if (integer && !fits_in_64_bits(number)) {
        /* json-glib would wrap it around; as in QEMU, it is no integer. */
        g_string_append(s->text, "e0");
    }
    qmp_stream_end_token(s);
}

static void lex_word_end(QmpStream *s)
{
    const char *word = s->text->str + s->token;

    if (strcmp(word, "true") && strcmp(word, "false") && strcmp(word, "null")) {
        qmp_stream_fail(s, "JSON parse error, invalid keyword '%.32s'", word);
        return;
    }
    qmp_stream_end_token(s);
}

/* --- what separates tokens ------------------------------------------------ */

static void lex_open(QmpStream *s, char c)
{
    if (s->depth == QMP_STREAM_MAX_DEPTH) {
        qmp_stream_exceed(s, "nesting depth");
        return;
    }
    s->brackets[s->depth++] = c == '{' ? '}' : ']';
    g_string_append_c(s->text, c);
}

static void lex_close(QmpStream *s, char c)
{
    if (s->depth == 0 || s->brackets[s->depth - 1] != c) {
        qmp_stream_fail(s, "JSON parse error, stray '%c'", c);
        return;
    }
    s->depth--;
    g_string_append_c(s->text, c);
    qmp_stream_end_token(s);
}

static void lex_stray(QmpStream *s, char c)
{
    if (g_ascii_isprint(c)) {
        qmp_stream_fail(s, "JSON parse error, stray '%c'", c);
    } else {
        qmp_stream_fail(s, "JSON parse error, stray byte 0x%02x",
                        (unsigned char)c);
    }
}

/* The first byte of a token, or a blank. */
static void lex_between(QmpStream *s, char c)
{
    if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
        return;
    }
    if (++s->tokens > QMP_STREAM_MAX_TOKENS) {
        qmp_stream_exceed(s, "token count");
        return;
    }
    s->token = s->text->len;
    if (c == '{' || c == '[') {
        lex_open(s, c);
    } else if (c == '}' || c == ']') {
        lex_close(s, c);
    } else if (c == '"' || c == '\'') {
        g_string_append_c(s->text, '"');
        s->token++;
        s->quote = c;
        s->state = LEX_STRING;
    } else if ((c == ',' || c == ':') && s->depth > 0) {
        g_string_append_c(s->text, c);
    } else if (g_ascii_isdigit(c) || c == '-') {
        /* A blank keeps two numbers apart that nothing else separates. */
        g_string_append_c(s->text, ' ');
        s->token++;
        g_string_append_c(s->text, c);
        s->state = LEX_NUMBER;
    } else if (g_ascii_isalpha(c)) {
        g_string_append_c(s->text, ' ');
        s->token++;
        g_string_append_c(s->text, c);
        s->state = LEX_WORD;
    } else {
        lex_stray(s, c);
    }
}

/* Takes one byte; false if it ended the token before it and is still to be
 * taken itself. */
static bool lex_byte(QmpStream *s, char c)
{
    switch (s->state) {
    case LEX_BETWEEN:
        lex_between(s, c);
        break;
    case LEX_STRING:
        lex_string(s, c);
        break;
    case LEX_ESCAPE:
        lex_escape(s, c);
        break;
    case LEX_UNICODE:
        lex_unicode(s, c);
        break;
    case LEX_NUMBER:
        if (!g_ascii_isalnum(c) && !(c && strchr("+-.", c))) {
            lex_number_end(s);
            return false;
        }
        g_string_append_c(s->text, c);
        break;
    case LEX_WORD:
        if (!g_ascii_isalnum(c) && c != '_') {
            lex_word_end(s);
            return false;
        }
        g_string_append_c(s->text, c);
        break;
    case LEX_RECOVER:
        if (c == '{') {
            s->state = LEX_BETWEEN;
            return false;
        }
        break;
    case LEX_SKIP:
        break;
    }
    return true;
}

void qmp_stream_pause(QmpStream *s)
{
    s->paused = true;
}

size_t qmp_stream_feed(QmpStream *s, const char *data, size_t len)
{
    unsigned resets = s->resets;
    size_t i;

    s->paused = false;
    for (i = 0; i < len && !s->paused; i++) {
        while (!lex_byte(s, data[i]) && s->resets == resets) {
            /* the byte begins something new, or is skipped */
        }
        if (s->text->len > QMP_STREAM_MAX_BYTES) {
            qmp_stream_exceed(s, "token size");
        }
        if (s->resets != resets) {
            return len;
        }
        if (s->state >= LEX_RECOVER && data[i] == '\n') {
            s->state = LEX_BETWEEN;
        }
    }
    return i;
}
