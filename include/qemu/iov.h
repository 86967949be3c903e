/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scattered buffers: an array of (address, length), seen as one run of bytes.
 * Offsets count from the start of that run. Any thread.
 */
#ifndef QEMU_IOV_H
#define QEMU_IOV_H

#include <sys/uio.h>

/* All its bytes. */
size_t iov_size(const struct iovec *iov, unsigned int iov_cnt);
/* Copy up to @bytes bytes between @buf and @iov from @offset on; how many were
 * copied, which is less if @iov ends before. */
size_t iov_from_buf(const struct iovec *iov, unsigned int iov_cnt,
                    size_t offset, const void *buf, size_t bytes);
size_t iov_to_buf(const struct iovec *iov, unsigned int iov_cnt,
                  size_t offset, void *buf, size_t bytes);

#endif
