# SPDX-License-Identifier: GPL-2.0-or-later
"""The two budgets of a passed-through device: DMA mappings, of which a large region
takes no more than its share by itself, and locked memory, too little of which holds
a resize up and says so."""
import resource

from labkit.report import MIB, mib, say, wait_until
from labkit.vm import BOOT_RAM, Vm

GIB = 1024 * MIB
# Blocks of 2 MiB would take 131072 mappings, and the kernel hands out 65535.
SIZE = 256 * GIB
FITS = 256 * MIB
WANTED = 512 * MIB
LIMIT = BOOT_RAM + FITS + 16 * MIB


def memory_device(vm):
    return vm.qmp.command("query-memory-devices")[0]["data"]


def check_pinned(vm, size):
    pinned, plugged = vm.pinned(), vm.plugged()
    say(f"{mib(plugged)} plugged, {mib(pinned)} pinned")
    assert plugged == size, f"{mib(plugged)} are plugged, not {mib(size)}"
    assert pinned == BOOT_RAM + size, \
        f"{mib(pinned)} are pinned, not {mib(BOOT_RAM + size)}"


def check_refused(vm):
    """The guest wants more than may be locked: QMP says so, by event and query."""
    vm.qmp.set("/machine/peripheral/vm0", "requested-size", WANTED)
    event = vm.qmp.event("RAM_DISCARD_REFUSED")["data"]
    say(f"event: {event}")
    assert event["limit"] == LIMIT, event
    assert event["used"] == BOOT_RAM + FITS, event
    assert event["needed"] > event["limit"] - event["used"], event
    device = memory_device(vm)
    refusal = device["last-refusal"]
    say(f"refusal: {refusal}")
    assert device["requested-size"] == WANTED and device["size"] == FITS, device
    assert refusal["standing"] and refusal["kind"] == "vfio", refusal
    assert str(LIMIT) in refusal["reason"], refusal
    check_pinned(vm, FITS)


def check_warnings(vm):
    lines = [line for line in vm.errors().splitlines() if "warning" in line]
    for line in lines:
        say(f"  {line}")
    assert len(lines) == 2, lines
    assert str(BOOT_RAM + SIZE) in lines[0] and str(LIMIT) in lines[0], lines
    assert "a plug is refused" in lines[1] and str(LIMIT) in lines[1], lines


def test_large_region_and_lock_limit(lab):
    """block-size=auto lets 256 GiB start; a lock limit holds a resize up, with numbers"""
    # Root is above the limit unless it lacks CAP_IPC_LOCK.
    wrapper = ("setpriv", "--bounding-set=-ipc_lock", "--inh-caps=-ipc_lock",
               "prlimit", f"--memlock={LIMIT}:{LIMIT}")
    with Vm(lab, "-m", "256M,maxmem=300G,slots=2",
            "-object", f"memory-backend-ram,id=mem0,size={SIZE},reserve=off",
            "-device", "virtio-mem-pci,id=vm0,memdev=mem0,block-size=auto",
            "-device", f"vfio-pci,host={lab.drive.address}",
            wrapper=wrapper) as vm:
        vm.boot()
        device = memory_device(vm)
        say(f"blocks of {mib(device['block-size'])}")
        assert SIZE // device["block-size"] < 65535, device
        assert "last-refusal" not in device, device
        vm.resize(FITS)
        check_pinned(vm, FITS)
        check_refused(vm)
        check_warnings(vm)
        resource.prlimit(vm.process.pid, resource.RLIMIT_MEMLOCK,
                         (2 * LIMIT, 2 * LIMIT))
        # Linux tries again by itself after 50 s or more; news make it try at once.
        vm.resize(WANTED - 128 * MIB)
        vm.resize(WANTED)
        wait_until("the refusal is history", lambda: not
                   memory_device(vm)["last-refusal"]["standing"])
        check_pinned(vm, WANTED)
        vm.check_drive()
