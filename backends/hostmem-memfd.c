/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * memory-backend-memfd: memory behind a descriptor without a file, which can be
 * given to other processes; on request of huge pages.
 */
#include "qemu/osdep.h"

#include <fcntl.h>
#include <linux/memfd.h>
#include <sys/mman.h>
#include <sys/vfs.h>

#include "hostmem-internal.h"
#include "qapi/visitor.h"

typedef struct HostMemoryBackendMemfd {
    HostMemoryBackend parent_obj;

    bool hugetlb;
    uint64_t hugetlbsize;                 /* bytes; 0: the host's default */
    bool seal;                            /* nobody can resize it */
} HostMemoryBackendMemfd;

DECLARE_INSTANCE_CHECKER(HostMemoryBackendMemfd, MEMORY_BACKEND_MEMFD,
                         TYPE_MEMORY_BACKEND_MEMFD)

static int create_memfd(HostMemoryBackendMemfd *m, const char *name)
{
    unsigned flags = MFD_CLOEXEC | (m->seal ? MFD_ALLOW_SEALING : 0);

    if (m->hugetlb) {
        flags |= MFD_HUGETLB;
        flags |= m->hugetlbsize
                     ? (unsigned)__builtin_ctzll(m->hugetlbsize)
                           << MFD_HUGE_SHIFT
                     : 0;
    }
    return memfd_create(name, flags);
}

/* Whole pages are needed; what the kernel would say is "Invalid argument". */
static bool check_huge_pages(int fd, const char *name, uint64_t size,
                             Error **errp)
{
    g_autofree char *size_text = host_memory_size_text(size);
    g_autofree char *page_text = NULL;
    struct statfs fs;

    if (fstatfs(fd, &fs) < 0 || size % fs.f_bsize == 0) {
        return true;
    }
    page_text = host_memory_size_text(fs.f_bsize);
    error_setg(errp, "the size of '%s', %s, must be a multiple of its huge "
               "pages, %s", name, size_text, page_text);
    return false;
}

/* A descriptor of @size bytes, or -1 and *errp. */
static int open_memfd(HostMemoryBackendMemfd *m, const char *name,
                      uint64_t size, Error **errp)
{
    g_autofree char *text = host_memory_size_text(size);
    int fd = create_memfd(m, name);
    int err = fd < 0 ? errno : 0;

    if (!err && m->hugetlb && !check_huge_pages(fd, name, size, errp)) {
        close(fd);
        return -1;
    }
    if (!err && ftruncate(fd, size) < 0) {
        err = errno;
    }
    if (!err && m->seal &&
        fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) < 0) {
        err = errno;
    }
    if (!err) {
        return fd;
    }
    error_setg_errno(errp, err, "failed to create memfd of %s%s", text,
                     m->hugetlb ? " of huge pages" : "");
    if (fd >= 0) {
        close(fd);
    }
    return -1;
}

static bool memfd_backend_alloc(HostMemoryBackend *backend, Error **errp)
{
    const char *name = host_memory_backend_get_name(backend);
    HostMemoryBackendMemfd *m = MEMORY_BACKEND_MEMFD(backend);
    int fd;

    if (m->hugetlbsize && !m->hugetlb) {
        error_setg(errp, "hugetlbsize needs hugetlb=on");
        return false;
    }
    fd = open_memfd(m, name, backend->size, errp);
    if (fd < 0) {
        return false;
    }
    if (!memory_region_init_ram_from_fd(&backend->mr, OBJECT(backend), name,
                                        backend->size,
                                        host_memory_backend_ram_flags(backend),
                                        fd, 0, errp)) {
        close(fd);
        return false;
    }
    return true;
}

/* --- properties ---------------------------------------------------------- */

static bool memfd_get_hugetlb(Object *obj, Error **errp)
{
    return MEMORY_BACKEND_MEMFD(obj)->hugetlb;
}

static void memfd_set_hugetlb(Object *obj, bool value, Error **errp)
{
    if (host_memory_backend_check_unset(MEMORY_BACKEND(obj), "hugetlb", errp)) {
        MEMORY_BACKEND_MEMFD(obj)->hugetlb = value;
    }
}

static bool memfd_get_seal(Object *obj, Error **errp)
{
    return MEMORY_BACKEND_MEMFD(obj)->seal;
}

static void memfd_set_seal(Object *obj, bool value, Error **errp)
{
    if (host_memory_backend_check_unset(MEMORY_BACKEND(obj), "seal", errp)) {
        MEMORY_BACKEND_MEMFD(obj)->seal = value;
    }
}

static void memfd_get_hugetlbsize(Object *obj, Visitor *v, const char *name,
                                  void *opaque, Error **errp)
{
    visit_type_size(v, name, &MEMORY_BACKEND_MEMFD(obj)->hugetlbsize, errp);
}

static void memfd_set_hugetlbsize(Object *obj, Visitor *v, const char *name,
                                  void *opaque, Error **errp)
{
    uint64_t value;

    if (!host_memory_backend_check_unset(MEMORY_BACKEND(obj), name, errp) ||
        !visit_type_size(v, name, &value, errp)) {
        return;
    }
    if (!is_power_of_2(value)) {
        error_setg(errp, "Property '%s.%s' doesn't take value '%" PRIu64 "': "
                   "it must be a power of two", object_get_typename(obj), name,
                   value);
        return;
    }
    MEMORY_BACKEND_MEMFD(obj)->hugetlbsize = value;
}

static void memfd_backend_init(Object *obj)
{
    MEMORY_BACKEND(obj)->share = true;
    MEMORY_BACKEND_MEMFD(obj)->seal = true;
}

static void memfd_backend_class_init(ObjectClass *klass, void *data)
{
    MEMORY_BACKEND_CLASS(klass)->alloc = memfd_backend_alloc;
    object_class_property_add_bool(klass, "hugetlb", memfd_get_hugetlb,
                                   memfd_set_hugetlb);
    object_class_property_set_description(klass, "hugetlb", "Use huge pages");
    object_class_property_add(klass, "hugetlbsize", "int",
                              memfd_get_hugetlbsize, memfd_set_hugetlbsize,
                              NULL, NULL);
    object_class_property_set_description(klass, "hugetlbsize",
        "Huge pages size (ex: 2M, 1G)");
    object_class_property_add_bool(klass, "seal", memfd_get_seal,
                                   memfd_set_seal);
    object_class_property_set_description(klass, "seal",
        "Seal growing & shrinking");
}

static const TypeInfo memfd_backend_types[] = {
    {
        .name = TYPE_MEMORY_BACKEND_MEMFD,
        .parent = TYPE_MEMORY_BACKEND,
        .instance_size = sizeof(HostMemoryBackendMemfd),
        .instance_init = memfd_backend_init,
        .class_init = memfd_backend_class_init,
    },
};

DEFINE_TYPES(memfd_backend_types)
