/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What may come next on a line for people. The help text of a command's
 * parameters ("path property") tells what each of its words is, so a new command
 * that uses these words is completed without further ado.
 */
#include "qemu/osdep.h"
#include "hmp-commands.h"

#include "hw/qdev-core.h"
#include "qom/object_interfaces.h"

typedef struct Completion {
    const char *prefix;                   /* what has been typed of the word */
    GPtrArray *words;                     /* char *, owned */
} Completion;

static void offer(Completion *c, const char *word)
{
    if (g_str_has_prefix(word, c->prefix)) {
        g_ptr_array_add(c->words, g_strdup(word));
    }
}

/* --- kinds of words ------------------------------------------------------ */

static int offer_child(Object *child, void *opaque)
{
    offer(opaque, object_get_canonical_path_component(child));
    return 0;
}

static void offer_children(Completion *c, const char *path)
{
    Object *parent = object_resolve_path(path, NULL);

    if (parent) {
        object_child_foreach(parent, offer_child, c);
    }
}

static void complete_device(Completion *c, const char *before)
{
    offer_children(c, "/machine/peripheral");
}

static void complete_object(Completion *c, const char *before)
{
    offer_children(c, "/objects");
}

static void complete_chardev(Completion *c, const char *before)
{
    offer_children(c, "/chardevs");
}

static void offer_types(Completion *c, const char *parent)
{
    g_autoptr(GSList) classes = object_class_get_list_sorted(parent, false);

    for (GSList *l = classes; l; l = l->next) {
        ObjectClass *oc = l->data;

        if (!object_class_dynamic_cast(oc, TYPE_DEVICE) ||
            DEVICE_CLASS(oc)->user_creatable) {
            offer(c, object_class_get_name(oc));
        }
    }
}

static void complete_driver(Completion *c, const char *before)
{
    offer_types(c, TYPE_DEVICE);
}

static void complete_type(Completion *c, const char *before)
{
    offer_types(c, TYPE_USER_CREATABLE);
}

typedef struct PathCompletion {
    Completion *c;
    const char *parent;                   /* ends with '/' */
} PathCompletion;

static int is_there(Object *child, void *opaque)
{
    return 1;
}

/* With children it may be the end or go on: so it is offered twice. */
static int offer_path(Object *child, void *opaque)
{
    const PathCompletion *p = opaque;
    g_autofree char *path = g_strconcat(
        p->parent, object_get_canonical_path_component(child), NULL);
    g_autofree char *directory = g_strconcat(path, "/", NULL);

    offer(p->c, path);
    if (object_child_foreach(child, is_there, NULL)) {
        offer(p->c, directory);
    }
    return 0;
}

static void complete_path(Completion *c, const char *before)
{
    const char *slash = strrchr(c->prefix, '/');
    g_autofree char *parent = g_strndup(c->prefix,
                                        slash ? slash + 1 - c->prefix : 0);
    PathCompletion p = { c, parent };
    Object *obj;

    if (!slash) {
        complete_device(c, before);
        return;
    }
    obj = object_resolve_path(parent, NULL);
    if (obj) {
        object_child_foreach(obj, offer_path, &p);
    }
}

static void offer_property(ObjectProperty *prop, void *opaque)
{
    offer(opaque, prop->name);
}

static void complete_property(Completion *c, const char *before)
{
    Object *obj = object_resolve_path(before, NULL);

    if (obj) {
        object_property_foreach(obj, offer_property, c);
    }
}

static const struct {
    const char *param;                    /* as in HmpCommand.params */
    /* @before: the word before */
    void (*complete)(Completion *c, const char *before);
} kinds[] = {
    { "device", complete_device },
    { "chardev", complete_chardev },
    { "object", complete_object },
    { "driver", complete_driver },
    { "type", complete_type },
    { "path", complete_path },
    { "property", complete_property },
};

/* --- which it is --------------------------------------------------------- */

/* Whether @param, "[path]" or "driver[,prop=value]", is called @name. */
static bool is_param(const char *param, const char *name)
{
    param += *param == '[';
    return g_str_has_prefix(param, name) &&
           !g_ascii_isalpha(param[strlen(name)]);
}

/* The @nr'th of @params, options not counted; NULL: there are fewer. */
static const char *find_param(char **params, guint nr)
{
    for (; *params; params++) {
        if (!g_str_has_prefix(*params, "[-") && nr-- == 0) {
            return *params;
        }
    }
    return NULL;
}

/* @words: the command's, the last of its @n incomplete. */
static void complete_param(Completion *c, const HmpCommand *cmd, char **words,
                           guint n)
{
    g_auto(GStrv) params = g_strsplit(cmd->params, " ", -1);
    const char *param;
    guint nr = 0;

    for (guint i = 1; i < n - 1; i++) {
        nr += *words[i] != '-';
    }
    param = find_param(params, nr);
    for (size_t i = 0; param && i < ARRAY_SIZE(kinds); i++) {
        if (is_param(param, kinds[i].param)) {
            kinds[i].complete(c, words[n - 2]);
        }
    }
}

static void offer_names(Completion *c, GPtrArray *table)
{
    for (guint i = 0; i < table->len; i++) {
        const HmpCommand *cmd = g_ptr_array_index(table, i);
        g_autofree char *name = g_strndup(cmd->name, strcspn(cmd->name, "|"));

        offer(c, name);
    }
}

static void complete_words(Completion *c, char **words, guint n)
{
    bool info = n > 1 && !strcmp(words[0], "info");
    bool help = n > 1 && !strcmp(words[0], "help");
    const HmpCommand *cmd;

    words += info || help;
    n -= info || help;
    if (n == 1) {
        offer_names(c, hmp_command_table(info));
        return;
    }
    cmd = help ? NULL : hmp_find_command(words[0], info);
    if (cmd) {
        complete_param(c, cmd, words, n);
    }
}

static int compare_words(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

char **hmp_complete(const char *line)
{
    g_auto(GStrv) words = NULL;
    Completion c;
    guint n;

    line += strspn(line, " ");
    words = g_strsplit(*line ? line : " ", " ", -1);
    n = *line ? g_strv_length(words) : 1;
    c = (Completion) { words[n - 1], g_ptr_array_new() };
    complete_words(&c, words, n);
    g_ptr_array_sort(c.words, compare_words);
    g_ptr_array_add(c.words, NULL);
    return (char **)g_ptr_array_free(c.words, FALSE);
}
