/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The firmware of a q35 machine (q35-firmware.h): the default, -bios or flash.
 * Where it is put is firmware.c's business.
 */
#include "qemu/osdep.h"

#include "acpi-loader.h"
#include "exec/address-spaces.h"
#include "fw_cfg.h"
#include "q35-firmware.h"
#include "qapi/error.h"
#include "qemu/datadir.h"
#include "sysemu/kvm.h"

bool q35_firmware_set_flash(Q35Firmware *fw, unsigned n, const char *drive,
                            Error **errp)
{
    if (fw->flash_drives[n] && *drive) {
        error_setg(errp, "pflash%u is '%s' already, and cannot be '%s'", n,
                   fw->flash_drives[n], drive);
        return false;
    }
    g_free(fw->flash_drives[n]);
    fw->flash_drives[n] = *drive ? g_strdup(drive) : NULL;
    return true;
}

static void check_flash(const Q35Firmware *fw, const MachineState *ms)
{
    if (fw->flash_drives[1] && !fw->flash_drives[0]) {
        error_setg(&error_fatal, "pflash1 is there, and pflash0 is missing, "
                   "which firmware begins in");
    }
    if (fw->flash_drives[0] && ms->firmware) {
        error_setg(&error_fatal, "-bios %s and pflash0 are both firmware: give "
                   "one", ms->firmware);
    }
}

/* A kernel needs none, and neither does a test program. */
void q35_firmware_choose(Q35Firmware *fw, const MachineState *ms)
{
    const char *name = ms->firmware;

    check_flash(fw, ms);
    if (!name && !fw->flash_drives[0] && !ms->kernel_filename && kvm_enabled()) {
        name = X86_FIRMWARE_DEFAULT;
    }
    fw->path = name ? qemu_find_file(name) : NULL;
    fw->present = fw->path || fw->flash_drives[0];
    if (!name || fw->path) {
        return;
    }
    if (!ms->firmware) {
        error_setg(&error_fatal, "there is neither -kernel nor -bios, and the "
                   "firmware %s is not installed: it comes with the package %s",
                   name, X86_FIRMWARE_PACKAGE);
    }
    error_setg(&error_fatal, "-bios %s: no such file, and none where firmware "
               "usually is", name);
}

void q35_firmware_map(Q35Firmware *fw, Object *owner, MemoryRegion *pci)
{
    if (fw->path) {
        x86_firmware_init(&fw->mapped, owner, fw->path, get_system_memory(),
                          pci, &error_fatal);
    } else {
        x86_firmware_init_flash(&fw->mapped, owner, fw->flash_drives,
                                get_system_memory(), pci, &error_fatal);
    }
}

/* What is in flash is no SeaBIOS, usually, and needs no option ROM. */
void q35_firmware_add_kernel(Q35Firmware *fw, const X86Boot *boot,
                             FWCfgState *s)
{
    x86_boot_add_items(boot, s, &error_fatal);
    if (fw->path) {
        fw->has_boot_rom = x86_boot_add_rom(s, &error_fatal);
    }
}

void q35_firmware_inform(const Q35Firmware *fw, FWCfgState *s, PCIBus *bus,
                         const char *order, bool strict,
                         const GByteArray *tables, uint64_t rsdp)
{
    size_t size;
    g_autofree char *paths = pci_boot_order(
        bus, fw->has_boot_rom ? X86_BOOT_ROM_PATH : NULL, order, strict, &size);

    acpi_loader_set_files(s, tables, rsdp);
    fw_cfg_modify_file(s, BOOT_ORDER_FILE, paths, size);
}

void q35_firmware_free(Q35Firmware *fw)
{
    g_free(fw->path);
    for (unsigned i = 0; i < X86_FLASH_CHIPS; i++) {
        g_free(fw->flash_drives[i]);
    }
}
