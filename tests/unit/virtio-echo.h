/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A virtio device for tests: writes into each request's buffers what it read
 * from them. And a transport without any hardware, which counts interrupts.
 */
#ifndef TESTS_UNIT_VIRTIO_ECHO_H
#define TESTS_UNIT_VIRTIO_ECHO_H

#include "hw/virtio/virtio-bus.h"

#define ECHO_QUEUES 2
#define ECHO_QUEUE_SIZE 64
#define ECHO_DEVICE_ID 42
#define ECHO_F_LOUD 3                     /* a feature bit of the device */
#define ECHO_CONFIG_SIZE 16

#define TYPE_VIRTIO_ECHO "test-virtio-echo"
OBJECT_DECLARE_SIMPLE_TYPE(VirtIOEcho, VIRTIO_ECHO)

struct VirtIOEcho {
    VirtIODevice parent_obj;

    uint8_t config[ECHO_CONFIG_SIZE];     /* the last 4 bytes are writable */
    bool idle;                            /* leave requests in the queue */
    bool refuse_features;
    bool fail_realize;

    unsigned kicks;
    unsigned handled;
    unsigned out_segs, in_segs;           /* of the last request */
    unsigned resets;
    uint64_t features;                    /* as set_features was told */
};

#define TYPE_TEST_TRANSPORT "test-virtio-transport"
OBJECT_DECLARE_SIMPLE_TYPE(TestTransport, TEST_TRANSPORT)

struct TestTransport {
    DeviceState parent_obj;

    VirtioBusState bus;
    VirtIOEcho echo;
    unsigned queue_irqs;
    unsigned config_irqs;
};

/* An echo device on a transport, the VM running; and its end. */
TestTransport *test_transport_new(void);
void test_transport_free(TestTransport *t);

/* The driver's part up to FEATURES_OK; whether that stuck. */
bool test_negotiate(VirtIODevice *vdev, uint64_t features);

#endif
