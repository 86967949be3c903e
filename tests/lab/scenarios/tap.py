# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest with a network by a tap interface in the emulator's own process, beside a
passed-through drive: files come and go while memory is plugged and unplugged.

On demand, for an open fault of the lab: once in a while the guest restarts in the midst
of a transfer, by a triple fault (docs/lab.md)."""
from labkit.network import (INTERFACE, check_fetch, check_send, set_up_guest,
                            set_up_interface)
from labkit.report import MIB, mib
from labkit.vm import BOOT_RAM, Vm

ON_DEMAND = True
PLUGGED = 512 * MIB


def come_and_go(vm):
    """A function that has memory come and go while the guest's command NUMBER runs."""
    def meanwhile(number):
        for size in (PLUGGED, PLUGGED // 2):
            vm.resize(size)
            assert vm.pinned() == BOOT_RAM + size, \
                f"after command {number} began: {mib(vm.pinned())} are pinned"
    return meanwhile


def test_files_come_and_go(lab):
    """a guest fetches and sends files by tap while memory comes and goes"""
    with Vm(lab, "-m", "256M,maxmem=4G,slots=2",
            "-object", "memory-backend-ram,id=mem0,size=2G",
            "-device", "virtio-mem-pci,id=vm0,memdev=mem0",
            "-netdev", f"tap,id=net0,ifname={INTERFACE},script=no,downscript=no",
            "-device", "virtio-net-pci,netdev=net0",
            "-device", "virtio-rng-pci",
            "-device", f"vfio-pci,host={lab.drive.address}") as vm:
        vm.boot()
        set_up_interface(INTERFACE)
        set_up_guest(vm)
        check_fetch(vm, come_and_go(vm))
        check_send(vm, come_and_go(vm), drive="/dev/nvme0n1")
        source = vm.ask("cat /sys/class/misc/hw_random/rng_current")
        assert source.startswith("virtio_rng"), f"random bytes come from {source}"
        vm.ask("dd if=/dev/hwrng of=/dev/null bs=1k count=16")
        vm.check_drive()
