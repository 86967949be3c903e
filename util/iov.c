/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Copying to and from scattered buffers. Used by virtio devices on segments
 * that a guest chose; never touches memory outside of them.
 */
#include "qemu/osdep.h"

#include "qemu/iov.h"

size_t iov_size(const struct iovec *iov, unsigned int iov_cnt)
{
    size_t size = 0;

    for (unsigned int i = 0; i < iov_cnt; i++) {
        size += iov[i].iov_len;
    }
    return size;
}

/* One contiguous piece; @done: bytes of the run before it. */
typedef void IovPieceFn(uint8_t *piece, size_t done, size_t len, void *opaque);

/* Calls @fn for the pieces of @bytes bytes from @offset; how many there are. */
static size_t iov_for_each(const struct iovec *iov, unsigned int iov_cnt,
                           size_t offset, size_t bytes, IovPieceFn *fn,
                           void *opaque)
{
    size_t done = 0;

    for (unsigned int i = 0; i < iov_cnt && done < bytes; i++) {
        size_t len;

        if (offset >= iov[i].iov_len) {
            offset -= iov[i].iov_len;
            continue;
        }
        len = MIN(iov[i].iov_len - offset, bytes - done);
        fn((uint8_t *)iov[i].iov_base + offset, done, len, opaque);
        done += len;
        offset = 0;
    }
    return done;
}

static void piece_from_buf(uint8_t *piece, size_t done, size_t len,
                           void *opaque)
{
    memcpy(piece, (const uint8_t *)opaque + done, len);
}

static void piece_to_buf(uint8_t *piece, size_t done, size_t len, void *opaque)
{
    memcpy((uint8_t *)opaque + done, piece, len);
}

size_t iov_from_buf_pieces(const struct iovec *iov, unsigned int iov_cnt,
                           size_t offset, const void *buf, size_t bytes)
{
    return iov_for_each(iov, iov_cnt, offset, bytes, piece_from_buf,
                        (void *)buf);
}

size_t iov_to_buf_pieces(const struct iovec *iov, unsigned int iov_cnt,
                         size_t offset, void *buf, size_t bytes)
{
    return iov_for_each(iov, iov_cnt, offset, bytes, piece_to_buf, buf);
}

typedef struct IovSource {
    const struct iovec *iov;
    unsigned int iov_cnt;
    size_t offset;
} IovSource;

static void piece_from_iov(uint8_t *piece, size_t done, size_t len,
                           void *opaque)
{
    const IovSource *from = opaque;

    iov_to_buf(from->iov, from->iov_cnt, from->offset + done, piece, len);
}

size_t iov_to_iov(const struct iovec *to, unsigned int to_cnt,
                  size_t to_offset, const struct iovec *from,
                  unsigned int from_cnt, size_t from_offset, size_t bytes)
{
    IovSource source = { from, from_cnt, from_offset };
    size_t size = iov_size(from, from_cnt);

    bytes = MIN(bytes, size - MIN(size, from_offset));
    return iov_for_each(to, to_cnt, to_offset, bytes, piece_from_iov, &source);
}
