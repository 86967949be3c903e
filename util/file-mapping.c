/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Surviving SIGBUS (qemu/file-mapping.h). The signal's handler looks the
 * address up in a list, asks how long the file is, and maps zeros over what is
 * gone; the instruction is then tried again. Telling the owner is the main
 * loop's, which the handler wakes by an eventfd.
 *
 * In the handler only system calls: nothing that allocates or takes a lock that
 * the interrupted thread may hold. The list has a spin lock, under which nobody
 * touches mapped memory: so who spins in the handler waits for another thread.
 */
#include "qemu/osdep.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "qemu/event_notifier.h"
#include "qemu/file-mapping.h"
#include "qemu/may-open.h"
#include "qemu/queue.h"

struct FileMapping {
    uint8_t *host;
    size_t size;
    size_t page_size;
    int fd;
    char *path;
    uint64_t fd_offset;
    size_t end;                           /* the file's up to here, then zeros */
    FileMappingBroken *broken;
    void *opaque;
    int state;                            /* FileMappingState; atomic */
    FileMappingState told;                /* that the owner knows */
    QLIST_ENTRY(FileMapping) next;
};

static QLIST_HEAD(, FileMapping) mappings = QLIST_HEAD_INITIALIZER(mappings);
static int list_lock;
static EventNotifier changed = { .fd = -1 };

static void lock_list(void)
{
    while (__atomic_exchange_n(&list_lock, 1, __ATOMIC_ACQUIRE)) {
        /* a list of a few dozen is walked */
    }
}

static void unlock_list(void)
{
    __atomic_store_n(&list_lock, 0, __ATOMIC_RELEASE);
}

FileMappingState file_mapping_state(const FileMapping *m)
{
    return __atomic_load_n(&m->state, __ATOMIC_ACQUIRE);
}

const char *file_mapping_path(const FileMapping *m)
{
    return m->path ? m->path : "no path";
}

const char *file_mapping_why(const FileMapping *m)
{
    switch (file_mapping_state(m)) {
    case FILE_MAPPING_CUT:
        return "somebody has cut its file short";
    case FILE_MAPPING_UNBACKED:
        return m->page_size > qemu_real_host_page_size()
               ? "the host has no huge page left for it"
               : "the file system of its file is full";
    default:
        return "nothing";
    }
}

/* --- zeros instead of what is gone: list locked, also in the handler --- */

/* Up to which offset the mapping is still the file's. */
static size_t mapping_file_end(const FileMapping *m)
{
    struct stat st;
    uint64_t there;

    if (fstat(m->fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        return m->end;
    }
    there = (uint64_t)st.st_size > m->fd_offset
            ? (uint64_t)st.st_size - m->fd_offset : 0;
    /* What is left of the page that has the end reads as zero. */
    return there < m->end ? MIN(QEMU_ALIGN_UP(there, m->page_size), m->end)
                          : m->end;
}

static bool mapping_put_zeros(FileMapping *m, size_t offset, size_t size,
                              FileMappingState state)
{
    void *at = m->host + offset;

    if (mmap(at, size, PROT_READ | PROT_WRITE,
             MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
             0) == MAP_FAILED) {
        return false;
    }
    if (file_mapping_state(m) < state) {
        __atomic_store_n(&m->state, state, __ATOMIC_RELEASE);
        event_notifier_set(&changed);
    }
    return true;
}

/* Whether the file had been cut since somebody looked, and zeros are there. */
static bool mapping_mend_end(FileMapping *m)
{
    size_t end = mapping_file_end(m);

    if (end == m->end || !mapping_put_zeros(m, end, m->end - end,
                                            FILE_MAPPING_CUT)) {
        return false;
    }
    m->end = end;
    return true;
}

static bool mend_at(uint8_t *addr)
{
    FileMapping *m;

    QLIST_FOREACH(m, &mappings, next) {
        size_t offset = (uintptr_t)addr - (uintptr_t)m->host;

        if (offset < m->size) {
            mapping_mend_end(m);
            /* Another thread may have put them there meanwhile. */
            return offset >= m->end ||
                   mapping_put_zeros(m, ROUND_DOWN(offset, m->page_size),
                                     m->page_size, FILE_MAPPING_UNBACKED);
        }
    }
    return false;
}

bool file_mappings_mend(void)
{
    bool mended = false;
    FileMapping *m;

    lock_list();
    QLIST_FOREACH(m, &mappings, next) {
        mended |= mapping_mend_end(m);
    }
    unlock_list();
    return mended;
}

/* --- the signal --- */

static void on_sigbus(int number, siginfo_t *info, void *context)
{
    int saved_errno = errno;
    bool mended = false;

    if (info->si_code == BUS_ADRERR) {
        lock_list();
        mended = mend_at(info->si_addr);
        unlock_list();
    }
    if (!mended) {
        /* As if there were no handler, when the instruction is tried again;
         * a signal that somebody sent has none. */
        signal(SIGBUS, SIG_DFL);
        if (info->si_code != BUS_ADRERR) {
            raise(SIGBUS);
        }
    }
    errno = saved_errno;
}

/* --- the owners --- */

/* One that has not been told; NULL: none. */
static FileMapping *next_untold(void)
{
    FileMapping *m;

    lock_list();
    QLIST_FOREACH(m, &mappings, next) {
        if (m->told != file_mapping_state(m)) {
            break;
        }
    }
    unlock_list();
    return m;
}

static void tell_owners(EventNotifier *e)
{
    FileMapping *m;

    event_notifier_test_and_clear(e);
    while ((m = next_untold())) {
        m->told = file_mapping_state(m);
        if (m->broken) {
            m->broken(m->opaque, file_mapping_why(m));
        }
    }
}

int file_mapping_init(Error **errp)
{
    struct sigaction action = {
        .sa_sigaction = on_sigbus,
        .sa_flags = SA_SIGINFO,
    };
    int ret = event_notifier_init(&changed, 0);

    if (ret) {
        error_setg_errno(errp, -ret, "cannot create an eventfd");
        return ret;
    }
    event_notifier_set_handler(&changed, tell_owners);
    sigaction(SIGBUS, &action, NULL);
    return 0;
}

FileMapping *file_mapping_new(void *host, size_t size, size_t page_size, int fd,
                              uint64_t fd_offset, FileMappingBroken *broken,
                              void *opaque)
{
    g_autofree char *link = g_strdup_printf("/proc/self/fd/%d", fd);
    FileMapping *m = g_new0(FileMapping, 1);

    m->path = qemu_may_open(NULL) ? g_file_read_link(link, NULL) : NULL;
    m->host = host;
    m->size = size;
    m->page_size = page_size;
    m->fd = fd;
    m->fd_offset = fd_offset;
    m->end = size;
    m->broken = broken;
    m->opaque = opaque;
    lock_list();
    QLIST_INSERT_HEAD(&mappings, m, next);
    unlock_list();
    return m;
}

void file_mapping_free(FileMapping *m)
{
    if (m) {
        lock_list();
        QLIST_REMOVE(m, next);
        unlock_list();
        g_free(m->path);
        g_free(m);
    }
}
