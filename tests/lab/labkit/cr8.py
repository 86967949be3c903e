# SPDX-License-Identifier: GPL-2.0-or-later
"""A kvm-amd under which a guest may write CR8 while an interrupt waits.

QEMU 7.2, emulating a machine, aborts when a guest of that machine does so, unless
the machine's KVM intercepts these writes. KVM does at first, and then whenever the
guest's priority masks an interrupt; its function that decides so, made to return
at once, leaves it at the first. What a guest sees is the same.
"""
import struct

FUNCTION = b"svm_update_cr8_intercept"
BRANCH_TARGET = bytes((0xf3, 0x0f, 0x1e, 0xfa))
CALL_TRACER = bytes((0xe8, 0, 0, 0, 0))   # to be relocated; it is left alone
RETURN = 0xc3
SIGNED = b"~Module signature appended~\n"   # one that does not hold any more
SYMTAB = 2


def intercept(path):
    """Change the module (ELF, not compressed); False if it is another one."""
    module = bytearray(path.read_bytes())
    place = find(module)
    if place is not None and module[place:place + len(BRANCH_TARGET)] == BRANCH_TARGET:
        place += len(BRANCH_TARGET)
    if place is None or module[place:place + len(CALL_TRACER)] != CALL_TRACER:
        return False
    module[place + len(CALL_TRACER)] = RETURN
    path.write_bytes(module.removesuffix(SIGNED))
    return True


def find(module):
    """Where in the file FUNCTION is, None if it is not there."""
    table, entry, count = (*struct.unpack_from("<Q", module, 40),
                           *struct.unpack_from("<HH", module, 58))
    # Of each section: type, offset in the file, size, the section with its names.
    sections = [struct.unpack_from("<4xI16xQQI", module, table + entry * number)
                for number in range(count)]
    for kind, offset, size, names in sections:
        if kind != SYMTAB:
            continue
        for symbol in range(offset, offset + size, 24):
            name, section, value = struct.unpack_from("<I2xHQ", module, symbol)
            start = sections[names][1] + name
            if module[start:start + len(FUNCTION) + 1] == FUNCTION + b"\0":
                return sections[section][1] + value
    return None
