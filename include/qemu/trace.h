/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Static tracepoints: trace_NAME(...) for each event of qemu/trace-events.h.
 *
 * Each is two things at once. A probe of provider "sparsevm", by systemtap's
 * <sys/sdt.h>, for perf, bpftrace and the like: one nop until they patch it.
 * And a line in the log for who asked for it by -trace: one test of a byte that
 * is false otherwise. Without the header at build time only the latter is left.
 *
 * The arguments are evaluated always: pass what is at hand, call nothing. Any
 * thread may trace.
 */
#ifndef QEMU_TRACE_H
#define QEMU_TRACE_H

#include "qemu/trace-events.h"

#if __has_include(<sys/sdt.h>)
#define SDT_USE_VARIADIC
#include <sys/sdt.h>
#define TRACE_PROBE(...) STAP_PROBEV(sparsevm, __VA_ARGS__)
#else
#define TRACE_PROBE(...) ((void)0)
#endif

#define TRACE_EVENT_ID(name, parameters, arguments, format) TRACE_##name,
typedef enum TraceEventID {
    TRACE_EVENTS(TRACE_EVENT_ID)
    TRACE__MAX
} TraceEventID;
#undef TRACE_EVENT_ID

/* Which events -trace asked for. Written before there are other threads. */
extern bool trace_event_enabled[TRACE__MAX];

/* Prints one line: thread and time as QEMU's log does, name, arguments. */
void trace_event_print(TraceEventID id, const char *format, ...)
    G_GNUC_PRINTF(2, 3) __attribute__((noinline, cold));

#define TRACE_LIST(...) __VA_ARGS__
#define TRACE_FUNCTION(name, parameters, arguments, format)                   \
    static inline void trace_##name parameters                                \
    {                                                                         \
        TRACE_PROBE(name, TRACE_LIST arguments);                              \
        if (G_UNLIKELY(trace_event_enabled[TRACE_##name])) {                  \
            trace_event_print(TRACE_##name, format, TRACE_LIST arguments);    \
        }                                                                     \
    }
TRACE_EVENTS(TRACE_FUNCTION)
#undef TRACE_FUNCTION

/* The name of event @id, a literal. */
const char *trace_event_name(TraceEventID id);

/*
 * Turns on the events whose names match the glob @pattern ("ram_discard_*").
 * false: *errp, none does. Main thread, before others trace.
 */
bool trace_enable_events(const char *pattern, Error **errp);

#endif
