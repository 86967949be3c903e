/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The inside of vfio-user-testdev (registers.h has the outside): a vfio-user
 * server that emulates one function for one client at a time. It reaches the
 * client's memory only through what DMA_MAP gave it, and writes down each map
 * and unmap. The program is main.c; unit tests run it in a thread.
 *
 * A TestDev belongs to one thread. Functions that can fail return 0 or -errno.
 */
#ifndef TESTS_VFIO_USER_DEVICE_TESTDEV_H
#define TESTS_VFIO_USER_DEVICE_TESTDEV_H

#include <linux/pci_regs.h>

#include "hw/vfio-user/socket.h"
#include "registers.h"

typedef struct TestDev TestDev;

/* What can be set before a client comes. Zeroes are the defaults. */
typedef struct TestDevOptions {
    const char *log;                      /* a file; NULL: none */
    const char *bar2_file;                /* shown as BAR 2's; NULL: the memory */
    uint64_t max_dma_maps;                /* 0: 65535 */
    uint64_t pgsizes;                     /* 0: 4096 */
    uint64_t max_msg_fds;                 /* 0: VFIO_USER_MAX_FDS */
    uint64_t rom_size;                    /* what is said of it */
    /* By TESTDEV_FAULT_*: after so many messages, plus 1; 0: never. */
    uint32_t fault_after[TESTDEV_NR_FAULTS];
    uint32_t fault_arg[TESTDEV_NR_FAULTS];
    uint32_t seed;                        /* of TESTDEV_GARBAGE_RANDOM */
} TestDevOptions;

/* --- memory of the client: memory.c --- */

/* A file that mappings refer to; the same file is kept open once. */
typedef struct TestDevFile {
    int fd;
    uint64_t dev, ino;
    int mode;                             /* O_RDONLY, O_RDWR ... */
    unsigned users;
} TestDevFile;

typedef struct TestDevMapping {
    uint64_t iova;
    uint64_t last;                        /* the last byte's address */
    uint32_t flags;                       /* VFIO_USER_DMA_* */
    TestDevFile *file;                    /* NULL: by messages */
    uint64_t offset;                      /* in file */
} TestDevMapping;

typedef struct TestDevMemory {
    GTree *mappings;                      /* TestDevMapping, by IOVA */
    GPtrArray *files;                     /* TestDevFile */
    uint64_t bytes;                       /* sum of sizes */
} TestDevMemory;

void testdev_memory_init(TestDevMemory *mem);
void testdev_memory_clear(TestDevMemory *mem);
void testdev_memory_destroy(TestDevMemory *mem);
/* @fd, taken over: what the message brought, or -1. -EEXIST: overlap. */
int testdev_memory_map(TestDevMemory *mem, const VFIOUserDMAMap *map, int fd);
/* -ENOENT: nothing is there; -EINVAL: not exactly what was mapped. */
int testdev_memory_unmap(TestDevMemory *mem, const VFIOUserDMAUnmap *unmap);
/* Makes all files empty; whether any let it. */
bool testdev_memory_cut(TestDevMemory *mem);
/* The mapping that holds @iova, or NULL. */
const TestDevMapping *testdev_memory_find(TestDevMemory *mem, uint64_t iova);

/* --- DMA: dma.c --- */

/* All of @size bytes, or -EFAULT with *fault the first address that cannot be
 * accessed; or another -errno. */
int testdev_dma(TestDev *dev, uint64_t iova, void *buf, size_t size, bool write,
                uint64_t *fault);

/* --- interrupts: irq.c --- */

/* The counts of VFIO_PCI_*_IRQ_INDEX. */
#define TESTDEV_MAX_IRQS TESTDEV_NR_VECTORS

typedef struct TestDevIRQs {
    int fds[VFIO_PCI_NUM_IRQS][TESTDEV_MAX_IRQS];
    bool intx_level;
    bool intx_masked;
} TestDevIRQs;

void testdev_irq_init(TestDevIRQs *irqs);
void testdev_irq_clear(TestDevIRQs *irqs);
void testdev_irq_info(struct vfio_irq_info *info);
int testdev_irq_set(TestDevIRQs *irqs, const struct vfio_irq_set *set,
                    VFIOUserMessage *msg);
void testdev_irq_raise(TestDevIRQs *irqs, uint32_t index, uint32_t n);
/* Vector @n by MSI-X, or if that is off the pin. */
void testdev_irq_notify(TestDevIRQs *irqs, uint32_t n);
void testdev_irq_ack(TestDevIRQs *irqs);

/* --- what the function consists of: pci.c --- */

/* The payload of a reply to GET_REGION_INFO, at most info->argsz bytes of which
 * are wanted; g_free(). *fd: to go with it, or -1. NULL: no such region. */
struct vfio_region_info *testdev_region_info(const TestDev *dev,
                                             const struct vfio_region_info *ask,
                                             size_t *size, int *fd);
int testdev_region_access(TestDev *dev, uint32_t index, uint64_t offset,
                          uint8_t *data, uint32_t count, bool write);
void testdev_pci_init(TestDev *dev);
/* Makes BAR 2's file empty. The device goes on with memory of its own. */
void testdev_bar2_cut(TestDev *dev);

/* --- registers and the DMA engine: engine.c --- */

void testdev_regs_read(TestDev *dev, uint64_t offset, uint8_t *data,
                       uint32_t count);
void testdev_regs_write(TestDev *dev, uint64_t offset, const uint8_t *data,
                        uint32_t count);
/* Runs what was put off. */
void testdev_engine_run(TestDev *dev);
void testdev_engine_reset(TestDev *dev);

/* --- faults: fault.c --- */

typedef struct TestDevFault {
    bool armed;
    uint32_t after;
    uint32_t arg;
} TestDevFault;

/* Whether fault @kind strikes now; one call for each message that counts. */
bool testdev_fault_strikes(TestDev *dev, unsigned kind);
/* Answers @msg with nonsense. */
void testdev_fault_garbage(TestDev *dev, const VFIOUserMessage *msg);
void testdev_fault_arm(TestDev *dev, unsigned kind, uint32_t after,
                       uint32_t arg);

/* --- the server: server.c --- */

struct TestDev {
    VFIOUserCaps caps;                    /* that the client is told */
    FILE *log;                            /* or NULL */
    VFIOUserSocket *socket;               /* the client; NULL: none */
    uint64_t client_xfer;                 /* its max_data_xfer_size */
    bool dead;                            /* TESTDEV_FAULT_DIE has struck */

    uint8_t config[PCI_CFG_SPACE_SIZE];
    uint8_t regs[TESTDEV_BAR0_SIZE];
    uint8_t *bar2;
    int bar2_fd;
    int bar2_shown_fd;                    /* the client's; -1: the same */
    uint64_t rom_size;
    bool pending;                         /* a command that was put off */
    uint32_t resets;

    TestDevMemory mem;
    uint64_t maps, unmaps, refusals;
    TestDevIRQs irqs;
    TestDevFault faults[TESTDEV_NR_FAULTS];
    GRand *rand;
};

/* NULL: *errp. */
TestDev *testdev_new(const TestDevOptions *options, Error **errp);
void testdev_free(TestDev *dev);
/* Serves the client at @fd, taken over, until it disconnects or dev->dead;
 * *errp: why it ended. */
void testdev_serve(TestDev *dev, int fd, Error **errp);

#endif
