/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Prints docs/qmp-reference.md from the schema that the emulator itself uses;
 * `make docs` runs it. Fails, and so does the build, where the schema has a
 * member that nobody has described or a type that there is not.
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

/* The name of @type for people, with a link; the caller's. */
static char *type_name(const char *type)
{
    static const char *const names[][2] = {
        { "str", "string" }, { "bool", "boolean" }, { "int", "integer" },
        { "number", "number" }, { "any", "any" }, { "null", "null" },
    };
    g_autofree char *anchor = NULL;

    if (*type == '[') {
        g_autofree char *element = g_strndup(type + 1, strlen(type) - 2);
        g_autofree char *name = type_name(element);

        return g_strdup_printf("list of %s", name);
    }
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (!strcmp(type, names[i][0])) {
            return g_strdup(names[i][1]);
        }
    }
    anchor = g_ascii_strdown(type, -1);
    return g_strdup_printf("[%s](#%s)", type, anchor);
}

static void print_member(const QmpMember *member, const char *help)
{
    g_autofree char *text = help_on(help, member->name);
    g_autofree char *type = NULL;

    if (!member->type) {
        printf("| further ones | | %s |\n", text);
        return;
    }
    type = type_name(member->type);
    printf("| `%s` | %s%s | %s |\n", member->name, type,
           member->optional ? ", optional" : "", text);
}

static void print_members(const char *spec, const char *help,
                          const char *title)
{
    g_autoptr(GPtrArray) members = qmp_parse_members(spec);

    if (members->len) {
        printf("\n| %s | type | |\n| --- | --- | --- |\n", title);
    }
    for (guint i = 0; i < members->len; i++) {
        print_member(members->pdata[i], help);
    }
}

static void print_summary(const char *name, const char *help)
{
    g_autofree char *summary = g_strndup(help, strcspn(help, "\n"));

    printf("\n### %s\n\n%s\n", name, summary);
}

static void print_returns(const QmpCommand *cmd)
{
    g_autofree char *returns = help_on(cmd->help, "Returns");
    g_autofree char *type = cmd->returns ? type_name(cmd->returns) : NULL;

    if (type) {
        printf("\nReturns: %s%s%s.\n", type, returns ? "; " : "",
               returns ? returns : "");
    }
}

static void print_command(const QmpCommand *cmd, void *opaque)
{
    g_autofree char *errors = help_on(cmd->help, "Errors");

    print_summary(cmd->name, cmd->help);
    if (cmd->args && qmp_find_type(cmd->args)) {
        g_autofree char *type = type_name(cmd->args);

        printf("\nArguments: %s.\n", type);
    } else {
        print_members(cmd->args, cmd->help, "argument");
    }
    print_returns(cmd);
    if (errors) {
        printf("\nErrors: %s.\n", errors);
    }
}

static void print_event(const QmpEventInfo *event, void *opaque)
{
    print_summary(event->name, event->help);
    print_members(event->members, event->help, "data");
}

static void print_values(const QmpType *type)
{
    g_auto(GStrv) values = qmp_type_values(type);
    g_autofree char *text = g_strjoinv("`, `", values);

    if (!*values) {
        return;
    }
    printf("\nOne of `%s`%s.\n", text,
           type->open ? "; others are for the command to accept" : "");
}

static void print_alternatives(const QmpType *type)
{
    g_auto(GStrv) types = g_strsplit(type->alternatives, ",", -1);

    for (char **one = types; *one; one++) {
        g_autofree char *name = type_name(*one);

        printf("%s%s", one == types ? "\nOne of " : ", ", name);
    }
    puts(".");
}

static void print_variants(const QmpType *type)
{
    g_autoptr(GPtrArray) variants = qmp_parse_members(type->variants);

    for (guint i = 0; i < variants->len; i++) {
        const QmpMember *variant = variants->pdata[i];
        g_autofree char *name = type_name(variant->type);

        printf("\nIf `%s` is `%s`, it has the members of %s, too.\n",
               type->tag, variant->name, name);
    }
}

static void print_type(const QmpType *type, void *opaque)
{
    print_summary(type->name, type->help);
    print_members(type->members, type->help, "member");
    print_variants(type);
    if (type->alternatives) {
        print_alternatives(type);
    } else if (type->values) {
        print_values(type);
    } else if (qmp_type_is_enum(type)) {
        puts("\nThose that `-object help` lists.");
    }
}

int main(void)
{
    Error *err = NULL;

    if (!qmp_check_schema(&err)) {
        g_printerr("qmp-reference: %s\n", error_get_pretty(err));
        return EXIT_FAILURE;
    }
    fputs(introduction, stdout);
    puts("\n## Commands");
    qmp_for_each_command(print_command, NULL);
    puts("\n## Events\n\n"
         "Each has `event`, its name, `timestamp` (`seconds`, `microseconds`), "
         "and,\nwhere something is listed, `data`.");
    qmp_for_each_event(print_event, NULL);
    puts("\n## Types\n\n"
         "What arguments, replies and events are made of. `query-qmp-schema` "
         "tells programs\nthe same; the names of types are for readers "
         "only.");
    qmp_for_each_type(print_type, NULL);
    return fflush(stdout) || ferror(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}
