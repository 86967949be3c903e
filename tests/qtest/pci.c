/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PCI as firmware and a driver see it. */
#include <linux/pci_regs.h>

#include "pci.h"

#define CONFIG_ADDRESS 0xcf8
#define CONFIG_DATA 0xcfc

/* Where the test puts things: boot RAM from 1 MiB on, BARs in the hole. */
#define GUEST_RAM_START (1ULL << 20)
#define GUEST_MMIO_START 0xe0000000ULL
#define GUEST_MMIO_END 0xfec00000ULL
#define GUEST_IO_START 0xc000

#define MSIX_MESSAGE 1

void qguest_init(QGuest *guest, QTestState *qts)
{
    guest->qts = qts;
    guest->ram_next = GUEST_RAM_START;
    guest->mmio_next = GUEST_MMIO_START;
    guest->io_next = GUEST_IO_START;
}

uint64_t qguest_alloc(QGuest *guest, uint64_t size, uint64_t align)
{
    uint64_t addr = (guest->ram_next + align - 1) & ~(align - 1);

    guest->ram_next = addr + size;
    qtest_memset(guest->qts, addr, 0, size);
    return addr;
}

/* --- configuration space ------------------------------------------------- */

static uint16_t config_select(QTestState *s, uint16_t devfn, uint8_t offset)
{
    qtest_outl(s, CONFIG_ADDRESS,
               1u << 31 | (uint32_t)devfn << 8 | (offset & ~3u));
    return CONFIG_DATA + (offset & 3);
}

#define DEFINE_CONFIG_ACCESS(suffix, type)                                   \
    type qpci_config_read##suffix(QTestState *s, uint16_t devfn,             \
                                  uint8_t offset)                            \
    {                                                                        \
        uint16_t port = config_select(s, devfn, offset);                     \
        return qtest_in##suffix(s, port);                                    \
    }                                                                        \
    void qpci_config_write##suffix(QTestState *s, uint16_t devfn,            \
                                   uint8_t offset, type value)               \
    {                                                                        \
        uint16_t port = config_select(s, devfn, offset);                     \
        qtest_out##suffix(s, port, value);                                   \
    }
DEFINE_CONFIG_ACCESS(b, uint8_t)
DEFINE_CONFIG_ACCESS(w, uint16_t)
DEFINE_CONFIG_ACCESS(l, uint32_t)

int qpci_find(QTestState *s, uint16_t vendor, uint16_t device, unsigned nth)
{
    for (unsigned devfn = 0; devfn < QPCI_BUSES * 256; devfn++) {
        if (qpci_config_readl(s, devfn, PCI_VENDOR_ID) ==
            ((uint32_t)device << 16 | vendor) && nth-- == 0) {
            return devfn;
        }
    }
    return -1;
}

void qpci_device_init(QPCIDevice *dev, QGuest *guest, uint16_t vendor,
                      uint16_t device, unsigned nth)
{
    int devfn = qpci_find(guest->qts, vendor, device, nth);

    if (devfn < 0) {
        g_error("no PCI device %04x:%04x number %u", vendor, device, nth);
    }
    *dev = (QPCIDevice) { .guest = guest, .devfn = devfn };
}

void qpci_enable(QPCIDevice *dev)
{
    qpci_config_writew(dev->guest->qts, dev->devfn, PCI_COMMAND,
                       PCI_COMMAND_IO | PCI_COMMAND_MEMORY |
                       PCI_COMMAND_MASTER);
}

uint8_t qpci_find_capability(QPCIDevice *dev, uint8_t id, uint8_t from)
{
    QTestState *s = dev->guest->qts;
    uint8_t at = from ? from + PCI_CAP_LIST_NEXT : PCI_CAPABILITY_LIST;

    for (unsigned seen = 0; seen < 48; seen++) {
        uint8_t cap = qpci_config_readb(s, dev->devfn, at) & ~3;

        if (cap == 0) {
            return 0;
        }
        if (qpci_config_readb(s, dev->devfn, cap) == id) {
            return cap;
        }
        at = cap + PCI_CAP_LIST_NEXT;
    }
    g_error("the capabilities of %02x form a ring", dev->devfn);
}

/* --- BARs ---------------------------------------------------------------- */

static uint8_t bar_offset(unsigned n)
{
    return PCI_BASE_ADDRESS_0 + 4 * n;
}

static bool bar_is_64bit(uint32_t bar)
{
    return !(bar & PCI_BASE_ADDRESS_SPACE_IO) &&
           (bar & PCI_BASE_ADDRESS_MEM_TYPE_MASK) ==
           PCI_BASE_ADDRESS_MEM_TYPE_64;
}

/* What reads back when all ones have been written. */
static uint32_t bar_probe(QPCIDevice *dev, unsigned n)
{
    QTestState *s = dev->guest->qts;
    uint32_t old = qpci_config_readl(s, dev->devfn, bar_offset(n));
    uint32_t mask;

    qpci_config_writel(s, dev->devfn, bar_offset(n), UINT32_MAX);
    mask = qpci_config_readl(s, dev->devfn, bar_offset(n));
    qpci_config_writel(s, dev->devfn, bar_offset(n), old);
    return mask;
}

uint64_t qpci_bar_size(QPCIDevice *dev, unsigned n)
{
    uint32_t low = bar_probe(dev, n);
    uint64_t mask;

    if (low == 0) {
        return 0;
    }
    if (low & PCI_BASE_ADDRESS_SPACE_IO) {
        return (uint16_t)~(low & PCI_BASE_ADDRESS_IO_MASK) + 1;
    }
    mask = low & (uint32_t)PCI_BASE_ADDRESS_MEM_MASK;
    mask |= (bar_is_64bit(low) ? (uint64_t)bar_probe(dev, n + 1)
                               : UINT32_MAX) << 32;
    return ~mask + 1;
}

uint64_t qpci_map_bar(QPCIDevice *dev, unsigned n)
{
    QGuest *guest = dev->guest;
    uint64_t size = qpci_bar_size(dev, n);
    uint32_t old = qpci_config_readl(guest->qts, dev->devfn, bar_offset(n));
    uint64_t addr;

    if (dev->bar_addr[n]) {
        return dev->bar_addr[n];
    }
    g_assert_cmpuint(size, >, 0);
    if (old & PCI_BASE_ADDRESS_SPACE_IO) {
        addr = (guest->io_next + size - 1) & ~(size - 1);
        guest->io_next = addr + size;
    } else {
        addr = (guest->mmio_next + size - 1) & ~(size - 1);
        guest->mmio_next = addr + size;
        g_assert_cmpuint(guest->mmio_next, <=, GUEST_MMIO_END);
    }
    qpci_config_writel(guest->qts, dev->devfn, bar_offset(n), addr);
    if (bar_is_64bit(old)) {
        qpci_config_writel(guest->qts, dev->devfn, bar_offset(n + 1), 0);
    }
    dev->bar_addr[n] = addr;
    return addr;
}

/* --- MSI-X --------------------------------------------------------------- */

bool qpci_msix_enable(QPCIDevice *dev)
{
    QTestState *s = dev->guest->qts;
    uint16_t control;
    uint32_t table;

    dev->msix_cap = qpci_find_capability(dev, PCI_CAP_ID_MSIX, 0);
    if (!dev->msix_cap) {
        return false;
    }
    control = qpci_config_readw(s, dev->devfn, dev->msix_cap + PCI_MSIX_FLAGS);
    table = qpci_config_readl(s, dev->devfn, dev->msix_cap + PCI_MSIX_TABLE);
    dev->msix_entries = (control & PCI_MSIX_FLAGS_QSIZE) + 1;
    dev->msix_table = qpci_map_bar(dev, table & PCI_MSIX_TABLE_BIR) +
                      (table & PCI_MSIX_TABLE_OFFSET);
    dev->msix_mailbox = qguest_alloc(dev->guest, 4 * dev->msix_entries, 4);
    for (unsigned i = 0; i < dev->msix_entries; i++) {
        uint64_t entry = dev->msix_table + i * PCI_MSIX_ENTRY_SIZE;

        qtest_writel(s, entry + PCI_MSIX_ENTRY_LOWER_ADDR,
                     dev->msix_mailbox + 4 * i);
        qtest_writel(s, entry + PCI_MSIX_ENTRY_UPPER_ADDR, 0);
        qtest_writel(s, entry + PCI_MSIX_ENTRY_DATA, MSIX_MESSAGE);
        qtest_writel(s, entry + PCI_MSIX_ENTRY_VECTOR_CTRL, 0);
    }
    qpci_config_writew(s, dev->devfn, dev->msix_cap + PCI_MSIX_FLAGS,
                       control | PCI_MSIX_FLAGS_ENABLE);
    return true;
}

bool qpci_msix_take(QPCIDevice *dev, unsigned n)
{
    uint64_t mailbox = dev->msix_mailbox + 4 * n;
    bool signalled = qtest_readl(dev->guest->qts, mailbox) == MSIX_MESSAGE;

    if (signalled) {
        qtest_writel(dev->guest->qts, mailbox, 0);
    }
    return signalled;
}
