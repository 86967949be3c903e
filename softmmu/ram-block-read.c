/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading all of a block without making it larger: a page that the host does
 * not back reads as zero, but to read it through the mapping has the host back
 * it, for shared memory for good. So /proc/self/pagemap is asked which pages
 * are mapped or in swap, and the file which parts have data; and what is in the
 * file is read from the file.
 *
 * Who reads all RAM (dumps) uses this; must not be used by the data path.
 */
#include "qemu/osdep.h"

#include <fcntl.h>

#include "exec/ramblock.h"
#include "qemu/units.h"

/* An entry of pagemap, one a page (Linux, admin-guide/mm/pagemap.rst). */
#define PAGEMAP_PRESENT (1ULL << 63)
#define PAGEMAP_SWAPPED (1ULL << 62)
#define PAGEMAP_BATCH 512
/* Bytes of a file that are looked at together. */
#define FILE_BATCH (256 * KiB)

/* -1: there is no /proc. Opened once, with the first block: later there may be no
 * right to open files. */
static int pagemap_fd(void)
{
    static int fd = -2;

    if (fd == -2) {
        fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    }
    return fd;
}

void ram_block_prepare_read(void)
{
    pagemap_fd();
}

/* How many of @n pages from @page on are alike; 0: it cannot be told. Those that
 * are present are somebody's to read, who then asks again: one look at them. */
static uint64_t pagemap_run(uint64_t page, uint64_t n, bool *present)
{
    uint64_t entries[PAGEMAP_BATCH], done = 0;

    while (done < n) {
        size_t want = MIN(n - done, PAGEMAP_BATCH) * sizeof(entries[0]);
        ssize_t got = pread(pagemap_fd(), entries, want,
                            (page + done) * sizeof(entries[0]));

        if (got < (ssize_t)sizeof(entries[0])) {
            break;
        }
        for (size_t i = 0; i < got / sizeof(entries[0]); i++, done++) {
            bool here = entries[i] & (PAGEMAP_PRESENT | PAGEMAP_SWAPPED);

            if (!done) {
                *present = here;
            } else if (here != *present) {
                return done;
            }
        }
        if (*present) {
            break;
        }
    }
    return done;
}

/* How much from @offset on is alike: mapped by this process, or not. */
static uint64_t mapped_run(const RAMBlock *rb, uint64_t offset, uint64_t size,
                           bool *present)
{
    uint64_t page_size = qemu_real_host_page_size();
    uint64_t start = (uintptr_t)rb->host + offset;
    uint64_t page = start / page_size;
    uint64_t n = DIV_ROUND_UP(start + size, page_size) - page;
    uint64_t run = pagemap_run(page, n, present);

    if (!run) {
        *present = true;
        return size;
    }
    return MIN((page + run) * page_size - start, size);
}

/* How far there is data from @start on, where there is some. SEEK_HOLE would look
 * at all pages up to the next hole, however far that is. */
static uint64_t file_data_run(const RAMBlock *rb, off_t start, uint64_t size)
{
    off_t at = start, end = start + MIN(size, FILE_BATCH);

    do {
        at = QEMU_ALIGN_DOWN(at, rb->page_size) + rb->page_size;
    } while (at < end && lseek(rb->fd, at, SEEK_DATA) == at);
    return MIN(at, end) - start;
}

/* As mapped_run(), for data of the file; a file system that cannot tell has
 * data. */
static uint64_t file_run(const RAMBlock *rb, uint64_t offset, uint64_t size,
                         bool *data)
{
    off_t start = rb->fd_offset + offset;
    off_t found = lseek(rb->fd, start, SEEK_DATA);

    *data = found == start || (found < 0 && errno != ENXIO);
    if (*data) {
        return file_data_run(rb, start, size);
    }
    return found > start ? MIN((uint64_t)(found - start), size) : size;
}

/* Whether all that the memory holds is in the file. */
static bool is_the_file(const RAMBlock *rb)
{
    return rb->mapping && rb->flags & RAM_SHARED &&
           file_mapping_state(rb->mapping) == FILE_MAPPING_INTACT;
}

uint64_t ram_block_backed_run(RAMBlock *rb, uint64_t offset, uint64_t size,
                              bool *backed)
{
    uint64_t run;

    if (rb->flags & RAM_PREALLOC) {
        *backed = true;
        return size;
    }
    if (is_the_file(rb)) {
        return file_run(rb, offset, size, backed);
    }
    run = mapped_run(rb, offset, size, backed);
    return *backed || rb->fd < 0 ? run : file_run(rb, offset, run, backed);
}

/* All of it, or -errno; -EFAULT: the file has no such bytes. */
static int read_file(const RAMBlock *rb, uint64_t offset, uint8_t *buf,
                     size_t size)
{
    while (size) {
        ssize_t n = pread(rb->fd, buf, size, rb->fd_offset + offset);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return n ? -errno : -EFAULT;
        }
        buf += n;
        offset += n;
        size -= n;
    }
    return 0;
}

int ram_block_read(RAMBlock *rb, uint64_t offset, void *buf, size_t size)
{
    uint8_t *to = buf;
    int ret = 0;

    while (size && !ret) {
        bool from_memory = !is_the_file(rb);
        uint64_t n = size;

        if (from_memory && rb->mapping) {
            n = mapped_run(rb, offset, size, &from_memory);
        }
        if (from_memory) {
            memcpy(to, ramblock_ptr(rb, offset), n);
        } else {
            ret = read_file(rb, offset, to, n);
        }
        to += n;
        offset += n;
        size -= n;
    }
    return ret;
}
