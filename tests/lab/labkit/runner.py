# SPDX-License-Identifier: GPL-2.0-or-later
"""Run scenarios on this machine, which must have KVM and an IOMMU.

A scenario is a module in tests/lab/scenarios; each function in it whose name
begins with test_ is one test, named by the first line of its docstring. A test
gets a Lab and fails by an exception. The results are TAP, in results.tap.
"""
import importlib
import pathlib
import resource
import traceback

from .report import say

LAB = pathlib.Path(__file__).resolve().parent.parent
TAIL_LINES = 25


class Lab:
    """What a test may use."""

    def __init__(self, vmm, kernel, initrd, out, drive, drive_sha256):
        self.vmm = vmm                    # the emulator's path
        self.kernel = kernel              # the guest's kernel and initramfs
        self.initrd = initrd
        self.out = out                    # where the logs go
        self.drive = drive                # the PciDevice to pass through
        self.drive_sha256 = drive_sha256  # of its first vfio.DRIVE_READ bytes
        self._test = ""
        self._vms = 0

    def begin(self, test):
        self._test, self._vms = test, 0

    def next_vm(self):
        """A name for the logs of the test's next emulator."""
        self._vms += 1
        return f"{self._test}-{self._vms}"

    def logs(self):
        return sorted(self.out.glob(f"{self._test}-*"))


class Skip(Exception):
    """Raised by a test that cannot run here; the text says why."""


def scenario_names():
    return sorted(path.stem for path in (LAB / "scenarios").glob("[a-z]*.py"))


def tests_of(scenario):
    module = importlib.import_module(f"scenarios.{scenario}")
    return [function for name, function in vars(module).items()
            if name.startswith("test_") and callable(function)]


def show_failure(lab, error):
    say("# " + str(error or type(error).__name__).replace("\n", "\n# "))
    if not isinstance(error, (AssertionError, TimeoutError, ConnectionError)):
        say("# " + traceback.format_exc().rstrip().replace("\n", "\n# "))
    for log in lab.logs():
        lines = log.read_text(errors="replace").splitlines()[-TAIL_LINES:]
        say(f"# {log.name}, the last lines:")
        for line in lines:
            say(f"#   {line.rstrip()}")


def run_test(lab, scenario, function):
    """Run one test; its TAP line without the leading number."""
    name = f"{scenario}: {function.__doc__.splitlines()[0]}"
    say(f"\n# {name}")
    lab.begin(f"{scenario}-{function.__name__[len('test_'):]}")
    lab.drive.give_to("vfio-pci")
    try:
        function(lab)
    except Skip as reason:
        return "ok", f"{name} # SKIP {reason}"
    except Exception as error:  # whatever it is, the other tests go on
        show_failure(lab, error)
        return "not ok", name
    return "ok", name


def run(lab, scenarios):
    """Run all tests of SCENARIOS; False if one failed."""
    resource.setrlimit(resource.RLIMIT_MEMLOCK, (resource.RLIM_INFINITY,) * 2)
    tests = [(name, test) for name in scenarios for test in tests_of(name)]
    passed = True
    former_driver = lab.drive.driver()
    with open(lab.out / "results.tap", "w", buffering=1) as results:
        for number, (scenario, function) in enumerate(tests, 1):
            verdict, name = run_test(lab, scenario, function)
            passed = passed and verdict == "ok"
            say(f"{verdict} {number} - {name}")
            results.write(f"{verdict} {number} - {name}\n")
        # The plan comes last: results without it are of a run cut short.
        results.write(f"1..{len(tests)}\n")
    lab.drive.give_to(former_driver)
    return passed
