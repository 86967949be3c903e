/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "qemu/osdep.h"

#include "qapi/error.h"
#include "qemu/iov.h"
#include "sysemu/runstate.h"
#include "virtio-echo.h"

#define TYPE_TEST_BUS "test-virtio-bus"

/* --- the device --- */

/* Bytes written. */
static unsigned echo_one(VirtIOEcho *e, const VirtQueueElement *elem)
{
    size_t room = iov_size(elem->in_sg, elem->in_num);
    g_autofree uint8_t *buf = g_malloc(room);
    size_t len = iov_to_buf(elem->out_sg, elem->out_num, 0, buf, room);

    e->out_segs = elem->out_num;
    e->in_segs = elem->in_num;
    e->handled++;
    return iov_from_buf(elem->in_sg, elem->in_num, 0, buf, len);
}

static void echo_handle(VirtIODevice *vdev, VirtQueue *vq)
{
    VirtIOEcho *e = VIRTIO_ECHO(vdev);
    VirtQueueElement *elem;
    unsigned n = 0;

    e->kicks++;
    while (!e->idle && (elem = virtqueue_pop(vq, sizeof(*elem)))) {
        virtqueue_fill(vq, elem, echo_one(e, elem), n++);
        virtqueue_free_element(vq, elem);
    }
    if (n) {
        virtqueue_flush(vq, n);
        virtio_notify(vdev, vq);
    }
}

static uint64_t echo_get_features(VirtIODevice *vdev, uint64_t features,
                                  Error **errp)
{
    return features | 1ULL << ECHO_F_LOUD;
}

static void echo_set_features(VirtIODevice *vdev, uint64_t val)
{
    VIRTIO_ECHO(vdev)->features = val;
}

static int echo_validate_features(VirtIODevice *vdev)
{
    return VIRTIO_ECHO(vdev)->refuse_features ? -EINVAL : 0;
}

static void echo_get_config(VirtIODevice *vdev, uint8_t *config)
{
    memcpy(config, VIRTIO_ECHO(vdev)->config, ECHO_CONFIG_SIZE);
}

static void echo_set_config(VirtIODevice *vdev, const uint8_t *config)
{
    memcpy(VIRTIO_ECHO(vdev)->config + 12, config + 12, 4);
}

static void echo_reset(VirtIODevice *vdev)
{
    VIRTIO_ECHO(vdev)->resets++;
}

static void echo_realize(DeviceState *dev, Error **errp)
{
    VirtIODevice *vdev = VIRTIO_DEVICE(dev);

    if (VIRTIO_ECHO(dev)->fail_realize) {
        error_setg(errp, "told to fail");
        return;
    }
    virtio_init(vdev, "echo", ECHO_DEVICE_ID, ECHO_CONFIG_SIZE);
    for (int i = 0; i < ECHO_QUEUES; i++) {
        virtio_add_queue(vdev, ECHO_QUEUE_SIZE, echo_handle);
    }
}

static void echo_unrealize(DeviceState *dev)
{
    VirtIODevice *vdev = VIRTIO_DEVICE(dev);

    for (int i = ECHO_QUEUES - 1; i >= 0; i--) {
        virtio_delete_queue(virtio_get_queue(vdev, i));
    }
    virtio_cleanup(vdev);
}

static void echo_class_init(ObjectClass *klass, void *data)
{
    VirtioDeviceClass *vdc = VIRTIO_DEVICE_CLASS(klass);

    vdc->realize = echo_realize;
    vdc->unrealize = echo_unrealize;
    vdc->get_features = echo_get_features;
    vdc->set_features = echo_set_features;
    vdc->validate_features = echo_validate_features;
    vdc->get_config = echo_get_config;
    vdc->set_config = echo_set_config;
    vdc->reset = echo_reset;
}

/* --- the transport --- */

static void test_bus_notify(DeviceState *d, uint16_t vector)
{
    TestTransport *t = TEST_TRANSPORT(d);
    VirtIODevice *vdev = VIRTIO_DEVICE(&t->echo);

    t->queue_irqs += vdev->isr & VIRTIO_ISR_QUEUE ? 1 : 0;
    t->config_irqs += vdev->isr & VIRTIO_ISR_CONFIG ? 1 : 0;
    vdev->isr = 0;
}

static void test_bus_device_plugged(DeviceState *d, Error **errp)
{
}

static void test_bus_class_init(ObjectClass *klass, void *data)
{
    VirtioBusClass *k = VIRTIO_BUS_CLASS(klass);

    k->notify = test_bus_notify;
    k->device_plugged = test_bus_device_plugged;
}

static void test_transport_init(Object *obj)
{
    TestTransport *t = TEST_TRANSPORT(obj);

    qbus_create_inplace(&t->bus, sizeof(t->bus), TYPE_TEST_BUS, DEVICE(obj),
                        "virtio-bus");
    object_initialize_child(obj, "virtio-backend", &t->echo, TYPE_VIRTIO_ECHO);
}

static const TypeInfo virtio_echo_types[] = {
    {
        .name = TYPE_VIRTIO_ECHO,
        .parent = TYPE_VIRTIO_DEVICE,
        .instance_size = sizeof(VirtIOEcho),
        .class_init = echo_class_init,
    }, {
        .name = TYPE_TEST_BUS,
        .parent = TYPE_VIRTIO_BUS,
        .class_init = test_bus_class_init,
    }, {
        .name = TYPE_TEST_TRANSPORT,
        .parent = TYPE_DEVICE,
        .instance_size = sizeof(TestTransport),
        .instance_init = test_transport_init,
    },
};
DEFINE_TYPES(virtio_echo_types)

TestTransport *test_transport_new(void)
{
    TestTransport *t = TEST_TRANSPORT(qdev_new(TYPE_TEST_TRANSPORT));

    qdev_realize(DEVICE(t), NULL, &error_abort);
    qdev_realize(DEVICE(&t->echo), BUS(&t->bus), &error_abort);
    object_unref(t);
    vm_state_notify(1, RUN_STATE_RUNNING);
    return t;
}

void test_transport_free(TestTransport *t)
{
    object_unparent(OBJECT(t));
}

bool test_negotiate(VirtIODevice *vdev, uint64_t features)
{
    virtio_set_status(vdev, 0);
    virtio_set_status(vdev, VIRTIO_CONFIG_S_ACKNOWLEDGE);
    virtio_set_status(vdev, vdev->status | VIRTIO_CONFIG_S_DRIVER);
    virtio_set_features_word(vdev, 0, features);
    virtio_set_features_word(vdev, 1, features >> 32);
    virtio_set_status(vdev, vdev->status | VIRTIO_CONFIG_S_FEATURES_OK);
    return vdev->status & VIRTIO_CONFIG_S_FEATURES_OK;
}
