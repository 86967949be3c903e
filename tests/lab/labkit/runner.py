# SPDX-License-Identifier: GPL-2.0-or-later
"""Run scenarios on this machine, which must have KVM and an IOMMU.

A scenario is a module in tests/lab/scenarios; each function in it whose name
begins with test_ is one test, named by the first line of its docstring. A test
gets a Lab and fails by an exception. Several machines that share a directory may
run the same list: each takes the next test that none has taken.
"""
import collections
import importlib
import pathlib
import resource
import time
import traceback

from .report import say

LAB = pathlib.Path(__file__).resolve().parent.parent
TAIL_LINES = 80


class Skip(Exception):
    """Raised by a test that cannot run here; the text says why."""


# What a lab machine has besides the drive: another drive with the same content, in
# an IOMMU group of its own, and a group of three: a pair of "edu" devices and one
# that the driver virtio-pci has.
Others = collections.namedtuple("Others", "drive pair neighbour")


class Lab:
    """What a test may use."""

    def __init__(self, vmm, kernel, work, out, drive, digests, others=None,
                 bzimage=None, debug_vmlinux=None, disk=None, uefi=True):
        self.vmm = vmm                    # the emulator's path
        self.kernel = kernel              # the guest's kernel and initramfs
        self.initrd = work / "guest.img"
        self.out = out                    # where the logs go
        self.drive = drive                # the PciDevice to pass through
        self.digests = digests            # the drive's vfio.digests()
        self.bzimage = bzimage            # the kernel as distributions pack it
        self.kexec = work / "guest-kexec"     # guest-kexec.c, compiled
        self.vsock = work / "guest-vsock"     # guest-vsock.c, compiled
        self.debug_vmlinux = debug_vmlinux    # if a scenario on demand is run
        self.root_initrd = work / "root.img"  # for a guest with its system on a disk
        self.uefi = uefi                  # whether the machine outlives UEFI in guests
        self._work = work
        self._disk = disk                 # what the drive has, as a file
        self._others = others
        self._test = ""
        self._vms = 0

    def take(self, test):
        """TEST is a Test. Whether no other machine has taken TEST before."""
        try:
            taken_mark(self.out, test).mkdir(parents=True)
        except FileExistsError:
            return False
        return True

    def begin(self, test):
        self._test, self._vms = test, 0

    def next_vm(self):
        """A name for the logs of the test's next emulator."""
        self._vms += 1
        return f"{self._test}-{self._vms}"

    @property
    def others(self):
        """The Others; without them the test is skipped."""
        if not self._others:
            raise Skip("needs the lab's other devices")
        return self._others

    @property
    def disk(self):
        """An image that firmware can boot from, and that the drive has, too; without
        one the test is skipped."""
        if not self._disk:
            raise Skip("needs a drive with a system on it: the lab's, made with the "
                       "packages grub-pc-bin, grub-common and mtools")
        return self._disk

    @property
    def debian(self):
        """An image of a disk with Debian on it; without one the test is skipped."""
        disk = self._work / "debian.img"
        if not disk.exists():
            raise Skip("there is no Debian to boot: the lab said at its start why")
        return disk

    def logs(self):
        return sorted(self.out.glob(f"{self._test}-*"))


def taken_mark(out, test):
    return out / "taken" / test.log_name


def taken(out, test):
    """Whether a machine has begun TEST."""
    return taken_mark(out, test).exists()


def scenario_names():
    return sorted(path.stem for path in (LAB / "scenarios").glob("[a-z]*.py"))


def on_demand(scenario):
    """Whether it runs only if it is named, as what it needs is large."""
    return getattr(importlib.import_module(f"scenarios.{scenario}"), "ON_DEMAND", False)


def want(scenarios, what):
    """Whether one of them WANTS what takes long to make: SYMBOLS, the kernel with its
    debug information; DEBIAN, a disk with it."""
    return any(what in getattr(importlib.import_module(f"scenarios.{scenario}"), "WANTS",
                               ()) for scenario in scenarios)


class Test:
    """One function of a scenario."""

    def __init__(self, scenario, function, first):
        self.function = function
        self.title = f"{scenario}: {function.__doc__.splitlines()[0]}"
        self.log_name = f"{scenario}-{function.__name__[len('test_'):]}"
        self.first = first


def tests_of(scenario):
    module = importlib.import_module(f"scenarios.{scenario}")
    first = getattr(module, "RUN_FIRST", ())
    return [Test(scenario, function, function in first)
            for name, function in vars(module).items()
            if name.startswith("test_") and callable(function)]


def tests_of_all(scenarios):
    """The tests of SCENARIOS in the order in which they are to be taken.

    The longest come first, so that of several machines none ends much later.
    """
    tests = [test for scenario in scenarios for test in tests_of(scenario)]
    return sorted(tests, key=lambda test: not test.first)


def show_failure(lab, error):
    say("# " + str(error or type(error).__name__).replace("\n", "\n# "))
    if not isinstance(error, (AssertionError, TimeoutError, ConnectionError)):
        say("# " + traceback.format_exc().rstrip().replace("\n", "\n# "))
    for log in lab.logs():
        lines = log.read_text(errors="replace").splitlines()[-TAIL_LINES:]
        say(f"# {log.name}, the last lines:")
        for line in lines:
            say(f"#   {line.rstrip()}")


def run_test(lab, test):
    """Run one test; its verdict and its title with what TAP wants to know."""
    say(f"\n# {test.title}")
    lab.begin(test.log_name)
    try:
        lab.drive.give_to("vfio-pci")
        test.function(lab)
    except Skip as reason:
        return "ok", f"{test.title} # SKIP {reason}"
    except Exception as error:  # whatever it is, the other tests go on
        show_failure(lab, error)
        return "not ok", test.title
    return "ok", test.title


def run(lab, scenarios, results):
    """Run those tests of SCENARIOS that no other machine runs; False if one failed."""
    resource.setrlimit(resource.RLIMIT_MEMLOCK, (resource.RLIM_INFINITY,) * 2)
    former_driver = lab.drive.driver()
    for test in tests_of_all(scenarios):
        if lab.take(test):
            begin = time.monotonic()
            verdict = run_test(lab, test)
            say(f"# took {time.monotonic() - begin:.0f} s")
            results.add(*verdict)
    results.finish()
    lab.drive.give_to(former_driver)
    return results.good()
