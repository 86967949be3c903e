# SPDX-License-Identifier: GPL-2.0-or-later
"""The distribution's libvirt runs the emulator as it would run QEMU: what it asks,
passes and expects is its own affair."""
import re
import subprocess
from xml.etree import ElementTree

from labkit import disks, qcow2
from labkit.libvirt import USER, Domain, Libvirt, virsh, virt_install
from labkit.report import MIB, mib, say, wait_until
from labkit.vfio import DRIVE_START
from labkit.vm import BOOT_RAM

SPARSE = 1024 * MIB         # the most that the first virtio-mem device has
SECOND = 256 * MIB          # the same of the second
DISK = 64 * MIB             # of the qcow2 image

HOSTDEV = """\
<hostdev mode='subsystem' type='pci' managed='yes'>
  <source><address domain='0x{0}' bus='0x{1}' slot='0x{2}' function='0x{3}'/></source>
  <alias name='ua-drive'/>
</hostdev>
"""

MEMORY = """\
<memory model='virtio-mem'>
  <target>
    <size unit='MiB'>{size}</size><node>0</node><block unit='MiB'>2</block>
    <requested unit='MiB'>{requested}</requested>
  </target>
  <alias name='{alias}'/>
</memory>
"""

DOMAIN = """\
<domain type='kvm'>
  <name>guest</name>
  <maxMemory slots='4' unit='GiB'>8</maxMemory>
  <memory unit='MiB'>{total}</memory>
  <vcpu>1</vcpu>
  <os>
    <type arch='x86_64' machine='q35'>hvm</type>
    <kernel>{kernel}</kernel>
    <initrd>{initrd}</initrd>
    <cmdline>console=ttyS0 panic=-1 quiet</cmdline>
  </os>
  <features><acpi/><apic/></features>
  <cpu mode='host-passthrough' migratable='off'>
    <numa><cell id='0' cpus='0' memory='{boot}' unit='MiB'/></numa>
  </cpu>
  <devices>
    <emulator>{emulator}</emulator>
    <serial type='pty'><target port='0'/></serial>
    <controller type='usb' model='none'/>
    <controller type='pci' index='0' model='pcie-root'/>
    {ports}
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2' discard='unmap'/>
      <source file='{disk}'/>
      <target dev='vda' bus='virtio'/>
    </disk>
    {memory}
    {hostdev}
    <memballoon model='virtio'><stats period='1'/></memballoon>
    <video><model type='none'/></video>
  </devices>
</domain>
"""


def hostdev(drive):
    return HOSTDEV.format(*re.split("[:.]", drive.address))


def memory(alias, size, requested):
    return MEMORY.format(alias=alias, size=size // MIB, requested=requested // MIB)


def domain_xml(lab, libvirt):
    disk = libvirt.file("disk.qcow2")
    qcow2.create(disk, DISK)
    return DOMAIN.format(
        disk=disk,
        kernel=libvirt.file(lab.kernel), initrd=libvirt.file(lab.initrd),
        emulator=lab.vmm, boot=BOOT_RAM // MIB, total=(BOOT_RAM + SPARSE) // MIB,
        ports="<controller type='pci' model='pcie-root-port'/>" * 6,
        memory=memory("ua-sparse", SPARSE, 0), hostdev=hostdev(lab.drive))


def check_start(lab, domain):
    """It is the emulator itself that runs, without rights, and as much is pinned as
    it has."""
    domain.start()
    assert domain.executable() == lab.vmm, domain.executable()
    owner = subprocess.run(["ps", "-o", "user:32=", "-p", str(domain.pid)],
                           capture_output=True, text=True, check=True).stdout.strip()
    assert owner == USER, f"the emulator runs as {owner}"
    assert int(domain.status("CapEff"), 16) == 0, domain.status("CapEff")
    assert lab.drive.driver() == "vfio-pci", lab.drive.driver()
    domain.check_pinned(BOOT_RAM, "after the start")
    domain.boot()


def check_sizes(domain):
    for size in (512 * MIB, SPARSE, 256 * MIB):
        domain.request("ua-sparse", size)
        domain.check_pinned(BOOT_RAM + size, f"with {mib(size)}")
    domain.check_drive(size=DRIVE_START)


def check_disk(domain):
    """The image is QEMU's storage daemon's affair, which nobody has to know."""
    written = domain.ask(
        "dd if=/dev/urandom of=/tmp/data bs=1M count=8 2>/dev/null && "
        "dd if=/tmp/data of=/dev/vda bs=1M oflag=direct conv=fsync 2>/dev/null && "
        "dd if=/dev/vda bs=1M count=8 iflag=direct 2>/dev/null | cmp - /tmp/data "
        "&& echo same", "the guest uses its disk")
    assert written == "same", written
    size = domain.virsh("domblkinfo", "vda").split()
    assert str(DISK) in size, size


def check_figures(domain):
    """The run state, and what the balloon and the emulator tell."""
    domain.virsh("suspend")
    assert domain.state() == "paused", domain.state()
    domain.virsh("resume")
    assert domain.state() == "running", domain.state()
    wait_until("the balloon tells of the guest",
               lambda: "unused" in domain.virsh("dommemstat"))
    figures = dict(line.split() for line in domain.virsh("dommemstat").splitlines())
    total = domain.mem_total()
    assert int(figures["available"]) * 1024 == total, (figures, total)
    stats = domain.virsh("domstats")
    assert "state.state=1" in stats and "balloon.unused=" in stats, stats


def check_drive_leaves_and_comes(lab, libvirt, domain):
    device = libvirt.file("hostdev.xml")
    device.write_text(hostdev(lab.drive))
    domain.virsh("detach-device", str(device), "--live")
    wait_until("the drive leaves", lambda: "<hostdev" not in domain.xml())
    wait_until("the host has it", lambda: lab.drive.driver() == "nvme")
    domain.check_pinned(0, "without the drive")
    domain.virsh("attach-device", str(device), "--live")
    assert lab.drive.driver() == "vfio-pci", lab.drive.driver()
    domain.check_pinned(BOOT_RAM + 256 * MIB, "with the drive again")
    wait_until("the guest finds the drive",
               lambda: domain.ask("ls /dev/nvme0n1 2>/dev/null || echo no") != "no")
    domain.check_drive(size=DRIVE_START)


def check_memory_comes_and_leaves(libvirt, domain):
    device = libvirt.file("memory.xml")
    device.write_text(memory("ua-second", SECOND, 128 * MIB))
    domain.virsh("attach-device", str(device), "--live")
    domain.wait_for_current("ua-second", 128 * MIB)
    domain.check_pinned(BOOT_RAM + 384 * MIB, "with a second device")
    domain.request("ua-second", 0)
    domain.virsh("detach-device-alias", "ua-second", "--live")
    wait_until("the device leaves", lambda: "ua-second" not in domain.xml())
    domain.check_pinned(BOOT_RAM + 256 * MIB, "without it")


def check_dump(libvirt, domain):
    path = libvirt.file("core")
    domain.virsh("dump", str(path), "--memory-only")
    text = subprocess.run(["readelf", "-Wl", path], check=True, capture_output=True,
                          text=True).stdout
    size = sum(int(line.split()[4], 16) for line in text.splitlines()
               if " LOAD " in line)
    path.unlink()
    expected = BOOT_RAM + 256 * MIB
    assert size == expected, f"the dump has {mib(size)}, not {mib(expected)}"
    say(f"{mib(size)} dumped")


def check_reboot(domain):
    domain.watch_events()
    domain.virsh("reboot", "--mode", "acpi")
    domain.wait_for_guest()
    domain.wait_for_current("ua-sparse", 256 * MIB)
    domain.check_pinned(BOOT_RAM + 256 * MIB, "after the reboot")
    events = domain.events()
    for wanted in ("reboot", "memory-device-size-change", "ua-sparse"):
        assert wanted in events, f"no event {wanted} in: {events}"


def check_libvirtd_restarts(libvirt, domain):
    libvirt.restart()
    assert domain.state() == "running", domain.state()
    domain.request("ua-sparse", 128 * MIB)
    domain.check_pinned(BOOT_RAM + 128 * MIB, "after a restart of libvirtd")


def check_shutdown(lab, domain):
    domain.virsh("shutdown", "--mode", "acpi")
    wait_until("the guest powers off", lambda: domain.state() == "shut off")
    reason = domain.virsh("domstate", "--reason")
    assert "(shutdown)" in reason, reason
    wait_until("the host has the drive", lambda: lab.drive.driver() == "nvme")


def test_life_of_a_domain(lab):
    """a domain starts, grows, shrinks, loses and gets devices; pinned = boot RAM + plugged"""
    lab.drive.give_to("nvme")             # libvirt takes it from there
    with Libvirt(lab) as libvirt, \
            Domain(lab, "guest", domain_xml(lab, libvirt)) as domain:
        say(virsh("version", "--daemon").splitlines()[-1])
        check_start(lab, domain)
        check_sizes(domain)
        check_disk(domain)
        check_figures(domain)
        check_drive_leaves_and_comes(lab, libvirt, domain)
        check_memory_comes_and_leaves(libvirt, domain)
        check_dump(libvirt, domain)
        check_reboot(domain)
        check_libvirtd_restarts(libvirt, domain)
        check_shutdown(lab, domain)


# virt-install --import with its defaults: a disk, a network card, the channel of
# the guest agent. What is said beyond that is which emulator and how large.
VIRT_INSTALL = (
    "--name", "installed", "--import", "--osinfo", "debian11", "--machine", "q35",
    "--memory", str(BOOT_RAM // MIB), "--vcpus", "1", "--network", "user")
# What it adds by default and this emulator has not, switched off.
WITHOUT = ("--graphics", "none", "--controller", "usb,model=none")


def imported(lab, libvirt, *arguments, contents=b""):
    """The XML of virt-install --import for a disk that begins with CONTENTS."""
    disk = libvirt.file("import.qcow2")
    qcow2.create(disk, DISK, contents)
    return virt_install(*VIRT_INSTALL, "--disk", str(disk),
                        "--xml", f"./devices/emulator={lab.vmm}", *arguments)


def test_virt_install(lab):
    """what virt-install --import writes, without display and USB, starts and ends"""
    with Libvirt(lab) as libvirt:
        xml = imported(
            lab, libvirt, *WITHOUT, "--cpu", "host-passthrough", "--boot",
            f"kernel={libvirt.file(lab.kernel)},initrd={libvirt.file(lab.initrd)},"
            "kernel_args=console=ttyS0 panic=-1 quiet")
        for wanted in ("<memballoon", "<rng", "<console", "<pm>", "<timer", "<disk",
                       "<interface", "org.qemu.guest_agent"):
            assert wanted in xml, f"virt-install no longer writes {wanted}: {xml}"
        with Domain(lab, "installed", xml) as domain:
            domain.start()
            assert domain.executable() == lab.vmm, domain.executable()
            domain.boot()
            domain.virsh("shutdown", "--mode", "acpi")
            wait_until("the guest powers off", lambda: domain.state() == "shut off")


# Elements of virt-install's default domain that ask for what this emulator has not,
# in the order in which libvirt finds them, and what it says. All others hold.
REFUSED = (
    ("sound", {}, "audio controller is not supported"),
    ("video", {}, "does not support video model 'virtio'"),
    ("graphics", {}, "missing video model"),
    ("channel", {"type": "spicevmc"}, "not supported without spice graphics"),
    ("redirdev", {}, "not supported without spice graphics"),
    ("controller", {"type": "usb"}, "'qemu-xhci' not supported"),
    ("input", {"bus": "usb"}, "USB is disabled"),
)


def refusal(name, path):
    """What libvirt says when the domain is defined and started; None: it runs."""
    for command in (("define", str(path)), ("start", name)):
        try:
            virsh(*command)
        except AssertionError as error:
            return str(error)
    return None


def drop(root, tag, attributes):
    """Remove the devices that are such elements."""
    devices = root.find("devices")
    for element in devices.findall(tag):
        if attributes.items() <= element.attrib.items():
            devices.remove(element)


def test_default_domain(lab):
    """of virt-install --import's default domain, only display, sound and USB are refused"""
    with Libvirt(lab) as libvirt:
        root = ElementTree.fromstring(imported(lab, libvirt))
        path = libvirt.file("default.xml")
        for tag, attributes, expected in REFUSED:
            ElementTree.ElementTree(root).write(path)
            said = refusal("installed", path)
            assert said and expected in said, f"{tag}: not '{expected}', but: {said}"
            drop(root, tag, attributes)
        say("it starts without " + ", ".join(tag for tag, *_ in REFUSED))
        with Domain(lab, "installed", ElementTree.tostring(root, "unicode")) as domain:
            domain.start()
            assert domain.executable() == lab.vmm, domain.executable()


def test_domain_boots_its_disk(lab):
    """a domain without a kernel boots from its qcow2 disk, by SeaBIOS"""
    with open(lab.disk, "rb") as file:
        contents = file.read(disks.SMALL_SIZE)
    with Libvirt(lab) as libvirt:
        xml = imported(lab, libvirt, *WITHOUT, "--cpu", "host-passthrough",
                       contents=contents)
        assert "<kernel>" not in xml and "<loader" not in xml, xml
        with Domain(lab, "installed", xml) as domain:
            domain.start()
            domain.boot()
            size = domain.ask("cat /sys/block/vda/size")
            assert int(size) == DISK // disks.SECTOR, size
            domain.virsh("shutdown", "--mode", "acpi")
            wait_until("the guest powers off", lambda: domain.state() == "shut off")


RUN_FIRST = (test_life_of_a_domain,)
