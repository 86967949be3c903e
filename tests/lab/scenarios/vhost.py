# SPDX-License-Identifier: GPL-2.0-or-later
"""A disk, and a directory, that another process serves by vhost-user: the guest's own
driver uses them while memory comes and goes, and the process has what is plugged."""
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

from labkit.report import MIB, Table, mib, wait_until
from labkit.runner import Skip
from labkit.vm import Vm

PROGRAM = "qemu-storage-daemon"
VIRTIOFSD = "/usr/lib/qemu/virtiofsd"
SIZE = 48 * MIB
REGION = "mem0"


class BackEnd:
    """A process that serves something of its directory's; a context manager."""

    def __init__(self, program):
        if not shutil.which(program):
            raise Skip(f"{program} is not installed (package qemu-system-common)")
        self._directory = tempfile.TemporaryDirectory(prefix="back-end-", dir="/run")
        self.directory = pathlib.Path(self._directory.name)
        self.socket = self.directory / "socket"
        self._process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *exception):
        self.kill()
        self._directory.cleanup()

    def command(self):
        """Its command line."""
        raise NotImplementedError

    def start(self):
        self.socket.unlink(missing_ok=True)
        self._process = subprocess.Popen(self.command())
        wait_until("the back end starts", self.socket.exists)

    def kill(self):
        self._process.kill()
        self._process.wait()

    def mapped_ends(self):
        """Where what it has mapped of REGION's file ends; it maps a file from the
        beginning, whichever part it is given."""
        text = pathlib.Path(f"/proc/{self._process.pid}/maps").read_text()
        rows = re.findall(rf"^(\w+)-(\w+) \S+ (\w+) .*/memfd:{REGION} ", text, re.M)
        return sorted(int(offset, 16) + int(end, 16) - int(start, 16)
                      for start, end, offset in rows)


class StorageDaemon(BackEnd):
    """QEMU's storage daemon with a raw image of random bytes."""

    def __init__(self):
        super().__init__(PROGRAM)
        self.image = self.directory / "image"
        self.image.write_bytes(os.urandom(SIZE))

    def command(self):
        return [PROGRAM,
                "--blockdev", f"driver=file,node-name=disk,filename={self.image}",
                "--export", "type=vhost-user-blk,id=disk,node-name=disk,writable=on,"
                            f"addr.type=unix,addr.path={self.socket}"]

    def digest(self):
        return hashlib.sha256(self.image.read_bytes()).hexdigest()


class Virtiofsd(BackEnd):
    """QEMU's virtiofsd with a directory that has a file of random bytes."""

    def __init__(self):
        super().__init__(VIRTIOFSD)
        self.shared = self.directory / "shared"
        self.shared.mkdir()
        (self.shared / "file").write_bytes(os.urandom(SIZE))

    def command(self):
        return [VIRTIOFSD, f"--socket-path={self.socket}", "-f",
                "-o", f"source={self.shared}", "-o", "sandbox=chroot"]

    def digest(self, name):
        return hashlib.sha256((self.shared / name).read_bytes()).hexdigest()


def region_info(vm):
    info = vm.qmp.command("query-ram-discard", region=REGION)[0]
    listener = next(entry for entry in info["listeners"]
                    if entry["kind"] == "vhost-user")
    return info, listener


def check_step(vm, daemon, table, size):
    """The daemon has what is plugged, and the disk works in all of it."""
    vm.resize(size)
    info, listener = region_info(vm)
    ends = daemon.mapped_ends()
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
    with StorageDaemon() as daemon, \
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
    with Virtiofsd() as daemon, \
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
