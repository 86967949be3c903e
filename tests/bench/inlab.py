# SPDX-License-Identifier: GPL-2.0-or-later
"""Benchmarks with a real guest and a passed-through drive: in the lab
(docs/lab.md), or, by --direct ADDRESS, on a machine that has it all.

A benchmark is one program that runs twice. Outside, collect() makes the images and
boots the lab machine, which runs the program again with --inside; there collect()
calls what measures, which gets a runner.Lab, and hands its samples out as JSON. With
--direct all of it is one process.
"""
import argparse
import json
import mmap
import os
import pathlib
import re
import shutil
import sys
import time

from figures import (OURS, TOP, Failure, add_arguments, need_program, positive,
                     rounds_of)

LAB = TOP / "tests/lab"
sys.path.insert(0, str(LAB))

from labkit import images, machine, pace, runner  # noqa: E402
from labkit.qmp import QmpError  # noqa: E402
from labkit.vfio import PciDevice  # noqa: E402
from labkit.vm import Vm  # noqa: E402

PYTHON = "/usr/bin/python3"
CPUS = 2                    # of the lab machine: some of what is measured has threads
HUGE_PAGE = 2 << 20
GUEST_MODULES = ["virtio_pci", "virtio_mem", "nvme"]
GUEST_INIT_SAYS = "guest: init"


class BenchVm(Vm):
    """A Vm that notes when its guest's init began, and its emulator's CPU time."""

    def __init__(self, lab, *arguments):
        self.init_seconds = None
        super().__init__(lab, *arguments)

    def _read_console(self):
        with open(self.console_log, "wb", buffering=0) as log:
            for line in self.process.stdout:
                if not self.init_seconds and GUEST_INIT_SAYS.encode() in line:
                    self.init_seconds = time.monotonic() - self.started
                log.write(line)
                self._lines.put(line.decode(errors="replace").strip("\r\n"))
        self._lines.put(None)

    def wait_for_init(self):
        """Seconds from the emulator's start to the first line of the guest's init."""
        self.wait_for_guest()
        if self.init_seconds is None:
            raise AssertionError("the guest's init did not tell when it began")
        return self.init_seconds

    def cpu_seconds(self):
        """CPU time of the emulator itself so far, without the guest's."""
        text = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text()
        fields = text.rsplit(")", 1)[1].split()
        user, system, guest = (int(fields[i]) for i in (11, 12, 40))
        return (user + system - guest) / os.sysconf("SC_CLK_TCK")


# --- the program --------------------------------------------------------------

def parse_arguments(description, rounds, mib=None):
    """What all of them are told; MIB: the default of how much memory it is about."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    add_arguments(parser, rounds)
    if mib:
        parser.add_argument("--mib", type=positive, default=mib, metavar="N",
                            help="how much memory, in MiB (default: %(default)s)")
    parser.add_argument("--work", metavar="DIR", type=pathlib.Path,
                        default=TOP / "build/lab-bench",
                        help="images and logs (default: %(default)s)")
    parser.add_argument("--kernel", metavar="DIR", default=os.environ.get("LAB_KERNEL"),
                        help="an unpacked kernel package (default: $LAB_KERNEL, else "
                             "the lab's, else it is downloaded)")
    parser.add_argument("--direct", metavar="ADDRESS",
                        help="on this machine, with its nvme drive at this PCI "
                             "address, which is only read")
    parser.add_argument("--inside", metavar="DIR", type=pathlib.Path,
                        help="what the lab machine runs")
    args = parser.parse_args()
    args.vmm, args.qemu = need_program(args.vmm), need_program(args.qemu)
    args.work = args.work.resolve()
    return args


def emulator_path(args, emulator):
    return args.vmm if emulator == OURS else args.qemu


def begin(lab, args, emulator, name):
    """What LAB starts from now on is this EMULATOR; NAME is that of its logs."""
    if args.inside:
        touch_memory()
    lab.vmm = emulator_path(args, emulator)
    lab.begin(f"{name}-{emulator}")
    lab.drive.give_to("vfio-pci")


# --- around the measuring -----------------------------------------------------

def collect(args, script, measure, memory=machine.MEMORY, modules=(), programs=()):
    """What MEASURE(lab, args), run by the program SCRIPT in the lab, returns, which
    must be fit for JSON.

    MEMORY is that of the lab machine. The guest has MODULES besides those of all
    benchmarks, and PROGRAMS, static files.
    """
    try:
        if args.inside:
            pace.begin(float(pathlib.Path("/proc/uptime").read_text().split()[0]))
            samples = measure(make_lab(args, args.inside), args)
            (args.inside / "samples.json").write_text(json.dumps(samples))
            sys.exit(0)
        kernel, out = prepare(args, [*GUEST_MODULES, *modules], programs)
        if args.direct:
            return run_direct(args, measure, out)
        return run_in_lab(args, script, kernel, out, memory)
    except (AssertionError, QmpError, TimeoutError) as error:
        raise Failure(error) from error


def touch_memory():
    """Have all free memory of the lab machine written to. The first to do so pays for
    the host's backing of it, and, it seems, for the code of guests that are gone:
    software emulation looks at each write to a page that it has translated code of."""
    text = pathlib.Path("/proc/meminfo").read_text()
    free = int(re.search(r"^MemFree:\s+(\d+) kB$", text, re.M)[1]) * 1024
    with mmap.mmap(-1, free * 9 // 10 & -HUGE_PAGE, flags=mmap.MAP_PRIVATE) as memory:
        memory.madvise(mmap.MADV_HUGEPAGE)
        for start in range(0, len(memory), HUGE_PAGE):
            memory[start] = 1             # the kernel clears all of the huge page


def make_lab(args, out):
    kernel = images.Kernel(args.kernel)
    return runner.Lab(args.vmm, images.unpacked(args.work, kernel), args.work, out,
                      PciDevice(args.direct or machine.DRIVE_ADDRESS), None,
                      bzimage=kernel.image)


def run_direct(args, measure, out):
    if os.geteuid() != 0:
        raise Failure("--direct needs root: it hands the drive to vfio-pci")
    pace.begin()
    lab = make_lab(args, out)
    driver = lab.drive.driver()
    try:
        lab.drive.digests()               # refuses one that is mounted
        return measure(lab, args)
    finally:
        lab.drive.give_to(driver)


def run_in_lab(args, script, kernel, out, memory):
    initrd = images.initramfs(args.work, "lab", LAB / "lab-init", kernel,
                              machine.MODULES)
    drive, _ = images.drive(args.work, None)
    start = [PYTHON, os.path.abspath(script), "--inside", "/run/lab",
             "--work", str(args.work), "--kernel", str(kernel.tree.resolve()),
             "--vmm", args.vmm, "--qemu", args.qemu,
             "--rounds", str(rounds_of(args))]
    if "mib" in args:
        start += ["--mib", str(args.mib)]
    machine.run(kernel, initrd, drive, out, start, memory=memory, cpus=CPUS)
    samples = out / "samples.json"
    if not samples.exists():
        raise Failure(f"the lab ended before its rounds did; its logs are in {out}")
    return json.loads(samples.read_text())


def prepare(args, modules, programs):
    """Makes what guests are made of; the kernel and a fresh directory for logs."""
    args.work.mkdir(parents=True, exist_ok=True)
    kernel = get_kernel(args)
    args.kernel = str(kernel.tree.resolve())
    built = [LAB / "answer",
             *[images.guest_program(args.work, source) for source in programs]]
    images.initramfs(args.work, "guest", guest_init(args.work), kernel, modules, built)
    images.unpacked(args.work, kernel)
    out = args.work / "out"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    return kernel, out


def guest_init(work):
    """The lab's guest-init, which begins by saying so."""
    first, rest = (LAB / "guest-init").read_text().split("\n", 1)
    path = work / "guest-init"
    path.write_text(f"{first}\n/bin/busybox echo '{GUEST_INIT_SAYS}'\n{rest}")
    path.chmod(0o755)
    return path


def get_kernel(args):
    """The kernel that the lab uses, which may have been fetched already."""
    fetched = TOP / "build/lab/kernel"
    if args.kernel or fetched.exists():
        return images.Kernel(args.kernel or fetched)
    return images.fetch_kernel(args.work)
