# SPDX-License-Identifier: GPL-2.0-or-later
"""Which system calls a machine with drivers makes, once it is in the sandbox: what
tests/qtest/sandbox-in-the-lab.txt names must be seen."""
import contextlib
import pathlib
import subprocess
import sys
import tempfile

from labkit import pace
from labkit.qmp import QmpError
from labkit.report import MIB, say, wait_until
from labkit.vm import Vm

sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "qtest"))
import sandbox_use  # noqa: E402

PLUGGED = 512 * MIB
MACHINE = ("-m", "256M,maxmem=8G,slots=4",
           "-device", "pcie-root-port,id=rp0,chassis=1",
           "-device", "pcie-root-port,id=rp1,chassis=2",
           "-object", "memory-backend-ram,id=mem0,size=2G")


def kinds_of_threads(process):
    """The kind of each thread, as the sandbox has them."""
    kinds = {}
    for task in pathlib.Path(f"/proc/{process.pid}/task").iterdir():
        name = (task / "comm").read_text()
        kinds[task.name] = "main" if task.name == str(process.pid) else \
            "vcpu" if name.startswith("CPU ") else "worker"
    return kinds


@contextlib.contextmanager
def recorded(lab, vm, used):
    """Adds to USED what VM calls meanwhile, as (kind, call, demand)."""
    table = sandbox_use.rows_of(subprocess.run(
        [lab.vmm, "-sandbox", "help"], check=True, stdout=subprocess.PIPE,
        text=True).stdout)
    by_call = {}
    for row in table:
        by_call.setdefault(row.call, []).append(row)
    kinds = kinds_of_threads(vm.process)
    with tempfile.NamedTemporaryFile("r", dir="/run", errors="replace") as record:
        strace = subprocess.Popen(
            ["strace", "-f", "-s24", "-o", record.name, "-p", str(vm.process.pid)],
            stderr=subprocess.DEVNULL)
        try:
            wait_until("strace attaches", lambda: pathlib.Path(
                f"/proc/{vm.process.pid}/status").read_text().split("TracerPid:")[1]
                .split()[0] != "0")
            yield
        finally:
            strace.terminate()
            strace.wait(pace.current.limit())
        for kind, row in sandbox_use.uses(record, by_call, kinds):
            used.add((kind, row.call, row.demand))


def refuse_a_group(lab, vm):
    """A device in whose group the host uses another: its group is looked at."""
    lab.others.neighbour.give_to("virtio-pci")
    for device in lab.others.pair:
        device.give_to("vfio-pci")
    try:
        vm.qmp.command("device_add", driver="vfio-pci", id="edu", bus="rp1",
                       host=lab.others.pair[0].address)
    except QmpError as error:
        say(f"  {error.desc}")
    else:
        raise AssertionError("a group that the host uses was not refused")
    finally:
        for device in lab.others.pair:
            device.give_to(None)


def wait_for_drive(vm):
    wait_until("the guest finds the drive", lambda: vm.ask(
        "ls /dev/nvme0n1 2>/dev/null || echo no") != "no")


def plug_and_unplug_the_drive(lab, vm):
    vm.qmp.command("device_add", driver="vfio-pci", id="drive", bus="rp0",
                   host=lab.drive.address)
    wait_for_drive(vm)
    vm.resize(PLUGGED)
    vm.check_drive()
    vm.resize(0)
    vm.qmp.command("system_reset")
    vm.wait_for_guest()
    wait_for_drive(vm)
    vm.qmp.command("device_del", id="drive")
    vm.qmp.event("DEVICE_DELETED")


def test_calls_of_a_machine_with_drivers(lab):
    """the calls that only a guest with drivers, or VFIO, needs are used"""
    used = set()
    with Vm(lab, *MACHINE,
            "-device", "virtio-mem-pci,id=vm0,memdev=mem0,requested-size=0") as vm:
        vm.boot()
        with recorded(lab, vm, used):
            refuse_a_group(lab, vm)
            plug_and_unplug_the_drive(lab, vm)
    # Devices whose rings a vCPU looks after.
    with Vm(lab, *MACHINE, "-device",
            "virtio-mem-pci,id=vm0,memdev=mem0,requested-size=0,ioeventfd=off",
            "-device", f"vfio-pci,id=drive,host={lab.drive.address},bus=rp0",
            "-device", "virtio-rng-pci,ioeventfd=off") as vm:
        vm.boot()
        with recorded(lab, vm, used):
            vm.resize(PLUGGED)
            vm.check_drive()
            vm.ask("head -c 64 /dev/hwrng | md5sum || true")
            vm.resize(0)
            vm.ask("echo 1 > /sys/bus/pci/drivers/nvme/*:*/remove; "
                   "echo 1 > /sys/bus/pci/rescan")
    text = "\n".join(" ".join(row) for row in sorted(used))
    (lab.out / "sandbox-calls.txt").write_text(text + "\n")
    expected = set(sandbox_use.seen_in_the_lab())
    say(f"  {len(used)} rows were seen, {len(expected)} of which must be")
    assert expected <= used, "not seen: " + ", ".join(
        " ".join(row) for row in sorted(expected - used))
