# SPDX-License-Identifier: GPL-2.0-or-later
"""Images in QEMU's format qcow2, version 2, without its tools."""
import struct

CLUSTER_BITS = 16
CLUSTER = 1 << CLUSTER_BITS
# What one entry of the first table leads to: a cluster of entries, of a cluster each.
PER_ENTRY = CLUSTER // 8 * CLUSTER
ONLY_USE = 1 << 63          # of a cluster, which may be written to where it is


def create(path, size, contents=b""):
    """An image of SIZE bytes, which begins with CONTENTS and has nothing else in it."""
    header, refcount_table, refcounts, table, entries = range(5)
    tables = -(-size // PER_ENTRY)
    assert tables * 8 <= CLUSTER, f"{size} bytes are too many"
    assert len(contents) <= PER_ENTRY - (entries + 1) * CLUSTER
    first = entries + bool(contents)      # of the clusters with contents
    clusters = first + -(-len(contents) // CLUSTER)
    data = bytearray(first * CLUSTER)
    struct.pack_into(">4sIQIIQIIQQIIQ", data, header * CLUSTER, b"QFI\xfb", 2, 0, 0,
                     CLUSTER_BITS, size, 0, tables, table * CLUSTER,
                     refcount_table * CLUSTER, 1, 0, 0)
    struct.pack_into(">Q", data, refcount_table * CLUSTER, refcounts * CLUSTER)
    struct.pack_into(f">{clusters}H", data, refcounts * CLUSTER, *[1] * clusters)
    if contents:
        struct.pack_into(">Q", data, table * CLUSTER, entries * CLUSTER | ONLY_USE)
        struct.pack_into(f">{clusters - first}Q", data, entries * CLUSTER,
                         *[cluster * CLUSTER | ONLY_USE
                           for cluster in range(first, clusters)])
    with open(path, "wb") as file:
        file.write(data + contents)
        file.truncate(clusters * CLUSTER)
