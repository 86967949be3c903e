/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Everything that a guest and an administrator can do, in any order. */
#include "qemu/osdep.h"

#include "machine.h"
#include "sysemu/runstate.h"

#define MOST_STEPS 200

static void step(FuzzInput *in)
{
    FuzzSlot slot = fuzz_any_virtio(in);

    switch (fuzz_below(in, 14)) {
    case 0:
    case 1:
        fuzz_virtio_setup(in, slot);
        break;
    case 2:
    case 3:
        fuzz_virtio_request(in, slot);
        break;
    case 4:
        fuzz_virtio_ring(in, slot);
        break;
    case 5:
        fuzz_balloon_pages(in);
        break;
    case 6:
        fuzz_virtio_registers(in, slot);
        break;
    case 7:
        fuzz_pci_config(in);
        break;
    case 8:
        fuzz_pci_bar(in);
        fuzz_virtio_find(slot);
        break;
    case 9:
        fuzz_pci_msix(in);
        break;
    case 10:
        fuzz_board_access(in);
        break;
    case 11:
    case 12:
        fuzz_admin(in);
        break;
    default:
        qemu_system_reset(SHUTDOWN_CAUSE_GUEST_RESET);
        fuzz_settle();
    }
}

int fuzz_one(const uint8_t *data, size_t size)
{
    FuzzInput in = { data, data + size };

    fuzz_fresh();
    for (unsigned i = 0; in.at < in.end && i < MOST_STEPS; i++) {
        step(&in);
    }
    fuzz_settle();
    return 0;
}
