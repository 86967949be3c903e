/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Populating a backend's memory before the guest runs (prealloc=on), by several
 * threads if asked to. It must never end the process with SIGBUS because the
 * host has no page to give: hence no plain stores.
 */
#include "qemu/osdep.h"

#include <fcntl.h>
#include <sys/mman.h>

#include "hostmem-internal.h"

typedef struct PreallocJob {
    uint8_t *host;
    uint64_t size;                        /* a multiple of page_size */
    size_t page_size;
    int err;                              /* result: 0 or -errno */
} PreallocJob;

/*
 * For kernels without MADV_POPULATE_WRITE (before 5.14): a byte of each page is
 * rewritten through /proc/self/mem, which fails where a store would kill.
 */
static int populate_by_byte(const PreallocJob *job)
{
    int fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
    int err = fd < 0 ? -errno : 0;

    for (uint64_t done = 0; done < job->size && !err; done += job->page_size) {
        off_t where = (off_t)(uintptr_t)(job->host + done);
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

static gpointer populate(gpointer data)
{
    PreallocJob *job = data;

    do {
        job->err = madvise(job->host, job->size, MADV_POPULATE_WRITE) ? -errno
                                                                      : 0;
    } while (job->err == -EINTR || job->err == -EAGAIN);
    if (job->err == -EINVAL) {
        job->err = populate_by_byte(job);
    }
    return NULL;
}

/* Splits the memory into @n jobs of whole pages, as even as can be. */
static void split(PreallocJob *jobs, unsigned n, uint8_t *host, uint64_t pages,
                  size_t page_size)
{
    for (unsigned i = 0; i < n; i++) {
        uint64_t share = pages / n + (i < pages % n);

        jobs[i] = (PreallocJob){ host, share * page_size, page_size, 0 };
        host += jobs[i].size;
    }
}

bool host_memory_prealloc(void *host, uint64_t size, size_t page_size,
                          unsigned threads, Error **errp)
{
    uint64_t pages = DIV_ROUND_UP(size, page_size);
    unsigned n = MIN(threads, pages);
    g_autofree PreallocJob *jobs = g_new(PreallocJob, n);
    g_autofree GThread **running = g_new0(GThread *, n);
    int err = 0;

    split(jobs, n, host, pages, page_size);
    for (unsigned i = 1; i < n; i++) {
        running[i] = g_thread_try_new("prealloc", populate, &jobs[i], NULL);
    }
    for (unsigned i = 0; i < n; i++) {
        if (running[i]) {
            g_thread_join(running[i]);
        } else {
            populate(&jobs[i]);
        }
        err = err ? err : jobs[i].err;
    }
    if (err) {
        g_autofree char *text = host_memory_size_text(size);

        /* Of a file, or of huge pages, there are just no more. */
        error_setg_errno(errp, err == -EFAULT ? ENOMEM : -err,
                         "cannot preallocate %s", text);
        return false;
    }
    return true;
}
