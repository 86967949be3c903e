# SPDX-License-Identifier: GPL-2.0-or-later
"""The lab machine: a PC with an IOMMU, AMD's SVM and an nvme drive, emulated in
software, whose root is the host's.

Its first serial line (kernel messages) goes to machine.log, its second (what the
scenarios say) to our output. It can write to one directory of the host's, OUT.
Several machines may share that; their logs are machine.log, machine-2.log ...
"""
import os
import queue
import re
import shlex
import subprocess
import threading
import time

from .report import POLL_SECONDS, Output

EMULATOR = "qemu-system-x86_64"
MEMORY = "4G"
HOST_MEMORY = 5 << 30       # what this machine should have to spare for each
MOST_MACHINES = 4
DRIVE_ADDRESS = "0000:00:10.0"
SECOND_DRIVE_ADDRESS = "0000:00:11.0"   # a group of its own, the same content
# One group: two "edu" devices, which copy by DMA, and a virtio-rng that virtio-pci has.
PAIR_ADDRESSES = ("0000:01:01.0", "0000:01:02.0")
RNG_ADDRESS = "0000:01:03.0"
MODULES = ["9pnet_virtio", "9p", "virtio_pci", "nvme", "kvm-amd", "vfio-pci",
           "vfio_iommu_type1"]


def affordable():
    """How many machines this one has processors and memory for; at least one."""
    text = open("/proc/meminfo", encoding="ascii").read()
    available = int(re.search(r"^MemAvailable:\s+(\d+) kB$", text, re.M)[1]) * 1024
    return max(1, min(len(os.sched_getaffinity(0)), available // HOST_MEMORY,
                      MOST_MACHINES))


def log_name(number):
    return "machine" if number == 1 else f"machine-{number}"


def command_line(kernel, initrd, drive, out, number):
    return [
        # Should this process be killed, the machine goes with it.
        "setpriv", "--pdeathsig", "KILL",
        EMULATOR, "-nodefaults", "-display", "none", "-no-reboot",
        "-M", "q35,kernel-irqchip=split", "-accel", "tcg,thread=multi",
        "-cpu", "max", "-smp", "2", "-m", MEMORY,
        "-device", "intel-iommu,intremap=on",
        *drive_arguments("drive", drive, DRIVE_ADDRESS),
        *drive_arguments("second", drive, SECOND_DRIVE_ADDRESS),
        # Behind a bridge to conventional PCI requests bear one name, the
        # bridge's: its devices are one IOMMU group.
        "-device", "pcie-pci-bridge,id=bridge,addr=0x12",
        "-device", "edu,bus=bridge,addr=1,dma_mask=0x7fffffffff",
        "-device", "edu,bus=bridge,addr=2,dma_mask=0x7fffffffff",
        "-device", "virtio-rng-pci,bus=bridge,addr=3",
        "-virtfs", "local,path=/,mount_tag=host,security_model=none,"
                   "readonly=on,multidevs=remap",
        "-virtfs", f"local,path={out},mount_tag=out,security_model=none",
        "-kernel", kernel.image, "-initrd", initrd,
        # On a busy host the machine's clocks may disagree: no reason to panic.
        "-append", "console=ttyS0 panic=-1 quiet intel_iommu=on no_timer_check",
        "-serial", f"file:{out}/{log_name(number)}.log", "-serial", "stdio"]


def drive_arguments(name, image, address):
    slot = int(address.split(":")[2].split(".")[0], 16)
    return ["-drive", f"file={image},format=raw,if=none,id={name},snapshot=on",
            "-device", f"nvme,drive={name},serial={name},addr={slot:#x}"]


def run(kernel, initrd, drive, out, start, limit, count=1, output=None):
    """Boot COUNT machines, have each execute the command START, and hand what they
    say to OUTPUT (a report.Output; default: print it).

    Returns once the machines are off; TimeoutError, and they are ended, if that
    takes more than LIMIT seconds.
    """
    (out / "start").write_text(
        "export PATH=/usr/sbin:/usr/bin:/sbin:/bin PYTHONDONTWRITEBYTECODE=1\n"
        "export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1\n"
        f"exec {shlex.join(start)}\n")
    lines = queue.Queue()
    machines = []
    try:
        for number in range(1, count + 1):
            machines.append(boot(command_line(kernel, initrd, drive, out, number),
                                 out / f"{log_name(number)}.stderr", number, lines))
        relay(lines, count, output or Output(), limit)
        for machine in machines:
            machine.wait(timeout=60)
    finally:
        for machine in machines:
            machine.kill()
            machine.wait()


def boot(command, error_log, number, lines):
    with open(error_log, "wb") as errors:
        machine = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=errors)
    threading.Thread(target=read_lines, args=(machine.stdout, number, lines),
                     daemon=True).start()
    return machine


def read_lines(stream, number, lines):
    for line in stream:
        lines.put((number, line.decode(errors="replace").strip("\r\n")))
    lines.put((number, None))


def relay(lines, running, output, limit):
    """Pass lines on until each of RUNNING machines has said its last."""
    deadline = time.monotonic() + limit
    while running:
        if time.monotonic() > deadline:
            raise TimeoutError(f"the lab was not done after {limit} s")
        try:
            number, line = lines.get(timeout=POLL_SECONDS)
        except queue.Empty:
            output.idle()
            continue
        if line is None:
            running -= 1
            output.end(number)
        else:
            output.line(number, line)
