# SPDX-License-Identifier: GPL-2.0-or-later
"""How long a test waits, as tests/patience.h has it: a multiple of what this machine
needed for a known step a moment ago."""
import os
import pathlib
import signal
import subprocess
import threading
import time

STEPS = 1500
WATCH_SECONDS = 2           # between two looks


def step():
    """Seconds that a shell takes to count to ten thousand: some 0.01 when idle."""
    begin = time.monotonic()
    subprocess.run(["/bin/sh", "-c",
                    "i=0; while [ $i -lt 10000 ]; do i=$((i+1)); done"], check=True)
    return time.monotonic() - begin


def seconds():
    """How long a wait that begins now may last."""
    return STEPS * step()


def children(pid):
    """Processes that a process has started and that have not ended."""
    try:
        lists = [path.read_text().split()
                 for path in pathlib.Path(f"/proc/{pid}/task").glob("*/children")]
    except OSError:
        return []
    return [int(child) for pids in lists for child in pids]


class Watch:
    """Ends each child of a process that takes more than so many steps.

    The steps are as long as they are while it runs: on a machine that is busy for a
    while, the clock goes slower for that while. A context manager.
    """

    def __init__(self, pid, limit):
        self.ended = []     # what had to be ended: (command, steps)
        self._pid, self._limit = pid, limit
        self._spent = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *exception):
        self._stop.set()
        self._thread.join()

    def _run(self):
        last = time.monotonic()
        while not self._stop.wait(WATCH_SECONDS):
            length = step()
            now = time.monotonic()
            self._look((now - last) / length)
            last = now

    def _look(self, steps):
        running = children(self._pid)
        self._spent = {child: self._spent.get(child, 0) + steps for child in running}
        for child, spent in self._spent.items():
            if spent > self._limit:
                self._end(child, spent)

    def _end(self, child, spent):
        try:
            command = pathlib.Path(f"/proc/{child}/cmdline").read_bytes()
            if os.getpgid(child) == child:
                os.killpg(child, signal.SIGKILL)
            else:
                os.kill(child, signal.SIGKILL)
        except OSError:
            return          # it has just ended
        self.ended.append((command.replace(b"\0", b" ").decode().strip(), spent))
