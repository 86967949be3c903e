/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sending half of a protocol on a character device (QMP, the monitor for
 * people, qtest): what the reader does not take is kept, up to a limit, so that
 * nobody ever waits for a reader. The owner takes no more input while
 * CHAR_OUTPUT_PAUSE bytes are kept, and drops a reader for which more than
 * CHAR_OUTPUT_MAX would be. Main loop, big lock held. Sizes are bytes.
 */
#ifndef CHARDEV_CHAR_OUTPUT_H
#define CHARDEV_CHAR_OUTPUT_H

#include "chardev/char.h"
#include "qemu/units.h"

#define CHAR_OUTPUT_PAUSE (1 * MiB)
#define CHAR_OUTPUT_MAX (64 * MiB)

typedef struct CharOutput {
    CharBackend *be;                      /* the owner's */
    GString *pending;
    size_t sent;                          /* of pending, already written */
    guint watch;                          /* GLib source; 0: none */
} CharOutput;

void char_output_init(CharOutput *out, CharBackend *be);
void char_output_destroy(CharOutput *out);
/* Sends @data, or keeps what cannot be sent now. false: more than
 * CHAR_OUTPUT_MAX would be kept; then nothing more is to be expected. */
bool char_output_add(CharOutput *out, const char *data, size_t len);
/* Takes what is kept away; the caller's (g_string_free()). */
GString *char_output_take(CharOutput *out);
/* Bytes that are kept. */
size_t char_output_pending(const CharOutput *out);
/* Forgets them: the peer is gone. */
void char_output_discard(CharOutput *out);
/* Waits until all is sent or @deadline (g_get_monotonic_time()) is past. */
void char_output_drain(CharOutput *out, gint64 deadline);

#endif
