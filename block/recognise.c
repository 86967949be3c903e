/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an image looks like whose format nobody has told. It is never opened as what
 * it looks like: a guest can make its raw disk look like anything, an image over a
 * file of the host, say. But who forgot format=qcow2 should hear that, rather than
 * have a guest that finds no system.
 *
 * LUKS is not among these: a guest that encrypts the whole of a raw disk makes one.
 */
#include "qemu/osdep.h"

#include "block/block.h"
#include "qemu/fdset.h"

/* By the bytes that the formats' specifications begin with. */
static const struct {
    const char *name;
    unsigned offset;
    unsigned size;
    const char *bytes;
} formats[] = {
    { "qcow", 0, 8, "QFI\xfb\0\0\0\1" },
    { "qcow2", 0, 8, "QFI\xfb\0\0\0\2" },
    { "qcow2", 0, 8, "QFI\xfb\0\0\0\3" },
    { "qed", 0, 4, "QED\0" },
    { "vmdk", 0, 4, "KDMV" },
    { "vmdk", 0, 4, "COWD" },
    { "vhdx", 0, 8, "vhdxfile" },
    { "vpc", 0, 8, "conectix" },
    { "vdi", 64, 4, "\x7f\x10\xda\xbe" },
    { "parallels", 0, 16, "WithoutFreeSpace" },
    { "parallels", 0, 16, "WithouFreSpacExt" },
};

const char *block_recognise_format(const char *filename)
{
    uint8_t head[68] = {};
    int fd = fdset_open_read(filename, NULL);
    ssize_t n;

    if (fd < 0) {
        return NULL;
    }
    n = pread(fd, head, sizeof(head), 0);
    close(fd);
    for (size_t i = 0; n == sizeof(head) && i < ARRAY_SIZE(formats); i++) {
        if (!memcmp(head + formats[i].offset, formats[i].bytes,
                    formats[i].size)) {
            return formats[i].name;
        }
    }
    return NULL;
}
