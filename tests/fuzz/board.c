/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ports and registers of the board: clock, serial port, fw_cfg, power, IOAPIC. */
#include "qemu/osdep.h"

#include "machine.h"

static const uint16_t ports[] = {
    0xcf8, 0xcf9, 0xcfc, 0xcfe, 0x3f8, 0x3f9, 0x3fa, 0x3fb, 0x3fc, 0x3fd, 0x3fe,
    0x3ff, 0x70, 0x71, 0x64, 0x60, 0x92, 0x510, 0x511, 0x514, 0x518, 0x600, 0x602,
    0x604, 0x608, 0x620, 0x624, 0xcc0, 0xae00, 0x2f8, 0x20, 0x21, 0x40, 0x43, 0x61,
    0x80, 0xb2,
};
static const uint64_t registers[] = {
    0xfec00000, 0xfec00010, 0xfec00040, 0xfee00000, 0xfed00000, 0xb0000000,
};

static void access_port(FuzzInput *in, uint8_t how)
{
    uint16_t port = how & 2 ? fuzz_u16(in) :
                              ports[fuzz_below(in, G_N_ELEMENTS(ports))];
    unsigned width = 1U << (how >> 6 & 1) << (how >> 7);

    if (how & 4) {
        fuzz_in(port, width);
    } else {
        fuzz_out(port, fuzz_number(in), width);
    }
}

static void access_memory(FuzzInput *in, uint8_t how)
{
    uint64_t addr = how & 2 ? fuzz_number(in) :
        registers[fuzz_below(in, G_N_ELEMENTS(registers))] + (fuzz_u8(in) & 63);
    unsigned width = 1 + (how >> 5);

    if (how & 4) {
        fuzz_read(addr, width);
    } else {
        fuzz_write(addr, fuzz_number(in), width);
    }
}

void fuzz_board_access(FuzzInput *in)
{
    uint8_t how = fuzz_u8(in);

    if (how & 1) {
        access_port(in, how);
    } else {
        access_memory(in, how);
    }
}
