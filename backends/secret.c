/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -object secret: a password or key, given as text (data=) or as a file, maybe
 * encrypted by another secret (keyid=, iv=). That it can be had is checked when
 * the object is made; the file is read, and no copy is kept, but of one that only
 * this process has open. QEMU's storage daemon asks for secrets, of encrypted
 * images, and decrypts them; QMP cannot read them.
 */
#include "qemu/osdep.h"

#include "qapi/error.h"
#include "qapi/visitor.h"
#include "qemu/fdset.h"
#include "qemu/units.h"
#include "sysemu/storage-object.h"

OBJECT_DECLARE_SIMPLE_TYPE(Secret, SECRET)

/* No key is as long. Bytes. */
#define SECRET_MAX (1 * MiB)
/* Of AES in blocks. Bytes. */
#define IV_SIZE 16
#define FDSET_PREFIX "/dev/fdset/"

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
    char *contents;                       /* of a file that nobody else can
                                             open, as base64; or NULL */
    SecretFormat format;
    char *keyid;                          /* the secret that decrypts it, or NULL */
    char *iv;                             /* base64 */
};

static void wipe(char **text)
{
    if (*text) {
        explicit_bzero(*text, strlen(*text));
        g_clear_pointer(text, g_free);
    }
}

/* --- is it there? -------------------------------------------------------- */

/* As base64, which the file may be already. */
static char *encode(Secret *s, const char *bytes, size_t len)
{
    return s->format == SECRET_FORMAT_BASE64
        ? g_strndup(bytes, len) : g_base64_encode((const guchar *)bytes, len);
}

static bool check_file(Secret *s, Error **errp)
{
    ERRP_GUARD();
    const char *path = s->file;
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
    if (g_str_has_prefix(path, FDSET_PREFIX)) {
        s->contents = encode(s, first, len);
    }
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

/* What it is decrypted with. */
static bool check_key(Secret *s, Error **errp)
{
    g_autofree guchar *iv = NULL;
    gsize size = 0;

    if (!s->keyid != !s->iv) {
        error_setg(errp, "keyid= and iv= go together: a secret that is encrypted "
                   "has both");
        return false;
    }
    iv = s->iv ? g_base64_decode(s->iv, &size) : NULL;
    if (iv && size != IV_SIZE) {
        error_setg(errp, "iv=%s: expected are %u bytes, in base64", s->iv,
                   IV_SIZE);
        return false;
    }
    return !s->keyid || storage_object_find(s->keyid, TYPE_SECRET, errp);
}

static void secret_complete(UserCreatable *uc, Error **errp)
{
    Secret *s = SECRET(uc);

    if (!s->data == !s->file) {
        error_setg(errp, "a secret has either data= or file=");
    } else if (check_key(s, errp) && s->file) {
        check_file(s, errp);
    }
}

/* --- for the storage daemon ------------------------------------------------ */

static void secret_describe(StorageObject *obj, JsonObject *options)
{
    Secret *s = SECRET(obj);
    const char *data = s->contents ?: s->data;

    json_object_set_string_member(options, data ? "data" : "file",
                                  data ?: s->file);
    json_object_set_string_member(
        options, "format",
        SecretFormat_lookup.array[s->contents ? SECRET_FORMAT_BASE64
                                              : s->format]);
    if (s->keyid) {
        json_object_set_string_member(options, "keyid", s->keyid);
        json_object_set_string_member(options, "iv", s->iv);
    }
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

static char *get_keyid(Object *obj, Error **errp)
{
    return g_strdup(SECRET(obj)->keyid);
}

static void set_keyid(Object *obj, const char *value, Error **errp)
{
    g_free(SECRET(obj)->keyid);
    SECRET(obj)->keyid = g_strdup(value);
}

static char *get_iv(Object *obj, Error **errp)
{
    return g_strdup(SECRET(obj)->iv);
}

static void set_iv(Object *obj, const char *value, Error **errp)
{
    g_free(SECRET(obj)->iv);
    SECRET(obj)->iv = g_strdup(value);
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
    wipe(&SECRET(obj)->contents);
    g_free(SECRET(obj)->file);
    g_free(SECRET(obj)->keyid);
    g_free(SECRET(obj)->iv);
}

static void secret_class_init(ObjectClass *klass, void *data)
{
    USER_CREATABLE_CLASS(klass)->complete = secret_complete;
    USER_CREATABLE_CLASS(klass)->can_be_deleted = storage_object_is_unused;
    STORAGE_OBJECT_CLASS(klass)->describe = secret_describe;
    object_class_property_add_str(klass, "data", NULL, set_data);
    object_class_property_set_description(klass, "data", "The secret itself");
    object_class_property_add_str(klass, "file", get_file, set_file);
    object_class_property_set_description(klass, "file", "The file it is in");
    object_class_property_add_enum(klass, "format", "QCryptoSecretFormat",
                                   &SecretFormat_lookup, get_format,
                                   set_format);
    object_class_property_set_description(klass, "format", "raw or base64");
    object_class_property_add_str(klass, "keyid", get_keyid, set_keyid);
    object_class_property_set_description(klass, "keyid",
                                          "The secret that it is encrypted by");
    object_class_property_add_str(klass, "iv", get_iv, set_iv);
    object_class_property_set_description(klass, "iv",
                                          "Of the encryption, in base64");
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
            { TYPE_STORAGE_OBJECT },
            { },
        },
    },
};
DEFINE_TYPES(secret_types)
