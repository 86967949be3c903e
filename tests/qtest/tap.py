# SPDX-License-Identifier: GPL-2.0-or-later
"""What test programs in Python share: the emulator to test, and TAP.

A test is a function whose name begins with test_; its first line of
documentation says what holds. It fails by an assertion, or any exception.
"""

import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import patience  # noqa: E402

BINARY = os.environ.get("QTEST_QEMU_BINARY", "build/sparsevm")
TOP = pathlib.Path(__file__).resolve().parents[2]


class Skip(Exception):
    """What a test raises that cannot run here; says why."""


class Emulator:
    """A VM without CPU that has a virtio-mem device, and QMP at .socket. It
    inherits the descriptors @pass_fds."""

    def __init__(self, *arguments, pass_fds=()):
        self.directory = tempfile.TemporaryDirectory()
        self.socket = os.path.join(self.directory.name, "qmp")
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [BINARY, "-M", "q35", "-accel", "qtest", "-nodefaults",
             "-m", "256M,maxmem=2G", "-display", "none",
             "-object", "memory-backend-ram,id=mem0,size=1G",
             "-device", "virtio-mem-pci,id=vm0,memdev=mem0,requested-size=64M",
             "-qmp", f"unix:{self.socket},server=on,wait=off", *arguments],
            stdin=subprocess.DEVNULL, stderr=self.log, pass_fds=pass_fds)
        wait_until(lambda: os.path.exists(self.socket) or
                   self.process.poll() is not None)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.stop()
        self.log.close()
        self.directory.cleanup()

    def stop(self):
        """Ends it; what it wrote to standard error."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait(patience.seconds())
        self.log.seek(0)
        return self.log.read().decode()


def wait_until(condition):
    """Polls; an assertion fails if it takes too long."""
    end = time.monotonic() + patience.seconds()
    while not condition():
        assert time.monotonic() < end, "nothing has happened"
        time.sleep(0.01)


def run(*argv, **kwargs):
    """Runs a program; its CompletedProcess, with text."""
    return subprocess.run(argv, capture_output=True, text=True, check=False,
                          timeout=patience.seconds(), stdin=subprocess.DEVNULL, **kwargs)


def main(namespace):
    """Runs the tests of a module; its exit status."""
    tests = [f for name, f in namespace.items() if name.startswith("test_")]
    failed = 0
    print(f"1..{len(tests)}")
    for number, test in enumerate(tests, 1):
        try:
            test()
            result, why = "ok", ""
        except Skip as reason:
            result, why = "ok", f" # SKIP {reason}"
        except Exception:              # pylint: disable=broad-except
            failed += 1
            result, why = "not ok", ""
            for line in traceback.format_exc().splitlines():
                print(f"# {line}")
        print(f"{result} {number} - {test.__doc__.splitlines()[0]}{why}",
              flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit("tap.py is no test")
