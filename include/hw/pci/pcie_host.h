/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PCI Express host bridges: configuration space as memory (ECAM, "MMCONFIG"),
 * 1 MiB per bus, 4 KiB per function (PCI Express Base Specification, 7.2.2).
 */
#ifndef HW_PCIE_HOST_H
#define HW_PCIE_HOST_H

#include "hw/pci/pci_host.h"

#define TYPE_PCIE_HOST_BRIDGE "pcie-host-bridge"
OBJECT_DECLARE_SIMPLE_TYPE(PCIExpressHost, PCIE_HOST_BRIDGE)

#define PCIE_BASE_ADDR_UNMAPPED ((hwaddr)-1ULL)
#define PCIE_MMCFG_SIZE_MAX (1ULL << 28)  /* 256 buses */
#define PCIE_MMCFG_SIZE_MIN (1ULL << 20)

struct PCIExpressHost {
    PCIHostState pci;

    hwaddr base_addr;                     /* PCIE_BASE_ADDR_UNMAPPED: nowhere */
    uint64_t size;                        /* bytes */
    MemoryRegion mmio;
};

/* @size: a power of two between the limits above. */
void pcie_host_mmcfg_init(PCIExpressHost *e, uint32_t size);
void pcie_host_mmcfg_map(PCIExpressHost *e, hwaddr addr, uint32_t size);
/* Moves it to @addr, or, if not @enable, away. Where RAM is RAM answers. */
void pcie_host_mmcfg_update(PCIExpressHost *e, int enable, hwaddr addr,
                            uint32_t size);

#endif
