/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "qemu/osdep.h"

#include "qemu/iov.h"

static char a[3], b[5], c[2];
static const struct iovec iov[] = {
    { a, sizeof(a) }, { NULL, 0 }, { b, sizeof(b) }, { c, sizeof(c) },
};
#define TOTAL (sizeof(a) + sizeof(b) + sizeof(c))

static void clear(void)
{
    memset(a, '.', sizeof(a));
    memset(b, '.', sizeof(b));
    memset(c, '.', sizeof(c));
}

static void test_every_offset_and_length_copies_what_fits(void)
{
    const char text[] = "0123456789abcdef";

    for (size_t offset = 0; offset <= TOTAL + 1; offset++) {
        for (size_t len = 0; len <= TOTAL + 1; len++) {
            size_t fits = offset < TOTAL ? MIN(len, TOTAL - offset) : 0;
            char expected[TOTAL], got[TOTAL + 4];

            memset(expected, '.', TOTAL);
            if (fits) {
                memcpy(expected + offset, text, fits);
            }
            clear();
            g_assert_cmpuint(iov_from_buf(iov, ARRAY_SIZE(iov), offset, text,
                                          len), ==, fits);
            g_assert_cmpuint(iov_to_buf(iov, ARRAY_SIZE(iov), 0, got, 99), ==,
                             TOTAL);
            g_assert_cmpmem(got, TOTAL, expected, TOTAL);
            g_assert_cmpuint(iov_to_buf(iov, ARRAY_SIZE(iov), offset, got,
                                        len), ==, fits);
            g_assert_cmpmem(got, fits, text, fits);
        }
    }
}

static void test_size_is_the_sum(void)
{
    g_assert_cmpuint(iov_size(iov, ARRAY_SIZE(iov)), ==, TOTAL);
    g_assert_cmpuint(iov_size(iov, 0), ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/iov/copy", test_every_offset_and_length_copies_what_fits);
    g_test_add_func("/iov/size", test_size_is_the_sum);
    return g_test_run();
}
