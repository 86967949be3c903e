/* SPDX-License-Identifier: GPL-2.0-or-later */
/* virtio-serial: the device, its bus, and which ports it has (virtio-serial.h). */
#include "qemu/osdep.h"

#include "hw/hotplug.h"
#include "hw/qdev-properties.h"
#include "qapi/error.h"
#include "virtio-serial.h"

#define QUEUE_SIZE 128
#define CONTROL_QUEUE_SIZE 32

/* --- queues --------------------------------------------------------------- */

/* Port 0 has the first two, then come those for control, then the others'. */
static unsigned queue_of(unsigned nr)
{
    return nr ? 2 * nr + 2 : 0;
}

VirtIOSerialPort *virtio_serial_port_of(VirtIOSerial *serial, VirtQueue *vq)
{
    unsigned pair = virtio_get_queue_index(vq) / 2;

    return serial->slots[pair ? pair - 1 : 0].port;
}

bool virtio_serial_is_multiport(VirtIOSerial *serial)
{
    return virtio_vdev_has_feature(VIRTIO_DEVICE(serial),
                                   VIRTIO_CONSOLE_F_MULTIPORT);
}

static void add_queues(VirtIOSerial *serial)
{
    VirtIODevice *vdev = VIRTIO_DEVICE(serial);

    for (unsigned i = 0; i < serial->max_ports; i++) {
        virtio_add_queue(vdev, QUEUE_SIZE, virtio_serial_handle_to_guest);
        virtio_add_queue(vdev, QUEUE_SIZE, virtio_serial_handle_from_guest);
        if (i == 0) {
            serial->control_to_guest = virtio_add_queue(
                vdev, CONTROL_QUEUE_SIZE, virtio_serial_handle_control_room);
            serial->control_from_guest = virtio_add_queue(
                vdev, CONTROL_QUEUE_SIZE, virtio_serial_handle_control);
        }
    }
}

/* --- ports ---------------------------------------------------------------- */

static bool choose_number(VirtIOSerial *serial, VirtIOSerialPort *port,
                          Error **errp)
{
    bool console = VIRTIO_SERIAL_PORT_GET_CLASS(port)->is_console;
    uint32_t nr = port->nr;

    if (nr == UINT32_MAX) {
        nr = console && !serial->slots[0].port ? 0 : 1;
        while (nr && nr < serial->max_ports && serial->slots[nr].port) {
            nr++;
        }
    }
    if (nr >= serial->max_ports) {
        error_setg(errp, "nr=%u is not possible: the device has ports 0 to %u "
                   "(max_ports=)", nr, serial->max_ports - 1);
        return false;
    }
    if (nr == 0 && !console) {
        error_setg(errp, "nr=0 is not possible: that port is for a virtconsole");
        return false;
    }
    if (serial->slots[nr].port) {
        error_setg(errp, "nr=%u is in use by another port", nr);
        return false;
    }
    port->nr = nr;
    return true;
}

/* A driver that knows one port only cannot say that it is open. */
static void serial_set_status(VirtIODevice *vdev, uint8_t status)
{
    VirtIOSerial *serial = VIRTIO_SERIAL(vdev);
    VirtIOSerialPort *port = serial->slots[0].port;

    if (port && !virtio_serial_is_multiport(serial)) {
        virtio_serial_port_set_guest_open(port, status &
                                                VIRTIO_CONFIG_S_DRIVER_OK);
    }
}

bool virtio_serial_add_port(VirtIOSerial *serial, VirtIOSerialPort *port,
                            Error **errp)
{
    VirtIODevice *vdev = VIRTIO_DEVICE(serial);

    if (!choose_number(serial, port, errp)) {
        return false;
    }
    port->serial = serial;
    port->to_guest = virtio_get_queue(vdev, queue_of(port->nr));
    port->from_guest = virtio_get_queue(vdev, queue_of(port->nr) + 1);
    serial->slots[port->nr].port = port;
    serial_set_status(vdev, vdev->status);
    return true;
}

/* An I/O thread does not ask ports for room by itself, as the main loop does. */
static void serial_run_changed(VirtIODevice *vdev)
{
    VirtIOSerial *serial = VIRTIO_SERIAL(vdev);
    bool runs = virtio_device_may_run(vdev);

    for (unsigned i = 0; runs && !serial->ran && i < serial->max_ports; i++) {
        if (serial->slots[i].port) {
            qemu_chr_fe_accept_input(&serial->slots[i].port->chr);
        }
    }
    serial->ran = runs;
}

static void serial_unplug(HotplugHandler *handler, DeviceState *dev,
                          Error **errp)
{
    qdev_unrealize(dev);
}

/* --- the device ----------------------------------------------------------- */

static uint64_t serial_get_features(VirtIODevice *vdev, uint64_t features,
                                    Error **errp)
{
    if (VIRTIO_SERIAL(vdev)->max_ports > 1) {
        virtio_add_feature(&features, VIRTIO_CONSOLE_F_MULTIPORT);
    }
    virtio_add_feature(&features, VIRTIO_CONSOLE_F_EMERG_WRITE);
    return features;
}

static void serial_get_config(VirtIODevice *vdev, uint8_t *config)
{
    struct virtio_console_config c = {
        .max_nr_ports = GUINT32_TO_LE(VIRTIO_SERIAL(vdev)->max_ports),
    };

    memcpy(config, &c, sizeof(c));
}

/* A byte for the console of a driver that has no queues yet, or no more. */
static void serial_set_config(VirtIODevice *vdev, const uint8_t *config)
{
    VirtIOSerialPort *port = VIRTIO_SERIAL(vdev)->slots[0].port;
    struct virtio_console_config c;
    uint8_t byte;

    memcpy(&c, config, sizeof(c));
    byte = GUINT32_FROM_LE(c.emerg_wr);
    if (port && c.emerg_wr) {
        qemu_chr_fe_write(&port->chr, &byte, 1);
    }
}

static void serial_reset(VirtIODevice *vdev)
{
    VirtIOSerial *serial = VIRTIO_SERIAL(vdev);

    virtio_serial_control_reset(serial);
    for (unsigned i = 0; i < serial->max_ports; i++) {
        if (serial->slots[i].port) {
            virtio_serial_port_reset(serial->slots[i].port);
        }
    }
}

/* As libvirt names it: after the id of the PCI device. */
static void add_bus(VirtIOSerial *serial)
{
    DeviceState *proxy = qdev_get_parent_bus(DEVICE(serial))->parent;
    g_autofree char *name = proxy && proxy->id
                                ? g_strdup_printf("%s.0", proxy->id) : NULL;

    serial->bus = qbus_create(TYPE_VIRTIO_SERIAL_BUS, DEVICE(serial), name);
    qbus_set_hotplug_handler(serial->bus, OBJECT(serial));
}

static void serial_realize(DeviceState *dev, Error **errp)
{
    VirtIOSerial *serial = VIRTIO_SERIAL(dev);

    if (serial->max_ports < 1 || serial->max_ports > VIRTIO_SERIAL_MAX_PORTS) {
        error_setg(errp, "max_ports=%u is not possible: 1 to %d are",
                   serial->max_ports, VIRTIO_SERIAL_MAX_PORTS);
        return;
    }
    virtio_init(VIRTIO_DEVICE(dev), "virtio-serial", VIRTIO_ID_CONSOLE,
                sizeof(struct virtio_console_config));
    if (!virtio_use_iothread(VIRTIO_DEVICE(dev), serial->iothread, errp)) {
        virtio_cleanup(VIRTIO_DEVICE(dev));
        return;
    }
    add_queues(serial);
    serial->slots = g_new0(VirtIOSerialSlot, serial->max_ports);
    add_bus(serial);
}

static void serial_unrealize(DeviceState *dev)
{
    VirtIOSerial *serial = VIRTIO_SERIAL(dev);
    VirtIODevice *vdev = VIRTIO_DEVICE(dev);

    object_unparent(OBJECT(serial->bus));
    serial->bus = NULL;
    g_clear_pointer(&serial->slots, g_free);
    while (vdev->nvqs) {
        virtio_delete_queue(vdev->vq[vdev->nvqs - 1]);
    }
    virtio_cleanup(vdev);
}

/* --- types ---------------------------------------------------------------- */

static const Property serial_properties[] = {
    DEFINE_PROP_UINT32("max_ports", VirtIOSerial, max_ports, 31),
    DEFINE_PROP_LINK("iothread", VirtIOSerial, iothread, TYPE_IOTHREAD,
                     IOThread *),
    DEFINE_PROP_END_OF_LIST(),
};

static void serial_class_init(ObjectClass *klass, void *data)
{
    VirtioDeviceClass *vdc = VIRTIO_DEVICE_CLASS(klass);
    HotplugHandlerClass *hc = HOTPLUG_HANDLER_CLASS(klass);
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->desc = "consoles and channels of the guest";
    device_class_set_props(dc, serial_properties);
    set_bit(DEVICE_CATEGORY_INPUT, dc->categories);
    vdc->realize = serial_realize;
    vdc->unrealize = serial_unrealize;
    vdc->get_features = serial_get_features;
    vdc->get_config = serial_get_config;
    vdc->set_config = serial_set_config;
    vdc->set_status = serial_set_status;
    vdc->reset = serial_reset;
    vdc->run_changed = serial_run_changed;
    hc->unplug = serial_unplug;
}

static const TypeInfo serial_types[] = {
    {
        .name = TYPE_VIRTIO_SERIAL_BUS,
        .parent = TYPE_BUS,
    }, {
        .name = TYPE_VIRTIO_SERIAL,
        .parent = TYPE_VIRTIO_DEVICE,
        .instance_size = sizeof(VirtIOSerial),
        .class_init = serial_class_init,
        .interfaces = (InterfaceInfo[]) { { TYPE_HOTPLUG_HANDLER }, { NULL } },
    },
};
DEFINE_TYPES(serial_types)
