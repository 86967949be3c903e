# SPDX-License-Identifier: GPL-2.0-or-later
"""One run of the emulator: its process, its QMP connection, its guest.

A Vm is a context manager; leaving the context ends the process if it still runs.
Whatever goes wrong is an AssertionError, a TimeoutError or a ConnectionError
with a message for a person.
"""
import pathlib
import re
import subprocess
import tempfile
import time

from . import pace, threads
from .guest import Guest
from .qmp import Qmp, QmpError
from .report import MIB, mib, say, wait_until

BOOT_RAM = 256 * MIB


def peripheral(device_id):
    """QOM path of a device that was given an id."""
    return f"/machine/peripheral/{device_id}"


class Vm(Guest):
    def __init__(self, lab, *arguments, wrapper=(), firmware=False,
                 root=None):
        """Start the emulator of LAB with a guest and the further ARGUMENTS.

        WRAPPER is a command that ends by executing the emulator, in the same
        process. With FIRMWARE the guest comes from a disk among the ARGUMENTS.
        With ROOT, a device file of the guest, its system is on that.
        """
        self._directory = tempfile.TemporaryDirectory(prefix="vm-", dir="/run")
        self._qmp_path = pathlib.Path(self._directory.name, "qmp")
        self._qmp = None
        number = lab.next_vm()
        super().__init__(lab, lab.out / f"{number}.console")
        self.error_log = lab.out / f"{number}.stderr"
        self._threads_log = lab.out / f"{number}.threads"
        self._registers_log = lab.out / f"{number}.registers"
        command = [*wrapper, lab.vmm, "-accel", "kvm", "-cpu", "host", "-M", "q35",
                   "-nodefaults", "-display", "none", "-serial", "stdio",
                   *([] if firmware else self._kernel(lab, root)),
                   "-qmp", f"unix:{self._qmp_path},server=on,wait=off", *arguments]
        command = [str(word) for word in command]
        (lab.out / f"{number}.command").write_text(" ".join(command) + "\n")
        with open(self.error_log, "wb") as errors:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE,
                                            stdout=subprocess.PIPE, stderr=errors)
        self.attach_console(self.process.stdin, self.process.stdout)

    @staticmethod
    def _kernel(lab, root):
        return ["-kernel", lab.kernel,
                "-initrd", lab.root_initrd if root else lab.initrd, "-append",
                "console=ttyS0 panic=-1 quiet" + (f" root={root}" if root else "")]

    def __enter__(self):
        return self

    def __exit__(self, exception, *_):
        if exception and self.process.poll() is None:
            self._threads_log.write_text(threads.describe(self.process.pid))
            self._registers_log.write_text(self._registers())
        self.process.kill()
        self.process.wait()
        self.detach_console()
        if self._qmp:
            self._qmp.close()
        self._directory.cleanup()

    # The process.

    def _registers(self):
        """Where the guest's CPUs are, for the log: System.map knows the names."""
        try:
            self.qmp.boots = 1
            return self.qmp.command("human-monitor-command",
                                    **{"command-line": "info registers"})
        except (AssertionError, OSError, QmpError) as error:
            return f"({error})\n"

    def errors(self):
        """What the emulator has written to its standard error."""
        return self.error_log.read_text(errors="replace")

    def console_ended(self):
        self.process.wait(pace.current.limit())
        self.check_alive()

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

    def remove(self, device_id):
        """device_del, and wait until the guest has let go."""
        self.qmp.command("device_del", id=device_id)
        while True:
            event = self.qmp.event("DEVICE_DELETED")["data"]
            if event.get("device") == device_id:
                assert event["path"] == peripheral(device_id), event
                return
