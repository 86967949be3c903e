/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scattered buffers: an array of (address, length), seen as one run of bytes.
 * Offsets count from the start of that run. Any thread.
 */
#ifndef QEMU_IOV_H
#define QEMU_IOV_H

#include <string.h>
#include <sys/uio.h>

/* All its bytes. */
size_t iov_size(const struct iovec *iov, unsigned int iov_cnt);

/* For copies that the first piece does not hold; see below. */
size_t iov_from_buf_pieces(const struct iovec *iov, unsigned int iov_cnt,
                           size_t offset, const void *buf, size_t bytes);
size_t iov_to_buf_pieces(const struct iovec *iov, unsigned int iov_cnt,
                         size_t offset, void *buf, size_t bytes);

static inline bool iov_first_holds(const struct iovec *iov,
                                   unsigned int iov_cnt, size_t offset,
                                   size_t bytes)
{
    return iov_cnt && bytes && offset <= iov[0].iov_len &&
           bytes <= iov[0].iov_len - offset;
}

/* Copy up to @bytes bytes between @buf and @iov from @offset on; how many were
 * copied, which is less if @iov ends before. Inline, since nearly always one
 * piece has all of it, and @bytes is a constant. */
static inline size_t iov_from_buf(const struct iovec *iov, unsigned int iov_cnt,
                                  size_t offset, const void *buf, size_t bytes)
{
    if (iov_first_holds(iov, iov_cnt, offset, bytes)) {
        memcpy((uint8_t *)iov[0].iov_base + offset, buf, bytes);
        return bytes;
    }
    return iov_from_buf_pieces(iov, iov_cnt, offset, buf, bytes);
}

static inline size_t iov_to_buf(const struct iovec *iov, unsigned int iov_cnt,
                                size_t offset, void *buf, size_t bytes)
{
    if (iov_first_holds(iov, iov_cnt, offset, bytes)) {
        memcpy(buf, (const uint8_t *)iov[0].iov_base + offset, bytes);
        /* What was copied is looked at, not the guest's once more. */
        __asm__ volatile("" : : "r"(buf) : "memory");
        return bytes;
    }
    return iov_to_buf_pieces(iov, iov_cnt, offset, buf, bytes);
}
/* The same from one to the other, which must not overlap. */
size_t iov_to_iov(const struct iovec *to, unsigned int to_cnt,
                  size_t to_offset, const struct iovec *from,
                  unsigned int from_cnt, size_t from_offset, size_t bytes);

#endif
