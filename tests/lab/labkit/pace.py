# SPDX-License-Identifier: GPL-2.0-or-later
"""How long anything in the lab may take: a multiple of what the machine's own boot
took, and longer while the machine is slower than it was then. No limit in the lab is
in plain seconds."""
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
import patience  # noqa: E402

# Whatever is waited for takes about one boot at most on a machine that does nothing
# else: a guest's boot is the longest.
BOOTS = 24
# A machine that has not booted is measured in steps: some ten seconds of them.
BOOT_STEPS = 1250


class Pace:
    def __init__(self, boot=None):
        """BOOT: seconds that the machine's boot has just taken; without it, what a
        lab machine's should take here."""
        self._step = patience.step()
        self.boot = boot or BOOT_STEPS * self._step

    def limit(self, boots=BOOTS):
        """Seconds that something may take; measures how slow the machine is now."""
        slower = max(1, patience.step() / self._step)
        return boots * self.boot * slower


class Deadline:
    """The end of a wait that begins now."""

    def __init__(self, pace=None, boots=BOOTS):
        self._pace = pace or current
        self._boots = boots
        self._begin = time.monotonic()
        self._limit = boots * self._pace.boot

    def left(self):
        """Seconds that are left; below 0: it is over."""
        spent = time.monotonic() - self._begin
        if spent > self._limit:
            self._limit = self._pace.limit(self._boots)
        return self._limit - spent


# Of the machine that this runs on.
current = None


def begin(boot=None):
    global current
    current = Pace(boot)
