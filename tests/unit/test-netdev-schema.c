/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What query-qmp-schema tells of netdevs is what their tables of options have. */
#include "qemu/osdep.h"

#include "monitor/qmp-schema.h"
#include "net/net.h"

/* Options that are there to be refused have no other words; an alias is for people. */
#define REFUSED "none"
#define ALIAS "ipv6-net"

/* The type of the member @name of @type; NULL: it has none. */
static char *member_type(const char *type, const char *name)
{
    const QmpType *t = qmp_find_type(type);
    g_autoptr(GPtrArray) members = qmp_parse_members(t ? t->members : NULL);

    for (guint i = 0; i < members->len; i++) {
        const QmpMember *member = members->pdata[i];

        if (!strcmp(member->name, name)) {
            return g_strdup(member->type);
        }
    }
    return NULL;
}

static char *variant_of(const char *kind)
{
    g_auto(GStrv) variants = g_strsplit(qmp_find_type("Netdev")->variants, ",", -1);
    g_autofree char *prefix = g_strconcat(kind, ":", NULL);

    for (char **v = variants; *v; v++) {
        if (g_str_has_prefix(*v, prefix)) {
            return g_strdup(*v + strlen(prefix));
        }
    }
    g_error("the schema has no netdev '%s'", kind);
}

static void check_option(const char *variant, const char *option)
{
    g_auto(GStrv) names = g_strsplit(option, ".", -1);
    g_autofree char *type = g_strdup(variant);

    for (char **name = names; *name; name++) {
        char *next = member_type(type, *name);

        if (!next) {
            g_error("the schema's %s lacks '%s' of '%s'", variant, *name, option);
        }
        g_free(type);
        type = next;
    }
}

/* How many options that were. */
static unsigned check_kind(const NetdevClass *nc)
{
    unsigned checked = 0;
    g_autofree char *variant = variant_of(nc->kind);

    for (const NetdevOption *o = nc->options; o->name; o++) {
        if (strcmp(o->description, REFUSED) && strcmp(o->name, ALIAS)) {
            check_option(variant, o->name);
            checked++;
        }
    }
    return checked;
}

static void test_every_option_is_in_the_schema(void)
{
    g_autoptr(GSList) classes = object_class_get_list_sorted(TYPE_NETDEV, false);
    unsigned checked = 0;

    for (GSList *l = classes; l; l = l->next) {
        checked += check_kind(NETDEV_CLASS(l->data));
    }
    g_assert_cmpuint(checked, >, 30);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/netdev-schema/every-option", test_every_option_is_in_the_schema);
    return g_test_run();
}
