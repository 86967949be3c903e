# SPDX-License-Identifier: GPL-2.0-or-later
"""What a person sees: tables, and a sign of life from whatever takes long."""
import time

MIB = 1 << 20
QUIET_SECONDS = 2           # before the first sign of life
LONGEST_QUIET_SECONDS = 10  # between two of them
POLL_SECONDS = 0.1


def mib(size):
    """A size in bytes as text, in MiB."""
    whole, rest = divmod(size, MIB)
    return f"{whole} MiB" if not rest else f"{size / MIB:.1f} MiB"


def say(text):
    print(text, flush=True)


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
            self._next = min(2 * elapsed, elapsed + LONGEST_QUIET_SECONDS)
            say(f"  ... {self.what}, {elapsed:.0f} s {show()}".rstrip())


def wait_until(what, probe, limit, show=lambda: ""):
    """Call probe until it returns something true, and return that.

    Shows progress, with what show() adds. Raises TimeoutError once LIMIT seconds
    have passed.
    """
    progress = Progress(what)
    while True:
        result = probe()
        if result:
            return result
        if progress.elapsed() > limit:
            raise TimeoutError(f"{what}: not done after {limit} s {show()}".rstrip())
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
