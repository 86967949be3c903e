# SPDX-License-Identifier: GPL-2.0-or-later
"""A drive of the host as a guest's disk, by the driver in block/: data goes between
the drive and guest memory without a copy, and of guest memory the drive has what is
plugged, in the mappings that a passed-through drive has, too."""
from labkit.report import MIB, Table, mib, say
from labkit.vfio import DRIVE_START
from labkit.vm import BOOT_RAM, Vm

SIZES = (0, 512 * MIB, 128 * MIB, 384 * MIB, 0, 256 * MIB)
DISK = "/dev/vda"
# What is locked besides: the driver's queues, lists and buffers.
OWN = 197 * 4096


def start(lab, *arguments):
    return Vm(lab, "-m", "256M,maxmem=4G,slots=2",
              "-object", "memory-backend-ram,id=mem0,size=2G",
              "-device", "virtio-mem-pci,id=vm0,memdev=mem0", *arguments)


def disk(drive):
    return ("-blockdev", f"driver=nvme,device={drive.address},namespace=1,node-name=n0",
            "-blockdev", "driver=raw,file=n0,node-name=disk0,discard=unmap",
            "-device", "virtio-blk-pci,drive=disk0")


def digest(vm, source, size):
    """What the guest reads of SOURCE; past its page cache."""
    return vm.ask(f"dd if={source} bs=4M count={size // (4 * MIB)} iflag=direct "
                  "2>/dev/null | sha256sum", f"the guest reads {source}").split()[0]


def keep_busy(vm):
    """The guest reads and writes its disk until it is told to stop; behind what
    other tests read of the drive."""
    vm.tell("(while [ ! -e /tmp/enough ]; do "
            f"dd if={DISK} of=/tmp/busy bs=1M count=8 iflag=direct 2>/dev/null; "
            f"dd if=/tmp/busy of={DISK} bs=1M count=8 seek=340 oflag=direct "
            "2>/dev/null; done; echo done >/tmp/stopped) &")


def check_sizes(vm, own):
    table = Table("plugged", "pinned")
    for size in SIZES:
        vm.resize(size)
        pinned = vm.pinned()
        table.row(mib(size), mib(pinned))
        assert pinned == BOOT_RAM + size + own, \
            f"{pinned} bytes are pinned, not {BOOT_RAM + size + own}"


def power_off(vm):
    vm.tell("poweroff -f")
    status = vm.wait_for_exit()
    assert status == 0, f"the emulator ended with status {status}: {vm.errors()}"


def test_drive_as_a_disk(lab):
    """a drive as a disk: pinned = boot RAM + plugged, while the guest reads and writes"""
    lab.drive.give_to("vfio-pci")
    with start(lab, *disk(lab.drive)) as vm:
        vm.boot()
        found = digest(vm, DISK, DRIVE_START)
        assert found == lab.digests[0], f"the guest reads {found}"
        keep_busy(vm)
        check_sizes(vm, OWN)
        vm.ask("touch /tmp/enough; while [ ! -e /tmp/stopped ]; do sleep 0.1; done")
        assert digest(vm, DISK, DRIVE_START) == found
        written = vm.ask(f"dd if={DISK} bs=1M count=8 iflag=direct 2>/dev/null | "
                         f"sha256sum; dd if={DISK} bs=1M count=8 skip=340 iflag=direct "
                         "2>/dev/null | sha256sum").split()
        assert written[0] == written[2], f"what was written is not there: {written}"
        stats = vm.qmp.command("query-blockstats")[0]["stats"]
        say(f"  {mib(stats['rd_bytes'])} read, {mib(stats['wr_bytes'])} written")
        assert not stats["failed_rd_operations"] + stats["failed_wr_operations"], stats
        power_off(vm)


def test_beside_a_drive_that_is_passed_through(lab):
    """beside a drive that is passed through nothing is pinned twice"""
    lab.drive.give_to("vfio-pci")
    lab.others.drive.give_to("vfio-pci")
    with start(lab, *disk(lab.others.drive),
               "-device", f"vfio-pci,host={lab.drive.address}") as vm:
        vm.boot()
        check_sizes(vm, OWN)
        expected = digest(vm, "/dev/nvme0n1", DRIVE_START)
        assert digest(vm, DISK, DRIVE_START) == expected
        power_off(vm)
