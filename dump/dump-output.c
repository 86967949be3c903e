/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a dump goes (dump-internal.h): a file, which has holes and gets its
 * name when it is complete, or a descriptor from a client, which may be a pipe
 * and takes bytes in their order. It must never wait for who reads a pipe,
 * except in dump_output_wait().
 */
#include "qemu/osdep.h"
#include <fcntl.h>
#include <poll.h>
#include "dump-internal.h"
#include "monitor/fds.h"
#include "qemu/cutils.h"
#include "qemu/may-open.h"
#include "qemu/regular-file.h"

/* --- beginning ----------------------------------------------------------- */

/* Guest memory is nobody else's business: mode 0600. */
static bool open_file(DumpOutput *out, const char *path, Error **errp)
{
    if (!qemu_may_open(errp)) {
        return false;
    }
    out->fd = regular_file_open_new(path, &out->temporary, errp);
    out->name = out->fd < 0 ? NULL : g_strdup(path);
    return out->fd >= 0;
}

/* The descriptor that the client has named; who reads it must not make the
 * emulator wait. */
static bool open_stream(DumpOutput *out, const char *protocol, Error **errp)
{
    int fd = monitor_fd_take(protocol + strlen("fd:"), errp);
    int flags = fd < 0 ? -1 : fcntl(fd, F_GETFL);

    if (fd < 0) {
        return false;
    }
    if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY ||
        fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) {
        error_setg(errp, "'%s' cannot be written to", protocol);
        close(fd);
        return false;
    }
    out->name = g_strdup(protocol);
    out->fd = fd;
    out->waiting = g_byte_array_new();
    return true;
}

bool dump_output_open(DumpOutput *out, const char *protocol, Error **errp)
{
    *out = (DumpOutput) { .fd = -1 };
    if (g_str_has_prefix(protocol, "file:") && protocol[strlen("file:")]) {
        return open_file(out, protocol + strlen("file:"), errp);
    }
    if (g_str_has_prefix(protocol, "fd:") && protocol[strlen("fd:")]) {
        return open_stream(out, protocol, errp);
    }
    error_setg(errp, "protocol '%s' is not supported; possible: file:PATH, "
               "fd:NAME", protocol);
    return false;
}

/* --- writing ------------------------------------------------------------- */

static bool write_failed(DumpOutput *out, int err, Error **errp)
{
    error_setg_errno(errp, err, "cannot write '%s'", out->name);
    return false;
}

bool dump_output_write_at(DumpOutput *out, uint64_t offset, const uint8_t *buf,
                          size_t size, Error **errp)
{
    while (size) {
        ssize_t n = pwrite(out->fd, buf, size, offset);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return write_failed(out, n ? errno : ENOSPC, errp);
        }
        buf += n;
        size -= n;
        offset += n;
    }
    out->size = MAX(out->size, offset);
    return true;
}

static bool write_file(DumpOutput *out, const uint8_t *buf, size_t size,
                       Error **errp)
{
    if (!dump_output_write_at(out, out->offset, buf, size, errp)) {
        return false;
    }
    out->offset += size;
    return true;
}

/* How many of @size bytes the descriptor takes now; -1: *errp. */
static ssize_t write_stream(DumpOutput *out, const uint8_t *buf, size_t size,
                            Error **errp)
{
    size_t done = 0;

    while (done < size) {
        ssize_t n = write(out->fd, buf + done, size - done);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0 && errno == EAGAIN) {
            break;
        }
        if (n <= 0) {
            write_failed(out, n ? errno : ENOSPC, errp);
            return -1;
        }
        done += n;
    }
    return done;
}

bool dump_output_write(DumpOutput *out, const uint8_t *buf, size_t size,
                       Error **errp)
{
    ssize_t n;

    if (!out->waiting) {
        return write_file(out, buf, size, errp);
    }
    g_assert(!dump_output_is_full(out));
    n = write_stream(out, buf, size, errp);
    if (n < 0) {
        return false;
    }
    g_byte_array_append(out->waiting, buf + n, size - n);
    return true;
}

bool dump_output_skip(DumpOutput *out, size_t size, Error **errp)
{
    static const uint8_t zeros[DUMP_CHUNK];

    if (out->waiting) {
        g_assert(size <= sizeof(zeros));
        return dump_output_write(out, zeros, size, errp);
    }
    out->offset += size;
    out->size = MAX(out->size, out->offset);
    return true;
}

bool dump_output_has_holes(const DumpOutput *out)
{
    return !out->waiting;
}

/* --- waiting for who reads ------------------------------------------------ */

bool dump_output_is_full(const DumpOutput *out)
{
    return out->waiting && out->waiting->len;
}

bool dump_output_flush(DumpOutput *out, Error **errp)
{
    ssize_t n = dump_output_is_full(out)
        ? write_stream(out, out->waiting->data, out->waiting->len, errp) : 0;

    if (n < 0) {
        return false;
    }
    if (n > 0) {
        g_byte_array_remove_range(out->waiting, 0, n);
    }
    return true;
}

bool dump_output_wait(DumpOutput *out, Error **errp)
{
    struct pollfd p = { .fd = out->fd, .events = POLLOUT };
    int n;

    do {
        n = qemu_poll_ms(&p, 1, DUMP_STALL_MS);
    } while (n < 0 && errno == EINTR);
    if (n == 0) {
        error_setg(errp, "nobody has read '%s' for %d seconds; detach=true "
                   "waits for ever", out->name, DUMP_STALL_MS / 1000);
    }
    return n != 0;
}

/* --- the end ------------------------------------------------------------- */

/* Gives the file its name, or, if something failed, removes it. */
static void close_file(DumpOutput *out, Error **failure)
{
    /* There may be a hole at the end. */
    if (!*failure && ftruncate(out->fd, out->size)) {
        write_failed(out, errno, failure);
    }
    if (close(out->fd) && !*failure) {
        write_failed(out, errno, failure);
    }
    if (!*failure && rename(out->temporary, out->name)) {
        error_setg_errno(failure, errno, "cannot create '%s'", out->name);
    }
    if (*failure) {
        unlink(out->temporary);
    }
}

void dump_output_close(DumpOutput *out, Error **failure)
{
    if (out->temporary) {
        close_file(out, failure);
    } else if (close(out->fd) && !*failure) {
        write_failed(out, errno, failure);
    }
    g_clear_pointer(&out->waiting, g_byte_array_unref);
    g_clear_pointer(&out->temporary, g_free);
    g_clear_pointer(&out->name, g_free);
    out->fd = -1;
}
