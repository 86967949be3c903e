/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How an address space is folded into rows of cells for a picture. */
#include "qemu/osdep.h"
#include "qemu/units.h"
#include "ui/map-layout.h"

#define CELLS 64
#define PAGE (4 * KiB)

/* The end of a range that begins at @first. */
static MapExtent extent(uint64_t first, uint64_t size)
{
    return (MapExtent) { first, first + (size - 1) };
}

static MapLayout *layout_of(const MapExtent *extents, size_t n,
                            unsigned max_lines)
{
    return map_layout_new(extents, n, CELLS, PAGE, max_lines);
}

static uint64_t sum(const MapLayout *layout, MapKind kind)
{
    uint64_t bytes = 0;

    for (size_t i = 0; i < (size_t)layout->nr_rows * CELLS; i++) {
        bytes += layout->cells[i].bytes[kind];
    }
    return bytes;
}

static void test_cells_are_as_small_as_fits(void)
{
    const MapExtent ram = extent(0, 256 * MiB);
    MapLayout *layout = layout_of(&ram, 1, 32);

    g_assert_cmpuint(layout->nr_rows, ==, 32);
    g_assert_cmpuint(layout->row_size, ==, 8 * MiB);
    g_assert_cmpuint(layout->cell_size, ==, 128 * KiB);
    map_layout_free(layout);
    layout = layout_of(&ram, 1, 31);
    g_assert_cmpuint(layout->nr_rows, ==, 16);
    map_layout_free(layout);
}

static void test_cells_do_not_get_smaller_than_asked_for(void)
{
    const MapExtent page = extent(64 * PAGE * CELLS, PAGE);
    MapLayout *layout = layout_of(&page, 1, 100);

    g_assert_cmpuint(layout->cell_size, ==, PAGE);
    g_assert_cmpuint(layout->nr_rows, ==, 1);
    g_assert_cmpuint(layout->rows[0].addr, ==, page.first);
    map_layout_free(layout);
}

static void test_hole_is_left_out_and_takes_a_line(void)
{
    const MapExtent parts[] = {
        extent(0, 1 * GiB), extent(4 * GiB, 1 * GiB),
    };
    MapLayout *layout = layout_of(parts, 2, 33);

    g_assert_cmpuint(layout->row_size, ==, 64 * MiB);
    g_assert_cmpuint(layout->nr_rows, ==, 32);
    g_assert_cmpuint(layout->nr_lines, ==, 33);
    g_assert_cmpuint(layout->rows[15].skipped, ==, 0);
    g_assert_cmpuint(layout->rows[16].addr, ==, 4 * GiB);
    g_assert_cmpuint(layout->rows[16].skipped, ==, 3 * GiB);
    map_layout_free(layout);
    layout = layout_of(parts, 2, 32);
    g_assert_cmpuint(layout->nr_lines, ==, 17);
    map_layout_free(layout);
}

static void test_extents_in_one_row_share_it(void)
{
    const MapExtent parts[] = {
        extent(0, PAGE), extent(3 * PAGE, PAGE), extent(5 * PAGE, PAGE),
        extent(CELLS * PAGE, PAGE),
    };
    MapLayout *layout = layout_of(parts, 4, 10);

    g_assert_cmpuint(layout->nr_rows, ==, 2);
    g_assert_cmpuint(layout->nr_lines, ==, 2);
    map_layout_free(layout);
}

static void test_range_is_split_over_cells_and_rows(void)
{
    const MapExtent ram = extent(0, 4 * CELLS * PAGE);
    MapLayout *layout = layout_of(&ram, 1, 4);

    /* Half of the last cell of row 0, and all of the first of row 1. */
    map_layout_add(layout, MAP_PLUGGED, CELLS * PAGE - PAGE / 2,
                   CELLS * PAGE + PAGE - 1);
    g_assert_cmpuint(layout->cells[CELLS - 1].bytes[MAP_PLUGGED], ==,
                     PAGE / 2);
    g_assert_cmpuint(layout->cells[CELLS].bytes[MAP_PLUGGED], ==, PAGE);
    g_assert_cmpuint(sum(layout, MAP_PLUGGED), ==, PAGE + PAGE / 2);
    map_layout_free(layout);
}

static void test_bytes_of_a_cell_add_up_by_kind(void)
{
    const MapExtent ram = extent(1 * TiB, 64 * TiB);
    MapLayout *layout = layout_of(&ram, 1, 16);
    const MapCell *cell = &layout->cells[0];

    g_assert_cmpuint(layout->rows[0].addr, ==, 0);
    cell = &layout->cells[1 * TiB / layout->cell_size];
    map_layout_add(layout, MAP_PLUGGED, 1 * TiB, 1 * TiB + 2 * MiB - 1);
    map_layout_add(layout, MAP_PLUGGED, 1 * TiB + 4 * MiB,
                   1 * TiB + 6 * MiB - 1);
    map_layout_add(layout, MAP_UNPLUGGED, 1 * TiB + 2 * MiB,
                   1 * TiB + 4 * MiB - 1);
    g_assert_cmpuint(cell->bytes[MAP_PLUGGED], ==, 4 * MiB);
    g_assert_cmpuint(cell->bytes[MAP_UNPLUGGED], ==, 2 * MiB);
    map_layout_free(layout);
}

static void test_whole_address_space(void)
{
    const MapExtent all = { 0, UINT64_MAX };
    MapLayout *layout = layout_of(&all, 1, 3);

    g_assert_cmpuint(layout->nr_rows, ==, 2);
    map_layout_add(layout, MAP_DEVICE, UINT64_MAX, UINT64_MAX);
    map_layout_add(layout, MAP_RAM, 0, UINT64_MAX);
    g_assert_cmpuint(layout->cells[2 * CELLS - 1].bytes[MAP_DEVICE], ==, 1);
    g_assert_cmpuint(layout->cells[CELLS].bytes[MAP_RAM], ==,
                     layout->cell_size);
    map_layout_free(layout);
}

static void test_row_of_an_address(void)
{
    const MapExtent parts[] = {
        extent(0, 1 * MiB), extent(1 * TiB, 1 * MiB),
    };
    MapLayout *layout = layout_of(parts, 2, 100);
    unsigned row = map_layout_row(layout, 1 * TiB + PAGE);

    g_assert_cmpuint(layout->rows[row].addr, <=, 1 * TiB + PAGE);
    g_assert_cmpuint(map_layout_row(layout, 0), ==, 0);
    g_assert_cmpuint(map_layout_row(layout, 2 * MiB), ==, layout->nr_rows);
    g_assert_cmpuint(map_layout_row(layout, UINT64_MAX), ==, layout->nr_rows);
    map_layout_free(layout);
}

/* Ascending extents with random holes between them; how many. */
static size_t random_extents(GRand *rand, MapExtent *extents, size_t max)
{
    size_t n = (size_t)g_rand_int_range(rand, 1, (gint32)max + 1);
    uint64_t at = 0;

    for (size_t i = 0; i < n; i++) {
        at += ((uint64_t)g_rand_int(rand)) << g_rand_int_range(rand, 0, 20);
        extents[i] = extent(at, 1 + (g_rand_int(rand) >>
                                     g_rand_int_range(rand, 0, 31)));
        at = extents[i].last + 1;
    }
    return n;
}

/* Whatever is shown: within the limit, ascending, nothing is lost. */
static void test_random_extents(void)
{
    const char *seed = g_getenv("SEED");
    guint32 number = seed ? (guint32)g_ascii_strtoull(seed, NULL, 0)
                          : g_random_int();
    g_autoptr(GRand) rand = g_rand_new_with_seed(number);
    MapExtent extents[20];

    g_test_message("SEED=%u", number);
    for (unsigned round = 0; round < 500; round++) {
        size_t n = random_extents(rand, extents, ARRAY_SIZE(extents));
        unsigned max_lines = (unsigned)g_rand_int_range(rand, 3, 60);
        MapLayout *layout = layout_of(extents, n, max_lines);
        uint64_t bytes = 0;
        unsigned lines = 0;

        for (size_t i = 0; i < n; i++) {
            map_layout_add(layout, MAP_RAM, extents[i].first, extents[i].last);
            bytes += extents[i].last - extents[i].first + 1;
        }
        for (unsigned r = 0; r < layout->nr_rows; r++) {
            uint64_t before = r ? layout->rows[r - 1].addr + layout->row_size
                                : 0;

            lines += layout->rows[r].skipped ? 2 : 1;
            g_assert_cmpuint(layout->rows[r].addr, ==,
                             before + layout->rows[r].skipped);
        }
        g_assert_cmpuint(lines, ==, layout->nr_lines);
        g_assert_cmpuint(lines, <=, max_lines);
        g_assert_cmpuint(sum(layout, MAP_RAM), ==, bytes);
        map_layout_free(layout);
    }
}

#define ADD(name, fn) g_test_add_func("/map-layout/" name, fn)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("cells-are-as-small-as-fits", test_cells_are_as_small_as_fits);
    ADD("cells-do-not-get-smaller-than-asked-for",
        test_cells_do_not_get_smaller_than_asked_for);
    ADD("hole-is-left-out-and-takes-a-line",
        test_hole_is_left_out_and_takes_a_line);
    ADD("extents-in-one-row-share-it", test_extents_in_one_row_share_it);
    ADD("range-is-split-over-cells-and-rows",
        test_range_is_split_over_cells_and_rows);
    ADD("bytes-of-a-cell-add-up-by-kind", test_bytes_of_a_cell_add_up_by_kind);
    ADD("whole-address-space", test_whole_address_space);
    ADD("row-of-an-address", test_row_of_an_address);
    ADD("random-extents", test_random_extents);
    return g_test_run();
}
