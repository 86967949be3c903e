/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers and sizes as text, and small things besides. The qemu_strto*() functions
 * take the whole of @nptr unless @endptr is given, in which case *endptr is where they
 * stopped. 0, -EINVAL (no number, or something after it) or -ERANGE; *result is set
 * on success only. Any thread. QEMU's names.
 */
#ifndef QEMU_CUTILS_H
#define QEMU_CUTILS_H

#include <poll.h>

/* @base as for strtol(); 0: by prefix (0x, 0). Blanks before are refused. */
int qemu_strtoi64(const char *nptr, const char **endptr, int base,
                  int64_t *result);
/* A minus sign is refused. */
int qemu_strtou64(const char *nptr, const char **endptr, int base,
                  uint64_t *result);

/*
 * Bytes: decimal, with a fraction only before a suffix ("1.5G"), or
 * hexadecimal without suffix; suffixes B K M G T P E by 1024 in either case.
 * Without suffix the unit is a byte; for _MiB a mebibyte.
 */
int qemu_strtosz(const char *nptr, const char **endptr, uint64_t *result);
int qemu_strtosz_MiB(const char *nptr, const char **endptr, uint64_t *result);
/* "1.5 GiB", with at most 3 significant digits; the caller's to g_free(). */
char *size_to_str(uint64_t val);

/* on, yes, true, y or off, no, false, n. */
bool qemu_parse_bool(const char *text, bool *result);

/* Whether all of @len bytes are 0. */
bool buffer_is_zero(const void *buf, size_t len);
/* What to add to their sum to make it 0, as the tables of firmware have it. */
uint8_t buffer_checksum(const void *buf, size_t len);

/* poll(2), by the one call for it that the sandbox knows. */
int qemu_poll_ms(struct pollfd *fds, nfds_t nfds, int timeout_ms);

/* Writes all @count bytes to a blocking @fd; how many, less with errno set. */
ssize_t qemu_write_full(int fd, const void *buf, size_t count);

#endif
