# SPDX-License-Identifier: GPL-2.0-or-later
"""What else follows a guest's memory: locking, dumps, and a balloon, which does
not follow anything."""
import pathlib
import subprocess
import tempfile

from labkit.report import MIB, mib, say, wait_until
from labkit.vm import BOOT_RAM, Vm

USE_MEMORY = "dd if=/dev/zero of=/dev/null bs=96M count=1"
MEMORY = ("-m", "256M,maxmem=4G,slots=2",
          "-object", "memory-backend-memfd,id=mem0,size=2G",
          "-device", "virtio-mem-pci,id=vm0,memdev=mem0,requested-size=0")


def check_locked(vm):
    locked, plugged = vm.pinned(), vm.plugged()
    assert locked == BOOT_RAM + plugged, \
        f"locked are {mib(locked)}, but boot RAM and plugged memory are " \
        f"{mib(BOOT_RAM + plugged)}"


def loads(path):
    """(address, bytes) of the PT_LOAD headers of a core, by readelf."""
    text = subprocess.run(["readelf", "-Wl", path], check=True,
                          capture_output=True, text=True).stdout
    words = [line.split() for line in text.splitlines() if " LOAD " in line]
    return [(int(w[3], 16), int(w[4], 16)) for w in words]


def test_locked_memory_follows(lab):
    """mem-lock=on: what is locked is boot RAM and plugged memory; a dump has it"""
    with Vm(lab, *MEMORY, "-overcommit", "mem-lock=on") as vm, \
            tempfile.TemporaryDirectory(dir="/run") as directory:
        vm.boot()
        check_locked(vm)
        for size in (256 * MIB, 128 * MIB, 192 * MIB):
            vm.resize(size)
            check_locked(vm)
        path = pathlib.Path(directory, "core")
        vm.qmp.command("dump-guest-memory", paging=False,
                       protocol=f"file:{path}", detach=True)
        event = vm.qmp.event("DUMP_COMPLETED")
        assert event["data"]["result"]["status"] == "completed", event
        sizes = sum(size for _, size in loads(path))
        assert sizes == BOOT_RAM + vm.plugged(), \
            f"the dump has {mib(sizes)}, not {mib(BOOT_RAM + vm.plugged())}"
        say(f"{mib(sizes)} dumped, {path.stat().st_blocks // 2048} MiB of disk")
        check_locked(vm)
        assert vm.ask("echo alive") == "alive"


def resident(vm):
    """Bytes of memfds that the emulator has in its memory."""
    text = pathlib.Path(f"/proc/{vm.process.pid}/status").read_text()
    words = dict(line.split(":", 1) for line in text.splitlines())
    return sum(int(words[key].split()[0]) * 1024
               for key in ("RssShmem", "RssAnon"))


def test_balloon_gives_memory_back(lab):
    """a balloon shrinks what the guest costs; what it had reported stays usable"""
    with Vm(lab, *MEMORY,
            "-device", "virtio-balloon-pci,free-page-reporting=on") as vm:
        vm.boot()
        vm.resize(256 * MIB)
        vm.ask(USE_MEMORY)
        full = resident(vm)
        wait_until("free pages are reported",
                   lambda: resident(vm) < full - 40 * MIB)
        say(f"resident: {mib(full)}, {mib(resident(vm))} after reporting")
        vm.qmp.command("balloon", value=BOOT_RAM - 64 * MIB)
        wait_until("the balloon is inflated",
                   lambda: vm.qmp.command("query-balloon")["actual"]
                   == BOOT_RAM - 64 * MIB)
        vm.qmp.command("balloon", value=BOOT_RAM)
        wait_until("the balloon is empty",
                   lambda: vm.qmp.command("query-balloon")["actual"]
                   == BOOT_RAM)
        assert vm.plugged() == 256 * MIB
        vm.ask(USE_MEMORY)


def test_balloon_beside_vfio(lab):
    """beside a passed-through drive a balloon works, and gives nothing back"""
    with Vm(lab, *MEMORY, "-device", f"vfio-pci,host={lab.drive.address}",
            "-device", "virtio-balloon-pci") as vm:
        vm.boot()
        vm.resize(512 * MIB)
        vm.qmp.command("balloon", value=BOOT_RAM - 64 * MIB)
        wait_until("the balloon is inflated",
                   lambda: vm.qmp.command("query-balloon")["actual"]
                   == BOOT_RAM - 64 * MIB)
        assert vm.pinned() == BOOT_RAM + 512 * MIB, f"{mib(vm.pinned())} pinned"
        lines = vm.errors().count("vfio forbids uncoordinated discards")
        assert lines == 1, f"said {lines} times: {vm.errors()}"
        vm.check_drive()
