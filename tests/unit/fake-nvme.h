/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An NVMe controller made of memory, behind block/dma-device.h: a register model
 * that carries out commands when their doorbell is written, on a disk of a few
 * blocks, with "guest" memory whose pages are not in their order for the drive. It
 * can be told to do what a controller should not.
 */
#ifndef TESTS_FAKE_NVME_H
#define TESTS_FAKE_NVME_H

#include "block/dma-device.h"
#include "block/nvme-spec.h"

#define FAKE_NVME_BLOCK 512U
#define FAKE_NVME_DISK (4096U * 1024)
#define FAKE_NVME_GUEST (2048U * 1024)
/* So many pages of guest memory are in a row for the drive. */
#define FAKE_NVME_RUN 8U

typedef struct FakeNVMe {
    BlockDma dma;
    bool is_open;
    uint8_t *disk;
    uint8_t *guest;
    uint8_t *own;                         /* the driver's memory, while mapped */
    size_t own_size;
    int irq;                              /* -1: none */
    bool master;                          /* it may make DMA */
    uint32_t cc, aqa;
    uint64_t asq, acq;
    struct {
        uint64_t sq, cq;
        uint32_t entries, sq_head, sq_tail, cq_tail, cq_head;
        bool phase;
    } queues[2];                          /* admin, I/O */
    /* What it is. */
    uint64_t cap;
    uint16_t oncs;
    uint8_t mdts;
    NVMeLbaFormat format;
    uint64_t nsze;
    /* What it does wrong. */
    const char *refuse;                   /* an operation of BlockDmaOps */
    uint32_t csts_or;                     /* bits that are always set */
    bool never_ready;
    unsigned fail_command;                /* the n-th one gets fail_status */
    uint16_t fail_status;
    bool hold;                            /* I/O commands wait for a release */
    uint16_t cid_xor;                     /* in completions of I/O */
    uint16_t sq_id_xor;
    uint16_t sq_head_or;
    bool twice;                           /* each I/O completion comes twice */
    /* What has happened. */
    unsigned commands;                    /* all of them */
    unsigned io_commands;
    unsigned quiesced;
    unsigned flushes;
    bool last_fua;
} FakeNVMe;

/* The only one; it is made by the first call, and is as new after each. */
FakeNVMe *fake_nvme_new(void);
/* Carries out what was held. */
void fake_nvme_release(FakeNVMe *f);

#endif
