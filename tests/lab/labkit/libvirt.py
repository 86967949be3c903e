# SPDX-License-Identifier: GPL-2.0-or-later
"""The distribution's libvirtd, and a domain that it runs.

Libvirtd and virtlogd run in the lab machine, whose root is read only: what they
write is in memory, over the folders where the packages have it. They and virsh are
unmodified; a domain's <emulator> is the emulator that is tested.
"""
import contextlib
import os
import pathlib
import re
import shutil
import subprocess
import time
import tty

from .guest import Guest
from .report import mib, wait_until
from .runner import Skip

DAEMONS = ("virtlogd", "libvirtd")
STATE = pathlib.Path("/run/lab-libvirt")
# Written by them; of the first two, what the packages have in them stays.
COPIED = ("/etc/libvirt", "/var/lib/libvirt")
EMPTY = ("/var/cache/libvirt", "/var/log/libvirt", "/var/tmp", "/dev/shm")
# No udev, no cgroups, no security module here; and a mount namespace of its own
# would begin at the lab's initramfs.
CONFIGURATION = """\
security_driver = "none"
cgroup_controllers = []
namespaces = []
remember_owner = 0
"""
USER = "libvirt-qemu"


def virsh(*arguments):
    """What virsh prints; it must succeed."""
    result = subprocess.run(["virsh", "--quiet", "-c", "qemu:///system", *arguments],
                            capture_output=True, text=True, check=False,
                            stdin=subprocess.DEVNULL)
    assert result.returncode == 0, \
        f"virsh {' '.join(arguments)}: {result.stderr.strip()}"
    return result.stdout.strip()


def virt_install(*arguments):
    """The domain's XML that virt-install would define."""
    if not shutil.which("virt-install"):
        raise Skip("no virt-install: scripts/install-deps --libvirt")
    result = subprocess.run(["virt-install", "--connect", "qemu:///system", "--print-xml",
                             *arguments], capture_output=True, text=True, check=False,
                            stdin=subprocess.DEVNULL, env={**os.environ, "HOME": str(STATE)})
    assert result.returncode == 0, f"virt-install: {result.stdout}{result.stderr}"
    return result.stdout


class Libvirt:
    """A context manager: within it virsh works."""

    def __init__(self, lab):
        self._lab = lab
        self._stack = contextlib.ExitStack()
        self._processes = {}
        lab.others      # the daemons of a machine that runs for good are not ours
        for program in (*DAEMONS, "virsh"):
            if not shutil.which(program):
                raise Skip(f"no {program}: scripts/install-deps --libvirt")

    def __enter__(self):
        with self._stack:
            STATE.mkdir(exist_ok=True)
            for directory in COPIED:
                self._make_writable(directory)
            for directory in EMPTY:
                self._mount("tmpfs", directory)
            self._mount("devpts", "/dev/pts")
            self._prepare()
            for name in DAEMONS:
                self._start(name)
            self._stack.callback(self._keep_logs)
            wait_until("libvirtd starts", self._answers)
            self._stack = self._stack.pop_all()
        return self

    def __exit__(self, *exception):
        self._stack.close()

    # Folders.

    def _mount(self, kind, directory):
        pathlib.Path(directory).mkdir(exist_ok=True)
        subprocess.run(["mount", "-t", kind, kind, directory], check=True)
        self._stack.callback(subprocess.run, ["umount", "--lazy", directory],
                             check=False)

    def _make_writable(self, directory):
        """Put a copy in memory over it."""
        copy = STATE / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        subprocess.run(["cp", "-a", directory, copy], check=True)
        self._mount("tmpfs", directory)
        subprocess.run(["cp", "-a", f"{copy}/.", directory], check=True)

    def _prepare(self):
        pathlib.Path("/etc/libvirt/qemu.conf").write_text(CONFIGURATION)
        for domain in pathlib.Path("/etc/libvirt/qemu").glob("*.xml"):
            domain.unlink()
        for directory in ("/run/libvirt", "/run/lock", "/var/log/libvirt/qemu",
                          "/var/cache/libvirt/qemu"):
            pathlib.Path(directory).mkdir(parents=True, exist_ok=True)
        os.chmod("/dev/kvm", 0o666)       # as udev would
        # What a domain reads becomes its user's.
        for file in (self._lab.kernel, self._lab.initrd):
            shutil.copy(file, STATE)

    def file(self, name):
        """A file of NAME that domains may have."""
        return STATE / pathlib.Path(name).name

    # Daemons.

    def _start(self, name):
        log = open(self._lab.out / f"{self._lab.next_vm()}.{name}", "wb")
        with log:
            process = subprocess.Popen([name], stdin=subprocess.DEVNULL,
                                       stdout=log, stderr=log)
        self._processes[name] = process
        self._stack.callback(self._stop, process)

    def _stop(self, process):
        process.terminate()
        wait_until("a daemon ends", lambda: process.poll() is not None)

    def _answers(self):
        status = self._processes["libvirtd"].poll()
        assert status is None, f"libvirtd ended with status {status}"
        try:
            return virsh("uri")
        except AssertionError:
            return None

    def restart(self):
        """End libvirtd and start it again; domains go on meanwhile."""
        self._stop(self._processes["libvirtd"])
        self._start("libvirtd")
        wait_until("libvirtd starts again", self._answers)

    def _keep_logs(self):
        for log in pathlib.Path("/var/log/libvirt").rglob("*.log"):
            shutil.copy(log, self._lab.out / f"{self._lab.next_vm()}.{log.name}")


class Domain(Guest):
    """A context manager: within it the domain is defined, and runs after start()."""

    def __init__(self, lab, name, xml):
        super().__init__(lab, lab.out / f"{lab.next_vm()}.console")
        self.name = name
        self._xml = STATE / f"{name}.xml"
        self._xml.write_text(xml)
        self._events = None

    def __enter__(self):
        virsh("define", str(self._xml))
        return self

    def __exit__(self, *exception):
        if self.state() != "shut off":
            self.virsh("destroy")
        if self._reader:
            self.detach_console()
        if self._events:
            self._events.terminate()
            self._events.wait()
        virsh("undefine", self.name)

    def virsh(self, command, *arguments):
        return virsh(command, self.name, *arguments)

    def state(self):
        return self.virsh("domstate").splitlines()[0]

    def xml(self):
        return self.virsh("dumpxml")

    # The process.

    def start(self):
        self.virsh("start")
        self.started = time.monotonic()
        self.pid = int(pathlib.Path(f"/run/libvirt/qemu/{self.name}.pid").read_text())
        terminal = os.open(self.virsh("ttyconsole"), os.O_RDWR | os.O_NOCTTY)
        tty.setraw(terminal)
        self.attach_console(os.fdopen(os.dup(terminal), "wb", buffering=0),
                            os.fdopen(terminal, "rb", buffering=0))

    def executable(self):
        return os.readlink(f"/proc/{self.pid}/exe")

    def status(self, name):
        """A line of the process's status in /proc."""
        text = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return re.search(rf"^{name}:\s+(.*)$", text, re.M)[1]

    def pinned(self):
        return int(self.status("VmLck").split()[0]) * 1024

    # Memory.

    def current(self, alias):
        """Bytes that libvirt says a memory device has plugged."""
        for device in self.xml().split("<memory model=")[1:]:
            device = device.split("</memory>")[0]
            if f"<alias name='{alias}'/>" in device:
                return int(re.search(r"<current unit='KiB'>(\d+)<", device)[1]) * 1024
        raise AssertionError(f"the domain has no memory device {alias}")

    def request(self, alias, size):
        self.virsh("update-memory-device", "--live", "--alias", alias,
                   "--requested-size", f"{size // 1024}KiB")
        self.wait_for_current(alias, size)

    def wait_for_current(self, alias, size):
        wait_until(f"{alias}: resizing to {mib(size)}",
                   lambda: self.current(alias) == size,
                   lambda: f"({mib(self.current(alias))} plugged)")

    # Events.

    def watch_events(self):
        """From now on events() has what libvirt tells of the domain."""
        self._event_log = STATE / f"{self.name}.events"
        with open(self._event_log, "wb") as log:
            self._events = subprocess.Popen(
                ["virsh", "-c", "qemu:///system", "event", self.name, "--all",
                 "--loop"], stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def events(self):
        return self._event_log.read_text(errors="replace")
