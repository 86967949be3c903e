/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -boot, -fw_cfg, -option-rom and -smbios: what firmware, and whoever else reads the firmware
 * configuration device, is told. All are stored in the machine; its board
 * passes them on. And -L: where firmware itself is found.
 */
#include "qemu/osdep.h"

#include "hw/firmware/smbios.h"
#include "qemu/cutils.h"
#include "qemu/datadir.h"
#include "qemu/error-report.h"
#include "qemu/keyval.h"
#include "qemu/regular-file.h"
#include "qemu/units.h"
#include "sysemu/sysemu.h"
#include "vl-internal.h"

/* They are kept in memory; bytes. */
#define FIRMWARE_FILE_MAX (64 * MiB)

/* --- -boot --- */

/* @value as a number from @min to @max; false: *errp. */
static bool parse_number(const char *name, const char *value, int64_t min,
                         int64_t max, int64_t *number, Error **errp)
{
    if (qemu_strtoi64(value, NULL, 0, number) || *number < min ||
        *number > max) {
        error_setg(errp, "%s=%s: a number from %" PRId64 " to %" PRId64
                   " is expected", name, value, min, max);
        return false;
    }
    return true;
}

/* What a PC's firmware knows: floppy disks, hard disk, CD, network. */
static bool set_order(const char *name, const char *value, char **order,
                      Error **errp)
{
    for (const char *c = value; *c; c++) {
        if (!strchr("abcdn", *c) || strchr(c + 1, *c)) {
            error_setg(errp, "%s=%s: letters out of abcdn are expected, each "
                       "once", name, value);
            return false;
        }
    }
    if (strlen(value) > BOOT_ORDER_MAX) {
        error_setg(errp, "%s=%s: at most %d letters are expected", name, value,
                   BOOT_ORDER_MAX);
        return false;
    }
    g_free(*order);
    *order = g_strdup(value);
    return true;
}

static bool set_switch(const char *name, const char *value, bool *on,
                       Error **errp)
{
    if (!qemu_parse_bool(value, on)) {
        error_setg(errp, "%s=%s: on or off is expected", name, value);
        return false;
    }
    return true;
}

static bool set_boot_member(const char *name, const char *value, Error **errp)
{
    BootConfiguration *boot = &current_machine->boot_config;
    int64_t n;

    if (!strcmp(name, "order")) {
        return set_order(name, value, &boot->order, errp);
    }
    if (!strcmp(name, "once")) {
        return set_order(name, value, &boot->once, errp);
    }
    if (!strcmp(name, "menu")) {
        return set_switch(name, value, &boot->menu, errp);
    }
    if (!strcmp(name, "strict")) {
        return set_switch(name, value, &boot->strict, errp);
    }
    if (!strcmp(name, "splash-time")) {
        boot->has_splash_time = true;
        return parse_number(name, value, 0, UINT16_MAX, &n, errp) &&
               (boot->splash_time = n, true);
    }
    if (!strcmp(name, "reboot-timeout")) {
        return parse_number(name, value, -1, UINT16_MAX, &n, errp) &&
               (boot->reboot_timeout = n, true);
    }
    error_setg(errp, "Invalid parameter '%s'; what there is: order, once, "
               "menu, splash-time, reboot-timeout, strict", name);
    return false;
}

static bool apply_boot(const char *arg, void *opaque, Error **errp)
{
    g_autoptr(JsonObject) opts = keyval_parse(arg, "order", NULL, errp);
    JsonObjectIter iter;
    const char *name;
    JsonNode *node;

    if (!opts) {
        return false;
    }
    json_object_iter_init(&iter, opts);
    while (json_object_iter_next(&iter, &name, &node)) {
        if (!set_boot_member(name, json_node_get_string(node), errp)) {
            return false;
        }
    }
    return true;
}

/* --- -fw_cfg --- */

static const char *get_text(JsonObject *opts, const char *name)
{
    return json_object_get_string_member_with_default(opts, name, NULL);
}

static bool check_file_options(JsonObject *opts, Error **errp)
{
    const char *name = get_text(opts, "name");
    bool has_string = json_object_has_member(opts, "string");
    bool has_file = json_object_has_member(opts, "file");
    unsigned known = (name ? 1 : 0) + has_string + has_file;

    if (!name || !*name || has_string == has_file ||
        json_object_get_size(opts) != known) {
        error_setg(errp, "name=NAME and one of file=FILE and string=TEXT are "
                   "expected");
        return false;
    }
    return true;
}

static bool check_fw_cfg_device(Error **errp)
{
    if (!MACHINE_GET_CLASS(current_machine)->has_fw_cfg) {
        error_setg(errp, "this machine has no fw_cfg device");
        return false;
    }
    return true;
}

/* Takes the name and the contents. */
static void add_file(const char *option, char *name, GBytes *contents)
{
    FirmwareFile *file = g_new(FirmwareFile, 1);

    *file = (FirmwareFile) { option, name, contents };
    g_ptr_array_add(current_machine->firmware_files, file);
}

static bool apply_fw_cfg(const char *arg, void *opaque, Error **errp)
{
    g_autoptr(JsonObject) opts = keyval_parse(arg, "name", NULL, errp);
    const char *name, *text;
    GBytes *contents;

    if (!opts || !check_file_options(opts, errp) ||
        !check_fw_cfg_device(errp)) {
        return false;
    }
    name = get_text(opts, "name");
    text = get_text(opts, "string");
    contents = text ? g_bytes_new(text, strlen(text))
                    : regular_file_read(get_text(opts, "file"),
                                        FIRMWARE_FILE_MAX, errp);
    if (!contents) {
        return false;
    }
    if (!g_str_has_prefix(name, "opt/")) {
        warn_report("names of fw_cfg files that users add should begin with "
                    "\"opt/\"");
    }
    add_file("fw_cfg", g_strdup(name), contents);
    return true;
}

/* --- -option-rom --- */

/* SeaBIOS runs what is in this folder, after the ROMs of devices. */
#define GENERIC_ROMS "genroms/"
#define OPTION_ROM_MAX (16 * MiB)

static bool apply_option_rom(const char *arg, void *opaque, Error **errp)
{
    g_autoptr(JsonObject) opts = keyval_parse(arg, "romfile", NULL, errp);
    const char *name = opts ? get_text(opts, "romfile") : NULL;
    g_autofree char *path = NULL, *base = NULL;
    GBytes *contents;

    if (!opts || !check_fw_cfg_device(errp)) {
        return false;
    }
    if (!name || !*name || json_object_get_size(opts) != 1) {
        error_setg(errp, "[romfile=]FILE is expected, and nothing else");
        return false;
    }
    path = qemu_find_file(name);
    contents = regular_file_read(path ? path : name, OPTION_ROM_MAX, errp);
    if (!contents) {
        return false;
    }
    if (!g_bytes_get_size(contents)) {
        error_setg(errp, "the file is empty");
        g_bytes_unref(contents);
        return false;
    }
    base = g_path_get_basename(name);
    add_file("option-rom", g_strconcat(GENERIC_ROMS, base, NULL), contents);
    return true;
}

/* --- -smbios --- */

/* Its UUID is the guest's, as if -uuid had said so. */
static bool apply_smbios(const char *arg, void *opaque, Error **errp)
{
    g_autofree char *uuid = NULL;

    return check_fw_cfg_device(errp) &&
           smbios_entry_add(&current_machine->smbios, arg, &uuid, errp) &&
           (!uuid || qemu_set_vm_uuid(uuid, errp));
}

/* --- -L --- */

/* As in QEMU it may come to be later, or hold nothing of use; a word about a
 * directory that was mistyped is due all the same. */
static bool apply_data_dir(const char *arg, void *opaque, Error **errp)
{
    if (!g_file_test(arg, G_FILE_TEST_IS_DIR)) {
        warn_report("there is no such directory");
    }
    qemu_add_data_dir(arg);
    return true;
}

/* --- all of them --- */

bool vl_configure_firmware(const VlConfig *cfg, Error **errp)
{
    current_machine->boot_config.no_floppy_check = cfg->no_fd_bootchk;
    return vl_foreach("L", cfg->data_dirs, apply_data_dir, NULL, errp) &&
           vl_foreach("boot", cfg->boots, apply_boot, NULL, errp) &&
           vl_foreach("fw_cfg", cfg->fw_cfgs, apply_fw_cfg, NULL, errp) &&
           vl_foreach("option-rom", cfg->option_roms, apply_option_rom, NULL,
                      errp) &&
           vl_foreach("smbios", cfg->smbios, apply_smbios, NULL, errp);
}
