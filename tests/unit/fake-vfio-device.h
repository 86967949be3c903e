/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A VFIO PCI device made of memory, and the device type that passes it through
 * ("test-vfio-pci"). Configuration space and BARs are bytes of the test's;
 * interrupts are the eventfds it was given. Any operation can be made to fail.
 */
#ifndef TESTS_UNIT_FAKE_VFIO_DEVICE_H
#define TESTS_UNIT_FAKE_VFIO_DEVICE_H

#include "hw/vfio/pci.h"

#define TYPE_FAKE_VFIO_PCI "test-vfio-pci"
#define FAKE_MAX_VECTORS 64

typedef struct FakeVFIODevice {
    uint8_t config[PCIE_CONFIG_SPACE_SIZE];
    uint64_t bar_size[PCI_STD_NUM_BARS];  /* at most 1 MiB; 0: none */
    int bar_fd[PCI_STD_NUM_BARS];         /* memory behind it; -1: none */
    bool bar_mmap[PCI_STD_NUM_BARS];
    uint32_t region_flags;                /* VFIO_REGION_INFO_FLAG_READ, _WRITE:
                                             what it says of each */
    /* BAR 0 has this many areas of @area_size that can be mapped, @area_stride
     * apart, the last one told first; 0: one, all but the last page. */
    uint32_t nr_areas;
    uint64_t area_size, area_stride;
    /* From the second read on the header is the complement of what it was. */
    bool changes_its_mind;
    uint64_t rom_size;                    /* what it says; 0: none */
    uint8_t rom[4096];
    bool rom_fails;                       /* to be read */
    unsigned rom_reads;
    uint32_t irq_count[VFIO_PCI_NUM_IRQS];
    uint32_t max_vectors;                 /* that the host has */
    /* Operations to let pass before one fails, once; -1: none fails. */
    int fail_after;
    /* What happened. */
    int32_t fd[VFIO_PCI_NUM_IRQS][FAKE_MAX_VECTORS]; /* -1: none */
    uint32_t enabled[VFIO_PCI_NUM_IRQS];  /* vectors set up */
    bool intx_masked;
    unsigned resets;
    unsigned slow_accesses;
    unsigned config_writes;
    unsigned config_reads;
    int opened;                           /* opens minus closes */
} FakeVFIODevice;

/* An endpoint with BAR 0 (64-bit, 64 KiB, can be mapped; MSI-X table of 4
 * entries at 0x2000, pending bits at 0x3000), BAR 2 (32-bit, 256 bytes), MSI
 * of 2 vectors, power management, express, and extended capabilities of which
 * the first and the third are to be hidden. */
FakeVFIODevice *fake_vfio_device_new(void);
void fake_vfio_device_free(FakeVFIODevice *f);
/* The one that the next device of TYPE_FAKE_VFIO_PCI opens. */
void fake_vfio_device_offer(FakeVFIODevice *f);

uint8_t fake_vfio_bar_read(FakeVFIODevice *f, int bar, uint64_t offset);
/* Raises vector @nr of interrupt index @index; it must be connected. */
void fake_vfio_interrupt(FakeVFIODevice *f, uint32_t index, uint32_t nr);

#endif
