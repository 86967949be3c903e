/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -drive file=: names of QEMU's that are no paths, of servers' disks. Those of NBD
 * and of web servers become options of the node's, which QEMU's storage daemon has
 * then; others are refused by name. Used by vl-block.c.
 */
#include "qemu/osdep.h"

#include "qapi/error.h"
#include "vl-internal.h"

#define NBD_PORT "10809"

static void set(JsonObject *o, const char *name, const char *value)
{
    json_object_set_string_member(o, name, value);
}

/* nbd+unix:///EXPORT?socket=PATH */
static bool expand_nbd_unix(JsonObject *o, GUri *uri)
{
    const char *query = g_uri_get_query(uri);
    g_autoptr(GHashTable) params = query
        ? g_uri_parse_params(query, -1, "&", G_URI_PARAMS_NONE, NULL) : NULL;
    const char *path = params ? g_hash_table_lookup(params, "socket") : NULL;

    if (path) {
        set(o, "file.server.type", "unix");
        set(o, "file.server.path", path);
    }
    return path;
}

/* nbd://HOST:PORT/EXPORT */
static bool expand_nbd_inet(JsonObject *o, GUri *uri)
{
    const char *host = g_uri_get_host(uri);
    g_autofree char *port = g_strdup_printf("%d", g_uri_get_port(uri));

    if (host && *host) {
        set(o, "file.server.type", "inet");
        set(o, "file.server.host", host);
        set(o, "file.server.port", g_uri_get_port(uri) > 0 ? port : NBD_PORT);
    }
    return host && *host;
}

static bool expand_nbd(JsonObject *o, GUri *uri)
{
    const char *path = g_uri_get_path(uri);

    if (!(strcmp(g_uri_get_scheme(uri), "nbd+unix") == 0
              ? expand_nbd_unix(o, uri) : expand_nbd_inet(o, uri))) {
        return false;
    }
    if (*path == '/' && path[1]) {
        set(o, "file.export", path + 1);
    }
    set(o, "file.driver", "nbd");
    return true;
}

bool vl_expand_disk_name(JsonObject *o, const char *file)
{
    static const char *const nbd[] = { "nbd", "nbd+tcp", "nbd+unix", NULL };
    static const char *const web[] = { "http", "https", "ftp", "ftps", NULL };
    g_autoptr(GUri) uri = strstr(file, "://")
        ? g_uri_parse(file, G_URI_FLAGS_PARSE_RELAXED, NULL) : NULL;
    const char *scheme = uri ? g_uri_get_scheme(uri) : "";

    if (g_strv_contains(web, scheme)) {
        set(o, "file.driver", scheme);
        set(o, "file.url", file);
        return true;
    }
    return g_strv_contains(nbd, scheme) && expand_nbd(o, uri);
}

bool vl_check_disk_name(const char *file, Error **errp)
{
    static const char *const others[] = {
        "json", "nbd", "nbd+tcp", "nbd+unix", "ssh", "iscsi", "rbd", "gluster",
        "gluster+tcp", "gluster+unix", "gluster+rdma", "nfs", "fat", "blkdebug",
        "blkverify", NULL
    };
    const char *colon = strchr(file, ':');
    g_autofree char *scheme = colon ? g_strndup(file, colon - file) : NULL;

    if (scheme && g_strv_contains(others, scheme)) {
        error_setg(errp, "file=%s: of names that are no paths, nvme://, null-co://, "
                   "nbd://HOST:PORT/EXPORT, nbd+unix:///EXPORT?socket=PATH and "
                   "http:// are known; -blockdev has options for others, and "
                   "./%s means a file", file, file);
        return false;
    }
    return true;
}
