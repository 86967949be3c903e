/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -object tls-creds-x509 and tls-creds-psk: who a disk's server is, and who we are
 * to it. QEMU's storage daemon has the connections, and reads the files; here
 * there is no TLS. What would be refused there for sure is refused when the object
 * is made.
 */
#include "qemu/osdep.h"

#include "qapi/visitor.h"
#include "qemu/fdset.h"
#include "sysemu/storage-object.h"

#define TYPE_TLS_CREDS_X509 "tls-creds-x509"
#define TYPE_TLS_CREDS_PSK "tls-creds-psk"
typedef struct TLSCredsClass TLSCredsClass;
typedef struct TLSCreds TLSCreds;
DECLARE_OBJ_CHECKERS(TLSCreds, TLSCredsClass, TLS_CREDS, TYPE_TLS_CREDS)

typedef enum TLSEndpoint {
    TLS_ENDPOINT_CLIENT,
    TLS_ENDPOINT_SERVER,
    TLS_ENDPOINT__MAX,
} TLSEndpoint;

static const QEnumLookup TLSEndpoint_lookup = {
    .array = (const char *const[]) {
        [TLS_ENDPOINT_CLIENT] = "client",
        [TLS_ENDPOINT_SERVER] = "server",
    },
    .size = TLS_ENDPOINT__MAX,
};

struct TLSCredsClass {
    ObjectClass parent_class;

    const char *file;                     /* in dir=, that there must be */
};

struct TLSCreds {
    Object parent_obj;

    char *dir;
    TLSEndpoint endpoint;
    bool verify_peer;
    bool sanity_check;                    /* x509 */
    char *priority;
    char *passwordid;                     /* x509: secret of the key's file */
    char *username;                       /* psk */
};

/* --- is it there? -------------------------------------------------------- */

static bool check_file(TLSCreds *creds, Error **errp)
{
    ERRP_GUARD();
    g_autofree char *path = g_build_filename(creds->dir,
                                             TLS_CREDS_GET_CLASS(creds)->file,
                                             NULL);
    int fd = fdset_open_read(path, errp);

    if (fd < 0) {
        error_prepend(errp, "the credentials cannot be read: ");
        return false;
    }
    close(fd);
    return true;
}

static void tls_creds_complete(UserCreatable *uc, Error **errp)
{
    TLSCreds *creds = TLS_CREDS(uc);

    if (creds->endpoint != TLS_ENDPOINT_CLIENT) {
        error_setg(errp, "endpoint=server: sparsevm serves nothing by TLS; client "
                   "is for disks of servers, -blockdev driver=nbd,tls-creds=ID");
    } else if (!creds->dir) {
        error_setg(errp, "dir= is missing, the directory of %s",
                   TLS_CREDS_GET_CLASS(creds)->file);
    } else if ((!creds->passwordid ||
                storage_object_find(creds->passwordid, TYPE_SECRET, errp))) {
        check_file(creds, errp);
    }
}

/* --- for the storage daemon ----------------------------------------------- */

static void add_text(JsonObject *options, const char *name, const char *text)
{
    if (text) {
        json_object_set_string_member(options, name, text);
    }
}

static void tls_creds_describe(StorageObject *obj, JsonObject *options)
{
    TLSCreds *creds = TLS_CREDS(obj);

    add_text(options, "dir", creds->dir);
    add_text(options, "endpoint", TLSEndpoint_lookup.array[creds->endpoint]);
    json_object_set_boolean_member(options, "verify-peer", creds->verify_peer);
    add_text(options, "priority", creds->priority);
    if (object_dynamic_cast(OBJECT(obj), TYPE_TLS_CREDS_X509)) {
        json_object_set_boolean_member(options, "sanity-check",
                                       creds->sanity_check);
    }
    add_text(options, "passwordid", creds->passwordid);
    add_text(options, "username", creds->username);
}

/* --- properties ---------------------------------------------------------- */

#define TEXT_PROPERTY(member)                                                \
    static char *get_##member(Object *obj, Error **errp)                     \
    {                                                                        \
        return g_strdup(TLS_CREDS(obj)->member);                             \
    }                                                                        \
    static void set_##member(Object *obj, const char *value, Error **errp)   \
    {                                                                        \
        g_free(TLS_CREDS(obj)->member);                                      \
        TLS_CREDS(obj)->member = g_strdup(value);                            \
    }
TEXT_PROPERTY(dir)
TEXT_PROPERTY(priority)
TEXT_PROPERTY(passwordid)
TEXT_PROPERTY(username)

#define BOOL_PROPERTY(member)                                                \
    static bool get_##member(Object *obj, Error **errp)                      \
    {                                                                        \
        return TLS_CREDS(obj)->member;                                       \
    }                                                                        \
    static void set_##member(Object *obj, bool value, Error **errp)          \
    {                                                                        \
        TLS_CREDS(obj)->member = value;                                      \
    }
BOOL_PROPERTY(verify_peer)
BOOL_PROPERTY(sanity_check)

static int get_endpoint(Object *obj, Error **errp)
{
    return TLS_CREDS(obj)->endpoint;
}

static void set_endpoint(Object *obj, int value, Error **errp)
{
    TLS_CREDS(obj)->endpoint = value;
}

static void tls_creds_init(Object *obj)
{
    TLS_CREDS(obj)->verify_peer = true;
    TLS_CREDS(obj)->sanity_check = true;
}

static void tls_creds_finalize(Object *obj)
{
    TLSCreds *creds = TLS_CREDS(obj);

    g_free(creds->dir);
    g_free(creds->priority);
    g_free(creds->passwordid);
    g_free(creds->username);
}

/* --- types --------------------------------------------------------------- */

static void tls_creds_class_init(ObjectClass *klass, void *data)
{
    USER_CREATABLE_CLASS(klass)->complete = tls_creds_complete;
    USER_CREATABLE_CLASS(klass)->can_be_deleted = storage_object_is_unused;
    STORAGE_OBJECT_CLASS(klass)->describe = tls_creds_describe;
    object_class_property_add_str(klass, "dir", get_dir, set_dir);
    object_class_property_set_description(klass, "dir",
                                          "The directory of its files");
    object_class_property_add_enum(klass, "endpoint", "QCryptoTLSCredsEndpoint",
                                   &TLSEndpoint_lookup, get_endpoint,
                                   set_endpoint);
    object_class_property_set_description(klass, "endpoint", "client");
    object_class_property_add_bool(klass, "verify-peer", get_verify_peer,
                                   set_verify_peer);
    object_class_property_set_description(klass, "verify-peer",
                                          "Whether the server is checked");
    object_class_property_add_str(klass, "priority", get_priority, set_priority);
    object_class_property_set_description(klass, "priority",
                                          "GnuTLS's, of ciphers and versions");
}

static void x509_class_init(ObjectClass *klass, void *data)
{
    TLS_CREDS_CLASS(klass)->file = "ca-cert.pem";
    object_class_property_add_bool(klass, "sanity-check", get_sanity_check,
                                   set_sanity_check);
    object_class_property_set_description(klass, "sanity-check",
                                          "Whether certificates make sense");
    object_class_property_add_str(klass, "passwordid", get_passwordid,
                                  set_passwordid);
    object_class_property_set_description(klass, "passwordid",
                                          "Id of the secret of the key's file");
}

static void psk_class_init(ObjectClass *klass, void *data)
{
    TLS_CREDS_CLASS(klass)->file = "keys.psk";
    object_class_property_add_str(klass, "username", get_username, set_username);
    object_class_property_set_description(klass, "username",
                                          "Whose key it is; qemu");
}

static const TypeInfo tls_creds_types[] = {
    {
        .name = TYPE_TLS_CREDS,
        .parent = TYPE_OBJECT,
        .abstract = true,
        .instance_size = sizeof(TLSCreds),
        .instance_init = tls_creds_init,
        .instance_finalize = tls_creds_finalize,
        .class_size = sizeof(TLSCredsClass),
        .class_init = tls_creds_class_init,
        .interfaces = (InterfaceInfo[]) {
            { TYPE_USER_CREATABLE },
            { TYPE_STORAGE_OBJECT },
            { },
        },
    },
    {
        .name = TYPE_TLS_CREDS_X509,
        .parent = TYPE_TLS_CREDS,
        .class_init = x509_class_init,
    },
    {
        .name = TYPE_TLS_CREDS_PSK,
        .parent = TYPE_TLS_CREDS,
        .class_init = psk_class_init,
    },
};
DEFINE_TYPES(tls_creds_types)
