# SPDX-License-Identifier: GPL-2.0-or-later
"""One run of the emulator: its process, its QMP connection, its guest.

A Vm is a context manager; leaving the context ends the process if it still runs.
Whatever goes wrong is an AssertionError, a TimeoutError or a ConnectionError
with a message for a person.
"""
import pathlib
import queue
import re
import subprocess
import tempfile
import threading
import time

from . import pace
from .qmp import Qmp
from .report import MIB, mib, say, wait_until
from .vfio import DRIVE_READ, DRIVE_START

BOOT_RAM = 256 * MIB


def peripheral(device_id):
    """QOM path of a device that was given an id."""
    return f"/machine/peripheral/{device_id}"


class Vm:
    def __init__(self, lab, *arguments, wrapper=()):
        """Start the emulator of LAB with a guest and the further ARGUMENTS.

        WRAPPER is a command that ends by executing the emulator, in the same
        process.
        """
        self._directory = tempfile.TemporaryDirectory(prefix="vm-", dir="/run")
        self._qmp_path = pathlib.Path(self._directory.name, "qmp")
        self._qmp = None
        self._lines = queue.Queue()
        self._requests = 0
        self._digests = lab.digests
        number = lab.next_vm()
        self.console_log = lab.out / f"{number}.console"
        self.error_log = lab.out / f"{number}.stderr"
        command = [*wrapper, lab.vmm, "-accel", "kvm", "-cpu", "host", "-M", "q35",
                   "-nodefaults", "-display", "none", "-serial", "stdio",
                   "-kernel", lab.kernel, "-initrd", lab.initrd,
                   "-append", "console=ttyS0 panic=-1 quiet",
                   "-qmp", f"unix:{self._qmp_path},server=on,wait=off", *arguments]
        command = [str(word) for word in command]
        (lab.out / f"{number}.command").write_text(" ".join(command) + "\n")
        self.started = time.monotonic()
        with open(self.error_log, "wb") as errors:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE,
                                            stdout=subprocess.PIPE, stderr=errors)
        self._reader = threading.Thread(target=self._read_console, daemon=True)
        self._reader.start()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.process.kill()
        self.process.wait()
        self._reader.join(pace.current.limit())
        self.process.stdin.close()
        self.process.stdout.close()
        if self._qmp:
            self._qmp.close()
        self._directory.cleanup()

    # The process.

    def errors(self):
        """What the emulator has written to its standard error."""
        return self.error_log.read_text(errors="replace")

    def check_alive(self):
        status = self.process.poll()
        assert status is None, \
            f"the emulator ended with status {status}: {self.errors().strip()}"

    def wait_for_exit(self):
        """Wait for the emulator to end by itself; its exit status."""
        wait_until("waiting for the emulator to end",
                   lambda: self.process.poll() is not None)
        return self.process.returncode

    def refusal(self):
        """The one line with which the emulator gives up, status 1."""
        status = self.wait_for_exit()
        lines = self.errors().splitlines()
        assert status == 1, f"the emulator ended with status {status}: {lines}"
        assert len(lines) == 1, f"the emulator said {len(lines)} lines: {lines}"
        say(f"  {lines[0]}")
        return lines[0]

    def pinned(self):
        """Bytes that the kernel accounts as locked by the emulator."""
        text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"^VmLck:\s+(\d+) kB$", text, re.M)[1]) * 1024

    # The monitor.

    @property
    def qmp(self):
        """The QMP connection, made at its first use."""
        if not self._qmp:
            self._qmp = wait_until("waiting for QMP", self._connect)
        return self._qmp

    def _connect(self):
        self.check_alive()
        try:
            return Qmp(self._qmp_path)
        except (FileNotFoundError, ConnectionRefusedError):
            return None

    def plugged(self, device_id="vm0"):
        """Bytes that a virtio-mem device has plugged."""
        return self.qmp.get(peripheral(device_id), "size")

    def resize(self, size, device_id="vm0"):
        """Request SIZE of a virtio-mem device, wait for the guest; the seconds."""
        start = time.monotonic()
        self.qmp.set(peripheral(device_id), "requested-size", size)
        self.wait_for_size(size, device_id)
        return time.monotonic() - start

    def wait_for_size(self, size, device_id="vm0"):
        def reached():
            self.check_alive()
            return self.plugged(device_id) == size
        wait_until(f"{device_id}: resizing to {mib(size)}", reached,
                   lambda: f"({mib(self.plugged(device_id))} plugged)")

    # The guest.

    def _read_console(self):
        with open(self.console_log, "wb", buffering=0) as log:
            for line in self.process.stdout:
                log.write(line)
                self._lines.put(line.decode(errors="replace").strip("\r\n"))
        self._lines.put(None)

    def _next_line(self):
        """The console's next line, '' for none so far."""
        try:
            line = self._lines.get_nowait()
        except queue.Empty:
            return ""
        if line is None:
            self.process.wait(pace.current.limit())
            self.check_alive()
        return line

    def _wait_for_line(self, what, pattern, others=None):
        """Wait for a line that matches PATTERN; the rest goes to the list OTHERS."""
        def look():
            while line := self._next_line():
                match = re.search(pattern, line)
                if match:
                    return match
                if others is not None:
                    others.append(line)
            return None
        return wait_until(what, look)

    def wait_for_guest(self):
        """Wait until the guest listens; seconds since the emulator's start."""
        self._wait_for_line("the guest boots", "^guest: ready$")
        return time.monotonic() - self.started

    def boot(self):
        seconds = self.wait_for_guest()
        say(f"the guest is up {seconds:.1f} s after the emulator's start")

    def tell(self, command):
        """Have the guest run a shell command whose answer nobody awaits."""
        self._requests += 1
        self.process.stdin.write(f"{self._requests} {command}\n".encode())
        self.process.stdin.flush()
        return self._requests

    def ask(self, command, what=None):
        """Have the guest run a shell command that must succeed; its output.

        WHAT names it in progress and error messages.
        """
        what = what or f"in the guest: {command}"
        number = self.tell(command)
        lines = []
        status = self._wait_for_line(what, rf"^{number}= (\d+)$", lines)[1]
        mark = f"{number}| "
        output = "\n".join(line[len(mark):] for line in lines
                           if line.startswith(mark))
        assert status == "0", f"{what}: status {status}: {output}"
        return output

    def mem_total(self):
        """MemTotal as the guest sees it, in bytes."""
        return int(self.ask("grep MemTotal /proc/meminfo").split()[1]) * 1024

    def check_drive(self, path="/dev/nvme0n1", size=DRIVE_READ):
        """Have the guest read SIZE bytes of a drive at once: DRIVE_READ is more than
        boot RAM could hold, DRIVE_START tells that the drive works.

        dd has one buffer of the whole size, and O_DIRECT makes each of its pages
        the target of the drive's DMA, so that most must be plugged memory.
        """
        start = time.monotonic()
        found = self.ask(f"dd if={path} bs={size // MIB}M count=1 "
                         "iflag=direct,fullblock 2>/dev/null | sha256sum",
                         "the guest reads the drive").split()[0]
        say(f"the guest read {mib(size)} of the drive by DMA in "
            f"{time.monotonic() - start:.1f} s: sha256 {found[:16]}...")
        expected = self._digests[(DRIVE_START, DRIVE_READ).index(size)]
        assert found == expected, \
            f"the guest read {found}, but the drive holds {expected}"

    # PCI functions in the guest that no driver of its has, by the shell's means.

    def pci_functions(self):
        """(address, "vendor:device") of all PCI functions."""
        text = self.ask("cd /sys/bus/pci/devices; for d in *; do "
                        "echo $d $(cat $d/vendor) $(cat $d/device); done")
        rows = [line.split() for line in text.splitlines()]
        return [(address, f"{vendor[2:]}:{device[2:]}")
                for address, vendor, device in rows]

    def pci_function(self, wanted):
        """Address of the function with the id WANTED; there must be just one."""
        found = [address for address, name in self.pci_functions() if name == wanted]
        assert len(found) == 1, f"{len(found)} PCI functions are {wanted}"
        return found[0]

    def write_config(self, function, offset, data):
        """Write bytes to a function's configuration space."""
        octal = "".join(f"\\{byte:03o}" for byte in data)
        self.ask(f"printf '{octal}' | dd of=/sys/bus/pci/devices/{function}/config "
                 f"bs={len(data)} seek={offset // len(data)} conv=notrunc 2>/dev/null")

    def enable_function(self, function):
        """Let a function answer to memory accesses and make its own."""
        self.write_config(function, 4, b"\6\0")

    def bar(self, function, number):
        """Guest physical address of a BAR."""
        line = self.ask(f"sed -n {number + 1}p /sys/bus/pci/devices/{function}/resource")
        return int(line.split()[0], 16)

    def read_physical(self, address, bits):
        return int(self.ask(f"devmem {address:#x} {bits}"), 16)
