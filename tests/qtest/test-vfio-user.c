/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A vfio-user device as its driver sees it: DMA to and from memory that is
 * plugged and unplugged meanwhile, interrupts, resets. What it cannot reach it
 * does not reach, and costs the host nothing.
 */
#include <errno.h>
#include <linux/pci_regs.h>
#include <string.h>

#include "coordination.h"
#include "memfd.h"
#include "qemu/units.h"

typedef struct Fixture {
    Coordination c;
    QVirtioMem *vmem;
    QVFIOUser *dev;
    uint64_t addr;                        /* of the virtio-mem device */
    uint64_t buf;                         /* a block of boot RAM */
    char *memfd;                          /* behind the virtio-mem device */
} Fixture;

static void setup(Fixture *f, const void *data)
{
    coordination_start_small(&f->c, 1);
    f->vmem = &f->c.mem[0];
    f->dev = &f->c.dev[0];
    f->addr = f->c.config[0].addr;
    f->buf = qguest_alloc(&f->c.guest, BLOCK, BLOCK);
    f->memfd = qtest_find_memfd(f->c.qts, 256 * MiB);
}

static void teardown(Fixture *f, const void *data)
{
    coordination_stop(&f->c);
    g_free(f->memfd);
}

/* --- DMA ------------------------------------------------------------------ */

static void test_dma_arrives_in_plugged_memory(Fixture *f, const void *data)
{
    uint64_t sum;

    assert_ack(qvirtio_mem_plug(f->vmem, f->addr + 3 * BLOCK, 2));
    g_assert_cmpuint(qvfio_user_fill(f->dev, f->addr + 3 * BLOCK, 0x5a,
                                     2 * BLOCK), ==, 0);
    g_assert_cmphex(qtest_readq(f->c.qts, f->addr + 3 * BLOCK), ==,
                    0x5a5a5a5a5a5a5a5a);
    g_assert_cmphex(qtest_readq(f->c.qts, f->addr + 5 * BLOCK - 8), ==,
                    0x5a5a5a5a5a5a5a5a);
    g_assert_cmpuint(qvfio_user_checksum(f->dev, f->addr + 3 * BLOCK,
                                         2 * BLOCK, &sum), ==, 0);
    g_assert_cmpuint(sum, ==, 0x5a * 2 * BLOCK);
}

static void test_dma_into_unplugged_memory_fails(Fixture *f, const void *data)
{
    uint64_t sum;

    g_assert_cmpuint(qvfio_user_fill(f->dev, f->addr, 1, BLOCK), ==, EFAULT);
    assert_ack(qvirtio_mem_plug(f->vmem, f->addr, 4));
    g_assert_cmpuint(qvfio_user_fill(f->dev, f->addr, 2, 4 * BLOCK), ==, 0);
    g_assert_cmpuint(qtest_memfd_allocated(f->memfd), ==, 4 * BLOCK);

    assert_ack(qvirtio_mem_unplug(f->vmem, f->addr + BLOCK, 2));
    g_assert_cmpuint(qvfio_user_fill(f->dev, f->addr + BLOCK, 3, 2 * BLOCK),
                     ==, EFAULT);
    g_assert_cmpuint(qvfio_user_checksum(f->dev, f->addr + 2 * BLOCK, BLOCK,
                                         &sum), ==, EFAULT);
    g_assert_cmpuint(qtest_memfd_allocated_in(f->memfd, BLOCK, 2 * BLOCK), ==,
                     0);
    g_assert_cmpuint(qtest_memfd_allocated(f->memfd), ==, 2 * BLOCK);
}

/* What is before the edge is done, what is behind it is not. */
static void test_dma_stops_at_the_first_unplugged_byte(Fixture *f,
                                                       const void *data)
{
    assert_ack(qvirtio_mem_plug(f->vmem, f->addr, 2));
    g_assert_cmpuint(qvfio_user_fill(f->dev, f->addr + 2 * BLOCK - MiB, 7,
                                     2 * MiB), ==, EFAULT);
    g_assert_cmphex(qvfio_user_readq(f->dev, TESTDEV_REG_FAULT_IOVA), ==,
                    f->addr + 2 * BLOCK);
    g_assert_cmphex(qtest_readb(f->c.qts, f->addr + 2 * BLOCK - 1), ==, 7);
    g_assert_cmpuint(qtest_memfd_allocated_in(f->memfd, 2 * BLOCK, 126 * BLOCK),
                     ==, 0);
}

static void test_copy_between_boot_and_plugged_memory(Fixture *f,
                                                      const void *data)
{
    const char text[] = "what the guest has written, moved by a device";
    char got[sizeof(text)];

    assert_ack(qvirtio_mem_plug(f->vmem, f->addr + 30 * BLOCK, 2));
    qtest_memwrite(f->c.qts, f->buf + 4093, text, sizeof(text));
    g_assert_cmpuint(qvfio_user_copy(f->dev, f->addr + 31 * BLOCK - 17,
                                     f->buf + 4093, sizeof(text)), ==, 0);
    qtest_memread(f->c.qts, f->addr + 31 * BLOCK - 17, got, sizeof(got));
    g_assert_cmpmem(got, sizeof(got), text, sizeof(text));
    qtest_memset(f->c.qts, f->buf, 0, BLOCK);
    g_assert_cmpuint(qvfio_user_copy(f->dev, f->buf, f->addr + 31 * BLOCK - 17,
                                     sizeof(text)), ==, 0);
    qtest_memread(f->c.qts, f->buf, got, sizeof(got));
    g_assert_cmpmem(got, sizeof(got), text, sizeof(text));
}

/* Plugged again, it is new memory to the device, too. */
static void test_replugged_memory_is_zero_to_the_device(Fixture *f,
                                                        const void *data)
{
    uint64_t sum;

    assert_ack(qvirtio_mem_plug(f->vmem, f->addr, 1));
    g_assert_cmpuint(qvfio_user_fill(f->dev, f->addr, 0xff, BLOCK), ==, 0);
    assert_ack(qvirtio_mem_unplug(f->vmem, f->addr, 1));
    assert_ack(qvirtio_mem_plug(f->vmem, f->addr, 1));
    g_assert_cmpuint(qvfio_user_checksum(f->dev, f->addr, BLOCK, &sum), ==, 0);
    g_assert_cmpuint(sum, ==, 0);
    qtest_writeb(f->c.qts, f->addr + 12345, 99);
    g_assert_cmpuint(qvfio_user_checksum(f->dev, f->addr, BLOCK, &sum), ==, 0);
    g_assert_cmpuint(sum, ==, 99);
}

static void test_no_dma_without_bus_master(Fixture *f, const void *data)
{
    assert_ack(qvirtio_mem_plug(f->vmem, f->addr, 1));
    qpci_config_writew(f->c.qts, f->dev->pci.devfn, PCI_COMMAND,
                       PCI_COMMAND_MEMORY);
    g_assert_cmpuint(qvfio_user_fill(f->dev, f->addr, 1, BLOCK), ==, EACCES);
    qpci_enable(&f->dev->pci);
    g_assert_cmpuint(qvfio_user_fill(f->dev, f->addr, 1, BLOCK), ==, 0);
}

/* --- interrupts ----------------------------------------------------------- */

static void wait_msix(Fixture *f, unsigned vector)
{
    gint64 deadline = qtest_deadline();
    unsigned round = 0;

    while (!qpci_msix_take(&f->dev->pci, vector)) {
        g_assert_true(qtest_wait_more(deadline, &round));
    }
}

static void test_end_of_dma_interrupts(Fixture *f, const void *data)
{
    for (unsigned vector = 0; vector < TESTDEV_NR_VECTORS; vector++) {
        qvfio_user_writel(f->dev, TESTDEV_REG_VECTOR, vector);
        g_assert_cmpuint(qvfio_user_fill(f->dev, f->buf, vector, 4096), ==, 0);
        wait_msix(f, vector);
        for (unsigned i = 0; i < TESTDEV_NR_VECTORS; i++) {
            g_assert_false(qpci_msix_take(&f->dev->pci, i));
        }
    }
}

/* A message to unplugged memory is lost, and populates nothing. */
static void test_interrupt_into_unplugged_memory(Fixture *f, const void *data)
{
    uint64_t entry = f->dev->pci.msix_table + 2 * PCI_MSIX_ENTRY_SIZE;

    qtest_writel(f->c.qts, entry + PCI_MSIX_ENTRY_LOWER_ADDR, f->addr);
    qtest_writel(f->c.qts, entry + PCI_MSIX_ENTRY_UPPER_ADDR, f->addr >> 32);
    qvfio_user_writel(f->dev, TESTDEV_REG_VECTOR, 2);
    g_assert_cmpuint(qvfio_user_fill(f->dev, f->buf, 1, 4096), ==, 0);
    qvfio_user_writel(f->dev, TESTDEV_REG_VECTOR, 1);
    g_assert_cmpuint(qvfio_user_fill(f->dev, f->buf, 1, 4096), ==, 0);
    wait_msix(f, 1);
    g_assert_cmpuint(qtest_memfd_allocated(f->memfd), ==, 0);
    assert_ack(qvirtio_mem_plug(f->vmem, f->addr, 1));
    g_assert_cmphex(qtest_readl(f->c.qts, f->addr), ==, 0);
}

/* --- accesses of any kind ------------------------------------------------- */

/* Of configuration space, at any offset and of any width. */
static void access_config(Fixture *f, GRand *rand)
{
    uint8_t offset = g_rand_int(rand);
    uint32_t value = g_rand_int(rand);

    switch (g_rand_int_range(rand, 0, 6)) {
    case 0:
        qpci_config_readb(f->c.qts, f->dev->pci.devfn, offset);
        break;
    case 1:
        qpci_config_readw(f->c.qts, f->dev->pci.devfn, offset);
        break;
    case 2:
        qpci_config_readl(f->c.qts, f->dev->pci.devfn, offset);
        break;
    case 3:
        qpci_config_writeb(f->c.qts, f->dev->pci.devfn, offset, value);
        break;
    case 4:
        qpci_config_writew(f->c.qts, f->dev->pci.devfn, offset, value);
        break;
    default:
        qpci_config_writel(f->c.qts, f->dev->pci.devfn, offset, value);
        break;
    }
}

/* Of @size bytes of a BAR at @bar, or just behind; 1 to 16 bytes. Those that
 * make the server fail on purpose are left out. */
static void access_bar(Fixture *f, GRand *rand, uint64_t bar, uint32_t size)
{
    uint64_t addr = bar + g_rand_int_range(rand, 0, size);
    uint32_t n = g_rand_int_range(rand, 1, 17);
    uint8_t bytes[16];

    if (g_rand_int_range(rand, 0, 2)) {
        qtest_memread(f->c.qts, addr, bytes, n);
        return;
    }
    for (unsigned i = 0; i < sizeof(bytes); i++) {
        bytes[i] = g_rand_int(rand);
    }
    if (addr >= f->dev->regs + TESTDEV_REG_ARM + 4 ||
        addr + n <= f->dev->regs + TESTDEV_REG_AFTER) {
        qtest_memwrite(f->c.qts, addr, bytes, n);
    }
}

/* They may ruin the device for its driver, but nothing else. */
static void test_accesses_of_any_kind(Fixture *f, const void *data)
{
    g_autoptr(GRand) rand = qtest_rand_new();
    uint64_t bar1 = qpci_map_bar(&f->dev->pci, 1);
    uint64_t bar2 = qpci_map_bar(&f->dev->pci, 2);

    assert_ack(qvirtio_mem_plug(f->vmem, f->addr, 2));
    for (unsigned i = 0; i < 2000; i++) {
        access_bar(f, rand, f->dev->regs, TESTDEV_BAR0_SIZE);
        access_bar(f, rand, bar1, TESTDEV_BAR1_SIZE);
        access_bar(f, rand, bar2, TESTDEV_BAR2_SIZE);
    }
    for (unsigned i = 0; i < 5000; i++) {
        access_config(f, rand);
    }
    qmp_client_check_alive(qtest_qmp(f->c.qts));
    coordination_system_reset(&f->c);
    coordination_restart_drivers(&f->c);
    coordination_expect(&f->c, 0, "");
    assert_ack(qvirtio_mem_plug(f->vmem, f->addr, 2));
    g_assert_cmpuint(qvfio_user_fill(f->dev, f->addr, 1, 2 * BLOCK), ==, 0);
}

/* --- memory without a descriptor ------------------------------------------ */

/* Of the emulator's own, in bytes; shared memory does not count. */
static uint64_t rss_anon(QTestState *s)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/status", qtest_pid(s));
    g_autofree char *text = NULL;
    const char *line;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    line = strstr(text, "\nRssAnon:");
    g_assert_nonnull(line);
    return g_ascii_strtoull(line + strlen("\nRssAnon:"), NULL, 10) * 1024;
}

/* It goes by messages, which must not reach what is unplugged either. */
static void test_private_memory_is_reached_by_messages(void)
{
    Coordination c;
    uint64_t addr, before, sum;

    coordination_start(&c, 1, 1, "", " -m 64M,maxmem=2G "
                       "-object memory-backend-ram,id=mem0,size=256M "
                       "-device virtio-mem-pci,id=vm0,memdev=mem0,"
                       "block-size=2M,requested-size=256M");
    addr = c.config[0].addr;
    assert_ack(qvirtio_mem_plug(&c.mem[0], addr + BLOCK, 1));
    g_assert_cmpuint(qvfio_user_fill(&c.dev[0], addr + BLOCK, 0x11, BLOCK), ==,
                     0);
    g_assert_cmphex(qtest_readl(c.qts, addr + 2 * BLOCK - 4), ==, 0x11111111);
    before = rss_anon(c.qts);
    g_assert_cmpuint(qvfio_user_fill(&c.dev[0], addr + 2 * BLOCK, 1,
                                     100 * BLOCK), ==, EFAULT);
    g_assert_cmpuint(qvfio_user_checksum(&c.dev[0], addr, BLOCK, &sum), ==,
                     EFAULT);
    g_assert_cmpuint(rss_anon(c.qts), <, before + BLOCK);
    coordination_expect(&c, 0, ".#.");
    coordination_stop(&c);
}

#define ADD(name, fn) \
    g_test_add("/vfio-user/" name, Fixture, NULL, setup, fn, teardown)

int main(int argc, char **argv)
{
    qvfio_user_main_init(&argc, &argv);
    ADD("dma-arrives-in-plugged-memory", test_dma_arrives_in_plugged_memory);
    ADD("dma-into-unplugged-memory-fails",
        test_dma_into_unplugged_memory_fails);
    ADD("dma-stops-at-the-first-unplugged-byte",
        test_dma_stops_at_the_first_unplugged_byte);
    ADD("copy-between-boot-and-plugged-memory",
        test_copy_between_boot_and_plugged_memory);
    ADD("replugged-memory-is-zero-to-the-device",
        test_replugged_memory_is_zero_to_the_device);
    ADD("no-dma-without-bus-master", test_no_dma_without_bus_master);
    ADD("end-of-dma-interrupts", test_end_of_dma_interrupts);
    ADD("interrupt-into-unplugged-memory",
        test_interrupt_into_unplugged_memory);
    ADD("accesses-of-any-kind", test_accesses_of_any_kind);
    g_test_add_func("/vfio-user/private-memory-is-reached-by-messages",
                    test_private_memory_is_reached_by_messages);
    return g_test_run();
}
