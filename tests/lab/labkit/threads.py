# SPDX-License-Identifier: GPL-2.0-or-later
"""What the threads of a process do: for the log of a test that waited in vain."""
import os
import pathlib
import time

SECONDS = 1
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def _read(path):
    try:
        return path.read_text(errors="replace").strip()
    except OSError as error:
        return f"({error.strerror})"


def _cpu_ticks(task):
    """CPU time so far in user and in kernel mode; the name may have spaces."""
    fields = _read(task / "stat").rpartition(")")[2].split()
    return [int(field) for field in fields[11:13]] or [0, 0]


def _describe(task, before):
    user, kernel = (100 * (now - then) // (SECONDS * TICKS_PER_SECOND)
                    for now, then in zip(_cpu_ticks(task), before))
    state = _read(task / "stat").rpartition(")")[2].split()[:1]
    lines = [f"{task.name} {_read(task / 'comm')}: {' '.join(state)}, "
             f"user {user} %, kernel {kernel} %, call {_read(task / 'syscall')}"]
    return lines + [f"  {line}" for line in _read(task / "stack").splitlines()]


def describe(pid):
    """A text: each thread of PID, its state, its CPU time of a second, its call and
    where in the kernel it is."""
    tasks = sorted(pathlib.Path(f"/proc/{pid}/task").iterdir())
    before = [_cpu_ticks(task) for task in tasks]
    time.sleep(SECONDS)
    return "\n".join(line for task, ticks in zip(tasks, before) if task.exists()
                     for line in _describe(task, ticks)) + "\n"
