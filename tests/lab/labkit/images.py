# SPDX-License-Identifier: GPL-2.0-or-later
"""What a lab is made from, kept in its work directory: kernel, initramfs, drive."""
import glob
import gzip
import lzma
import os
import pathlib
import shutil
import struct
import subprocess
import tempfile

from .report import say
from .vfio import digests

MIB = 1 << 20
KERNEL_PACKAGE = "linux-image-amd64"
DRIVE_SIZE = 384 * MIB
ROM_SIZE = 4096
TOP = pathlib.Path(__file__).resolve().parents[3]
INSTALL_DEPS = TOP / "scripts/install-deps"


class Kernel:
    """An unpacked kernel package: boot/vmlinuz-VERSION and lib/modules/VERSION."""

    def __init__(self, tree):
        self.tree = pathlib.Path(tree)
        if not (self.tree / "lib").exists():  # packages for a merged /usr
            (self.tree / "lib").symlink_to("usr/lib")
        images = sorted(self.tree.glob("boot/vmlinuz-*"))
        if not images:
            raise SystemExit(f"lab: {self.tree}: no boot/vmlinuz-* in it")
        self.image = images[-1]
        self.version = self.image.name[len("vmlinuz-"):]
        if not (self.tree / "lib/modules" / self.version / "modules.dep").exists():
            subprocess.run(["depmod", "-b", self.tree, self.version], check=True)

    def modules(self, names):
        """Paths of the modules NAMES and all they need, in loading order."""
        paths = {}
        for name in names:
            shown = subprocess.run(
                ["modprobe", "-d", self.tree, "-S", self.version,
                 "--show-depends", name],
                stdout=subprocess.PIPE, text=True)
            if shown.returncode:
                raise SystemExit(f"lab: kernel {self.version} has no module {name}")
            for line in shown.stdout.splitlines():
                kind, path = line.split(maxsplit=1)
                if kind == "insmod":
                    paths[path.strip()] = None
        return list(paths)


def fetch_kernel(work):
    """The distribution's kernel, downloaded once and unpacked, never installed."""
    tree = work / "kernel"
    if not tree.exists():
        download = work / "download"
        package = fetch(download, KERNEL_PACKAGE, behind_kernel_package,
                        "--kernel takes one that is unpacked already")
        subprocess.run(["dpkg", "-x", package, download / "tree"], check=True)
        os.rename(download / "tree", tree)
        shutil.rmtree(download)
    return Kernel(tree)


def fetch_debug_vmlinux(work, kernel):
    """KERNEL with its debug information, which has a package of its own; the path."""
    vmlinux = work / f"vmlinux-{kernel.version}.debug"
    if not vmlinux.exists():
        download = work / "download"
        name = f"linux-image-{kernel.version}-dbg"
        package = fetch(download, name, lambda: name, "it must be KERNEL's own")
        member = f"./usr/lib/debug/boot/vmlinux-{kernel.version}"
        with open(download / "vmlinux", "wb") as file:
            unpack = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", package],
                                      stdout=subprocess.PIPE)
            subprocess.run(["tar", "-xO", member], stdin=unpack.stdout, stdout=file,
                           check=True)
            unpack.stdout.close()
            unpack.wait()
        os.rename(download / "vmlinux", vmlinux)
        shutil.rmtree(download)
    return vmlinux


def fetch(directory, name, resolve, otherwise):
    """Download the package that RESOLVE tells, called NAME in messages, into
    DIRECTORY, which is made anew; its path."""
    say(f"lab: fetching {name}")
    if not download(directory, resolve()):
        subprocess.run([INSTALL_DEPS, "--update"], check=True)
        if not download(directory, resolve()):
            raise SystemExit(f"lab: cannot download {name}; {otherwise}")
    return glob.glob(f"{directory}/*.deb")[0]


def behind_kernel_package():
    """The package that KERNEL_PACKAGE stands for; None if nobody knows."""
    shown = subprocess.run(["apt-cache", "depends", KERNEL_PACKAGE],
                           stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                           text=True, check=False).stdout
    packages = [line.split()[-1] for line in shown.splitlines()
                if line.strip().startswith("Depends: linux-image-")]
    return packages[0] if packages else None


def download(directory, package):
    """apt-get download of PACKAGE (None: nothing); whether it worked."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    if not package:
        return False
    command = ["apt-get", "-q", "download", package]
    if os.geteuid() == 0:  # the work directory need not be open to user _apt
        command[1:1] = ["-o", "APT::Sandbox::User=root"]
    return subprocess.run(command, cwd=directory,
                          stdout=subprocess.DEVNULL).returncode == 0


def copy_module(path, directory):
    """Put a module there uncompressed; its file name."""
    name = os.path.basename(path)
    if not name.endswith(".xz"):
        shutil.copy(path, directory)
        return name
    data = lzma.decompress(pathlib.Path(path).read_bytes())
    (directory / name[:-3]).write_bytes(data)
    return name[:-3]


def initramfs(work, name, init, kernel, modules, programs=(), amend=lambda files: None):
    """Pack busybox, INIT, MODULES and PROGRAMS; the path of the image. AMEND is called
    with the folder that has the modules."""
    root = work / f"{name}.root"
    shutil.rmtree(root, ignore_errors=True)
    (root / "bin").mkdir(parents=True)
    (root / "modules").mkdir()
    for program in ("/bin/busybox", *programs):
        shutil.copy(program, root / "bin")
    shutil.copy(init, root / "init")
    order = [copy_module(path, root / "modules") for path in kernel.modules(modules)]
    amend(root / "modules")
    (root / "modules/order").write_text("".join(f"{module}\n" for module in order))
    files = sorted(str(path.relative_to(root)) for path in root.rglob("*"))
    archive = subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], cwd=root,
                             input="\n".join(files).encode(),
                             stdout=subprocess.PIPE, check=True).stdout
    image = work / f"{name}.img"
    image.write_bytes(gzip.compress(archive, compresslevel=1))
    shutil.rmtree(root)
    return image


def drive(work, beginning):
    """The lab's nvme drive: random bytes behind BEGINNING, which may be None, and an
    option ROM for one like it, .rom; its path and its vfio.digests()."""
    image = work / "drive.img"
    rom(image.with_suffix(".rom"))
    if not image.exists():
        new = work / "drive.new"
        with open(new, "wb") as file:
            for _ in range(0, DRIVE_SIZE, MIB):
                file.write(os.urandom(MIB))
        os.rename(new, image)
    with open(image, "r+b") as file:
        file.write(beginning or b"")
        file.seek(0)
        return image, digests(file, image)


def rom(path):
    """The option ROM of an nvme drive of QEMU's: that of a PC which returns at once, and
    a pattern."""
    image = bytearray(number * 37 % 251 for number in range(ROM_SIZE))
    struct.pack_into("<HB", image, 0, 0xaa55, ROM_SIZE // 512)
    image[3] = 0xcb                       # retf
    struct.pack_into("<H", image, 0x18, 0x1c)
    struct.pack_into("<4sHHHHB3sHHBB", image, 0x1c, b"PCIR", 0x1b36, 0x0010, 0, 0x18, 0,
                     b"\x02\x08\x01", ROM_SIZE // 512, 0, 0, 0x80)
    image[-1] = (image[-1] - sum(image)) & 0xff
    path.write_bytes(image)


def unpacked(work, kernel):
    """The kernel as a vmlinux, which a guest boots without having to unpack it."""
    vmlinux = work / f"vmlinux-{kernel.version}"
    if not vmlinux.exists():
        subprocess.run([TOP / "scripts/bzimage-to-vmlinux", kernel.image, vmlinux],
                       stdout=subprocess.DEVNULL, check=True)
    return vmlinux


def with_files(initrd, files, path):
    """A copy of INITRD at PATH that also has FILES, {name in the guest: source}."""
    with tempfile.TemporaryDirectory(dir=path.parent) as tree:
        for name, source in files.items():
            shutil.copy(source, os.path.join(tree, name))
        archive = subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], cwd=tree,
                                 input="\n".join(files).encode(), check=True,
                                 stdout=subprocess.PIPE).stdout
    first = pathlib.Path(initrd).read_bytes()
    path.write_bytes(first + bytes(-len(first) % 4) + archive)
    return path


def guest_program(work, source):
    """Compile a program that runs in the guest, where there are no libraries."""
    program = work / source.stem
    subprocess.run([os.environ.get("CC", "cc"), "-static", "-O2", "-Wall", "-Wextra",
                    "-o", program, source], check=True)
    return program
