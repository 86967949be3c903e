# SPDX-License-Identifier: GPL-2.0-or-later
"""A system reset unplugs; a device's reset, such as a driver's reload, does not."""
import time

from labkit.report import MIB, mib, say
from labkit.vm import BOOT_RAM, Vm, peripheral

SIZE = 256 * MIB
REBOOTS = 20


def start(lab, *arguments):
    return Vm(lab, "-m", "256M,maxmem=4G,slots=2",
              "-object", "memory-backend-ram,id=mem0,size=1G",
              "-device", f"virtio-mem-pci,id=vm0,memdev=mem0,requested-size={SIZE}",
              "-device", f"vfio-pci,host={lab.drive.address}", *arguments)


def check_pinned(vm, plugged, when):
    pinned = vm.pinned()
    assert pinned == BOOT_RAM + plugged, \
        f"{when}: pinned is {mib(pinned)}, not {mib(BOOT_RAM + plugged)}"


def test_reboot_unplugs(lab):
    """a reboot unplugs and unpins all memory, and the guest then plugs it again"""
    with start(lab) as vm:
        vm.boot()
        vm.wait_for_size(SIZE)
        check_pinned(vm, SIZE, "before the reboot")
        vm.tell("reboot -f")
        vm.qmp.event("RESET")
        plugged = vm.plugged()
        assert plugged == 0, f"after the reset {mib(plugged)} are plugged"
        check_pinned(vm, 0, "after the reset")
        requested = vm.qmp.get(peripheral("vm0"), "requested-size")
        assert requested == SIZE, f"the reset made requested-size {requested}"
        vm.wait_for_guest()
        vm.wait_for_size(SIZE)
        check_pinned(vm, SIZE, "after the reboot")
        vm.tell("poweroff -f")
        status = vm.wait_for_exit()
        assert status == 0, f"after poweroff the emulator ended with status {status}"


def test_driver_reload_keeps(lab):
    """what is plugged stays plugged and pinned while the driver is away"""
    with start(lab) as vm:
        vm.boot()
        vm.wait_for_size(SIZE)
        vm.ask("for dev in /sys/bus/virtio/drivers/virtio_mem/virtio*; do "
               "echo ${dev##*/} >/sys/bus/virtio/drivers/virtio_mem/unbind; done")
        plugged = vm.plugged()
        assert plugged == SIZE, f"without its driver {mib(plugged)} are plugged"
        check_pinned(vm, SIZE, "without its driver")
        vm.tell("poweroff -f")
        vm.wait_for_exit()


def test_no_reboot_exits(lab):
    """with -no-reboot a reboot ends the emulator, with status 0"""
    with start(lab, "-no-reboot") as vm:
        vm.boot()
        vm.tell("reboot -f")
        status = vm.wait_for_exit()
        assert status == 0, f"the emulator ended with status {status}"


def test_many_reboots(lab):
    """after each of twenty reboots nothing is plugged, and boot RAM pinned"""
    with start(lab) as vm:
        for turn in range(1, REBOOTS + 1):
            vm.wait_for_size(SIZE)
            check_pinned(vm, SIZE, f"before reboot {turn}")
            if turn == 1:
                vm.wait_for_guest()
                vm.tell("reboot -f")
            else:  # sooner than the guest could
                vm.qmp.command("system_reset")
            vm.qmp.event("RESET")
            plugged = vm.plugged()
            assert plugged == 0, f"after reboot {turn} {mib(plugged)} are plugged"
            check_pinned(vm, 0, f"after reboot {turn}")
        seconds = time.monotonic() - vm.started
        say(f"{REBOOTS} times {mib(SIZE)} plugged, {seconds / REBOOTS:.1f} s each")


RUN_FIRST = (test_many_reboots,)
