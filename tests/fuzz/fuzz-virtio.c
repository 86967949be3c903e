/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rings and requests of one virtio device, behind a set-up driver. */
#include "qemu/osdep.h"

#include "machine.h"

#define MOST_STEPS 100

int fuzz_one(const uint8_t *data, size_t size)
{
    FuzzInput in = { data, data + size };
    FuzzSlot slot = fuzz_any_virtio(&in);

    fuzz_fresh();
    fuzz_virtio_setup(&in, slot);
    for (unsigned i = 0; in.at < in.end && i < MOST_STEPS; i++) {
        switch (fuzz_below(&in, 8)) {
        case 0:
            fuzz_virtio_setup(&in, slot);
            break;
        case 1:
            fuzz_virtio_registers(&in, slot);
            break;
        case 2:
        case 3:
            fuzz_virtio_ring(&in, slot);
            break;
        case 4:
            fuzz_settle();
            break;
        default:
            fuzz_virtio_request(&in, slot);
        }
    }
    fuzz_settle();
    return 0;
}
