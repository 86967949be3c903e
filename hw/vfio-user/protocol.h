/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The vfio-user protocol, major version 0: VFIO as messages over a UNIX stream
 * socket. A client (the emulator) connects to a server that emulates a device;
 * descriptors for memory and interrupts travel with the messages. A message is
 * a header and a payload; each command is answered by a reply with its id.
 * Numbers are in the host's byte order, sizes are bytes. Region and interrupt
 * structures are those of <linux/vfio.h>.
 *
 * The peer is not trusted: vfio_user_message_check() is the one place that
 * decides whether a message is what it claims to be, for both directions and
 * both sides. Nobody may look at a payload that it has not accepted.
 *
 * Pure functions; any thread.
 */
#ifndef HW_VFIO_USER_PROTOCOL_H
#define HW_VFIO_USER_PROTOCOL_H

#include <linux/vfio.h>

#include "qapi/error.h"
#include "qemu/units.h"

#define VFIO_USER_MAJOR 0
#define VFIO_USER_MINOR 0

/* --- what goes over the wire --- */

typedef enum VFIOUserCommand {
    VFIO_USER_VERSION = 1,                /* the first one; client's, as all
                                             that are not marked */
    VFIO_USER_DMA_MAP = 2,
    VFIO_USER_DMA_UNMAP = 3,
    VFIO_USER_DEVICE_GET_INFO = 4,
    VFIO_USER_DEVICE_GET_REGION_INFO = 5,
    VFIO_USER_DEVICE_GET_IRQ_INFO = 7,
    VFIO_USER_DEVICE_SET_IRQS = 8,
    VFIO_USER_REGION_READ = 9,
    VFIO_USER_REGION_WRITE = 10,
    VFIO_USER_DMA_READ = 11,              /* the server's */
    VFIO_USER_DMA_WRITE = 12,             /* the server's */
    VFIO_USER_DEVICE_RESET = 13,
} VFIOUserCommand;

/* VFIOUserHeader.flags */
#define VFIO_USER_TYPE_MASK 0xfU
#define VFIO_USER_TYPE_COMMAND 0U
#define VFIO_USER_TYPE_REPLY 1U
#define VFIO_USER_NO_REPLY (1U << 4)
#define VFIO_USER_ERROR (1U << 5)

typedef struct VFIOUserHeader {
    uint16_t id;                          /* the sender's; the reply has it */
    uint16_t command;
    uint32_t size;                        /* of the message, header included */
    uint32_t flags;
    uint32_t error;                       /* errno, if VFIO_USER_ERROR; 0: some
                                             error */
} QEMU_PACKED VFIOUserHeader;

/* VERSION and its reply. */
typedef struct VFIOUserVersion {
    uint16_t major;
    uint16_t minor;
    char data[];                          /* JSON, with its NUL; may be empty */
} QEMU_PACKED VFIOUserVersion;

/* VFIOUserDMAMap.flags */
#define VFIO_USER_DMA_READABLE (1U << 0)
#define VFIO_USER_DMA_WRITEABLE (1U << 1)

/* With a descriptor: memory to be mapped. Without: DMA_READ and DMA_WRITE. */
typedef struct VFIOUserDMAMap {
    uint32_t argsz;
    uint32_t flags;
    uint64_t offset;                      /* in the descriptor's file */
    uint64_t address;
    uint64_t size;
} QEMU_PACKED VFIOUserDMAMap;

/* Exactly what one DMA_MAP was given; also the reply. */
typedef struct VFIOUserDMAUnmap {
    uint32_t argsz;
    uint32_t flags;
    uint64_t address;
    uint64_t size;
} QEMU_PACKED VFIOUserDMAUnmap;

/* DEVICE_GET_INFO and its reply. */
typedef struct VFIOUserDeviceInfo {
    uint32_t argsz;
    uint32_t flags;                       /* VFIO_DEVICE_FLAGS_* */
    uint32_t num_regions;
    uint32_t num_irqs;
} QEMU_PACKED VFIOUserDeviceInfo;

/* REGION_READ, REGION_WRITE and their replies. */
typedef struct VFIOUserRegionAccess {
    uint64_t offset;
    uint32_t region;
    uint32_t count;
    uint8_t data[];                       /* of WRITE, of the reply to READ */
} QEMU_PACKED VFIOUserRegionAccess;

/* DMA_READ, DMA_WRITE and their replies. */
typedef struct VFIOUserDMAAccess {
    uint64_t address;
    uint64_t count;
    uint8_t data[];                       /* as above */
} QEMU_PACKED VFIOUserDMAAccess;

/* --- limits of ours, which a peer is told --- */

#define VFIO_USER_MAX_FDS 32              /* descriptors in one message */
#define VFIO_USER_MAX_XFER (1 * MiB)      /* data in one message */
#define VFIO_USER_MAX_MESSAGE \
    (sizeof(VFIOUserHeader) + sizeof(VFIOUserRegionAccess) + VFIO_USER_MAX_XFER)
#define VFIO_USER_MAX_VERSION 4096        /* payload of VERSION */
#define VFIO_USER_MAX_IRQS 4096           /* interrupts in one SET_IRQS */

/* --- messages --- */

/* One that has been received. Owns its payload and descriptors. */
typedef struct VFIOUserMessage {
    VFIOUserHeader header;
    uint8_t *payload;
    uint32_t payload_size;
    int verdict;                          /* of vfio_user_message_check() */
    unsigned nr_fds;
    int fds[VFIO_USER_MAX_FDS];           /* -1: stolen */
} VFIOUserMessage;

/* What is to be sent after a header. Everything stays the caller's. */
typedef struct VFIOUserBody {
    const void *head;
    size_t head_size;
    const void *data;                     /* follows head */
    size_t data_size;
    const int *fds;
    unsigned nr_fds;
} VFIOUserBody;

/* "DMA_MAP", or "command N". The result is static, or of @buf (16 bytes). */
const char *vfio_user_command_name(uint16_t command, char *buf);
static inline bool vfio_user_is_reply(const VFIOUserHeader *header)
{
    return (header->flags & VFIO_USER_TYPE_MASK) == VFIO_USER_TYPE_REPLY;
}
/* 0 if the reply says success, else -errno. */
int vfio_user_reply_errno(const VFIOUserHeader *header);

/* Whether a message can follow: its size, its type. false: the stream is of no
 * use any more. */
bool vfio_user_header_check(const VFIOUserHeader *header, Error **errp);
/*
 * Whether sizes, counts, flags and the number of descriptors fit the command.
 * 0; -ENOTSUP: no such command; -EINVAL: nonsense. *errp says what is wrong.
 * What a reply says must still be compared with what was asked.
 */
int vfio_user_message_check(const VFIOUserMessage *msg, Error **errp);
/* Descriptor @n, which becomes the caller's; -1: there is none. */
int vfio_user_message_steal_fd(VFIOUserMessage *msg, unsigned n);
/* Frees payload and descriptors; @msg may be used again. */
void vfio_user_message_clear(VFIOUserMessage *msg);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(VFIOUserMessage, vfio_user_message_clear)

/* --- versions and capabilities: user-version.c --- */

typedef struct VFIOUserCaps {
    uint64_t max_msg_fds;                 /* that the peer can receive */
    uint64_t max_data_xfer_size;          /* the same, in bytes of data */
    uint64_t max_dma_maps;                /* at the same time */
    uint64_t pgsizes;                     /* bit n: pages of 2^n */
} VFIOUserCaps;

/* Ours. */
extern const VFIOUserCaps vfio_user_our_caps;

/* The payload of VERSION or its reply; *size is set; g_free(). */
VFIOUserVersion *vfio_user_version_new(const VFIOUserCaps *caps, size_t *size);
/* Reads the accepted message @msg: the peer's capabilities, with the
 * protocol's defaults for what it does not say. false: *errp. */
bool vfio_user_version_parse(const VFIOUserMessage *msg, VFIOUserCaps *caps,
                             Error **errp);

#endif
