# SPDX-License-Identifier: GPL-2.0-or-later
"""Memory that follows demand: a stock guest fills a tmpfs and empties it, nobody
requests a size, and what is pinned for its drive follows."""
from labkit.qmp import QmpError
from labkit.report import MIB, Table, mib, say, wait_until
from labkit.vfio import DRIVE_START
from labkit.vm import Vm, peripheral

BOOT = 512 * MIB
STEP = 8 * MIB
STEPS = 80
HEADROOM = 15               # percent, the controller's default
# What this guest always leaves of its memory, so that its kernel can go on until there
# is more: less than the controller wants to be available, or it would wait for ever.
LEFT = 48 * MIB
AVAILABLE = "sed -n 's/^MemAvailable: *\\([0-9]*\\) kB$/\\1/p' /proc/meminfo"
FILL = (f"i=0; while [ $i -lt {STEPS} ]; do "
        f"until [ $({AVAILABLE}) -gt {(LEFT + STEP) // 1024} ]; do sleep 0.2; done; "
        f"dd if=/dev/zero of=/mnt/$i bs={STEP} count=1 2>/dev/null || break; "
        f"i=$((i + 1)); done; [ $i = {STEPS} ]")


def controller(vm):
    """What the only memory controller tells."""
    return vm.qmp.command("query-memory-controller")[0]


def rests(vm, wanted):
    """What the controller tells, what is plugged and what is pinned, in one moment:
    it rests, and knows that the guest uses what is WANTED of it. Else None."""
    vm.check_alive()
    before = controller(vm)
    plugged, pinned = vm.plugged(), vm.pinned()
    after = controller(vm)
    if after["decision"]["reason"] in ("in-band", "not-unplugged") and \
            after.get("guest") and wanted(used(after["guest"])) and \
            after["guest"]["available"] >= after["guest"]["total"] * HEADROOM // 100 and \
            before["plugged"] == plugged == after["plugged"] == \
            after["decision"]["requested"]:
        return after, plugged, pinned
    return None


def used(guest):
    return guest["total"] - guest["available"]


def told(vm):
    """For a person who waits."""
    info = controller(vm)
    return f"({info['decision']['words']}; the guest: {info.get('guest')})"


def check_row(vm, table, what, wanted):
    """Wait until the controller rests, print the row of that state; what is plugged."""
    info, plugged, pinned = wait_until("the controller rests",
                                       lambda: rests(vm, wanted), lambda: told(vm))
    table.row(what, mib(plugged), mib(pinned), mib(info["guest"]["total"]),
              mib(info["guest"]["available"]))
    assert pinned == BOOT + plugged, \
        f"{what}: pinned is {mib(pinned)}, but boot RAM and plugged memory are " \
        f"{mib(BOOT + plugged)}"
    return plugged


def test_memory_follows_a_tmpfs(lab):
    """a tmpfs is filled and emptied; plugged and pinned memory follow by themselves"""
    with Vm(lab, "-m", f"{BOOT // MIB}M,maxmem=4G,slots=2",
            "-object", "memory-backend-ram,id=mem0,size=1G",
            "-device", "virtio-mem-pci,id=vm0,memdev=mem0",
            "-device", "virtio-balloon-pci",
            "-object", "memory-controller,id=mc0,device=vm0",
            "-device", f"vfio-pci,host={lab.drive.address}") as vm:
        vm.boot()
        table = Table("tmpfs", "plugged", "pinned", "MemTotal", "available")
        vm.ask("mkdir /mnt; mount -t tmpfs -o size=1G tmpfs /mnt")
        low = check_row(vm, table, "empty", lambda size: size < STEP * STEPS // 2)
        vm.ask(FILL, "the guest fills a tmpfs")
        high = check_row(vm, table, mib(STEP * STEPS),
                         lambda size: size >= STEP * STEPS)
        assert high >= low + STEP * STEPS // 2, f"{mib(low)} -> {mib(high)}"
        vm.check_drive(size=DRIVE_START)
        vm.ask("rm /mnt/*")
        end = check_row(vm, table, "empty", lambda size: size < STEP * STEPS // 2)
        # What is plugged first may have to stay: not all of it is movable.
        assert end <= (low + high) // 2, f"{mib(high)} -> {mib(end)}"
        info = controller(vm)
        say(f"{info['grown']} decisions to grow, {info['shrunk']} to shrink")
        try:
            vm.qmp.set(peripheral("vm0"), "requested-size", 0)
            raise AssertionError("a size can be requested by hand")
        except QmpError as error:
            assert "'paused' to true" in str(error), error
        vm.tell("poweroff -f")
        assert vm.wait_for_exit() == 0
