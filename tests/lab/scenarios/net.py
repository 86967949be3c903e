# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest with a network, by libslirp, by a tap interface and the kernel's vhost or an I/O
thread, and by a socket, of passt or not: files come and go while memory is plugged and
unplugged."""
import fcntl
import os
import pathlib
import socket
import struct
import tempfile
import threading

from labkit.back_end import BackEnd
from labkit.network import (FILE_SIZE, GATEWAY, GUEST, HOST, INTERFACE, check_fetch,
                            check_send, set_up_guest, set_up_interface)
from labkit.report import MIB
from labkit.vm import Vm

PLUGGED = 512 * MIB
# For making a tap interface, of <linux/if_tun.h>.
TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454ca, 2, 0x1000


def memory():
    return ("-m", "256M,maxmem=4G,slots=2",
            "-object", "memory-backend-ram,id=mem0,size=2G",
            "-device", "virtio-mem-pci,id=vm0,memdev=mem0")


def tap(name, *options):
    return ("-netdev", ",".join((f"tap,id=net0,ifname={name}", "script=no",
                                 "downscript=no", *options)))


def come_and_go(vm):
    """A function that has memory come and go while a command of the guest's runs."""
    def meanwhile(_):
        for size in (PLUGGED, PLUGGED // 2):
            vm.resize(size)
    return meanwhile


def power_off(vm):
    vm.tell("poweroff -f")
    assert vm.wait_for_exit() == 0


def ask_for_address(vm):
    """By DHCP, as a guest does that is told nothing else."""
    vm.ask("ip link set eth0 up")
    vm.ask("udhcpc -i eth0 -q -f -n -s /bin/true 2>&1", "DHCP gives an address")


def test_user_network(lab):
    """a guest fetches a file over libslirp, which has an address for it"""
    with Vm(lab, *memory(), "-nic", "user") as vm:
        vm.boot()
        ask_for_address(vm)
        vm.ask("ip address add 10.0.2.15/24 dev eth0")
        check_fetch(vm, come_and_go(vm), listen="127.0.0.1", address="10.0.2.2")
        power_off(vm)


def test_kernel_moves_frames(lab):
    """a guest fetches a file by tap and the kernel's vhost, which has what is plugged"""
    name = f"{INTERFACE}v"
    with Vm(lab, *memory(), *tap(name, "vhost=on", "queues=2"),
            "-device", "virtio-net-pci,netdev=net0") as vm:
        vm.boot()
        set_up_interface(name)
        set_up_guest(vm)
        check_fetch(vm, come_and_go(vm))
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
        power_off(vm)


def test_thread_of_its_own(lab):
    """a guest fetches and sends files by tap, in a thread of its own"""
    with Vm(lab, *memory(), "-object", "iothread,id=io0", *tap(INTERFACE),
            "-device", "virtio-net-pci,netdev=net0,iothread=io0") as vm:
        vm.boot()
        set_up_interface(INTERFACE)
        set_up_guest(vm)
        check_fetch(vm, come_and_go(vm))
        check_send(vm, come_and_go(vm), size=8 * MIB)
        vm.ask(f"ip link set eth0 down; ip link set eth0 up; ping -c 10 {HOST}")
        power_off(vm)


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
        set_up_interface(INTERFACE)
        set_up_guest(vm)
        check_fetch(vm, come_and_go(vm), FILE_SIZE // 8)
        power_off(vm)


class Passt(BackEnd):
    """Debian's passt, for which the guest's gateway is this machine's loopback
    interface."""

    def __init__(self, lab):
        super().__init__(lab, "passt", "passt")
        self.directory.chmod(0o777)       # nobody is who passt becomes

    def arguments(self):
        return ["--foreground", "-4", "--interface", "lo", "--address", GUEST,
                "--netmask", "24", "--gateway", GATEWAY, "--dns", "none",
                "--search", "none", "--mac-addr", "52:54:00:aa:bb:cc",
                "--socket", self.socket]


def test_passt(lab):
    """a guest fetches files over passt, which has an address for it"""
    with Passt(lab) as passt, \
            Vm(lab, *memory(),
               "-netdev", f"stream,id=net0,addr.type=unix,addr.path={passt.socket}",
               "-device", "virtio-net-pci,netdev=net0") as vm:
        vm.boot()
        ask_for_address(vm)
        vm.ask(f"ip address add {GUEST}/24 dev eth0")
        # Debian's passt repeats, as if it were new, what it sends to a guest that has
        # closed its direction.
        check_fetch(vm, come_and_go(vm), FILE_SIZE // 8, listen="127.0.0.1",
                    address=GATEWAY, half_closed=False)
        power_off(vm)
