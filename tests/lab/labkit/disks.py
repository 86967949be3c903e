# SPDX-License-Identifier: GPL-2.0-or-later
"""Disks from which firmware boots, made of packages: no mounts, no root.

GRUB is in front of the first partition, where SeaBIOS starts it, and for UEFI it is a
file in that, an EFI system partition.
"""
import pathlib
import shutil
import struct
import subprocess
import uuid
import zlib

MIB = 1 << 20
SECTOR = 512
PARTITION = 2048                          # where one begins, in sectors
GRUB = pathlib.Path("/usr/lib/grub")
BIOS = "i386-pc"
UEFI = "x86_64-efi"
COMMON_MODULES = ["linux", "serial", "terminal", "normal"]
CONFIG = """serial
terminal_output serial
linux /boot/vmlinuz console=ttyS0 panic=-1 quiet {arguments}
initrd /boot/initrd
boot
"""
# Where GRUB's first stage has the sector of its second, and that the one of its rest.
SECOND_STAGE = 0x5c
REST = 0x1f4
SMALL_SIZE = 48 * MIB
# Types of partitions: an EFI system partition, and where GRUB's second stage is.
ESP = uuid.UUID("c12a7328-f81f-11d2-ba4b-00a0c93ec93b")
BIOS_BOOT = uuid.UUID("21686148-6449-6e6f-744e-656564454649")
ESP_NUMBER = 2
ESP_ID = uuid.UUID("5ba25e3b-1ab0-4c61-9c8e-0a3f5d1c2b47")
DISK_ID = uuid.UUID("0d5c4a5e-8a3e-4a55-b3f4-7d7a6f1f2a10")
# GRUBs in it, the first where firmware looks by itself, and what each tells the kernel.
OTHER_LOADER = "EFI/lab/grub.efi"
LOADERS = {"EFI/BOOT/BOOTX64.EFI": "by=default", OTHER_LOADER: "by=variable"}
ENTRIES = 128
ENTRY_SIZE = 128
FIRST_USABLE = 2 + ENTRIES * ENTRY_SIZE // SECTOR
ESP_SECTORS = SMALL_SIZE // SECTOR - 2 * PARTITION


def have(*programs):
    return all(shutil.which(program) for program in programs)


def can_boot(platform=BIOS):
    """Whether GRUB's packages for PLATFORM are here."""
    return (GRUB / platform / "moddep.lst").exists() and have("grub-mkimage")


def can_make():
    """Whether a small_disk() can be made."""
    return can_boot() and have("mformat", "mcopy")


def grub(work, platform, name, prefix, modules, arguments=""):
    """GRUB as one file, work/NAME, that starts /boot/vmlinuz with ARGUMENTS."""
    config = work / f"{name}.cfg"
    config.write_text(CONFIG.format(arguments=arguments))
    subprocess.run(["grub-mkimage", "-O", platform, "-p", prefix, "-c", config,
                    "-o", work / name, *modules, *COMMON_MODULES], check=True)
    return work / name


def first_stages(work, sector, prefix, modules, arguments=""):
    """What SeaBIOS starts: GRUB's first sector, and the second stage, for SECTOR."""
    first = bytearray((GRUB / BIOS / "boot.img").read_bytes())
    struct.pack_into("<Q", first, SECOND_STAGE, sector)
    first[440:510] = bytes(70)
    first[510:512] = b"\x55\xaa"
    second = bytearray(grub(work, BIOS, "core.img", prefix, ["biosdisk", *modules],
                            arguments).read_bytes())
    struct.pack_into("<Q", second, REST, sector + 1)
    assert (sector * SECTOR + len(second)) <= PARTITION * SECTOR
    return first, second


def put_grub(work, disk, arguments=""):
    """Put GRUB in front of DISK, whose only partition, of ext4, is all of the rest."""
    first, second = first_stages(work, 1, "(hd0,msdos1)/boot", ["part_msdos", "ext2"],
                                 arguments)
    first[446:462] = partition(0x83, PARTITION,
                               disk.stat().st_size // SECTOR - PARTITION)
    with open(disk, "r+b") as file:
        file.write(first + second)


def partition(kind, start, sectors):
    """An entry of a boot sector's partition table."""
    return struct.pack("<B3sB3sII", 0, b"\xfe\xff\xff", kind, b"\xfe\xff\xff", start,
                       sectors)


def small_disk(work, kernel, initrd):
    """The beginning of a disk, with a GPT, from whose EFI system partition firmware
    boots KERNEL and INITRD: SeaBIOS, and UEFI where the package grub-efi-amd64-bin is.
    Bytes; None without the packages grub-pc-bin, grub-common and mtools."""
    if not can_make():
        return None
    disk = work / "boot.img"
    disk.unlink(missing_ok=True)
    first, second = first_stages(work, FIRST_USABLE, "(hd0,gpt2)/boot",
                                 ["part_gpt", "fat"])
    with open(disk, "wb") as file:
        file.truncate(SMALL_SIZE)
        write_gpt(file, first)
        file.seek(FIRST_USABLE * SECTOR)
        file.write(second)
    volume = f"{disk}@@{PARTITION * SECTOR}"
    subprocess.run(["mformat", "-i", volume, "-F", "-h", "64", "-s", "32",
                    "-H", str(PARTITION), "-T", str(ESP_SECTORS), "::"], check=True)
    tree = esp_tree(work, kernel, initrd)
    subprocess.run(["mcopy", "-i", volume, "-s", *tree.iterdir(), "::"], check=True)
    shutil.rmtree(tree)
    return disk.read_bytes()


def esp_tree(work, kernel, initrd):
    """A folder with what the partition is to have."""
    tree = work / "boot.root"
    shutil.rmtree(tree, ignore_errors=True)
    (tree / "boot").mkdir(parents=True)
    shutil.copy(kernel.image, tree / "boot/vmlinuz")
    shutil.copy(initrd, tree / "boot/initrd")
    if can_boot(UEFI):
        for path, arguments in LOADERS.items():
            (tree / path).parent.mkdir(parents=True)
            shutil.move(grub(work, UEFI, "grub.efi", "/boot", ["part_gpt", "fat"],
                             arguments), tree / path)
    return tree


def write_gpt(file, boot_sector):
    """A partition table with a copy at the end, behind BOOT_SECTOR."""
    last = SMALL_SIZE // SECTOR - 1
    boot_sector[446:462] = partition(0xee, 1, last)
    entries = entry(BIOS_BOOT, uuid.UUID(int=DISK_ID.int + 1), FIRST_USABLE,
                    PARTITION - 1, "grub") + \
        entry(ESP, ESP_ID, PARTITION, PARTITION + ESP_SECTORS - 1, "system")
    entries = entries.ljust(ENTRIES * ENTRY_SIZE, b"\0")
    rows = len(entries) // SECTOR
    file.write(boot_sector + gpt_header(1, last, 2, last, entries) + entries)
    file.seek((last - rows) * SECTOR)
    file.write(entries + gpt_header(last, 1, last - rows, last, entries))


def entry(kind, name, first, last, label):
    return struct.pack("<16s16sQQQ72s", kind.bytes_le, name.bytes_le, first, last, 0,
                       label.encode("utf-16-le"))


def gpt_header(here, other, table, last, entries):
    """The one in sector HERE; the OTHER one's sector, and where the TABLE begins."""
    def header(checksum):
        return struct.pack("<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, checksum, 0,
                           here, other, FIRST_USABLE, last - FIRST_USABLE + 1,
                           DISK_ID.bytes_le, table, ENTRIES, ENTRY_SIZE,
                           zlib.crc32(entries))
    return header(zlib.crc32(header(0))).ljust(SECTOR, b"\0")
