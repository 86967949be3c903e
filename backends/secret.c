/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -object secret: a password or key, given as text (data=) or as a file. That
 * it can be had is checked when the object is made; the file is read, and no
 * copy is kept. QEMU's storage daemon asks for secrets, of encrypted images; QMP
 * cannot read them.
 */
#include "qemu/osdep.h"

#include "qapi/error.h"
#include "qapi/visitor.h"
#include "qemu/fdset.h"
#include "qemu/units.h"
#include "qom/object_interfaces.h"
#include "sysemu/secret.h"

#define TYPE_SECRET "secret"
OBJECT_DECLARE_SIMPLE_TYPE(Secret, SECRET)

/* No key is as long. Bytes. */
#define SECRET_MAX (1 * MiB)

typedef enum SecretFormat {
    SECRET_FORMAT_RAW,
    SECRET_FORMAT_BASE64,
    SECRET_FORMAT__MAX,
} SecretFormat;

static const QEnumLookup SecretFormat_lookup = {
    .array = (const char *const[]) {
        [SECRET_FORMAT_RAW] = "raw",
        [SECRET_FORMAT_BASE64] = "base64",
    },
    .size = SECRET_FORMAT__MAX,
};

struct Secret {
    Object parent_obj;

    char *data;
    char *file;
    SecretFormat format;
};

static void wipe(char **text)
{
    if (*text) {
        explicit_bzero(*text, strlen(*text));
        g_clear_pointer(text, g_free);
    }
}

/* --- is it there? -------------------------------------------------------- */

static bool check_file(const char *path, Error **errp)
{
    ERRP_GUARD();
    g_autofree char *first = g_malloc(SECRET_MAX + 1);
    int fd = fdset_open_read(path, errp);
    FILE *file;
    size_t len;
    int err;

    if (fd < 0) {
        error_prepend(errp, "the secret cannot be read: file=");
        return false;
    }
    file = fdopen(fd, "r");
    errno = 0;
    len = fread(first, 1, SECRET_MAX + 1, file);
    err = ferror(file) ? errno : 0;
    fclose(file);
    explicit_bzero(first, len);
    if (err) {
        error_setg_errno(errp, err, "file=%s: the secret cannot be read", path);
        return false;
    }
    if (len > SECRET_MAX) {
        error_setg(errp, "file=%s: a secret has at most %lu bytes", path,
                   SECRET_MAX);
        return false;
    }
    return true;
}

static void secret_complete(UserCreatable *uc, Error **errp)
{
    Secret *s = SECRET(uc);

    if (!s->data == !s->file) {
        error_setg(errp, "a secret has either data= or file=");
    } else if (s->file) {
        check_file(s->file, errp);
    }
}

/* --- for others ----------------------------------------------------------- */

JsonObject *secret_options(const char *id, Error **errp)
{
    Object *obj = object_resolve_path_component(object_get_objects_root(), id);
    Secret *s = obj ? (Secret *)object_dynamic_cast(obj, TYPE_SECRET) : NULL;
    JsonObject *o;

    if (!s) {
        error_setg(errp, "No secret with id '%s': -object secret makes one", id);
        return NULL;
    }
    o = json_object_new();
    json_object_set_string_member(o, "qom-type", TYPE_SECRET);
    json_object_set_string_member(o, "id", id);
    json_object_set_string_member(o, s->data ? "data" : "file",
                                  s->data ?: s->file);
    json_object_set_string_member(o, "format",
                                  SecretFormat_lookup.array[s->format]);
    return o;
}

/* --- properties ---------------------------------------------------------- */

static void set_data(Object *obj, const char *value, Error **errp)
{
    wipe(&SECRET(obj)->data);
    SECRET(obj)->data = g_strdup(value);
}

static char *get_file(Object *obj, Error **errp)
{
    return g_strdup(SECRET(obj)->file);
}

static void set_file(Object *obj, const char *value, Error **errp)
{
    g_free(SECRET(obj)->file);
    SECRET(obj)->file = g_strdup(value);
}

static int get_format(Object *obj, Error **errp)
{
    return SECRET(obj)->format;
}

static void set_format(Object *obj, int value, Error **errp)
{
    SECRET(obj)->format = value;
}

static void secret_finalize(Object *obj)
{
    wipe(&SECRET(obj)->data);
    g_free(SECRET(obj)->file);
}

static void secret_class_init(ObjectClass *klass, void *data)
{
    USER_CREATABLE_CLASS(klass)->complete = secret_complete;
    object_class_property_add_str(klass, "data", NULL, set_data);
    object_class_property_set_description(klass, "data", "The secret itself");
    object_class_property_add_str(klass, "file", get_file, set_file);
    object_class_property_set_description(klass, "file", "The file it is in");
    object_class_property_add_enum(klass, "format", "QCryptoSecretFormat",
                                   &SecretFormat_lookup, get_format,
                                   set_format);
    object_class_property_set_description(klass, "format", "raw or base64");
}

static const TypeInfo secret_types[] = {
    {
        .name = TYPE_SECRET,
        .parent = TYPE_OBJECT,
        .instance_size = sizeof(Secret),
        .instance_finalize = secret_finalize,
        .class_init = secret_class_init,
        .interfaces = (InterfaceInfo[]) {
            { TYPE_USER_CREATABLE },
            { },
        },
    },
};
DEFINE_TYPES(secret_types)
