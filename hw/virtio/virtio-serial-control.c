/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtio-serial's control queues (VIRTIO 1.2, 5.3.6.2). What the driver is to be
 * told of a port is kept as bits, not as messages: a driver that takes none makes
 * nothing grow, and one that takes some hears how things are by then.
 */
#include "qemu/osdep.h"

#include "qemu/iov.h"
#include "qemu/log.h"
#include "virtio-serial.h"

/* Messages that are served before others have their turn. */
#define CONTROL_BURST 64
/* Longer names are cut for the driver; it has buffers of a page. */
#define NAME_MAX_LEN 256

/* --- to the driver -------------------------------------------------------- */

/* Into @buf, with what follows the header; its size. */
static size_t make_message(const VirtIOSerialSlot *slot, uint32_t nr,
                           VirtIOSerialNews news, uint8_t *buf)
{
    static const uint16_t events[] = {
        [VIRTIO_SERIAL_NEWS_REMOVE] = VIRTIO_CONSOLE_PORT_REMOVE,
        [VIRTIO_SERIAL_NEWS_ADD] = VIRTIO_CONSOLE_PORT_ADD,
        [VIRTIO_SERIAL_NEWS_CONSOLE] = VIRTIO_CONSOLE_CONSOLE_PORT,
        [VIRTIO_SERIAL_NEWS_NAME] = VIRTIO_CONSOLE_PORT_NAME,
        [VIRTIO_SERIAL_NEWS_OPEN] = VIRTIO_CONSOLE_PORT_OPEN,
    };
    bool value = news != VIRTIO_SERIAL_NEWS_OPEN || slot->port->host_open;
    struct virtio_console_control header = {
        .id = GUINT32_TO_LE(nr),
        .event = GUINT16_TO_LE(events[news]),
        .value = GUINT16_TO_LE(value),
    };
    size_t len = news == VIRTIO_SERIAL_NEWS_NAME
                     ? MIN(strlen(slot->port->name), NAME_MAX_LEN) + 1 : 0;

    memcpy(buf, &header, sizeof(header));
    if (len) {
        g_strlcpy((char *)buf + sizeof(header), slot->port->name, len);
    }
    return sizeof(header) + len;
}

/* False: the driver has no room for it. */
static bool send_message(VirtIOSerial *serial, unsigned nr,
                         VirtIOSerialNews news)
{
    uint8_t buf[sizeof(struct virtio_console_control) + NAME_MAX_LEN + 1];
    VirtQueueElement *elem = virtqueue_pop(serial->control_to_guest,
                                           sizeof(*elem));
    size_t size;

    if (!elem) {
        return false;
    }
    size = make_message(&serial->slots[nr], nr, news, buf);
    size = iov_from_buf(elem->in_sg, elem->in_num, 0, buf, size);
    virtqueue_fill(serial->control_to_guest, elem, size, 0);
    virtqueue_free_element(serial->control_to_guest, elem);
    virtqueue_flush(serial->control_to_guest, 1);
    return true;
}

static bool send_news_of(VirtIOSerial *serial, unsigned nr)
{
    VirtIOSerialSlot *slot = &serial->slots[nr];

    for (unsigned news = 0; news < VIRTIO_SERIAL_NEWS__MAX; news++) {
        if (!(slot->news & 1 << news)) {
            continue;
        }
        if (!send_message(serial, nr, news)) {
            return false;
        }
        slot->news &= ~(1 << news);
        if (news <= VIRTIO_SERIAL_NEWS_ADD) {
            slot->known = news == VIRTIO_SERIAL_NEWS_ADD;
        }
    }
    return true;
}

static void send_news(VirtIOSerial *serial)
{
    VirtIODevice *vdev = VIRTIO_DEVICE(serial);

    if (!serial->driver_listens || !virtio_device_ready(vdev)) {
        return;
    }
    if (!virtio_device_may_run(vdev)) {
        virtio_queue_kick_later(serial->control_to_guest);
        return;
    }
    for (unsigned nr = 0; nr < serial->max_ports; nr++) {
        if (!send_news_of(serial, nr)) {
            break;
        }
    }
    virtio_notify(vdev, serial->control_to_guest);
}

static void add_news(VirtIOSerialPort *port, VirtIOSerialNews news)
{
    port->serial->slots[port->nr].news |= 1 << news;
}

void virtio_serial_port_added(VirtIOSerialPort *port)
{
    add_news(port, VIRTIO_SERIAL_NEWS_ADD);
    send_news(port->serial);
}

/* One that the driver has not heard of has not been there. */
void virtio_serial_port_removed(VirtIOSerialPort *port)
{
    VirtIOSerial *serial = port->serial;
    VirtIOSerialSlot *slot = &serial->slots[port->nr];

    slot->news = slot->known ? 1 << VIRTIO_SERIAL_NEWS_REMOVE : 0;
    slot->port = NULL;
    send_news(serial);
}

void virtio_serial_port_opened(VirtIOSerialPort *port)
{
    if (port->serial->slots[port->nr].known) {
        add_news(port, VIRTIO_SERIAL_NEWS_OPEN);
        send_news(port->serial);
    }
}

void virtio_serial_handle_control_room(VirtIODevice *vdev, VirtQueue *vq)
{
    send_news(VIRTIO_SERIAL(vdev));
}

void virtio_serial_control_reset(VirtIOSerial *serial)
{
    serial->driver_listens = false;
    for (unsigned nr = 0; nr < serial->max_ports; nr++) {
        VirtIOSerialSlot *slot = &serial->slots[nr];

        slot->known = false;
        slot->news = slot->port ? 1 << VIRTIO_SERIAL_NEWS_ADD : 0;
    }
}

/* --- from the driver ------------------------------------------------------ */

static void driver_is_ready(VirtIOSerial *serial)
{
    virtio_serial_control_reset(serial);
    serial->driver_listens = true;
    send_news(serial);
}

static void port_is_ready(VirtIOSerialPort *port)
{
    if (VIRTIO_SERIAL_PORT_GET_CLASS(port)->is_console) {
        add_news(port, VIRTIO_SERIAL_NEWS_CONSOLE);
    }
    if (port->name) {
        add_news(port, VIRTIO_SERIAL_NEWS_NAME);
    }
    if (port->host_open) {
        add_news(port, VIRTIO_SERIAL_NEWS_OPEN);
    }
    send_news(port->serial);
}

static void obey(VirtIOSerial *serial, uint32_t nr, uint16_t event,
                 uint16_t value)
{
    VirtIOSerialPort *port = nr < serial->max_ports ? serial->slots[nr].port
                                                    : NULL;

    if (event == VIRTIO_CONSOLE_DEVICE_READY && value) {
        driver_is_ready(serial);
    } else if (!port || (event != VIRTIO_CONSOLE_PORT_READY &&
                         event != VIRTIO_CONSOLE_PORT_OPEN)) {
        qemu_log_mask(LOG_GUEST_ERROR, "guest error: virtio-serial: message %u "
                      "of port %u\n", event, nr);
    } else if (event == VIRTIO_CONSOLE_PORT_OPEN) {
        virtio_serial_port_set_guest_open(port, value);
    } else if (value) {
        port_is_ready(port);
    }
}

void virtio_serial_handle_control(VirtIODevice *vdev, VirtQueue *vq)
{
    VirtIOSerial *serial = VIRTIO_SERIAL(vdev);
    VirtQueueElement *elem;
    unsigned done = 0;

    while (done < CONTROL_BURST && (elem = virtqueue_pop(vq, sizeof(*elem)))) {
        struct virtio_console_control m = { };
        size_t size = iov_to_buf(elem->out_sg, elem->out_num, 0, &m, sizeof(m));

        virtqueue_fill(vq, elem, 0, done++);
        virtqueue_free_element(vq, elem);
        if (size == sizeof(m) && virtio_serial_is_multiport(serial)) {
            obey(serial, GUINT32_FROM_LE(m.id), GUINT16_FROM_LE(m.event),
                 GUINT16_FROM_LE(m.value));
        }
    }
    if (done) {
        virtqueue_flush(vq, done);
        virtio_notify(vdev, vq);
    }
    if (done == CONTROL_BURST) {
        virtio_queue_kick_later(vq);
    }
}
