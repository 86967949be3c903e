/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A board for tests of PCI functions: 16 MiB of RAM, a host bridge with one
 * express bus, a region that writes down messages (MSIs), interrupt inputs
 * that write down their levels; and accesses as a CPU makes them.
 */
#ifndef TESTS_UNIT_PCI_FIXTURE_H
#define TESTS_UNIT_PCI_FIXTURE_H

#include "hw/pci/msi.h"
#include "hw/pci/pcie_host.h"
#include "qemu/units.h"

#define TEST_RAM_SIZE (16 * MiB)
#define TEST_MSI_BASE 0xfee00000ULL
#define TEST_MSI_SIZE (1 * MiB)
#define TEST_MMCFG_BASE 0xb0000000ULL
#define TEST_IRQ_BASE 16                  /* GSI of the bus's first input */

/* A function with a BAR of each kind: 0 (64 bit, 4 KiB), 2 (I/O, 64 bytes),
 * 3 (32 bit, 64 KiB). The second one is express. */
#define TYPE_TEST_PCI "test-pci"
#define TYPE_TEST_PCIE "test-pcie"
OBJECT_DECLARE_SIMPLE_TYPE(TestPCI, TEST_PCI)

struct TestPCI {
    PCIDevice parent_obj;

    MemoryRegion bar0, bar2, bar3;
    uint32_t fail_realize;                /* property: realize fails */
    uint8_t reg[64];                      /* what the I/O BAR shows */
    unsigned resets;
    unsigned exits;
};

typedef struct PCIBoard {
    PCIExpressHost *host;
    PCIBus *bus;
    MemoryRegion ram;
    MemoryRegion msi;
    MSIMessage last_msi;
    unsigned nr_msis;
    int level[PCI_NUM_PINS];
} PCIBoard;

/* The board of this process; made by the first call. */
PCIBoard *pci_board(void);
/* As after power on, with nothing plugged. */
void pci_board_clear(void);

/* A function, not yet realized; properties as "name=value", NULL at the end. */
PCIDevice *pci_board_new(const char *type, ...) G_GNUC_NULL_TERMINATED;
/* The same, realized; only the tree holds it. */
PCIDevice *pci_board_plug(const char *type, ...) G_GNUC_NULL_TERMINATED;
void pci_board_unplug(PCIDevice *dev);

/* By the two ports of mechanism 1, and by ECAM. */
uint32_t cfg_read(PCIDevice *dev, uint8_t offset, unsigned len);
void cfg_write(PCIDevice *dev, uint8_t offset, uint32_t val, unsigned len);
uint32_t ecam_read(uint8_t devfn, uint16_t offset, unsigned len);
void ecam_write(uint8_t devfn, uint16_t offset, uint32_t val, unsigned len);

/* Maps BAR @n of @dev at @addr and switches on decoding and DMA. */
void pci_board_map_bar(PCIDevice *dev, int n, uint64_t addr);

/* A CPU's access to memory. */
uint32_t mem_read(uint64_t addr, unsigned len);
void mem_write(uint64_t addr, uint64_t val, unsigned len);
MemTxResult mem_result(uint64_t addr, unsigned len);

/* Lets the main loop handle what is ready. */
void pci_board_poll(void);

#endif
