/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An image has a header, two levels of reference counts, and one table. */
#include <glib/gstdio.h>
#include <unistd.h>

#include "qcow2.h"

#define CLUSTER_BITS 16
#define CLUSTER QCOW2_CLUSTER            /* 1 << CLUSTER_BITS */

/* What the format says of a file's beginning; big-endian. */
typedef struct Qcow2Header {
    uint32_t magic, version;
    uint64_t backing_offset;
    uint32_t backing_size, cluster_bits;
    uint64_t size;
    uint32_t crypt, l1_entries;
    uint64_t l1_offset, refcount_offset;
    uint32_t refcount_clusters, nr_snapshots;
    uint64_t snapshots_offset;
} Qcow2Header;

char *qcow2_make(void)
{
    enum { HEADER, REFCOUNT_TABLE, REFCOUNTS, L1, CLUSTERS };
    g_autofree uint8_t *file = g_malloc0(CLUSTERS * CLUSTER);
    char *path = g_build_filename(g_get_tmp_dir(), "disk-XXXXXX", NULL);
    uint16_t *counts = (void *)(file + REFCOUNTS * CLUSTER);
    int fd = g_mkstemp(path);

    *(Qcow2Header *)file = (Qcow2Header) {
        .magic = GUINT32_TO_BE(0x514649fb), .version = GUINT32_TO_BE(2),
        .cluster_bits = GUINT32_TO_BE(CLUSTER_BITS),
        .size = GUINT64_TO_BE(QCOW2_DISK), .l1_entries = GUINT32_TO_BE(1),
        .l1_offset = GUINT64_TO_BE(L1 * CLUSTER),
        .refcount_offset = GUINT64_TO_BE(REFCOUNT_TABLE * CLUSTER),
        .refcount_clusters = GUINT32_TO_BE(1),
    };
    *(uint64_t *)(file + REFCOUNT_TABLE * CLUSTER) =
        GUINT64_TO_BE(REFCOUNTS * CLUSTER);
    for (int i = 0; i < CLUSTERS; i++) {
        counts[i] = GUINT16_TO_BE(1);
    }
    g_assert_cmpint(write(fd, file, CLUSTERS * CLUSTER), ==,
                    CLUSTERS * CLUSTER);
    close(fd);
    return path;
}

void qcow2_remove(char *path)
{
    g_unlink(path);
    g_free(path);
}
