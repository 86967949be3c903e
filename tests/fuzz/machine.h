/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The whole emulator in the process of a fuzz target: main() starts it with
 * -accel qtest and the devices below, and drives the target in place of the
 * main loop. Accesses are those of a guest's CPU.
 */
#ifndef TESTS_FUZZ_MACHINE_H
#define TESTS_FUZZ_MACHINE_H

#include <linux/virtio_ring.h>

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
    FUZZ_BLK,                             /* virtio-blk: a file of 1 MiB */
    FUZZ_NET,                             /* virtio-net */
    FUZZ_RNG,                             /* virtio-rng */
    FUZZ_SERIAL,                          /* virtio-serial, two ports */
    FUZZ_NR_SLOTS,
    FUZZ_HOT = FUZZ_NR_SLOTS,             /* what is plugged into rp0, if any */
    FUZZ_NR_PLACES
} FuzzSlot;

#define FUZZ_DISK_SIZE (1 * MiB)

/* Set by a target which needs memory that another process can map. */
extern bool fuzz_shares_memory;
/* One of the virtio devices that are there from the start. */
FuzzSlot fuzz_any_virtio(FuzzInput *in);

uint64_t fuzz_read(uint64_t addr, unsigned width);
void fuzz_write(uint64_t addr, uint64_t value, unsigned width);
uint32_t fuzz_in(uint16_t port, unsigned width);
void fuzz_out(uint16_t port, uint32_t value, unsigned width);
/* Address of a register of configuration space. */
uint64_t fuzz_config(unsigned bus, uint8_t devfn, uint16_t reg);
uint8_t fuzz_devfn(FuzzSlot slot);
/* The same of a device. */
uint64_t fuzz_config_of(FuzzSlot slot, uint16_t reg);
/* Assigns its BARs, as firmware would; of FUZZ_HOT, the port's windows, too. */
void fuzz_assign_bars(FuzzSlot slot);

/* The other ends: of the network (datagrams), of the first serial port (bytes).
 * Neither waits. */
int fuzz_wire(void);
int fuzz_line(void);

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

/* For requests: where the rings and the buffers of a queue are. */
uint64_t fuzz_virtio_rings(FuzzSlot slot, unsigned queue);
uint64_t fuzz_virtio_buffers(FuzzSlot slot, unsigned queue);
/* Offers a chain of @n descriptors, in a split ring from @first on. */
void fuzz_virtio_offer(FuzzSlot slot, unsigned queue, unsigned first,
                       const struct vring_desc *descs, unsigned n);
void fuzz_virtio_kick(FuzzSlot slot, unsigned queue);
/* An address: in RAM, in device memory, in the rings, at an edge, anywhere. */
uint64_t fuzz_any_address(FuzzInput *in);

/* --- requests of the devices (virtio-requests.c) --- */

/* Something that is a request of the device in @slot, or nearly so. */
void fuzz_virtio_request(FuzzInput *in, FuzzSlot slot);

/* --- PCI (pci.c) and the board (board.c) --- */

void fuzz_pci_config(FuzzInput *in);
void fuzz_pci_bar(FuzzInput *in);
void fuzz_pci_msix(FuzzInput *in);
void fuzz_board_access(FuzzInput *in);

/* --- an administrator (admin.c) --- */

void fuzz_admin(FuzzInput *in);

#endif
