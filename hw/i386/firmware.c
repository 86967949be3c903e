/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finding, loading and placing a PC's firmware (firmware.h). The file is read
 * once: what is in ROM stays as it is, whatever becomes of the file.
 */
#include "qemu/osdep.h"

#include "firmware.h"
#include "qapi/error.h"
#include "qemu/regular-file.h"
#include "qemu/units.h"

#define ROM_END (4 * GiB)
#define ROM_UNIT (64 * KiB)
#define SHADOW_MAX (128 * KiB)
#define SHADOW_END MiB

char *x86_firmware_find(const char *name)
{
    static const char *const dirs[] = {
        "/usr/share/seabios", "/usr/share/qemu", "/usr/share/OVMF",
        "/usr/share/ovmf",
    };

    if (g_file_test(name, G_FILE_TEST_EXISTS)) {
        return g_strdup(name);
    }
    for (size_t i = 0; !strchr(name, '/') && i < ARRAY_SIZE(dirs); i++) {
        g_autofree char *path = g_build_filename(dirs[i], name, NULL);

        if (g_file_test(path, G_FILE_TEST_EXISTS)) {
            return g_steal_pointer(&path);
        }
    }
    return NULL;
}

static GBytes *read_file(const char *path, Error **errp)
{
    ERRP_GUARD();
    GBytes *contents = regular_file_read(path, X86_FIRMWARE_MAX, errp);
    gsize size;

    if (!contents) {
        error_prepend(errp, "-bios ");
        return NULL;
    }
    size = g_bytes_get_size(contents);
    if (!size || size % ROM_UNIT) {
        error_setg(errp, "-bios %s: has %zu bytes; a multiple of %" PRIu64
                   ", at most %" PRIu64 ", is expected", path, size,
                   (uint64_t)ROM_UNIT, (uint64_t)X86_FIRMWARE_MAX);
        g_bytes_unref(contents);
        return NULL;
    }
    return contents;
}

bool x86_firmware_init(X86Firmware *fw, Object *owner, const char *path,
                       MemoryRegion *memory, MemoryRegion *pci, Error **errp)
{
    ERRP_GUARD();
    g_autoptr(GBytes) contents = read_file(path, errp);
    gsize size;
    const void *data = contents ? g_bytes_get_data(contents, &size) : NULL;
    uint64_t shadow;

    if (!data) {
        return false;
    }
    if (!memory_region_init_ram(&fw->rom, owner, "pc.bios", size, errp)) {
        error_prepend(errp, "-bios %s: ", path);
        return false;
    }
    memcpy(memory_region_get_ram_ptr(&fw->rom), data, size);
    memory_region_set_readonly(&fw->rom, true);
    memory_region_add_subregion(memory, ROM_END - size, &fw->rom);
    shadow = MIN(size, SHADOW_MAX);
    memory_region_init_alias(&fw->shadow, owner, "isa-bios", &fw->rom,
                             size - shadow, shadow);
    memory_region_add_subregion(pci, SHADOW_END - shadow, &fw->shadow);
    return true;
}
