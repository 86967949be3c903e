# SPDX-License-Identifier: GPL-2.0-or-later
"""A disk, and a directory, that another process serves by vhost-user: the guest's own
driver uses them while memory comes and goes, and the process has what is plugged."""
import hashlib
import os

from labkit.back_end import BackEnd
from labkit.report import MIB, Table, mib
from labkit.vm import Vm

SIZE = 48 * MIB
REGION = "mem0"


class StorageDaemon(BackEnd):
    """QEMU's storage daemon with a raw image of random bytes."""

    def __init__(self, lab):
        super().__init__(lab, "qemu-storage-daemon", "qemu-system-common")
        self.image = self.directory / "image"
        self.image.write_bytes(os.urandom(SIZE))

    def arguments(self):
        return ["--blockdev", f"driver=file,node-name=disk,filename={self.image}",
                "--export", "type=vhost-user-blk,id=disk,node-name=disk,writable=on,"
                            f"addr.type=unix,addr.path={self.socket}"]

    def digest(self):
        return hashlib.sha256(self.image.read_bytes()).hexdigest()


class Virtiofsd(BackEnd):
    """QEMU's virtiofsd with a directory that has a file of random bytes."""

    def __init__(self, lab):
        super().__init__(lab, "/usr/lib/qemu/virtiofsd", "qemu-system-common")
        self.shared = self.directory / "shared"
        self.shared.mkdir()
        (self.shared / "file").write_bytes(os.urandom(SIZE))

    def arguments(self):
        return [f"--socket-path={self.socket}", "-f",
                "-o", f"source={self.shared}", "-o", "sandbox=chroot"]

    def digest(self, name):
        return hashlib.sha256((self.shared / name).read_bytes()).hexdigest()


def region_info(vm):
    info = vm.qmp.command("query-ram-discard", region=REGION)[0]
    listener = next(entry for entry in info["listeners"]
                    if entry["kind"] == "vhost-user")
    return info, listener


def check_step(vm, daemon, table, size):
    """The daemon has what is plugged."""
    vm.resize(size)
    info, listener = region_info(vm)
    ends = daemon.mapped_ends(REGION)
    table.row(mib(size), len(info["runs"]), mib(listener["mapped"]), len(ends))
    assert listener["mapped"] == size, f"the daemon has {mib(listener['mapped'])}"
    assert "surplus" not in listener, f"and {listener['surplus']} bytes more"
    runs = {run["offset"] + run["length"] for run in info["runs"]}
    assert len(ends) == listener["mappings"], f"{len(ends)} mappings: {listener}"
    assert runs <= set(ends), f"runs end at {runs}, mappings at {ends}"


def check_disk(vm, daemon):
    """The guest reads all of it, then writes to it, at the end of its memory."""
    read = f"dd if=/dev/vda bs={SIZE // MIB}M count=1 iflag=direct,fullblock " \
           "2>/dev/null | sha256sum"
    found = vm.ask(read, "the guest reads the disk").split()[0]
    assert found == daemon.digest(), f"the guest read {found}"
    vm.ask("dd if=/dev/urandom of=/tmp/data bs=1M count=4 2>/dev/null && "
           "dd if=/tmp/data of=/dev/vda bs=4M oflag=direct conv=fsync 2>/dev/null",
           "the guest writes to the disk")
    found = vm.ask(read, "the guest reads the disk").split()[0]
    assert found == daemon.digest(), f"after writing the guest read {found}"


def test_disk_of_another_process(lab):
    """a vhost-user disk works while memory comes and goes, and has what is plugged"""
    with StorageDaemon(lab) as daemon, \
            Vm(lab, "-m", "256M,maxmem=4G,slots=1",
               "-object", f"memory-backend-memfd,id={REGION},size=2G",
               "-device", f"virtio-mem-pci,id=vm0,memdev={REGION}",
               "-chardev",
               f"socket,id=c0,path={daemon.socket},reconnect-ms=100",
               "-device", "vhost-user-blk-pci,chardev=c0") as vm:
        vm.boot()
        table = Table("plugged", "runs", "daemon has", "mappings")
        for size in (0, 512 * MIB, 128 * MIB, 384 * MIB):
            check_step(vm, daemon, table, size)
            check_disk(vm, daemon)
        daemon.kill()
        vm.resize(256 * MIB)
        daemon.start()
        check_disk(vm, daemon)
        check_step(vm, daemon, table, 256 * MIB)
        vm.tell("poweroff -f")
        assert vm.wait_for_exit() == 0


def check_directory(vm, daemon):
    """The guest reads a file, and writes one that the host then has."""
    vm.ask("mkdir -p /mnt && mount -t virtiofs share /mnt",
           "the guest mounts the directory")
    found = vm.ask("sha256sum /mnt/file", "the guest reads a file").split()[0]
    assert found == daemon.digest("file"), f"the guest read {found}"
    found = vm.ask("dd if=/dev/urandom of=/mnt/new bs=1M count=4 2>/dev/null && "
                   "sha256sum /mnt/new && umount /mnt",
                   "the guest writes a file").split()[0]
    assert found == daemon.digest("new"), f"the guest wrote {found}"


def test_directory_of_another_process(lab):
    """a vhost-user directory works while memory comes and goes, and has it"""
    with Virtiofsd(lab) as daemon, \
            Vm(lab, "-m", "256M,maxmem=4G,slots=1",
               "-object", f"memory-backend-memfd,id={REGION},size=2G",
               "-device", f"virtio-mem-pci,id=vm0,memdev={REGION}",
               "-chardev", f"socket,id=c0,path={daemon.socket}",
               "-device", "vhost-user-fs-pci,chardev=c0,tag=share") as vm:
        vm.boot()
        table = Table("plugged", "runs", "daemon has", "mappings")
        for size in (0, 512 * MIB, 128 * MIB, 384 * MIB):
            check_step(vm, daemon, table, size)
            check_directory(vm, daemon)
        vm.tell("poweroff -f")
        assert vm.wait_for_exit() == 0
