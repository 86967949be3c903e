/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Configuration space, BARs and MSI-X, as no sane guest uses them. */
#include "qemu/osdep.h"

#include <linux/pci_regs.h>

#include "machine.h"

static uint8_t any_devfn(FuzzInput *in)
{
    uint8_t kind = fuzz_u8(in);

    return kind < 224 ? fuzz_devfn(kind % FUZZ_NR_SLOTS) : fuzz_u8(in);
}

void fuzz_pci_config(FuzzInput *in)
{
    uint8_t how = fuzz_u8(in), devfn = any_devfn(in);
    unsigned bus = how & 1 ? fuzz_below(in, 4) : 0;
    uint16_t reg = how & 2 ? fuzz_u16(in) & 0xfff : fuzz_u8(in);
    unsigned width = 1U << (how >> 6 & 1) << (how >> 7);

    if (how & 4) {                        /* by the two ports */
        fuzz_out(0xcf8, 0x80000000U | bus << 16 | devfn << 8 | (reg & 0xfc), 4);
        if (how & 8) {
            fuzz_in(0xcfc + (reg & 3), width);
        } else {
            fuzz_out(0xcfc + (reg & 3), fuzz_number(in), width);
        }
    } else if (how & 8) {
        fuzz_read(fuzz_config(bus, devfn, reg), how & 16 ? 8 : width);
    } else {
        fuzz_write(fuzz_config(bus, devfn, reg), fuzz_number(in),
                   how & 16 ? 8 : width);
    }
}

/* Moves a BAR, also to where something is; then there is an access. */
void fuzz_pci_bar(FuzzInput *in)
{
    static const uint64_t places[] = {
        0xc0000000, 0xc1000000, 0xe0000000, 0xfee00000, 0xfec00000, 0xb0000000,
        0, 0x1000000, 0xfffff000, FUZZ_DEVICE_MEMORY, 0xc000, 0xcf8,
    };
    FuzzSlot slot = fuzz_below(in, FUZZ_NR_SLOTS);
    uint64_t bar = fuzz_config(0, fuzz_devfn(slot), PCI_BASE_ADDRESS_0 +
                               4 * fuzz_below(in, 6));
    uint8_t how = fuzz_u8(in);
    uint64_t at = how & 1 ? fuzz_number(in) :
                            places[fuzz_below(in, G_N_ELEMENTS(places))];

    fuzz_write(bar, at, 4);
    if (how & 2) {
        fuzz_write(bar + 4, at >> 32, 4);
    }
    if (how & 4) {
        fuzz_write(fuzz_config(0, fuzz_devfn(slot), PCI_COMMAND), fuzz_u8(in), 2);
    }
    fuzz_read(at + fuzz_u16(in), 1 + (how >> 5));
}

static uint8_t find_capability(uint8_t devfn, uint8_t id)
{
    uint8_t cap = fuzz_read(fuzz_config(0, devfn, PCI_CAPABILITY_LIST), 1);

    for (unsigned i = 0; cap && i < 48; i++) {
        if (fuzz_read(fuzz_config(0, devfn, cap), 1) == id) {
            return cap;
        }
        cap = fuzz_read(fuzz_config(0, devfn, cap + PCI_CAP_LIST_NEXT), 1);
    }
    return 0;
}

void fuzz_pci_msix(FuzzInput *in)
{
    uint8_t devfn = fuzz_devfn(fuzz_below(in, FUZZ_NR_SLOTS)), how = fuzz_u8(in);
    uint8_t cap = find_capability(devfn, PCI_CAP_ID_MSIX);
    uint32_t table, bar;

    if (!cap) {
        return;
    }
    table = fuzz_read(fuzz_config(0, devfn, cap + (how & 1 ? PCI_MSIX_PBA :
                                                   PCI_MSIX_TABLE)), 4);
    bar = fuzz_read(fuzz_config(0, devfn, PCI_BASE_ADDRESS_0 +
                                4 * (table & PCI_MSIX_TABLE_BIR)), 4);
    fuzz_write((bar & PCI_BASE_ADDRESS_MEM_MASK) + (table & PCI_MSIX_TABLE_OFFSET) +
               (how & 2 ? fuzz_u16(in) & 0x1fff : fuzz_u8(in)),
               how & 4 ? 0xfee00000 : fuzz_number(in), 1 + (how >> 5));
    fuzz_write(fuzz_config(0, devfn, cap + PCI_MSIX_FLAGS), fuzz_u16(in), 2);
}
