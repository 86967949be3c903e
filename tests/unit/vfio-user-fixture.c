/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See vfio-user-fixture.h. */
#include "qemu/osdep.h"

#include <sys/mman.h>

#include "exec/ramblock.h"
#include "qemu/error-report.h"
#include "qemu/main-loop.h"
#include "vfio-user-fixture.h"
#include "tests/patience.h"

static void hear(const char *line, void *opaque)
{
    g_string_append_printf(((VUFixture *)opaque)->said, "%s\n", line);
}

void vu_set_up(VUFixture *f, gconstpointer data)
{
    ram_block_prepare_read();             /* one that stays */
    f->fds_before = count_fds();
    f->space = test_space_new();
    f->host = mmap(NULL, NR_BLOCKS * BLOCK, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    g_assert_true(f->host != MAP_FAILED);
    f->ram = sparse_ram_new("mem0", BLOCK, NR_BLOCKS, (uintptr_t)f->host);
    memory_region_add_subregion(&f->space->root, BASE, &f->ram->mr);
    f->said = g_string_new(NULL);
    error_set_printer(hear, f);
}

void vu_stop(VUFixture *f)
{
    if (f->user) {
        vfio_device_cleanup(&f->vdev);
        vfio_user_device_free(f->user);
        f->user = NULL;
        testdev_thread_stop(&f->server);
    }
}

void vu_tear_down(VUFixture *f, gconstpointer data)
{
    vu_stop(f);
    error_set_printer(NULL, NULL);
    memory_region_del_subregion(&f->space->root, &f->ram->mr);
    sparse_ram_free(f->ram);
    test_space_free(f->space);
    munmap(f->host, NR_BLOCKS * BLOCK);
    g_string_free(f->said, TRUE);
    g_assert_cmpuint(count_fds(), ==, f->fds_before);
}

unsigned vu_timeout_ms(void)
{
    return patience_us() / 1000;
}

unsigned vu_short_ms(void)
{
    return vu_timeout_ms() / 50;
}

VFIOUserDevice *vu_device_new(int fd, uint32_t timeout_ms, AddressSpace *as,
                              Error **errp)
{
    VFIOUserDevice *user = vfio_user_device_new(fd, "test", timeout_ms,
                                                g_get_monotonic_time(), errp);

    if (user && !vfio_user_device_attach(user, as, errp)) {
        vfio_user_device_free(user);
        return NULL;
    }
    return user;
}

bool vu_start_for(VUFixture *f, const TestDevOptions *options,
                  uint32_t timeout_ms, Error **errp)
{
    int fd = testdev_thread_start(&f->server, options);

    f->user = vu_device_new(fd, timeout_ms, &f->space->as, errp);
    if (!f->user) {
        testdev_thread_stop(&f->server);
        return false;
    }
    vfio_user_device_set_live(f->user, &f->vdev);
    f->vdev = (VFIODevice) { .io = &vfio_user_device_io, .name = (char *)"test",
                             .user = f->user };
    return true;
}

void vu_start(VUFixture *f)
{
    const TestDevOptions options = { 0 };

    vu_start_for(f, &options, vu_timeout_ms(), &error_abort);
}

/* --- registers --- */

uint64_t vu_reg_read(VUFixture *f, unsigned reg, size_t size)
{
    uint64_t val = 0;

    g_assert_cmpint(f->vdev.io->region_read(&f->vdev, 0, reg, &val, size), ==,
                    0);
    return GUINT64_FROM_LE(val);
}

void vu_reg_write(VUFixture *f, unsigned reg, uint64_t val, size_t size)
{
    val = GUINT64_TO_LE(val);
    g_assert_cmpint(f->vdev.io->region_write(&f->vdev, 0, reg, &val, size), ==,
                    0);
}

uint64_t vu_nr_mappings(VUFixture *f)
{
    return vu_reg_read(f, TESTDEV_REG_NR_MAPPINGS, 8);
}

void vu_arm(VUFixture *f, unsigned fault, uint32_t after, uint32_t arg)
{
    vu_reg_write(f, TESTDEV_REG_AFTER, after, 4);
    vu_reg_write(f, TESTDEV_REG_ARG, arg, 4);
    vu_reg_write(f, TESTDEV_REG_ARM, fault, 4);
}

static void bus_master(VUFixture *f)
{
    const uint16_t command = GUINT16_TO_LE(PCI_COMMAND_MASTER);

    g_assert_cmpint(f->vdev.io->region_write(&f->vdev,
                                             VFIO_PCI_CONFIG_REGION_INDEX,
                                             PCI_COMMAND, &command, 2), ==, 0);
}

uint32_t vu_dma(VUFixture *f, uint32_t command, uint64_t src, uint64_t dst,
                uint64_t len)
{
    bus_master(f);
    vu_reg_write(f, TESTDEV_REG_SRC, src, 8);
    vu_reg_write(f, TESTDEV_REG_DST, dst, 8);
    vu_reg_write(f, TESTDEV_REG_LEN, len, 8);
    vu_reg_write(f, TESTDEV_REG_VALUE, 0x5a, 4);
    vu_reg_write(f, TESTDEV_REG_COMMAND, command, 4);
    return vu_reg_read(f, TESTDEV_REG_ERROR, 4);
}

void vu_plug(VUFixture *f, uint64_t block, uint64_t nr)
{
    g_assert_cmpint(sparse_ram_plug(f->ram, block, nr), ==, 0);
}

void vu_check_blocks(VUFixture *f)
{
    TestDevMemory *mem = &f->server.dev->mem;
    unsigned plugged = 0;

    /* After a reply, the server's thread waits. */
    vu_nr_mappings(f);
    for (uint64_t b = 0; b < NR_BLOCKS; b++) {
        const TestDevMapping *m = testdev_memory_find(mem, BASE + b * BLOCK);

        g_assert_true((m != NULL) == sparse_ram_is_plugged(f->ram, b));
        if (m) {
            g_assert_cmphex(m->iova, ==, BASE + b * BLOCK);
            g_assert_cmphex(m->last, ==, BASE + (b + 1) * BLOCK - 1);
            plugged++;
        }
    }
    g_assert_cmpuint(vu_nr_mappings(f), ==, plugged);
    g_assert_cmpuint(vu_reg_read(f, TESTDEV_REG_MAPPED_BYTES, 8), ==,
                     (uint64_t)plugged * BLOCK);
}

void vu_init(void)
{
    qemu_init_main_loop(&error_abort);
    /* The loop's own descriptors are made at its first turn. */
    main_loop_wait(true);
}
