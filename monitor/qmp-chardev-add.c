/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QMP commands by which character devices come, go and are exchanged. What QMP
 * calls a backend becomes the options that -chardev has, so that there is one
 * way to make a device; the exchange itself is chardev/char-change.c's.
 */
#include "qemu/osdep.h"

#include "chardev/char.h"
#include "monitor/fds.h"
#include "monitor/qmp.h"
#include "qapi/error.h"

/* --- from a backend to options -------------------------------------------- */

/* QMP's name of an option, where it is another one. */
static const struct {
    const char *backend;
    const char *member;
    const char *option;
} renamed[] = {
    { "file", "out", "path" },
    { "pipe", "device", "path" },
};

/* What may be said only to be off. */
static const char *const absent[] = { "telnet", "tn3270", "websocket",
                                      "abstract", NULL };

static const char *option_of(const char *backend, const char *member)
{
    for (size_t i = 0; i < ARRAY_SIZE(renamed); i++) {
        if (!strcmp(renamed[i].backend, backend) &&
            !strcmp(renamed[i].member, member)) {
            return renamed[i].option;
        }
    }
    return member;
}

/* The members of @from but "addr" become options of @backend. */
static bool add_options(JsonObject *opts, const char *backend,
                        JsonObject *from, Error **errp)
{
    JsonObjectIter iter;
    const char *name;
    JsonNode *node;

    json_object_iter_init(&iter, from);
    while (json_object_iter_next(&iter, &name, &node)) {
        if (g_strv_contains(absent, name)) {
            if (json_node_get_boolean(node)) {
                error_setg(errp, "%s=on: not supported; possible: off", name);
                return false;
            }
        } else if (strcmp(name, "addr") != 0) {
            json_object_set_member(opts, option_of(backend, name),
                                   json_node_copy(node));
        }
    }
    return true;
}

/* A name that getfd has given becomes the descriptor's number, in *@taken, for
 * the chardev to close. A number would be one that somebody else has. */
static bool add_fd(JsonObject *opts, const char *text, int *taken, Error **errp)
{
    g_autofree char *number = NULL;

    *taken = monitor_fd_take(text, errp);
    number = g_strdup_printf("%d", *taken);
    json_object_set_string_member(opts, "fd", number);
    return *taken >= 0;
}

static bool add_address(JsonObject *opts, JsonObject *addr, int *taken,
                        Error **errp)
{
    const char *type = json_object_get_string_member(addr, "type");
    JsonObject *data = json_object_get_object_member(addr, "data");

    if (!json_object_has_member(opts, "server")) {
        json_object_set_boolean_member(opts, "server", true);
    }
    return !strcmp(type, "fd")
        ? add_fd(opts, json_object_get_string_member(data, "str"), taken, errp)
        : add_options(opts, "socket", data, errp);
}

/* NULL and *errp; else the caller's. */
static JsonObject *chardev_options(JsonObject *args, int *taken, Error **errp)
{
    JsonObject *backend = json_object_get_object_member(args, "backend");
    const char *type = json_object_get_string_member(backend, "type");
    JsonObject *data = json_object_get_object_member(backend, "data");
    g_autoptr(JsonObject) opts = json_object_new();

    *taken = -1;
    json_object_set_string_member(opts, "id",
                                  json_object_get_string_member(args, "id"));
    json_object_set_string_member(opts, "backend", type);
    if (!add_options(opts, type, data, errp)) {
        return NULL;
    }
    if (!strcmp(type, "socket") &&
        !add_address(opts, json_object_get_object_member(data, "addr"), taken,
                     errp)) {
        return NULL;
    }
    return g_steal_pointer(&opts);
}

/* --- commands ------------------------------------------------------------- */

typedef Chardev *MakeFunc(JsonObject *opts, bool keyval, Error **errp);

/* Returns where a pseudo terminal is. */
static JsonNode *make_chardev(JsonObject *args, MakeFunc *make, Error **errp)
{
    JsonObject *result = NULL;
    int fd;
    g_autoptr(JsonObject) opts = chardev_options(args, &fd, errp);
    Chardev *chr = opts ? make(opts, false, errp) : NULL;

    if (!chr) {
        /* A chardev that has not come about has closed nothing. */
        if (fd >= 0) {
            close(fd);
        }
        return NULL;
    }
    result = json_object_new();
    if (g_str_has_prefix(chr->filename ? chr->filename : "", "pty:")) {
        json_object_set_string_member(result, "pty",
                                      chr->filename + strlen("pty:"));
    }
    return json_object_node(result);
}

static JsonNode *qmp_chardev_add(JsonObject *args, Error **errp)
{
    return make_chardev(args, qemu_chr_add, errp);
}

static JsonNode *qmp_chardev_change(JsonObject *args, Error **errp)
{
    return make_chardev(args, qemu_chr_change, errp);
}

static JsonNode *qmp_chardev_remove(JsonObject *args, Error **errp)
{
    qemu_chr_remove(json_object_get_string_member(args, "id"), errp);
    return NULL;
}

static JsonNode *qmp_chardev_send_break(JsonObject *args, Error **errp)
{
    const char *id = json_object_get_string_member(args, "id");
    Chardev *chr = qemu_chr_find(id);

    if (chr) {
        qemu_chr_be_event(chr, CHR_EVENT_BREAK);
    } else {
        error_setg(errp, "Chardev '%s' not found", id);
    }
    return NULL;
}

/* --- schema --------------------------------------------------------------- */

#define COMMON "?logfile:str,?logappend:bool"
#define COMMON_HELP "logfile: write what is written to this file, too\n"     \
                    "logappend: keep what that file has\n"
#define WRAPPER(of)                                                          \
    { .name = of "Wrapper", .members = "data:" of,                           \
      .help = "The options of a kind of character device.\ndata: they" }

static const QmpType add_types[] = {
    { .name = "ChardevCommon", .members = COMMON,
      .help = "What all kinds of character device have.\n" COMMON_HELP },
    { .name = "ChardevFile", .members = COMMON ",out:str,?append:bool",
      .help = "A file that is written.\n" COMMON_HELP
      "out: the file\n"
      "append: keep what it has" },
    { .name = "ChardevHostdev", .members = COMMON ",device:str",
      .help = "A named pipe, or two.\n" COMMON_HELP
      "device: the pipe, or the two without .in and .out" },
    { .name = "ChardevStdio", .members = COMMON ",?signal:bool",
      .help = "Standard input and output, which only the command line has.\n"
      COMMON_HELP
      "signal: whether Ctrl-C is for the emulator" },
    { .name = "ChardevSocket",
      .members = COMMON ",addr:SocketAddressLegacy,?server:bool,?wait:bool,"
                 "?nodelay:bool,?telnet:bool,?tn3270:bool,?websocket:bool,"
                 "?reconnect:int,?reconnect-ms:int",
      .help = "A socket.\n" COMMON_HELP
      "addr: where it is\n"
      "server: listen there, which is so if nothing is said; else connect\n"
      "wait: as a server, for the first client; only false is possible\n"
      "nodelay: send small TCP packets at once\n"
      "telnet: only false is possible\n"
      "tn3270: only false is possible\n"
      "websocket: only false is possible\n"
      "reconnect: as a client, seconds until the next try to connect\n"
      "reconnect-ms: the same in milliseconds" },
    { .name = "String", .members = "str:str",
      .help = "A text.\nstr: it" },
    { .name = "InetSocketAddress", .members = "host:str,port:str",
      .help = "An address of TCP.\n"
      "host: a name or number, or empty to listen on all\n"
      "port: a number" },
    { .name = "UnixSocketAddress", .members = "path:str,?abstract:bool",
      .help = "A UNIX socket.\n"
      "path: its file\n"
      "abstract: only false is possible" },
    WRAPPER("String"),
    WRAPPER("InetSocketAddress"),
    WRAPPER("UnixSocketAddress"),
    { .name = "SocketAddressType", .values = "fd,inet,unix",
      .help = "Kinds of address." },
    { .name = "SocketAddressLegacy", .members = "type:SocketAddressType",
      .tag = "type",
      .variants = "fd:StringWrapper,inet:InetSocketAddressWrapper,"
                  "unix:UnixSocketAddressWrapper",
      .help = "Where a socket is.\n"
      "type: what kind of address; fd: a name that getfd has given" },
    WRAPPER("ChardevCommon"),
    WRAPPER("ChardevFile"),
    WRAPPER("ChardevHostdev"),
    WRAPPER("ChardevStdio"),
    WRAPPER("ChardevSocket"),
    { .name = "ChardevBackendKind", .values = "file,null,pipe,pty,socket,stdio",
      .help = "Kinds of character device." },
    { .name = "ChardevBackend", .members = "type:ChardevBackendKind",
      .tag = "type",
      .variants = "file:ChardevFileWrapper,null:ChardevCommonWrapper,"
                  "pipe:ChardevHostdevWrapper,pty:ChardevCommonWrapper,"
                  "socket:ChardevSocketWrapper,stdio:ChardevStdioWrapper",
      .help = "A character device to be.\n"
      "type: its kind" },
    { .name = "ChardevReturn", .members = "?pty:str",
      .help = "What has come of a character device.\n"
      "pty: the pseudo terminal's other end" },
};

static const QmpCommand add_commands[] = {
    { .name = "chardev-add", .args = "id:str,backend:ChardevBackend",
      .returns = "ChardevReturn", .fn = qmp_chardev_add,
      .help = "Makes a character device.\n"
      "id: its id\n"
      "backend: what it is\n"
      "Errors: the id is in use, or the device cannot be opened; nothing is "
      "left of it then" },
    { .name = "chardev-change", .args = "id:str,backend:ChardevBackend",
      .returns = "ChardevReturn", .fn = qmp_chardev_change,
      .help = "Puts another character device in the place of one, under its "
      "user, which must be a serial port, a channel or a console.\n"
      "id: of the one\n"
      "backend: what it will be\n"
      "Errors: nothing has changed then" },
    { .name = "chardev-remove", .args = "id:str", .fn = qmp_chardev_remove,
      .help = "Removes a character device that nobody uses.\n"
      "id: its id\n"
      "Errors: there is none, or it is in use" },
    { .name = "chardev-send-break", .args = "id:str",
      .fn = qmp_chardev_send_break,
      .help = "Has the user of a character device see a break.\n"
      "id: of the device\n"
      "Errors: there is none" },
};

static void add_register(void)
{
    qmp_register_types(add_types, ARRAY_SIZE(add_types));
    qmp_register_commands(add_commands, ARRAY_SIZE(add_commands));
}
type_init(add_register)
