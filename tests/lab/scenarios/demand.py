# SPDX-License-Identifier: GPL-2.0-or-later
"""Memory that follows demand: a stock guest fills a tmpfs and empties it, nobody
requests a size, and what is pinned for its drive follows."""
from labkit.qmp import QmpError
from labkit.report import MIB, Table, mib, say, wait_until
from labkit.vfio import DRIVE_START
from labkit.vm import BOOT_RAM, Vm, peripheral

STEP = 4 * MIB
STEPS = 80
# Not as fast as it can: a guest as small as this one has 20 MiB of headroom, and
# plugging takes its time on an emulated machine.
FILL = (f"i=0; while [ $i -lt {STEPS} ] && dd if=/dev/zero of=/mnt/$i bs={STEP} "
        "count=1 2>/dev/null && sleep 0.2; do i=$((i + 1)); done; "
        f"dmesg | grep -c 'Out of memory'; [ $i = {STEPS} ]")


def controller(vm):
    """What the only memory controller tells."""
    return vm.qmp.command("query-memory-controller")[0]


def wait_for_rest(vm):
    """Wait until what is requested is plugged, and nothing else is wanted."""
    def rests():
        vm.check_alive()
        before = controller(vm)
        decision = before["decision"]
        return decision["reason"] in ("in-band", "not-unplugged") and \
            before.get("guest") and \
            decision["requested"] == before["plugged"] == vm.plugged()
    wait_until("the controller rests", rests,
               lambda: f"({controller(vm)['decision']['words']})")


def check_row(vm, table, what):
    """Print the row of a state in which the controller rests; what is plugged."""
    wait_for_rest(vm)
    plugged, pinned = vm.plugged(), vm.pinned()
    guest = controller(vm)["guest"]
    table.row(what, mib(plugged), mib(pinned), mib(guest["total"]),
              mib(guest["available"]))
    assert pinned == BOOT_RAM + plugged, \
        f"{what}: pinned is {mib(pinned)}, but boot RAM and plugged memory are " \
        f"{mib(BOOT_RAM + plugged)}"
    assert guest["available"] >= guest["total"] * 15 // 100, \
        f"{what}: {mib(guest['available'])} of {mib(guest['total'])} available"
    return plugged


def test_memory_follows_a_tmpfs(lab):
    """a tmpfs is filled and emptied; plugged and pinned memory follow by themselves"""
    with Vm(lab, "-m", "256M,maxmem=4G,slots=2",
            "-object", "memory-backend-ram,id=mem0,size=1G",
            "-device", "virtio-mem-pci,id=vm0,memdev=mem0",
            "-device", "virtio-balloon-pci",
            "-object", "memory-controller,id=mc0,device=vm0",
            "-device", f"vfio-pci,host={lab.drive.address}") as vm:
        vm.boot()
        table = Table("tmpfs", "plugged", "pinned", "MemTotal", "available")
        vm.ask("mkdir /mnt; mount -t tmpfs -o size=1G tmpfs /mnt")
        low = check_row(vm, table, "empty")
        vm.ask(FILL, "the guest fills a tmpfs")
        high = check_row(vm, table, mib(STEP * STEPS))
        assert high >= low + STEP * STEPS // 2, f"{mib(low)} -> {mib(high)}"
        vm.check_drive(size=DRIVE_START)
        vm.ask("rm /mnt/*")
        end = check_row(vm, table, "empty")
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
