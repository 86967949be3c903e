/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtconsole and virtserialport: bytes between the queues of a port of
 * virtio-serial and a character device (virtio-serial.h).
 *
 * A channel is open on the host's side while its character device has a peer, on
 * the guest's while somebody there has opened it. What the guest writes to one
 * that is closed on the host's side is lost; what the host writes to one that is
 * closed on the guest's waits in the character device.
 */
#include "qemu/osdep.h"

#include "hw/qdev-properties-system.h"
#include "qapi/client-event.h"
#include "qapi/error.h"
#include "qemu/iov.h"
#include "virtio-serial.h"

/* Elements that are served before others have their turn. */
#define BURST 64

/* --- to the guest --------------------------------------------------------- */

/* Of the driver's next buffer; 0: there is none now. */
static size_t room_of_next(VirtQueue *vq)
{
    VirtQueueElement *elem = virtqueue_pop(vq, sizeof(*elem));
    size_t size = elem ? iov_size(elem->in_sg, elem->in_num) : 0;

    if (elem) {
        virtqueue_unpop(vq, elem, 0);
        virtqueue_free_element(vq, elem);
    }
    return size;
}

/* 0 stands until qemu_chr_fe_accept_input(): when the driver has opened the port or
 * given it buffers, and when the VM runs again. */
static int port_can_read(void *opaque)
{
    VirtIOSerialPort *port = opaque;
    VirtIODevice *vdev = VIRTIO_DEVICE(port->serial);

    return port->guest_open && virtio_device_may_run(vdev)
               ? MIN(room_of_next(port->to_guest), INT_MAX) : 0;
}

static void port_read(void *opaque, const uint8_t *buf, int size)
{
    VirtIOSerialPort *port = opaque;
    VirtQueue *vq = port->to_guest;
    VirtQueueElement *elem;
    size_t done = 0;
    unsigned n = 0;

    while (done < (size_t)size && (elem = virtqueue_pop(vq, sizeof(*elem)))) {
        size_t part = iov_from_buf(elem->in_sg, elem->in_num, 0, buf + done,
                                   size - done);

        virtqueue_fill(vq, elem, part, n++);
        virtqueue_free_element(vq, elem);
        done += part;
    }
    if (n) {
        virtqueue_flush(vq, n);
        virtio_notify(VIRTIO_DEVICE(port->serial), vq);
    }
}

void virtio_serial_handle_to_guest(VirtIODevice *vdev, VirtQueue *vq)
{
    VirtIOSerialPort *port = virtio_serial_port_of(VIRTIO_SERIAL(vdev), vq);

    if (port) {
        qemu_chr_fe_accept_input(&port->chr);
    }
}

/* --- from the guest ------------------------------------------------------- */

static void can_write(void *opaque)
{
    VirtIOSerialPort *port = opaque;

    virtio_queue_kick_later(port->from_guest);
}

/* Writes what is left of @elem; false: the character device takes no more now. */
static bool write_element(VirtIOSerialPort *port, const VirtQueueElement *elem)
{
    size_t at = 0;

    for (unsigned i = 0; i < elem->out_num; i++) {
        const struct iovec *sg = &elem->out_sg[i];

        while (port->nr_written < at + sg->iov_len) {
            size_t skip = port->nr_written - at;
            int n = qemu_chr_fe_write(&port->chr,
                                      (uint8_t *)sg->iov_base + skip,
                                      MIN(sg->iov_len - skip, INT_MAX));

            if (n <= 0) {
                return n < 0 && errno != EAGAIN;
            }
            port->nr_written += n;
        }
        at += sg->iov_len;
    }
    return true;
}

/* Writes, or throws away, what the driver has sent. False: the rest waits until
 * the character device takes it. */
static bool handle_element(VirtIOSerialPort *port, VirtQueue *vq,
                           VirtQueueElement *elem)
{
    if (port && port->host_open && !write_element(port, elem) &&
        qemu_chr_fe_await_room(&port->chr, can_write)) {
        return false;
    }
    if (port) {
        port->nr_written = 0;
    }
    return true;
}

void virtio_serial_handle_from_guest(VirtIODevice *vdev, VirtQueue *vq)
{
    VirtIOSerialPort *port = virtio_serial_port_of(VIRTIO_SERIAL(vdev), vq);
    VirtQueueElement *elem;
    unsigned done = 0;

    if (port && qemu_chr_fe_awaits_room(&port->chr)) {
        return;
    }
    while (done < BURST && (elem = virtqueue_pop(vq, sizeof(*elem)))) {
        bool all = handle_element(port, vq, elem);

        if (all) {
            virtqueue_fill(vq, elem, 0, done++);
        } else {
            virtqueue_unpop(vq, elem, 0);
        }
        virtqueue_free_element(vq, elem);
        if (!all) {
            break;
        }
    }
    if (done) {
        virtqueue_flush(vq, done);
        virtio_notify(vdev, vq);
    }
    if (done == BURST) {
        virtio_queue_kick_later(vq);
    }
}

/* --- open and closed ------------------------------------------------------ */

static gboolean peer_has_gone(void *do_not_use, GIOCondition cond, void *opaque)
{
    VirtIOSerialPort *port = opaque;

    port->hang_up_watch = 0;
    qemu_chr_fe_disconnect(&port->chr);
    return G_SOURCE_REMOVE;
}

static void stop_watching_for_hang_up(VirtIOSerialPort *port)
{
    if (port->hang_up_watch) {
        g_source_remove(port->hang_up_watch);
        port->hang_up_watch = 0;
    }
}

/* That a peer has gone is seen when it is read; while nobody in the guest reads,
 * it is looked for. What that peer has written is lost. */
static void update_hang_up_watch(VirtIOSerialPort *port)
{
    bool console = VIRTIO_SERIAL_PORT_GET_CLASS(port)->is_console;
    bool wanted = port->host_open && !port->guest_open && !console;

    if (!wanted) {
        stop_watching_for_hang_up(port);
    } else if (!port->hang_up_watch && wanted) {
        port->hang_up_watch = qemu_chr_fe_add_watch(&port->chr, G_IO_HUP,
                                                    peer_has_gone, port);
    }
}

static JsonObject *event_data(void *source)
{
    VirtIOSerialPort *port = source;
    JsonObject *data = json_object_new();

    json_object_set_string_member(data, "id", DEVICE(port)->id);
    json_object_set_boolean_member(data, "open", port->said_open);
    return data;
}

/* Tells the outside whether the port is open. For the main loop. */
static void say_open(void *opaque)
{
    VirtIOSerialPort *port = opaque;
    VirtIODevice *vdev = VIRTIO_DEVICE(port->serial);

    qemu_bh_cancel(port->rest_bh);
    virtio_pause(vdev);
    if (port->said_open != port->guest_open) {
        port->said_open = port->guest_open;
        update_hang_up_watch(port);
        qemu_chr_fe_set_open(&port->chr, port->said_open);
        if (DEVICE(port)->id) {
            qapi_event_emit_thinned("VSERPORT_CHANGE", event_data, port);
        }
    }
    virtio_resume(vdev);
}

void virtio_serial_port_set_guest_open(VirtIOSerialPort *port, bool open)
{
    if (port->guest_open == open) {
        return;
    }
    port->guest_open = open;
    if (open) {
        qemu_chr_fe_accept_input(&port->chr);
    }
    if (aio_in_turn()) {
        qemu_bh_schedule(port->rest_bh);
    } else {
        say_open(port);
    }
}

static void port_event(void *opaque, QEMUChrEvent event)
{
    VirtIOSerialPort *port = opaque;

    if (event != CHR_EVENT_OPENED && event != CHR_EVENT_CLOSED) {
        return;
    }
    qemu_chr_fe_cancel_room(&port->chr);
    port->host_open = event == CHR_EVENT_OPENED;
    update_hang_up_watch(port);
    virtio_serial_port_opened(port);
    virtio_queue_kick_later(port->from_guest);
}

void virtio_serial_port_reset(VirtIOSerialPort *port)
{
    qemu_chr_fe_cancel_room(&port->chr);
    port->nr_written = 0;
    virtio_serial_port_set_guest_open(port, false);
}

/* --- devices -------------------------------------------------------------- */

static int port_be_change(void *opaque);

static void use_chardev(VirtIOSerialPort *port)
{
    bool console = VIRTIO_SERIAL_PORT_GET_CLASS(port)->is_console;

    qemu_chr_fe_set_handlers(&port->chr, port_can_read, port_read,
                             console ? NULL : port_event, port_be_change, port,
                             NULL, true);
}

/* What the guest has sent and nobody has taken goes to the new one. */
static int port_be_change(void *opaque)
{
    VirtIOSerialPort *port = opaque;

    qemu_chr_fe_cancel_room(&port->chr);
    stop_watching_for_hang_up(port);
    use_chardev(port);
    update_hang_up_watch(port);
    virtio_queue_kick_later(port->from_guest);
    return 0;
}

/* The device's I/O thread is to have the character device, too. */
static bool share_iothread(VirtIOSerialPort *port, VirtIODevice *vdev,
                           Error **errp)
{
    ERRP_GUARD();

    if (!qemu_chr_fe_set_aio_context(&port->chr, vdev->aio_context, errp)) {
        error_prepend(errp, "iothread=%s of the bus's device: ",
                      object_get_canonical_path_component(
                          OBJECT(vdev->iothread)));
        return false;
    }
    return true;
}

/* A console takes what the guest writes whoever listens. */
static void add_port(VirtIOSerialPort *port, VirtIOSerial *serial, Error **errp)
{
    if (!share_iothread(port, VIRTIO_DEVICE(serial), errp)) {
        return;
    }
    port->rest_bh = qemu_bh_new(say_open, port);
    if (!virtio_serial_add_port(serial, port, errp)) {
        qemu_chr_fe_set_aio_context(&port->chr, NULL, &error_abort);
        g_clear_pointer(&port->rest_bh, qemu_bh_delete);
        return;
    }
    port->host_open = VIRTIO_SERIAL_PORT_GET_CLASS(port)->is_console;
    qemu_chr_fe_set_open(&port->chr, port->said_open);
    use_chardev(port);
    virtio_serial_port_added(port);
}

static void port_realize(DeviceState *dev, Error **errp)
{
    VirtIOSerial *serial = VIRTIO_SERIAL(dev->parent_bus->parent);

    virtio_pause(VIRTIO_DEVICE(serial));
    add_port(VIRTIO_SERIAL_PORT(dev), serial, errp);
    virtio_resume(VIRTIO_DEVICE(serial));
}

static void port_unrealize(DeviceState *dev)
{
    VirtIOSerialPort *port = VIRTIO_SERIAL_PORT(dev);
    VirtIODevice *vdev = VIRTIO_DEVICE(port->serial);

    virtio_pause(vdev);
    virtio_serial_port_reset(port);
    port->host_open = false;
    update_hang_up_watch(port);
    qapi_event_forget_source(port);
    qemu_chr_fe_set_handlers(&port->chr, NULL, NULL, NULL, NULL, NULL, NULL,
                             false);
    qemu_chr_fe_set_open(&port->chr, true);
    qemu_chr_fe_set_aio_context(&port->chr, NULL, &error_abort);
    g_clear_pointer(&port->rest_bh, qemu_bh_delete);
    virtio_serial_port_removed(port);
    virtio_resume(vdev);
}

static const Property port_properties[] = {
    DEFINE_PROP_UINT32("nr", VirtIOSerialPort, nr, UINT32_MAX),
    DEFINE_PROP_STRING("name", VirtIOSerialPort, name),
    DEFINE_PROP_CHR("chardev", VirtIOSerialPort, chr),
    DEFINE_PROP_END_OF_LIST(),
};

static void port_class_init(ObjectClass *klass, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->bus_type = TYPE_VIRTIO_SERIAL_BUS;
    dc->realize = port_realize;
    dc->unrealize = port_unrealize;
    device_class_set_props(dc, port_properties);
    set_bit(DEVICE_CATEGORY_INPUT, dc->categories);
}

static void channel_class_init(ObjectClass *klass, void *data)
{
    DEVICE_CLASS(klass)->desc = "a channel of virtio-serial";
}

static void console_class_init(ObjectClass *klass, void *data)
{
    DEVICE_CLASS(klass)->desc = "a console of virtio-serial";
    VIRTIO_SERIAL_PORT_CLASS(klass)->is_console = true;
}

static const TypeInfo port_types[] = {
    {
        .name = TYPE_VIRTIO_SERIAL_PORT,
        .parent = TYPE_DEVICE,
        .abstract = true,
        .instance_size = sizeof(VirtIOSerialPort),
        .class_size = sizeof(VirtIOSerialPortClass),
        .class_init = port_class_init,
    }, {
        .name = "virtserialport",
        .parent = TYPE_VIRTIO_SERIAL_PORT,
        .class_init = channel_class_init,
    }, {
        .name = "virtconsole",
        .parent = TYPE_VIRTIO_SERIAL_PORT,
        .class_init = console_class_init,
    },
};
DEFINE_TYPES(port_types)
