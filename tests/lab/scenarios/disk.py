# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest with a disk of its own, beside a passed-through drive: what it writes is
in the image, also while memory comes and goes, and over a reboot. So it is for a Debian
whose root file system is on the disk."""
import hashlib
import pathlib
import shutil
import subprocess
import tempfile

from labkit import debian, disks, qcow2
from labkit.report import MIB, mib, say
from labkit.runner import Skip
from labkit.vm import BOOT_RAM, Vm

SIZE = 96 * MIB
PLUGGED = 512 * MIB
DATA = 16 * MIB             # what a Debian writes
DISK = "/dev/vda"


def digest(image):
    return hashlib.sha256(image.read_bytes()).hexdigest()


def read_disk(vm, source=DISK):
    """What the guest reads of SOURCE, as a digest; past its page cache."""
    return vm.ask(f"dd if={source} bs=4M count={SIZE // (4 * MIB)} iflag=direct "
                  "2>/dev/null | sha256sum", f"the guest reads {source}").split()[0]


def resize(vm, sizes):
    for size in sizes:
        vm.resize(size)
        assert vm.pinned() == BOOT_RAM + size, \
            f"{mib(vm.pinned())} are pinned at {mib(size)} plugged"


def check_copy(vm, image):
    """The guest copies the start of the drive to its disk, and is resized meanwhile;
    the requests of both are in memory that comes and goes."""
    vm.tell(f"dd if=/dev/nvme0n1 of={DISK} bs=4M count={SIZE // (4 * MIB)} "
            "iflag=direct oflag=direct conv=fsync 2>/dev/null")
    resize(vm, (PLUGGED, PLUGGED // 4, PLUGGED // 2))
    expected = read_disk(vm, "/dev/nvme0n1")
    found = digest(image)
    assert found == expected, f"the image has {found}, and not {expected}"
    assert read_disk(vm) == expected
    say(f"  {mib(SIZE)} were copied to the disk: sha256 {found[:16]}...")
    return expected


def check_zeroes(vm, image):
    """Blocks that the guest gives up take no room in the image any more."""
    before = image.stat().st_blocks * 512
    vm.ask(f"blkdiscard -o {SIZE // 2} {DISK}", "the guest discards blocks")
    after = image.stat().st_blocks * 512
    assert after <= before - SIZE // 2, f"{mib(before)}, then {mib(after)} are used"


def test_image_has_what_the_guest_writes(lab):
    """a guest's disk is right while memory comes and goes, and after a reboot"""
    with tempfile.TemporaryDirectory(prefix="disk-", dir="/run") as directory:
        image = pathlib.Path(directory, "image")
        with open(image, "wb") as file:
            file.truncate(SIZE)
        with Vm(lab, "-m", "256M,maxmem=4G,slots=2",
                "-object", "memory-backend-ram,id=mem0,size=2G",
                "-device", "virtio-mem-pci,id=vm0,memdev=mem0",
                "-drive", f"file={image},format=raw,if=none,id=disk0,discard=unmap",
                "-device", "virtio-blk-pci,drive=disk0,serial=lab",
                "-device", f"vfio-pci,host={lab.drive.address}") as vm:
            vm.boot()
            serial = vm.ask("echo $(cat /sys/block/vda/serial)")
            assert serial == "lab", f"the disk's serial number is {serial}"
            expected = check_copy(vm, image)
            vm.tell("reboot -f")
            vm.qmp.event("RESET")
            vm.wait_for_guest()
            assert read_disk(vm) == expected, "after the reboot it is another one"
            check_zeroes(vm, image)
            vm.tell("poweroff -f")
            status = vm.wait_for_exit()
            assert status == 0, f"the emulator ended with status {status}"


def start(lab, image):
    """A guest with an image that is not raw, which QEMU's storage daemon opens."""
    return Vm(lab, "-m", "256M,maxmem=4G,slots=2",
              "-object", "memory-backend-ram,id=mem0,size=2G",
              "-device", "virtio-mem-pci,id=vm0,memdev=mem0",
              "-blockdev", f"driver=file,filename={image},node-name=file0",
              "-blockdev", "driver=qcow2,file=file0,node-name=disk0",
              "-device", "virtio-blk-pci,drive=disk0",
              "-device", f"vfio-pci,host={lab.drive.address}")


def check_served(vm):
    """Besides the drive the storage daemon has, in each step, what is plugged."""
    info = vm.qmp.command("query-ram-discard", region="mem0")[0]
    mapped = {entry["kind"]: entry["mapped"] for entry in info["listeners"]}
    assert mapped["vhost-user"] == mapped["vfio"] == vm.plugged(), mapped


def test_qcow2(lab):
    """a qcow2 disk is right while memory comes and goes, and in the next guest"""
    if not shutil.which("qemu-storage-daemon"):
        raise Skip("qemu-storage-daemon is not installed (package qemu-system-common)")
    with tempfile.TemporaryDirectory(prefix="disk-", dir="/run") as directory:
        image = pathlib.Path(directory, "image")
        qcow2.create(image, SIZE)
        with start(lab, image) as vm:
            vm.boot()
            vm.tell(f"dd if=/dev/nvme0n1 of={DISK} bs=4M count={SIZE // (4 * MIB)} "
                    "iflag=direct oflag=direct conv=fsync 2>/dev/null")
            for size in (PLUGGED, PLUGGED // 4, PLUGGED // 2):
                resize(vm, (size,))
                check_served(vm)
            expected = read_disk(vm, "/dev/nvme0n1")
            assert read_disk(vm) == expected
            vm.tell("poweroff -f")
            assert vm.wait_for_exit() == 0
        say(f"  {mib(SIZE)} are in {mib(image.stat().st_size)} of qcow2")
        with start(lab, image) as vm:
            vm.boot()
            resize(vm, (PLUGGED,))
            assert read_disk(vm) == expected, "in the next guest it is another one"
            vm.tell("poweroff -f")
            assert vm.wait_for_exit() == 0


def check_debian(vm):
    """Systemd has started all that it was to start, and the root file system works
    while memory comes and goes."""
    init = vm.ask("readlink /proc/1/exe")
    assert init.endswith("/systemd"), f"init is {init}"
    failed = vm.ask("systemctl list-units --failed --plain --no-legend")
    assert not failed, f"these failed: {failed}"
    root = vm.ask("findmnt --noheadings --output SOURCE,FSTYPE,OPTIONS /")
    assert "/dev/vda1 ext4 rw" in " ".join(root.split()), f"the root is {root}"
    vm.tell(f"dd if=/dev/urandom of=/root/data bs=1M count={DATA // MIB}")
    for size in (PLUGGED, PLUGGED // 4):
        vm.resize(size)
    return vm.ask("sha256sum /root/data")


def reboot_debian(vm):
    """It starts again, and its root file system had no fault before that was written
    to."""
    vm.tell("systemctl reboot")
    vm.qmp.event("RESET")
    vm.log_in()
    checked = vm.ask("dmesg | grep root-init")
    assert checked.endswith("e2fsck ended with status 0"), checked


def power_off_debian(vm):
    vm.tell("systemctl poweroff")
    status = vm.wait_for_exit()
    assert status == 0, f"the emulator ended with status {status}"


def run_debian(lab, disk, **how):
    """Debian on DISK starts, writes, and has what it wrote when it starts again."""
    with Vm(lab, "-m", "256M,maxmem=4G,slots=2",
            "-object", "memory-backend-ram,id=mem0,size=2G",
            "-device", "virtio-mem-pci,id=vm0,memdev=mem0", *disk, **how) as vm:
        say(f"  Debian's login is there {vm.log_in():.0f} s after the emulator's start")
        written = check_debian(vm)
        reboot_debian(vm)
        found = vm.ask("sha256sum /root/data")
        assert found == written, f"{written} was written, {found} is there"
        power_off_debian(vm)


def test_debian(lab):
    """Debian boots off a raw disk, by an I/O thread, to a login; it has what it wrote"""
    with tempfile.TemporaryDirectory(prefix="disk-", dir="/run") as directory:
        image = pathlib.Path(directory, "image")
        subprocess.run(["cp", "--sparse=always", lab.debian, image], check=True)
        run_debian(lab, ("-object", "iothread,id=io0",
                         "-drive", f"file={image},format=raw,if=none,id=disk0",
                         "-device", "virtio-blk-pci,drive=disk0,iothread=io0"),
                   root="/dev/vda1")


def test_debian_on_qcow2(lab):
    """SeaBIOS boots Debian off a qcow2 disk with a backing file; it has what it wrote"""
    if not shutil.which("qemu-storage-daemon"):
        raise Skip("qemu-storage-daemon is not installed (package qemu-system-common)")
    if not disks.can_boot():
        raise Skip("needs the packages grub-pc-bin and grub-common")
    with tempfile.TemporaryDirectory(prefix="disk-", dir="/run") as directory:
        image = pathlib.Path(directory, "image")
        qcow2.create(image, debian.SIZE)
        run_debian(lab, ("-blockdev",
                         f"driver=file,filename={lab.debian},node-name=file0,"
                         "read-only=on",
                         "-blockdev", f"driver=file,filename={image},node-name=file1",
                         "-blockdev", "driver=raw,file=file0,node-name=base,"
                                      "read-only=on",
                         "-blockdev", "driver=qcow2,file=file1,backing=base,"
                                      "node-name=disk0",
                         "-device", "virtio-blk-pci,drive=disk0"), firmware=True)
        say(f"  {mib(image.stat().st_size)} of qcow2 were written")


WANTS = ("DEBIAN",)
RUN_FIRST = (test_debian, test_debian_on_qcow2)
