/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Children, links, paths, and the objects that users create. */
#include "qemu/osdep.h"

#include "property-value.h"
#include "qapi/visitor.h"
#include "qemu/units.h"
#include "qom/object_interfaces.h"

#define TYPE_NODE "test-node"
OBJECT_DECLARE_SIMPLE_TYPE(Node, NODE)
#define TYPE_OTHER "test-other"
#define TYPE_THING "test-thing"
OBJECT_DECLARE_SIMPLE_TYPE(Thing, THING)

struct Node {
    Object parent_obj;
    Object *peer;                         /* link<test-node>, strong */
    Object *weak;                         /* link<test-node> */
    Object *fixed;                        /* link<object>, read only */
    bool locked;                          /* the peer cannot be changed */
};

/* What a user creates. */
struct Thing {
    Object parent_obj;
    uint64_t size;
    bool busy;
};

static int nodes_alive;
static int things_alive;

static void check_unlocked(const Object *obj, const char *name, Object *val,
                           Error **errp)
{
    if (((const Node *)obj)->locked) {
        error_setg(errp, "locked");
    }
}

static void allow_any(const Object *obj, const char *name, Object *val,
                      Error **errp)
{
}

static void node_init(Object *obj)
{
    Node *n = NODE(obj);

    nodes_alive++;
    object_property_add_link(obj, "peer", TYPE_NODE, &n->peer, check_unlocked,
                             OBJ_PROP_LINK_STRONG);
    object_property_add_link(obj, "weak", TYPE_NODE, &n->weak,
                             allow_any, 0);
    object_property_add_link(obj, "fixed", TYPE_OBJECT, &n->fixed, NULL, 0);
}

static void node_finalize(Object *obj)
{
    nodes_alive--;
}

static void thing_get_size(Object *obj, Visitor *v, const char *name,
                           void *opaque, Error **errp)
{
    visit_type_size(v, name, &THING(obj)->size, errp);
}

static void thing_complete(UserCreatable *uc, Error **errp)
{
    if (!THING(uc)->size) {
        error_setg(errp, "no size");
    }
}

static bool thing_can_be_deleted(UserCreatable *uc)
{
    return !THING(uc)->busy;
}

static void thing_init(Object *obj)
{
    things_alive++;
}

static void thing_finalize(Object *obj)
{
    things_alive--;
}

static void thing_class_init(ObjectClass *klass, void *data)
{
    USER_CREATABLE_CLASS(klass)->complete = thing_complete;
    USER_CREATABLE_CLASS(klass)->can_be_deleted = thing_can_be_deleted;
    object_class_property_add(klass, "size", "int", thing_get_size,
                              thing_get_size, NULL, NULL);
}

static const TypeInfo types[] = {
    {
        .name = TYPE_NODE,
        .parent = TYPE_OBJECT,
        .instance_size = sizeof(Node),
        .instance_init = node_init,
        .instance_finalize = node_finalize,
    }, {
        .name = TYPE_OTHER,
        .parent = TYPE_OBJECT,
        .instance_size = sizeof(Object),
    }, {
        .name = TYPE_THING,
        .parent = TYPE_OBJECT,
        .instance_size = sizeof(Thing),
        .instance_init = thing_init,
        .instance_finalize = thing_finalize,
        .class_init = thing_class_init,
        .interfaces = (InterfaceInfo[]) { { TYPE_USER_CREATABLE }, { NULL } },
    }, {
        .name = "abstract-thing",
        .parent = TYPE_THING,
        .abstract = true,
    },
};

DEFINE_TYPES(types)

/* A new @type as @name of @parent, which holds it. */
static Object *add(Object *parent, const char *name, const char *type)
{
    Object *obj = object_new(type);

    object_property_add_child(parent, name, obj);
    object_unref(obj);
    return obj;
}

static Object *root(void)
{
    return container_get(object_get_root(), "/test");
}

/* --- children ------------------------------------------------------------- */

static void test_parent_holds_its_children(void)
{
    Object *a = add(root(), "a", TYPE_NODE);
    g_autofree char *path = NULL;

    add(a, "b", TYPE_NODE);
    path = object_get_canonical_path(object_resolve_path("/test/a/b", NULL));
    g_assert_cmpstr(path, ==, "/test/a/b");
    g_assert_cmpint(nodes_alive, ==, 2);
    object_unparent(a);
    g_assert_cmpint(nodes_alive, ==, 0);
    g_assert_null(object_resolve_path("/test/a", NULL));
}

static void test_unparented_object_lives_on_its_references(void)
{
    Object *a = object_ref(add(root(), "a", TYPE_NODE));

    object_unparent(a);
    object_unparent(a);
    g_assert_cmpint(nodes_alive, ==, 1);
    g_assert_null(object_get_canonical_path(a));
    g_assert_null(object_get_canonical_path_component(a));
    object_unref(a);
    g_assert_cmpint(nodes_alive, ==, 0);
}

static void test_child_value_is_its_path(void)
{
    Object *a = add(root(), "a", TYPE_NODE);
    g_autofree char *value = property_value(root(), "a");

    g_assert_cmpstr(value, ==, "/test/a");
    g_assert_cmpstr(object_property_find(root(), "a")->type, ==,
                    "child<test-node>");
    g_assert_true(object_resolve_path_component(root(), "a") == a);
    g_assert_false(object_property_set_str(root(), "a", "", NULL));
    object_unparent(a);
}

static void test_second_child_of_a_name_is_refused(void)
{
    Object *a = add(root(), "a", TYPE_NODE);
    g_autoptr(Object) b = object_new(TYPE_NODE);
    Error *err = NULL;

    g_assert_null(object_property_try_add_child(root(), "a", b, &err));
    g_assert_cmpstr(error_get_pretty(err), ==, "attempt to add duplicate "
                    "property 'a' to object (type 'container')");
    error_free(err);
    g_assert_null(b->parent);
    object_unparent(a);
}

static void two_parents(void)
{
    object_property_add_child(root(), "y", add(root(), "x", TYPE_NODE));
}

static void own_ancestor(void)
{
    Object *top = object_new(TYPE_NODE);

    object_property_add_child(add(top, "x", TYPE_NODE), "y", top);
}

static void test_misuse_aborts(gconstpointer misuse)
{
    if (g_test_subprocess()) {
        ((void (*)(void))misuse)();
        exit(0);
    }
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_failed();
}

static int remove_siblings(Object *child, void *opaque)
{
    (*(int *)opaque)++;
    for (int i = 0; i < 3; i++) {
        g_autofree char *name = g_strdup_printf("n%d", i);
        Object *obj = object_resolve_path_component(root(), name);

        if (obj) {
            object_unparent(obj);
        }
    }
    return 0;
}

static void test_children_may_go_during_a_walk(void)
{
    int calls = 0;

    for (int i = 0; i < 3; i++) {
        add(root(), "n[*]", TYPE_NODE);
    }
    for (int i = 0; i < 3; i++) {
        g_autofree char *name = g_strdup_printf("n%d", i);

        add(root(), name, TYPE_NODE);
    }
    object_child_foreach(root(), remove_siblings, &calls);
    g_assert_cmpint(calls, ==, 6);
    g_assert_cmpint(nodes_alive, ==, 3);
    object_unparent(root());
    g_assert_cmpint(nodes_alive, ==, 0);
}

static int stop_at_second(Object *child, void *opaque)
{
    return ++*(int *)opaque == 2 ? 42 : 0;
}

static void test_walk_stops_at_the_first_nonzero_result(void)
{
    Object *a = add(root(), "a", TYPE_NODE);
    int calls = 0;

    add(add(a, "b", TYPE_NODE), "c", TYPE_NODE);
    g_assert_cmpint(object_child_foreach_recursive(root(), stop_at_second,
                                                   &calls), ==, 42);
    g_assert_cmpint(calls, ==, 2);
    calls = 0;
    g_assert_cmpint(object_child_foreach(root(), stop_at_second, &calls), ==,
                    0);
    g_assert_cmpint(calls, ==, 1);
    object_unparent(a);
}

/* --- paths ---------------------------------------------------------------- */

static void test_partial_path_must_be_unique(void)
{
    Object *a = add(root(), "a", TYPE_NODE);
    Object *b = add(root(), "b", TYPE_OTHER);
    Object *x = add(a, "x", TYPE_NODE);
    Object *y = add(b, "x", TYPE_OTHER);
    bool ambiguous;

    g_assert_null(object_resolve_path("x", &ambiguous));
    g_assert_true(ambiguous);
    g_assert_true(object_resolve_path("a/x", &ambiguous) == x);
    g_assert_false(ambiguous);
    g_assert_true(object_resolve_path_type("x", TYPE_OTHER, NULL) == y);
    g_assert_null(object_resolve_path("z", &ambiguous));
    g_assert_false(ambiguous);
    g_assert_true(object_resolve_path_type("", TYPE_OTHER, &ambiguous) == NULL);
    g_assert_true(ambiguous);
    object_unparent(a);
    object_unparent(b);
}

static void test_absolute_paths_are_exact(void)
{
    Object *a = add(root(), "a", TYPE_NODE);

    g_assert_true(object_resolve_path("/test/a", NULL) == a);
    g_assert_true(object_resolve_path("/test//a/", NULL) == a);
    g_assert_true(object_resolve_path("/", NULL) == object_get_root());
    g_assert_null(object_resolve_path("/a", NULL));
    g_assert_null(object_resolve_path("/test/a/peer", NULL));
    g_assert_null(object_resolve_path_type("/test/a", TYPE_OTHER, NULL));
    object_unparent(a);
}

/* --- links ---------------------------------------------------------------- */

static void test_link_holds_and_follows(void)
{
    Object *a = add(root(), "a", TYPE_NODE), *b = add(root(), "b", TYPE_NODE);

    object_property_set_str(a, "peer", "/test/b", &error_abort);
    assert_property(a, "peer", "/test/b");
    g_assert_true(object_resolve_path("/test/a/peer", NULL) == b);
    g_assert_cmpuint(b->ref, ==, 2);
    object_property_set_str(a, "peer", "", &error_abort);
    g_assert_cmpuint(b->ref, ==, 1);
    assert_property(a, "peer", "");
    object_property_set_str(a, "weak", "/test/b", &error_abort);
    g_assert_cmpuint(b->ref, ==, 1);
    object_unparent(a);
    object_unparent(b);
}

static void test_linked_object_outlives_its_place(void)
{
    Object *a = add(root(), "a", TYPE_NODE), *b = add(root(), "b", TYPE_NODE);

    object_property_set_str(a, "peer", "/test/b", &error_abort);
    object_unparent(b);
    g_assert_cmpint(nodes_alive, ==, 2);
    object_unparent(a);
    g_assert_cmpint(nodes_alive, ==, 0);
}

static void assert_link_refused(Object *obj, const char *name, const char *path,
                                const char *message)
{
    Error *err = NULL;

    g_assert_false(object_property_set_str(obj, name, path, &err));
    g_assert_cmpstr(error_get_pretty(err), ==, message);
    error_free(err);
}

static void test_links_check_their_target(void)
{
    Object *a = add(root(), "a", TYPE_NODE), *o = add(root(), "o", TYPE_OTHER);

    assert_link_refused(a, "peer", "/test/o", "Invalid parameter type for "
                        "'peer', expected: test-node");
    assert_link_refused(a, "peer", "/nowhere", "Device '/nowhere' not found");
    assert_link_refused(a, "fixed", "/test/o",
                        "Property 'test-node.fixed' is not writable");
    NODE(a)->locked = true;
    assert_link_refused(a, "peer", "/test/a", "locked");
    g_assert_null(NODE(a)->peer);
    add(o, "a", TYPE_NODE);
    assert_link_refused(a, "weak", "a",
                        "Path 'a' does not uniquely identify an object");
    object_unparent(a);
    object_unparent(o);
}

static void test_alias_of_a_child_is_a_link(void)
{
    Object *a = add(root(), "a", TYPE_NODE), *b = add(a, "b", TYPE_NODE);
    ObjectProperty *alias = object_property_add_alias(root(), "it", a, "b");

    g_assert_cmpstr(alias->type, ==, "link<test-node>");
    g_assert_true(object_resolve_path("/test/it", NULL) == b);
    object_property_del(root(), "it");
    object_unparent(a);
}

/* --- what users create ---------------------------------------------------- */

/* @json has ' for ". */
static bool create(const char *json, bool keyval, Error **errp)
{
    g_auto(GStrv) parts = g_strsplit(json, "'", 0);
    g_autofree char *quoted = g_strjoinv("\"", parts);
    g_autoptr(JsonNode) node = json_from_string(quoted, NULL);

    return user_creatable_add_from_json(json_node_get_object(node), keyval,
                                        errp);
}

static void test_user_creates_and_deletes(void)
{
    g_assert_true(create("{'qom-type':'test-thing','id':'t0','size':4096}",
                         false, &error_abort));
    g_assert_true(create("{'qom-type':'test-thing','id':'t1','size':'4k'}",
                         true, &error_abort));
    assert_property(object_resolve_path("/objects/t1", NULL), "size", "4096");
    g_assert_true(user_creatable_del("t0", &error_abort));
    g_assert_cmpint(things_alive, ==, 1);
    g_assert_true(user_creatable_del("t1", &error_abort));
    g_assert_cmpint(things_alive, ==, 0);
}

static void test_refused_creation_leaves_nothing(void)
{
    static const struct {
        const char *json;
        const char *message;
    } cases[] = {
        { "{'id':'t'}", "Parameter 'qom-type' is missing" },
        { "{'qom-type':'test-thing'}", "Parameter 'id' is missing" },
        { "{'qom-type':7,'id':'t'}",
          "Invalid parameter type for 'qom-type', expected: string" },
        { "{'qom-type':'test-thing','id':'/t'}",
          "Parameter 'id' expects an identifier: a letter, then letters, "
          "digits, '-', '.', '_'" },
        { "{'qom-type':'nobody','id':'t'}", "invalid object type: nobody" },
        { "{'qom-type':'test-node','id':'t'}",
          "object type 'test-node' isn't supported by object-add" },
        { "{'qom-type':'abstract-thing','id':'t'}",
          "object type 'abstract-thing' is abstract" },
        { "{'qom-type':'test-thing','id':'t','foo':1}",
          "Property 'test-thing.foo' not found" },
        { "{'qom-type':'test-thing','id':'t','size':'4k'}",
          "Invalid parameter type for 'size', expected: integer" },
        { "{'qom-type':'test-thing','id':'t'}", "no size" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        Error *err = NULL;

        g_assert_false(create(cases[i].json, false, &err));
        g_assert_cmpstr(error_get_pretty(err), ==, cases[i].message);
        error_free(err);
        g_assert_cmpint(things_alive, ==, 0);
        g_assert_null(object_resolve_path("/objects/t", NULL));
    }
}

static void assert_delete_refused(const char *id, const char *message)
{
    Error *err = NULL;

    g_assert_false(user_creatable_del(id, &err));
    g_assert_cmpstr(error_get_pretty(err), ==, message);
    error_free(err);
}

static void test_delete_refuses_what_is_used_or_not_there(void)
{
    create("{'qom-type':'test-thing','id':'t','size':1}", false, &error_abort);
    THING(object_resolve_path("/objects/t", NULL))->busy = true;
    assert_delete_refused("t", "object 't' is in use, can not be deleted");
    assert_delete_refused("u", "object 'u' not found");
    g_assert_false(create("{'qom-type':'test-thing','id':'t','size':1}", false,
                          NULL));
    THING(object_resolve_path("/objects/t", NULL))->busy = false;
    g_assert_true(user_creatable_del("t", &error_abort));
    g_assert_cmpint(things_alive, ==, 0);
}

static void add_test(const char *name, void (*fn)(void))
{
    g_autofree char *path = g_strdup_printf("/qom-tree/%s", name);

    g_test_add_func(path, fn);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add_test("parent-holds-its-children", test_parent_holds_its_children);
    add_test("unparented-object-lives-on-its-references",
             test_unparented_object_lives_on_its_references);
    add_test("child-value-is-its-path", test_child_value_is_its_path);
    add_test("second-child-of-a-name-is-refused",
             test_second_child_of_a_name_is_refused);
    g_test_add_data_func("/qom-tree/misuse-aborts/two-parents",
                         (gconstpointer)two_parents, test_misuse_aborts);
    g_test_add_data_func("/qom-tree/misuse-aborts/own-ancestor",
                         (gconstpointer)own_ancestor, test_misuse_aborts);
    add_test("children-may-go-during-a-walk",
             test_children_may_go_during_a_walk);
    add_test("walk-stops-at-the-first-nonzero-result",
             test_walk_stops_at_the_first_nonzero_result);
    add_test("partial-path-must-be-unique", test_partial_path_must_be_unique);
    add_test("absolute-paths-are-exact", test_absolute_paths_are_exact);
    add_test("link-holds-and-follows", test_link_holds_and_follows);
    add_test("linked-object-outlives-its-place",
             test_linked_object_outlives_its_place);
    add_test("links-check-their-target", test_links_check_their_target);
    add_test("alias-of-a-child-is-a-link", test_alias_of_a_child_is_a_link);
    add_test("user-creates-and-deletes", test_user_creates_and_deletes);
    add_test("refused-creation-leaves-nothing",
             test_refused_creation_leaves_nothing);
    add_test("delete-refuses-what-is-used-or-not-there",
             test_delete_refuses_what_is_used_or_not_there);
    return g_test_run();
}
