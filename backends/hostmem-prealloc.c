/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Populating a backend's memory before anybody depends on it: all of it when
 * it is made (prealloc=on), or the blocks that virtio-mem is about to plug. It
 * must never end the process with SIGBUS because the host has no page to give:
 * hence no plain stores.
 */
#include "qemu/osdep.h"

#include "qemu/may-open.h"
#include "qemu/thread.h"
#include <fcntl.h>

#include "exec/ramblock.h"
#include "hostmem-internal.h"

/*
 * For kernels without MADV_POPULATE_WRITE (before 5.14): a byte of each page is
 * rewritten through /proc/self/mem, which fails where a store would kill. Only
 * for memory that nobody uses yet, and while files may be opened.
 */
static int populate_by_byte(uint8_t *host, uint64_t size, size_t page_size)
{
    bool may = qemu_thread_kind() == QEMU_THREAD_MAIN && qemu_may_open(NULL);
    int fd = may ? open("/proc/self/mem", O_RDWR | O_CLOEXEC) : -1;
    int err = !may ? -ENOTSUP : fd < 0 ? -errno : 0;

    for (uint64_t done = 0; done < size && !err; done += page_size) {
        off_t where = (off_t)(uintptr_t)(host + done);
        uint8_t byte;

        if (pread(fd, &byte, 1, where) != 1 ||
            pwrite(fd, &byte, 1, where) != 1) {
            err = -ENOMEM;
        }
    }
    if (fd >= 0) {
        close(fd);
    }
    return err;
}

int host_memory_backend_populate(HostMemoryBackend *backend, uint64_t offset,
                                 uint64_t size)
{
    RAMBlock *block = backend->mr.ram_block;
    int err = ram_block_populate_range(block, offset, size);

    return err == -ENOTSUP ? populate_by_byte(ramblock_ptr(block, offset), size,
                                              qemu_ram_pagesize(block))
                           : err;
}
