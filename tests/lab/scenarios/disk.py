# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest with a disk of its own, beside a passed-through drive: what it writes is
in the image, also while memory comes and goes, and over a reboot."""
import hashlib
import pathlib
import shutil
import tempfile

from labkit import qcow2
from labkit.report import MIB, mib, say
from labkit.runner import Skip
from labkit.vm import BOOT_RAM, Vm

SIZE = 96 * MIB
PLUGGED = 512 * MIB
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
