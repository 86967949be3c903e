/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The test device's accesses to the client's memory: piece by piece through
 * the mappings, by mapping exactly what a mapping says of its file for the time
 * of the access, or by DMA_READ and DMA_WRITE. It must not keep a way to memory
 * beyond the access.
 */
#include "qemu/osdep.h"

#include <sys/mman.h>

#include "testdev.h"

static int dma_file(const TestDevMapping *m, uint64_t iova, uint8_t *buf,
                    size_t size, bool write)
{
    size_t whole = m->last - m->iova + 1;
    uint8_t *ptr = mmap(NULL, whole, write ? PROT_READ | PROT_WRITE : PROT_READ,
                        MAP_SHARED, m->file->fd, (off_t)m->offset);

    if (ptr == MAP_FAILED) {
        return -errno;
    }
    if (write) {
        memcpy(ptr + (iova - m->iova), buf, size);
    } else {
        memcpy(buf, ptr + (iova - m->iova), size);
    }
    munmap(ptr, whole);
    return 0;
}

static int dma_message(TestDev *dev, uint64_t iova, uint8_t *buf, size_t size,
                       bool write)
{
    const VFIOUserDMAAccess access = { .address = iova, .count = size };
    const VFIOUserBody body = {
        .head = &access,
        .head_size = sizeof(access),
        .data = write ? buf : NULL,
        .data_size = write ? size : 0,
    };
    g_auto(VFIOUserMessage) reply = { 0 };
    int ret = vfio_user_socket_request(dev->socket,
                                       write ? VFIO_USER_DMA_WRITE
                                             : VFIO_USER_DMA_READ,
                                       &body, &reply);

    if (ret) {
        return ret;
    }
    if (memcmp(reply.payload, &access, sizeof(access))) {
        return vfio_user_socket_break(dev->socket, EPROTO, "the client "
                                      "answers for other memory than asked");
    }
    if (!write) {
        memcpy(buf, reply.payload + sizeof(access), size);
    }
    return 0;
}

int testdev_dma(TestDev *dev, uint64_t iova, void *buf, size_t size, bool write,
                uint64_t *fault)
{
    uint32_t need = write ? VFIO_USER_DMA_WRITEABLE : VFIO_USER_DMA_READABLE;

    for (size_t done = 0; done < size;) {
        uint64_t at = iova + done;
        const TestDevMapping *m = testdev_memory_find(&dev->mem, at);
        size_t n = size - done;
        int ret;

        *fault = at;
        if (at < iova || !m || !(m->flags & need)) {
            return -EFAULT;
        }
        n = MIN(n - 1, m->last - at) + 1;
        if (m->file) {
            ret = dma_file(m, at, (uint8_t *)buf + done, n, write);
        } else {
            n = MIN(n, dev->client_xfer);
            ret = dma_message(dev, at, (uint8_t *)buf + done, n, write);
        }
        if (ret) {
            return ret;
        }
        done += n;
    }
    return 0;
}
