/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -smbios: one table of what each type of structure can be told. A later option
 * replaces what an earlier one has said of the same. What a file has goes to the
 * guest as it is, once it is known to be one whole structure.
 */
#include "qemu/osdep.h"

#include "qemu/cutils.h"
#include "qemu/keyval.h"
#include "qemu/regular-file.h"
#include "qemu/units.h"
#include "smbios-entries.h"

#define TYPE_SYSTEM 1
#define TYPE_OEM_STRINGS 11
#define TYPE_END 127
#define OEM_STRINGS_MAX 255
#define HEADER_SIZE 4
#define FILE_MAX (64 * KiB)

typedef enum ValueKind {
    VALUE_TEXT,
    VALUE_U16,
    VALUE_U64,
    VALUE_SWITCH,                         /* on or off */
    VALUE_RELEASE,                        /* MAJOR.MINOR, a byte each */
    VALUE_UUID,
} ValueKind;

/* In the order of types. */
static const struct {
    unsigned type;
    ValueKind kind;
    const char *names[8];
} keys[] = {
    { 0, VALUE_TEXT, { "vendor", "version", "date" } },
    { 0, VALUE_RELEASE, { "release" } },
    { 0, VALUE_SWITCH, { "uefi" } },
    { 1, VALUE_TEXT,
      { "manufacturer", "product", "version", "serial", "sku", "family" } },
    { 1, VALUE_UUID, { "uuid" } },
    { 2, VALUE_TEXT,
      { "manufacturer", "product", "version", "serial", "asset", "location" } },
    { 3, VALUE_TEXT, { "manufacturer", "version", "serial", "asset", "sku" } },
    { 4, VALUE_TEXT,
      { "sock_pfx", "manufacturer", "version", "serial", "asset", "part" } },
    { 4, VALUE_U16, { "max-speed", "current-speed" } },
    { 4, VALUE_U64, { "processor-id" } },
    { TYPE_OEM_STRINGS, VALUE_TEXT, { "value", "path" } },
    { 17, VALUE_TEXT,
      { "loc_pfx", "bank", "manufacturer", "serial", "asset", "part" } },
    { 17, VALUE_U16, { "speed" } },
};

/* Those that may be repeated in one argument. */
static const char *const lists[] = { "value", "path", NULL };

/* --- what was said --- */

const char *smbios_text(const SmbiosEntries *entries, unsigned type,
                        const char *name)
{
    JsonObject *values = entries ? entries->values[type] : NULL;

    return values ? json_object_get_string_member_with_default(values, name,
                                                               NULL)
                  : NULL;
}

uint64_t smbios_number(const SmbiosEntries *entries, unsigned type,
                       const char *name, uint64_t value)
{
    const char *text = smbios_text(entries, type, name);

    if (text) {
        qemu_strtou64(text, NULL, 0, &value);
    }
    return value;
}

bool smbios_is_wanted(const SmbiosEntries *entries, unsigned type)
{
    return entries && entries->values[type];
}

bool smbios_is_in_file(const SmbiosEntries *entries, unsigned type)
{
    for (guint i = 0; entries && i < entries->files->len; i++) {
        const uint8_t *bytes = g_bytes_get_data(entries->files->pdata[i], NULL);

        if (bytes[0] == type) {
            return true;
        }
    }
    return false;
}

/* --- checking --- */

static bool check_number(const char *name, const char *value, uint64_t max,
                         Error **errp)
{
    uint64_t number;

    if (qemu_strtou64(value, NULL, 0, &number) || number > max) {
        error_setg(errp, "%s=%s: a number from 0 to %" PRIu64 " is expected",
                   name, value, max);
        return false;
    }
    return true;
}

static bool check_release(const char *name, const char *value, Error **errp)
{
    uint64_t major, minor;
    const char *dot;

    if (qemu_strtou64(value, &dot, 10, &major) || *dot != '.' ||
        qemu_strtou64(dot + 1, NULL, 10, &minor) || major > UINT8_MAX ||
        minor > UINT8_MAX) {
        error_setg(errp, "%s=%s: MAJOR.MINOR is expected, each from 0 to 255",
                   name, value);
        return false;
    }
    return true;
}

static bool check_value(ValueKind kind, const char *name, const char *value,
                        Error **errp)
{
    bool on;

    switch (kind) {
    case VALUE_TEXT:
        return true;
    case VALUE_U16:
        return check_number(name, value, UINT16_MAX, errp);
    case VALUE_U64:
        return check_number(name, value, UINT64_MAX, errp);
    case VALUE_RELEASE:
        return check_release(name, value, errp);
    case VALUE_SWITCH:
        if (!qemu_parse_bool(value, &on)) {
            error_setg(errp, "%s=%s: on or off is expected", name, value);
            return false;
        }
        return true;
    case VALUE_UUID:
        if (!g_uuid_string_is_valid(value)) {
            error_setg(errp, "%s=%s: a UUID is expected, for example "
                       "550e8400-e29b-41d4-a716-446655440000", name, value);
            return false;
        }
        return true;
    }
    g_assert_not_reached();
}

/* g_free(). */
static char *list_types(void)
{
    GString *list = g_string_new(NULL);

    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        if (!i || keys[i].type != keys[i - 1].type) {
            g_string_append_printf(list, "%s%u", i ? ", " : "", keys[i].type);
        }
    }
    return g_string_free(list, FALSE);
}

static char *list_names(unsigned type)
{
    GString *list = g_string_new(NULL);

    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        g_autofree char *names = g_strjoinv(", ", (char **)keys[i].names);

        if (keys[i].type == type) {
            g_string_append_printf(list, "%s%s", list->len ? ", " : "", names);
        }
    }
    return g_string_free(list, FALSE);
}

static bool check_member(unsigned type, const char *name, JsonNode *node,
                         Error **errp)
{
    g_autofree char *names = NULL;

    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        if (keys[i].type == type && g_strv_contains(keys[i].names, name)) {
            return JSON_NODE_HOLDS_ARRAY(node) ||
                   check_value(keys[i].kind, name, json_node_get_string(node),
                               errp);
        }
    }
    names = list_names(type);
    error_setg(errp, "Invalid parameter '%s'; what type=%u has: %s", name, type,
               names);
    return false;
}

/* Takes "type" out of @opts. */
static bool take_type(JsonObject *opts, unsigned *type, Error **errp)
{
    const char *text = json_object_get_string_member_with_default(opts, "type",
                                                                  NULL);
    g_autofree char *types = list_types();
    uint64_t number;

    if (!text) {
        error_setg(errp, "type=N or file=FILE is expected");
        return false;
    }
    if (qemu_strtou64(text, NULL, 10, &number)) {
        number = UINT64_MAX;
    }
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        if (keys[i].type == number) {
            *type = number;
            json_object_remove_member(opts, "type");
            return true;
        }
    }
    error_setg(errp, "type=%s: not supported; possible: %s", text, types);
    return false;
}

/* --- adding --- */

static SmbiosEntries *entries_new(void)
{
    SmbiosEntries *entries = g_new0(SmbiosEntries, 1);

    entries->oem_strings = g_ptr_array_new_with_free_func(g_free);
    entries->files =
        g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    return entries;
}

void smbios_entries_free(SmbiosEntries *entries)
{
    if (!entries) {
        return;
    }
    for (unsigned i = 0; i < SMBIOS_OPTION_TYPES; i++) {
        g_clear_pointer(&entries->values[i], json_object_unref);
    }
    g_ptr_array_unref(entries->oem_strings);
    g_ptr_array_unref(entries->files);
    g_free(entries);
}

/* What is in the file @path as a string; NULL: *errp. */
static char *read_text(const char *path, Error **errp)
{
    g_autoptr(GBytes) bytes = regular_file_read(path, FILE_MAX, errp);
    gsize size;
    const char *data = bytes ? g_bytes_get_data(bytes, &size) : NULL;

    if (!bytes) {
        return NULL;
    }
    if (size && memchr(data, 0, size)) {
        error_setg(errp, "%s: has a byte 0, which ends a string", path);
        return NULL;
    }
    return g_strndup(data, size);
}

/* The strings of "value" and "path", in this order; false: *errp. */
static bool get_strings(JsonObject *opts, GPtrArray *strings, Error **errp)
{
    for (const char *const *name = lists; *name; name++) {
        JsonArray *array = json_object_has_member(opts, *name)
                               ? json_object_get_array_member(opts, *name) : NULL;

        for (guint i = 0; array && i < json_array_get_length(array); i++) {
            const char *value = json_array_get_string_element(array, i);
            char *text = *name == lists[0] ? g_strdup(value)
                                           : read_text(value, errp);

            if (!text) {
                return false;
            }
            g_ptr_array_add(strings, text);
        }
    }
    return true;
}

static bool add_oem_strings(SmbiosEntries *entries, JsonObject *opts,
                            Error **errp)
{
    g_autoptr(GPtrArray) strings = g_ptr_array_new_with_free_func(g_free);

    if (!get_strings(opts, strings, errp)) {
        return false;
    }
    if (entries->oem_strings->len + strings->len > OEM_STRINGS_MAX) {
        error_setg(errp, "more than %d strings", OEM_STRINGS_MAX);
        return false;
    }
    g_ptr_array_extend_and_steal(entries->oem_strings,
                                 g_steal_pointer(&strings));
    return true;
}

static bool add_values(SmbiosEntries *entries, unsigned type, JsonObject *opts,
                       Error **errp)
{
    JsonObjectIter iter;
    const char *name;
    JsonNode *node;

    json_object_iter_init(&iter, opts);
    while (json_object_iter_next(&iter, &name, &node)) {
        if (!check_member(type, name, node, errp)) {
            return false;
        }
    }
    if (type == TYPE_OEM_STRINGS) {
        return add_oem_strings(entries, opts, errp);
    }
    if (!entries->values[type]) {
        entries->values[type] = json_object_new();
    }
    json_object_iter_init(&iter, opts);
    while (json_object_iter_next(&iter, &name, &node)) {
        json_object_set_member(entries->values[type], name,
                               json_node_copy(node));
    }
    return true;
}

/* One structure and nothing else: a header with its length, then strings, of which
 * the last one is empty; two zeros if there are none. */
static bool check_structure(const char *path, const uint8_t *data, size_t size,
                            Error **errp)
{
    size_t end;

    if (size < HEADER_SIZE || data[1] < HEADER_SIZE || data[1] + 2U > size) {
        error_setg(errp, "file=%s: is no SMBIOS structure: %zu bytes", path,
                   size);
        return false;
    }
    for (end = data[1]; end + 2 < size; end++) {
        if (!data[end] && !data[end + 1]) {
            break;
        }
    }
    if (end + 2 != size || data[end] || data[end + 1]) {
        error_setg(errp, "file=%s: its SMBIOS structure should end with two "
                   "zeros at byte %zu of %zu", path, end, size);
        return false;
    }
    return true;
}

static bool add_file(SmbiosEntries *entries, JsonObject *opts, Error **errp)
{
    const char *path = json_object_get_string_member(opts, "file");
    g_autoptr(GBytes) bytes = NULL;
    const uint8_t *data;
    gsize size;

    if (json_object_get_size(opts) != 1) {
        error_setg(errp, "file=FILE has all of a structure: nothing else goes "
                   "with it");
        return false;
    }
    bytes = regular_file_read(path, FILE_MAX, errp);
    if (!bytes) {
        return false;
    }
    data = g_bytes_get_data(bytes, &size);
    if (!check_structure(path, data, size, errp)) {
        return false;
    }
    if (data[0] == TYPE_END) {
        error_setg(errp, "file=%s: is the structure that ends all (type %d), which "
                   "is there anyway: leave it out", path, TYPE_END);
        return false;
    }
    g_ptr_array_add(entries->files, g_steal_pointer(&bytes));
    return true;
}

/* Whoever gives both means one of them. */
static bool check_contradiction(const SmbiosEntries *entries, Error **errp)
{
    for (unsigned type = 0; type < SMBIOS_OPTION_TYPES; type++) {
        if ((entries->values[type] ||
             (type == TYPE_OEM_STRINGS && entries->oem_strings->len)) &&
            smbios_is_in_file(entries, type)) {
            error_setg(errp, "type=%u is given, and a file=FILE with a structure "
                       "of that type: give one", type);
            return false;
        }
    }
    return true;
}

bool smbios_entry_add(SmbiosEntries **entries, const char *arg, char **uuid,
                      Error **errp)
{
    g_autoptr(JsonObject) opts = keyval_parse_lists(arg, NULL, lists, NULL, errp);
    unsigned type;

    if (!opts) {
        return false;
    }
    if (!*entries) {
        *entries = entries_new();
    }
    if (json_object_has_member(opts, "file")) {
        return add_file(*entries, opts, errp) &&
               check_contradiction(*entries, errp);
    }
    if (!take_type(opts, &type, errp) ||
        !add_values(*entries, type, opts, errp) ||
        !check_contradiction(*entries, errp)) {
        return false;
    }
    if (type == TYPE_SYSTEM) {
        *uuid = g_strdup(json_object_get_string_member_with_default(opts, "uuid",
                                                                    NULL));
    }
    return true;
}
