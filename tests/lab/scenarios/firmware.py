# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest that SeaBIOS or OVMF boots by GRUB off a disk, or off a passed-through drive:
firmware places memory and devices, and pinned memory follows all the same."""
import hashlib
import os
import pathlib
import shutil
import struct
import tempfile

from labkit import disks, identity
from labkit.report import MIB, mib, say
from labkit.runner import Skip
from labkit.vfio import DRIVE_START
from labkit.vm import BOOT_RAM, Vm

REGION = 2048 * MIB
SPARSE = ("-object", f"memory-backend-memfd,id=mem0,size={REGION}",
          "-device", "virtio-mem-pci,id=vm0,memdev=mem0")
MEMORY = ("-m", "256M,maxmem=4G,slots=2", *SPARSE)
# The steps of the scenario grow, after a start with nothing plugged.
STEPS = (0, 512 * MIB, 1024 * MIB, 256 * MIB)
LAST = STEPS[-1]
GIB = 1 << 30
IORESOURCE_MEM = 0x200
# GRUB gives up on UEFI with 256 MiB, also on another emulator.
UEFI_RAM = 384 * MIB
# OVMF leaves ROM over the RAM from 768 KiB to 1 MiB, which nobody needs then.
UEFI_HIDDEN = 256 << 10
OVMF = pathlib.Path("/usr/share/OVMF")
IPXE = pathlib.Path("/usr/lib/ipxe/qemu/efi-virtio.rom")


def backed(vm):
    """Bytes of the virtio-mem device's region that the host has memory for."""
    for link in pathlib.Path(f"/proc/{vm.process.pid}/fd").iterdir():
        if os.readlink(link).startswith("/memfd:") and link.stat().st_size == REGION:
            return link.stat().st_blocks * 512
    raise AssertionError("the emulator has no memfd of the region's size")


def check_memory(vm, boot_ram=BOOT_RAM):
    """Nothing but what is plugged is pinned, or was touched by firmware, at each step;
    with a passed-through drive, which has all of that."""
    for size in STEPS:
        vm.resize(size)
        pinned, there = vm.pinned(), backed(vm)
        say(f"  plugged {mib(size)}, pinned {mib(pinned)}, backed {mib(there)}")
        assert pinned == boot_ram + size, \
            f"{mib(pinned)} are pinned, with {mib(size)} plugged"
        assert there == size, f"{mib(there)} are backed, with {mib(size)} plugged"


def check_windows(vm):
    """What firmware has placed above 4 GiB is behind the room for memory devices; the
    addresses."""
    device = vm.qmp.command("query-memory-devices")[0]["data"]
    text = vm.ask("cat /sys/bus/pci/devices/*/resource")
    rows = [[int(word, 16) for word in line.split()] for line in text.splitlines()]
    bars = [start for start, _, flags in rows
            if flags & IORESOURCE_MEM and start >= 4 * GIB]
    for bar in bars:
        assert bar >= device["memaddr"] + device["max-size"], \
            f"a BAR is at {bar:#x}, and memory from {device['memaddr']:#x} on"
    return bars


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
            "-device", f"vfio-pci,host={lab.drive.address}", *identity.OPTIONS,
            firmware=True) as vm:
        vm.boot()
        vm.check_drive(size=DRIVE_START)
        identity.check(vm)
        check_windows(vm)
        check_memory(vm)
        check_reboot(vm)
        identity.check(vm)
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


def find_rom(vm):
    """The path of the drive's ROM in the guest's sysfs."""
    return vm.ask("for d in /sys/bus/pci/devices/*; do "
                  "[ $(cat $d/class) = 0x010802 ] && echo $d; done; true") + "/rom"


def test_drive_rom(lab):
    """a passed-through drive's ROM is what the host reads of it, unless it is hidden"""
    drive = lab.others.drive
    expected = drive.rom()
    assert expected, "the host reads no option ROM of the drive"
    drive.give_to("vfio-pci")
    for option, there in (("", True), (",rombar=0", False)):
        with Vm(lab, "-m", "256M",
                "-device", f"vfio-pci,host={drive.address}{option}") as vm:
            vm.boot()
            rom = find_rom(vm)
            assert (vm.ask(f"test -e {rom} && echo yes; true") == "yes") == there, \
                f"rom{option}: not as expected"
            if there:
                found = vm.ask(f"echo 1 >{rom} && sha256sum <{rom} && echo 0 >{rom}",
                               "the guest reads the drive's ROM").split()[0]
                assert found == hashlib.sha256(expected).hexdigest(), found
                assert vm.pinned() == BOOT_RAM, f"{vm.pinned()} bytes are pinned"
            power_off(vm)


def test_network_boots(lab):
    """iPXE, SeaBIOS's choice, boots Debian's kernel by DHCP and TFTP of -netdev user"""
    if not IPXE.exists():
        raise Skip("needs the package ipxe-qemu")
    with tempfile.TemporaryDirectory(prefix="tftp-", dir="/run") as directory:
        served = pathlib.Path(directory)
        (served / "boot.ipxe").write_text(
            "#!ipxe\nkernel vmlinuz console=ttyS0 panic=-1 quiet by=ipxe\n"
            "initrd guest.img\nboot\n")
        (served / "vmlinuz").symlink_to(lab.bzimage)
        (served / "guest.img").symlink_to(lab.initrd)
        with Vm(lab, *MEMORY, "-machine", "graphics=off", "-boot", "strict=on",
                "-netdev", f"user,id=net0,tftp={served},bootfile=boot.ipxe",
                "-device", "virtio-net-pci,netdev=net0,bootindex=0",
                firmware=True) as vm:
            vm.wait_for_text("SeaBIOS starts iPXE", "iPXE .* starting execution")
            vm.boot()
            check_loader(vm, "ipxe")
            vm.resize(512 * MIB)
            power_off(vm)


def test_kernel_by_firmware(lab):
    """SeaBIOS starts the kernel of -kernel, with its initrd and command line"""
    if not pathlib.Path("/usr/share/qemu/linuxboot_dma.bin").exists():
        raise Skip("needs the package qemu-system-data")
    with Vm(lab, *MEMORY, "-bios", "bios-256k.bin", "-kernel", lab.bzimage,
            "-initrd", lab.initrd, "-append", "console=ttyS0 panic=-1 quiet by=bios",
            # Whose ROM a CPU reads, though nothing may be opened.
            "-device", "virtio-net-pci", "-sandbox", "on,hotplug=off",
            firmware=True) as vm:
        vm.boot()
        line = vm.ask("cat /proc/cmdline")
        assert line.endswith("by=bios"), line
        vm.resize(512 * MIB)
        power_off(vm)


class Ovmf:
    """OVMF with variables of its own, which are kept from one emulator to the next; a
    context manager."""

    def __init__(self, lab):
        self._lab = lab
        if not (OVMF / "OVMF_CODE_4M.fd").exists():
            raise Skip("needs the package ovmf")
        if not lab.uefi:
            raise Skip("would end the lab: kvm-amd is not as labkit/cr8.py knows it")
        if not disks.can_boot(disks.UEFI):
            raise Skip("needs the package grub-efi-amd64-bin")
        self._directory = tempfile.TemporaryDirectory(prefix="ovmf-", dir="/run")
        self._variables = pathlib.Path(self._directory.name, "vars.fd")
        shutil.copy(OVMF / "OVMF_VARS_4M.fd", self._variables)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self._directory.cleanup()

    def start(self, *arguments):
        return Vm(self._lab, "-m", f"{UEFI_RAM // MIB}M,maxmem=4G,slots=2", *SPARSE,
                  "-drive", "if=pflash,format=raw,readonly=on,"
                            f"file={OVMF}/OVMF_CODE_4M.fd",
                  "-drive", f"if=pflash,format=raw,file={self._variables}", *arguments,
                  firmware=True)


def load_option(path):
    """UEFI's description of a program on the disk, for a variable Boot####."""
    name = path.replace("/", "\\").encode("utf-16-le") + b"\0\0"
    partition = struct.pack("<BBHIQQ16sBB", 4, 1, 42, disks.ESP_NUMBER, disks.PARTITION,
                            disks.ESP_SECTORS, disks.ESP_ID.bytes_le, 2, 2)
    place = partition + struct.pack("<BBH", 4, 4, 4 + len(name)) + name + \
        b"\x7f\xff\4\0"
    return struct.pack("<IH", 1, len(place)) + "lab\0".encode("utf-16-le") + place


def set_variable(vm, name, value):
    """A boot variable that stays and that the guest's kernel may read, too."""
    octal = "".join(f"\\{byte:03o}" for byte in struct.pack("<I", 7) + value)
    vm.ask(f"printf '{octal}' >/tmp/value && cat /tmp/value >/sys/firmware/efi/efivars/"
           f"{name}-8be4df61-93ca-11d2-aa0d-00e098032b8c", f"the guest sets {name}")


def check_loader(vm, which):
    line = vm.ask("cat /proc/cmdline")
    assert line.endswith(f"by={which}"), line


def test_uefi(lab):
    """OVMF boots off a disk, then off a passed-through drive, as a boot variable says"""
    with Ovmf(lab) as ovmf:
        with ovmf.start("-drive",
                        f"file={lab.disk},format=raw,if=none,id=disk0,readonly=on",
                        "-device", "virtio-blk-pci,drive=disk0,bootindex=0",
                        *identity.OPTIONS) as vm:
            vm.boot()
            check_loader(vm, "default")
            identity.check(vm)
            bars = check_windows(vm)
            assert bars, "OVMF has placed no BAR above 4 GiB"
            say(f"  BARs above 4 GiB: {' '.join(hex(bar) for bar in bars)}")
            assert not backed(vm), f"OVMF has touched {mib(backed(vm))} of the region"
            vm.resize(512 * MIB)
            vm.ask("mount -t efivarfs none /sys/firmware/efi/efivars")
            set_variable(vm, "Boot00AA", load_option(disks.OTHER_LOADER))
            set_variable(vm, "BootOrder", struct.pack("<H", 0xaa))
            power_off(vm)
        with ovmf.start("-device", f"vfio-pci,host={lab.drive.address}") as vm:
            vm.boot()
            check_loader(vm, "variable")
            check_memory(vm, UEFI_RAM - UEFI_HIDDEN)
            vm.check_drive(size=DRIVE_START)
            power_off(vm)


RUN_FIRST = (test_uefi, test_network_boots, test_drive_boots, test_disk_boots)
