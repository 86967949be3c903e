# SPDX-License-Identifier: GPL-2.0-or-later
"""What a guest is told of itself, and what it tells when it dies."""
from labkit import identity
from labkit.report import say
from labkit.vm import Vm


def test_identity(lab):
    """the guest finds -smbios, -uuid and its generation ID; vmgenid's driver is bound"""
    with Vm(lab, "-m", "256M", *identity.OPTIONS) as vm:
        vm.boot()
        identity.check(vm)
        say(f"  {vm.ask('dmesg | grep DMI: | tail -1')}")


def test_panic(lab):
    """a guest that panics says so by pvpanic, and the VM ends, with status 0"""
    with Vm(lab, "-m", "256M", "-device", "pvpanic-pci") as vm:
        vm.boot()
        bound = vm.ask("ls /sys/bus/pci/drivers/pvpanic-pci")
        assert "0000:" in bound, f"pvpanic's driver has {bound.split()}"
        vm.tell("echo c >/proc/sysrq-trigger")
        data = vm.qmp.event("GUEST_PANICKED")["data"]
        say(f"  GUEST_PANICKED: {data}")
        assert data["action"] == "poweroff", data
        status = vm.wait_for_exit()
        assert status == 0, f"the emulator ended with status {status}"
