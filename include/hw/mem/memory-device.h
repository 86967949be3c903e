/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices that bring guest memory with them (virtio-mem): the machine's
 * hotplug handler places their region inside the machine's device memory.
 * An interface; hw/mem/memory-device.c. QEMU's names; fill_device_info returns
 * JSON. Big lock held.
 */
#ifndef HW_MEM_MEMORY_DEVICE_H
#define HW_MEM_MEMORY_DEVICE_H

#include <json-glib/json-glib.h>

#include "hw/boards.h"
#include "hw/qdev-core.h"

#define TYPE_MEMORY_DEVICE "memory-device"

typedef struct MemoryDeviceClass MemoryDeviceClass;
DECLARE_CLASS_CHECKERS(MemoryDeviceClass, MEMORY_DEVICE, TYPE_MEMORY_DEVICE)
#define MEMORY_DEVICE(obj)                                                   \
    INTERFACE_CHECK(MemoryDeviceState, (obj), TYPE_MEMORY_DEVICE)
typedef struct MemoryDeviceState MemoryDeviceState;

/* Who requests the size of a device, and without whom it cannot go. */
typedef struct MemorySizeOwner {
    const char *path;                     /* in the QOM tree, for messages */
    bool paused;                          /* others may request sizes */
} MemorySizeOwner;

/* Of a device whose size can be requested, which the guest then follows. */
typedef struct MemoryDeviceSizes {
    uint64_t block;                       /* what requests are multiples of */
    uint64_t max;                         /* what can be requested */
    uint64_t requested;
    uint64_t plugged;
    unsigned node;                        /* the guest's NUMA node */
    uint64_t refusals;                    /* plugs that were refused so far */
    const char *refused;                  /* why the last was; NULL: something
                                             was plugged since */
} MemoryDeviceSizes;

struct MemoryDeviceClass {
    InterfaceClass parent_class;

    /* Guest physical address; 0: none chosen yet. */
    uint64_t (*get_addr)(const MemoryDeviceState *md);
    void (*set_addr)(MemoryDeviceState *md, uint64_t addr, Error **errp);
    /* Bytes that the guest can use now; NULL: the size of the region. */
    uint64_t (*get_plugged_size)(const MemoryDeviceState *md, Error **errp);
    /* The region to map; NULL with *errp if the device is misconfigured. May
     * be asked before the device is realized. */
    MemoryRegion *(*get_memory_region)(MemoryDeviceState *md, Error **errp);
    /* A power of two; NULL: the alignment of the region's memory. */
    uint64_t (*get_min_alignment)(const MemoryDeviceState *md);
    /* {"type": "virtio-mem", "data": {...}} of query-memory-devices; the
     * caller's. */
    JsonObject *(*fill_device_info)(const MemoryDeviceState *md);
    /* Whether the device can go now; false: *errp says why not. NULL: never. */
    bool (*unplug_check)(MemoryDeviceState *md, Error **errp);
    /* These three together or not at all: NULL, if no size can be requested. */
    void (*get_sizes)(const MemoryDeviceState *md, MemoryDeviceSizes *sizes);
    /* false: *errp, and the request is as it was. */
    bool (*request_size)(MemoryDeviceState *md, uint64_t size, Error **errp);
    /* Where the owner of its size is, who puts itself there and takes itself
     * away; NULL: there is none, anybody may request sizes. */
    const MemorySizeOwner **(*size_owner)(MemoryDeviceState *md);
};

/*
 * Chooses the address (or checks the one that the user chose) and sets it.
 * @legacy_align: alignment in place of the device's own; usually NULL.
 */
void memory_device_pre_plug(MemoryDeviceState *md, MachineState *ms,
                            const uint64_t *legacy_align, Error **errp);
/* Maps the region there. pre_plug has succeeded, so this cannot fail. */
void memory_device_plug(MemoryDeviceState *md, MachineState *ms);
/* Whether memory_device_unplug() is possible; false: *errp. */
bool memory_device_unplug_check(MemoryDeviceState *md, Error **errp);
void memory_device_unplug(MemoryDeviceState *md, MachineState *ms);
uint64_t memory_device_get_region_size(const MemoryDeviceState *md,
                                       Error **errp);
/* Sum of what memory devices have plugged, in bytes. */
uint64_t get_plugged_memory_size(void);

#endif
