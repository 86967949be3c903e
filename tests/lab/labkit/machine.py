# SPDX-License-Identifier: GPL-2.0-or-later
"""The lab machine: a PC with an IOMMU, AMD's SVM and an nvme drive, emulated in
software, whose root is the host's.

Its first serial line (kernel messages) goes to machine.log, its second (what the
scenarios say) to our output. It can write to one directory of the host's, OUT.
"""
import queue
import shlex
import subprocess
import threading

from .report import POLL_SECONDS, Progress, say

EMULATOR = "qemu-system-x86_64"
MEMORY = "4G"
DRIVE_ADDRESS = "0000:00:10.0"
MODULES = ["9pnet_virtio", "9p", "virtio_pci", "nvme", "kvm-amd", "vfio-pci",
           "vfio_iommu_type1"]


def command_line(kernel, initrd, drive, out):
    return [
        # Should this process be killed, the machine goes with it.
        "setpriv", "--pdeathsig", "KILL",
        EMULATOR, "-nodefaults", "-display", "none", "-no-reboot",
        "-M", "q35,kernel-irqchip=split", "-accel", "tcg,thread=multi",
        "-cpu", "max", "-smp", "2", "-m", MEMORY,
        "-device", "intel-iommu,intremap=on",
        "-drive", f"file={drive},format=raw,if=none,id=drive,snapshot=on",
        "-device", "nvme,drive=drive,serial=lab,addr=0x10",
        "-virtfs", "local,path=/,mount_tag=host,security_model=none,"
                   "readonly=on,multidevs=remap",
        "-virtfs", f"local,path={out},mount_tag=out,security_model=none",
        "-kernel", kernel.image, "-initrd", initrd,
        "-append", "console=ttyS0 panic=-1 quiet intel_iommu=on",
        "-serial", f"file:{out}/machine.log", "-serial", "stdio"]


def run(kernel, initrd, drive, out, start, limit):
    """Boot the machine, have it execute the command START, print what that says.

    Returns once the machine is off; TimeoutError, and the machine is ended, if
    that takes more than LIMIT seconds.
    """
    (out / "start").write_text(
        "export PATH=/usr/sbin:/usr/bin:/sbin:/bin PYTHONDONTWRITEBYTECODE=1\n"
        "export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1\n"
        f"exec {shlex.join(start)}\n")
    command = command_line(kernel, initrd, drive, out)
    with open(out / "machine.stderr", "wb") as errors:
        machine = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=errors)
    lines = queue.Queue()
    threading.Thread(target=read_lines, args=(machine.stdout, lines),
                     daemon=True).start()
    try:
        relay(lines, limit)
        machine.wait(timeout=60)
    finally:
        machine.kill()
        machine.wait()


def read_lines(stream, lines):
    for line in stream:
        lines.put(line.decode(errors="replace").strip("\r\n"))
    lines.put(None)


def relay(lines, limit):
    """Print lines until their end; show progress in the silence before the first."""
    progress = Progress("the lab machine boots")
    silent = True
    while True:
        if progress.elapsed() > limit:
            raise TimeoutError(f"the lab was not done after {limit} s")
        try:
            line = lines.get(timeout=POLL_SECONDS)
        except queue.Empty:
            if silent:
                progress.tell()
            continue
        if line is None:
            return
        silent = False
        say(line)
