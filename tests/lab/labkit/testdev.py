# SPDX-License-Identifier: GPL-2.0-or-later
"""The test device of vfio-user as a process, and its registers as a guest's driver
sees them; tests/vfio-user-device/registers.h describes it."""
import pathlib
import subprocess
import tempfile

from .report import wait_until
from .runner import Skip

ID = "1234:11e9"
BAR2_MAPPABLE = 0xf000      # bytes of BAR 2 that other devices reach
REFUSE_MAP = 1


class TestDevice:
    """A server that a vfio-user-pci device connects to; a context manager."""

    def __init__(self, lab):
        program = pathlib.Path(lab.vmm).parent / \
            "tests/vfio-user-device/vfio-user-testdev"
        if not program.exists():
            raise Skip(f"no {program}")
        self._directory = tempfile.TemporaryDirectory(prefix="testdev-", dir="/run")
        self.socket = pathlib.Path(self._directory.name, "socket")
        self._process = subprocess.Popen(
            [program, "--die-with-parent", f"--socket={self.socket}"])

    def __enter__(self):
        wait_until("vfio-user-testdev starts", self.socket.exists)
        return self

    def __exit__(self, *exception):
        self._process.kill()
        self._process.wait()
        self._directory.cleanup()


class Registers:
    """The device in a guest."""

    def __init__(self, vm):
        self._vm = vm
        self.function = vm.pci_function(ID)
        vm.enable_function(self.function)
        self._base = vm.bar(self.function, 0)

    def _read(self, offset):
        return self._vm.read_physical(self._base + offset, 64)

    def _write(self, offset, value):
        self._vm.ask(f"devmem {self._base + offset:#x} 32 {value}")

    def mapped(self):
        """Bytes that the emulator has mapped for the device."""
        return self._read(0x58)

    def refusals(self):
        return self._read(0x70)

    def refuse_map(self, after):
        """Refuse one mapping, once AFTER more have been accepted."""
        self._write(0xa0, after)
        self._write(0xa4, 0)
        self._write(0xa8, REFUSE_MAP)
