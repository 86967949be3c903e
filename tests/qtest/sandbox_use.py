# SPDX-License-Identifier: GPL-2.0-or-later
"""Which rows of the sandbox's table programs use, as strace sees them.

A record of strace -f has a line for each call, with the thread that made it. From
the record come the threads' kinds and when each was confined; from then on each call
counts for the rows that allow it.
"""

import collections
import re

# What a row demands in words instead of by a constant's name.
DEMANDS = {
    "not PROT_EXEC": r"^(?!.*PROT_EXEC)",
    "an own thread": r"",
    "the calling thread": r"^0, ",
    "no new limit": r", NULL, ",
    "a thread": r"CLONE_THREAD",
    "never: ENOSYS": r"",
    "the C library's SIGSETXID": r"^SIGRT_1\b",
    "0": r"^\d+, 0, ",
    "FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE": r"FALLOC_FL_PUNCH_HOLE",
    "FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE": r"FALLOC_FL_ZERO_RANGE",
}
LINE = re.compile(r"^(\d+) +(\w+)\((.*)$")
ENTERS = "SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, {"

Row = collections.namedtuple("Row", "threads when call demand")


def rows_of(text):
    """The rows of what -sandbox help prints."""
    for line in text.splitlines():
        if not line.startswith("#"):
            threads, when, call, *demand = line.split(None, 3)
            yield Row(tuple(threads.split(",")), when, call, "".join(demand).strip())


def allows(row, call, arguments):
    """Whether it is by this row that a call is allowed."""
    if call != row.call:
        return False
    pattern = DEMANDS.get(row.demand, rf"\b{re.escape(row.demand)}\b")
    return not row.demand or re.search(pattern, arguments) is not None


class Thread:
    """What a record tells of one thread."""

    def __init__(self, kind, inherits):
        self.kind = kind
        self.filters = {"main"} if inherits else set()

    def rename(self, arguments):
        """It has been given a name, which tells its kind."""
        self.kind = "vcpu" if arguments.startswith('PR_SET_NAME, "CPU ') else "worker"


def uses(lines, rows):
    """(kind, row) of each row that the emulator of a record has used."""
    threads, used, confined = {}, set(), False
    for line in lines:
        match = LINE.match(line)
        if not match:
            continue
        thread_id, call, arguments = match.groups()
        if thread_id not in threads:
            threads[thread_id] = Thread("worker" if threads else "main", confined)
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
