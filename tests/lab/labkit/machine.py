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

from . import pace
from .report import POLL_SECONDS, Output

EMULATOR = "qemu-system-x86_64"
MEMORY = "4G"
# Two would at times wait for each other for ever, by a fault of the emulator's (docs/lab.md),
# and are no faster: there is a machine for each processor of the host.
CPUS = 1
HOST_MEMORY = 5 << 30       # what this machine should have to spare for each
MOST_MACHINES = 4
# A machine says something at least each time that a test fails to go on.
SILENT_BOOTS = 2 * pace.BOOTS
DRIVE_ADDRESS = "0000:00:10.0"
SECOND_DRIVE_ADDRESS = "0000:00:11.0"   # a group of its own, the same content
# One group: two "edu" devices, which copy by DMA, and a virtio-rng that virtio-pci has.
PAIR_ADDRESSES = ("0000:01:01.0", "0000:01:02.0")
RNG_ADDRESS = "0000:01:03.0"
MODULES = ["9pnet_virtio", "9p", "virtio_pci", "nvme", "kvm-amd", "vfio-pci",
           "vfio_iommu_type1", "tun", "vhost_net", "vhost_vsock"]


def affordable():
    """How many machines this one has processors and memory for; at least one."""
    text = open("/proc/meminfo", encoding="ascii").read()
    available = int(re.search(r"^MemAvailable:\s+(\d+) kB$", text, re.M)[1]) * 1024
    return max(1, min(len(os.sched_getaffinity(0)), available // HOST_MEMORY,
                      MOST_MACHINES))


def log_name(number):
    return "machine" if number == 1 else f"machine-{number}"


def command_line(kernel, initrd, drive, out, number, memory, cpus):
    return [
        # Should this process be killed, the machine goes with it.
        "setpriv", "--pdeathsig", "KILL",
        EMULATOR, "-nodefaults", "-display", "none", "-no-reboot",
        "-M", "q35,kernel-irqchip=split", "-accel", "tcg,thread=multi",
        "-cpu", "max", "-smp", str(cpus), "-m", memory,
        "-device", "intel-iommu,intremap=on",
        *drive_arguments("drive", drive, DRIVE_ADDRESS),
        *drive_arguments("second", drive, SECOND_DRIVE_ADDRESS,
                         f",romfile={drive.with_suffix('.rom')}"),
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
        # On a busy host the machine's clocks may disagree: no reason to panic. A timer
        # that ticks by itself makes up for an interrupt that the emulator forgets.
        "-append", "console=ttyS0 panic=-1 quiet intel_iommu=on no_timer_check "
                   "nohz=off highres=off",
        "-serial", f"file:{out}/{log_name(number)}.log", "-serial", "stdio"]


def drive_arguments(name, image, address, more=""):
    slot = int(address.split(":")[2].split(".")[0], 16)
    return ["-drive", f"file={image},format=raw,if=none,id={name},snapshot=on",
            "-device", f"nvme,drive={name},serial={name},addr={slot:#x}{more}"]


def run(kernel, initrd, drive, out, start, count=1, output=None,
        unfinished=lambda: False, memory=MEMORY, cpus=CPUS):
    """Boot COUNT machines of MEMORY and with CPUS, have each execute the command START,
    and hand what they say to OUTPUT (a report.Output; default: print it).

    Returns once the machines are off. One that says nothing for too long is ended; one
    that ends in the midst of a test is followed by another if there is anything
    UNFINISHED.
    """
    (out / "start").write_text(
        "export PATH=/usr/sbin:/usr/bin:/sbin:/bin PYTHONDONTWRITEBYTECODE=1\n"
        "export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1\n"
        f"exec {shlex.join(start)}\n")
    pace.begin()
    lines = queue.Queue()
    machines = {}

    def boot():
        number = len(machines) + 1
        command = command_line(kernel, initrd, drive, out, number, memory, cpus)
        machines[number] = Machine(command, out / f"{log_name(number)}.stderr", number,
                                   lines)

    try:
        for _ in range(count):
            boot()
        relay(lines, machines, output or Output(), lambda: unfinished() and boot())
    finally:
        for machine in machines.values():
            machine.kill()


class Machine:
    """One lab machine, whose lines go to a queue as (NUMBER, line), None at its end."""

    def __init__(self, command, error_log, number, lines):
        with open(error_log, "wb") as errors:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                             stdout=subprocess.PIPE, stderr=errors)
        self.running = True
        self.why_ended = "the lab machine has ended"
        self._pace = pace.Pace()
        self._heard = False
        self._silence = pace.Deadline(self._pace, SILENT_BOOTS)
        self._begin = time.monotonic()
        threading.Thread(target=self._read, args=(number, lines), daemon=True).start()

    def _read(self, number, lines):
        for line in self._process.stdout:
            lines.put((number, line.decode(errors="replace").strip("\r\n")))
        lines.put((number, None))

    def heard(self):
        """It has said something; the first time, it has just booted."""
        if not self._heard:
            self._heard = True
            self._pace = pace.Pace(time.monotonic() - self._begin)
        self._silence = pace.Deadline(self._pace, SILENT_BOOTS)

    def check(self):
        """End it if it has been silent for too long."""
        if self.running and self._silence.left() < 0:
            self.why_ended = "the lab machine said nothing any more, and was ended"
            self.kill()

    def kill(self):
        self._process.kill()
        self._process.wait()


def relay(lines, machines, output, replace):
    """Pass lines on until each of MACHINES, by number, has said its last. REPLACE is
    called when one ended that was in the midst of a test."""
    while any(machine.running for machine in machines.values()):
        try:
            number, line = lines.get(timeout=POLL_SECONDS)
        except queue.Empty:
            output.idle()
            for machine in machines.values():
                machine.check()
            continue
        machine = machines[number]
        if line is not None:
            machine.heard()
            output.line(number, line)
            continue
        machine.running = False
        if output.end(number, machine.why_ended):
            replace()
