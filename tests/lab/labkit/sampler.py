# SPDX-License-Identifier: GPL-2.0-or-later
"""What an emulator has plugged and pinned, over time, and a chart of it."""
import pathlib
import sys
import tempfile
import threading
import time

from . import pace
from .qmp import Qmp
from .report import MIB

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "plot"))
import svg  # noqa: E402

SAMPLE_SECONDS = 0.1


class Sampler:
    """Samples a Vm in the background, by a QMP connection of its own.

    Its OPTIONS go to the Vm's command line. A context manager; outside of
    start() and leaving the context it samples nothing.
    """

    def __init__(self):
        self._directory = tempfile.TemporaryDirectory(prefix="sampler-", dir="/run")
        self._path = pathlib.Path(self._directory.name, "qmp")
        self.options = ("-qmp", f"unix:{self._path},server=on,wait=off")
        self.samples = []                 # (seconds, plugged MiB, pinned MiB)
        self._thread = None
        self._stop = threading.Event()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.stop()
        self._directory.cleanup()

    def start(self, vm, device_path):
        """Sample VM, whose QMP answers, from now on."""
        self._thread = threading.Thread(target=self._run, daemon=True,
                                        args=(vm, device_path))
        self._thread.start()

    def stop(self):
        self._stop.set()
        if self._thread:
            self._thread.join(pace.current.limit())
            self._thread = None

    def _run(self, vm, device_path):
        begin = time.monotonic()
        qmp = Qmp(self._path)
        try:
            while not self._stop.wait(SAMPLE_SECONDS):
                pinned = vm.pinned()
                plugged = qmp.get(device_path, "size")
                self.samples.append((time.monotonic() - begin, plugged / MIB,
                                     pinned / MIB))
        except (OSError, ConnectionError, TimeoutError, TypeError):
            pass                          # the emulator has ended: so does this
        finally:
            qmp.close()

    def chart(self, title):
        """The samples so far as the text of an SVG file."""
        samples = list(self.samples)
        lines = [svg.Line("pinned by the kernel", [(t, n) for t, _, n in samples],
                          step=True),
                 svg.Line("plugged", [(t, p) for t, p, _ in samples], step=True)]
        return svg.line_chart(title, lines, "time (s)", "memory (MiB)")
