# SPDX-License-Identifier: GPL-2.0-or-later
"""Figures of benchmarks: collected in turns, printed, written as JSON and SVG.

A benchmark makes Figure objects, adds samples of each emulator to them, round
after round in turn, and hands them to report(). README.md has the JSON format.
run_main() is around all of it: whatever goes wrong ends with one line and
status 1, and SIGTERM and SIGINT end with everything cleaned up.
"""

import json
import os
import pathlib
import platform
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests/plot"))
sys.dont_write_bytecode = True
import svg                                      # noqa: E402

OURS = "sparsevm"
QEMU = "qemu"


class Failure(Exception):
    """What is to be measured did not work; the text is for people."""


@dataclass
class Figure:
    """One figure: samples by emulator, all in one unit, less is better."""
    name: str                           # of the figure, for programs
    title: str                          # for people
    unit: str                           # "us", "ms", "MB", "s", ...
    ratio_target: float = None          # at most: ours to QEMU's, medians
    value_target: float = None          # at most: our median
    compared: bool = True               # False: only one of the two does it
    samples: dict = field(default_factory=dict)

    def add(self, emulator, value):
        """One more sample of "sparsevm" or "qemu"."""
        self.samples.setdefault(emulator, []).append(value)

    def median(self, emulator):
        """The median, or None if it was not measured."""
        values = self.samples.get(emulator)
        return statistics.median(values) if values else None

    def ratio(self):
        """Ours to QEMU's, of the medians; None if that cannot be said."""
        ours, theirs = self.median(OURS), self.median(QEMU)
        if not self.compared or ours is None or not theirs:
            return None
        return ours / theirs

    def ratios(self):
        """The ratio of each round, in which both ran one after the other."""
        return [ours / theirs for ours, theirs in zip(
            self.samples.get(OURS, []), self.samples.get(QEMU, [])) if theirs]

    def reached(self):
        """Whether it reaches its targets; None if it has none."""
        verdicts = []
        if self.ratio_target is not None and self.ratio() is not None:
            verdicts.append(self.ratio() <= self.ratio_target)
        if self.value_target is not None:
            verdicts.append(self.median(OURS) <= self.value_target)
        return all(verdicts) if verdicts else None

    def as_json(self):
        """What the result file says of it."""
        summary = {emulator: {"median": statistics.median(values),
                              "min": min(values), "max": max(values),
                              "samples": values}
                   for emulator, values in self.samples.items()}
        return {"name": self.name, "title": self.title, "unit": self.unit,
                "ratio_target": self.ratio_target,
                "value_target": self.value_target,
                "ratio": self.ratio(), "reached": self.reached(), **summary}


# --- output ----------------------------------------------------------------

def short(value):
    """A value with as many digits as it is worth."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def spread(figure, emulator):
    """Median and range of one emulator's samples."""
    values = figure.samples.get(emulator)
    if not values:
        return "-"
    return (f"{short(figure.median(emulator))} "
            f"({short(min(values))} - {short(max(values))}) {figure.unit}")


def ratio_text(figure):
    """The ratio, with the range of the rounds' ratios."""
    if figure.ratio() is None:
        return "-"
    each = figure.ratios()
    return f"{figure.ratio():.3f} ({min(each):.3f} - {max(each):.3f})"


def target_text(figure):
    """What is to be reached, and whether it was."""
    words = []
    if figure.ratio_target is not None:
        words.append(f"ratio <= {figure.ratio_target:.3g}")
    if figure.value_target is not None:
        words.append(f"<= {short(figure.value_target)} {figure.unit}")
    if not words:
        return "-"
    verdict = {True: "reached", False: "missed", None: "not measured"}
    return f"{', '.join(words)}: {verdict[figure.reached()]}"


def print_table(figures):
    """Figures as rows; each cell: median (min - max)."""
    rows = [("figure", OURS, "QEMU", "ratio", "target")]
    rows += [(f.title, spread(f, OURS), spread(f, QEMU), ratio_text(f),
              target_text(f)) for f in figures]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width)
                        for cell, width in zip(row, widths)).rstrip())


def plot(title, figures):
    """The figures that have a ratio as bars, or those with a value target."""
    bars = [svg.Bar(f.title, f.ratio(), f.ratio_target,
                    f"({short(f.median(OURS))} / {short(f.median(QEMU))} "
                    f"{f.unit})")
            for f in figures if f.ratio() is not None]
    if bars:
        return svg.ratio_chart(f"{title}: sparsevm / QEMU", bars)
    bars = [svg.Bar(f.title, f.median(OURS), f.value_target, f.unit)
            for f in figures]
    return svg.ratio_chart(f"{title}: sparsevm", bars, "less is better")


def machine():
    """What the figures were seen on."""
    return {"cpus": os.cpu_count(), "system": platform.system(),
            "release": platform.release(), "arch": platform.machine(),
            "load_1min": os.getloadavg()[0]}


def report(bench, title, figures, out=None, emulators=None):
    """Prints the table; writes BENCH.json and BENCH.svg into the directory out,
    if given, and names them. emulators: {"sparsevm": what, "qemu": what}."""
    print_table(figures)
    if out is None:
        return
    out = pathlib.Path(out)
    out.mkdir(parents=True, exist_ok=True)
    result = {"bench": bench, "title": title, "machine": machine(),
              "emulators": emulators or {},
              "figures": [figure.as_json() for figure in figures]}
    for suffix, text in (("json", json.dumps(result, indent=1) + "\n"),
                         ("svg", plot(title, figures))):
        path = out / f"{bench}.{suffix}"
        path.write_text(text)
        print(f"wrote {path}")


def progress(text):
    """A line that is gone again, if somebody looks."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


# --- programs --------------------------------------------------------------

def add_arguments(parser, rounds):
    """The options that every benchmark has."""
    parser.add_argument("--vmm", default=str(TOP / "build/sparsevm"),
                        help="the emulator to measure (default: %(default)s)")
    parser.add_argument("--build", metavar="DIR",
                        help="has the drivers (default: that of the emulator)")
    parser.add_argument("--qemu", default="qemu-system-x86_64",
                        help="what to compare with (default: %(default)s)")
    parser.add_argument("--rounds", type=positive, default=rounds,
                        help="runs of each (default: %(default)s)")
    parser.add_argument("--quick", action="store_true",
                        help="just three rounds: a look, no figures to quote")
    parser.add_argument("--out", metavar="DIR",
                        help="write the result there as JSON and SVG")


def positive(text):
    """A number of rounds."""
    value = int(text)
    if value < 1:
        raise ValueError(text)
    return value


def rounds_of(args):
    """How often to measure."""
    return min(args.rounds, 3) if args.quick else args.rounds


def need_program(path, advice=""):
    """path, absolute if it was found in PATH; Failure if it cannot be run."""
    found = shutil.which(path)
    if not found:
        raise Failure(f"{path} is not there, or no program{advice}")
    return os.path.abspath(found)


def built(args, name):
    """A program of the build, whose directory is --build, or that of --vmm."""
    build = pathlib.Path(args.build or pathlib.Path(args.vmm).resolve().parent)
    return need_program(str(build / name), ": build it, or say --build")


def driver(args, name):
    """The C program that the build made for a benchmark."""
    return built(args, f"tests/bench/{name}")


def run_driver(who, argv, env, seconds=300):
    """Standard output of a driver; Failure, naming who, if it fails.

    Emulators die with their driver, and its files are in a directory that goes
    away, so that nothing is left whatever happens.
    """
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        try:
            done = subprocess.run(
                argv, env={**os.environ, **env, "TMPDIR": directory},
                stdin=subprocess.DEVNULL, capture_output=True, text=True,
                timeout=seconds, check=False, preexec_fn=no_core)
        except subprocess.TimeoutExpired:
            raise Failure(f"{who}: not done after {seconds} s") from None
    if done.returncode:
        raise Failure(f"{who}: {complaint(done)}")
    return done.stdout


def no_core():
    """A failed check ends a driver by a signal; nobody looks at its core."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def complaint(done):
    """The last that a failed program said, in one line."""
    lines = [line.strip() for line in done.stderr.splitlines()
             if line.strip() and "terminating on signal" not in line]
    return lines[-1] if lines else f"it ended with status {done.returncode}"


def terminate(signum, frame):
    """Unwinds, so that whatever is open is cleaned up."""
    raise SystemExit(128 + signum)


def run_main(name, main):
    """Calls main(); one line and status 1 if that fails."""
    signal.signal(signal.SIGTERM, terminate)
    signal.signal(signal.SIGINT, terminate)
    try:
        main()
    except (Failure, OSError) as error:
        progress("")
        sys.exit(f"{name}: {error}")
