/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libFuzzer as the driver: "make fuzz". */
#include "qemu/osdep.h"

#include "fuzz.h"

/* Of libFuzzer, which has no header for it. */
int LLVMFuzzerRunDriver(int *argc, char ***argv,
                        int (*one)(const uint8_t *data, size_t size));

int fuzz_drive(int argc, char **argv)
{
    return LLVMFuzzerRunDriver(&argc, &argv, fuzz_one);
}
