# SPDX-License-Identifier: GPL-2.0-or-later
"""The main job: a guest with a passed-through drive grows and shrinks, and what
the kernel has pinned for it follows, block by block."""
from labkit.report import MIB, Table, mib, wait_until
from labkit.sampler import Sampler
from labkit.vm import BOOT_RAM, Vm, peripheral

# What a run leaves for people to look at, among the logs.
MAP = "memory-map.png"
CHART = "plugged-and-pinned.svg"


def check_row(vm, table, requested, boot_total, seconds):
    """Print the row of a step that has ended, and fail if it is wrong."""
    row = f"row requested {mib(requested)}"
    online = lambda: vm.mem_total() - boot_total == requested
    try:
        wait_until("the guest onlines memory", online)
    except TimeoutError:
        pass  # the row shows it, and the last assertion tells
    plugged, pinned, total = vm.plugged(), vm.pinned(), vm.mem_total()
    table.row(mib(requested), mib(plugged), mib(total), mib(pinned), seconds)
    assert plugged == requested, f"{row}: plugged is {mib(plugged)}"
    assert pinned == BOOT_RAM + plugged, \
        f"{row}: pinned is {mib(pinned)}, " \
        f"but boot RAM and plugged memory are {mib(BOOT_RAM + plugged)}"
    assert total - boot_total == plugged, \
        f"{row}: MemTotal is {mib(total)}, " \
        f"but should be {mib(boot_total + plugged)}"


def dump_map(lab, vm):
    """Have the emulator draw what it has, and look whether it did. QEMU does not
    draw."""
    commands = vm.qmp.command("query-commands")
    if not any(command["name"] == "memory-map-dump" for command in commands):
        return
    path = lab.out / MAP
    vm.qmp.command("memory-map-dump", file=str(path))
    with open(path, "rb") as picture:
        assert picture.read(8) == b"\x89PNG\r\n\x1a\n", f"{path} is no PNG"


def draw_chart(lab, sampler):
    """Chart the samples, which must have seen all of the growing."""
    most = max((plugged for _, plugged, _ in sampler.samples), default=0)
    assert most == 1024, f"the most plugged in a sample is {most} MiB"
    (lab.out / CHART).write_text(sampler.chart("A guest grows and shrinks"))


def test_grow_and_shrink(lab):
    """pinned memory follows plugged memory, and the drive reaches all of it"""
    with Sampler() as sampler, \
            Vm(lab, "-m", "256M,maxmem=4G,slots=2",
               "-object", "memory-backend-ram,id=mem0,size=2G",
               "-device", "virtio-mem-pci,id=vm0,memdev=mem0,requested-size=0",
               "-device", f"vfio-pci,host={lab.drive.address}",
               *sampler.options) as vm:
        vm.boot()
        sampler.start(vm, peripheral("vm0"))
        table = Table("requested", "plugged", "MemTotal", "pinned", "seconds")
        boot_total = vm.mem_total()
        check_row(vm, table, 0, boot_total, "-")
        for size in (512 * MIB, 1024 * MIB):
            check_row(vm, table, size, boot_total, f"{vm.resize(size):.1f}")
        vm.check_drive()
        dump_map(lab, vm)
        size = 256 * MIB
        check_row(vm, table, size, boot_total, f"{vm.resize(size):.1f}")
        sampler.stop()
        draw_chart(lab, sampler)
        vm.tell("poweroff -f")
        status = vm.wait_for_exit()
        assert status == 0, f"the emulator ended with status {status}"
