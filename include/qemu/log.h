/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The log: what -trace and -d ask for, line by line, on stderr or in the file
 * that -D names. Messages for a person are error-report.h's, and stay on
 * stderr, which a daemon turns into its log.
 *
 * Any thread may log; each line is one write, so that lines do not mix, and what
 * is longer than LOG_LINE_MAX is cut. Nothing is allocated, no lock is taken.
 */
#ifndef QEMU_LOG_H
#define QEMU_LOG_H

#include "qapi/error.h"

/* Bytes of a line, its newline included. */
#define LOG_LINE_MAX 512

/* Items of -d: bits of qemu_loglevel. */
#define LOG_GUEST_ERROR (1U << 0)         /* the guest did what is wrong */

/* Which items are on. Written before there are other threads. */
extern unsigned qemu_loglevel;

static inline bool qemu_loglevel_mask(unsigned mask)
{
    return G_UNLIKELY(qemu_loglevel & mask);
}

/* One line; the newline is the caller's. */
void qemu_log(const char *fmt, ...) G_GNUC_PRINTF(1, 2)
    __attribute__((cold));

/* The same if one of the items @mask is on; else nothing is evaluated. */
#define qemu_log_mask(mask, ...)                                              \
    do {                                                                      \
        if (qemu_loglevel_mask(mask)) {                                       \
            qemu_log(__VA_ARGS__);                                            \
        }                                                                     \
    } while (0)

/*
 * The log goes to the file @path from now on, which is emptied, or to one of a
 * set, /dev/fdset/N; one %d in it stands for the process id. false: *errp.
 * Once, main thread.
 */
bool qemu_log_open(const char *path, Error **errp);
/* The file's descriptor, which stays the log's; -1: there is none. */
int qemu_log_fd(void);

#endif
