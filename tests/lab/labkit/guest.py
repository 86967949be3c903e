# SPDX-License-Identifier: GPL-2.0-or-later
"""What a guest is asked over its serial console, whoever has started it.

The other end is the program tests/lab/answer, which says how requests and answers
look. Whatever goes wrong is an AssertionError, a TimeoutError or a ConnectionError
with a message for a person.
"""
import queue
import re
import threading
import time

from . import pace
from .report import MIB, mib, say, wait_until
from .vfio import DRIVE_READ, DRIVE_START


# What the guest says when it listens.
READY = re.compile("guest: ready$")


class Guest:
    def __init__(self, lab, console_log):
        """What the guest prints is kept in the file CONSOLE_LOG."""
        self.console_log = console_log
        self.started = time.monotonic()
        self._digests = lab.digests
        self._lines = queue.Queue()
        self._requests = 0
        self._keyboard = self._screen = self._reader = None

    def errors(self):
        """What the emulator has said that explains its guest."""
        return ""

    def console_ended(self):
        """Raise what says why there is no console any more."""
        raise ConnectionError("the guest's console has ended")

    def attach_console(self, keyboard, screen):
        """KEYBOARD and SCREEN are unbuffered binary files, SCREEN ends with the
        guest; detach_console() closes both."""
        self._keyboard, self._screen = keyboard, screen
        self._reader = threading.Thread(target=self._read_console, daemon=True)
        self._reader.start()

    def detach_console(self):
        """After the guest's end."""
        self._reader.join(pace.current.limit())
        self._keyboard.close()
        self._screen.close()

    def _read_console(self):
        with open(self.console_log, "wb", buffering=0) as log:
            for line in self._screen_lines():
                log.write(line)
                self._lines.put(line.decode(errors="replace").strip("\r\n"))
        self._lines.put(None)

    def _screen_lines(self):
        try:
            yield from self._screen
        except OSError:                   # so ends a terminal
            pass

    def _next_line(self):
        """The console's next line, '' for none so far."""
        try:
            line = self._lines.get_nowait()
        except queue.Empty:
            return ""
        if line is None:
            self.console_ended()
        return line

    def _wait_for_line(self, what, pattern, others=None):
        """Wait for a line that matches PATTERN; the rest goes to the list OTHERS, if
        there is one, and a guest that starts again is at fault."""
        def look():
            while line := self._next_line():
                match = re.search(pattern, line)
                if match:
                    return match
                if others is not None:
                    assert not READY.search(line), \
                        f"{what}: the guest has started again: {self.errors().strip()}"
                    others.append(line)
            return None
        return wait_until(what, look)

    def wait_for_text(self, what, pattern):
        """Wait for a line that has PATTERN, such as of firmware; WHAT names that."""
        return self._wait_for_line(what, pattern)

    def wait_for_guest(self):
        """Wait until the guest listens; seconds since the emulator's start."""
        self._wait_for_line("the guest boots", READY)
        return time.monotonic() - self.started

    def boot(self):
        seconds = self.wait_for_guest()
        say(f"the guest is up {seconds:.1f} s after the emulator's start")

    def log_in(self):
        """Wait for the login of a Debian with the program tests/lab/answer, and log in
        as root; seconds since the emulator's start."""
        self._wait_for_line("Debian boots", r"^Debian GNU/Linux .* ttyS0")
        seconds = time.monotonic() - self.started
        self._type("root")
        self._wait_for_line("the login", "ABSOLUTELY NO WARRANTY")
        self._type("exec answer")
        self._wait_for_line("the shell", READY)
        return seconds

    def tell(self, command):
        """Have the guest run a shell command whose answer nobody awaits."""
        self._requests += 1
        self._type(f"{self._requests} {command}")
        return self._requests

    def _type(self, line):
        self._keyboard.write(f"{line}\n".encode())
        self._keyboard.flush()

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

    def check_pinned(self, expected, when):
        """So many bytes are pinned; WHEN says at what point of the test."""
        pinned = self.pinned()
        say(f"pinned {when}: {mib(pinned)}")
        assert pinned == expected, \
            f"{when}: pinned is {mib(pinned)}, not {mib(expected)}"

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
