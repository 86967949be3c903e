# SPDX-License-Identifier: GPL-2.0-or-later
"""Which rows of the sandbox's table programs use, as strace sees them.

A record of strace -f has a line for each call, with the thread that made it. From
the record come the threads' kinds and when each was confined; from then on each call
counts for the rows that allow it.
"""

import collections
import pathlib
import re

# What a row demands in words instead of by a constant's name.
DEMANDS = {
    "not PROT_EXEC": r"^(?!.*PROT_EXEC)",
    "an own thread": r"",
    "the calling thread": r"^0, ",
    "no new limit": r", NULL, ",
    "a thread": r"CLONE_THREAD",
    "never: ENOSYS": r"",
    "never: ENOMEM": r"",
    "the C library's SIGSETXID": r"^SIGRT_1\b",
    "0": r"^\d+, 0, ",
    "FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE": r"FALLOC_FL_PUNCH_HOLE",
    "FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE": r"FALLOC_FL_ZERO_RANGE",
}
LINE = re.compile(r"^(\d+) +(\w+)\((.*)$")
ENTERS = "SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, {"

Row = collections.namedtuple("Row", "threads needs call demand")


def rows_of(text):
    """The rows of what -sandbox help prints."""
    for line in text.splitlines():
        if not line.startswith("#"):
            threads, needs, call, *demand = line.split(None, 3)
            yield Row(tuple(threads.split(",")), needs, call, "".join(demand).strip())


def allows(row, call, arguments):
    """Whether it is by this row that a call is allowed."""
    if call != row.call:
        return False
    pattern = DEMANDS.get(row.demand, rf"\b{re.escape(row.demand)}\b")
    return not row.demand or re.search(pattern, arguments) is not None


def seen_in_the_lab():
    """(kind, call, demand) of what the lab's scenario sandbox must see."""
    text = pathlib.Path(__file__).with_name("sandbox-in-the-lab.txt").read_text("utf-8")
    for line in text.splitlines():
        if line and not line.startswith("#"):
            kind, call, *demand = line.split(None, 2)
            yield kind, call, "".join(demand)


class Thread:
    """What a record tells of one thread."""

    def __init__(self, kind, filters):
        self.kind = kind
        self.filters = set(filters)

    def rename(self, arguments):
        """It has been given a name, which tells its kind."""
        names = {"CPU ": "vcpu", "io": "io"}
        name = arguments.removeprefix('PR_SET_NAME, "')

        self.kind = next((kind for start, kind in names.items() if name.startswith(start)),
                         "worker")


def uses(lines, rows, kinds=None):
    """(kind, row) of each row that the emulator of a record has used. KINDS: of the
    threads that were confined when the record began."""
    threads = {number: Thread(kind, {kind}) for number, kind in (kinds or {}).items()}
    used, confined = set(), bool(kinds)
    for line in lines:
        match = LINE.match(line)
        if not match:
            continue
        thread_id, call, arguments = match.groups()
        if thread_id not in threads:
            threads[thread_id] = Thread("worker" if threads else "main",
                                        {"main"} if confined else ())
        thread = threads[thread_id]
        for kind in thread.filters:
            used |= {(kind, row) for row in rows.get(call, ()) if kind in row.threads and
                     allows(row, call, arguments)}
        if call == "prctl" and arguments.startswith("PR_SET_NAME") and \
                thread.kind != "main":
            thread.rename(arguments)
        elif call == "seccomp" and ENTERS in arguments:
            thread.filters.add(thread.kind)
            confined |= thread.kind == "main"
    return used
