/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A vfio-user client without a guest, and the test device as its server: an
 * address space with a managed region of NR_BLOCKS blocks at BASE, which has
 * memory but no descriptor for it. Every test checks that no descriptor is
 * left.
 */
#ifndef TESTS_UNIT_VFIO_USER_FIXTURE_H
#define TESTS_UNIT_VFIO_USER_FIXTURE_H

#include "hw/vfio-user/client.h"
#include "qemu/units.h"
#include "sparse-ram.h"
#include "testdev-thread.h"

#define BLOCK (64 * KiB)
#define NR_BLOCKS 300
#define BASE (4 * GiB)

typedef struct VUFixture {
    TestSpace *space;
    SparseRam *ram;                       /* at BASE */
    uint8_t *host;                        /* its memory */
    TestDevThread server;
    VFIOUserDevice *user;                 /* NULL: not started */
    VFIODevice vdev;
    GString *said;                        /* error messages */
    unsigned fds_before;
} VUFixture;

/* x-msg-timeout for a server that does its best, and for one that will not
 * answer. Both are longer on a slower machine (tests/patience.h). */
unsigned vu_timeout_ms(void);
unsigned vu_short_ms(void);
/* Once, in main(). */
void vu_init(void);
void vu_set_up(VUFixture *f, gconstpointer data);
void vu_tear_down(VUFixture *f, gconstpointer data);
/* A client of the server at @fd that has been shown @as; NULL: *errp. */
VFIOUserDevice *vu_device_new(int fd, uint32_t timeout_ms, AddressSpace *as,
                              Error **errp);
/* Connects; false: *errp, and nothing is left. */
bool vu_start_for(VUFixture *f, const TestDevOptions *options,
                  uint32_t timeout_ms, Error **errp);
void vu_start(VUFixture *f);
void vu_stop(VUFixture *f);

/* Registers of the device, of @size bytes; the access must work. */
uint64_t vu_reg_read(VUFixture *f, unsigned reg, size_t size);
void vu_reg_write(VUFixture *f, unsigned reg, uint64_t val, size_t size);
uint64_t vu_nr_mappings(VUFixture *f);
/* TESTDEV_FAULT_* after so many messages. */
void vu_arm(VUFixture *f, unsigned fault, uint32_t after, uint32_t arg);
/* Runs a TESTDEV_* command; the errno with which it ended. */
uint32_t vu_dma(VUFixture *f, uint32_t command, uint64_t src, uint64_t dst,
                uint64_t len);
/* Blocks of the region; must work. */
void vu_plug(VUFixture *f, uint64_t block, uint64_t nr);
/* Law L1 as the server sees it: the blocks that it has are those populated. */
void vu_check_blocks(VUFixture *f);

#endif
