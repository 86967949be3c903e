# SPDX-License-Identifier: GPL-2.0-or-later
"""The forecast: what -explain says a VM will lock and map is what the kernel then
counts, at each step, and a limit that is just as high as it says is enough."""
import json
import subprocess

from labkit.report import MIB, Table, mib, say
from labkit.vm import Vm

PLUGGABLE = 512 * MIB
BLOCK = 2 * MIB
PAGE = 4096


def options(lab):
    return ("-m", "256M,maxmem=4G,slots=2",
            "-object", f"memory-backend-ram,id=mem0,size={PLUGGABLE}",
            "-device", f"virtio-mem-pci,id=vm0,memdev=mem0,block-size={BLOCK}",
            "-device", f"vfio-pci,host={lab.drive.address}")


def forecast(lab):
    text = subprocess.run([lab.vmm, "--explain=json", *options(lab)], check=True,
                          capture_output=True, text=True).stdout
    info = json.loads(text)
    say(f"forecast: {mib(info['locked'])} locked, at most {mib(info['locked-max'])}")
    return info


def limited(size):
    """Root is above the limit unless it lacks CAP_IPC_LOCK."""
    return ("setpriv", "--bounding-set=-ipc_lock", "--inh-caps=-ipc_lock",
            "prlimit", f"--memlock={size}:{size}")


def check_step(vm, info, table, size, rest):
    """What is locked and mapped when SIZE is plugged; the mappings that are neither
    boot RAM nor blocks, as REST is unless it is None."""
    live = vm.qmp.command("query-memory-budget")
    need, expected = live["consumers"][0], info["consumers"][0]
    table.row(mib(size), mib(live["locked"]), mib(vm.pinned()), need["mappings"],
              need["mappings-left"])
    assert live["plugged"] == size, live
    assert live["locked"] == vm.pinned() == info["locked"] + size, live
    assert live["locked-max"] == info["locked-max"], live
    counted = need["mappings-limit"] - need["mappings-left"]
    assert counted == need["mappings"], f"the kernel counts {counted}: {need}"
    # BARs that the guest has turned on are mapped, too.
    found = need["mappings"] - expected["mappings"] - size // BLOCK
    assert rest in (None, found), f"{found} other mappings, not {rest}"
    assert need.get("bar-mappings", 0) == found <= expected["bar-mappings"], need
    assert need["mappings-max"] == expected["mappings-max"] + found, need
    return found


def test_forecast_is_what_the_kernel_counts(lab):
    """the limit that -explain names lets all be plugged; VmLck and mappings are right"""
    info = forecast(lab)
    with Vm(lab, *options(lab), wrapper=limited(info["locked-max"])) as vm:
        vm.boot()
        table = Table("plugged", "locked", "VmLck", "mappings", "left")
        rest = check_step(vm, info, table, 0, None)
        for size in (256 * MIB, PLUGGABLE, 128 * MIB):
            vm.resize(size)
            check_step(vm, info, table, size, rest)
        assert "warning" not in vm.errors(), vm.errors()


def test_a_page_less_is_refused(lab):
    """a limit just as high as boot RAM lets a VM start, a page less does not"""
    info = forecast(lab)
    with Vm(lab, *options(lab), wrapper=limited(info["locked"])) as vm:
        vm.boot()
        live = vm.qmp.command("query-memory-budget")
        assert vm.pinned() == info["locked"] == live["memlock-limit"], live
        assert live["memlock-left"] == 0, live
    with Vm(lab, *options(lab), wrapper=limited(info["locked"] - PAGE)) as vm:
        line = vm.refusal()
        for number in (info["locked"], info["locked"] - PAGE):
            assert str(number) in line, f"no {number} in: {line}"
