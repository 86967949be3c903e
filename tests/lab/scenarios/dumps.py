# SPDX-License-Identifier: GPL-2.0-or-later
"""What Debian's crash, with Debian's debug symbols, finds in a dump of a guest whose
kernel is where it wanted to be (KASLR). On demand: the package with the symbols has
860 MB."""
import pathlib
import shutil
import subprocess
import tempfile
import time

from labkit.report import MIB, mib, say, wait_until
from labkit.runner import Skip
from labkit.vm import BOOT_RAM, Vm

ON_DEMAND = True
WANTS = ("SYMBOLS",)
MEMORY = ("-m", "256M,maxmem=4G,slots=2",
          "-object", "memory-backend-memfd,id=mem0,size=2G",
          "-device", "virtio-mem-pci,id=vm0,memdev=mem0,requested-size=0")
# Its ps knows no task of a kernel whose struct pid ends in a flexible array; the list
# itself it can follow.
COMMANDS = """sys
bt
log
list -o task_struct.tasks -s task_struct.comm -h init_task
quit
"""


def read_by_crash(lab, core):
    """What crash prints of CORE."""
    start = time.monotonic()
    with tempfile.TemporaryDirectory(dir="/run") as directory:
        commands, output = (pathlib.Path(directory, name)
                            for name in ("commands", "output"))
        commands.write_text(COMMANDS)
        with open(output, "wb") as file:
            # It writes to /tmp, which the lab's host lets nobody do.
            crash = subprocess.Popen(
                ["unshare", "--mount", "sh", "-c",
                 'mount -t tmpfs tmp /tmp && exec crash "$@"', "sh",
                 "-s", "-i", commands, lab.debug_vmlinux, core],
                stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT)
            try:
                wait_until("crash reads the dump", lambda: crash.poll() is not None)
            finally:
                crash.kill()
                crash.wait()
        text = output.read_text(errors="replace")
    say(f"crash took {time.monotonic() - start:.0f} s")
    assert crash.returncode == 0, f"crash: status {crash.returncode}: {text[-2000:]}"
    return text


def check(lab, dump_format):
    if not shutil.which("crash"):
        raise Skip("no crash: scripts/install-deps --dumps")
    with Vm(lab, *MEMORY, "-kernel", lab.bzimage, "-device", "vmcoreinfo") as vm, \
            tempfile.TemporaryDirectory(dir=lab.out) as directory:
        vm.boot()
        vm.resize(256 * MIB)
        release = vm.ask("uname -r")
        core = pathlib.Path(directory, "core")
        vm.qmp.command("dump-guest-memory", paging=False, detach=True,
                       protocol=f"file:{core}", format=dump_format)
        event = vm.qmp.event("DUMP_COMPLETED")
        assert event["data"]["result"]["status"] == "completed", event
        say(f"{mib(BOOT_RAM + vm.plugged())} are {core.stat().st_blocks // 2048} MiB "
            "of disk")
        found = read_by_crash(lab, core)
    for what in (f"RELEASE: {release}", "MEMORY: 511", "start_kernel",
                 "virtio_mem virtio0: requested size: 0x10000000",
                 'comm = "kthreadd', 'comm = "init'):
        assert what in found, f"crash does not show '{what}': {found[-3000:]}"


def test_elf(lab):
    """crash reads an ELF core: system, stack, log and tasks"""
    check(lab, "elf")


def test_kdump(lab):
    """crash reads a compressed dump in its flattened form"""
    check(lab, "kdump-zlib")


def test_kdump_raw(lab):
    """crash reads a compressed dump as a plain file"""
    check(lab, "kdump-raw-zlib")
