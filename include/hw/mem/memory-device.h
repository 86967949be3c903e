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
