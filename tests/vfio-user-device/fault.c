/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the test device does wrong when it is told to (registers.h): refusals,
 * and answers that no sane server gives. The answers are written past
 * user-socket.c, which could not be brought to send them.
 */
#include "qemu/osdep.h"

#include <sys/socket.h>

#include "testdev.h"

void testdev_fault_arm(TestDev *dev, unsigned kind, uint32_t after,
                       uint32_t arg)
{
    if (kind && kind < TESTDEV_NR_FAULTS) {
        dev->faults[kind] = (TestDevFault) { true, after, arg };
    }
}

bool testdev_fault_strikes(TestDev *dev, unsigned kind)
{
    TestDevFault *fault = &dev->faults[kind];

    if (!fault->armed) {
        return false;
    }
    if (fault->after) {
        fault->after--;
        return false;
    }
    fault->armed = kind != TESTDEV_FAULT_REFUSE_MAP &&
                   kind != TESTDEV_FAULT_REFUSE_UNMAP;
    return true;
}

/* Whether it arrives does not matter. */
static void send_raw(TestDev *dev, const void *data, size_t size)
{
    ssize_t n = send(vfio_user_socket_fd(dev->socket), data, size,
                     MSG_NOSIGNAL | MSG_DONTWAIT);

    (void)n;
}

static void send_random(TestDev *dev, VFIOUserHeader header)
{
    struct {
        VFIOUserHeader header;
        uint8_t payload[512];
    } msg = { .header = header };

    for (size_t i = 0; i < sizeof(msg.payload); i++) {
        msg.payload[i] = g_rand_int(dev->rand);
    }
    msg.header.size = sizeof(msg);
    send_raw(dev, &msg, sizeof(msg));
}

void testdev_fault_garbage(TestDev *dev, const VFIOUserMessage *msg)
{
    VFIOUserHeader header = {
        .id = msg->header.id,
        .command = msg->header.command,
        .size = sizeof(header),
        .flags = VFIO_USER_TYPE_REPLY | VFIO_USER_ERROR,
        .error = EIO,
    };
    uint8_t bytes[sizeof(header) + 1];
    size_t size = sizeof(header);

    switch (dev->faults[TESTDEV_FAULT_GARBAGE].arg) {
    case TESTDEV_GARBAGE_OVERSIZED:
        header.size = UINT32_MAX;
        break;
    case TESTDEV_GARBAGE_UNDERSIZED:
        header.size = sizeof(header) - 1;
        break;
    case TESTDEV_GARBAGE_ID:
        header.id++;
        break;
    case TESTDEV_GARBAGE_COMMAND:
        header.command = header.command == VFIO_USER_DEVICE_RESET
                         ? VFIO_USER_DMA_MAP : VFIO_USER_DEVICE_RESET;
        break;
    case TESTDEV_GARBAGE_TYPE:
        header.flags = 7;
        break;
    case TESTDEV_GARBAGE_SHORT:
        header.flags = VFIO_USER_TYPE_REPLY;
        header.size = size = sizeof(bytes);
        break;
    case TESTDEV_GARBAGE_RANDOM:
        header.flags = VFIO_USER_TYPE_REPLY;
        send_random(dev, header);
        return;
    case TESTDEV_GARBAGE_HALF:
        size = sizeof(header) / 2;
        break;
    case TESTDEV_GARBAGE_TWICE:
        send_raw(dev, &header, size);
        break;
    default:
        memset(&header, 0xa5, sizeof(header));
    }
    memcpy(bytes, &header, sizeof(header));
    bytes[sizeof(header)] = 0;
    send_raw(dev, bytes, size);
}
