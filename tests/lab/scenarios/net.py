# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest with a network, by libslirp, by a tap interface, with and without vhost:
files come and go while memory is plugged and unplugged.

On demand, for an open fault: once in seventeen runs the guest restarted in mid-transfer,
as after a triple fault, and said nothing. Whether the emulator or the emulated
machine below it is at fault is not known."""
import hashlib
import socket
import subprocess
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


def busybox(*command):
    subprocess.run(["busybox", *command], check=True)


def contents():
    """The file, a MiB at a time: what every place of it has tells where it is."""
    for number in range(FILE_SIZE // MIB):
        yield hashlib.sha256(number.to_bytes(4, "big")).digest() * (MIB // 32)


def digest_of_file():
    digest = hashlib.sha256()
    for piece in contents():
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


def send_file(connection):
    for piece in contents():
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


def check_fetch(vm, server=None, address=HOST, pinned=True):
    server = server or Exchange(send_file)
    number = vm.tell(f"nc {address} {server.port} </dev/null | sha256sum >/tmp/fetched")
    resize_meanwhile(vm, number, (PLUGGED, PLUGGED // 2), pinned)
    vm.ask("true", "the guest fetches a file")
    server.finish()
    found = vm.ask("cat /tmp/fetched").split()[0]
    assert found == digest_of_file(), f"the guest fetched {found}"
    say(f"  the guest fetched {mib(FILE_SIZE)}: sha256 {found[:16]}...")


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
