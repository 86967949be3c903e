/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Disks of the command line: -blockdev, -drive, and -pflash, -hda to -hdd and -cdrom,
 * which are short for it. -drive says things of three kinds: of the image, of the backend,
 * and, with if=virtio, of a device that is made for it; with if=pflash the machine
 * has one. Cache modes are QEMU's. A CD is a disk that is read-only.
 */
#include "qemu/osdep.h"

#include "block/block.h"
#include "qdev-monitor.h"
#include "qemu/cutils.h"
#include "qemu/keyval.h"
#include "vl-internal.h"

/* --- cache= --- */

static const struct {
    const char *name;
    bool direct;
    bool no_flush;
    bool write_cache;                     /* the guest has to flush */
} cache_modes[] = {
    { "none", true, false, true },
    { "directsync", true, false, false },
    { "writeback", false, false, true },
    { "writethrough", false, false, false },
    { "unsafe", false, true, true },
};

/* Replaces cache=MODE by what it stands for. */
static bool expand_cache(JsonObject *o, Error **errp)
{
    const char *mode = json_object_get_string_member_with_default(o, "cache",
                                                                  NULL);

    for (size_t i = 0; mode && i < ARRAY_SIZE(cache_modes); i++) {
        if (strcmp(cache_modes[i].name, mode) == 0) {
            json_object_remove_member(o, "cache");
            json_object_set_boolean_member(o, "cache.direct",
                                           cache_modes[i].direct);
            json_object_set_boolean_member(o, "cache.no-flush",
                                           cache_modes[i].no_flush);
            json_object_set_boolean_member(o, "write-cache",
                                           cache_modes[i].write_cache);
            return true;
        }
    }
    if (mode) {
        error_setg(errp, "cache=%s: expected is none, writeback, "
                   "writethrough, directsync or unsafe", mode);
    }
    return !mode;
}

/* --- the image --- */

#define NVME_SCHEME "nvme://"
/* What QEMU's -drive calls a disk without an image: writes go nowhere. */
#define NO_FILE "null-co://"

/* Names of -drive for options of nodes. */
static const char *const renamed[][2] = {
    { "readonly", "read-only" },
    { "file", "file.filename" },
    { "aio", "file.aio" },
    { "file.locking", "file.locking" },
};

static void rename_member(JsonObject *o, const char *from, const char *to)
{
    JsonNode *node = json_object_dup_member(o, from);

    if (node) {
        json_object_remove_member(o, from);
        json_object_set_member(o, to, node);
    }
}

/* A file that is open already may be anything; most are files. */
static bool is_device(const char *file)
{
    return g_str_has_prefix(file, "/dev/") &&
           !g_str_has_prefix(file, "/dev/fdset/");
}

/* @where: ADDRESS/NAMESPACE. What is wrong with them the driver says. */
static void expand_nvme(JsonObject *o, const char *where)
{
    g_auto(GStrv) parts = g_strsplit(where, "/", 2);

    json_object_set_string_member(o, "file.driver", "nvme");
    json_object_set_string_member(o, "file.device", parts[0] ?: "");
    if (parts[0] && parts[1]) {
        json_object_set_string_member(o, "file.namespace", parts[1]);
    }
    json_object_remove_member(o, "file");
}

/* Of an image by its name and of one by options of its node. */
static const char *file_of(JsonObject *o)
{
    return json_object_get_string_member_with_default(
        o, "file", json_object_get_string_member_with_default(
                       o, "file.filename", NULL));
}

static void expand_image(JsonObject *o)
{
    g_autofree char *format = g_strdup(
        json_object_get_string_member_with_default(
            o, "format", json_object_get_string_member_with_default(o, "driver",
                                                                    "raw")));
    const char *file = json_object_get_string_member_with_default(o, "file",
                                                                  NULL);

    json_object_set_string_member(o, "driver", format);
    json_object_remove_member(o, "format");
    if (file && g_str_has_prefix(file, NVME_SCHEME)) {
        expand_nvme(o, file + strlen(NVME_SCHEME));
    } else if (file && !strcmp(file, NO_FILE)) {
        json_object_set_string_member(o, "file.driver", "null-co");
        json_object_remove_member(o, "file");
    } else if (file && vl_expand_disk_name(o, file)) {
        json_object_remove_member(o, "file");
    }
    for (size_t i = 0; i < ARRAY_SIZE(renamed); i++) {
        rename_member(o, renamed[i][0], renamed[i][1]);
    }
    file = file_of(o);
    if (file && !json_object_has_member(o, "file.driver")) {
        json_object_set_string_member(o, "file.driver",
                                      is_device(file) ? "host_device" : "file");
    }
}

/* Nobody means another format than the one that the image has. */
static bool check_format(JsonObject *o, Error **errp)
{
    const char *file = file_of(o);
    const char *format = NULL;

    if (json_object_has_member(o, "format") &&
        json_object_has_member(o, "driver")) {
        error_setg(errp, "'format' and 'driver' are the same: one of them will do");
        return false;
    }
    if (file && !json_object_has_member(o, "format") &&
        !json_object_has_member(o, "driver") && !is_device(file)) {
        format = block_recognise_format(file);
    }
    if (format) {
        error_setg(errp, "'%s' is a %s image: -drive file=FILE,format=%s opens it "
                   "as one, format=raw as it is", file, format, format);
    }
    return !format;
}

/* --- the device --- */

/* media=: an image of a CD is one that is read only. */
static bool expand_media(JsonObject *o, Error **errp)
{
    const char *media = json_object_get_string_member_with_default(o, "media",
                                                                   "disk");
    const char *readonly = json_object_get_string_member_with_default(
        o, "readonly", "on");
    bool cdrom = !strcmp(media, "cdrom"), is_on = true;

    if (!cdrom && strcmp(media, "disk") != 0) {
        error_setg(errp, "media=%s: expected is disk or cdrom", media);
        return false;
    }
    if (cdrom && (!qemu_parse_bool(readonly, &is_on) || !is_on)) {
        error_setg(errp, "readonly=%s: media=cdrom is read only, readonly=on",
                   readonly);
        return false;
    }
    if (cdrom) {
        json_object_set_string_member(o, "readonly", "on");
        json_object_set_boolean_member(o, "cdrom", true);
    }
    json_object_remove_member(o, "media");
    return true;
}

/* Takes the words that are not about the image. *interface: to be freed. */
static bool take_interface(JsonObject *o, char **interface, Error **errp)
{
    const char *name = json_object_get_string_member_with_default(o, "if",
                                                                  "virtio");

    if (strcmp(name, "virtio") != 0 && strcmp(name, "none") != 0 &&
        strcmp(name, "pflash") != 0) {
        error_setg(errp, "if=%s: not supported by sparsevm; what is: virtio, "
                   "pflash for firmware, and none for a -device of its own",
                   name);
        return false;
    }
    *interface = g_strdup(name);
    json_object_remove_member(o, "if");
    return true;
}

/* Makes the drive @id the machine's flash chip index= or unit=, or the next one. */
static bool use_as_flash(const char *id, const char *index, Error **errp)
{
    static unsigned int next;
    g_autofree char *number = index ? g_strdup(index)
                                    : g_strdup_printf("%u", next);
    g_autofree char *property = g_strconcat("pflash", number, NULL);

    next++;
    if (!object_property_find(OBJECT(current_machine), property)) {
        error_setg(errp, "if=pflash: the machine has no %s", property);
        return false;
    }
    return object_property_set_str(OBJECT(current_machine), property, id, errp);
}

/* The text of @name, which is taken out; NULL: none. */
static char *take_text(JsonObject *o, const char *name)
{
    char *text = g_strdup(json_object_get_string_member_with_default(o, name,
                                                                     NULL));

    json_object_remove_member(o, name);
    return text;
}

static bool add_device(const char *drive, Error **errp)
{
    g_autoptr(JsonObject) o = json_object_new();

    json_object_set_string_member(o, "driver", "virtio-blk-pci");
    json_object_set_string_member(o, "drive", drive);
    return qdev_device_add_from_json(o, true, errp) != NULL;
}

/* The id that was given, or one of those that QEMU gives. */
static const char *name_drive(JsonObject *o, const char *interface)
{
    static unsigned int number[3];
    unsigned int kind = !strcmp(interface, "none") ? 0
                        : !strcmp(interface, "pflash") ? 1 : 2;

    if (!json_object_has_member(o, "id")) {
        g_autofree char *id = g_strdup_printf("%s%u", interface,
                                              number[kind]++);

        json_object_set_string_member(o, "id", id);
    }
    return json_object_get_string_member(o, "id");
}

/* A drive of the host is this process's alone. */
static bool throttle(JsonObject **o, const char *id, Error **errp)
{
    if (vl_drive_is_throttled(*o) && block_options_need_memory(*o)) {
        error_setg(errp, "throttling: " NVME_SCHEME " cannot be held back");
        return false;
    }
    return vl_expand_throttling(o, id, errp);
}

/* --- for vl.c --- */

/* What has to wait for guest memory, with all that comes after it, of which some
 * may be about it. Elements are the arguments, which are the VlConfig's. */
typedef struct Late {
    GPtrArray *blockdevs;
    GPtrArray *drives;
    GPtrArray *disks;
    GPtrArray *cdroms;
    bool now;                             /* there is memory */
} Late;
static Late late;

/* Whether it is too early for @o, of @arg; then it is in @list. */
static bool is_early(JsonObject *o, const char *arg, GPtrArray *list)
{
    if (late.now || (!list->len && !block_options_need_memory(o))) {
        return false;
    }
    g_ptr_array_add(list, (char *)arg);
    return true;
}

static bool create_blockdev(const char *arg, void *opaque, Error **errp)
{
    bool keyval;
    g_autoptr(JsonObject) o = vl_parse_keyval(arg, "driver", &keyval, NULL,
                                              errp);

    return o && (is_early(o, arg, late.blockdevs) || block_node_add(o, errp));
}

/* @opaque: of -drive that want a device, the ids (char *). */
static bool create_drive(const char *arg, void *opaque, Error **errp)
{
    g_autoptr(JsonObject) o = keyval_parse(arg, "file", NULL, errp);
    g_autofree char *interface = NULL, *index = NULL;
    const char *id, *file;

    if (!o || !expand_media(o, errp) ||
        !take_interface(o, &interface, errp) ||
        !expand_cache(o, errp) || !check_format(o, errp)) {
        return false;
    }
    index = take_text(o, "index") ?: take_text(o, "unit");
    expand_image(o);
    file = json_object_get_string_member_with_default(o, "file.filename", "");
    if (!vl_check_disk_name(file, errp)) {
        return false;
    }
    /* The board's chips do not wait for other drives. */
    if (strcmp(interface, "pflash") != 0 && is_early(o, arg, late.drives)) {
        return true;
    }
    id = name_drive(o, interface);
    if (!throttle(&o, id, errp)) {
        return false;
    }
    id = json_object_get_string_member(o, "id");
    if (strcmp(interface, "virtio") == 0) {
        g_ptr_array_add(opaque, g_strdup(id));
    }
    if (strcmp(interface, "pflash") == 0 && !use_as_flash(id, index, errp)) {
        return false;
    }
    return block_drive_add(o, errp);
}

/* What -drive says of the file @name, whatever is in that. */
static char *drive_of_file(const char *name, const char *more)
{
    g_auto(GStrv) parts = g_strsplit(name, ",", -1);
    g_autofree char *escaped = g_strjoinv(",,", parts);

    return g_strconcat("file=", escaped, more, NULL);
}

static bool create_flash(const char *arg, void *opaque, Error **errp)
{
    g_autofree char *drive = drive_of_file(arg, ",format=raw,if=pflash");

    return create_drive(drive, opaque, errp);
}

static bool create_of_file(const char *arg, const char *more, GPtrArray *early,
                           void *opaque, Error **errp)
{
    g_autofree char *drive = drive_of_file(arg, more);

    /* Its place among the drives is behind them. */
    if (late.drives->len && !late.now) {
        g_ptr_array_add(early, (char *)arg);
        return true;
    }
    return create_drive(drive, opaque, errp);
}

static bool create_disk(const char *arg, void *opaque, Error **errp)
{
    return create_of_file(arg, "", late.disks, opaque, errp);
}

static bool create_cdrom(const char *arg, void *opaque, Error **errp)
{
    return create_of_file(arg, ",media=cdrom", late.cdroms, opaque, errp);
}

static GPtrArray *drives_to_plug;

/* Whether what @arg is about would be another process's. */
static bool blockdev_needs_sharing(const char *arg)
{
    bool keyval;
    g_autoptr(JsonObject) o = vl_parse_keyval(arg, "driver", &keyval, NULL,
                                              NULL);

    return o && block_options_need_sharing(o);
}

static bool drive_needs_sharing(const char *arg)
{
    g_autoptr(JsonObject) o = keyval_parse(arg, "file", NULL, NULL);

    if (!o || vl_drive_is_throttled(o)) {
        return o;
    }
    expand_image(o);
    return block_options_need_sharing(o);
}

bool vl_block_needs_sharing(const VlConfig *cfg)
{
    bool needs = false;

    for (guint i = 0; i < cfg->blockdevs->len; i++) {
        needs |= blockdev_needs_sharing(cfg->blockdevs->pdata[i]);
    }
    for (guint i = 0; i < cfg->drives->len; i++) {
        needs |= drive_needs_sharing(cfg->drives->pdata[i]);
    }
    return needs;
}

unsigned vl_block_nr_drives(const VlConfig *cfg)
{
    unsigned nr = 0;

    for (guint i = 0; i < cfg->blockdevs->len; i++) {
        bool keyval;
        g_autoptr(JsonObject) o = vl_parse_keyval(cfg->blockdevs->pdata[i],
                                                  "driver", &keyval, NULL, NULL);

        nr += o && block_options_need_memory(o);
    }
    for (guint i = 0; i < cfg->drives->len; i++) {
        g_autoptr(JsonObject) o = keyval_parse(cfg->drives->pdata[i], "file",
                                               NULL, NULL);

        if (o) {
            expand_image(o);
        }
        nr += o && block_options_need_memory(o);
    }
    return nr;
}

static bool create_all(GPtrArray *blockdevs, GPtrArray *drives,
                       GPtrArray *disks, GPtrArray *cdroms, Error **errp)
{
    return vl_foreach("blockdev", blockdevs, create_blockdev, NULL, errp) &&
           vl_foreach("drive", drives, create_drive, drives_to_plug, errp) &&
           vl_foreach("hda", disks, create_disk, drives_to_plug, errp) &&
           vl_foreach("cdrom", cdroms, create_cdrom, drives_to_plug, errp);
}

bool vl_create_block(const VlConfig *cfg, Error **errp)
{
    drives_to_plug = g_ptr_array_new_with_free_func(g_free);
    late = (Late) { g_ptr_array_new(), g_ptr_array_new(), g_ptr_array_new(),
                    g_ptr_array_new(), false };
    block_init();
    return create_all(cfg->blockdevs, cfg->drives, cfg->disks, cfg->cdroms,
                      errp) &&
           vl_foreach("pflash", cfg->pflashes, create_flash, NULL, errp);
}

bool vl_create_late_block(Error **errp)
{
    bool ok;

    late.now = true;
    ok = create_all(late.blockdevs, late.drives, late.disks, late.cdroms, errp);
    g_clear_pointer(&late.blockdevs, g_ptr_array_unref);
    g_clear_pointer(&late.drives, g_ptr_array_unref);
    g_clear_pointer(&late.disks, g_ptr_array_unref);
    g_clear_pointer(&late.cdroms, g_ptr_array_unref);
    return ok;
}

bool vl_create_drive_devices(Error **errp)
{
    bool ok = true;

    for (guint i = 0; ok && i < drives_to_plug->len; i++) {
        ok = add_device(drives_to_plug->pdata[i], errp);
    }
    g_clear_pointer(&drives_to_plug, g_ptr_array_unref);
    return ok;
}
