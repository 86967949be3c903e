/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Output that waits for its reader (chardev/char-output.h): writes what the
 * reader takes, keeps the rest, and goes on when the character device is
 * writable again. It never waits, except in char_output_drain().
 */
#include "qemu/osdep.h"

#include "qemu/cutils.h"
#include "chardev/char-output.h"

void char_output_init(CharOutput *out, CharBackend *be)
{
    out->be = be;
    out->pending = g_string_new(NULL);
    out->sent = 0;
    out->watch = 0;
}

size_t char_output_pending(const CharOutput *out)
{
    return out->pending->len - out->sent;
}

void char_output_discard(CharOutput *out)
{
    if (out->watch) {
        g_source_remove(out->watch);
        out->watch = 0;
    }
    out->sent = 0;
    if (out->pending->allocated_len > CHAR_OUTPUT_PAUSE) {
        g_string_free(out->pending, TRUE);
        out->pending = g_string_new(NULL);
    }
    g_string_truncate(out->pending, 0);
}

GString *char_output_take(CharOutput *out)
{
    GString *unsent = g_string_new_len(out->pending->str + out->sent,
                                       char_output_pending(out));

    char_output_discard(out);
    return unsent;
}

void char_output_destroy(CharOutput *out)
{
    char_output_discard(out);
    g_string_free(out->pending, TRUE);
}

/* Writes what can be written; true if there is nothing left to wait for. */
static bool char_output_write(CharOutput *out)
{
    while (char_output_pending(out) > 0) {
        int chunk = MIN(char_output_pending(out), 1 * MiB);
        int n = qemu_chr_fe_write(out->be,
                                  (uint8_t *)out->pending->str + out->sent,
                                  chunk);
        if (n <= 0) {
            return false;
        }
        /* A device that fails may have told so, and pending may be gone. */
        if (char_output_pending(out) == 0) {
            break;
        }
        out->sent += n;
    }
    return true;
}

static void char_output_flush(CharOutput *out);

static gboolean char_output_writable(void *do_not_use, GIOCondition cond,
                                        void *opaque)
{
    CharOutput *out = opaque;

    out->watch = 0;
    char_output_flush(out);
    return G_SOURCE_REMOVE;
}

static void char_output_flush(CharOutput *out)
{
    if (char_output_write(out)) {
        bool was_paused = out->pending->len >= CHAR_OUTPUT_PAUSE;

        char_output_discard(out);
        if (was_paused) {
            qemu_chr_fe_accept_input(out->be);
        }
    } else if (!out->watch) {
        out->watch = qemu_chr_fe_add_watch(out->be, G_IO_OUT | G_IO_HUP,
                                           char_output_writable, out);
        if (!out->watch) {
            char_output_discard(out);  /* nobody is connected */
        }
    }
}

bool char_output_add(CharOutput *out, const char *data, size_t len)
{
    if (char_output_pending(out) + len > CHAR_OUTPUT_MAX) {
        return false;
    }
    if (out->sent > out->pending->len / 2) {
        g_string_erase(out->pending, 0, out->sent);
        out->sent = 0;
    }
    g_string_append_len(out->pending, data, len);
    if (!out->watch) {
        char_output_flush(out);
    }
    return true;
}

void char_output_drain(CharOutput *out, gint64 deadline)
{
    while (!char_output_write(out) && g_get_monotonic_time() < deadline) {
        qemu_poll_ms(NULL, 0, 1);
    }
    char_output_discard(out);
}
