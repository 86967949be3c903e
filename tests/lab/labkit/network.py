# SPDX-License-Identifier: GPL-2.0-or-later
"""Files that a guest fetches from this machine, and sends to it, over a network that
has two addresses; memory may come and go meanwhile."""
import hashlib
import socket
import subprocess
import threading

from . import pace
from .report import MIB, mib, say

INTERFACE = "svmlab0"
# A network for documentation: nobody has it.
HOST, GUEST, GATEWAY = "192.0.2.1", "192.0.2.2", "192.0.2.254"
FILE_SIZE = 64 * MIB


def busybox(*command):
    subprocess.run(["busybox", *command], check=True)


def set_up_interface(name):
    """Give an interface of this machine an address."""
    busybox("ip", "address", "add", f"{HOST}/24", "dev", name)
    busybox("ip", "link", "set", name, "up")


def set_up_guest(vm):
    """The same for the guest's, which then reaches this machine's."""
    vm.ask(f"ip address add {GUEST}/24 dev eth0; ip link set eth0 up")
    vm.ask(f"ping -c 3 {HOST}")


def contents(size):
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

    def __init__(self, look_after, address):
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


def send_file(connection, size):
    for piece in contents(size):
        connection.sendall(piece)


def receive_file(connection):
    digest = hashlib.sha256()
    while data := connection.recv(MIB):
        digest.update(data)
    return digest.hexdigest()


def check_fetch(vm, meanwhile=lambda number: None, size=FILE_SIZE, listen=HOST,
                address=HOST, half_closed=True):
    """The guest fetches a file from ADDRESS, as it knows LISTEN; MEANWHILE is called
    with the number of the guest's command. The connection is HALF_CLOSED from the
    beginning: the guest has nothing to send."""
    server = Exchange(lambda connection: send_file(connection, size), listen)
    # A FIFO that nobody writes to and that is open for writing has no end.
    send = "</dev/null" if half_closed else "<>/tmp/nothing"
    vm.ask("[ -p /tmp/nothing ] || mkfifo /tmp/nothing")
    number = vm.tell(f"nc {address} {server.port} {send} | sha256sum >/tmp/fetched")
    meanwhile(number)
    vm.ask("true", "the guest fetches a file")
    server.finish()
    found = vm.ask("cat /tmp/fetched").split()[0]
    assert found == digest_of_file(size), f"the guest fetched {found}"
    say(f"  the guest fetched {mib(size)}: sha256 {found[:16]}...")


def check_send(vm, meanwhile=lambda number: None, size=FILE_SIZE, drive=None):
    """The guest sends SIZE bytes, of a DRIVE that it has or of what it makes up."""
    server = Exchange(receive_file, HOST)
    read = f"dd if={drive} bs=1M count={size // MIB} 2>/dev/null" if drive else \
        f"seq 1 99999999 | head -c {size}"
    number = vm.tell(f"{read} | nc {HOST} {server.port} >/dev/null")
    meanwhile(number)
    expected = vm.ask(f"{read} | sha256sum", "the guest sends a file").split()[0]
    found = server.finish()
    assert found == expected, f"{found} came, but {expected} was sent"
    say(f"  the guest sent {mib(size)}: sha256 {found[:16]}...")
