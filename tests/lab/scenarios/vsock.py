# SPDX-License-Identifier: GPL-2.0-or-later
"""Sockets between guest and host, by the kernel's vhost: what the guest is sent comes
back while memory comes and goes, and the kernel has what is plugged."""
import hashlib
import os
import pathlib
import socket
import tempfile
import threading

from labkit import pace
from labkit.images import with_files
from labkit.report import MIB, Table, mib
from labkit.runner import Skip
from labkit.vm import Vm

REGION = "mem0"
CID = 42
SIZE = 32 * MIB
SIZES = (512 * MIB, 128 * MIB, 384 * MIB, 0)


class Echo:
    """A listener to which the guest connects, sends back what it is sent, and which
    ends the connection."""

    def __init__(self):
        self._listener = socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)
        self._listener.bind((socket.VMADDR_CID_ANY, socket.VMADDR_PORT_ANY))
        self._listener.listen()
        self._listener.settimeout(pace.current.limit())
        self.port = self._listener.getsockname()[1]
        self.sent, self.came = hashlib.sha256(), hashlib.sha256()
        self._threads = [threading.Thread(target=self._send)]
        self._threads[0].start()

    def _send(self):
        self._connection, (cid, _) = self._listener.accept()
        assert cid == CID, f"CID {cid} has connected"
        self._connection.settimeout(pace.current.limit())
        receiver = threading.Thread(target=self._receive)
        receiver.start()
        for _ in range(SIZE // MIB):
            piece = os.urandom(MIB)
            self.sent.update(piece)
            self._connection.sendall(piece)
        receiver.join()
        self._connection.close()

    def _receive(self):
        left = SIZE
        while left and (data := self._connection.recv(min(left, MIB))):
            self.came.update(data)
            left -= len(data)

    def finish(self):
        self._threads[0].join()
        self._listener.close()
        assert self.came.digest() == self.sent.digest(), "what came back differs"


def listener_info(vm):
    info = vm.qmp.command("query-ram-discard", region=REGION)[0]
    return next(entry for entry in info["listeners"] if entry["kind"] == "vhost")


def test_echo_while_memory_comes_and_goes(lab):
    """a vsock connection goes on while memory comes and goes; vhost has what is plugged"""
    if not pathlib.Path("/dev/vhost-vsock").exists():
        raise Skip("the kernel has no /dev/vhost-vsock")
    with tempfile.TemporaryDirectory(dir="/run") as directory, \
            Vm(lab, "-m", "256M,maxmem=4G,slots=1",
               "-object", f"memory-backend-ram,id={REGION},size=2G",
               "-device", f"virtio-mem-pci,id=vm0,memdev={REGION}",
               "-device", f"vhost-vsock-pci,guest-cid={CID}",
               "-initrd", with_files(lab.initrd, {"vsock": lab.vsock},
                                     pathlib.Path(directory, "initrd"))) as vm:
        vm.boot()
        table = Table("plugged", "vhost has", "regions")
        for size in SIZES:
            echo = Echo()
            vm.tell(f"/vsock {echo.port}")
            vm.resize(size)
            vm.ask("true", "the guest sends back what it is sent")
            echo.finish()
            listener = listener_info(vm)
            table.row(mib(size), mib(listener["mapped"]), listener["mappings"])
            assert listener["mapped"] == size, f"vhost has {mib(listener['mapped'])}"
            assert "surplus" not in listener, f"and {listener['surplus']} bytes more"
        vm.qmp.command("system_reset")
        vm.boot()
        echo = Echo()
        vm.ask(f"/vsock {echo.port}", "the guest connects after a reset")
        echo.finish()
        vm.tell("poweroff -f")
        assert vm.wait_for_exit() == 0
