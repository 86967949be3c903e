/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files that go to guest memory (boot-file.h). What they hold is not looked at
 * here; they may shrink or fail at any time.
 */
#include "qemu/osdep.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "boot-file.h"
#include "qapi/error.h"
#include "qemu/fdset.h"

#define PAGE_SIZE 4096ULL

bool boot_file_open(BootFile *file, const char *option, const char *path,
                    Error **errp)
{
    ERRP_GUARD();
    struct stat st;

    /* A FIFO must be refused, not waited for. */
    file->fd = fdset_or_open(path, O_RDONLY | O_NONBLOCK, errp);
    if (file->fd < 0) {
        error_prepend(errp, "%s ", option);
        return false;
    }
    if (fstat(file->fd, &st) < 0) {
        error_setg_errno(errp, errno, "%s %s: cannot be examined", option,
                         path);
        return false;
    }
    if (!S_ISREG(st.st_mode)) {
        error_setg(errp, "%s %s: is not a regular file", option, path);
        return false;
    }
    if (!st.st_size) {
        error_setg(errp, "%s %s: is empty", option, path);
        return false;
    }
    file->path = g_strdup(path);
    file->size = st.st_size;
    return true;
}

void boot_file_close(BootFile *file)
{
    if (file->fd >= 0) {
        close(file->fd);
    }
    g_free(file->path);
}

bool boot_file_read(const BootFile *file, uint64_t offset, void *buf,
                    size_t size, Error **errp)
{
    if (offset > INT64_MAX - size) {
        error_setg(errp, "%s: has no byte %" PRIu64, file->path, offset);
        return false;
    }
    while (size) {
        ssize_t n = pread(file->fd, buf, size, offset);

        if (n < 0) {
            if (errno == EINTR) {
                continue;
            }
            error_setg_errno(errp, errno, "%s: cannot be read", file->path);
            return false;
        }
        if (!n) {
            error_setg(errp, "%s: ends at %" PRIu64 ", %zu bytes early",
                       file->path, offset, size);
            return false;
        }
        buf = (char *)buf + n;
        offset += n;
        size -= n;
    }
    return true;
}

/* --- guest memory --- */

void boot_write(AddressSpace *as, uint64_t addr, const void *buf, size_t size)
{
    MemTxResult result = address_space_write(as, addr, MEMTXATTRS_UNSPECIFIED,
                                             buf, size);

    g_assert(result == MEMTX_OK);
}

/* What cannot be backed is found out here: the kernel's "Bad address" of a read
 * would be taken for the fault of the file that is read. */
static void touch(volatile uint8_t *host, uint64_t size)
{
    for (uint64_t i = 0; i < size; i += PAGE_SIZE) {
        host[i] = 0;
    }
    host[size - 1] = 0;
}

bool boot_load(const BootFile *file, uint64_t offset, AddressSpace *as,
               uint64_t addr, uint64_t size, Error **errp)
{
    while (size) {
        hwaddr len = size;
        void *host = address_space_map(as, addr, &len, true,
                                       MEMTXATTRS_UNSPECIFIED);
        bool ok;

        if (!host) {
            error_setg(errp, "%s: there is no RAM at 0x%" PRIx64 " to load it"
                       " to", file->path, addr);
            return false;
        }
        touch(host, len);
        ok = boot_file_read(file, offset, host, len, errp);
        address_space_unmap(as, host, len, true, len);
        if (!ok) {
            return false;
        }
        offset += len;
        addr += len;
        size -= len;
    }
    return true;
}
