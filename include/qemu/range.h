/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Arithmetic on ranges that wraps nowhere. */
#ifndef QEMU_RANGE_H
#define QEMU_RANGE_H

/* Whether two ranges, each given by its start and its length, share any
 * value. An empty one shares none. */
static inline bool ranges_overlap(uint64_t first1, uint64_t len1,
                                  uint64_t first2, uint64_t len2)
{
    if (!len1 || !len2) {
        return false;
    }
    return first1 >= first2 ? first1 - first2 < len2 : first2 - first1 < len1;
}

/* Whether @byte is within the @len bytes from @offset. */
static inline bool range_covers_byte(uint64_t offset, uint64_t len,
                                     uint64_t byte)
{
    return byte >= offset && byte - offset < len;
}

#endif
