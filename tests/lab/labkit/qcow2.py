# SPDX-License-Identifier: GPL-2.0-or-later
"""Empty images in QEMU's format qcow2, version 2, without its tools."""
import struct

CLUSTER_BITS = 16
CLUSTER = 1 << CLUSTER_BITS
# What one entry of the first table leads to: a cluster of entries, of a cluster each.
PER_ENTRY = CLUSTER // 8 * CLUSTER


def create(path, size):
    """An image of SIZE bytes, with nothing in it."""
    header, refcount_table, refcounts, table, clusters = range(5)
    entries = -(-size // PER_ENTRY)
    assert entries * 8 <= CLUSTER, f"{size} bytes are too many"
    data = bytearray(clusters * CLUSTER)
    struct.pack_into(">4sIQIIQIIQQIIQ", data, header * CLUSTER, b"QFI\xfb", 2, 0, 0,
                     CLUSTER_BITS, size, 0, entries, table * CLUSTER,
                     refcount_table * CLUSTER, 1, 0, 0)
    struct.pack_into(">Q", data, refcount_table * CLUSTER, refcounts * CLUSTER)
    struct.pack_into(f">{clusters}H", data, refcounts * CLUSTER, *[1] * clusters)
    path.write_bytes(data)
