/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Types, classes, casts, properties and the life of objects (qom/object.h). */
#include "qemu/osdep.h"

#include "property-value.h"
#include "qapi/visitor.h"
#include "qom/object.h"

/* --- the types ------------------------------------------------------------ */

#define TYPE_ANIMAL "animal"
OBJECT_DECLARE_TYPE(Animal, AnimalClass, ANIMAL)
#define TYPE_DOG "dog"
OBJECT_DECLARE_SIMPLE_TYPE(Dog, DOG)
#define TYPE_PUPPY "puppy"

#define TYPE_SPEAKER "speaker"
typedef struct Speaker Speaker;
typedef struct SpeakerClass SpeakerClass;
DECLARE_OBJ_CHECKERS(Speaker, SpeakerClass, SPEAKER, TYPE_SPEAKER)
#define TYPE_SINGER "singer"              /* a kind of speaker */
#define TYPE_ROBOT "robot"

struct AnimalClass {
    ObjectClass parent_class;
    int legs;
    int bases;                            /* class_base_init calls */
};

struct Animal {
    Object parent_obj;
    char *name;
    bool tame;
    int mood;
    uint32_t age;
    uint32_t weight;
};

struct Dog {
    Animal parent_obj;
    int tricks;
};

struct SpeakerClass {
    InterfaceClass parent_class;
    const char *(*speak)(Speaker *s);
};

/* What happened, in order. */
static GString *history;

static char *animal_get_name(Object *obj, Error **errp)
{
    return g_strdup(ANIMAL(obj)->name);
}

static void animal_set_name(Object *obj, const char *value, Error **errp)
{
    if (!*value) {
        error_setg(errp, "a name cannot be empty");
        return;
    }
    g_free(ANIMAL(obj)->name);
    ANIMAL(obj)->name = g_strdup(value);
}

static bool animal_get_tame(Object *obj, Error **errp)
{
    return ANIMAL(obj)->tame;
}

static void animal_set_tame(Object *obj, bool value, Error **errp)
{
    ANIMAL(obj)->tame = value;
}

static const char *const moods[] = { "good", "bad" };
static const QEnumLookup mood_lookup = { moods, 2 };

static int animal_get_mood(Object *obj, Error **errp)
{
    return ANIMAL(obj)->mood;
}

static void animal_set_mood(Object *obj, int value, Error **errp)
{
    ANIMAL(obj)->mood = value;
}

static void animal_number(Object *obj, Visitor *v, const char *name,
                          void *opaque, Error **errp)
{
    visit_type_uint32(v, name, opaque, errp);
}

static void animal_init(Object *obj)
{
    g_string_append(history, "animal+ ");
    object_property_add(obj, "age", "uint32", animal_number, animal_number,
                        NULL, &ANIMAL(obj)->age);
    object_property_add(obj, "weight", "uint32", animal_number, NULL, NULL,
                        &ANIMAL(obj)->weight);
}

static void animal_post_init(Object *obj)
{
    g_string_append(history, "animal++ ");
}

static void animal_finalize(Object *obj)
{
    g_string_append(history, "animal- ");
    g_free(ANIMAL(obj)->name);
}

static void animal_class_init(ObjectClass *klass, void *data)
{
    ANIMAL_CLASS(klass)->legs = 4;
    object_class_property_add_str(klass, "name", animal_get_name,
                                  animal_set_name);
    object_class_property_add_bool(klass, "tame", animal_get_tame,
                                   animal_set_tame);
    object_class_property_add_enum(klass, "mood", "Mood", &mood_lookup,
                                   animal_get_mood, animal_set_mood);
    object_class_property_set_description(klass, "name", "how it is called");
}

static void animal_class_base_init(ObjectClass *klass, void *data)
{
    ANIMAL_CLASS(klass)->bases++;
}

static void dog_init(Object *obj)
{
    g_string_append(history, "dog+ ");
}

static void dog_finalize(Object *obj)
{
    g_string_append(history, "dog- ");
}

static const char *dog_speak(Speaker *s)
{
    return "woof";
}

static const char *default_speak(Speaker *s)
{
    return "...";
}

static void dog_class_init(ObjectClass *klass, void *data)
{
    SPEAKER_CLASS(klass)->speak = dog_speak;
    object_class_property_add(klass, "secret", "int", NULL, NULL, NULL, NULL);
}

static void speaker_class_init(ObjectClass *klass, void *data)
{
    SPEAKER_CLASS(klass)->speak = default_speak;
}

static const TypeInfo types[] = {
    {
        .name = TYPE_ANIMAL,
        .parent = TYPE_OBJECT,
        .abstract = true,
        .instance_size = sizeof(Animal),
        .instance_init = animal_init,
        .instance_post_init = animal_post_init,
        .instance_finalize = animal_finalize,
        .class_size = sizeof(AnimalClass),
        .class_init = animal_class_init,
        .class_base_init = animal_class_base_init,
    }, {
        .name = TYPE_DOG,
        .parent = TYPE_ANIMAL,
        .instance_size = sizeof(Dog),
        .instance_init = dog_init,
        .instance_finalize = dog_finalize,
        .class_init = dog_class_init,
        .interfaces = (InterfaceInfo[]) { { TYPE_SPEAKER }, { NULL } },
    }, {
        .name = TYPE_PUPPY,
        .parent = TYPE_DOG,
    }, {
        .name = TYPE_SPEAKER,
        .parent = TYPE_INTERFACE,
        .class_size = sizeof(SpeakerClass),
        .class_init = speaker_class_init,
    }, {
        .name = TYPE_SINGER,
        .parent = TYPE_SPEAKER,
    }, {
        .name = "shouter",
        .parent = TYPE_SPEAKER,
    }, {
        .name = TYPE_ROBOT,
        .parent = TYPE_OBJECT,
        .instance_size = sizeof(Object),
        .interfaces = (InterfaceInfo[]) {
            { TYPE_SINGER }, { "shouter" }, { NULL }
        },
    },
};

DEFINE_TYPES(types)

/* --- classes and casts ---------------------------------------------------- */

static void test_class_inherits_from_its_parent(void)
{
    AnimalClass *ac = ANIMAL_CLASS(object_class_by_name(TYPE_PUPPY));

    g_assert_cmpint(ac->legs, ==, 4);
    g_assert_cmpint(ac->bases, ==, 2);
    g_assert_cmpstr(object_class_get_name(
                        object_class_get_parent(OBJECT_CLASS(ac))), ==,
                    TYPE_DOG);
    g_assert_false(object_class_is_abstract(OBJECT_CLASS(ac)));
    g_assert_true(object_class_is_abstract(object_class_by_name(TYPE_ANIMAL)));
    g_assert_null(object_class_get_parent(object_class_by_name(TYPE_OBJECT)));
    g_assert_null(object_class_by_name("nobody"));
}

static void test_casts_go_up_only(void)
{
    g_autoptr(Object) dog = object_new(TYPE_DOG);
    g_autofree char *unmerged = g_strdup(TYPE_ANIMAL);

    for (int cached = 0; cached < 2; cached++) {
        g_assert_true(object_dynamic_cast(dog, TYPE_DOG) == dog);
        g_assert_true(object_dynamic_cast(dog, unmerged) == dog);
        g_assert_true(object_dynamic_cast(dog, TYPE_OBJECT) == dog);
        g_assert_null(object_dynamic_cast(dog, TYPE_PUPPY));
        g_assert_null(object_dynamic_cast(dog, TYPE_ROBOT));
        g_assert_null(object_dynamic_cast(dog, "nobody"));
    }
    g_assert_null(object_dynamic_cast(NULL, TYPE_DOG));
    g_assert_true(DOG(dog) == (Dog *)dog);
}

static void test_interface_class_is_inherited(void)
{
    g_autoptr(Object) puppy = object_new(TYPE_PUPPY);
    Speaker *speaker = SPEAKER(puppy);

    g_assert_cmpstr(SPEAKER_GET_CLASS(speaker)->speak(speaker), ==, "woof");
    g_assert_cmpstr(
        SPEAKER_CLASS(object_class_by_name(TYPE_SPEAKER))->speak(NULL), ==,
        "...");
    g_assert_true(SPEAKER_GET_CLASS(speaker)->parent_class.concrete_class ==
                  object_get_class(puppy));
}

static void test_ambiguous_interface_is_none(void)
{
    ObjectClass *robot = object_class_by_name(TYPE_ROBOT);

    g_assert_nonnull(object_class_dynamic_cast(robot, TYPE_SINGER));
    g_assert_nonnull(object_class_dynamic_cast(robot, "shouter"));
    g_assert_null(object_class_dynamic_cast(robot, TYPE_SPEAKER));
}

static void test_class_lists_are_filtered_and_sorted(void)
{
    g_autoptr(GSList) animals = object_class_get_list_sorted(TYPE_ANIMAL,
                                                             false);
    g_autoptr(GSList) all = object_class_get_list_sorted(TYPE_ANIMAL, true);
    g_autoptr(GSList) speakers = object_class_get_list_sorted(TYPE_SINGER,
                                                              false);

    g_assert_cmpuint(g_slist_length(animals), ==, 2);
    g_assert_cmpstr(object_class_get_name(animals->data), ==, TYPE_DOG);
    g_assert_cmpstr(object_class_get_name(animals->next->data), ==, TYPE_PUPPY);
    g_assert_cmpuint(g_slist_length(all), ==, 3);
    g_assert_cmpuint(g_slist_length(speakers), ==, 2);
}

static void wrong_cast(void)
{
    ANIMAL(object_new(TYPE_ROBOT));
}

static void wrong_class_cast(void)
{
    SPEAKER_CLASS(object_class_by_name(TYPE_ANIMAL));
}

static void new_abstract(void)
{
    object_new(TYPE_ANIMAL);
}

static void new_unknown(void)
{
    object_new("nobody");
}

static void own_ancestor(void)
{
    static const TypeInfo a = { .name = "a", .parent = "b" };
    static const TypeInfo b = { .name = "b", .parent = "a" };

    type_register_static(&a);
    type_register_static(&b);
    object_new("a");
}

static void unknown_parent(void)
{
    static const TypeInfo orphan = { .name = "orphan", .parent = "nobody" };

    type_register_static(&orphan);
    object_new("orphan");
}

static void registered_twice(void)
{
    type_register_static_array(types, 1);
}

static void duplicate_property(void)
{
    object_property_add(object_new(TYPE_DOG), "tame", "bool", NULL, NULL, NULL,
                        NULL);
}

static void unref_too_often(void)
{
    g_autofree Object *obj = g_malloc0(sizeof(Object));

    object_initialize(obj, sizeof(*obj), TYPE_CONTAINER);
    object_unref(obj);
    object_unref(obj);
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

/* --- life ----------------------------------------------------------------- */

static void test_life_goes_down_and_up_the_types(void)
{
    Object *dog;

    g_string_truncate(history, 0);
    dog = object_new(TYPE_DOG);
    object_ref(dog);
    object_unref(dog);
    object_unref(dog);
    g_assert_cmpstr(history->str, ==, "animal+ dog+ animal++ dog- animal- ");
}

static void test_embedded_objects_are_not_freed(void)
{
    g_autofree Dog *dog = g_malloc(sizeof(Dog));

    memset(dog, 0xff, sizeof(*dog));
    object_initialize(dog, sizeof(*dog), TYPE_DOG);
    g_assert_cmpint(dog->tricks, ==, 0);
    object_unref(dog);
    g_assert_cmpuint(OBJECT(dog)->ref, ==, 0);
}

/* --- properties ----------------------------------------------------------- */

static void test_properties_are_set_and_got(void)
{
    g_autoptr(Object) dog = object_new(TYPE_DOG);

    object_property_set_str(dog, "name", "Rex", &error_abort);
    object_property_set_str(dog, "mood", "bad", &error_abort);
    object_property_set_uint(dog, "age", 7, &error_abort);
    assert_property(dog, "name", "Rex");
    assert_property(dog, "mood", "bad");
    assert_property(dog, "tame", "false");
    assert_property(dog, "age", "7");
}

static void test_properties_are_parsed_from_text(void)
{
    g_autoptr(Object) dog = object_new(TYPE_DOG);

    object_property_parse(dog, "age", "0x10", &error_abort);
    object_property_parse(dog, "tame", "on", &error_abort);
    g_assert_cmpuint(ANIMAL(dog)->age, ==, 16);
    g_assert_true(ANIMAL(dog)->tame);
    g_assert_false(object_property_parse(dog, "age", "old", NULL));
    g_assert_cmpuint(ANIMAL(dog)->age, ==, 16);
}

static void assert_refused(Object *obj, const char *name, const char *message)
{
    Error *err = NULL;

    g_assert_false(object_property_set_uint(obj, name, 1, &err));
    g_assert_cmpstr(error_get_pretty(err), ==, message);
    error_free(err);
}

static void test_refusals_are_worded_for_qmp(void)
{
    g_autoptr(Object) dog = object_new(TYPE_DOG);
    g_autoptr(Visitor) v = visitor_output_new();
    Error *err = NULL;

    assert_refused(dog, "foo", "Property 'dog.foo' not found");
    assert_refused(dog, "weight", "Property 'dog.weight' is not writable");
    assert_refused(dog, "name",
                   "Invalid parameter type for 'name', expected: string");
    g_assert_false(object_property_get(dog, "secret", v, &err));
    g_assert_cmpstr(error_get_pretty(err), ==,
                    "Property 'dog.secret' is not readable");
    error_free(err);
    g_assert_false(object_property_set_str(dog, "name", "", NULL));
}

static void test_numbers_for_brackets_are_the_first_free(void)
{
    g_autoptr(Object) dog = object_new(TYPE_DOG);

    for (int i = 0; i < 3; i++) {
        object_property_add(dog, "x[*]", "bool", NULL, NULL, NULL, NULL);
    }
    object_property_del(dog, "x[1]");
    g_assert_cmpstr(object_property_add(dog, "x[*]", "bool", NULL, NULL, NULL,
                                        NULL)->name, ==, "x[1]");
    g_assert_nonnull(object_property_find(dog, "x[2]"));
    g_assert_null(object_property_find(dog, "x[3]"));
}

static void release(Object *obj, const char *name, void *opaque)
{
    g_string_append_printf(history, "%s! ", name);
}

static void test_release_runs_when_a_property_goes(void)
{
    Object *dog = object_new(TYPE_DOG);

    object_property_add(dog, "a", "x", NULL, NULL, release, NULL);
    object_property_add(dog, "b", "x", NULL, NULL, release, NULL);
    g_string_truncate(history, 0);
    object_property_del(dog, "a");
    g_assert_cmpstr(history->str, ==, "a! ");
    object_unref(dog);
    g_assert_cmpstr(history->str, ==, "a! b! dog- animal- ");
}

static void collect_name(ObjectProperty *prop, void *opaque)
{
    g_string_append_printf(opaque, "%s ", prop->name);
}

static void test_foreach_is_sorted(void)
{
    g_autoptr(Object) dog = object_new(TYPE_DOG);
    g_autoptr(GString) names = g_string_new(NULL);

    object_property_foreach(dog, collect_name, names);
    g_assert_cmpstr(names->str, ==, "age mood name secret tame type weight ");
    g_string_truncate(names, 0);
    object_class_property_foreach(object_get_class(dog), collect_name, names);
    g_assert_cmpstr(names->str, ==, "mood name secret tame type ");
}

static void test_alias_reaches_its_target(void)
{
    g_autoptr(Object) dog = object_new(TYPE_DOG);
    g_autoptr(Object) robot = object_new(TYPE_ROBOT);
    ObjectProperty *alias = object_property_add_alias(robot, "pet-name", dog,
                                                      "name");

    object_property_set_str(robot, "pet-name", "Rex", &error_abort);
    g_assert_cmpstr(ANIMAL(dog)->name, ==, "Rex");
    g_assert_cmpstr(alias->type, ==, "string");
    g_assert_cmpstr(alias->description, ==, "how it is called");
    object_property_add_alias(robot, "pet-weight", dog, "weight");
    g_assert_false(object_property_set_uint(robot, "pet-weight", 1, NULL));
}

static void add_misuse(const char *name, void (*misuse)(void))
{
    g_autofree char *path = g_strdup_printf("/qom/misuse-aborts/%s", name);

    g_test_add_data_func(path, (gconstpointer)misuse, test_misuse_aborts);
}

int main(int argc, char **argv)
{
    int ret;

    history = g_string_new(NULL);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/qom/class-inherits-from-its-parent",
                    test_class_inherits_from_its_parent);
    g_test_add_func("/qom/casts-go-up-only", test_casts_go_up_only);
    g_test_add_func("/qom/interface-class-is-inherited",
                    test_interface_class_is_inherited);
    g_test_add_func("/qom/ambiguous-interface-is-none",
                    test_ambiguous_interface_is_none);
    add_misuse("wrong-cast", wrong_cast);
    add_misuse("wrong-class-cast", wrong_class_cast);
    add_misuse("new-abstract", new_abstract);
    add_misuse("new-unknown", new_unknown);
    add_misuse("own-ancestor", own_ancestor);
    add_misuse("registered-twice", registered_twice);
    add_misuse("unknown-parent", unknown_parent);
    add_misuse("duplicate-property", duplicate_property);
    add_misuse("unref-too-often", unref_too_often);
    g_test_add_func("/qom/class-lists-are-filtered-and-sorted",
                    test_class_lists_are_filtered_and_sorted);
    g_test_add_func("/qom/life-goes-down-and-up-the-types",
                    test_life_goes_down_and_up_the_types);
    g_test_add_func("/qom/embedded-objects-are-not-freed",
                    test_embedded_objects_are_not_freed);
    g_test_add_func("/qom/properties-are-set-and-got",
                    test_properties_are_set_and_got);
    g_test_add_func("/qom/properties-are-parsed-from-text",
                    test_properties_are_parsed_from_text);
    g_test_add_func("/qom/refusals-are-worded-for-qmp",
                    test_refusals_are_worded_for_qmp);
    g_test_add_func("/qom/numbers-for-brackets-are-the-first-free",
                    test_numbers_for_brackets_are_the_first_free);
    g_test_add_func("/qom/release-runs-when-a-property-goes",
                    test_release_runs_when_a_property_goes);
    g_test_add_func("/qom/foreach-is-sorted", test_foreach_is_sorted);
    g_test_add_func("/qom/alias-reaches-its-target",
                    test_alias_reaches_its_target);
    ret = g_test_run();
    g_string_free(history, TRUE);
    return ret;
}
