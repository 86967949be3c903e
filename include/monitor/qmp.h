/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QMP commands: the one table of what a client may ask for, and the way from
 * a request (a JSON value) to its reply. Whoever owns a subject registers its
 * commands next to it, and the types of what they take and return
 * (qmp-schema.h); the monitor owns the sessions and the wire.
 *
 * Everything runs in the main loop with the big lock held, except
 * qmp_register_commands(), which constructors call before main(), and what is
 * carried out of band: "exec-oob" instead of "execute" has any thread, without
 * the big lock, carry out a command that allows it (qmp-oob.h).
 */
#ifndef MONITOR_QMP_H
#define MONITOR_QMP_H

#include <json-glib/json-glib.h>

#include "monitor/qmp-schema.h"
#include "qapi/error.h"

/*
 * Carries out a command. @args is never NULL, holds what QmpCommand.args
 * allows and nothing else, and stays the caller's. Returns the value of
 * "return" (transfer full); NULL without an error stands for an empty object;
 * NULL with *errp set is the error reply, and then nothing was changed.
 */
typedef JsonNode *QmpCommandFunc(JsonObject *args, Error **errp);

typedef struct QmpCommand {
    const char *name;
    const char *args;                     /* QmpMembers; NULL: none */
    /* The type of what it returns; NULL: an empty object. */
    const char *returns;
    /* What a client may tell it by in query-qmp-schema, separated by commas;
     * NULL: nothing. */
    const char *features;
    /* May be carried out of band: @fn is called by any thread, must not need
     * the big lock, and must not wait. */
    bool allow_oob;
    /*
     * For docs/qmp-reference.md. What it does, in a sentence; then lines, each
     * "ARGUMENT: what it is" for every argument, and where there is something
     * to say "Returns: ..." and "Errors: ...". No line breaks but these.
     */
    const char *help;
    QmpCommandFunc *fn;
} QmpCommand;

/* What a command returns that has made an @object, or an @array: a node that
 * takes it over. */
static inline JsonNode *json_object_node(JsonObject *object)
{
    JsonNode *node = json_node_new(JSON_NODE_OBJECT);

    json_node_take_object(node, object);
    return node;
}

static inline JsonNode *json_array_node(JsonArray *array)
{
    JsonNode *node = json_node_new(JSON_NODE_ARRAY);

    json_node_take_array(node, array);
    return node;
}

/* Adds @n commands to the table. @cmds must live for ever; a name that is
 * registered twice is a programming error. */
void qmp_register_commands(const QmpCommand *cmds, size_t n);

/* NULL if there is no such command. */
const QmpCommand *qmp_find_command(const char *name);
/* The same, with *errp: all commands, as a QmpFindFunc. Any thread. */
const QmpCommand *qmp_find_any(const char *name, void *opaque, Error **errp);
/* Calls @fn for each command, sorted by name. */
void qmp_for_each_command(void (*fn)(const QmpCommand *cmd, void *opaque),
                          void *opaque);

/* The first thing of all commands, events and types that does not fit
 * together: false, *errp. The build fails then (docs/qmp-reference.c). */
bool qmp_check_schema(Error **errp);

/*
 * Carries out @request and returns the reply (transfer full), which is either
 * {"return": VALUE} or {"error": {"class": C, "desc": D}}, with the request's
 * "id" if it has one. Never NULL, whatever @request is.
 *
 * @find names the commands that this session may use now; it sets *errp (and
 * returns NULL) for those that it may not. @oob: "exec-oob" is understood.
 */
typedef const QmpCommand *QmpFindFunc(const char *name, void *opaque,
                                      Error **errp);
JsonObject *qmp_dispatch(JsonNode *request, bool oob, QmpFindFunc *find,
                         void *opaque);
/* Whether @request asks to be carried out of band: it has "exec-oob". */
bool qmp_request_is_oob(JsonNode *request);

/* {"error": {"class": ..., "desc": ...}} of @err, which is freed. */
JsonObject *qmp_error_response(Error *err);

/* {"qemu": {"major", "minor", "micro"}, "package"}: the QEMU release whose
 * interfaces this program follows, and its own version. Transfer full. */
JsonObject *qmp_version_object(void);

#endif
