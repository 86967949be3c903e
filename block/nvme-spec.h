/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What NVM Express (1.4) says of registers, queues and commands, as far as
 * block/nvme*.c uses it. Numbers in commands and structures are little-endian.
 */
#ifndef BLOCK_NVME_SPEC_H
#define BLOCK_NVME_SPEC_H

/* --- registers (3.1) --- */

enum {
    NVME_REG_CAP = 0x00,                  /* 64 bits */
    NVME_REG_CC = 0x14,
    NVME_REG_CSTS = 0x1c,
    NVME_REG_AQA = 0x24,
    NVME_REG_ASQ = 0x28,                  /* 64 bits */
    NVME_REG_ACQ = 0x30,                  /* 64 bits */
    NVME_REG_DOORBELLS = 0x1000,
};

#define NVME_CAP_MQES(cap) ((uint32_t)((cap) & 0xffff))
/* Units of 500 ms. */
#define NVME_CAP_TO(cap) ((uint32_t)((cap) >> 24 & 0xff))
#define NVME_CAP_DSTRD(cap) ((uint32_t)((cap) >> 32 & 0xf))
#define NVME_CAP_MPSMIN(cap) ((uint32_t)((cap) >> 48 & 0xf))

#define NVME_CC_EN (1U << 0)
/* Entries of 64 and 16 bytes, pages of 4 KiB, the NVM command set. */
#define NVME_CC_SIZES (6U << 16 | 4U << 20)
#define NVME_CC_SHN_NORMAL (1U << 14)
#define NVME_CSTS_RDY (1U << 0)
#define NVME_CSTS_CFS (1U << 1)
#define NVME_CSTS_SHST(csts) ((csts) >> 2 & 3)
#define NVME_SHST_COMPLETE 2

#define NVME_PAGE 4096U

/* --- commands (4.2, 4.6) --- */

typedef struct NVMeCommand {
    uint8_t opcode;
    uint8_t flags;
    uint16_t cid;
    uint32_t nsid;
    uint64_t reserved;
    uint64_t metadata;
    uint64_t prp1;
    uint64_t prp2;
    uint32_t dw10;
    uint32_t dw11;
    uint32_t dw12;
    uint32_t dw13;
    uint32_t dw14;
    uint32_t dw15;
} NVMeCommand;
QEMU_BUILD_BUG_ON(sizeof(NVMeCommand) != 64);

typedef struct NVMeCompletion {
    uint32_t result;
    uint32_t reserved;
    uint16_t sq_head;
    uint16_t sq_id;
    uint16_t cid;
    uint16_t status;                      /* bit 0: the phase */
} NVMeCompletion;
QEMU_BUILD_BUG_ON(sizeof(NVMeCompletion) != 16);

#define NVME_STATUS(field) ((field) >> 1 & 0x7ff)
#define NVME_SC_CAPACITY_EXCEEDED 0x81

enum {
    NVME_ADMIN_CREATE_SQ = 0x01,
    NVME_ADMIN_CREATE_CQ = 0x05,
    NVME_ADMIN_IDENTIFY = 0x06,
    NVME_ADMIN_SET_FEATURES = 0x09,
};

enum {
    NVME_IDENTIFY_NAMESPACE = 0,
    NVME_IDENTIFY_CONTROLLER = 1,
};

#define NVME_FEATURE_QUEUES 7

#define NVME_QUEUE_CONTIGUOUS (1U << 0)
#define NVME_CQ_INTERRUPTS (1U << 1)

enum {
    NVME_CMD_FLUSH = 0x00,
    NVME_CMD_WRITE = 0x01,
    NVME_CMD_READ = 0x02,
    NVME_CMD_WRITE_ZEROES = 0x08,
    NVME_CMD_DATASET = 0x09,
};

#define NVME_RW_FUA (1U << 30)
#define NVME_ZEROES_DEALLOCATE (1U << 25)
#define NVME_DATASET_DEALLOCATE (1U << 2)
#define NVME_BLOCKS_MAX 65536U            /* of one command */

typedef struct NVMeRange {
    uint32_t attributes;
    uint32_t blocks;
    uint64_t first;
} NVMeRange;

/* --- what Identify tells (5.15) --- */

typedef struct NVMeIdentifyController {
    uint8_t reserved[77];
    uint8_t mdts;                         /* 2^n pages of the smallest size; 0: any */
    uint8_t reserved1[516 - 78];
    uint32_t nn;                          /* namespaces */
    uint16_t oncs;
    uint8_t rest[NVME_PAGE - 522];
} NVMeIdentifyController;
QEMU_BUILD_BUG_ON(offsetof(NVMeIdentifyController, oncs) != 520);

#define NVME_ONCS_DATASET (1U << 2)
#define NVME_ONCS_WRITE_ZEROES (1U << 3)

typedef struct NVMeLbaFormat {
    uint16_t metadata;                    /* bytes for each block */
    uint8_t lbads;                        /* a block has 2^n bytes */
    uint8_t performance;
} NVMeLbaFormat;

typedef struct NVMeIdentifyNamespace {
    uint64_t nsze;                        /* blocks */
    uint8_t reserved[26 - 8];
    uint8_t flbas;                        /* which format, bits 0 to 3 */
    uint8_t reserved1[128 - 27];
    NVMeLbaFormat formats[16];
    uint8_t rest[NVME_PAGE - 192];
} NVMeIdentifyNamespace;
QEMU_BUILD_BUG_ON(sizeof(NVMeIdentifyNamespace) != NVME_PAGE);

#endif
