/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers and sizes as people write them (qemu/cutils.h). It must never accept
 * a text of which it understood only a part.
 */
#include "qemu/osdep.h"

#include <limits.h>
#include <math.h>

#include "qemu/cutils.h"

/* What strto*() left: @end is where it stopped, errno is its verdict. */
static int check_number(const char *nptr, const char *end, const char **endptr)
{
    int err = errno;

    if (endptr) {
        *endptr = end;
    }
    if (end == nptr || (!endptr && *end)) {
        return -EINVAL;
    }
    return err == ERANGE ? -ERANGE : 0;
}

/* strto*() skip blanks; a person who wrote one made a mistake. */
static bool starts_blank(const char *nptr, const char **endptr)
{
    if (endptr) {
        *endptr = nptr;
    }
    return !nptr || g_ascii_isspace(*nptr);
}

int qemu_strtoi64(const char *nptr, const char **endptr, int base,
                  int64_t *result)
{
    char *end;
    int64_t value;
    int ret;

    if (starts_blank(nptr, endptr)) {
        return -EINVAL;
    }
    errno = 0;
    value = strtoll(nptr, &end, base);
    ret = check_number(nptr, end, endptr);
    if (!ret) {
        *result = value;
    }
    return ret;
}

int qemu_strtou64(const char *nptr, const char **endptr, int base,
                  uint64_t *result)
{
    char *end;
    uint64_t value;
    int ret;

    if (starts_blank(nptr, endptr) || *nptr == '-') {
        return -EINVAL;
    }
    errno = 0;
    value = strtoull(nptr, &end, base);
    ret = check_number(nptr, end, endptr);
    if (!ret) {
        *result = value;
    }
    return ret;
}

/* --- sizes --- */

/* log2 of the unit that @c stands for, or -1. */
static int suffix_shift(char c)
{
    static const char suffixes[] = "BKMGTPE";
    const char *found = c ? strchr(suffixes, g_ascii_toupper(c)) : NULL;

    return found ? 10 * (int)(found - suffixes) : -1;
}

/* Digits, perhaps a fraction. The whole part never goes through a double, so
 * that sizes beyond 2^53 stay exact. */
static int parse_decimal(const char *nptr, const char **endptr,
                         uint64_t *whole, bool *has_fraction, double *fraction)
{
    const char *p;
    double weight = 0.1;
    int ret;

    *fraction = 0;
    *has_fraction = false;
    ret = qemu_strtou64(nptr, endptr, 10, whole);
    p = *endptr;
    if (ret || *p != '.') {
        return ret;
    }
    *has_fraction = true;
    for (p++; g_ascii_isdigit(*p); p++, weight /= 10) {
        *fraction += (*p - '0') * weight;
    }
    *endptr = p;
    return 0;
}

static int parse_size(const char *nptr, const char **endptr, int default_shift,
                      uint64_t *result)
{
    const char *end = nptr;
    uint64_t whole;
    double fraction = 0;
    bool has_fraction = false, hex;
    int shift, ret;

    if (starts_blank(nptr, endptr) || !g_ascii_isdigit(*nptr)) {
        return -EINVAL;
    }
    hex = nptr[0] == '0' && (nptr[1] == 'x' || nptr[1] == 'X');
    ret = hex ? qemu_strtou64(nptr, &end, 16, &whole)
              : parse_decimal(nptr, &end, &whole, &has_fraction, &fraction);
    if (ret) {
        return ret;
    }
    shift = hex ? -1 : suffix_shift(*end);
    end += shift >= 0;
    shift = shift >= 0 ? shift : default_shift;
    if (endptr) {
        *endptr = end;
    }
    if ((!endptr && *end) || (has_fraction && shift == 0)) {
        return -EINVAL;
    }
    if (whole > UINT64_MAX >> shift) {
        return -ERANGE;
    }
    if (__builtin_add_overflow(whole << shift,
                               (uint64_t)(ldexp(fraction, shift) + 0.5),
                               &whole)) {
        return -ERANGE;
    }
    *result = whole;
    return 0;
}

int qemu_strtosz(const char *nptr, const char **endptr, uint64_t *result)
{
    return parse_size(nptr, endptr, 0, result);
}

int qemu_strtosz_MiB(const char *nptr, const char **endptr, uint64_t *result)
{
    return parse_size(nptr, endptr, 20, result);
}

char *size_to_str(uint64_t val)
{
    static const char *const units[] = { "", "Ki", "Mi", "Gi", "Ti", "Pi",
                                         "Ei" };
    unsigned unit = 0;
    double scaled = val;

    /* 999.5 would show as 1e+03. */
    while (scaled >= 999.5 && unit < ARRAY_SIZE(units) - 1) {
        scaled /= 1024;
        unit++;
    }
    return g_strdup_printf("%0.3g %sB", scaled, units[unit]);
}

/* --- words --- */

bool qemu_parse_bool(const char *text, bool *result)
{
    static const char *const on[] = { "on", "yes", "true", "y", NULL };
    static const char *const off[] = { "off", "no", "false", "n", NULL };

    if (g_strv_contains(on, text)) {
        *result = true;
        return true;
    }
    if (g_strv_contains(off, text)) {
        *result = false;
        return true;
    }
    return false;
}

/* All bytes are as their left neighbours, and the first is 0. */
bool buffer_is_zero(const void *buf, size_t len)
{
    const uint8_t *p = buf;

    return !len || (!p[0] && !memcmp(p, p + 1, len - 1));
}

uint8_t buffer_checksum(const void *buf, size_t len)
{
    uint8_t sum = 0;

    for (size_t i = 0; i < len; i++) {
        sum += ((const uint8_t *)buf)[i];
    }
    return -sum;
}

int qemu_poll_ms(struct pollfd *fds, nfds_t nfds, int timeout_ms)
{
    struct timespec ts = {
        .tv_sec = timeout_ms / 1000,
        .tv_nsec = timeout_ms % 1000 * 1000000L,
    };

    return ppoll(fds, nfds, timeout_ms < 0 ? NULL : &ts, NULL);
}

ssize_t qemu_write_full(int fd, const void *buf, size_t count)
{
    size_t done = 0;

    while (done < count) {
        ssize_t n = write(fd, (const char *)buf + done, count - done);

        if (n < 0 && errno != EINTR) {
            break;
        }
        done += n > 0 ? n : 0;
    }
    return done;
}
