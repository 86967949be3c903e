# SPDX-License-Identifier: GPL-2.0-or-later
"""What a person sees: tables, and a sign of life from whatever takes long."""
import re
import sys
import time

from . import pace

MIB = 1 << 20
QUIET_SECONDS = 2           # before the first sign of life
WATCHED_SECONDS = 10        # between two of them, for a person
UNWATCHED_SECONDS = 60      # the same for a file
POLL_SECONDS = 0.1
SIGN_OF_LIFE = "  ... "


def mib(size):
    """A size in bytes as text, in MiB."""
    whole, rest = divmod(size, MIB)
    return f"{whole} MiB" if not rest else f"{size / MIB:.1f} MiB"


def say(text):
    print(text, flush=True)


class SignsOfLife:
    """How often there is one; from all sources together."""

    def __init__(self):
        self.every = WATCHED_SECONDS if sys.stdout.isatty() else UNWATCHED_SECONDS
        self._last = time.monotonic()

    def due(self):
        """Whether one may be printed now; if so, it must be."""
        now = time.monotonic()
        if self.every > WATCHED_SECONDS and now - self._last < self.every:
            return False
        self._last = now
        return True


signs_of_life = SignsOfLife()


class Progress:
    """Says that WHAT goes on: after two seconds, and then ever more seldom."""

    def __init__(self, what):
        self.what = what
        self.start = time.monotonic()
        self._next = QUIET_SECONDS

    def elapsed(self):
        return time.monotonic() - self.start

    def tell(self, show=lambda: ""):
        elapsed = self.elapsed()
        if elapsed >= self._next:
            self._next = min(2 * elapsed, elapsed + signs_of_life.every)
            if signs_of_life.due():
                say(f"{SIGN_OF_LIFE}{self.what}, {elapsed:.0f} s {show()}".rstrip())


def wait_until(what, probe, show=lambda: ""):
    """Call probe until it returns something true, and return that.

    Shows progress, with what show() adds. Raises TimeoutError if it takes longer
    than the machine's pace explains.
    """
    progress = Progress(what)
    deadline = pace.Deadline()
    while True:
        result = probe()
        if result:
            return result
        if deadline.left() < 0:
            raise TimeoutError(f"{what}: not done after {progress.elapsed():.0f} s "
                               f"{show()}".rstrip())
        progress.tell(show)
        time.sleep(POLL_SECONDS)


class Table:
    """Rows of right-aligned columns, each printed as soon as it is known."""

    def __init__(self, *heads):
        self.heads = heads
        self.widths = [max(len(head), 10) for head in heads]
        self.row(*heads)

    def row(self, *cells):
        say("  ".join(str(cell).rjust(width)
                      for cell, width in zip(cells, self.widths)))


class Results:
    """Verdicts on tests as numbered TAP lines, printed and written as they come."""

    def __init__(self, path=None):
        self.verdicts = {}
        self._file = open(path, "w", buffering=1) if path else None

    def add(self, verdict, name):
        """VERDICT is ok or not ok; NAME may end with a TAP directive."""
        self.verdicts[name] = verdict
        line = f"{verdict} {len(self.verdicts)} - {name}"
        say(line)
        if self._file:
            self._file.write(line + "\n")

    def finish(self):
        """Write the plan, which comes last: a file without it is cut short."""
        if self._file:
            self._file.write(f"1..{len(self.verdicts)}\n")
            self._file.close()

    def good(self):
        return bool(self.verdicts) and set(self.verdicts.values()) == {"ok"}


class Output:
    """What lab machines say: of one machine at once; of several, what belongs to a
    test in one piece, when it has ended. Verdicts go to RESULTS."""

    VERDICT = re.compile(r"(ok|not ok) \d+ - (.*)")
    TITLE = re.compile(r"# (\w+: .*)")

    def __init__(self, results=None, live=True, logs=lambda machine: None):
        """LOGS shows the logs of a machine that has ended in the midst of a test."""
        self.results = results or Results()
        self._logs = logs
        self.live = live
        self._kept = {}     # machine: lines
        self._running = {}  # machine: title
        self._heard = False
        self._progress = Progress("the lab boots")

    def line(self, machine, text):
        self._heard = True
        kept = self._kept.setdefault(machine, [])
        verdict, title = self.VERDICT.fullmatch(text), self.TITLE.fullmatch(text)
        if verdict:
            self._flush(machine)
            self.results.add(*verdict.groups())
            self._running.pop(machine, None)
        elif self.live:
            if not text.startswith(SIGN_OF_LIFE) or signs_of_life.due():
                say(text)
        elif not text.startswith(SIGN_OF_LIFE):
            kept.append(text)
        if title and machine not in self._running:
            self._running[machine] = title[1]
            if not self.live:
                self._restart()

    def end(self, machine, reason):
        """A machine is off. Whether it had begun a test that it has not ended; that
        one has failed, for REASON."""
        self._flush(machine)
        title = self._running.pop(machine, None)
        if title:
            say(f"# {reason}")
            self._logs(machine)
            self.results.add("not ok", title)
        if not self.live:
            self._restart()
        return bool(title)

    def idle(self):
        """Give a sign of life if there has been nothing to say for a while."""
        if not (self.live and self._heard):
            self._progress.tell()

    def _flush(self, machine):
        for text in self._kept.pop(machine, []):
            say(text)

    def _restart(self):
        titles = [title.split(":")[0] for title in self._running.values()]
        self._progress = Progress("running: " + ", ".join(titles or ["nothing"]))
