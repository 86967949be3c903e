/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RAM blocks: the host memory behind RAM regions, its setting up and tearing
 * down.
 *
 * memory-region.c makes and frees blocks; consumers reach them by the region.
 * Nothing here touches the memory itself: a block of a TiB costs as little as
 * one of a page.
 */
#include "qemu/osdep.h"
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include "exec/ramblock.h"
#include "qapi/error.h"
#include "qemu/units.h"

/* Blocks from this size on are aligned so that the host can use THP. */
#define THP_SIZE (2 * MiB)

static QLIST_HEAD(, RAMBlock) ram_blocks = QLIST_HEAD_INITIALIZER(ram_blocks);

/* --- host mappings --- */

/* Room for @size bytes at a multiple of @align: nothing is there yet. */
static void *reserve_aligned(size_t size, size_t align)
{
    size_t room = size + align - qemu_real_host_page_size();
    uint8_t *start, *aligned;

    if (room < size) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    start = mmap(NULL, room, PROT_NONE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (start == MAP_FAILED) {
        return MAP_FAILED;
    }
    aligned = (uint8_t *)QEMU_ALIGN_UP((uintptr_t)start, align);
    if (aligned != start) {
        munmap(start, aligned - start);
    }
    if (aligned + size != start + room) {
        munmap(aligned + size, start + room - (aligned + size));
    }
    return aligned;
}

/* Maps what @block describes (flags, page_size, fd); 0 or -errno. */
static int block_mmap(RAMBlock *block)
{
    size_t size = block->used_length;
    size_t align = MAX(block->page_size, size < THP_SIZE ? 0 : THP_SIZE);
    void *area = reserve_aligned(size, align);
    int flags = MAP_FIXED;
    int err;

    if (area == MAP_FAILED) {
        return -errno;
    }
    flags |= block->flags & RAM_SHARED ? MAP_SHARED : MAP_PRIVATE;
    flags |= block->flags & RAM_NORESERVE ? MAP_NORESERVE : 0;
    flags |= block->fd < 0 ? MAP_ANONYMOUS : 0;
    block->host = mmap(area, size, PROT_READ | PROT_WRITE, flags, block->fd,
                       block->fd_offset);
    if (block->host == MAP_FAILED) {
        err = errno;
        munmap(area, size);
        return -err;
    }
    if (block->fd < 0 && size >= THP_SIZE) {
        /* Advice: without THP in the host, memory is just slower. */
        madvise(block->host, size, MADV_HUGEPAGE);
    }
    if (block->fd >= 0) {
        int seals = fcntl(block->fd, F_GET_SEALS);

        block->cuttable = seals < 0 || !(seals & F_SEAL_SHRINK);
        block->mapping = file_mapping_new(block->host, size, block->page_size,
                                          block->fd, block->fd_offset,
                                          ram_block_broken, block);
    }
    return 0;
}

static void set_mmap_error(Error **errp, const RAMBlock *block, int err)
{
    g_autofree char *size = g_format_size_full(block->used_length,
                                               G_FORMAT_SIZE_IEC_UNITS |
                                               G_FORMAT_SIZE_LONG_FORMAT);
    const char *cure = "";

    if (err == ENOMEM && block->page_size > qemu_real_host_page_size()) {
        cure = " (the host has too few free huge pages)";
    } else if (err == ENOMEM && !(block->flags & RAM_NORESERVE)) {
        cure = " (the host will not promise that much; reserve=off on the"
               " memory backend does without a promise)";
    }
    error_setg(errp, "cannot set up guest memory '%s' of %s: %s%s",
               block->idstr, size, g_strerror(err), cure);
}

/* --- blocks --- */

static RAMBlock *block_new(ram_addr_t size, MemoryRegion *mr, uint32_t flags)
{
    RAMBlock *block = g_new0(RAMBlock, 1);

    block->mr = mr;
    block->used_length = size;
    block->flags = flags;
    block->page_size = qemu_real_host_page_size();
    block->fd = -1;
    block->populate_threads = 1;
    g_strlcpy(block->idstr, memory_region_name(mr), sizeof(block->idstr));
    return block;
}

/* Maps @block and makes it known; on failure frees it, but keeps its fd. */
static RAMBlock *block_add(RAMBlock *block, Error **errp)
{
    int r = block_mmap(block);

    if (r < 0) {
        set_mmap_error(errp, block, -r);
        g_free(block);
        return NULL;
    }
    ram_block_prepare_read();
    QLIST_INSERT_HEAD(&ram_blocks, block, next);
    return block;
}

/* Shared anonymous memory has an fd, so that others can map it too. */
static RAMBlock *alloc_memfd(ram_addr_t size, uint32_t ram_flags,
                             MemoryRegion *mr, Error **errp)
{
    const int seals = F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;
    int fd = memfd_create(memory_region_name(mr),
                          MFD_CLOEXEC | MFD_ALLOW_SEALING);
    RAMBlock *block;

    if (fd < 0 || ftruncate(fd, size) < 0 ||
        fcntl(fd, F_ADD_SEALS, seals) < 0) {
        error_setg_errno(errp, errno, "cannot create shared memory for '%s'",
                         memory_region_name(mr));
        block = NULL;
    } else {
        block = qemu_ram_alloc_from_fd(size, mr, ram_flags, fd, 0, errp);
    }
    if (!block && fd >= 0) {
        close(fd);
    }
    return block;
}

RAMBlock *qemu_ram_alloc(ram_addr_t size, uint32_t ram_flags, MemoryRegion *mr,
                         Error **errp)
{
    g_assert(!(ram_flags & RAM_PREALLOC));
    if (!size || size > INT64_MAX) {
        error_setg(errp, "cannot set up guest memory '%s' of %" PRIu64 " bytes",
                   memory_region_name(mr), size);
        return NULL;
    }
    if (ram_flags & RAM_SHARED) {
        return alloc_memfd(size, ram_flags, mr, errp);
    }
    return block_add(block_new(size, mr, ram_flags), errp);
}

/* The unit in which @fd can be mapped; 0 and *errp if it cannot be told. */
static size_t fd_page_size(int fd, const char *name, Error **errp)
{
    struct statfs fs;
    int r;

    do {
        r = fstatfs(fd, &fs);
    } while (r < 0 && errno == EINTR);
    if (r < 0) {
        error_setg_errno(errp, errno, "cannot use the file of memory '%s'",
                         name);
        return 0;
    }
    return fs.f_type == HUGETLBFS_MAGIC ? (size_t)fs.f_bsize
                                        : qemu_real_host_page_size();
}

/* A page beyond a file's end would be lost when the guest touches it. */
static bool check_fd_holds(int fd, const RAMBlock *block, Error **errp)
{
    uint64_t end = block->fd_offset + block->used_length;
    struct stat st;

    if (fstat(fd, &st) < 0) {
        error_setg_errno(errp, errno, "cannot use the file of memory '%s'",
                         block->idstr);
        return false;
    }
    if (S_ISREG(st.st_mode) && (uint64_t)st.st_size < end) {
        error_setg(errp, "the file of memory '%s' has %" PRIu64 " bytes but %"
                   PRIu64 " are needed", block->idstr, (uint64_t)st.st_size,
                   end);
        return false;
    }
    return true;
}

static bool check_fd_range(const RAMBlock *block, Error **errp)
{
    if (!block->used_length ||
        !QEMU_IS_ALIGNED(block->used_length, block->page_size) ||
        !QEMU_IS_ALIGNED(block->fd_offset, block->page_size)) {
        error_setg(errp, "size %" PRIu64 " and offset %" PRIu64 " of memory"
                   " '%s' must be multiples of its page size, %zu",
                   block->used_length, block->fd_offset, block->idstr,
                   block->page_size);
        return false;
    }
    if (block->fd_offset > INT64_MAX ||
        block->used_length > INT64_MAX - block->fd_offset) {
        error_setg(errp, "size %" PRIu64 " of memory '%s' does not fit into"
                   " a file", block->used_length, block->idstr);
        return false;
    }
    return true;
}

RAMBlock *qemu_ram_alloc_from_fd(ram_addr_t size, MemoryRegion *mr,
                                 uint32_t ram_flags, int fd, uint64_t fd_offset,
                                 Error **errp)
{
    g_autofree RAMBlock *block = block_new(size, mr, ram_flags);

    block->fd = fd;
    block->fd_offset = fd_offset;
    block->page_size = fd_page_size(fd, block->idstr, errp);
    if (!block->page_size || !check_fd_range(block, errp) ||
        !check_fd_holds(fd, block, errp)) {
        return NULL;
    }
    return block_add(g_steal_pointer(&block), errp);
}

RAMBlock *qemu_ram_alloc_from_ptr(ram_addr_t size, void *host,
                                  MemoryRegion *mr, Error **errp)
{
    RAMBlock *block = block_new(size, mr, RAM_PREALLOC);

    block->host = host;
    QLIST_INSERT_HEAD(&ram_blocks, block, next);
    return block;
}

void qemu_ram_free(RAMBlock *block)
{
    QLIST_REMOVE(block, next);
    if (!(block->flags & RAM_PREALLOC)) {
        file_mapping_free(block->mapping);
        munmap(block->host, block->used_length);
        if (block->fd >= 0) {
            close(block->fd);
        }
    }
    g_free(block);
}

/* --- looking at blocks --- */

size_t qemu_ram_pagesize(RAMBlock *block)
{
    return block->page_size;
}

bool qemu_ram_is_shared(RAMBlock *block)
{
    return block->flags & RAM_SHARED;
}

int qemu_ram_foreach_block(int (*fn)(RAMBlock *rb, void *opaque), void *opaque)
{
    RAMBlock *block, *next;
    int r = 0;

    QLIST_FOREACH_SAFE(block, &ram_blocks, next, next) {
        r = fn(block, opaque);
        if (r) {
            break;
        }
    }
    return r;
}
