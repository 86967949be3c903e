/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -readconfig: a file whose groups are options.
 *
 *     # a comment
 *     [device "vm0"]
 *       driver = "virtio-mem-pci"
 *
 * is -device id=vm0,driver=virtio-mem-pci. Such a text is given to the parser of
 * options, so that a file can say what a command line can, and nothing else.
 */
#include "qemu/osdep.h"

#include "qapi/error.h"
#include "qemu/regular-file.h"
#include "vl-internal.h"

/* No file that a person writes is as large. */
#define FILE_MAX (1024 * 1024)

typedef struct Group {
    char *option;                         /* NULL: none has begun */
    GString *arg;
} Group;

/* Adds "key=value", with commas doubled, as an option's argument has them. */
static void add_member(GString *arg, const char *key, const char *value)
{
    g_auto(GStrv) parts = g_strsplit(value, ",", -1);
    g_autofree char *quoted = g_strjoinv(",,", parts);

    g_string_append_printf(arg, "%s%s=%s", arg->len ? "," : "", key, quoted);
}

static bool end_group(VlConfig *cfg, Group *group, Error **errp)
{
    g_autofree char *option = g_steal_pointer(&group->option);

    return !option || vl_store_group(cfg, option, group->arg->str, errp);
}

/* The text between two of @quote at the start of @text, g_free(), and *rest
 * behind it; NULL: there is none. */
static char *quoted(char *text, const char **rest)
{
    char *end = *text == '"' ? strchr(text + 1, '"') : NULL;

    *rest = end ? end + 1 : text;
    return end ? g_strndup(text + 1, end - text - 1) : NULL;
}

/* "[option]" or "[option "id"]". */
static bool begin_group(Group *group, char *line)
{
    g_autofree char *id = NULL;
    const char *rest;
    size_t len = strcspn(line + 1, " \t]\"");

    if (!len) {
        return false;
    }
    id = quoted(g_strchug(line + 1 + len), &rest);
    if (strcmp(rest, "]") != 0) {
        return false;
    }
    group->option = g_strndup(line + 1, len);
    g_string_truncate(group->arg, 0);
    if (id) {
        add_member(group->arg, "id", id);
    }
    return true;
}

/* "key = "value"". */
static bool parse_member(Group *group, char *line)
{
    char *equals = strchr(line, '=');
    g_autofree char *value = NULL;
    const char *rest;

    if (!equals || equals == line || !group->option) {
        return false;
    }
    value = quoted(g_strchug(equals + 1), &rest);
    if (!value || *rest) {
        return false;
    }
    *equals = '\0';
    add_member(group->arg, g_strchomp(line), value);
    return true;
}

static bool parse_lines(VlConfig *cfg, const char *path, char **lines,
                        Group *group, Error **errp)
{
    for (unsigned n = 0; lines[n]; n++) {
        char *line = g_strstrip(lines[n]);
        bool ok = true;

        if (*line == '[') {
            if (!end_group(cfg, group, errp)) {
                return false;
            }
            ok = begin_group(group, line);
        } else if (*line && *line != '#') {
            ok = parse_member(group, line);
        }
        if (!ok) {
            error_setg(errp, "%s:%u: parse error: [OPTION], [OPTION \"ID\"] or "
                       "KEY = \"VALUE\" is expected", path, n + 1);
            return false;
        }
    }
    return end_group(cfg, group, errp);
}

static char *read_file(const char *path, Error **errp)
{
    ERRP_GUARD();
    g_autoptr(GBytes) contents = regular_file_read(path, FILE_MAX, errp);
    gsize size;
    const char *text;

    if (!contents) {
        error_prepend(errp, "config file ");
        return NULL;
    }
    text = g_bytes_get_data(contents, &size);
    return g_strndup(text ? text : "", size);
}

bool vl_read_config(VlConfig *cfg, const char *path, Error **errp)
{
    g_autofree char *text = read_file(path, errp);
    g_auto(GStrv) lines = text ? g_strsplit(text, "\n", -1) : NULL;
    Group group = { NULL, g_string_new(NULL) };
    bool ok = lines && parse_lines(cfg, path, lines, &group, errp);

    g_free(group.option);
    g_string_free(group.arg, TRUE);
    return ok;
}
