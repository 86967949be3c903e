# SPDX-License-Identifier: GPL-2.0-or-later
"""Huge pages that the host has too few of: the guest waits, and goes on."""
import pathlib

from labkit.report import MIB, mib, say, wait_until
from labkit.vm import BOOT_RAM, Vm, peripheral

POOL = pathlib.Path("/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages")
HUGE = 2 * MIB
LINUX_BLOCK = 128 * MIB     # what the guest's driver plugs at a time


class HugePages:
    """A context in which the machine has so many bytes of huge pages."""

    def __init__(self, size):
        self.former = POOL.read_text()
        self.set(size)

    def set(self, size):
        POOL.write_text(f"{size // HUGE}\n")
        got = int(POOL.read_text()) * HUGE
        assert got == size, f"the machine has {mib(got)} of huge pages, not {mib(size)}"

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        POOL.write_text(self.former)


def last_refusal(vm):
    return vm.qmp.command("query-memory-devices")[0]["data"].get("last-refusal")


def test_run_out(lab):
    """a plug for which there are too few huge pages waits until there are more"""
    with HugePages(LINUX_BLOCK + 8 * HUGE) as pool, \
         Vm(lab, "-m", "256M,maxmem=4G,slots=1",
            "-object", "memory-backend-memfd,id=mem0,size=1G,hugetlb=on,"
                       "hugetlbsize=2M,reserve=off",
            "-device", "virtio-mem-pci,id=vm0,memdev=mem0,requested-size=0",
            "-device", f"vfio-pci,host={lab.drive.address}") as vm:
        vm.boot()
        vm.qmp.set(peripheral("vm0"), "requested-size", 2 * LINUX_BLOCK)
        refusal = wait_until("the guest asks for too much", lambda: last_refusal(vm))
        say(f"refused: {refusal['reason']}")
        assert refusal["kind"] == "prealloc", refusal
        assert vm.plugged() == LINUX_BLOCK, mib(vm.plugged())
        assert vm.pinned() == BOOT_RAM + LINUX_BLOCK, mib(vm.pinned())
        assert vm.ask("echo alive") == "alive"
        pool.set(2 * LINUX_BLOCK)
        # The driver waits for a minute, unless it is asked for something new.
        vm.resize(2 * LINUX_BLOCK - HUGE)
        assert vm.pinned() == BOOT_RAM + 2 * LINUX_BLOCK - HUGE, mib(vm.pinned())
