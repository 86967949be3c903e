/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Configuration space, BARs, MSI-X, hot plug into root ports. */
#include "qemu/osdep.h"

#include "machine.h"

#define MOST_STEPS 200

int fuzz_one(const uint8_t *data, size_t size)
{
    FuzzInput in = { data, data + size };

    fuzz_fresh();
    for (unsigned i = 0; in.at < in.end && i < MOST_STEPS; i++) {
        switch (fuzz_below(&in, 8)) {
        case 0:
        case 1:
        case 2:
            fuzz_pci_config(&in);
            break;
        case 3:
            fuzz_pci_bar(&in);
            break;
        case 4:
        case 5:
            fuzz_pci_msix(&in);
            break;
        case 6:
            fuzz_admin(&in);
            break;
        default:
            fuzz_settle();
        }
    }
    fuzz_settle();
    return 0;
}
