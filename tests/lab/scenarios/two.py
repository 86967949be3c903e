# SPDX-License-Identifier: GPL-2.0-or-later
"""Two virtio-mem devices, apart from each other and above 4 GiB, with the drive."""
from labkit.report import MIB, Table, mib
from labkit.vm import BOOT_RAM, Vm, peripheral

GIB = 1 << 30
SECOND_ADDRESS = 8 * GIB
# The last step leaves the second device alone with what the drive's DMA needs.
STEPS = ((256 * MIB, 0), (256 * MIB, 128 * MIB), (128 * MIB, 512 * MIB),
         (0, 512 * MIB))


def test_two_devices(lab):
    """two devices are resized each for itself, and pinned is their sum"""
    with Vm(lab, "-m", "256M,maxmem=12G,slots=4",
            "-object", "memory-backend-ram,id=mem0,size=1G",
            "-object", "memory-backend-ram,id=mem1,size=1G",
            "-device", "virtio-mem-pci,id=vm0,memdev=mem0,node=0",
            "-device", "virtio-mem-pci,id=vm1,memdev=mem1,node=0,"
                       f"memaddr={SECOND_ADDRESS:#x}",
            "-device", f"vfio-pci,host={lab.drive.address}") as vm:
        vm.boot()
        address = vm.qmp.get(peripheral("vm1"), "memaddr")
        assert address == SECOND_ADDRESS, f"vm1 is at {address:#x}"
        table = Table("vm0", "vm1", "pinned")
        for first, second in STEPS:
            vm.resize(first, "vm0")
            vm.resize(second, "vm1")
            pinned = vm.pinned()
            table.row(mib(first), mib(second), mib(pinned))
            assert pinned == BOOT_RAM + first + second, \
                f"row {mib(first)}, {mib(second)}: pinned is {mib(pinned)}, " \
                f"not {mib(BOOT_RAM + first + second)}"
        vm.check_drive()
        vm.tell("poweroff -f")
        vm.wait_for_exit()
