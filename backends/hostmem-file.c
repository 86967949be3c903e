/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * memory-backend-file: memory behind a file, be it in a file system of huge
 * pages, on persistent memory, or plain. mem-path names the file, which is
 * made if it does not exist, or a directory, in which a nameless one is made.
 * It must never shorten a file.
 */
#include "qemu/osdep.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "exec/ramblock.h"
#include "hostmem-internal.h"
#include "qapi/error.h"
#include "qemu/fdset.h"

typedef struct HostMemoryBackendFile {
    HostMemoryBackend parent_obj;

    char *mem_path;
    bool discard_data;                    /* free the contents at the end */
} HostMemoryBackendFile;

DECLARE_INSTANCE_CHECKER(HostMemoryBackendFile, MEMORY_BACKEND_FILE,
                         TYPE_MEMORY_BACKEND_FILE)

/* --- the file ------------------------------------------------------------ */

/* A file without a name in the directory @path: its descriptor or -errno. */
static int open_in_directory(const char *path, const char *name)
{
    g_autofree char *file = g_strdup_printf("%s/sparsevm_mem.%s.XXXXXX", path,
                                            name);
    int fd = g_mkstemp_full(file, O_RDWR | O_CLOEXEC, 0600);

    if (fd < 0) {
        return -errno;
    }
    unlink(file);
    return fd;
}

/* A guest writes to the file: a link to somebody else's is not followed, but for
 * those that stand for a descriptor. */
static int link_flag(const char *path)
{
    return g_file_test(path, G_FILE_TEST_IS_DIR) ||
           g_str_has_prefix(path, "/dev/fd/") ||
           g_str_has_prefix(path, "/proc/") ? 0 : O_NOFOLLOW;
}

/* The file @path, or one in the directory @path: a descriptor or -errno. */
static int open_by_name(const char *path, const char *name, bool *created)
{
    const int flags = O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    int fd = open(path, flags | link_flag(path));

    *created = false;
    if (fd < 0 && errno == ENOENT) {
        fd = open(path, flags | O_CREAT | O_EXCL, 0600);
        *created = fd >= 0;
    }
    if (fd < 0 && errno == EISDIR) {
        return open_in_directory(path, name);
    }
    return fd < 0 ? -errno : fd;
}

static int open_backing_file(const char *path, const char *name, bool *created,
                             Error **errp)
{
    int fd;

    if (fdset_is_path(path)) {
        *created = false;
        return fdset_open(path, O_RDWR, errp);
    }
    fd = open_by_name(path, name, created);
    if (fd == -ELOOP) {
        error_setg(errp, "can't open backing store %s for guest RAM: it is a "
                   "symbolic link, which is not followed: name the file itself",
                   path);
    } else if (fd < 0) {
        error_setg_errno(errp, -fd, "can't open backing store %s for guest RAM",
                         path);
    }
    return fd;
}

static size_t file_page_size(int fd)
{
    struct statfs fs;

    return fstatfs(fd, &fs) == 0 && fs.f_type == HUGETLBFS_MAGIC
               ? (size_t)fs.f_bsize : qemu_real_host_page_size();
}

/* Checks that @size fits the file, and gives an empty one that size. */
static bool prepare_file(int fd, const char *path, uint64_t size, Error **errp)
{
    g_autofree char *size_text = host_memory_size_text(size);
    size_t page_size = file_page_size(fd);
    struct stat st;

    if (!QEMU_IS_ALIGNED(size, page_size)) {
        g_autofree char *page_text = host_memory_size_text(page_size);

        error_setg(errp, "memory size %s must be a multiple of the page size "
                   "of '%s', %s", size_text, path, page_text);
        return false;
    }
    if (fstat(fd, &st) < 0) {
        error_setg_errno(errp, errno, "cannot look at '%s'", path);
        return false;
    }
    if (!S_ISREG(st.st_mode) && !S_ISCHR(st.st_mode)) {
        error_setg(errp, "backing store '%s' is no memory: a regular file, a "
                   "directory to make one in, or a device of memory is needed",
                   path);
        return false;
    }
    if (S_ISREG(st.st_mode) && st.st_size && (uint64_t)st.st_size < size) {
        error_setg(errp, "backing store '%s' has %" PRIu64 " bytes, which does "
                   "not match 'size' option %s", path, (uint64_t)st.st_size,
                   size_text);
        return false;
    }
    if (S_ISREG(st.st_mode) && !st.st_size && ftruncate(fd, size) < 0) {
        error_setg_errno(errp, errno, "cannot resize '%s' to %s", path,
                         size_text);
        return false;
    }
    return true;
}

static bool file_backend_alloc(HostMemoryBackend *backend, Error **errp)
{
    const char *name = host_memory_backend_get_name(backend);
    HostMemoryBackendFile *f = MEMORY_BACKEND_FILE(backend);
    bool created;
    int fd;

    if (!f->mem_path) {
        error_setg(errp, "mem-path property not set");
        return false;
    }
    if (host_memory_backend_rehearses() &&
        !g_file_test(f->mem_path, G_FILE_TEST_IS_DIR)) {
        error_setg(errp, "mem-path=%s: -explain makes and changes no file: name "
                   "the directory that it is in", f->mem_path);
        return false;
    }
    fd = open_backing_file(f->mem_path, name, &created, errp);
    if (fd < 0) {
        return false;
    }
    if (prepare_file(fd, f->mem_path, backend->size, errp) &&
        memory_region_init_ram_from_fd(&backend->mr, OBJECT(backend), name,
                                       backend->size,
                                       host_memory_backend_ram_flags(backend),
                                       fd, 0, errp)) {
        return true;
    }
    if (created) {
        unlink(f->mem_path);
    }
    close(fd);
    return false;
}

/* Before the region, which is a property of the object, goes. */
static void file_backend_unparent(Object *obj)
{
    HostMemoryBackend *backend = MEMORY_BACKEND(obj);

    if (backend->mr_inited && MEMORY_BACKEND_FILE(obj)->discard_data) {
        ram_block_discard_range(backend->mr.ram_block, 0,
                                memory_region_size(&backend->mr));
    }
}

/* --- properties ---------------------------------------------------------- */

static char *file_get_mem_path(Object *obj, Error **errp)
{
    return g_strdup(MEMORY_BACKEND_FILE(obj)->mem_path);
}

static void file_set_mem_path(Object *obj, const char *value, Error **errp)
{
    HostMemoryBackendFile *f = MEMORY_BACKEND_FILE(obj);

    if (host_memory_backend_check_unset(&f->parent_obj, "mem-path", errp)) {
        g_free(f->mem_path);
        f->mem_path = g_strdup(value);
    }
}

static bool file_get_discard_data(Object *obj, Error **errp)
{
    return MEMORY_BACKEND_FILE(obj)->discard_data;
}

static void file_set_discard_data(Object *obj, bool value, Error **errp)
{
    MEMORY_BACKEND_FILE(obj)->discard_data = value;
}

static void file_backend_finalize(Object *obj)
{
    g_free(MEMORY_BACKEND_FILE(obj)->mem_path);
}

static void file_backend_class_init(ObjectClass *klass, void *data)
{
    MEMORY_BACKEND_CLASS(klass)->alloc = file_backend_alloc;
    klass->unparent = file_backend_unparent;
    object_class_property_add_str(klass, "mem-path", file_get_mem_path,
                                  file_set_mem_path);
    object_class_property_set_description(klass, "mem-path",
        "File, or directory for a nameless file, that holds the memory");
    object_class_property_add_bool(klass, "discard-data", file_get_discard_data,
                                   file_set_discard_data);
    object_class_property_set_description(klass, "discard-data",
        "Free the file's contents when the backend goes");
}

static const TypeInfo file_backend_types[] = {
    {
        .name = TYPE_MEMORY_BACKEND_FILE,
        .parent = TYPE_MEMORY_BACKEND,
        .instance_size = sizeof(HostMemoryBackendFile),
        .instance_finalize = file_backend_finalize,
        .class_init = file_backend_class_init,
    },
};

DEFINE_TYPES(file_backend_types)
