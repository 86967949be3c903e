# SPDX-License-Identifier: GPL-2.0-or-later
"""What a guest is told of who it is: SMBIOS, and the number that is another one in a
copy of it (vmgenid). It is the same with and without firmware."""

UUID = "11111111-2222-4333-8444-555555555555"
OPTIONS = ("-uuid", UUID, "-device", "vmgenid,guid=auto",
           "-smbios", "type=0,vendor=Lab firmware",
           "-smbios", "type=1,manufacturer=Lab,product=Probe,serial=4711,family=F",
           "-smbios", "type=2,product=Board", "-smbios", "type=3,asset=Inventory")
# What Linux makes of that, in /sys/class/dmi/id.
EXPECTED = {"product_uuid": UUID, "bios_vendor": "Lab firmware", "sys_vendor": "Lab",
            "product_name": "Probe", "product_serial": "4711", "product_family": "F",
            "board_name": "Board", "chassis_asset_tag": "Inventory"}


def check(vm):
    """The guest of a VM with OPTIONS knows who it is, and its drivers do."""
    text = vm.ask("cd /sys/class/dmi/id; grep . " + " ".join(EXPECTED))
    found = dict(line.split(":", 1) for line in text.splitlines())
    assert found == EXPECTED, f"the guest was told {found}"
    size = int(vm.ask("stat -c %s /sys/firmware/dmi/tables/DMI"))
    assert size, "the guest has no table of SMBIOS"
    # The kernel's driver has the device if it has found the number in memory.
    bound = vm.ask("ls /sys/bus/acpi/drivers/vmgenid")
    assert "QEMUVGID:00" in bound.split(), f"the driver vmgenid has {bound.split()}"
