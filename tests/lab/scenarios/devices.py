# SPDX-License-Identifier: GPL-2.0-or-later
"""Several passed-through devices: in different groups, in one, in two containers,
and each within reach of the others' DMA."""
from labkit.report import MIB, mib, say, wait_until
from labkit.testdev import BAR2_MAPPABLE, ID as TESTDEV_ID, Registers, TestDevice
from labkit.vfio import DRIVE_START
from labkit.vm import BOOT_RAM, Vm, peripheral

PLUGGED = 512 * MIB
EDU_ID = "1234:11e8"
BEYOND_IOMMU = 1 << 39      # the lab's IOMMU has that many addresses
PORTS = ("-device", "pcie-root-port,id=rp0,chassis=1",
         "-device", "pcie-root-port,id=rp1,chassis=2")


def start(lab, *arguments):
    return Vm(lab, "-m", "256M,maxmem=8G,slots=4", *PORTS,
              "-object", "memory-backend-memfd,id=mem0,size=2G",
              "-device", "virtio-mem-pci,id=vm0,memdev=mem0,requested-size=0,"
                         "block-size=2M", *arguments)


def vfio_pci(device, name, rest=""):
    return "-device", f"vfio-pci,id={name},host={device.address}{rest}"


def drive_in_guest(vm, serial):
    """Path of the drive with a serial number, once the guest has it."""
    command = f"grep -l '^{serial} *$' /sys/class/nvme/*/serial || true"
    path = wait_until(f"the guest finds the drive {serial}",
                      lambda: vm.ask(command))
    return f"/dev/{path.split('/')[-2]}n1"


def test_two_groups(lab):
    """two drives share what is pinned; one leaves, the other goes on; then all is unpinned"""
    lab.others.drive.give_to("vfio-pci")
    with start(lab, *vfio_pci(lab.drive, "a", ",bus=rp0"),
               *vfio_pci(lab.others.drive, "b", ",bus=rp1")) as vm:
        vm.boot()
        vm.resize(PLUGGED)
        vm.check_pinned(BOOT_RAM + PLUGGED, "for two drives")
        second = drive_in_guest(vm, "second")
        vm.check_drive(drive_in_guest(vm, "drive"))
        vm.check_drive(second, DRIVE_START)
        vm.remove("a")
        vm.check_pinned(BOOT_RAM + PLUGGED, "for the second drive")
        vm.check_drive(second, DRIVE_START)
        vm.resize(PLUGGED // 2)
        vm.check_pinned(BOOT_RAM + PLUGGED // 2, "for the second drive")
        vm.remove("b")
        vm.check_pinned(0, "for nobody")


def copy_by_edu(vm, edu, source, target, size):
    """Have an edu device copy SIZE bytes by DMA, through its buffer."""
    buffer, start_read, start_write = 0x40000, 1, 3
    for registers in ((source, buffer, size, start_read),
                      (buffer, target, size, start_write)):
        for offset, value in zip((0x80, 0x88, 0x90, 0x98), registers):
            vm.ask(f"devmem {edu + offset:#x} 64 {value:#x}")
        wait_until("the edu device copies",
                   lambda: not vm.read_physical(edu + 0x98, 64) & 1)


def test_one_group(lab):
    """a group is refused while the host uses a part of it; its devices reach others' BARs"""
    pair, neighbour = lab.others.pair, lab.others.neighbour
    for device in (*pair, lab.others.drive):
        device.give_to("vfio-pci")
    arguments = (*vfio_pci(pair[0], "a"), *vfio_pci(pair[1], "b"),
                 *vfio_pci(lab.others.drive, "c"))
    neighbour.give_to("virtio-pci")
    with start(lab, *arguments) as vm:
        line = vm.refusal()
        assert f"{neighbour.address} (virtio-pci)" in line, line
    neighbour.give_to(None)
    with start(lab, *arguments) as vm:
        vm.boot()
        vm.resize(PLUGGED)
        vm.check_pinned(BOOT_RAM + PLUGGED, "for a group of two and a drive")
        # What the drive's capabilities say is copied to a register that holds
        # anything while the drive is off.
        drive = vm.pci_function("1b36:0010")
        vm.ask(f"echo {drive} >/sys/bus/pci/drivers/nvme/unbind")
        vm.enable_function(drive)
        capabilities = vm.bar(drive, 0)
        queue_base = capabilities + 0x28
        expected = vm.read_physical(capabilities, 64)
        assert vm.read_physical(queue_base, 64) != expected
        for edu in [address for address, name in vm.pci_functions() if name == EDU_ID]:
            vm.ask(f"devmem {queue_base:#x} 64 0")
            vm.enable_function(edu)
            copy_by_edu(vm, vm.bar(edu, 0), capabilities, queue_base, 8)
            found = vm.read_physical(queue_base, 64)
            assert found == expected, f"{edu}: {found:#x}, not {expected:#x}"
        assert "no DMA between devices" not in vm.errors(), vm.errors()


def test_two_containers(lab):
    """a drive and a vfio-user device follow each plug, or neither does"""
    with TestDevice(lab) as device, \
            start(lab, *vfio_pci(lab.drive, "drive"),
                  "-device", f"vfio-user-pci,id=user,socket={device.socket}") as vm:
        vm.boot()
        vm.resize(128 * MIB)
        registers = Registers(vm)
        # BAR 2 of the one is memory for the other, and pinned like any.
        others = vm.pinned() - BOOT_RAM - 128 * MIB
        assert others == BAR2_MAPPABLE, f"{others} bytes more are pinned"
        unplugged = registers.mapped() - 128 * MIB

        def check(plugged):
            # The answer comes when what is refused has been rolled back.
            assert vm.plugged() == plugged, f"{mib(vm.plugged())} are plugged"
            pinned, mapped = vm.pinned() - others, registers.mapped() - unplugged
            assert pinned == BOOT_RAM + plugged, f"{mib(pinned)} are pinned"
            assert mapped == plugged, f"{mib(mapped)} are mapped by vfio-user"

        vm.resize(256 * MIB)
        check(256 * MIB)
        # The guest plugs 64 blocks at a time: the second time fails midway.
        registers.refuse_map(70)
        vm.qmp.set(peripheral("vm0"), "requested-size", 512 * MIB)
        wait_until("a mapping is refused", registers.refusals)
        check(384 * MIB)
        vm.resize(640 * MIB)
        check(640 * MIB)
        vm.resize(128 * MIB)
        check(128 * MIB)
        vm.check_drive(size=DRIVE_START)
        assert vm.errors().count("\n") == 1, vm.errors()
        say(f"  {vm.errors().strip()}")


def test_bar_out_of_reach(lab):
    """a BAR that the IOMMU cannot reach costs one warning, not the DMA of others"""
    with TestDevice(lab) as device, \
            start(lab, *vfio_pci(lab.drive, "drive"),
                  "-device", f"vfio-user-pci,id=user,socket={device.socket}") as vm:
        vm.boot()
        function = Registers(vm).function
        for address in (BEYOND_IOMMU, 2 * BEYOND_IOMMU):
            vm.write_config(function, 4, b"\0\0")
            for offset in (0, 4):
                part = address >> 8 * offset & 0xffffffff
                vm.write_config(function, 0x18 + offset, part.to_bytes(4, "little"))
            vm.enable_function(function)
            vm.check_pinned(BOOT_RAM, f"with a BAR at {address:#x}")
        warnings = vm.errors().count("no DMA between devices")
        assert warnings == 1, f"{warnings} warnings: {vm.errors()}"
        say(f"  {vm.errors().strip()}")
        vm.resize(PLUGGED)
        vm.check_drive(size=DRIVE_START)


def test_vfio_user_hotplug(lab):
    """a vfio-user device comes to a guest with plugged memory, and leaves"""
    with TestDevice(lab) as device, start(lab) as vm:
        vm.boot()
        vm.resize(256 * MIB)
        functions = vm.pci_functions()
        vm.qmp.command("device_add", driver="vfio-user-pci", id="user", bus="rp0",
                       socket=str(device.socket))
        wait_until("the guest finds the device", lambda: TESTDEV_ID in
                   [name for _, name in vm.pci_functions()])
        registers = Registers(vm)
        mapped = registers.mapped()
        assert mapped >= BOOT_RAM + 256 * MIB, f"{mib(mapped)} are mapped"
        vm.resize(384 * MIB)
        more = registers.mapped() - mapped
        assert more == 128 * MIB, f"{mib(more)} more are mapped, not 128 MiB"
        vm.remove("user")
        assert vm.pci_functions() == functions, vm.pci_functions()
        assert vm.plugged() == 384 * MIB, mib(vm.plugged())
