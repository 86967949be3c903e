/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Descriptors from QMP clients, which come beside a message of a UNIX socket
 * (SCM_RIGHTS): with getfd they get a name, until a command takes them; with
 * add-fd they become one of a set, whose files have paths (qemu/fdset.h). What
 * a client sends without asking for either is closed (qmp-session.c).
 */
#include "qemu/osdep.h"

#include <fcntl.h>

#include "monitor/fds.h"
#include "monitor/qmp.h"
#include "qapi/error.h"
#include "qemu/cutils.h"
#include "qemu/fdset.h"

#include "monitor-internal.h"

/* Names that may wait for a command to take them. */
#define MONITOR_FDS_MAX 64

/* --- names --------------------------------------------------------------- */

/* char * -> descriptor + 1; lives for ever. */
static GHashTable *named_fds;

static void close_value(gpointer value)
{
    close(GPOINTER_TO_INT(value) - 1);
}

static bool has_name(const char *name)
{
    return named_fds && g_hash_table_contains(named_fds, name);
}

int monitor_fd_take(const char *name, Error **errp)
{
    gpointer key, value;

    if (!has_name(name)) {
        error_setg(errp, "File descriptor named '%s' has not been found", name);
        return -1;
    }
    g_hash_table_steal_extended(named_fds, name, &key, &value);
    g_free(key);
    return GPOINTER_TO_INT(value) - 1;
}

static int parse_fd(const char *option, const char *text, Error **errp)
{
    uint64_t fd;

    if (qemu_strtou64(text, NULL, 10, &fd) < 0 || fd > INT_MAX) {
        error_setg(errp, "%s=%s is no number of a descriptor", option, text);
        return -1;
    }
    return fd;
}

int monitor_fd_open(const char *option, const char *text, const char *path,
                    bool (*check)(int fd), Error **errp)
{
    bool number = text && g_ascii_isdigit(*text);
    int fd = number ? parse_fd(option, text, errp)
             : text ? monitor_fd_take(text, errp)
                    : open(path, O_RDWR | O_CLOEXEC);

    if (fd < 0 && !text) {
        error_setg_errno(errp, errno, "%s cannot be opened", path);
    } else if (fd >= 0 && !check(fd)) {
        error_setg_errno(errp, errno, "%s=%s is not a descriptor of what is "
                         "needed", option, text ? text : path);
        if (!number) {
            close(fd);
        }
        fd = -1;
    } else if (fd >= 0) {
        fcntl(fd, F_SETFD, FD_CLOEXEC);
    }
    return fd;
}

/* The descriptor beside the command; -1 and *errp: there is none. */
static int receive_fd(Error **errp)
{
    int fd = qmp_current_get_msgfd();

    if (fd < 0) {
        error_setg(errp, "No file descriptor supplied via SCM_RIGHTS");
    }
    return fd;
}

static JsonNode *qmp_getfd(JsonObject *args, Error **errp)
{
    const char *name = json_object_get_string_member(args, "fdname");
    int fd = receive_fd(errp);

    if (fd < 0) {
        return NULL;
    }
    if (!*name || g_ascii_isdigit(*name)) {
        error_setg(errp, "Parameter 'fdname' expects a name not starting with "
                   "a digit");
        close(fd);
        return NULL;
    }
    if (!named_fds) {
        named_fds = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                          close_value);
    }
    if (!has_name(name) && g_hash_table_size(named_fds) == MONITOR_FDS_MAX) {
        error_setg(errp, "%d file descriptors have names, more are not "
                   "possible; closefd takes one away", MONITOR_FDS_MAX);
        close(fd);
        return NULL;
    }
    g_hash_table_replace(named_fds, g_strdup(name), GINT_TO_POINTER(fd + 1));
    return NULL;
}

static JsonNode *qmp_closefd(JsonObject *args, Error **errp)
{
    int fd = monitor_fd_take(json_object_get_string_member(args, "fdname"),
                             errp);

    if (fd >= 0) {
        close(fd);
    }
    return NULL;
}

/* --- sets ---------------------------------------------------------------- */

/* A number that fits; false: *errp. Left out, it is -1. */
static bool take_number(JsonObject *args, const char *name, gint64 max,
                        gint64 *value, Error **errp)
{
    *value = json_object_get_int_member_with_default(args, name, -1);
    if (json_object_has_member(args, name) && (*value < 0 || *value > max)) {
        error_setg(errp, "Parameter '%s' expects a number from 0 to %" PRId64,
                   name, (int64_t)max);
        return false;
    }
    return true;
}

static JsonNode *qmp_add_fd(JsonObject *args, Error **errp)
{
    const char *opaque =
        json_object_get_string_member_with_default(args, "opaque", NULL);
    int fd = receive_fd(errp);
    JsonObject *info;
    gint64 id;

    if (fd < 0) {
        return NULL;
    }
    if (take_number(args, "fdset-id", INT64_MAX, &id, errp)) {
        id = fdset_add(fd, id, opaque, errp);
    }
    if (id < 0) {
        close(fd);
        return NULL;
    }
    info = json_object_new();
    json_object_set_int_member(info, "fdset-id", id);
    json_object_set_int_member(info, "fd", fd);
    return json_object_node(info);
}

static JsonNode *qmp_remove_fd(JsonObject *args, Error **errp)
{
    gint64 id, fd;

    if (take_number(args, "fdset-id", INT64_MAX, &id, errp) &&
        take_number(args, "fd", INT_MAX, &fd, errp)) {
        fdset_remove(id, fd, errp);
    }
    return NULL;
}

static void append_set(const Fdset *set, void *opaque)
{
    JsonObject *info = json_object_new();
    JsonArray *fds = json_array_new();

    for (guint i = 0; i < set->fds->len; i++) {
        const FdsetFd *f = &g_array_index(set->fds, FdsetFd, i);
        JsonObject *fd = json_object_new();

        json_object_set_int_member(fd, "fd", f->fd);
        if (f->opaque) {
            json_object_set_string_member(fd, "opaque", f->opaque);
        }
        json_array_add_object_element(fds, fd);
    }
    json_object_set_int_member(info, "fdset-id", set->id);
    json_object_set_array_member(info, "fds", fds);
    json_array_add_object_element(opaque, info);
}

static JsonNode *qmp_query_fdsets(JsonObject *args, Error **errp)
{
    JsonArray *list = json_array_new();

    fdset_foreach(append_set, list);
    return json_array_node(list);
}

/* --- commands ------------------------------------------------------------ */

static const QmpType fds_types[] = {
    { .name = "AddfdInfo", .members = "fdset-id:int,fd:int",
      .help = "Where a file is now.\n"
      "fdset-id: the set\n"
      "fd: the number of the descriptor, for remove-fd" },
    { .name = "FdsetFdInfo", .members = "fd:int,?opaque:str",
      .help = "A file of a set.\n"
      "fd: the number of the descriptor\n"
      "opaque: what add-fd or -add-fd said" },
    { .name = "FdsetInfo", .members = "fdset-id:int,fds:[FdsetFdInfo]",
      .help = "A set of open files, /dev/fdset/N.\n"
      "fdset-id: N\n"
      "fds: its files" },
};

static const QmpCommand fds_commands[] = {
    { .name = "getfd", .args = "fdname:str", .fn = qmp_getfd,
      .help = "Gives a name to the file descriptor that comes beside the "
      "command (SCM_RIGHTS), until a command takes it.\n"
      "fdname: the name, which begins with no digit; an older descriptor of "
      "that name is closed\n"
      "Errors: there is no descriptor, as on TCP" },
    { .name = "closefd", .args = "fdname:str", .fn = qmp_closefd,
      .help = "Closes a file descriptor that no command has taken.\n"
      "fdname: as given to getfd\n"
      "Errors: there is none of that name" },
    { .name = "add-fd", .args = "?fdset-id:int,?opaque:str",
      .returns = "AddfdInfo", .fn = qmp_add_fd,
      .help = "Puts the file descriptor that comes beside the command into a "
      "set, where paths /dev/fdset/N find it.\n"
      "fdset-id: N, an old set or a new one; left out, a new one\n"
      "opaque: what query-fdsets shall tell of it\n"
      "Errors: there is no descriptor" },
    { .name = "remove-fd", .args = "fdset-id:int,?fd:int", .fn = qmp_remove_fd,
      .help = "Closes file descriptors of a set. Whoever has opened one keeps "
      "it.\n"
      "fdset-id: the set\n"
      "fd: only this one\n"
      "Errors: there is none" },
    { .name = "query-fdsets", .returns = "[FdsetInfo]", .fn = qmp_query_fdsets,
      .help = "Lists the sets of open files." },
};

static void fds_register(void)
{
    qmp_register_types(fds_types, ARRAY_SIZE(fds_types));
    qmp_register_commands(fds_commands, ARRAY_SIZE(fds_commands));
}
type_init(fds_register)
