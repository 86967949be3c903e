# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest with a network, by libslirp, by a tap interface, with and without vhost, and
by a socket of another process: files come and go while memory is plugged and unplugged.

On demand, for an open fault: the guest may restart in mid-transfer, by a triple fault.
docs/lab.md has what is known of it."""
import fcntl
import hashlib
import os
import pathlib
import socket
import struct
import subprocess
import tempfile
import threading

from labkit import pace
from labkit.report import MIB, mib, say
from labkit.vm import BOOT_RAM, Vm

ON_DEMAND = True
INTERFACE = "svmlab0"
# A network for documentation: nobody has it.
HOST, GUEST = "192.0.2.1", "192.0.2.2"
FILE_SIZE = 64 * MIB
PLUGGED = 512 * MIB
# For making a tap interface, of <linux/if_tun.h>.
TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454ca, 2, 0x1000


def busybox(*command):
    subprocess.run(["busybox", *command], check=True)


def contents(size=FILE_SIZE):
    """The file, a MiB at a time: what every place of it has tells where it is."""
    for number in range(size // MIB):
        yield hashlib.sha256(number.to_bytes(4, "big")).digest() * (MIB // 32)


def digest_of_file(size):
    digest = hashlib.sha256()
    for piece in contents(size):
        digest.update(piece)
    return digest.hexdigest()


class Exchange:
    """One connection at an address, of which a thread looks after one direction."""

    def __init__(self, look_after, address=HOST):
        self._listener = socket.create_server((address, 0))
        self._listener.settimeout(pace.current.limit())
        self.port = self._listener.getsockname()[1]
        self.result = None
        self._thread = threading.Thread(target=self._run, args=(look_after,))
        self._thread.start()

    def _run(self, look_after):
        connection, _ = self._listener.accept()
        with connection:
            connection.settimeout(pace.current.limit())
            self.result = look_after(connection)

    def finish(self):
        self._thread.join()
        self._listener.close()
        return self.result


def send_file(connection, size=FILE_SIZE):
    for piece in contents(size):
        connection.sendall(piece)


def receive_file(connection):
    digest = hashlib.sha256()
    while data := connection.recv(MIB):
        digest.update(data)
    return digest.hexdigest()


def resize_meanwhile(vm, number, sizes, pinned=True):
    """Resize while the guest's command NUMBER runs."""
    for size in sizes:
        vm.resize(size)
        assert not pinned or vm.pinned() == BOOT_RAM + size, \
            f"after command {number} began: {mib(vm.pinned())} are pinned"


def check_fetch(vm, server=None, address=HOST, pinned=True, size=FILE_SIZE):
    server = server or Exchange(lambda connection: send_file(connection, size))
    number = vm.tell(f"nc {address} {server.port} </dev/null | sha256sum >/tmp/fetched")
    resize_meanwhile(vm, number, (PLUGGED, PLUGGED // 2), pinned)
    vm.ask("true", "the guest fetches a file")
    server.finish()
    found = vm.ask("cat /tmp/fetched").split()[0]
    assert found == digest_of_file(size), f"the guest fetched {found}"
    say(f"  the guest fetched {mib(size)}: sha256 {found[:16]}...")


def check_send(vm):
    server = Exchange(receive_file)
    size = FILE_SIZE // MIB
    number = vm.tell(f"dd if=/dev/nvme0n1 bs=1M count={size} 2>/dev/null | "
                     f"nc {HOST} {server.port} >/dev/null")
    resize_meanwhile(vm, number, (PLUGGED, PLUGGED // 2))
    expected = vm.ask(f"dd if=/dev/nvme0n1 bs=1M count={size} 2>/dev/null | sha256sum",
                      "the guest sends a file").split()[0]
    found = server.finish()
    assert found == expected, f"{found} came, but {expected} was sent"
    say(f"  the guest sent {mib(FILE_SIZE)}: sha256 {found[:16]}...")


def memory():
    return ("-m", "256M,maxmem=4G,slots=2",
            "-object", "memory-backend-ram,id=mem0,size=2G",
            "-device", "virtio-mem-pci,id=vm0,memdev=mem0")


def test_user_network(lab):
    """a guest fetches a file over libslirp, which has an address for it"""
    with Vm(lab, *memory(), "-nic", "user") as vm:
        vm.boot()
        vm.ask("ip link set eth0 up")
        vm.ask("udhcpc -i eth0 -q -f -n -s /bin/true 2>&1", "DHCP gives an address")
        vm.ask("ip address add 10.0.2.15/24 dev eth0")
        check_fetch(vm, Exchange(send_file, "127.0.0.1"), "10.0.2.2", pinned=False)
        vm.tell("poweroff -f")
        assert vm.wait_for_exit() == 0


def test_kernel_moves_frames(lab):
    """a guest fetches a file by tap and the kernel's vhost, which has what is plugged"""
    name = f"{INTERFACE}v"
    with Vm(lab, *memory(),
            "-netdev", f"tap,id=net0,ifname={name},script=no,downscript=no,vhost=on,"
                       "queues=2",
            "-device", "virtio-net-pci,netdev=net0") as vm:
        vm.boot()
        busybox("ip", "address", "add", f"{HOST}/24", "dev", name)
        busybox("ip", "link", "set", name, "up")
        vm.ask(f"ip address add {GUEST}/24 dev eth0; ip link set eth0 up")
        vm.ask(f"ping -c 3 {HOST}")
        check_fetch(vm, pinned=False)
        info = vm.qmp.command("query-ram-discard", region="mem0")[0]
        for listener in info["listeners"]:
            assert listener["mapped"] == PLUGGED // 2, f"vhost has {listener}"
        assert len(info["listeners"]) == 2, info["listeners"]
        vm.qmp.command("set_link", name="net0", up=False)
        vm.qmp.command("set_link", name="net0", up=True)
        vm.ask(f"ping -c 3 {HOST}")
        vm.qmp.command("stop")
        vm.qmp.command("cont")
        vm.ask(f"ping -c 3 {HOST}")
        vm.tell("poweroff -f")
        assert vm.wait_for_exit() == 0


def test_files_come_and_go(lab):
    """a guest fetches and sends files by tap while memory comes and goes"""
    with Vm(lab, *memory(),
            "-netdev", f"tap,id=net0,ifname={INTERFACE},script=no,downscript=no",
            "-device", "virtio-net-pci,netdev=net0",
            "-device", "virtio-rng-pci",
            "-device", f"vfio-pci,host={lab.drive.address}") as vm:
        vm.boot()
        busybox("ip", "address", "add", f"{HOST}/24", "dev", INTERFACE)
        busybox("ip", "link", "set", INTERFACE, "up")
        vm.ask(f"ip address add {GUEST}/24 dev eth0; ip link set eth0 up")
        vm.ask(f"ping -c 3 {HOST}")
        check_fetch(vm)
        check_send(vm)
        source = vm.ask("cat /sys/class/misc/hw_random/rng_current")
        assert source.startswith("virtio_rng"), f"random bytes come from {source}"
        vm.ask("dd if=/dev/hwrng of=/dev/null bs=1k count=16")
        vm.check_drive()


class Relay:
    """Frames between a tap interface and a socket that an emulator connects to; a
    context manager, which ends after the emulator."""

    def __init__(self):
        self._tap = os.open("/dev/net/tun", os.O_RDWR)
        fcntl.ioctl(self._tap, TUNSETIFF,
                    struct.pack("16sH22x", INTERFACE.encode(), IFF_TAP | IFF_NO_PI))
        self._directory = tempfile.TemporaryDirectory(prefix="net-", dir="/run")
        self.path = pathlib.Path(self._directory.name, "socket")
        self._listener = socket.create_server(str(self.path), family=socket.AF_UNIX)

    def __enter__(self):
        threading.Thread(target=self._run, daemon=True).start()
        return self

    def __exit__(self, *exception):
        self._listener.close()
        self._directory.cleanup()
        os.close(self._tap)

    def _run(self):
        peer, _ = self._listener.accept()
        threading.Thread(target=self._to_guest, args=(peer,), daemon=True).start()
        with peer.makefile("rb") as stream:
            while head := stream.read(4):
                os.write(self._tap, stream.read(int.from_bytes(head, "big")))

    def _to_guest(self, peer):
        try:
            while True:
                frame = os.read(self._tap, 65536)
                peer.sendall(len(frame).to_bytes(4, "big") + frame)
        except OSError:                   # one of both has gone
            pass


def test_stream(lab):
    """a guest fetches a file by a socket, frame by frame, from another process's tap"""
    with Relay() as relay, \
            Vm(lab, *memory(),
               "-netdev", f"stream,id=net0,addr.type=unix,addr.path={relay.path}",
               "-device", "virtio-net-pci,netdev=net0") as vm:
        vm.boot()
        busybox("ip", "address", "add", f"{HOST}/24", "dev", INTERFACE)
        busybox("ip", "link", "set", INTERFACE, "up")
        vm.ask(f"ip address add {GUEST}/24 dev eth0; ip link set eth0 up")
        vm.ask(f"ping -c 3 {HOST}")
        check_fetch(vm, pinned=False, size=FILE_SIZE // 8)
        vm.tell("poweroff -f")
        assert vm.wait_for_exit() == 0
