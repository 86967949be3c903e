/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices and buses: a device is an object that is configured by properties,
 * then realized once; it may sit on a bus and may offer buses of its own.
 *
 * Life of a device: qdev_new() -> properties -> qdev_realize() -> use ->
 * qdev_unrealize() -> object_unparent(). Realizing one: parent bus checked ->
 * hotplug handler's pre_plug -> the class's realize -> child buses -> reset,
 * if hotplugged -> plug. A failure at any step undoes the steps before it in
 * reverse, and the device is as before. unrealize is the mirror image.
 *
 * A device is found in the composition tree at /machine/peripheral/ID if a
 * user gave it an id, at /machine/peripheral-anon/device[N] if a user did not,
 * under its creator if that made it a child, else at
 * /machine/unattached/device[N].
 *
 * QEMU's names and signatures. Big lock held.
 */
#ifndef HW_QDEV_CORE_H
#define HW_QDEV_CORE_H

#include "hw/hotplug.h"
#include "qemu/bitmap.h"
#include "qemu/queue.h"
#include "qom/object.h"

#define TYPE_DEVICE "device"
OBJECT_DECLARE_TYPE(DeviceState, DeviceClass, DEVICE)
#define TYPE_BUS "bus"
DECLARE_OBJ_CHECKERS(BusState, BusClass, BUS, TYPE_BUS)

/* What a device is good for: the groups of `-device help`. */
typedef enum DeviceCategory {
    DEVICE_CATEGORY_BRIDGE,
    DEVICE_CATEGORY_INPUT,
    DEVICE_CATEGORY_STORAGE,
    DEVICE_CATEGORY_MISC,
    DEVICE_CATEGORY_CPU,
    DEVICE_CATEGORY_MAX
} DeviceCategory;

typedef void (*DeviceRealize)(DeviceState *dev, Error **errp);
typedef void (*DeviceUnrealize)(DeviceState *dev);
typedef void (*DeviceReset)(DeviceState *dev);
typedef void (*BusRealize)(BusState *bus, Error **errp);
typedef void (*BusUnrealize)(BusState *bus);

struct DeviceClass {
    ObjectClass parent_class;

    unsigned long categories[1];          /* set_bit(DEVICE_CATEGORY_X, ...) */
    bool shares_memory;                   /* another process uses the guest's */
    const char *desc;                     /* for -device help; may be NULL */
    const Property *props_;               /* device_class_set_props() */
    bool user_creatable;                  /* by -device; default true */
    bool hotpluggable;                    /* once the VM exists; default true */
    const char *bus_type;                 /* NULL: sits on no bus */

    /* Effects first, commit last; whatever it did when it fails it undoes. */
    /*
     * Called for a device that is added to a running machine before anything is
     * claimed for it: it has its properties, but no id and no bus. Here, and
     * only here, it may wait for others, while the main loop goes on: other
     * commands are carried out meanwhile. May be NULL.
     */
    DeviceRealize prepare;
    DeviceRealize realize;
    DeviceUnrealize unrealize;            /* mirrors realize; cannot fail */
    DeviceReset reset;                    /* to the state after power on */
};

typedef struct NamedGPIOList NamedGPIOList;
/* The input and output lines of a device that share a name. */
struct NamedGPIOList {
    char *name;                           /* NULL: the unnamed ones */
    qemu_irq *in;
    int num_in;
    qemu_irq **out;                       /* where each output is stored */
    int num_out;
    QLIST_ENTRY(NamedGPIOList) node;
};

struct DeviceState {
    Object parent_obj;

    char *id;                             /* the user's; NULL: none */
    char *canonical_path;                 /* QOM path, while realized */
    bool realized;
    bool pending_deleted_event;           /* unplug has been asked for */
    int64_t pending_deleted_expires_ms;   /* and may be again from this time of
                                           * QEMU_CLOCK_VIRTUAL on; 0: never */
    bool hotplugged;                      /* created while the VM exists */
    BusState *parent_bus;
    QLIST_HEAD(, NamedGPIOList) gpios;
    QLIST_HEAD(, BusState) child_bus;
    int num_child_bus;
};

typedef struct BusChild {
    DeviceState *child;
    int index;
    QTAILQ_ENTRY(BusChild) sibling;
} BusChild;

struct BusClass {
    ObjectClass parent_class;

    /* Whether @dev may sit where its properties say; false: *errp. */
    bool (*check_address)(BusState *bus, DeviceState *dev, Error **errp);
    BusRealize realize;
    BusUnrealize unrealize;
    void (*reset)(BusState *bus);         /* after the devices on it */
    int max_dev;                          /* 0: no limit */
};

struct BusState {
    Object obj;

    DeviceState *parent;                  /* whose bus it is; may be NULL */
    char *name;
    HotplugHandler *hotplug_handler;      /* NULL: nothing can be hotplugged */
    int max_index;
    bool realized;
    int num_children;
    QTAILQ_HEAD(, BusChild) children;     /* last added first */
    QLIST_ENTRY(BusState) sibling;
};

/* --- devices --- */

/* A new device with one reference, the caller's; @name must be a type. */
DeviceState *qdev_new(const char *name);
/*
 * Puts @dev on @bus (NULL: none) and realizes it. @bus may be NULL only if the
 * class has no bus_type. On failure @dev is on no bus, and still the caller's.
 */
bool qdev_realize(DeviceState *dev, BusState *bus, Error **errp);
/* The same, and drops the caller's reference whatever happens. */
bool qdev_realize_and_unref(DeviceState *dev, BusState *bus, Error **errp);
/* Undoes qdev_realize(), but the device stays on its bus. */
void qdev_unrealize(DeviceState *dev);
/* Moves @dev, not realized, to @bus. false: full, or wrong kind of bus. */
bool qdev_set_parent_bus(DeviceState *dev, BusState *bus, Error **errp);

BusState *qdev_get_parent_bus(DeviceState *dev);
/* The machine (/machine); a container stands in for it in unit tests. */
Object *qdev_get_machine(void);
/* Names @dev for messages: id, else the QOM path, else the type. g_free(). */
char *qdev_get_human_name(DeviceState *dev);

/* Whether the machine is being created; a device made later is hotplugged. */
extern bool qdev_hotplug;
/* The board's devices and those of the command line are there. */
void qdev_machine_creation_done(void);

/* Properties of @dc, an array that ends with DEFINE_PROP_END_OF_LIST(). */
void device_class_set_props(DeviceClass *dc, const Property *props);

/* Resets one device, not what is on its buses. */
void device_legacy_reset(DeviceState *dev);
/* Resets a device or bus with all that is below it, leaves first. */
void qdev_reset_all(DeviceState *dev);
void qbus_reset_all(BusState *bus);
/* qbus_reset_all() as a QEMUResetHandler. */
void qbus_reset_all_fn(void *opaque);

/* --- buses --- */

/* A bus as child @name (NULL: made from the type) of @parent; NULL parent:
 * the caller puts it into the tree and realizes it by qbus_realize(). */
BusState *qbus_create(const char *typename, DeviceState *parent,
                      const char *name);
void qbus_create_inplace(void *bus, size_t size, const char *typename,
                         DeviceState *parent, const char *name);
/* A bus is realized and unrealized by its parent device; only a bus without
 * one needs these. */
bool qbus_realize(BusState *bus, Error **errp);
void qbus_unrealize(BusState *bus);
bool qbus_is_full(BusState *bus);
/* Hotplug on @bus goes through @handler (not referenced; NULL: no hotplug). */
void qbus_set_hotplug_handler(BusState *bus, Object *handler);
bool qbus_is_hotpluggable(BusState *bus);

/* Walks: stop at, and return, the first nonzero result; callbacks may be NULL.
 * A pre callback comes before those of what is below, a post one after. */
typedef int (qbus_walkerfn)(BusState *bus, void *opaque);
typedef int (qdev_walkerfn)(DeviceState *dev, void *opaque);
int qbus_walk_children(BusState *bus, qdev_walkerfn *pre_devfn,
                       qbus_walkerfn *pre_busfn, qdev_walkerfn *post_devfn,
                       qbus_walkerfn *post_busfn, void *opaque);
int qdev_walk_children(DeviceState *dev, qdev_walkerfn *pre_devfn,
                       qbus_walkerfn *pre_busfn, qdev_walkerfn *post_devfn,
                       qbus_walkerfn *post_busfn, void *opaque);

/* --- hotplug --- */

/* The machine's handler of @dev, else its bus's; NULL: nobody's business. */
HotplugHandler *qdev_get_hotplug_handler(DeviceState *dev);
HotplugHandler *qdev_get_bus_hotplug_handler(DeviceState *dev);
HotplugHandler *qdev_get_machine_hotplug_handler(DeviceState *dev);

/* --- interrupt lines (hw/irq.h); @name NULL: the unnamed ones --- */

/* Input @n of @dev: what others drive. */
qemu_irq qdev_get_gpio_in(DeviceState *dev, int n);
qemu_irq qdev_get_gpio_in_named(DeviceState *dev, const char *name, int n);
/* Connects output @n of @dev to @pin (NULL: to nothing). */
void qdev_connect_gpio_out(DeviceState *dev, int n, qemu_irq pin);
void qdev_connect_gpio_out_named(DeviceState *dev, const char *name, int n,
                                 qemu_irq pin);
/* What output @n is connected to, or NULL. */
qemu_irq qdev_get_gpio_out_connector(DeviceState *dev, const char *name, int n);
/* Puts @icpt in place of what output @n was connected to; returns that. */
qemu_irq qdev_intercept_gpio_out(DeviceState *dev, qemu_irq icpt,
                                 const char *name, int n);

/* For the device itself, before it is realized: @n more inputs, of which
 * @handler (its opaque: @dev) hears; @n outputs, stored in @pins[]. */
void qdev_init_gpio_in(DeviceState *dev,
                       void (*handler)(void *opaque, int n, int level), int n);
void qdev_init_gpio_in_named_with_opaque(DeviceState *dev,
                                         void (*handler)(void *opaque, int n,
                                                         int level),
                                         void *opaque, const char *name, int n);
void qdev_init_gpio_out(DeviceState *dev, qemu_irq *pins, int n);
void qdev_init_gpio_out_named(DeviceState *dev, qemu_irq *pins,
                              const char *name, int n);

#endif
