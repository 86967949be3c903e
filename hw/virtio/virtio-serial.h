/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtio-serial (VIRTIO 1.2, 5.3): streams of bytes between the guest and
 * character devices. The device has a bus, of which each device is a port:
 * virtconsole, a console, or virtserialport, a channel that has a name.
 *
 * virtio-serial.c has the device, virtio-serial-control.c tells the driver of
 * ports and hears of them, virtio-serial-port.c moves bytes.
 *
 * Nothing is kept in between: what the guest has no room for stays in the
 * character device, what that has no room for stays in the guest's ring, and
 * none of the guest's memory is held on to meanwhile.
 *
 * Big lock held; but with iothread=, all queues and what character devices read and
 * write are of turns of that thread, and all else pauses it.
 */
#ifndef HW_VIRTIO_VIRTIO_SERIAL_H
#define HW_VIRTIO_VIRTIO_SERIAL_H

#include <linux/virtio_console.h>

#include "chardev/char-fe.h"
#include "hw/virtio/virtio.h"

#define TYPE_VIRTIO_SERIAL "virtio-serial-device"
OBJECT_DECLARE_SIMPLE_TYPE(VirtIOSerial, VIRTIO_SERIAL)

#define TYPE_VIRTIO_SERIAL_BUS "virtio-serial-bus"

#define TYPE_VIRTIO_SERIAL_PORT "virtio-serial-port"
OBJECT_DECLARE_TYPE(VirtIOSerialPort, VirtIOSerialPortClass, VIRTIO_SERIAL_PORT)

/* Each has two queues, and so has what is said of them. */
#define VIRTIO_SERIAL_MAX_PORTS (VIRTIO_QUEUE_MAX / 2 - 1)

struct VirtIOSerialPortClass {
    DeviceClass parent_class;
    bool is_console;
};

struct VirtIOSerialPort {
    DeviceState parent_obj;

    /* Properties. */
    uint32_t nr;                          /* UINT32_MAX: the next free one */
    char *name;                           /* NULL: none */
    CharBackend chr;

    VirtIOSerial *serial;
    VirtQueue *to_guest, *from_guest;
    bool guest_open;                      /* somebody in the guest uses it */
    bool said_open;                       /* and so the outside was told; the
                                             main loop's */
    QEMUBH *rest_bh;                      /* what turns leave to the main loop */
    bool host_open;                       /* the character device has a peer */
    /* Bytes of the next element of from_guest that are written already. */
    size_t nr_written;
    guint hang_up_watch;                  /* 0: none */
};

/* What the driver is still to be told of a port, in this order. */
typedef enum VirtIOSerialNews {
    VIRTIO_SERIAL_NEWS_REMOVE,
    VIRTIO_SERIAL_NEWS_ADD,
    VIRTIO_SERIAL_NEWS_CONSOLE,
    VIRTIO_SERIAL_NEWS_NAME,
    VIRTIO_SERIAL_NEWS_OPEN,
    VIRTIO_SERIAL_NEWS__MAX,
} VirtIOSerialNews;

/* A number that a port may have. */
typedef struct VirtIOSerialSlot {
    VirtIOSerialPort *port;               /* NULL: none */
    bool known;                           /* the driver was told of one */
    uint8_t news;                         /* bits: 1 << VirtIOSerialNews */
} VirtIOSerialSlot;

struct VirtIOSerial {
    VirtIODevice parent_obj;

    /* Properties. */
    uint32_t max_ports;
    IOThread *iothread;                   /* has the queues and the chardevs */

    BusState *bus;
    VirtIOSerialSlot *slots;              /* max_ports of them */
    VirtQueue *control_to_guest, *control_from_guest;
    bool driver_listens;                  /* has said that it is ready */
    bool ran;                             /* queues could be processed when that
                                             was last looked at */
};

/* Whether the driver is one that is told of ports; else it knows port 0, and takes
 * it for open. */
bool virtio_serial_is_multiport(VirtIOSerial *serial);
/* The port whose queue @vq is; NULL: there is none now. */
VirtIOSerialPort *virtio_serial_port_of(VirtIOSerial *serial, VirtQueue *vq);
/* Gives @port its number and queues. False: *errp says why not. The reverse is
 * virtio_serial_port_removed(). */
bool virtio_serial_add_port(VirtIOSerial *serial, VirtIOSerialPort *port,
                            Error **errp);

/* --- virtio-serial-control.c --- */

void virtio_serial_handle_control(VirtIODevice *vdev, VirtQueue *vq);
/* The driver has room for more news. */
void virtio_serial_handle_control_room(VirtIODevice *vdev, VirtQueue *vq);
/* The driver is to be told, once it listens. */
void virtio_serial_port_added(VirtIOSerialPort *port);
void virtio_serial_port_removed(VirtIOSerialPort *port);
void virtio_serial_port_opened(VirtIOSerialPort *port);
/* The driver is another one, or none. */
void virtio_serial_control_reset(VirtIOSerial *serial);

/* --- virtio-serial-port.c --- */

void virtio_serial_handle_from_guest(VirtIODevice *vdev, VirtQueue *vq);
void virtio_serial_handle_to_guest(VirtIODevice *vdev, VirtQueue *vq);
/* Somebody in the guest has opened or closed @port. */
void virtio_serial_port_set_guest_open(VirtIOSerialPort *port, bool open);
/* The rings are gone. */
void virtio_serial_port_reset(VirtIOSerialPort *port);

#endif
