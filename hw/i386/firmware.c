/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loading and placing a PC's firmware (firmware.h). The file is read
 * once: what is in ROM stays as it is, whatever becomes of the file.
 */
#include "qemu/osdep.h"

#include "firmware.h"
#include "hw/qdev-properties.h"
#include "hw/sysbus.h"
#include "qapi/error.h"
#include "qemu/cutils.h"
#include "qemu/regular-file.h"
#include "qemu/units.h"

#define ROM_END (4 * GiB)
#define ROM_UNIT (64 * KiB)
#define ROM_PAGE (4 * KiB)
#define SHADOW_MAX (128 * KiB)
#define SHADOW_END MiB

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

/* What is empty is left alone, and the host need not back it. */
static void fill_rom(uint8_t *rom, const uint8_t *data, size_t size)
{
    for (size_t at = 0; at < size; at += ROM_PAGE) {
        if (!buffer_is_zero(data + at, ROM_PAGE)) {
            memcpy(rom + at, data + at, ROM_PAGE);
        }
    }
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
    fill_rom(memory_region_get_ram_ptr(&fw->rom), data, size);
    memory_region_set_readonly(&fw->rom, true);
    memory_region_add_subregion(memory, ROM_END - size, &fw->rom);
    shadow = MIN(size, SHADOW_MAX);
    memory_region_init_alias(&fw->shadow, owner, "isa-bios", &fw->rom,
                             size - shadow, shadow);
    memory_region_add_subregion(pci, SHADOW_END - shadow, &fw->shadow);
    return true;
}

/* --- flash --- */

/* Chip @n, whose image is called @drive; NULL: *errp. */
static PFlashCFI01 *new_chip(Object *owner, unsigned n, const char *drive,
                             Error **errp)
{
    ERRP_GUARD();
    g_autofree char *name = g_strdup_printf("system.flash%u", n);
    DeviceState *dev = qdev_new(TYPE_PFLASH_CFI01);

    object_property_add_child(owner, name, OBJECT(dev));
    object_property_set_str(OBJECT(dev), "drive", drive, &error_abort);
    if (!sysbus_realize_and_unref(SYS_BUS_DEVICE(dev), errp)) {
        error_prepend(errp, "pflash%u: ", n);
        return NULL;
    }
    return PFLASH_CFI01(dev);
}

/* A copy: a write there is no command to the chip. */
static bool shadow_flash(X86Firmware *fw, Object *owner, PFlashCFI01 *chip,
                         MemoryRegion *pci, Error **errp)
{
    uint64_t size = memory_region_size(pflash_cfi01_get_memory(chip));
    uint64_t shadow = MIN(size, SHADOW_MAX);

    if (!memory_region_init_ram(&fw->shadow, owner, "isa-bios", shadow, errp)) {
        return false;
    }
    memcpy(memory_region_get_ram_ptr(&fw->shadow),
           pflash_cfi01_bytes(chip, size - shadow), shadow);
    memory_region_set_readonly(&fw->shadow, true);
    memory_region_add_subregion(pci, SHADOW_END - shadow, &fw->shadow);
    return true;
}

bool x86_firmware_init_flash(X86Firmware *fw, Object *owner,
                             char *const drives[X86_FLASH_CHIPS],
                             MemoryRegion *memory, MemoryRegion *pci,
                             Error **errp)
{
    uint64_t end = ROM_END;

    for (unsigned n = 0; n < X86_FLASH_CHIPS && drives[n]; n++) {
        PFlashCFI01 *chip = new_chip(owner, n, drives[n], errp);
        uint64_t size;

        if (!chip) {
            return false;
        }
        size = memory_region_size(pflash_cfi01_get_memory(chip));
        if (size > X86_FIRMWARE_MAX - (ROM_END - end)) {
            error_setg(errp, "pflash%u: flash has at most %" PRIu64 " bytes in "
                       "all, drive '%s' alone has %" PRIu64, n,
                       (uint64_t)X86_FIRMWARE_MAX, drives[n], size);
            return false;
        }
        end -= size;
        memory_region_add_subregion(memory, end, pflash_cfi01_get_memory(chip));
        if (n == 0 && !shadow_flash(fw, owner, chip, pci, errp)) {
            return false;
        }
    }
    return true;
}
