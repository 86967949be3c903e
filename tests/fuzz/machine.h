/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The whole emulator in the process of a fuzz target: main() starts it with
 * -accel qtest and the devices below, and drives the target in place of the
 * main loop. Accesses are those of a guest's CPU.
 */
#ifndef TESTS_FUZZ_MACHINE_H
#define TESTS_FUZZ_MACHINE_H

#include "fuzz.h"

#define FUZZ_RAM_SIZE (64 * MiB)
/* Where device memory begins: the regions of vm0 and vm1 are there. */
#define FUZZ_DEVICE_MEMORY 0x100000000ULL

typedef enum FuzzSlot {
    FUZZ_VM0,                             /* virtio-mem, anonymous memory */
    FUZZ_VM1,                             /* virtio-mem, memfd */
    FUZZ_BALLOON,
    FUZZ_PORT0,                           /* two root ports: ids rp0, rp1 */
    FUZZ_PORT1,
    FUZZ_NR_SLOTS
} FuzzSlot;

#define FUZZ_NR_VIRTIO 3                  /* the first slots */

uint64_t fuzz_read(uint64_t addr, unsigned width);
void fuzz_write(uint64_t addr, uint64_t value, unsigned width);
uint32_t fuzz_in(uint16_t port, unsigned width);
void fuzz_out(uint16_t port, uint32_t value, unsigned width);
/* Address of a register of configuration space. */
uint64_t fuzz_config(unsigned bus, uint8_t devfn, uint16_t reg);
uint8_t fuzz_devfn(FuzzSlot slot);

/* Carries out a QMP request; single quotes may serve as double ones. Refuses, by
 * doing nothing, what would end the process or write files. */
void fuzz_qmp(const char *fmt, ...) G_GNUC_PRINTF(1, 2);
/* Lets the main loop do what is due. */
void fuzz_settle(void);
/* As after the start: reset, running, without what was plugged; BARs assigned. */
void fuzz_fresh(void);

/* --- virtio, as a driver sees it (virtio.c) --- */

/* Finds the devices' registers, wherever they are now. */
void fuzz_virtio_find(FuzzSlot slot);
/* One step of a driver, or of somebody who pretends to be one. */
void fuzz_virtio_setup(FuzzInput *in, FuzzSlot slot);
void fuzz_virtio_registers(FuzzInput *in, FuzzSlot slot);
void fuzz_virtio_ring(FuzzInput *in, FuzzSlot slot);
void fuzz_virtio_mem_requests(FuzzInput *in, FuzzSlot slot);
void fuzz_balloon_pages(FuzzInput *in);

/* --- PCI (pci.c) and the board (board.c) --- */

void fuzz_pci_config(FuzzInput *in);
void fuzz_pci_bar(FuzzInput *in);
void fuzz_pci_msix(FuzzInput *in);
void fuzz_board_access(FuzzInput *in);

/* --- an administrator (admin.c) --- */

void fuzz_admin(FuzzInput *in);

#endif
