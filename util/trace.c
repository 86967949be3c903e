/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What -trace does: events by name, and their lines in the log. It allocates
 * nothing and takes no lock of ours, so that it may be called from anywhere.
 */
#include "qemu/osdep.h"

#include <sys/syscall.h>
#include <unistd.h>

#include "qapi/error.h"
#include "qemu/log.h"
#include "qemu/timer.h"
#include "qemu/trace.h"

#define TRACE_EVENT_NAME(name, parameters, arguments, format) #name,
static const char *const trace_names[TRACE__MAX] = {
    TRACE_EVENTS(TRACE_EVENT_NAME)
};

bool trace_event_enabled[TRACE__MAX];

const char *trace_event_name(TraceEventID id)
{
    g_assert(id < TRACE__MAX);
    return trace_names[id];
}

bool trace_enable_events(const char *pattern, Error **errp)
{
    bool found = false;

    for (int id = 0; id < TRACE__MAX; id++) {
        if (g_pattern_match_simple(pattern, trace_names[id])) {
            trace_event_enabled[id] = true;
            found = true;
        }
    }
    if (!found) {
        error_setg(errp, "no event matches '%s'; -trace help lists them",
                   pattern);
    }
    return found;
}

void trace_event_print(TraceEventID id, const char *format, ...)
{
    gint64 now = qemu_clock_get_ns(QEMU_CLOCK_HOST) / SCALE_US;
    char line[LOG_LINE_MAX];
    va_list ap;
    int len;

    len = snprintf(line, sizeof(line),
                   "%ld@%" PRId64 ".%06" PRId64 ":%s ",
                   syscall(SYS_gettid), (int64_t)now / G_USEC_PER_SEC,
                   (int64_t)now % G_USEC_PER_SEC, trace_names[id]);
    va_start(ap, format);
    vsnprintf(line + len, sizeof(line) - len, format, ap);
    va_end(ap);
    qemu_log("%s\n", line);
}
