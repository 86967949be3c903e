# SPDX-License-Identifier: GPL-2.0-or-later
"""Devices that come and go while the guest runs, in the slots of root ports."""
from labkit.qmp import QmpError
from labkit.report import MIB, mib, wait_until
from labkit.vm import BOOT_RAM, Vm

PLUGGED = 1024 * MIB
PORTS = ["-device", "pcie-root-port,id=rp0,chassis=1",
         "-device", "pcie-root-port,id=rp1,chassis=2"]
VIRTIO_MEM = ["-object", "memory-backend-ram,id=mem0,size=2G",
              "-device", "virtio-mem-pci,id=vm0,memdev=mem0,requested-size=0"]


def start(lab, *arguments):
    return Vm(lab, "-m", "256M,maxmem=8G,slots=4", *PORTS, *VIRTIO_MEM, *arguments)


def wait_in_guest(vm, what, command):
    wait_until(what, lambda: vm.ask(f"{command} || echo no") != "no")


def wait_for_drive(vm):
    wait_in_guest(vm, "the guest finds the drive", "ls /dev/nvme0n1 2>/dev/null")


def refusal(vm, command, **arguments):
    try:
        vm.qmp.command(command, **arguments)
    except QmpError as error:
        return error.desc
    raise AssertionError(f"{command} {arguments} was not refused")


def test_drive(lab):
    """a drive comes, twice, to a guest with plugged memory, and leaves nothing pinned"""
    with start(lab) as vm:
        vm.boot()
        vm.resize(PLUGGED)
        vm.check_pinned(0, "without a passed-through device")
        for turn in ("first", "second"):
            vm.qmp.command("device_add", driver="vfio-pci", id="drive", bus="rp0",
                           host=lab.drive.address)
            vm.check_pinned(BOOT_RAM + PLUGGED, f"the {turn} time with the drive")
            wait_for_drive(vm)
            vm.check_drive()
            vm.remove("drive")
            vm.check_pinned(0, f"the {turn} time without it")
            assert vm.ask("ls /sys/bus/pci/devices | grep -c ^0000:01: || true") == "0"
        assert vm.plugged() == PLUGGED, mib(vm.plugged())


def test_memory(lab):
    """a second virtio-mem device comes, grows, shrinks and leaves"""
    with start(lab, "-device", f"vfio-pci,host={lab.drive.address},bus=rp0") as vm:
        vm.boot()
        vm.resize(512 * MIB)
        vm.qmp.command("object-add", **{"qom-type": "memory-backend-ram",
                                        "id": "mem1", "size": 1024 * MIB})
        vm.qmp.command("device_add", driver="virtio-mem-pci", id="vm1", bus="rp1",
                       memdev="mem1")
        vm.resize(512 * MIB, "vm1")
        vm.check_pinned(BOOT_RAM + PLUGGED, "with two virtio-mem devices")
        vm.check_drive()
        reason = refusal(vm, "device_del", id="vm1")
        assert "still plugged" in reason, reason
        vm.resize(0, "vm1")
        vm.check_pinned(BOOT_RAM + 512 * MIB, "with one of them empty")
        vm.remove("vm1")
        vm.qmp.command("object-del", id="mem1")
        vm.check_pinned(BOOT_RAM + 512 * MIB, "with one of them gone")


def test_reset(lab):
    """a system reset completes a removal, and finds what was added before"""
    with start(lab) as vm:
        vm.boot()
        vm.qmp.command("device_add", driver="vfio-pci", id="drive", bus="rp0",
                       host=lab.drive.address)
        wait_for_drive(vm)
        vm.qmp.command("system_reset")
        vm.wait_for_guest()
        vm.resize(PLUGGED)
        wait_for_drive(vm)
        vm.check_drive()
        vm.qmp.command("device_del", id="drive")
        reason = refusal(vm, "device_del", id="drive")
        assert "already in the process of unplug" in reason, reason
        vm.qmp.command("system_reset")
        vm.qmp.event("DEVICE_DELETED")
        vm.check_pinned(0, "after the reset")
        vm.wait_for_guest()
        assert vm.ask("ls /sys/bus/pci/devices | grep -c ^0000:01: || true") == "0"
