/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tail queues walked from their end, with heads that have a name or none. */
#include "qemu/osdep.h"
#include "qemu/queue.h"

typedef struct Item {
    char name;
    QTAILQ_ENTRY(Item) next;
} Item;

static QTAILQ_HEAD(, Item) nameless = QTAILQ_HEAD_INITIALIZER(nameless);

static void test_last_of_none(void)
{
    QTAILQ_HEAD(Items, Item) items = QTAILQ_HEAD_INITIALIZER(items);

    g_assert_null(QTAILQ_LAST(&items));
    g_assert_null(QTAILQ_LAST(&nameless));
}

static void test_backwards(void)
{
    Item a = { .name = 'a' }, b = { .name = 'b' }, c = { .name = 'c' };
    g_autoptr(GString) seen = g_string_new(NULL);
    Item *item;

    QTAILQ_INSERT_TAIL(&nameless, &b, next);
    g_assert_true(QTAILQ_LAST(&nameless) == &b);
    g_assert_null(QTAILQ_PREV(&b, next));
    QTAILQ_INSERT_TAIL(&nameless, &c, next);
    QTAILQ_INSERT_HEAD(&nameless, &a, next);
    QTAILQ_FOREACH_REVERSE(item, &nameless, next) {
        g_string_append_c(seen, item->name);
    }
    QTAILQ_REMOVE(&nameless, &b, next);
    QTAILQ_REMOVE(&nameless, &c, next);
    QTAILQ_FOREACH_REVERSE(item, &nameless, next) {
        g_string_append_c(seen, item->name);
    }
    g_assert_cmpstr(seen->str, ==, "cbaa");
    QTAILQ_REMOVE(&nameless, &a, next);
    g_assert_null(QTAILQ_LAST(&nameless));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/queue/last-of-none", test_last_of_none);
    g_test_add_func("/queue/backwards", test_backwards);
    return g_test_run();
}
