/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From bytes to JSON values: what a QMP client sends, in pieces of any size,
 * is cut into values, with or without newlines between them. Strings may have
 * single quotes, as QEMU allows. Private to monitor/. Any thread, one at a time.
 */
#ifndef MONITOR_QMP_STREAM_H
#define MONITOR_QMP_STREAM_H

#include "qapi/error.h"
#include "qemu/json-text.h"
#include "qemu/units.h"

/* What one value may have at most; beyond it, it is an error. No command needs
 * as many tokens, and while they are parsed all other clients wait. */
#define QMP_STREAM_MAX_BYTES (16 * MiB)
#define QMP_STREAM_MAX_DEPTH JSON_TEXT_MAX_DEPTH
#define QMP_STREAM_MAX_TOKENS (1U << 14)

typedef struct QmpStream QmpStream;

/*
 * Told of each value, or of each piece of input that is none: then @value is
 * NULL and @err says why. @value stays the stream's, @err becomes the
 * receiver's, which may call qmp_stream_reset() and qmp_stream_pause(), but not
 * qmp_stream_free().
 */
typedef void QmpStreamFunc(void *opaque, JsonNode *value, Error *err);

QmpStream *qmp_stream_new(QmpStreamFunc *fn, void *opaque);
void qmp_stream_free(QmpStream *s);

/*
 * Takes @len bytes, or those up to a pause; how many. After malformed input, all
 * is skipped up to the next '{' or the end of the line; after too much of it, up
 * to the end of the line.
 */
size_t qmp_stream_feed(QmpStream *s, const char *data, size_t len);

/* What is being fed is taken no further than to the byte that it is at. */
void qmp_stream_pause(QmpStream *s);

/* Whether no value has begun that is still to be completed. */
bool qmp_stream_is_idle(const QmpStream *s);

/* Forgets an unfinished value, and what is left of the piece being fed. */
void qmp_stream_reset(QmpStream *s);

#endif
