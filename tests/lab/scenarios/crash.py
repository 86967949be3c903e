# SPDX-License-Identifier: GPL-2.0-or-later
"""What ends without having cleaned up: the emulator, the guest's kernel, its driver."""
import pathlib
import tempfile
import time

from labkit.images import with_files
from labkit.report import MIB, mib, say, wait_until
from labkit.vfio import DRIVE_START
from labkit.vm import BOOT_RAM, Vm, peripheral

SIZE = 512 * MIB
LARGE = 2048 * MIB
BLOCK = 128 * MIB           # what Linux onlines at a time
DRIVER = "/sys/bus/virtio/drivers/virtio_mem"
APPEND = "console=ttyS0 panic=-1 quiet"


def start(lab, requested, *arguments):
    return Vm(lab, "-m", "256M,maxmem=4G,slots=2",
              "-object", "memory-backend-ram,id=mem0,size=2G",
              "-device", "virtio-mem-pci,id=vm0,memdev=mem0,"
                         f"requested-size={requested}",
              "-device", f"vfio-pci,host={lab.drive.address}", *arguments)


def check_pinned(vm):
    """What is pinned is boot RAM and what is plugged, at any time; the latter."""
    while True:
        plugged, pinned = vm.plugged(), vm.pinned()
        if plugged == vm.plugged():
            break
    assert pinned == BOOT_RAM + plugged, \
        f"{mib(plugged)} are plugged, but {mib(pinned)} pinned"
    return plugged


def test_killed_emulator(lab):
    """an emulator that is killed at work leaves the drive to the next one"""
    with start(lab, SIZE) as vm:
        vm.boot()
        vm.wait_for_size(SIZE)
        check_pinned(vm)
        vm.tell("dd if=/dev/nvme0n1 of=/dev/null bs=16M iflag=direct")
        time.sleep(1)
        vm.process.kill()
        vm.process.wait()
    with start(lab, SIZE) as vm:
        vm.boot()
        vm.wait_for_size(SIZE)
        assert check_pinned(vm) == SIZE
        vm.check_drive(size=DRIVE_START)


def kexec_initrd(lab, directory):
    """The guest's initramfs with all that it takes to boot itself once more."""
    files = {"kexec": lab.kexec, "kernel": lab.bzimage, "initrd": lab.initrd}
    return with_files(lab.initrd, files, pathlib.Path(directory, "initrd"))


def bind(vm, action, device):
    """Have the guest bind or unbind the driver; whether that was possible."""
    return vm.ask(f"echo {device} >{DRIVER}/{action} && echo yes || echo no"
                  ).endswith("yes")


def test_kexec_and_driver(lab):
    """kexec, and a driver that dies while it plugs: pinned is what is plugged all along"""
    with tempfile.TemporaryDirectory(dir="/run") as directory, \
            start(lab, SIZE, "-initrd", kexec_initrd(lab, directory)) as vm:
        vm.boot()
        vm.wait_for_size(SIZE)
        memory = vm.mem_total()
        seen = {check_pinned(vm)}
        vm.tell(f"/kexec /kernel /initrd '{APPEND}'")
        # The new kernel's driver finds plugged memory that it knows nothing of,
        # unplugs all and starts anew.
        wait_until("the new kernel unplugs all",
                   lambda: seen.add(check_pinned(vm)) or min(seen) < SIZE)
        vm.wait_for_guest()
        vm.wait_for_size(SIZE)
        check_pinned(vm)
        wait_until("the guest onlines memory",
                   lambda: abs(vm.mem_total() - memory) < BLOCK)
        say(f"kexec: {mib(SIZE)} plugged before and after")

        device = vm.ask(f"cd {DRIVER}; echo virtio*")
        vm.resize(0)
        # The driver unplugs first and has Linux forget the memory then. One that goes
        # in between leaves it behind, and the next finds its place taken.
        wait_until("the guest removes the memory", lambda: vm.ask(
            "grep -c 'System RAM (virtio_mem)' /proc/iomem; true").endswith("0"))
        assert bind(vm, "unbind", device)
        vm.qmp.set(peripheral("vm0"), "requested-size", LARGE)
        assert bind(vm, "bind", device)
        wait_until("the new driver plugs", lambda: check_pinned(vm) > 0)
        assert bind(vm, "unbind", device)
        plugged = check_pinned(vm)
        assert 0 < plugged < LARGE, f"{mib(plugged)} are plugged without the driver"
        # Linux keeps the memory, and refuses a driver that does not know it.
        again = bind(vm, "bind", device)
        say(f"the driver was unbound at {mib(plugged)}, and bound: {again}")
        assert check_pinned(vm) == plugged or again
        vm.check_drive(size=DRIVE_START)
        vm.tell("reboot -f")
        vm.qmp.event("RESET")
        assert check_pinned(vm) == 0
        vm.wait_for_guest()
        vm.wait_for_size(LARGE)
        check_pinned(vm)
