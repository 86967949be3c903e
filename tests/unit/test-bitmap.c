/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bitmaps (qemu/bitmap.h) against a model that has a byte for each bit. */
#include "qemu/osdep.h"

#include "qemu/bitmap.h"

#define MAX_BITS 333                      /* five words and a bit */
#define ROUNDS 20000

typedef struct Model {
    bool bit[MAX_BITS];
} Model;

static void check_equal(const unsigned long *map, const Model *model)
{
    for (long i = 0; i < MAX_BITS; i++) {
        g_assert_cmpint(test_bit(i, map), ==, model->bit[i]);
    }
}

static unsigned long model_next(const Model *model, unsigned long size,
                                unsigned long offset, bool value)
{
    while (offset < size && model->bit[offset] != value) {
        offset++;
    }
    return MIN(offset, size);
}

static long model_count(const Model *model, long start, long nr)
{
    long n = 0;

    for (long i = start; i < start + nr; i++) {
        n += model->bit[i];
    }
    return n;
}

static void check_queries(const unsigned long *map, const Model *model)
{
    long start = g_test_rand_int_range(0, MAX_BITS);
    long nr = g_test_rand_int_range(0, MAX_BITS - start + 1);
    long size = start + nr;
    long count = model_count(model, 0, size);
    unsigned long last = find_last_bit(map, size);

    g_assert_cmpuint(find_next_bit(map, size, start), ==,
                     model_next(model, size, start, true));
    g_assert_cmpuint(find_next_zero_bit(map, size, start), ==,
                     model_next(model, size, start, false));
    g_assert_cmpint(bitmap_count_one_with_offset(map, start, nr), ==,
                    model_count(model, start, nr));
    g_assert_cmpint(bitmap_count_one(map, size), ==, count);
    g_assert_cmpint(bitmap_empty(map, size), ==, count == 0);
    g_assert_cmpint(bitmap_full(map, size), ==, count == size);
    if (count) {
        g_assert_true(model->bit[last]);
        g_assert_cmpuint(model_next(model, size, last + 1, true), ==, size);
    } else {
        g_assert_cmpuint(last, ==, size);
    }
}

static void test_ranges_agree_with_a_model(void)
{
    g_autofree unsigned long *map = bitmap_new(MAX_BITS);
    g_autofree Model *model = g_new0(Model, 1);

    for (unsigned round = 0; round < ROUNDS; round++) {
        long start = g_test_rand_int_range(0, MAX_BITS);
        long nr = g_test_rand_int_range(0, MAX_BITS - start + 1);
        bool value = g_test_rand_bit();

        memset(model->bit + start, value, nr);
        if (value) {
            bitmap_set(map, start, nr);
        } else {
            bitmap_clear(map, start, nr);
        }
        check_queries(map, model);
        if (round % 100 == 0) {
            check_equal(map, model);
        }
    }
}

static void test_bits_are_set_one_by_one(void)
{
    DECLARE_BITMAP(map, MAX_BITS) = { 0 };

    for (long i = 0; i < MAX_BITS; i++) {
        g_assert_false(test_and_set_bit(i, map));
        g_assert_true(test_and_set_bit(i, map));
        g_assert_cmpuint(find_first_bit(map, MAX_BITS), ==, i);
        g_assert_true(test_and_clear_bit(i, map));
        change_bit(i, map);
        g_assert_true(test_bit(i, map));
        clear_bit(i, map);
        g_assert_true(bitmap_empty(map, MAX_BITS));
    }
}

static void test_words_outside_a_range_are_not_touched(void)
{
    unsigned long map[3] = { ~0UL, 0, ~0UL };

    bitmap_set(map + 1, 0, BITS_PER_LONG);
    g_assert_cmphex(map[1], ==, ~0UL);
    bitmap_clear(map + 1, 0, BITS_PER_LONG);
    g_assert_cmphex(map[0], ==, ~0UL);
    g_assert_cmphex(map[2], ==, ~0UL);
    bitmap_set(map + 1, 5, 0);
    g_assert_cmphex(map[1], ==, 0);
}

static void test_bits_beyond_the_size_do_not_count(void)
{
    unsigned long map[2] = { 0, ~0UL << 6 };

    g_assert_true(bitmap_empty(map, BITS_PER_LONG + 6));
    g_assert_cmpuint(find_next_bit(map, BITS_PER_LONG + 6, 0), ==,
                     BITS_PER_LONG + 6);
    g_assert_cmpuint(find_last_bit(map, BITS_PER_LONG + 6), ==,
                     BITS_PER_LONG + 6);
    g_assert_cmpuint(find_next_bit(map, 70, 100), ==, 70);
    g_assert_cmpuint(find_next_bit(map, 0, 0), ==, 0);
}

static void test_whole_bitmaps_combine(void)
{
    DECLARE_BITMAP(a, MAX_BITS);
    DECLARE_BITMAP(b, MAX_BITS);
    DECLARE_BITMAP(c, MAX_BITS);

    bitmap_fill(a, MAX_BITS);
    g_assert_true(bitmap_full(a, MAX_BITS));
    bitmap_zero(b, MAX_BITS);
    g_assert_false(bitmap_and(c, a, b, MAX_BITS));
    g_assert_false(bitmap_intersects(a, b, MAX_BITS));
    bitmap_complement(c, b, MAX_BITS);
    g_assert_true(bitmap_equal(a, c, MAX_BITS));
    set_bit(300, b);
    g_assert_true(bitmap_intersects(a, b, MAX_BITS));
    g_assert_true(bitmap_and(c, a, b, MAX_BITS));
    g_assert_cmpint(bitmap_count_one(c, MAX_BITS), ==, 1);
    bitmap_zero(a, MAX_BITS);
    bitmap_or(c, a, b, MAX_BITS);
    bitmap_copy(a, c, MAX_BITS);
    g_assert_true(bitmap_equal(a, b, MAX_BITS));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/bitmap/ranges-agree-with-a-model",
                    test_ranges_agree_with_a_model);
    g_test_add_func("/bitmap/bits-are-set-one-by-one",
                    test_bits_are_set_one_by_one);
    g_test_add_func("/bitmap/words-outside-a-range-are-not-touched",
                    test_words_outside_a_range_are_not_touched);
    g_test_add_func("/bitmap/bits-beyond-the-size-do-not-count",
                    test_bits_beyond_the_size_do_not_count);
    g_test_add_func("/bitmap/whole-bitmaps-combine",
                    test_whole_bitmaps_combine);
    return g_test_run();
}
