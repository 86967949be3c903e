# SPDX-License-Identifier: GPL-2.0-or-later
"""The machine around the memory: processors, PCI, clock, power button."""
import calendar
import time

from labkit.vm import Vm

CLOCK_SECONDS = 2           # of which the reading and the chip may be off


def check_clock(vm):
    """The guest's clock chip, which keeps UTC, and this machine's agree."""
    before = time.time()
    shown = vm.ask("cat /sys/class/rtc/rtc0/date /sys/class/rtc/rtc0/time").split()
    after = time.time()
    guest = calendar.timegm(time.strptime(" ".join(shown), "%Y-%m-%d %H:%M:%S"))
    assert before - CLOCK_SECONDS < guest < after + CLOCK_SECONDS, \
        f"the guest's clock says {guest}, but it is between {before} and {after}"


def test_machine(lab):
    """a bzImage with two CPUs, PCI by ECAM, a clock, and a power button that works"""
    with Vm(lab, "-smp", "2", "-m", "256M", "-kernel", lab.bzimage,
            "-fw_cfg", "name=opt/org.test/greeting,string=hello") as vm:
        vm.boot()
        found = vm.ask("cat /sys/firmware/qemu_fw_cfg/by_name/opt/org.test/greeting/raw"
                       "; echo")
        assert found == "hello", f"fw_cfg says '{found}'"
        cpus = vm.ask("grep -c ^processor /proc/cpuinfo")
        assert cpus == "2", f"the guest sees {cpus} CPUs"
        places = vm.ask("cd /sys/devices/system/cpu/cpu1/topology; "
                        "cat physical_package_id core_id").split()
        assert places == ["0", "1"], f"CPU 1 is in socket and core {places}"
        vm.ask("test -e /sys/firmware/acpi/tables/MCFG")
        vm.ask("grep -E 'PCI (MMCONFIG|ECAM) 0000' /proc/iomem")
        check_clock(vm)
        vm.ask("grep -q 'Power Button' /sys/class/input/event*/device/name")
        vm.qmp.command("system_powerdown")
        status = vm.wait_for_exit()
        assert status == 0, f"the emulator ended with status {status}"
