/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one table of QMP events, as docs/qmp-reference.md lists them. Whoever
 * adds an event adds it here; tests/qtest/test-docs sees to it.
 */
#include "qemu/osdep.h"

#include "monitor/qmp-schema.h"

static const QmpType qmp_event_types[] = {
    { .name = "BlockErrorAction", .values = "ignore,report,stop",
      .help = "What was done about a request of a disk that failed." },
    { .name = "IoOperationType", .values = "read,write",
      .help = "What a disk was asked for." },
    { .name = "GuestPanicAction", .values = "pause,poweroff,run",
      .help = "What was done about a guest's panic: it was stopped (pause), "
              "the VM ends (poweroff), or nothing (run)." },
    { .name = "MemoryProtectAction", .values = "continue,stop",
      .help = "What was done about an access to unplugged memory." },
    { .name = "ShutdownCause",
      .values = "none,host-error,host-qmp-quit,host-qmp-system-reset,"
                "host-signal,host-ui,guest-shutdown,guest-reset,guest-panic,"
                "subsystem-reset",
      .help = "Who or what ended or reset the VM." },
};

/* Sorted by name. */
static const QmpEventInfo qmp_event_table[] = {
    { .name = "BALLOON_CHANGE", .members = "actual:int",
      .help =
      "The guest has given back, or taken, some of its boot RAM. At most one a "
      "second.\n"
      "actual: bytes of boot RAM that it has now" },
    { .name = "BLOCK_IO_ERROR",
      .members = "device:str,?node-name:str,operation:IoOperationType,"
                 "action:BlockErrorAction,?nospace:bool,reason:str",
      .help =
      "The host could not do what the guest asked a disk for.\n"
      "device: the drive's id; empty if it is of -blockdev\n"
      "node-name: its node\n"
      "operation: what was asked for; a write is also what is no read\n"
      "action: what werror= or rerror= say is done about it\n"
      "nospace: with stop, whether the host has no room\n"
      "reason: for people" },
    { .name = "DEVICE_BROKEN", .members = "?device:str,path:str,reason:str",
      .help =
      "Whoever serves a device has broken the connection to it, or the "
      "protocol. It reads as ones from now on; the guest goes on.\n"
      "device: its id, if it has one\n"
      "path: where it is in the tree of objects\n"
      "reason: for people" },
    { .name = "DEVICE_DELETED", .members = "?device:str,path:str",
      .help =
      "A device is gone, and its id is free again.\n"
      "device: its id, if it had one\n"
      "path: where it was in the tree of objects" },
    { .name = "DEVICE_UNPLUG_GUEST_ERROR", .members = "?device:str,path:str",
      .help =
      "The guest was asked to release a device, and keeps it.\n"
      "device: its id, if it has one\n"
      "path: where it is in the tree of objects" },
    { .name = "DUMP_COMPLETED", .members = "result:DumpQueryResult,?error:str",
      .help =
      "A dump has ended, well or not.\n"
      "result: what query-dump returns\n"
      "error: why it failed, if it did" },
    { .name = "GUEST_CRASHLOADED", .members = "action:GuestPanicAction",
      .help =
      "The guest has crashed, told so by its pvpanic-pci, and goes on with its "
      "crash kernel. At most one a second.\n"
      "action: run" },
    { .name = "GUEST_PANICKED", .members = "action:GuestPanicAction",
      .help =
      "The guest has crashed, and told so by its pvpanic-pci. If nothing is "
      "done about it, at most one a second.\n"
      "action: what was done about it (-action panic=)" },
    { .name = "MEMORY_BACKEND_BROKEN", .members = "id:str,reason:str",
      .help =
      "Memory of the guest is gone: its file was cut short by another process, "
      "or had no room for a page. Zeros are there now; the guest goes on.\n"
      "id: of the memory backend\n"
      "reason: for people" },
    { .name = "MEMORY_CONTROLLER_DECISION",
      .members = "id:str,reason:MemoryControllerReason,words:str,"
                 "requested:int,plugged:int",
      .help =
      "A memory controller requests another size, or for another reason cannot. "
      "At most one a second for each.\n"
      "id: of the object\n"
      "reason: for programs\n"
      "words: for people\n"
      "requested: bytes of all its devices\n"
      "plugged: bytes of all its devices" },
    { .name = "MEMORY_DEVICE_SIZE_CHANGE",
      .members = "?id:str,size:int,qom-path:str",
      .help =
      "The guest has plugged or unplugged memory of a virtio-mem device. At "
      "most one a second for each device.\n"
      "id: of the device, if it has one\n"
      "size: bytes that are plugged now\n"
      "qom-path: of the device" },
    { .name = "MEMORY_PROTECT_VIOLATION",
      .members = "?id:str,qom-path:str,address:int,write:bool,count:int,"
                 "action:MemoryProtectAction",
      .help =
      "The guest has accessed memory of a virtio-mem device that is not "
      "plugged.\n"
      "id: of the device, if it has one\n"
      "qom-path: of the device\n"
      "address: guest physical, of the access\n"
      "write: true: it wrote; false: it read\n"
      "count: accesses since the last event\n"
      "action: what was done about it" },
    { .name = "NETDEV_STREAM_CONNECTED", .members = "netdev-id:str",
      .help =
      "The peer of a netdev of type stream has come.\n"
      "netdev-id: the netdev" },
    { .name = "NETDEV_STREAM_DISCONNECTED", .members = "netdev-id:str",
      .help =
      "The peer of a netdev of type stream has gone.\n"
      "netdev-id: the netdev" },
    { .name = "POWERDOWN",
      .help = "The power button was pressed (system_powerdown)." },
    { .name = "RAM_DISCARD_REFUSED",
      .members = "region:str,offset:int,size:int,kind:str,reason:str,"
                 "?needed:int,?used:int,?limit:int",
      .help =
      "A plug was refused. The guest tries again by itself; the event is sent "
      "again when the reason changes, or after a plug that worked, at most one "
      "a second for each region.\n"
      "region: the RAM region\n"
      "offset: into the region\n"
      "size: bytes that were to be populated\n"
      "kind: who refused: vfio, mem-lock, prealloc, protect, backend\n"
      "reason: for people\n"
      "needed: bytes for which a limit, if it was one, is too small\n"
      "used: bytes of it that are in use\n"
      "limit: of locked memory (RLIMIT_MEMLOCK), in bytes" },
    { .name = "RESET", .members = "guest:bool,reason:ShutdownCause",
      .help =
      "The machine was reset, and all memory of virtio-mem devices unplugged.\n"
      "guest: whether the guest wanted it\n"
      "reason: who or what did it" },
    { .name = "RESUME",
      .help = "The virtual CPUs run again." },
    { .name = "SHUTDOWN", .members = "guest:bool,reason:ShutdownCause",
      .help =
      "The VM ends, or, with -no-shutdown, stops.\n"
      "guest: whether the guest wanted it\n"
      "reason: who or what did it" },
    { .name = "STOP",
      .help = "The virtual CPUs have stopped." },
    { .name = "VSERPORT_CHANGE", .members = "id:str,open:bool",
      .help =
      "A program in the guest has opened or closed a port of virtio-serial. At "
      "most one a second for each port.\n"
      "id: of the port, which has one\n"
      "open: whether it is open" },
};

static void qmp_event_types_register(void)
{
    qmp_register_types(qmp_event_types, ARRAY_SIZE(qmp_event_types));
    qmp_set_events(qmp_event_table, ARRAY_SIZE(qmp_event_table));
}
type_init(qmp_event_types_register)
