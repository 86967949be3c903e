/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -m: the size of boot RAM and the room left for memory devices. */
#include "qemu/osdep.h"
#include "hw/boards.h"
#include "qapi/error.h"
#include "qemu/cutils.h"
#include "qemu/units.h"

/* Of memory devices that need a slot each (DIMMs): QEMU's limit. */
#define MAX_RAM_SLOTS 256

/* RAM comes in pages of the guest: 4 KiB at least, 8 KiB as QEMU rounds it. */
#define RAM_SIZE_ALIGN (8 * KiB)

/* A size in bytes; a number without suffix counts MiB. */
static bool get_size(JsonObject *opts, const char *name, uint64_t *size,
                     Error **errp)
{
    const char *text = json_object_get_string_member(opts, name);
    int ret = qemu_strtosz_MiB(text, NULL, size);

    if (ret == -ERANGE || (ret == 0 && *size > INT64_MAX - RAM_SIZE_ALIGN)) {
        error_setg(errp, "value of %s is too large: '%s'", name, text);
        return false;
    }
    if (ret < 0 || *size == 0) {
        error_setg(errp, "invalid value of %s: '%s' is not a size; examples: "
                   "512M, 4G", name, text);
        return false;
    }
    *size = QEMU_ALIGN_UP(*size, RAM_SIZE_ALIGN);
    return true;
}

static bool get_slots(JsonObject *opts, uint64_t *slots, Error **errp)
{
    const char *text = json_object_get_string_member(opts, "slots");

    if (qemu_strtou64(text, NULL, 10, slots) < 0 || *slots > MAX_RAM_SLOTS) {
        error_setg(errp, "invalid value of slots: '%s' is not a number from 0 "
                   "to %d", text, MAX_RAM_SLOTS);
        return false;
    }
    return true;
}

static bool check_names(JsonObject *opts, Error **errp)
{
    static const char *const names[] = { "size", "maxmem", "slots", NULL };
    JsonObjectIter iter;
    const char *name;

    json_object_iter_init(&iter, opts);
    while (json_object_iter_next(&iter, &name, NULL)) {
        if (!g_strv_contains(names, name)) {
            error_setg(errp, "Invalid parameter '%s': one of size, maxmem, "
                       "slots is expected", name);
            return false;
        }
    }
    return true;
}

bool machine_parse_memory(MachineState *ms, JsonObject *opts, Error **errp)
{
    uint64_t size = ms->ram_size, maxmem, slots = 0;
    bool has_maxmem = json_object_has_member(opts, "maxmem");

    if (!check_names(opts, errp)) {
        return false;
    }
    if (json_object_has_member(opts, "size") &&
        !get_size(opts, "size", &size, errp)) {
        return false;
    }
    maxmem = size;
    if (has_maxmem && !get_size(opts, "maxmem", &maxmem, errp)) {
        return false;
    }
    if (json_object_has_member(opts, "slots") &&
        !get_slots(opts, &slots, errp)) {
        return false;
    }
    if (slots && !has_maxmem) {
        error_setg(errp, "invalid -m option value: 'slots' was given without "
                   "'maxmem'");
        return false;
    }
    if (maxmem < size) {
        error_setg(errp, "invalid value of maxmem: maximum memory size "
                   "(0x%" PRIx64 ") must be at least the initial memory size "
                   "(0x%" PRIx64 ")", maxmem, size);
        return false;
    }
    if (slots && maxmem == size) {
        error_setg(errp, "invalid value of maxmem: memory slots were "
                   "specified but maximum memory size (0x%" PRIx64 ") is "
                   "equal to the initial memory size (0x%" PRIx64 ")",
                   maxmem, size);
        return false;
    }
    ms->ram_size = size;
    ms->maxram_size = maxmem;
    ms->ram_slots = slots;
    return true;
}
