# SPDX-License-Identifier: GPL-2.0-or-later
"""Unplugged memory that is protected: a guest writes to it by /dev/mem, beside a
passed-through drive and memory that is plugged."""
import pathlib
import re

from labkit.report import MIB, mib, say, wait_until
from labkit.vm import BOOT_RAM, Vm

PLUGGED = 256 * MIB
UNUSED_ADDRESS = 8 << 30
UNUSED_SLOT = 9
OFFSET = 5 * MIB + 0x1000
# The driver of a device keeps /dev/mem from its region; the second device has
# nothing plugged, so its driver can leave.
UNBIND = ("cd /sys/bus/virtio/drivers/virtio_mem; for dev in virtio*; do "
          f"case $(readlink -f $dev) in *:{UNUSED_SLOT:02x}.0/*) "
          "echo $dev >unbind;; esac; done; cd /")


def start(lab, action):
    return Vm(lab, "-m", "256M,maxmem=16G,slots=4",
              "-object", "memory-backend-ram,id=mem0,size=1G",
              "-object", "memory-backend-ram,id=mem1,size=1G",
              "-device", "virtio-mem-pci,id=vm0,memdev=mem0,protect=on",
              "-device", f"virtio-mem-pci,id=vm1,memdev=mem1,addr={UNUSED_SLOT},"
                         f"memaddr={UNUSED_ADDRESS:#x},protect=on,"
                         f"protect-action={action}",
              "-device", f"vfio-pci,host={lab.drive.address}")


def guarded(vm):
    """(bytes, resident bytes) of the emulator's mappings that are guarded."""
    text = pathlib.Path(f"/proc/{vm.process.pid}/smaps").read_text()
    size = resident = 0
    for mapping in re.split(r"^(?=[0-9a-f]+-[0-9a-f]+ )", text, flags=re.M):
        if re.search(r"^VmFlags:.* um\b", mapping, re.M):
            size += int(re.search(r"^Size:\s+(\d+)", mapping, re.M)[1]) * 1024
            resident += int(re.search(r"^Rss:\s+(\d+)", mapping, re.M)[1]) * 1024
    return size, resident


def prepare(vm):
    vm.boot()
    vm.resize(PLUGGED)
    vm.ask(UNBIND)
    check_memory(vm)


def check_memory(vm):
    """What is not plugged is guarded, costs nothing, and is not pinned."""
    wait_until("what was let in is taken away", lambda: guarded(vm)[1] == 0,
               lambda: f"({guarded(vm)[1]} bytes resident)")
    size = guarded(vm)[0]
    assert size == 2048 * MIB - PLUGGED, f"{mib(size)} are guarded"
    pinned = vm.pinned()
    assert pinned == BOOT_RAM + PLUGGED, f"{mib(pinned)} are pinned"


def write_unplugged(offset):
    return f"devmem {UNUSED_ADDRESS + offset:#x} 32 0x5eed"


def check_event(vm, offset, action):
    data = vm.qmp.event("MEMORY_PROTECT_VIOLATION")["data"]
    say(f"  {data}")
    assert data["id"] == "vm1" and data["action"] == action, data
    assert data["address"] // 4096 == (UNUSED_ADDRESS + offset) // 4096, data


def test_continue(lab):
    """a guest that writes to unplugged memory is told on, costs nothing, goes on"""
    with start(lab, "continue") as vm:
        prepare(vm)
        vm.ask(write_unplugged(OFFSET))
        check_event(vm, OFFSET, "continue")
        check_memory(vm)
        shown = vm.ask(f"devmem {UNUSED_ADDRESS + OFFSET:#x} 32")
        assert int(shown, 16) == 0, f"the page came back with {shown}"
        vm.check_drive()
        vm.resize(2 * PLUGGED)
        assert vm.pinned() == BOOT_RAM + 2 * PLUGGED, mib(vm.pinned())
        vm.resize(PLUGGED)
        check_memory(vm)
        assert vm.qmp.command("query-status")["status"] == "running"


def test_stop(lab):
    """the same stops the VM if it is asked for; cont lets it go on"""
    with start(lab, "stop") as vm:
        prepare(vm)
        number = vm.tell(write_unplugged(OFFSET))
        check_event(vm, OFFSET, "stop")
        vm.qmp.event("STOP")
        status = vm.qmp.command("query-status")["status"]
        assert status == "paused", f"the run state is {status}, after {number}"
        vm.qmp.command("cont")
        assert vm.ask("echo alive") == "alive"
        check_memory(vm)
        vm.check_drive()
