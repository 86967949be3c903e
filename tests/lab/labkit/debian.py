# SPDX-License-Identifier: GPL-2.0-or-later
"""A disk with Debian on it: systemd, a login on the console, nothing else.

Its packages come from where apt has Debian's from, by mmdebstrap, once; the archive
is kept. From it the disk is made for each run of the lab, with the lab's kernel.
"""
import os
import shutil
import subprocess

from . import disks
from .report import say

SIZE = 320 << 20
DISK = "debian.img"
PACKAGES = "systemd-sysv,udev,kmod"
NOT_NEEDED = ("doc", "info", "locale", "man", "zoneinfo")
# What takes long on an emulated machine, and does nothing for a guest like this.
MASKED = ("apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer",
          "e2scrub_all.timer", "e2scrub_reap.service", "fstrim.timer",
          "getty@tty1.service", "getty-static.service", "dev-hugepages.mount",
          "dev-mqueue.mount", "sys-fs-fuse-connections.mount",
          "sys-kernel-config.mount", "sys-kernel-debug.mount",
          "sys-kernel-tracing.mount")
# ARCHIVE ROOT KERNEL INITRD ANSWER DISK OFFSET KIB, and the units not to start. Root
# has no password; its file system is looked at by root-init.
MAKE_DISK = """set -e
tar -xf "$1" -C "$2"
cp "$3" "$2/boot/vmlinuz"
cp "$4" "$2/boot/initrd"
cp "$5" "$2/usr/local/bin/answer"
sed -i 's/^root:[^:]*:/root::/' "$2/etc/shadow"
echo lab >"$2/etc/hostname"
echo "/dev/disk/by-label/root / ext4 errors=remount-ro 0 0" >"$2/etc/fstab"
for unit in $9; do ln -sf /dev/null "$2/etc/systemd/system/$unit"; done
mke2fs -q -t ext4 -F -L root -d "$2" -E "offset=$7" "$6" "$8k"
"""


def sources():
    """apt's sources of Debian's own packages, as lines of a sources.list."""
    shown = subprocess.run(
        ["apt-get", "indextargets", "--format",
         "$(ORIGIN)|$(CODENAME)|deb $(REPO_URI) $(CODENAME) $(COMPONENT)",
         "Created-By: Packages"], stdout=subprocess.PIPE, text=True, check=True).stdout
    rows = [line.split("|") for line in shown.splitlines()]
    return [row[1:] for row in rows if row[0] == "Debian"]


def archive(work):
    """The root as a tar archive; None, with a line that says why, where it cannot
    be had."""
    for program in ["mmdebstrap"] + ([] if os.geteuid() == 0 else ["fakeroot"]):
        if not shutil.which(program):
            say(f"lab: no Debian without {program} (package {program})")
            return None
    path = work / "debian.tar"
    if path.exists():
        return path
    found = sources()
    if not found:
        say("lab: no Debian: apt has no source of its packages; apt-get update?")
        return None
    say("lab: making a Debian root, by mmdebstrap")
    options = work / "debian.apt"
    options.write_text(subprocess.run(["apt-config", "dump", "Acquire"], check=True,
                                      stdout=subprocess.PIPE, text=True).stdout)
    new, log = work / "debian.new", work / "debian.log"
    command = ["mmdebstrap", "--quiet", "--variant=minbase", "--format=tar",
               f"--include={PACKAGES}", f"--aptopt={options}",
               *[f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in NOT_NEEDED],
               min((codename for codename, _ in found), key=len), new,
               *[source for _, source in found]]
    with open(log, "wb") as file:
        made = subprocess.run(command, stdout=file, stderr=file, check=False)
    if made.returncode:
        say(f"lab: no Debian: mmdebstrap failed, {log} says why")
        return None
    os.rename(new, path)
    return path


def disk(work, kernel, initrd, answer):
    """A disk from which KERNEL and INITRD start Debian, by GRUB if its packages are
    here; ANSWER is a program that it has. None where there is no archive()."""
    path = work / DISK
    path.unlink(missing_ok=True)
    packed = archive(work)
    if not packed:
        return None
    tree = work / "debian.root"
    shutil.rmtree(tree, ignore_errors=True)
    tree.mkdir()
    with open(path, "wb") as file:
        file.truncate(SIZE)
    start = disks.PARTITION * disks.SECTOR
    # Files are root's, also if they are not.
    rights = [] if os.geteuid() == 0 else ["fakeroot"]
    subprocess.run([*rights, "sh", "-c", MAKE_DISK, "sh", packed, tree, kernel.image,
                    initrd, answer, path, str(start), str((SIZE - start) // 1024),
                    " ".join(MASKED)], check=True)
    shutil.rmtree(tree)
    if disks.can_boot():
        disks.put_grub(work, path, "root=/dev/vda1")
    return path
