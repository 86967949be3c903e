# SPDX-License-Identifier: GPL-2.0-or-later
"""KVM and VFIO by descriptor: the emulator sees no /dev and no /sys, and goes on as
nobody in an empty root."""
import os
import pathlib
import tempfile

from labkit.report import MIB, wait_until
from labkit.vm import BOOT_RAM, Vm

PLUGGED = 512 * MIB
KVM, CONTAINER, GROUP = 1, 2, 3        # sets
NOBODY = "65534"


def group_of(device):
    """The file of a device's IOMMU group."""
    link = f"/sys/bus/pci/devices/{device.address}/iommu_group"
    return f"/dev/vfio/{os.path.basename(os.readlink(link))}"


def start(lab, root):
    files = ("/dev/kvm", "/dev/vfio/vfio", group_of(lab.drive))
    # A shell has names for a few descriptors only.
    opened = " ".join(f"{3 + number}<>{file}" for number, file in enumerate(files, 1))
    wrapper = ("unshare", "--mount", "prlimit", "--memlock=unlimited", "sh", "-c",
               f'exec {opened}; mount -t tmpfs none /dev; mount -t tmpfs none /sys; '
               'exec "$@"', "sh")
    sets = [word for number in range(1, len(files) + 1)
            for word in ("-add-fd", f"fd={3 + number},set={number}")]
    return Vm(lab, *sets, "-accel", f"kvm,device=/dev/fdset/{KVM}",
              "-m", "256M,maxmem=8G,slots=4",
              "-device", "pcie-root-port,id=rp0,chassis=1",
              "-object", "memory-backend-memfd,id=mem0,size=2G",
              "-device", "virtio-mem-pci,id=vm0,memdev=mem0,requested-size=0",
              "-run-with", f"chroot={root},user={NOBODY}:{NOBODY}", wrapper=wrapper)


def check_confinement(vm, root):
    """It is where, and who, it was to be."""
    process = pathlib.Path(f"/proc/{vm.process.pid}")
    assert os.path.samefile(process / "root", root)
    status = (process / "status").read_text()
    assert f"\nUid:\t{NOBODY}\t{NOBODY}\t{NOBODY}\t{NOBODY}" in status, status
    assert "\nCapPrm:\t0000000000000000" in status, status


def test_empty_root(lab):
    """without rights and files, a drive comes, twice, and follows what is plugged"""
    with tempfile.TemporaryDirectory(dir="/run") as root, start(lab, root) as vm:
        vm.boot()
        check_confinement(vm, root)
        vm.resize(PLUGGED)
        for turn in ("first", "second"):
            vm.qmp.command("device_add", driver="vfio-pci", id="drive", bus="rp0",
                           host=lab.drive.address, group=f"/dev/fdset/{GROUP}",
                           container=f"/dev/fdset/{CONTAINER}")
            vm.check_pinned(BOOT_RAM + PLUGGED, f"the {turn} time with the drive")
            wait_until("the guest finds the drive", lambda: vm.ask(
                "ls /dev/nvme0n1 2>/dev/null || echo no") != "no")
            vm.check_drive()
            vm.resize(PLUGGED // 2)
            vm.check_pinned(BOOT_RAM + PLUGGED // 2, "after an unplug")
            vm.remove("drive")
            vm.check_pinned(0, f"the {turn} time without it")
            vm.resize(PLUGGED)
