/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the client has mapped for the test device. Mappings never overlap, so
 * that a search by range finds the one that is there. There may be very many:
 * a file is kept open once for all mappings of it, and none is mapped into this
 * process until dma.c needs it.
 */
#include "qemu/osdep.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "testdev.h"

static gint mapping_compare(gconstpointer a, gconstpointer b, gpointer data)
{
    const TestDevMapping *x = a, *y = b;

    return x->last < y->iova ? -1 : x->iova > y->last;
}

/* --- files --- */

static void file_unref(TestDevMemory *mem, TestDevFile *file)
{
    if (file && --file->users == 0) {
        close(file->fd);
        g_ptr_array_remove_fast(mem->files, file);
        g_free(file);
    }
}

/* Takes over @fd. */
static TestDevFile *file_ref(TestDevMemory *mem, int fd, const struct stat *st)
{
    int mode = fcntl(fd, F_GETFL) & O_ACCMODE;
    TestDevFile *file;

    for (guint i = 0; i < mem->files->len; i++) {
        file = g_ptr_array_index(mem->files, i);
        if (file->dev == st->st_dev && file->ino == st->st_ino &&
            file->mode == mode) {
            close(fd);
            file->users++;
            return file;
        }
    }
    file = g_new(TestDevFile, 1);
    *file = (TestDevFile) { fd, st->st_dev, st->st_ino, mode, 1 };
    g_ptr_array_add(mem->files, file);
    return file;
}

/* An access beyond its end would kill us. */
static bool file_has(int fd, uint64_t end, struct stat *st)
{
    return fstat(fd, st) == 0 && (uint64_t)st->st_size >= end;
}

/* --- mappings --- */

void testdev_memory_init(TestDevMemory *mem)
{
    mem->mappings = g_tree_new_full(mapping_compare, NULL, NULL, g_free);
    mem->files = g_ptr_array_new();
    mem->bytes = 0;
}

static gboolean mapping_forget_file(gpointer key, gpointer value, gpointer data)
{
    file_unref(data, ((TestDevMapping *)value)->file);
    return false;
}

void testdev_memory_clear(TestDevMemory *mem)
{
    testdev_memory_destroy(mem);
    testdev_memory_init(mem);
}

void testdev_memory_destroy(TestDevMemory *mem)
{
    g_tree_foreach(mem->mappings, mapping_forget_file, mem);
    g_tree_destroy(mem->mappings);
    g_ptr_array_unref(mem->files);
}

int testdev_memory_map(TestDevMemory *mem, const VFIOUserDMAMap *map, int fd)
{
    g_autofree TestDevMapping *mapping = g_new0(TestDevMapping, 1);
    struct stat st;
    int ret = 0;

    mapping->iova = map->address;
    mapping->last = map->address + (map->size - 1);
    mapping->flags = map->flags;
    mapping->offset = map->offset;
    if (g_tree_lookup(mem->mappings, mapping)) {
        ret = -EEXIST;
    } else if (fd >= 0 && !file_has(fd, map->offset + map->size, &st)) {
        ret = -EINVAL;
    }
    if (ret) {
        if (fd >= 0) {
            close(fd);
        }
        return ret;
    }
    if (fd >= 0) {
        mapping->file = file_ref(mem, fd, &st);
    }
    mem->bytes += map->size;
    g_tree_insert(mem->mappings, mapping, mapping);
    g_steal_pointer(&mapping);
    return 0;
}

int testdev_memory_unmap(TestDevMemory *mem, const VFIOUserDMAUnmap *unmap)
{
    const TestDevMapping key = {
        .iova = unmap->address,
        .last = unmap->address + (unmap->size - 1),
    };
    TestDevMapping *mapping = g_tree_lookup(mem->mappings, &key);

    if (!mapping) {
        return -ENOENT;
    }
    if (mapping->iova != key.iova || mapping->last != key.last) {
        return -EINVAL;
    }
    mem->bytes -= unmap->size;
    file_unref(mem, mapping->file);
    g_tree_remove(mem->mappings, &key);
    return 0;
}

const TestDevMapping *testdev_memory_find(TestDevMemory *mem, uint64_t iova)
{
    const TestDevMapping key = { .iova = iova, .last = iova };

    return g_tree_lookup(mem->mappings, &key);
}

bool testdev_memory_cut(TestDevMemory *mem)
{
    bool any = false;

    for (guint i = 0; i < mem->files->len; i++) {
        const TestDevFile *file = g_ptr_array_index(mem->files, i);

        any |= ftruncate(file->fd, 0) == 0;
    }
    return any;
}
