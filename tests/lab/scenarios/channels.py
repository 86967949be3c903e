# SPDX-License-Identifier: GPL-2.0-or-later
"""A channel and a console by virtio-serial, with the guest's own driver."""
import hashlib
import os
import pathlib
import socket
import tempfile
import threading

from labkit import pace
from labkit.report import MIB, wait_until
from labkit.vm import Vm

NAME = "org.example.lab.0"
SIZE = 8 * MIB


def connect(path):
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(pace.current.limit())
    connection.connect(str(path))
    return connection


def read_all(connection, size):
    digest = hashlib.sha256()
    while size and (data := connection.recv(min(size, MIB))):
        digest.update(data)
        size -= len(data)
    return digest.hexdigest()


def find_port(vm):
    """The guest's device of the channel; "": it has none."""
    found = vm.ask(f"grep -lx {NAME} /sys/class/virtio-ports/*/name; true")
    return "/dev/" + found.split("/")[-2] if found.startswith("/sys/") else ""


def check_to_guest(vm, path):
    port = find_port(vm)
    data = os.urandom(SIZE)
    with connect(path) as connection:
        number = vm.tell(f"head -c {SIZE} {port} | sha256sum >/tmp/came")
        sender = threading.Thread(target=connection.sendall, args=(data,))
        sender.start()
        vm.ask("true", f"command {number}: the guest reads its channel")
        sender.join()
    came = vm.ask("cat /tmp/came").split()[0]
    assert came == hashlib.sha256(data).hexdigest(), f"the guest read {came}"


def check_from_guest(vm, path):
    port = find_port(vm)
    vm.ask(f"head -c {SIZE} /dev/urandom >/tmp/file")
    sent = vm.ask("sha256sum /tmp/file").split()[0]
    with connect(path) as connection:
        wait_until("the guest hears that somebody has connected", lambda: vm.ask(
            f"dd if=/tmp/file of={port} bs=1 count=1 2>&1") != "")
        assert connection.recv(1)
        vm.tell(f"cat /tmp/file >{port}")
        came = read_all(connection, SIZE)
    assert came == sent, f"{came} came, {sent} was sent"


def check(lab, *more, thread=""):
    """A channel and a console do what they are for; THREAD is a property of their bus."""
    with tempfile.TemporaryDirectory(dir="/run") as directory:
        path = pathlib.Path(directory, "channel")
        with Vm(lab, "-m", "256M", *more,
                "-device", f"virtio-serial-pci,id=virtio-serial0{thread}",
                "-chardev", f"socket,id=c0,path={path},server=on,wait=off",
                "-device", f"virtserialport,bus=virtio-serial0.0,nr=1,chardev=c0,"
                           f"id=channel0,name={NAME}",
                "-chardev", f"file,id=c1,path={directory}/console",
                "-device", "virtconsole,chardev=c1") as vm:
            vm.boot()
            wait_until("the guest finds its channel", lambda: find_port(vm))
            check_to_guest(vm, path)
            check_from_guest(vm, path)
            vm.ask("echo hello >/dev/hvc0")
            console = pathlib.Path(directory, "console")
            wait_until("the console has what the guest wrote",
                       lambda: "hello" in console.read_text(), console.read_text)
            for _ in range(2):
                vm.qmp.command("device_del", id="channel0")
                wait_until("the guest's channel goes", lambda: not find_port(vm))
                vm.qmp.command("device_add", driver="virtserialport", nr=1,
                               bus="virtio-serial0.0", chardev="c0", id="channel0",
                               name=NAME)
                wait_until("the guest's channel comes", lambda: find_port(vm))
                check_from_guest(vm, path)
            vm.tell("poweroff -f")
            assert vm.wait_for_exit() == 0


def test_channel_and_console(lab):
    """the guest's driver finds a channel by its name, and moves bytes both ways"""
    check(lab)


def test_thread_of_its_own(lab):
    """a channel and a console by an I/O thread"""
    check(lab, "-object", "iothread,id=io0", thread=",iothread=io0")
