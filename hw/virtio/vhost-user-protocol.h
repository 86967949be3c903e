/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The messages of the vhost-user protocol that are spoken here, as they are on
 * the wire. A front end (this emulator) asks, a back end (another process that
 * emulates a virtio device) answers; descriptors go along. The numbers are those
 * of the specification, "Vhost-user Protocol"; fields have the host's byte order.
 */
#ifndef HW_VIRTIO_VHOST_USER_PROTOCOL_H
#define HW_VIRTIO_VHOST_USER_PROTOCOL_H

#include <linux/vhost_types.h>

typedef enum VhostUserRequest {
    /* What it can. */
    VHOST_USER_GET_FEATURES = 1,
    VHOST_USER_GET_PROTOCOL_FEATURES = 15,
    VHOST_USER_GET_QUEUE_NUM = 17,
    VHOST_USER_GET_MAX_MEM_SLOTS = 36,
    /* What it shall be. */
    VHOST_USER_SET_FEATURES = 2,
    VHOST_USER_SET_PROTOCOL_FEATURES = 16,
    VHOST_USER_SET_OWNER = 3,
    VHOST_USER_GET_CONFIG = 24,
    VHOST_USER_SET_CONFIG = 25,
    VHOST_USER_GET_INFLIGHT_FD = 31,
    VHOST_USER_SET_INFLIGHT_FD = 32,
    VHOST_USER_NET_SET_MTU = 20,
    /* Guest memory. */
    VHOST_USER_SET_MEM_TABLE = 5,
    VHOST_USER_ADD_MEM_REG = 37,
    VHOST_USER_REM_MEM_REG = 38,
    /* One queue. */
    VHOST_USER_SET_VRING_NUM = 8,
    VHOST_USER_SET_VRING_BASE = 10,
    VHOST_USER_GET_VRING_BASE = 11,
    VHOST_USER_SET_VRING_ADDR = 9,
    VHOST_USER_SET_VRING_CALL = 13,
    VHOST_USER_SET_VRING_KICK = 12,
    VHOST_USER_SET_VRING_ENABLE = 18,
    /* What it shall do. */
    VHOST_USER_SEND_RARP = 19,
} VhostUserRequest;

/* A bit of the virtio features: the back end has protocol features. */
#define VHOST_USER_F_PROTOCOL_FEATURES 30

/* Bits of the protocol features. */
#define VHOST_USER_PROTOCOL_F_MQ 0
#define VHOST_USER_PROTOCOL_F_RARP 2
#define VHOST_USER_PROTOCOL_F_REPLY_ACK 3
#define VHOST_USER_PROTOCOL_F_NET_MTU 4
#define VHOST_USER_PROTOCOL_F_CONFIG 9
#define VHOST_USER_PROTOCOL_F_INFLIGHT_SHMFD 12
#define VHOST_USER_PROTOCOL_F_CONFIGURE_MEM_SLOTS 15

typedef struct VhostUserHeader {
    uint32_t request;
    uint32_t flags;                       /* VHOST_USER_FLAG_* */
    uint32_t size;                        /* of the payload, bytes */
} VhostUserHeader;

#define VHOST_USER_VERSION 0x1
#define VHOST_USER_FLAG_VERSION_MASK 0x3
#define VHOST_USER_FLAG_REPLY 0x4
#define VHOST_USER_FLAG_NEED_REPLY 0x8

typedef struct VhostUserMemoryRegion {
    uint64_t guest_phys_addr;
    uint64_t memory_size;
    uint64_t userspace_addr;              /* by which rings are named */
    uint64_t mmap_offset;                 /* in the descriptor's file */
} VhostUserMemoryRegion;

/* Regions of a whole table, each with its descriptor. */
#define VHOST_USER_TABLE_REGIONS 8
typedef struct VhostUserMemoryTable {
    uint32_t nregions;
    uint32_t padding;
    VhostUserMemoryRegion regions[VHOST_USER_TABLE_REGIONS];
} VhostUserMemoryTable;

typedef struct VhostUserSingleRegion {
    uint64_t padding;
    VhostUserMemoryRegion region;
} VhostUserSingleRegion;

#define VHOST_USER_CONFIG_MAX 256
typedef struct VhostUserConfig {
    uint32_t offset;
    uint32_t size;
    uint32_t flags;                       /* 0: the driver writes */
    uint8_t region[VHOST_USER_CONFIG_MAX];
} VhostUserConfig;

typedef struct VhostUserInflight {
    uint64_t mmap_size;
    uint64_t mmap_offset;
    uint16_t num_queues;
    uint16_t queue_size;                  /* 4 bytes of padding are behind it */
} VhostUserInflight;

typedef union VhostUserPayload {
    uint64_t u64;
    struct vhost_vring_state state;
    struct vhost_vring_addr addr;
    VhostUserMemoryTable table;
    VhostUserSingleRegion region;
    VhostUserConfig config;
    VhostUserInflight inflight;
} VhostUserPayload;

/* Header and payload, which follow each other. */
typedef struct VhostUserMsg {
    VhostUserHeader header;
    VhostUserPayload payload;
} __attribute__((packed)) VhostUserMsg;

#endif
