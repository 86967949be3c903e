# SPDX-License-Identifier: GPL-2.0-or-later
"""Which driver has a PCI device, and how to hand it to vfio-pci and back."""
import hashlib
import os
import pathlib

MIB = 1 << 20
# What a guest reads of a drive: more than one of 256 MiB could hold without plugged
# memory; or just enough to tell that it works.
DRIVE_READ = 320 * MIB
DRIVE_START = 32 * MIB


def digests(drive, name):
    """SHA-256 of the first DRIVE_START and the first DRIVE_READ bytes of a file."""
    digest, done, sums = hashlib.sha256(), 0, []
    for size in (DRIVE_START, DRIVE_READ):
        while done < size:
            block = drive.read(MIB)
            if len(block) != MIB:
                raise SystemExit(f"lab: {name} is smaller than {DRIVE_READ // MIB} MiB")
            digest.update(block)
            done += MIB
        sums.append(digest.hexdigest())
    return sums


class PciDevice:
    def __init__(self, address):
        self.address = address
        self._path = pathlib.Path("/sys/bus/pci/devices") / address
        if not self._path.exists():
            raise SystemExit(f"lab: no PCI device {address}")
        if not (self._path / "iommu_group").exists():
            raise SystemExit(f"lab: {address} is in no IOMMU group; "
                             "this machine has no IOMMU, or it is off")

    def driver(self):
        """Name of the driver that has the device, or None."""
        link = self._path / "driver"
        return os.path.basename(os.readlink(link)) if link.exists() else None

    def give_to(self, driver):
        """Bind the device to DRIVER; None leaves it without one."""
        if self.driver() == driver:
            return
        if self.driver():
            (self._path / "driver/unbind").write_text(self.address)
        if driver is None:
            return
        (self._path / "driver_override").write_text(driver)
        pathlib.Path("/sys/bus/pci/drivers_probe").write_text(self.address)
        (self._path / "driver_override").write_text("\n")
        if self.driver() != driver:
            raise SystemExit(f"lab: the driver {driver} did not take {self.address}")

    def rom(self):
        """The device's option ROM, as the host's kernel reads it; b"": it has none."""
        path = self._path / "rom"
        if not path.exists():
            return b""
        path.write_text("1")
        try:
            return path.read_bytes()
        except OSError:
            return b""
        finally:
            path.write_text("0")

    def block_device(self):
        """Path of the drive's first namespace; the nvme driver must have it."""
        names = sorted(path.name for path in self._path.glob("nvme/nvme*/nvme*n1"))
        if not names:
            raise SystemExit(f"lab: {self.address} is no drive of the nvme driver's")
        return f"/dev/{names[0]}"

    def digests(self):
        """digests() of the drive, read through the host's driver.

        Opens exclusively: a drive that is mounted, or swapped to, is refused.
        """
        path = self.block_device()
        try:
            fd = os.open(path, os.O_RDONLY | os.O_EXCL)
        except OSError as err:
            raise SystemExit(f"lab: {path}: {err.strerror}; "
                             "the drive must be of no use to this machine")
        with open(fd, "rb") as drive:
            return digests(drive, path)
