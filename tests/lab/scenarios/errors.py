# SPDX-License-Identifier: GPL-2.0-or-later
"""What cannot work is refused before the guest starts: one line, exit status 1."""
import re

from labkit.report import MIB
from labkit.vm import Vm

LOCK_LIMIT = 64 * MIB
# type1 hands out 65535 mappings; blocks of 2 MiB would use them up at 128 GiB.
TOO_LARGE = ("-m", "256M,maxmem=300G,slots=2",
             "-object", "memory-backend-ram,id=mem0,size=256G",
             "-device", "virtio-mem-pci,id=vm0,memdev=mem0,block-size=2M")


def drive_argument(lab):
    return "-device", f"vfio-pci,host={lab.drive.address}"


def assert_names(line, *patterns):
    for pattern in patterns:
        assert re.search(pattern, line), f"no {pattern} in: {line}"


def size_pattern(size):
    """A size in any unit that a message may use."""
    return rf"\b({size}|{size // 1024} ?Ki?B|{size // MIB} ?(MiB?|MB))(?!\w)"


def test_unbound_device(lab):
    """a device that vfio-pci does not have is refused by its address"""
    driver = lab.drive.driver()
    lab.drive.give_to(None)
    try:
        with Vm(lab, "-m", "256M", *drive_argument(lab)) as vm:
            assert_names(vm.refusal(), re.escape(lab.drive.address), "bound|bind")
    finally:
        lab.drive.give_to(driver)


def test_lock_limit(lab):
    """too low a limit on locked memory is refused with what is needed and allowed"""
    # Root is above the limit unless it lacks CAP_IPC_LOCK.
    wrapper = ("setpriv", "--bounding-set=-ipc_lock", "--inh-caps=-ipc_lock",
               "prlimit", f"--memlock={LOCK_LIMIT}:{LOCK_LIMIT}")
    with Vm(lab, "-m", "256M", *drive_argument(lab), wrapper=wrapper) as vm:
        assert_names(vm.refusal(), size_pattern(LOCK_LIMIT), size_pattern(256 * MIB))


def test_too_many_mappings(lab):
    """a device that could need more mappings than there are is refused in advance"""
    with Vm(lab, *TOO_LARGE, *drive_argument(lab)) as vm:
        assert_names(vm.refusal(), r"\b6553[0-9]\b", "block-size")


def test_no_kvm(lab):
    """without /dev/kvm, -accel kvm is refused"""
    wrapper = ("unshare", "--mount", "sh", "-c",
               'mount -t tmpfs none /dev && exec "$@"', "sh")
    with Vm(lab, "-m", "256M", wrapper=wrapper) as vm:
        assert_names(vm.refusal(), "/dev/kvm|KVM")
