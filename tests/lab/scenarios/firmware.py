# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest that SeaBIOS boots by GRUB off a disk, or off a passed-through drive:
firmware places memory and devices, and pinned memory follows all the same."""
import pathlib

from labkit.report import MIB, mib
from labkit.runner import Skip
from labkit.vfio import DRIVE_START
from labkit.vm import BOOT_RAM, Vm

MEMORY = ("-m", "256M,maxmem=4G,slots=2",
          "-object", "memory-backend-ram,id=mem0,size=2G",
          "-device", "virtio-mem-pci,id=vm0,memdev=mem0")
LAST = 128 * MIB


def check_memory(vm):
    for size in (0, 512 * MIB, LAST):
        vm.resize(size)
        pinned = vm.pinned()
        assert pinned == BOOT_RAM + size, \
            f"{mib(pinned)} are pinned, with {mib(size)} plugged"


def check_reboot(vm):
    """Firmware starts again, finds the disk again, and the guest plugs again what was
    requested last."""
    vm.tell("reboot -f")
    vm.qmp.event("RESET")
    vm.wait_for_guest()
    vm.wait_for_size(LAST)


def power_off(vm):
    vm.tell("poweroff -f")
    status = vm.wait_for_exit()
    assert status == 0, f"the emulator ended with status {status}"


def test_disk_boots(lab):
    """SeaBIOS boots Debian's kernel off a disk; pinned memory follows plugged memory"""
    disk = lab.disk
    with Vm(lab, *MEMORY,
            "-drive", f"file={disk},format=raw,if=none,id=disk0,readonly=on",
            "-device", "virtio-blk-pci,drive=disk0,bootindex=1",
            "-device", f"vfio-pci,host={lab.drive.address}", firmware=True) as vm:
        vm.boot()
        vm.check_drive(size=DRIVE_START)
        check_memory(vm)
        check_reboot(vm)
        power_off(vm)


def test_drive_boots(lab):
    """SeaBIOS boots Debian's kernel off a passed-through drive"""
    assert lab.disk
    with Vm(lab, *MEMORY, "-boot", "strict=on",
            "-device", f"vfio-pci,host={lab.drive.address},bootindex=0",
            firmware=True) as vm:
        vm.boot()
        check_memory(vm)
        vm.check_drive(size=DRIVE_START)
        power_off(vm)


def test_kernel_by_firmware(lab):
    """SeaBIOS starts the kernel of -kernel, with its initrd and command line"""
    if not pathlib.Path("/usr/share/qemu/linuxboot_dma.bin").exists():
        raise Skip("needs the package qemu-system-data")
    with Vm(lab, *MEMORY, "-bios", "bios-256k.bin", "-kernel", lab.bzimage,
            "-initrd", lab.initrd, "-append", "console=ttyS0 panic=-1 quiet by=bios",
            firmware=True) as vm:
        vm.boot()
        line = vm.ask("cat /proc/cmdline")
        assert line.endswith("by=bios"), line
        vm.resize(512 * MIB)
        power_off(vm)


RUN_FIRST = (test_drive_boots, test_disk_boots)
