# SPDX-License-Identifier: GPL-2.0-or-later
"""A process of another package's that serves a guest's device by a socket."""
import pathlib
import re
import shutil
import subprocess
import tempfile

from .report import wait_until
from .runner import Skip


class BackEnd:
    """A process, which has a directory of its own; a context manager."""

    def __init__(self, lab, program, package):
        """PROGRAM, without which the test is skipped, comes with PACKAGE."""
        if not shutil.which(program):
            raise Skip(f"{program} is not installed (package {package})")
        self.program = program
        self._log = lab.out / f"{lab.next_vm()}.back-end"
        self._directory = tempfile.TemporaryDirectory(prefix="back-end-", dir="/run")
        self.directory = pathlib.Path(self._directory.name)
        self.socket = self.directory / "socket"
        self._process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *exception):
        self.kill()
        self._directory.cleanup()

    def arguments(self):
        """Of its command line."""
        raise NotImplementedError

    def ready(self):
        return self.socket.exists()

    def start(self):
        self.socket.unlink(missing_ok=True)
        with open(self._log, "ab") as log:
            # Some end when there is nothing to read any more.
            self._process = subprocess.Popen([self.program, *self.arguments()],
                                             stdin=subprocess.PIPE, stdout=log,
                                             stderr=log)
        wait_until("the back end starts", self._look)

    def _look(self):
        status = self._process.poll()
        assert status is None, f"{self.program} ended with status {status}"
        return self.ready()

    def kill(self):
        self._process.kill()
        self._process.wait()
        self._process.stdin.close()

    def mapped_ends(self, region):
        """Where what it has mapped of the memory REGION ends; it maps a file from the
        beginning, whichever part it is given."""
        text = pathlib.Path(f"/proc/{self._process.pid}/maps").read_text()
        rows = re.findall(rf"^(\w+)-(\w+) \S+ (\w+) .*/memfd:{region} ", text, re.M)
        return sorted(int(offset, 16) + int(end, 16) - int(start, 16)
                      for start, end, offset in rows)
