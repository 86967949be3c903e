/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files and disks of the host: opening them, and seeing to it that nobody else
 * writes to them meanwhile. A user names them, so links are followed, as QEMU
 * does; what is neither a file nor a disk is refused. Used by node.c.
 *
 * The locks are QEMU's, so that neither of both opens what the other one writes
 * to: an OFD read lock on one byte for each thing that is done, and on one for
 * each that others must not do (LOCK_USED and LOCK_KEPT). They are taken
 * first, then looked for: of two that come at once, one at least sees the other.
 * If others write already, and allow it, an image is opened without the second
 * kind: whoever uses it has to allow it, too.
 */
#include "qemu/osdep.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "nvme.h"
#include "qemu/fdset.h"
#include "qemu/may-open.h"
#include "qemu/sandbox-need.h"

/* --- locks --- */

#define LOCK_USED 100
#define LOCK_KEPT 200

/* The bytes from LOCK_USED and LOCK_KEPT on. */
typedef enum LockPerm {
    PERM_CONSISTENT_READ,
    PERM_WRITE,
    PERM_WRITE_UNCHANGED,
    PERM_RESIZE,
} LockPerm;

static const char *const lock_names[] = {
    [PERM_CONSISTENT_READ] = "consistent read",
    [PERM_WRITE] = "write",
    [PERM_WRITE_UNCHANGED] = "write unchanged",
    [PERM_RESIZE] = "resize",
};

/* @type: F_RDLCK or F_UNLCK. -errno: it could not be done. */
static int set_lock(int fd, off_t byte, short type)
{
    struct flock l = { .l_type = type, .l_whence = SEEK_SET,
                       .l_start = byte, .l_len = 1 };

    return fcntl(fd, F_OFD_SETLK, &l) < 0 ? -errno : 0;
}

/* Whether somebody else has a lock on @byte. */
static bool is_locked(int fd, off_t byte)
{
    struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET,
                       .l_start = byte, .l_len = 1 };

    return fcntl(fd, F_OFD_GETLK, &l) == 0 && l.l_type != F_UNLCK;
}

/* What others must not do, unless an image is shared. */
static const LockPerm kept[] = { PERM_WRITE, PERM_RESIZE };

static bool fail_lock(const BlockImage *image, LockPerm perm, Error **errp)
{
    error_setg(errp, "Failed to get \"%s\" lock: another process, or another "
               "node, uses '%s'", lock_names[perm], image->filename);
    return false;
}

static int set_kept(BlockImage *image, bool keep)
{
    int ret = 0;

    for (size_t i = 0; i < ARRAY_SIZE(kept) && !ret; i++) {
        ret = set_lock(image->fd, LOCK_KEPT + kept[i],
                       keep ? F_RDLCK : F_UNLCK);
    }
    image->kept = keep;
    return ret;
}

/* false: others do what they must not, which *@perm is. */
static bool check_kept(BlockImage *image, LockPerm *perm)
{
    for (size_t i = 0; i < ARRAY_SIZE(kept); i++) {
        if (is_locked(image->fd, LOCK_USED + kept[i])) {
            *perm = kept[i];
            set_kept(image, false);
            return false;
        }
    }
    return true;
}

static bool lock_image(BlockImage *image, Error **errp)
{
    bool used[] = { [PERM_CONSISTENT_READ] = true,
                    [PERM_WRITE] = !image->read_only,
                    [PERM_RESIZE] = !image->read_only };
    LockPerm perm;
    int ret = 0;

    for (unsigned i = 0; i < ARRAY_SIZE(used) && !ret; i++) {
        ret = used[i] ? set_lock(image->fd, LOCK_USED + i, F_RDLCK) : 0;
    }
    ret = ret ?: set_kept(image, true);
    if (ret == -EINVAL || ret == -ENOTSUP || ret == -ENOLCK) {
        return true;                      /* this file system has no locks */
    }
    if (ret) {
        error_setg_errno(errp, -ret, "cannot lock '%s'", image->filename);
        return false;
    }
    image->has_locks = true;
    for (unsigned i = 0; i < ARRAY_SIZE(used); i++) {
        if (used[i] && is_locked(image->fd, LOCK_KEPT + i)) {
            return fail_lock(image, i, errp);
        }
    }
    /* Who writes, and lets nobody else, does not let us look on either. */
    return check_kept(image, &perm) ||
           !is_locked(image->fd, LOCK_KEPT + perm) ||
           fail_lock(image, perm, errp);
}

bool block_image_share(BlockImage *image, bool share, Error **errp)
{
    LockPerm perm;
    int ret;

    if (!image->has_locks || image->kept == !share) {
        return true;
    }
    ret = set_kept(image, !share);
    if (ret) {
        error_setg_errno(errp, -ret, "cannot lock '%s'", image->filename);
        return false;
    }
    return share || check_kept(image, &perm) || fail_lock(image, perm, errp);
}

/* --- opening --- */

/* A file that is open already has its own flags, but for how it is cached. */
static int take_file(const BlockImageOptions *o, int access)
{
    int fd = fdset_open(o->filename, access, NULL);
    int flags = fd < 0 ? -1 : fcntl(fd, F_GETFL);

    if (fd < 0) {
        errno = EACCES;
    } else if (flags < 0 ||
               fcntl(fd, F_SETFL, (flags & ~O_DIRECT) |
                     (o->direct ? O_DIRECT : 0)) < 0) {
        int error = errno;

        close(fd);
        errno = error;
        fd = -1;
    }
    return fd;
}

static int open_file(const BlockImageOptions *o, bool read_only)
{
    int access = read_only ? O_RDONLY : O_RDWR;

    if (fdset_is_path(o->filename)) {
        return take_file(o, access);
    }
    return open(o->filename, access | O_CLOEXEC | O_NONBLOCK |
                (o->direct ? O_DIRECT : 0));
}

/* What there is to say after the reason. */
static const char *advice(const BlockImageOptions *o, int error)
{
    if (fdset_is_path(o->filename)) {
        return ": no file of the set is open in that way; use -add-fd or add-fd";
    }
    return o->direct && error == EINVAL
           ? ": its file system has no direct I/O; use cache.direct=off" : "";
}

static bool open_image(BlockImage *image, const BlockImageOptions *o,
                       Error **errp)
{
    image->read_only = o->read_only;
    image->fd = open_file(o, o->read_only);
    if (image->fd < 0 && o->auto_read_only && !o->read_only &&
        (errno == EACCES || errno == EROFS || errno == EPERM)) {
        image->read_only = true;
        image->fd = open_file(o, true);
    }
    if (image->fd < 0) {
        error_setg_errno(errp, errno, "Could not open '%s'%s", o->filename,
                         advice(o, errno));
    }
    return image->fd >= 0;
}

static bool check_kind(BlockImage *image, Error **errp)
{
    struct stat st;

    if (fstat(image->fd, &st) < 0) {
        error_setg_errno(errp, errno, "Could not stat '%s'", image->filename);
        return false;
    }
    if (image->is_device ? !S_ISBLK(st.st_mode) : !S_ISREG(st.st_mode)) {
        error_setg(errp, "'%s' is not a %s", image->filename,
                   !image->is_device ? S_ISBLK(st.st_mode)
                       ? "regular file: use driver host_device"
                       : "regular file"
                   : S_ISREG(st.st_mode) ? "block device: use driver file"
                                         : "block device");
        return false;
    }
    return true;
}

/* It was opened without waiting, as it might be a pipe. io_uring would fail what
 * has to wait. */
static bool make_blocking(BlockImage *image, Error **errp)
{
    int flags = fcntl(image->fd, F_GETFL);

    if (flags < 0 || fcntl(image->fd, F_SETFL, flags & ~O_NONBLOCK) < 0) {
        error_setg_errno(errp, errno, "Could not open '%s'", image->filename);
        return false;
    }
    return true;
}

static bool find_size(BlockImage *image, Error **errp)
{
    off_t size = lseek(image->fd, 0, SEEK_END);

    if (size < 0) {
        error_setg_errno(errp, errno, "Could not get the size of '%s'",
                         image->filename);
        return false;
    }
    image->size = size;
    return true;
}

/* The smallest power of two, from a sector to @max, of which that many bytes can
 * be read to @memory; 0: none. */
static uint32_t find_readable(const BlockImage *image, void *memory,
                              uint32_t max)
{
    for (uint32_t n = BLOCK_SECTOR; n <= max; n *= 2) {
        if (pread(image->fd, memory, n, 0) >= 0) {
            return n;
        }
    }
    return 0;
}

/* What direct I/O must be aligned to: found by trying. */
static bool find_alignment(BlockImage *image, Error **errp)
{
    uint32_t page = qemu_real_host_page_size();
    uint8_t *memory;

    image->alignment = 1;
    image->mem_alignment = 1;
    if (!image->direct) {
        return true;
    }
    memory = aligned_alloc(page, 2 * page);
    image->alignment = find_readable(image, memory, page);
    image->mem_alignment = find_readable(image, memory + BLOCK_SECTOR, page)
                           ? BLOCK_SECTOR : page;
    if (!image->alignment) {
        error_setg_errno(errp, errno, "'%s' cannot be read directly",
                         image->filename);
    }
    free(memory);
    return image->alignment;
}

/* The engine of that name, or the best that works. */
static const BlockEngine *choose_engine(const char *name, Error **errp)
{
    Error *err = NULL;

    for (const BlockEngine *const *e = block_engines; *e; e++) {
        if (name && strcmp(name, (*e)->name) != 0) {
            continue;
        }
        error_free(err);
        err = NULL;
        if ((*e)->start(block_context_main(), &err)) {
            return *e;
        }
    }
    if (err) {
        error_propagate(errp, err);
    } else {
        error_setg(errp, "aio=%s: not supported by this build; threads is",
                   name);
    }
    return NULL;
}

BlockImage *block_image_open(const BlockImageOptions *o, Error **errp)
{
    BlockImage *image;

    if (!qemu_may_open(errp)) {
        return NULL;
    }
    sandbox_need(SANDBOX_DISK);
    image = g_new0(BlockImage, 1);
    image->fd = -1;
    image->filename = g_strdup(o->filename);
    image->is_device = o->is_device;
    image->direct = o->direct;
    image->engine = choose_engine(o->aio, errp);
    if (image->engine && open_image(image, o, errp) &&
        check_kind(image, errp) && make_blocking(image, errp) &&
        (!o->lock || o->force_share || lock_image(image, errp)) &&
        find_size(image, errp) && find_alignment(image, errp)) {
        return image;
    }
    block_image_close(image);
    return NULL;
}

BlockImage *block_image_open_nvme(const char *address, uint32_t nsid,
                                  bool read_only, Error **errp)
{
    NVMe *nvme = qemu_may_open(errp) ? nvme_open(address, nsid, errp) : NULL;
    BlockImage *image;

    if (!nvme) {
        return NULL;
    }
    image = g_new0(BlockImage, 1);
    image->fd = -1;
    image->nvme = nvme;
    image->filename = g_strdup_printf("nvme://%s/%u", address, nsid);
    image->read_only = read_only;
    image->direct = true;
    image->alignment = 1U << nvme->block_bits;
    image->mem_alignment = 1;             /* it copies what it has to */
    image->size = nvme_size(nvme);
    image->engine = &block_engine_nvme;
    return image;
}

void block_image_close(BlockImage *image)
{
    if (image->nvme) {
        nvme_close(image->nvme);
    }
    if (image->fd >= 0) {
        close(image->fd);                 /* and its locks */
    }
    g_free(image->filename);
    g_free(image);
}

/* --- size --- */

bool block_image_resize(BlockImage *image, uint64_t size, Error **errp)
{
    if (image->nvme) {
        error_setg(errp, "the size of '%s' cannot change", image->filename);
        return false;
    }
    if (image->is_device) {
        if (!find_size(image, errp)) {
            return false;
        }
        if (size > image->size) {
            error_setg(errp, "size %" PRIu64 ": '%s' has %" PRIu64 " bytes, "
                       "and only the host can change that", size,
                       image->filename, image->size);
            return false;
        }
        return true;
    }
    if (size > INT64_MAX || ftruncate(image->fd, size) < 0) {
        error_setg_errno(errp, size > INT64_MAX ? EFBIG : errno,
                         "cannot make '%s' %" PRIu64 " bytes long",
                         image->filename, size);
        return false;
    }
    image->size = size;
    return true;
}

uint64_t block_image_allocated(const BlockImage *image)
{
    struct stat st;

    if (image->nvme) {
        return image->size;
    }
    return fstat(image->fd, &st) == 0 ? (uint64_t)st.st_blocks * 512 : 0;
}
