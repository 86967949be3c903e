/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The schema of QMP: what the members of arguments, replies and events are.
 * Written once, as text beside what uses it, and the source of everything
 * that speaks of it: arguments are checked against it, query-qmp-schema tells
 * it, docs/qmp-reference.md is printed from it, and the tests hold each reply
 * and event that they see against it.
 *
 * QmpMembers: "NAME:TYPE" separated by commas, "?NAME:TYPE" if the member may
 * be left out, and, last, "**" for further ones that only the command knows.
 * TYPE is str, int, number, bool, null, any, the name of a registered type, or
 * [TYPE], a list. Example: "path:str,value:any,?caps:[MigrationCapability]".
 * The name of a type alone stands for its members.
 *
 * Registration is done by constructors, the rest in the main loop, big lock
 * held.
 */
#ifndef MONITOR_QMP_SCHEMA_H
#define MONITOR_QMP_SCHEMA_H

#include <json-glib/json-glib.h>

#include "qapi/error.h"

/* An object, an enumeration, or a choice of types, that commands, events and other
 * types name. */
typedef struct QmpType {
    const char *name;
    const char *members;                  /* an object: QmpMembers */
    const char *values;                   /* an enumeration: "a,b,c" */
    bool open;                            /* of it: others will do, too, which
                                             only the command knows */
    const char *alternatives;             /* a choice: "TYPE,TYPE,..." of different
                                             JSON types */
    /* An object that has more members, depending on the value of its member
     * @tag: "VALUE:TYPE,...". A value that is not listed adds none. */
    const char *tag;
    const char *variants;
    /* An enumeration of the types that objects can have that implement this
     * one; and an object whose @tag is such an enumeration, with the
     * properties of the type that it names. */
    const char *implementing;
    const char *help;                     /* as QmpCommand.help */
} QmpType;

void qmp_register_types(const QmpType *types, size_t n);
/* NULL: there is none. */
const QmpType *qmp_find_type(const char *name);
/* Calls @fn for each type, sorted by name. */
void qmp_for_each_type(void (*fn)(const QmpType *type, void *opaque),
                       void *opaque);

/* An event; the table is monitor/qmp-event-table.c. */
typedef struct QmpEventInfo {
    const char *name;
    const char *members;                  /* of "data": QmpMembers */
    const char *help;                     /* as QmpCommand.help; no returns */
} QmpEventInfo;

/* For the table: @events, sorted by name, live for ever. */
void qmp_set_events(const QmpEventInfo *events, size_t n);
/* Calls @fn for each event, sorted by name. */
void qmp_for_each_event(void (*fn)(const QmpEventInfo *event, void *opaque),
                        void *opaque);

/* --- what the text says --- */

typedef struct QmpMember {
    char *name;                           /* "**": further ones */
    char *type;                           /* NULL for "**" */
    bool optional;
} QmpMember;

/* The members that @spec (NULL: none) lists, as QmpMember *; the caller's, by
 * g_ptr_array_unref(). Malformed text is a programming error. */
GPtrArray *qmp_parse_members(const char *spec);
/* The values of an enumeration, sorted if they are names of types; the
 * caller's, by g_strfreev(). */
char **qmp_type_values(const QmpType *type);
bool qmp_type_is_enum(const QmpType *type);
/* The JSON type of str, int, number, bool, null and any ("value"); NULL: no such
 * built-in type. */
const char *qmp_builtin_json_type(const char *type);
/* Calls @fn for each built-in type. */
void qmp_for_each_builtin(void (*fn)(const char *name, const char *json_type,
                                     void *opaque), void *opaque);

/*
 * Whether @object has the members of @spec, and no other unless "**" is among
 * them, each of its type. Errors are worded as QEMU's, with the path to the
 * member.
 */
bool qmp_check_members(const char *spec, JsonObject *object, Error **errp);

#endif
