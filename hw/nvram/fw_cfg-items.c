/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The items of the firmware configuration device, and the directory that gives
 * some of them names. A file gets the next key from FW_CFG_FILE_FIRST on, and
 * keeps it. Must be complete before the guest runs: it reads the directory once.
 */
#include "qemu/osdep.h"

#include "fw_cfg-internal.h"
#include "qapi/error.h"

static FWCfgItem *find_item(FWCfgState *s, uint16_t key)
{
    return g_hash_table_lookup(s->items, GUINT_TO_POINTER(key));
}

static FWCfgItem *add_item(FWCfgState *s, uint16_t key, size_t size)
{
    FWCfgItem *item = g_new0(FWCfgItem, 1);
    bool is_new = g_hash_table_insert(s->items, GUINT_TO_POINTER(key), item);

    g_assert(is_new && size <= UINT32_MAX);
    item->size = size;
    return item;
}

static void free_item(void *opaque)
{
    FWCfgItem *item = opaque;

    if (!item->written) {
        g_free(item->data);
    }
    g_free(item);
}

/* --- by key --- */

void fw_cfg_add_bytes(FWCfgState *s, uint16_t key, const void *data,
                      size_t len)
{
    FWCfgItem *item = add_item(s, key, len);

    item->data = g_memdup2(data, len);
}

void fw_cfg_add_i16(FWCfgState *s, uint16_t key, uint16_t value)
{
    value = GUINT16_TO_LE(value);
    fw_cfg_add_bytes(s, key, &value, sizeof(value));
}

void fw_cfg_add_i32(FWCfgState *s, uint16_t key, uint32_t value)
{
    value = GUINT32_TO_LE(value);
    fw_cfg_add_bytes(s, key, &value, sizeof(value));
}

void fw_cfg_add_i64(FWCfgState *s, uint16_t key, uint64_t value)
{
    value = GUINT64_TO_LE(value);
    fw_cfg_add_bytes(s, key, &value, sizeof(value));
}

/* --- by name --- */

/* The directory: a big-endian count, then an entry for each file. */
static struct fw_cfg_file *directory_entry(FWCfgState *s, unsigned n)
{
    FWCfgItem *directory = find_item(s, FW_CFG_FILE_DIR);

    return (struct fw_cfg_file *)(directory->data + sizeof(uint32_t)) + n;
}

static void grow_directory(FWCfgState *s)
{
    FWCfgItem *directory = find_item(s, FW_CFG_FILE_DIR);
    uint32_t count = GUINT32_TO_BE(++s->nr_files);

    directory->size = sizeof(count) + s->nr_files * sizeof(struct fw_cfg_file);
    directory->data = g_realloc(directory->data, directory->size);
    memcpy(directory->data, &count, sizeof(count));
}

/* Its number in the directory; -1: there is none. */
static int find_file(FWCfgState *s, const char *name)
{
    for (unsigned i = 0; i < s->nr_files; i++) {
        if (strcmp(directory_entry(s, i)->name, name) == 0) {
            return i;
        }
    }
    return -1;
}

static bool check_file(FWCfgState *s, const char *name, size_t len,
                       Error **errp)
{
    if (!*name || strlen(name) >= FW_CFG_MAX_FILE_PATH) {
        error_setg(errp, "fw_cfg file name '%s' has %zu characters; 1 to %d "
                   "are possible", name, strlen(name),
                   FW_CFG_MAX_FILE_PATH - 1);
        return false;
    }
    if (len > UINT32_MAX) {
        error_setg(errp, "fw_cfg file '%s' has %zu bytes; at most %u are "
                   "possible", name, len, UINT32_MAX);
        return false;
    }
    if (s->nr_files == FW_CFG_FILE_SLOTS) {
        error_setg(errp, "there is no room for fw_cfg file '%s': there are %d "
                   "already", name, FW_CFG_FILE_SLOTS);
        return false;
    }
    if (find_file(s, name) >= 0) {
        error_setg(errp, "there is a fw_cfg file '%s' already", name);
        return false;
    }
    return true;
}

/* The item of the new file; NULL: *errp. */
static FWCfgItem *add_file(FWCfgState *s, const char *name, size_t len,
                           Error **errp)
{
    unsigned n = s->nr_files;
    struct fw_cfg_file entry = {
        .size = GUINT32_TO_BE((uint32_t)len),
        .select = GUINT16_TO_BE(FW_CFG_FILE_FIRST + n),
    };

    if (!check_file(s, name, len, errp)) {
        return NULL;
    }
    g_strlcpy(entry.name, name, sizeof(entry.name));
    grow_directory(s);
    *directory_entry(s, n) = entry;
    return add_item(s, FW_CFG_FILE_FIRST + n, len);
}

bool fw_cfg_add_file(FWCfgState *s, const char *name, const void *data,
                     size_t len, Error **errp)
{
    FWCfgItem *item = add_file(s, name, len, errp);

    if (!item) {
        return false;
    }
    item->data = g_memdup2(data, len);
    return true;
}

void fw_cfg_modify_file(FWCfgState *s, const char *name, const void *data,
                        size_t len)
{
    int n = find_file(s, name);
    FWCfgItem *item;

    g_assert(n >= 0 && len <= UINT32_MAX);
    item = find_item(s, FW_CFG_FILE_FIRST + n);
    g_assert(!item->written);
    g_free(item->data);
    item->data = g_memdup2(data, len);
    item->size = len;
    directory_entry(s, n)->size = GUINT32_TO_BE((uint32_t)len);
}

bool fw_cfg_add_writable_file(FWCfgState *s, const char *name, void *data,
                              size_t len, FWCfgWritten *written, void *opaque,
                              Error **errp)
{
    FWCfgItem *item = add_file(s, name, len, errp);

    if (!item) {
        return false;
    }
    item->data = data;
    item->written = written;
    item->opaque = opaque;
    return true;
}

/* --- life --- */

void fw_cfg_items_init(FWCfgState *s)
{
    static const uint32_t no_files;

    s->items = g_hash_table_new_full(NULL, NULL, NULL, free_item);
    fw_cfg_add_bytes(s, FW_CFG_SIGNATURE, "QEMU", FW_CFG_SIG_SIZE);
    fw_cfg_add_i32(s, FW_CFG_ID, FW_CFG_VERSION | FW_CFG_VERSION_DMA);
    fw_cfg_add_bytes(s, FW_CFG_FILE_DIR, &no_files, sizeof(no_files));
}

void fw_cfg_items_free(FWCfgState *s)
{
    g_hash_table_unref(s->items);
}
