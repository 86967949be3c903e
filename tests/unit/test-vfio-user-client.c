/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hw/vfio-user/container.c and user-device.c as a client of the test device:
 * the server is told exactly what is populated, whatever it refuses; regions
 * and interrupts are those of the server.
 */
#include "qemu/osdep.h"

#include <sys/eventfd.h>
#include <sys/mman.h>

#include "exec/ramblock.h"
#include "qemu/units.h"
#include "vfio-user-fixture.h"

/* --- what the server is told --- */

static void test_plain_memory_by_descriptor(VUFixture *f, gconstpointer data)
{
    int fd = memfd_create("ram", MFD_CLOEXEC);
    MemoryRegion mr;
    uint8_t *host;

    g_assert_cmpint(ftruncate(fd, 4 * MiB), ==, 0);
    g_assert_true(memory_region_init_ram_from_fd(&mr, NULL, "ram", 2 * MiB,
                                                 RAM_SHARED, fd, 1 * MiB,
                                                 &error_abort));
    memory_region_add_subregion(&f->space->root, 0, &mr);
    host = memory_region_get_ram_ptr(&mr);
    memset(host, 3, 4096);
    vu_start(f);
    g_assert_cmpuint(vu_nr_mappings(f), ==, 1);
    vu_reg_write(f, TESTDEV_REG_PROBE, 5 * KiB, 8);
    g_assert_cmpuint(vu_reg_read(f, TESTDEV_REG_PROBE_START, 8), ==, 0);
    g_assert_cmpuint(vu_reg_read(f, TESTDEV_REG_PROBE_SIZE, 8), ==, 2 * MiB);
    g_assert_cmpuint(vu_reg_read(f, TESTDEV_REG_PROBE_FLAGS, 4), ==,
                     TESTDEV_PROBE_READABLE | TESTDEV_PROBE_WRITEABLE |
                     TESTDEV_PROBE_FD);

    g_assert_cmpuint(vu_dma(f, TESTDEV_COPY, 0, 1 * MiB, 8192), ==, 0);
    g_assert_cmpuint(host[1 * MiB + 4095], ==, 3);
    g_assert_cmpuint(host[1 * MiB + 4096], ==, 0);
    g_assert_cmpuint(vu_dma(f, TESTDEV_CHECKSUM, 1 * MiB, 0, 8192), ==, 0);
    g_assert_cmpuint(vu_reg_read(f, TESTDEV_REG_RESULT, 8), ==, 3 * 4096);

    memory_region_del_subregion(&f->space->root, &mr);
    g_assert_cmpuint(vu_nr_mappings(f), ==, 0);
    g_assert_cmpuint(vu_dma(f, TESTDEV_FILL, 0, 0, 1), ==, EFAULT);
    vu_stop(f);
    object_unref(OBJECT(&mr));
}

/* The file behind a private mapping does not have what the guest writes. */
static void test_private_memory_by_messages(VUFixture *f, gconstpointer data)
{
    int fd = memfd_create("ram", MFD_CLOEXEC);
    MemoryRegion mr;

    g_assert_cmpint(ftruncate(fd, 2 * MiB), ==, 0);
    g_assert_true(memory_region_init_ram_from_fd(&mr, NULL, "ram", 2 * MiB, 0,
                                                 fd, 0, &error_abort));
    memory_region_add_subregion(&f->space->root, 0, &mr);
    vu_start(f);
    vu_reg_write(f, TESTDEV_REG_PROBE, 0, 8);
    g_assert_cmpuint(vu_reg_read(f, TESTDEV_REG_PROBE_FLAGS, 4), ==,
                     TESTDEV_PROBE_READABLE | TESTDEV_PROBE_WRITEABLE);
    g_assert_cmpuint(vu_dma(f, TESTDEV_FILL, 0, 100, 1 * MiB + 1), ==, 0);
    g_assert_cmpuint(((uint8_t *)memory_region_get_ram_ptr(&mr))[1 * MiB + 100],
                     ==, 0x5a);
    vu_stop(f);
    memory_region_del_subregion(&f->space->root, &mr);
    object_unref(OBJECT(&mr));
}

static void test_readonly_memory(VUFixture *f, gconstpointer data)
{
    MemoryRegion mr;

    memory_region_init_ram(&mr, NULL, "ram", 64 * KiB, &error_abort);
    memory_region_set_readonly(&f->space->root, true);
    memory_region_add_subregion(&f->space->root, 0, &mr);
    vu_start(f);
    vu_reg_write(f, TESTDEV_REG_PROBE, 0, 8);
    g_assert_cmpuint(vu_reg_read(f, TESTDEV_REG_PROBE_FLAGS, 4), ==,
                     TESTDEV_PROBE_READABLE);
    g_assert_cmpuint(vu_dma(f, TESTDEV_FILL, 0, 0, 1), ==, EFAULT);
    g_assert_cmpuint(vu_dma(f, TESTDEV_CHECKSUM, 0, 0, 100), ==, 0);
    vu_stop(f);
    memory_region_del_subregion(&f->space->root, &mr);
    object_unref(OBJECT(&mr));
}

static void test_no_descriptor_for_who_takes_none(VUFixture *f,
                                                  gconstpointer data)
{
    MemoryRegion mr;
    int fd = memfd_create("ram", MFD_CLOEXEC);

    g_assert_cmpint(ftruncate(fd, 2 * MiB), ==, 0);
    g_assert_true(memory_region_init_ram_from_fd(&mr, NULL, "ram", 2 * MiB,
                                                 RAM_SHARED, fd, 0,
                                                 &error_abort));
    vu_start(f);
    f->user->caps.max_msg_fds = 0;
    memory_region_add_subregion(&f->space->root, 0, &mr);
    vu_reg_write(f, TESTDEV_REG_PROBE, 0, 8);
    g_assert_cmpuint(vu_reg_read(f, TESTDEV_REG_PROBE_FLAGS, 4), ==,
                     TESTDEV_PROBE_READABLE | TESTDEV_PROBE_WRITEABLE);
    vu_stop(f);
    memory_region_del_subregion(&f->space->root, &mr);
    object_unref(OBJECT(&mr));
}

static void test_exact_unmaps(VUFixture *f, gconstpointer data)
{
    vu_plug(f, 3, 5);
    vu_start(f);
    vu_check_blocks(f);
    vu_plug(f, 60, 100);
    vu_check_blocks(f);
    /* Across the borders of what was plugged together. */
    vu_plug(f, 160, 10);
    sparse_ram_unplug(f->ram, 150, 15);
    vu_check_blocks(f);
    sparse_ram_unplug(f->ram, 60, 1);
    g_assert_cmpint(ram_discard_blocks_discard_all(&f->ram->blocks), ==, 0);
    vu_check_blocks(f);
    g_assert_cmpuint(vu_reg_read(f, TESTDEV_REG_REFUSALS, 8), ==, 0);
    g_assert_cmpuint(vu_reg_read(f, TESTDEV_REG_UNMAPS, 8), ==, 115);
}

static void test_everything_is_unmapped_at_the_end(VUFixture *f,
                                                   gconstpointer data)
{
    g_autofree char *log = g_strdup_printf("%s/testdev-log-%d", g_get_tmp_dir(),
                                           getpid());
    const TestDevOptions options = { .log = log };
    g_autofree char *text = NULL;

    vu_plug(f, 1, 2);
    vu_start_for(f, &options, vu_timeout_ms(), &error_abort);
    sparse_ram_unplug(f->ram, 1, 1);
    vu_stop(f);
    g_assert_true(g_file_get_contents(log, &text, NULL, NULL));
    unlink(log);
    g_assert_cmpstr(text, ==,
                    "connect\n"
                    "map 0x100010000 0x10000 msg\n"
                    "map 0x100020000 0x10000 msg\n"
                    "unmap 0x100010000 0x10000\n"
                    "unmap 0x100020000 0x10000\n"
                    "disconnect\n");
}

/* The section is a part of the region, at another address. */
static void test_alias(VUFixture *f, gconstpointer data)
{
    MemoryRegion alias;

    memory_region_del_subregion(&f->space->root, &f->ram->mr);
    memory_region_init_alias(&alias, NULL, "alias", &f->ram->mr, 40 * BLOCK,
                             10 * BLOCK);
    memory_region_add_subregion(&f->space->root, 1 * GiB, &alias);
    vu_start(f);
    vu_plug(f, 45, 100);
    g_assert_cmpuint(vu_nr_mappings(f), ==, 5);
    g_assert_cmpuint(vu_dma(f, TESTDEV_FILL, 0, 1 * GiB + 5 * BLOCK, BLOCK), ==,
                     0);
    g_assert_cmpuint(f->host[45 * BLOCK], ==, 0x5a);
    g_assert_cmpuint(vu_dma(f, TESTDEV_FILL, 0, 1 * GiB + 4 * BLOCK, 1), ==,
                     EFAULT);
    vu_stop(f);
    memory_region_del_subregion(&f->space->root, &alias);
    object_unref(OBJECT(&alias));
    memory_region_add_subregion(&f->space->root, BASE, &f->ram->mr);
}

/* Random requests of random sizes; now and then the server refuses. */
static void test_random(VUFixture *f, gconstpointer data)
{
    unsigned refused = 0;

    vu_start(f);
    for (int i = 0; i < 2000; i++) {
        uint64_t block = g_test_rand_int_range(0, NR_BLOCKS);
        uint64_t nr = g_test_rand_int_range(1, MIN(40, NR_BLOCKS - block + 1));
        bool plugged = sparse_ram_is_plugged(f->ram, block);
        uint64_t n = 1;

        while (n < nr &&
               sparse_ram_is_plugged(f->ram, block + n) == plugged) {
            n++;
        }
        if (g_test_rand_int_range(0, 10) == 0) {
            vu_arm(f, TESTDEV_FAULT_REFUSE_MAP, g_test_rand_int_range(0, 50),
                   0);
        }
        if (plugged) {
            sparse_ram_unplug(f->ram, block, n);
        } else if (sparse_ram_plug(f->ram, block, n)) {
            refused++;
        }
        if (i % 50 == 0) {
            vu_check_blocks(f);
        }
        g_assert_cmpuint(vu_nr_mappings(f) * BLOCK, ==,
                         f->ram->blocks.populated);
    }
    vu_check_blocks(f);
    g_assert_cmpuint(vu_reg_read(f, TESTDEV_REG_REFUSALS, 8), ==, refused);
    g_assert_false(f->user->container.space.broken);
}

static void test_refused_map_is_rolled_back(VUFixture *f, gconstpointer data)
{
    vu_start(f);
    vu_plug(f, 0, 4);
    for (int n = 0; n <= 20; n++) {
        vu_arm(f, TESTDEV_FAULT_REFUSE_MAP, n, ENOSPC);
        g_assert_cmpint(sparse_ram_plug(f->ram, 10, 20), ==,
                        n < 20 ? -ENOSPC : 0);
        vu_check_blocks(f);
    }
    g_assert_null(vfio_user_socket_error(f->user->socket));
    g_assert_nonnull(strstr(f->said->str, "a plug is refused"));
}

static void test_refused_map_at_set_up(VUFixture *f, gconstpointer data)
{
    vu_plug(f, 0, 4);
    for (uint32_t n = 1; n <= 4; n++) {
        const TestDevOptions options = {
            .fault_after = { [TESTDEV_FAULT_REFUSE_MAP] = n },
        };
        Error *err = NULL;

        g_assert_false(vu_start_for(f, &options, vu_timeout_ms(), &err));
        g_assert_nonnull(strstr(error_get_pretty(err), "'mem0'"));
        error_free(err);
    }
    vu_start(f);
    vu_check_blocks(f);
}

static void test_refused_unmap_is_told(VUFixture *f, gconstpointer data)
{
    vu_start(f);
    vu_plug(f, 0, 4);
    vu_arm(f, TESTDEV_FAULT_REFUSE_UNMAP, 1, EBUSY);
    sparse_ram_unplug(f->ram, 0, 4);
    g_assert_true(f->user->container.space.broken);
    g_assert_nonnull(strstr(f->said->str, "cannot unmap"));
    g_assert_cmpuint(vu_nr_mappings(f), ==, 1);
    /* Or the server refuses a map over it, and the end is not clean. */
    g_assert_cmpint(sparse_ram_plug(f->ram, 1, 1), ==, -EEXIST);
}

static void test_limit_of_mappings(VUFixture *f, gconstpointer data)
{
    const TestDevOptions options = { .max_dma_maps = 100 };
    Error *err = NULL;

    g_assert_false(vu_start_for(f, &options, vu_timeout_ms(), &err));
    g_assert_nonnull(strstr(error_get_pretty(err), "block-size=262144"));
    error_free(err);
}

static void test_page_sizes(VUFixture *f, gconstpointer data)
{
    const struct { uint64_t told, used; } sizes[] = {
        { 2 * MiB, 2 * MiB }, { 4096 | 2 * MiB, 4096 }, { 512, 4096 },
    };

    /* Its blocks are smaller than some of these. */
    memory_region_del_subregion(&f->space->root, &f->ram->mr);
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        const TestDevOptions options = { .pgsizes = sizes[i].told };

        vu_start_for(f, &options, vu_timeout_ms(), &error_abort);
        g_assert_cmpuint(vfio_dma_space_page_size(&f->user->container.space),
                         ==, sizes[i].used);
        vu_stop(f);
    }
    memory_region_add_subregion(&f->space->root, BASE, &f->ram->mr);
}

/* --- the device --- */

static void test_probe(VUFixture *f, gconstpointer data)
{
    const struct vfio_region_info *bar2;

    vu_start(f);
    g_assert_true(vfio_device_probe(&f->vdev, &error_abort));
    g_assert_cmpuint(f->vdev.num_regions, ==, VFIO_PCI_NUM_REGIONS);
    g_assert_cmpuint(vfio_device_irq_count(&f->vdev, VFIO_PCI_MSIX_IRQ_INDEX),
                     ==, TESTDEV_NR_VECTORS);
    bar2 = vfio_device_region(&f->vdev, 2);
    g_assert_cmpuint(bar2->size, ==, TESTDEV_BAR2_SIZE);
    g_assert_nonnull(vfio_info_cap(bar2, bar2->argsz, bar2->cap_offset,
                                   VFIO_REGION_INFO_CAP_SPARSE_MMAP,
                                   sizeof(struct
                                          vfio_region_info_cap_sparse_mmap),
                                   NULL));
}

static void test_region_mmap(VUFixture *f, gconstpointer data)
{
    const VFIODeviceIOOps *io = &vfio_user_device_io;
    uint32_t word = 0xcafe;
    uint32_t *ptr;

    vu_start(f);
    g_assert_true(vfio_device_probe(&f->vdev, &error_abort));
    g_assert_null(io->region_mmap(&f->vdev, 0, 0, 4096));
    g_assert_null(io->region_mmap(&f->vdev, 2, 0, TESTDEV_BAR2_SIZE + 4096));
    g_assert_null(io->region_mmap(&f->vdev, 2, UINT64_MAX - 4095, 4096));
    ptr = io->region_mmap(&f->vdev, 2, 4096, 4096);
    g_assert_nonnull(ptr);
    g_assert_cmpint(io->region_write(&f->vdev, 2, 4096, &word, 4), ==, 0);
    g_assert_cmphex(ptr[0], ==, 0xcafe);
    munmap(ptr, 4096);
}

static void test_region_bounds(VUFixture *f, gconstpointer data)
{
    const VFIODeviceIOOps *io = &vfio_user_device_io;
    g_autofree uint8_t *buf = g_malloc(TESTDEV_BAR2_SIZE + 1);

    vu_start(f);
    f->user->caps.max_data_xfer_size = 1000;
    g_assert_cmpint(io->region_read(&f->vdev, 2, 0, buf, TESTDEV_BAR2_SIZE),
                    ==, 0);
    g_assert_cmpint(io->region_write(&f->vdev, 2, 0, buf, TESTDEV_BAR2_SIZE),
                    ==, 0);
    g_assert_cmpint(io->region_read(&f->vdev, 2, 0, buf, TESTDEV_BAR2_SIZE + 1),
                    ==, -EINVAL);
    g_assert_cmpint(io->region_read(&f->vdev, 2, UINT64_MAX, buf, 1), ==,
                    -EINVAL);
    g_assert_cmpint(io->region_read(&f->vdev, 99, 0, buf, 1), ==, -EINVAL);
    g_assert_null(vfio_user_socket_error(f->user->socket));
}

static bool raised(int fd)
{
    uint64_t n;

    return read(fd, &n, sizeof(n)) == sizeof(n);
}

/* Vectors with and without a descriptor, in messages of at most two. */
static void test_interrupts(VUFixture *f, gconstpointer data)
{
    int32_t fds[TESTDEV_NR_VECTORS];

    vu_start(f);
    g_assert_true(vfio_device_probe(&f->vdev, &error_abort));
    f->user->caps.max_msg_fds = 2;
    for (int i = 0; i < TESTDEV_NR_VECTORS; i++) {
        fds[i] = i == 1 ? -1 : eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    }
    g_assert_cmpint(vfio_device_irq_connect(&f->vdev, VFIO_PCI_MSIX_IRQ_INDEX,
                                            0, fds, TESTDEV_NR_VECTORS,
                                            VFIO_IRQ_SET_ACTION_TRIGGER), ==,
                    0);
    for (uint32_t i = 0; i < TESTDEV_NR_VECTORS; i++) {
        vu_reg_write(f, TESTDEV_REG_TRIGGER, VFIO_PCI_MSIX_IRQ_INDEX << 16 | i,
                     4);
        for (uint32_t n = 0; n < TESTDEV_NR_VECTORS; n++) {
            g_assert_true(n == 1 || raised(fds[n]) == (n == i));
        }
    }
    g_assert_cmpint(vfio_device_irq_disable(&f->vdev, VFIO_PCI_MSIX_IRQ_INDEX),
                    ==, 0);
    vu_reg_write(f, TESTDEV_REG_TRIGGER, VFIO_PCI_MSIX_IRQ_INDEX << 16, 4);
    g_assert_false(raised(fds[0]));
    for (int i = 0; i < TESTDEV_NR_VECTORS; i++) {
        if (fds[i] >= 0) {
            close(fds[i]);
        }
    }
}

static void test_reset(VUFixture *f, gconstpointer data)
{
    vu_start(f);
    vu_plug(f, 0, 2);
    vu_reg_write(f, TESTDEV_REG_SRC, 1234, 8);
    g_assert_cmpint(vfio_user_device_io.reset(&f->vdev), ==, 0);
    g_assert_cmpuint(vu_reg_read(f, TESTDEV_REG_RESETS, 4), ==, 1);
    g_assert_cmpuint(vu_reg_read(f, TESTDEV_REG_SRC, 8), ==, 0);
    /* The device is reset, not the memory. */
    vu_check_blocks(f);
}

#define ADD(name, fn) \
    g_test_add("/vfio-user/client/" name, VUFixture, NULL, vu_set_up, fn, \
               vu_tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    vu_init();
    ADD("passes a descriptor of shared memory",
        test_plain_memory_by_descriptor);
    ADD("passes none of private memory", test_private_memory_by_messages);
    ADD("maps readonly memory readonly", test_readonly_memory);
    ADD("passes none to a server that takes none",
        test_no_descriptor_for_who_takes_none);
    ADD("unmaps exactly what it mapped", test_exact_unmaps);
    ADD("unmaps everything at the end", test_everything_is_unmapped_at_the_end);
    ADD("maps the part that an alias shows", test_alias);
    ADD("mapped equals populated", test_random);
    ADD("rolls back when a map is refused", test_refused_map_is_rolled_back);
    ADD("sets up all or nothing", test_refused_map_at_set_up);
    ADD("tells of a refused unmap", test_refused_unmap_is_told);
    ADD("respects max_dma_maps", test_limit_of_mappings);
    ADD("respects pgsizes", test_page_sizes);
    ADD("finds regions and interrupts", test_probe);
    ADD("maps regions", test_region_mmap);
    ADD("accesses regions within bounds, in pieces", test_region_bounds);
    ADD("connects interrupts", test_interrupts);
    ADD("resets the device", test_reset);
    return g_test_run();
}
