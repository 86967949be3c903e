/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ACPI tables of the machine: RSDP, XSDT, FADT, FACS, DSDT, MADT, MCFG, and
 * for NUMA SRAT, SLIT and HMAT, as one block of bytes for guest-physical address X86_ACPI_BASE. The
 * DSDT is compiled from hw/i386/dsdt.asl when the project is built and never
 * changed; the few values in it that depend on the command line it reads from
 * AcpiPlatform, the first bytes of the block. Pure: writes no guest memory.
 */
#ifndef HW_I386_ACPI_H
#define HW_I386_ACPI_H

#include "hw/acpi/vmgenid.h"
#include "memory-map.h"
#include "sysemu/numa.h"

/* Fixed interrupt and ports, which dsdt.asl and pm.c agree on. */
#define ACPI_SCI_IRQ 9
#define ACPI_PM_BASE 0x600
#define ACPI_PM_SIZE 0x80
#define ACPI_RESET_PORT 0xcf9
#define ACPI_RESET_VALUE 0x06
#define ACPI_SLP_TYP_S5 5
/* The GSI that INTA (pin 0) .. INTD of a device on bus 0 raises. */
#define ACPI_PCI_GSI(slot, pin) (16 + (((slot) + (pin)) & 7))

/* Read by dsdt.asl through an OperationRegion; little endian. */
typedef struct QEMU_PACKED AcpiPlatform {
    uint64_t pci64_base;
    uint64_t pci64_last;                  /* last byte of the window */
    uint64_t pci64_size;
    uint64_t vmgenid;                     /* of a page with a GUID; 0: none */
    uint8_t serial_ports;                 /* bit n: COM(n+1) is there */
    uint8_t reserved[7];
    QemuUUID guid;                        /* where it is if nothing was moved */
} AcpiPlatform;
QEMU_BUILD_BUG_ON(offsetof(AcpiPlatform, guid) != VMGENID_GUID_OFFSET);

/* What the tables describe; borrowed during acpi_build(). */
typedef struct AcpiConfig {
    const X86MemoryMap *map;
    unsigned nr_cpus;
    const uint8_t *apic_ids;              /* of each CPU */
    uint8_t serial_ports;
    const NumaState *numa;                /* without nodes: there is no NUMA */
    bool has_vmgenid;
    QemuUUID vmgenid;                     /* as it is in memory */
} AcpiConfig;

/*
 * The block; *rsdp is the address of the RSDP in it. Fits into X86_ACPI_SIZE
 * for up to 255 CPUs and 128 nodes; an HMAT may be too much for it.
 */
GByteArray *acpi_build(const AcpiConfig *config, uint64_t *rsdp);

/* A number in the block that is an address in it, and a checksum of a part of it:
 * what has to be adapted if the block is moved. All as offsets. */
typedef struct AcpiPointer {
    uint32_t offset;
    uint8_t size;                         /* 4 or 8 bytes */
} AcpiPointer;

typedef struct AcpiSum {
    uint32_t offset;                      /* of the byte that makes it 0 */
    uint32_t start;
    uint32_t size;
} AcpiSum;

typedef void AcpiPointerFn(const AcpiPointer *pointer, void *opaque);
typedef void AcpiSumFn(const AcpiSum *sum, void *opaque);

/* Calls @pointer and @sum for all of them in @block, which acpi_build() has made,
 * with @rsdp; the RSDP's own come last. */
void acpi_foreach_link(const GByteArray *block, uint64_t rsdp,
                       AcpiPointerFn *pointer, AcpiSumFn *sum, void *opaque);

#endif
