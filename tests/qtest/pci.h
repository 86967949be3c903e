/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PCI as firmware and a driver see it: configuration mechanism 1, BARs placed
 * by the test, capabilities, MSI-X whose messages go to guest RAM. A devfn has
 * the number of the bus, if that is not 0, in bits 8..15.
 */
#ifndef QTEST_PCI_H
#define QTEST_PCI_H

#include "libqtest.h"

#define QPCI_DEVFN(dev, fn) ((dev) << 3 | (fn))
/* Where functions are looked for: bus 0, and what a test puts behind ports. */
#define QPCI_BUSES 3

/* What a test owns of the guest's addresses: what it has given out so far. */
typedef struct QGuest {
    QTestState *qts;
    uint64_t ram_next;                    /* next free byte of RAM */
    uint64_t mmio_next;                   /* of the hole below 4 GiB */
    uint16_t io_next;
} QGuest;

void qguest_init(QGuest *guest, QTestState *qts);
/* Zeroed boot RAM; never freed. @align: a power of two. */
uint64_t qguest_alloc(QGuest *guest, uint64_t size, uint64_t align);

typedef struct QPCIDevice {
    QGuest *guest;
    uint16_t devfn;
    uint64_t bar_addr[6];                 /* 0: not mapped */
    /* MSI-X, once enabled: */
    uint8_t msix_cap;
    uint64_t msix_table;                  /* guest physical */
    uint64_t msix_mailbox;                /* RAM: one uint32_t per vector */
    unsigned msix_entries;
} QPCIDevice;

uint8_t qpci_config_readb(QTestState *s, uint16_t devfn, uint8_t offset);
uint16_t qpci_config_readw(QTestState *s, uint16_t devfn, uint8_t offset);
uint32_t qpci_config_readl(QTestState *s, uint16_t devfn, uint8_t offset);
void qpci_config_writeb(QTestState *s, uint16_t devfn, uint8_t offset,
                        uint8_t value);
void qpci_config_writew(QTestState *s, uint16_t devfn, uint8_t offset,
                        uint16_t value);
void qpci_config_writel(QTestState *s, uint16_t devfn, uint8_t offset,
                        uint32_t value);

/* The @nth (from 0) function with these ids, in the order of bus and devfn, or
 * -1. */
int qpci_find(QTestState *s, uint16_t vendor, uint16_t device, unsigned nth);
/* The same, which must be there. */
void qpci_device_init(QPCIDevice *dev, QGuest *guest, uint16_t vendor,
                      uint16_t device, unsigned nth);
/* Memory, I/O and bus mastering. */
void qpci_enable(QPCIDevice *dev);
/* The offset of capability @id after @from (0: the first), or 0. */
uint8_t qpci_find_capability(QPCIDevice *dev, uint8_t id, uint8_t from);
/* Sizes BAR @n and places it; its address. */
uint64_t qpci_map_bar(QPCIDevice *dev, unsigned n);
/* Bytes of BAR @n; 0: there is none. Leaves it as it was. */
uint64_t qpci_bar_size(QPCIDevice *dev, unsigned n);

/* Enables MSI-X; each vector writes into a mailbox of its own. False: the
 * device has none. */
bool qpci_msix_enable(QPCIDevice *dev);
/* Whether vector @n was signalled since it was last asked. */
bool qpci_msix_take(QPCIDevice *dev, unsigned n);

#endif
