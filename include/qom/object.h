/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The object model: types with single inheritance and interfaces, instances
 * with reference counts, properties, and one composition tree whose paths
 * (/machine/peripheral/ID, /objects/ID) name every object.
 *
 * Types are registered before main() (type_init) and looked up by name; a
 * class comes to life when its type is first used. QEMU's names and
 * signatures. All functions run under the big lock, except object_ref() and
 * object_unref(), which any thread may call as long as it does not drop the
 * last reference.
 */
#ifndef QOM_OBJECT_H
#define QOM_OBJECT_H

struct QEnumLookup;

#define TYPE_OBJECT "object"
#define TYPE_INTERFACE "interface"
#define TYPE_CONTAINER "container"

struct TypeInfo {
    const char *name;
    const char *parent;
    size_t instance_size;                 /* 0: the parent's */
    void (*instance_init)(Object *obj);   /* parent's runs first */
    void (*instance_post_init)(Object *obj); /* after all instance_init */
    void (*instance_finalize)(Object *obj);  /* parent's runs last */
    bool abstract;                        /* object_new() refuses */
    size_t class_size;                    /* 0: the parent's */
    void (*class_init)(ObjectClass *klass, void *data);
    /* For each class below this one, before its own class_init. */
    void (*class_base_init)(ObjectClass *klass, void *data);
    void *class_data;
    InterfaceInfo *interfaces;            /* ends with a NULL type */
};

struct InterfaceInfo {
    const char *type;
};

/* The first member of each class struct. Private to qom/. */
struct ObjectClass {
    Type type;
    GSList *interfaces;
    GHashTable *properties;
    void (*unparent)(Object *obj);
};

/* The first member of each instance struct. Private to qom/. */
struct Object {
    ObjectClass *class;
    void (*free)(void *obj);              /* NULL: embedded, not freed */
    GHashTable *properties;
    uint32_t ref;
    Object *parent;
};

/* An interface's class struct begins with this; its instance is the object. */
struct InterfaceClass {
    ObjectClass parent_class;
    ObjectClass *concrete_class;
    Type interface_type;
};

typedef void ObjectPropertyAccessor(Object *obj, Visitor *v, const char *name,
                                    void *opaque, Error **errp);
/* Called when the property (or its object) goes away. */
typedef void ObjectPropertyRelease(Object *obj, const char *name, void *opaque);
/* For link<>: resolves the child by which a path continues, or NULL. */
typedef Object *ObjectPropertyResolve(Object *obj, void *opaque,
                                      const char *part);

struct ObjectProperty {
    char *name;
    char *type;                           /* "bool", "size", "link<x>", ... */
    char *description;
    ObjectPropertyAccessor *get;          /* NULL: write only */
    ObjectPropertyAccessor *set;          /* NULL: read only */
    ObjectPropertyResolve *resolve;
    ObjectPropertyRelease *release;
    void *opaque;
};

/*
 * Casts. OBJECT_CHECK aborts, with both names, if the object is not of the
 * type; that is a programming error.
 */
#define OBJECT(obj) ((Object *)(obj))
#define OBJECT_CLASS(klass) ((ObjectClass *)(klass))
#define OBJECT_CHECK(type, obj, name)                                        \
    ((type *)object_dynamic_cast_assert(OBJECT(obj), (name), __FILE__,       \
                                        __LINE__, __func__))
#define OBJECT_CLASS_CHECK(class_type, klass, name)                          \
    ((class_type *)object_class_dynamic_cast_assert(                         \
        OBJECT_CLASS(klass), (name), __FILE__, __LINE__, __func__))
#define OBJECT_GET_CLASS(class_type, obj, name)                              \
    OBJECT_CLASS_CHECK(class_type, object_get_class(OBJECT(obj)), name)
/* An interface "instance" is an incomplete type: the object, seen as one. */
#define INTERFACE_CHECK(interface, obj, name)                                \
    ((interface *)object_dynamic_cast_assert(OBJECT(obj), (name), __FILE__,  \
                                             __LINE__, __func__))
#define INTERFACE_CLASS(klass)                                               \
    OBJECT_CLASS_CHECK(InterfaceClass, klass, TYPE_INTERFACE)

#define DECLARE_INSTANCE_CHECKER(InstanceType, OBJ_NAME, TYPENAME)           \
    static inline G_GNUC_UNUSED InstanceType *OBJ_NAME(const void *obj)      \
    { return OBJECT_CHECK(InstanceType, obj, TYPENAME); }

#define DECLARE_CLASS_CHECKERS(ClassType, OBJ_NAME, TYPENAME)                \
    static inline G_GNUC_UNUSED ClassType *OBJ_NAME##_GET_CLASS(             \
        const void *obj)                                                     \
    { return OBJECT_GET_CLASS(ClassType, obj, TYPENAME); }                   \
    static inline G_GNUC_UNUSED ClassType *OBJ_NAME##_CLASS(                 \
        const void *klass)                                                   \
    { return OBJECT_CLASS_CHECK(ClassType, klass, TYPENAME); }

#define DECLARE_OBJ_CHECKERS(InstanceType, ClassType, OBJ_NAME, TYPENAME)    \
    DECLARE_INSTANCE_CHECKER(InstanceType, OBJ_NAME, TYPENAME)               \
    DECLARE_CLASS_CHECKERS(ClassType, OBJ_NAME, TYPENAME)

/* Typedefs, g_autoptr and the casts of a type with instance and class. */
#define OBJECT_DECLARE_TYPE(InstanceType, ClassType, OBJ_NAME)               \
    typedef struct InstanceType InstanceType;                                \
    typedef struct ClassType ClassType;                                      \
    G_DEFINE_AUTOPTR_CLEANUP_FUNC(InstanceType, object_unref)                \
    DECLARE_OBJ_CHECKERS(InstanceType, ClassType, OBJ_NAME, TYPE_##OBJ_NAME)

/* The same for a type without a class of its own. */
#define OBJECT_DECLARE_SIMPLE_TYPE(InstanceType, OBJ_NAME)                   \
    typedef struct InstanceType InstanceType;                                \
    G_DEFINE_AUTOPTR_CLEANUP_FUNC(InstanceType, object_unref)                \
    DECLARE_INSTANCE_CHECKER(InstanceType, OBJ_NAME, TYPE_##OBJ_NAME)

/* --- types --- */

/* Registers a type; @info may go away afterwards, its strings may not. */
Type type_register_static(const TypeInfo *info);
/* Registers @nr_infos types. */
void type_register_static_array(const TypeInfo *infos, int nr_infos);
#define DEFINE_TYPES(type_array)                                             \
    static void do_qemu_init_##type_array(void)                              \
    { type_register_static_array(type_array, ARRAY_SIZE(type_array)); }      \
    type_init(do_qemu_init_##type_array)

/* The class of @typename (initialised on the way), or NULL: no such type. */
ObjectClass *object_class_by_name(const char *typename);
const char *object_class_get_name(ObjectClass *klass);
/* The parent's class; NULL for TYPE_OBJECT and for interfaces' root. */
ObjectClass *object_class_get_parent(ObjectClass *klass);
bool object_class_is_abstract(ObjectClass *klass);
/* @klass as @typename (for an interface: the interface's class), or NULL. */
ObjectClass *object_class_dynamic_cast(ObjectClass *klass,
                                       const char *typename);
ObjectClass *object_class_dynamic_cast_assert(ObjectClass *klass,
                                              const char *typename,
                                              const char *file, int line,
                                              const char *func);
/* The classes that implement @implements_type (NULL: all), sorted by name. */
GSList *object_class_get_list_sorted(const char *implements_type,
                                     bool include_abstract);

/* --- instances --- */

/* A new object with one reference, the caller's. Abstract: abort. */
Object *object_new(const char *typename);
/* An object in @data, of @size bytes, freed by whoever embeds it. */
void object_initialize(void *data, size_t size, const char *typename);
/* The same, as child @childname of @parent, which holds the reference. */
void object_initialize_child_with_props_size(Object *parent,
                                             const char *childname, void *child,
                                             size_t size, const char *type);
#define object_initialize_child(parent, name, child, type)                   \
    object_initialize_child_with_props_size((parent), (name), (child),       \
                                            sizeof(*(child)), (type))
Object *object_ref(void *obj);
/* Drops a reference; the last one finalizes and, unless embedded, frees. */
void object_unref(void *obj);
/* Drops a reference that is not the last one; false: it is, and stays the
 * caller's. Any thread. */
bool object_unref_unless_last(void *obj);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Object, object_unref)

ObjectClass *object_get_class(Object *obj);
const char *object_get_typename(const Object *obj);
/* @obj if it is a @typename or implements it, else NULL. NULL is fine. */
Object *object_dynamic_cast(Object *obj, const char *typename);
Object *object_dynamic_cast_assert(Object *obj, const char *typename,
                                   const char *file, int line,
                                   const char *func);

/* --- properties --- */

/* @name may end with "[*]": the first free number is taken. */
ObjectProperty *object_property_add(Object *obj, const char *name,
                                    const char *type,
                                    ObjectPropertyAccessor *get,
                                    ObjectPropertyAccessor *set,
                                    ObjectPropertyRelease *release,
                                    void *opaque);
/* The same; NULL and *errp if @obj already has a property @name. */
ObjectProperty *object_property_try_add(Object *obj, const char *name,
                                        const char *type,
                                        ObjectPropertyAccessor *get,
                                        ObjectPropertyAccessor *set,
                                        ObjectPropertyRelease *release,
                                        void *opaque, Error **errp);
ObjectProperty *object_class_property_add(ObjectClass *klass, const char *name,
                                          const char *type,
                                          ObjectPropertyAccessor *get,
                                          ObjectPropertyAccessor *set,
                                          ObjectPropertyRelease *release,
                                          void *opaque);
void object_class_property_set_description(ObjectClass *klass, const char *name,
                                           const char *description);
void object_property_del(Object *obj, const char *name);
/* NULL if there is none (object's own first, then the classes'). */
ObjectProperty *object_property_find(Object *obj, const char *name);
/* Calls @fn for each property, sorted by name: the class's and the object's. */
void object_property_foreach(Object *obj,
                             void (*fn)(ObjectProperty *prop, void *opaque),
                             void *opaque);
void object_class_property_foreach(ObjectClass *klass,
                                   void (*fn)(ObjectProperty *prop,
                                              void *opaque), void *opaque);

bool object_property_set(Object *obj, const char *name, Visitor *v,
                         Error **errp);
bool object_property_get(Object *obj, const char *name, Visitor *v,
                         Error **errp);
bool object_property_set_str(Object *obj, const char *name, const char *value,
                             Error **errp);
bool object_property_set_uint(Object *obj, const char *name, uint64_t value,
                              Error **errp);
/* @value as text, the way the command line gives it ("on", "2G"). */
bool object_property_parse(Object *obj, const char *name, const char *value,
                           Error **errp);

/* Common kinds of property; without @set it is read only. */
ObjectProperty *object_class_property_add_str(ObjectClass *klass,
                                              const char *name,
                                              char *(*get)(Object *, Error **),
                                              void (*set)(Object *,
                                                          const char *,
                                                          Error **));
ObjectProperty *object_class_property_add_bool(ObjectClass *klass,
                                               const char *name,
                                               bool (*get)(Object *, Error **),
                                               void (*set)(Object *, bool,
                                                           Error **));
ObjectProperty *object_class_property_add_enum(ObjectClass *klass,
                                               const char *name,
                                               const char *typename,
                                               const struct QEnumLookup *lookup,
                                               int (*get)(Object *, Error **),
                                               void (*set)(Object *, int,
                                                           Error **));

/*
 * @obj becomes a child of @parent under @name, which takes a reference of its
 * own and drops it when the property goes. An object has one parent at most.
 */
ObjectProperty *object_property_add_child(Object *obj, const char *name,
                                          Object *child);
/* The same; NULL and *errp if @obj already has a property @name. */
ObjectProperty *object_property_try_add_child(Object *obj, const char *name,
                                              Object *child, Error **errp);
typedef enum {
    OBJ_PROP_LINK_STRONG = 1 << 0,        /* the link holds a reference */
} ObjectPropertyLinkFlags;
/*
 * A link to an object of @type (checked). *@targetp is the link's storage,
 * NULL or an object. @check may refuse a value; NULL makes it read only.
 */
ObjectProperty *object_property_add_link(Object *obj, const char *name,
                                         const char *type, Object **targetp,
                                         void (*check)(const Object *obj,
                                                       const char *name,
                                                       Object *val,
                                                       Error **errp),
                                         ObjectPropertyLinkFlags flags);
/* @obj.@name is read and written as @target_obj.@target_name. */
ObjectProperty *object_property_add_alias(Object *obj, const char *name,
                                          Object *target_obj,
                                          const char *target_name);

/* --- composition tree --- */

/* The root, "/". */
Object *object_get_root(void);
/* /objects, where -object puts things. */
Object *object_get_objects_root(void);
/* The container at @path (absolute, without the leading root's name). */
Object *container_get(Object *root, const char *path);
/* Removes @obj from its parent, which may drop its last reference. */
void object_unparent(Object *obj);
/* Absolute path, or NULL if not in the tree; the caller's to g_free(). */
char *object_get_canonical_path(const Object *obj);
/* The last part of the path; borrowed; NULL if not in the tree. */
const char *object_get_canonical_path_component(const Object *obj);
/*
 * The object at an absolute path, or the one at a partial path if exactly one
 * fits. *@ambiguous (may be NULL) tells why there is none. Borrowed.
 */
Object *object_resolve_path(const char *path, bool *ambiguous);
Object *object_resolve_path_type(const char *path, const char *typename,
                                 bool *ambiguous);
Object *object_resolve_path_component(Object *parent, const char *part);
/* Stops at, and returns, the first nonzero @fn returns. */
int object_child_foreach(Object *obj, int (*fn)(Object *child, void *opaque),
                         void *opaque);
int object_child_foreach_recursive(Object *obj,
                                   int (*fn)(Object *child, void *opaque),
                                   void *opaque);

#endif
