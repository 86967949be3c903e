/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Prints docs/qmp-reference.md from the tables of commands and events that the
 * emulator itself uses; `make docs` runs it. Fails where one of them has an
 * argument that nobody has described.
 */
#include "qemu/osdep.h"

#include "monitor/qmp.h"

static const char *const introduction =
    "<!-- SPDX-License-Identifier: GPL-2.0-or-later -->\n"
    "<!-- Made by `make docs` from the tables of the emulator: do not edit. -->\n"
    "# QMP reference\n"
    "\n"
    "What a client of `-qmp` can ask for, and what it is told. The wire format\n"
    "is QEMU's: JSON objects, one a line. The emulator greets with `QMP`; after\n"
    "`{\"execute\": \"qmp_capabilities\"}` each request\n"
    "`{\"execute\": NAME, \"arguments\": {...}, \"id\": ANY}` has one reply, with\n"
    "`return` (an empty object unless said otherwise) or `error` (`class`, which\n"
    "is `GenericError` unless said otherwise, and `desc`, for people). Sizes and\n"
    "addresses are in bytes. Of what a reply has, a client ignores what it does\n"
    "not know.\n";

/* The line of @help that begins with "@name: ", without that; NULL: none. */
static char *help_on(const char *help, const char *name)
{
    g_auto(GStrv) lines = g_strsplit(help, "\n", -1);
    g_autofree char *prefix = g_strconcat(name, ": ", NULL);

    for (char **line = lines + 1; lines[0] && *line; line++) {
        if (g_str_has_prefix(*line, prefix)) {
            return g_strdup(*line + strlen(prefix));
        }
    }
    return NULL;
}

static const char *type_name(const char *type)
{
    static const char *const names[][2] = {
        { "s", "string" }, { "b", "boolean" }, { "i", "integer" },
        { "n", "number" }, { "o", "object" }, { "a", "array" },
        { "any", "any" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (!strcmp(type, names[i][0])) {
            return names[i][1];
        }
    }
    g_assert_not_reached();
}

/* One row; @item is as in QmpCommand.args, and is cut into pieces. */
static void print_argument(const char *owner, const char *help, char *item)
{
    bool further = !strcmp(item, "**");
    char *name = item + (*item == '?');
    char *colon = strchr(name, ':');
    g_autofree char *text = NULL;

    if (colon) {
        *colon = '\0';
    }
    text = help_on(help, name);
    if (!text) {
        g_printerr("qmp-reference: %s: '%s' is not described\n", owner, name);
        exit(EXIT_FAILURE);
    }
    if (further) {
        printf("| further ones | | %s |\n", text);
    } else {
        printf("| `%s` | %s%s | %s |\n", name, type_name(colon + 1),
               *item == '?' ? ", optional" : "", text);
    }
}

static void print_entry(const char *name, const char *args, const char *help,
                        const char *title)
{
    g_auto(GStrv) items = g_strsplit(args ? args : "", ",", -1);
    g_autofree char *summary = g_strndup(help, strcspn(help, "\n"));
    g_autofree char *returns = help_on(help, "Returns");
    g_autofree char *errors = help_on(help, "Errors");

    printf("\n### %s\n\n%s\n", name, summary);
    if (*items) {
        printf("\n| %s | type | |\n| --- | --- | --- |\n", title);
    }
    for (char **item = items; *item; item++) {
        print_argument(name, help, *item);
    }
    if (returns) {
        printf("\nReturns %s.\n", returns);
    }
    if (errors) {
        printf("\nErrors: %s.\n", errors);
    }
}

static void print_command(const QmpCommand *cmd, void *opaque)
{
    print_entry(cmd->name, cmd->args, cmd->help, "argument");
}

static void print_event(const QmpEventInfo *event, void *opaque)
{
    print_entry(event->name, event->members, event->help, "data");
}

int main(void)
{
    fputs(introduction, stdout);
    puts("\n## Commands");
    qmp_for_each_command(print_command, NULL);
    puts("\n## Events\n\n"
         "Each has `event`, its name, `timestamp` (`seconds`, `microseconds`), "
         "and,\nwhere something is listed, `data`.");
    qmp_for_each_event(print_event, NULL);
    return fflush(stdout) || ferror(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}
