/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one table of QMP events, as docs/qmp-reference.md lists them. Whoever
 * adds an event adds it here; tests/check-docs sees to it.
 */
#include "qemu/osdep.h"

#include "monitor/qmp.h"

/* Sorted by name. */
static const QmpEventInfo qmp_event_table[] = {
    { "BALLOON_CHANGE", "actual:i",
      "The guest has given back, or taken, some of its boot RAM. At most one a "
      "second.\n"
      "actual: bytes of boot RAM that it has now" },
    { "DEVICE_DELETED", "?device:s,path:s",
      "A device is gone, and its id is free again.\n"
      "device: its id, if it had one\n"
      "path: where it was in the tree of objects" },
    { "DEVICE_UNPLUG_GUEST_ERROR", "?device:s,path:s",
      "The guest was asked to release a device, and keeps it.\n"
      "device: its id, if it has one\n"
      "path: where it is in the tree of objects" },
    { "DUMP_COMPLETED", "result:o,?error:s",
      "A dump has ended, well or not.\n"
      "result: what query-dump returns\n"
      "error: why it failed, if it did" },
    { "GUEST_PANICKED", "action:s",
      "The guest's CPU cannot go on.\n"
      "action: pause; the VM has been stopped" },
    { "MEMORY_DEVICE_SIZE_CHANGE", "?id:s,size:i,qom-path:s",
      "The guest has plugged or unplugged memory of a virtio-mem device. At "
      "most one a second for each device.\n"
      "id: of the device, if it has one\n"
      "size: bytes that are plugged now\n"
      "qom-path: of the device" },
    { "MEMORY_LOCK_REFUSED", "region:s,offset:i,size:i,reason:s",
      "A plug was refused because what it plugs could not be locked "
      "(-overcommit mem-lock=on). Once, until a plug succeeds.\n"
      "region: the RAM region\n"
      "offset: into the region\n"
      "size: bytes that were to be plugged\n"
      "reason: with the limit and what is locked" },
    { "MEMORY_PROTECT_VIOLATION",
      "?id:s,qom-path:s,address:i,write:b,count:i,action:s",
      "The guest has accessed memory of a virtio-mem device that is not "
      "plugged.\n"
      "id: of the device, if it has one\n"
      "qom-path: of the device\n"
      "address: guest physical, of the access\n"
      "write: true: it wrote; false: it read\n"
      "count: accesses since the last event\n"
      "action: what was done about it" },
    { "POWERDOWN", NULL,
      "The power button was pressed (system_powerdown)." },
    { "RESET", "guest:b,reason:s",
      "The machine was reset, and all memory of virtio-mem devices unplugged.\n"
      "guest: whether the guest wanted it\n"
      "reason: guest-reset, host-qmp-system-reset ..." },
    { "RESUME", NULL, "The virtual CPUs run again." },
    { "SHUTDOWN", "guest:b,reason:s",
      "The VM ends, or, with -no-shutdown, stops.\n"
      "guest: whether the guest wanted it\n"
      "reason: guest-shutdown, host-qmp-quit, host-signal ..." },
    { "STOP", NULL, "The virtual CPUs have stopped." },
    { "VFIO_POPULATE_REFUSED",
      "region:s,offset:i,size:i,reason:s,?needed:i,?used:i,?limit:i",
      "A plug was refused because it could not be mapped for a device. The "
      "guest tries again by itself; the event is sent again when the reason "
      "changes.\n"
      "region: the RAM region\n"
      "offset: into the region\n"
      "size: bytes that were to be plugged\n"
      "reason: for people\n"
      "needed: bytes that the limit of locked memory is too small for\n"
      "used: bytes that are locked\n"
      "limit: on locked memory (RLIMIT_MEMLOCK), in bytes" },
};

void qmp_for_each_event(void (*fn)(const QmpEventInfo *event, void *opaque),
                        void *opaque)
{
    for (size_t i = 0; i < ARRAY_SIZE(qmp_event_table); i++) {
        fn(&qmp_event_table[i], opaque);
    }
}
