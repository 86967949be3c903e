/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hw/virtio/virtio-mem-block-size.c, its arithmetic: how small blocks can be
 * when devices of all sizes share the DMA mappings of a container.
 */
#include "qemu/osdep.h"

#include "hw/virtio/virtio-mem.h"
#include "qemu/units.h"

#define LEAST (2 * MiB)
#define ALL 65535                         /* that a container has */

static uint64_t first_device(uint64_t size)
{
    return virtio_mem_fitting_block_size(LEAST, size,
                                         virtio_mem_mapping_share(0));
}

static void test_first_device(void)
{
    g_assert_cmpuint(first_device(2 * MiB), ==, 2 * MiB);
    g_assert_cmpuint(first_device(64 * GiB), ==, 2 * MiB);
    g_assert_cmpuint(first_device(64 * GiB + 2 * MiB), ==, 4 * MiB);
    g_assert_cmpuint(first_device(256 * GiB), ==, 8 * MiB);
    g_assert_cmpuint(first_device(1 * TiB), ==, 32 * MiB);
    g_assert_cmpuint(first_device(16 * TiB), ==, 512 * MiB);
}

static void test_fitting(void)
{
    g_assert_cmpuint(virtio_mem_fitting_block_size(LEAST, 10 * LEAST, 10), ==,
                     LEAST);
    g_assert_cmpuint(virtio_mem_fitting_block_size(LEAST, 10 * LEAST, 9), ==,
                     2 * LEAST);
    g_assert_cmpuint(virtio_mem_fitting_block_size(LEAST, 10 * LEAST + 1, 10),
                     ==, 2 * LEAST);
    g_assert_cmpuint(virtio_mem_fitting_block_size(LEAST, 10 * LEAST, 1), ==,
                     16 * LEAST);
    g_assert_cmpuint(virtio_mem_fitting_block_size(1 * GiB, 4 * MiB, 1), ==,
                     1 * GiB);
    /* Nothing is left to share: then there is nothing to save either. */
    g_assert_cmpuint(virtio_mem_fitting_block_size(LEAST, 1 * TiB, 0), ==,
                     LEAST);
    g_assert_cmpuint(virtio_mem_fitting_block_size(LEAST, UINT64_MAX, 1), ==,
                     0);
}

static void test_share(void)
{
    g_assert_cmpuint(virtio_mem_mapping_share(0), ==, 32768);
    g_assert_cmpuint(virtio_mem_mapping_share(32767), ==, 1);
    g_assert_cmpuint(virtio_mem_mapping_share(32768), ==, 16384);
    g_assert_cmpuint(virtio_mem_mapping_share(65534), ==, 1);
    g_assert_cmpuint(virtio_mem_mapping_share(65535), ==, 0);
    g_assert_cmpuint(virtio_mem_mapping_share(UINT64_MAX), ==, 0);
}

/* Devices that are plugged one after the other, of any sizes: none takes what
 * boot RAM needs, nor all that is left. */
static void test_one_after_the_other(void)
{
    for (int run = 0; run < 1000; run++) {
        uint64_t used = 0;

        for (int i = 0; i < 8; i++) {
            uint64_t size = LEAST * (uint64_t)g_test_rand_int_range(1, 1 << 20);
            uint64_t share = virtio_mem_mapping_share(used);
            uint64_t block = virtio_mem_fitting_block_size(LEAST, size, share);

            g_assert_cmpuint(share, >, 0);
            g_assert_true(is_power_of_2(block));
            g_assert_cmpuint(DIV_ROUND_UP(size, block), <=, share);
            g_assert_true(block == LEAST ||
                          DIV_ROUND_UP(size, block / 2) > share);
            used += DIV_ROUND_UP(size, block);
        }
        g_assert_cmpuint(used, <, ALL - 100);
    }
}

/* Devices that are configured together, of one size, get equal blocks as long
 * as their number is a power of two, and fit in half of what there is. */
static void test_configured_together(void)
{
    for (unsigned nr = 1; nr <= 16; nr *= 2) {
        const uint64_t size = 64 * GiB;
        uint64_t used = 0, first = 0;

        for (unsigned i = 0; i < nr; i++) {
            uint64_t block = virtio_mem_fitting_block_size(
                LEAST, (nr - i) * size, virtio_mem_mapping_share(used));

            first = first ? first : block;
            g_assert_cmpuint(block, ==, first);
            used += size / block;
        }
        g_assert_cmpuint(first, ==, nr * LEAST);
        g_assert_cmpuint(used, ==, 32768);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/virtio-mem/block-size/of the first device",
                    test_first_device);
    g_test_add_func("/virtio-mem/block-size/is the smallest that fits",
                    test_fitting);
    g_test_add_func("/virtio-mem/block-size/leaves something to share",
                    test_share);
    g_test_add_func("/virtio-mem/block-size/one device after the other",
                    test_one_after_the_other);
    g_test_add_func("/virtio-mem/block-size/devices configured together",
                    test_configured_together);
    return g_test_run();
}
