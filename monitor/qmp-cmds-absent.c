/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QMP commands that ask for what this emulator has none of:
 * jobs, I/O threads, TPMs, migration. A client that only wants to know how
 * many there are, or prepares for what it never does, is not turned away.
 * Whoever adds the first such thing takes its command out of here.
 */
#include "qemu/osdep.h"

#include "monitor/qmp.h"

static JsonNode *qmp_query_none(JsonObject *args, Error **errp)
{
    return json_array_node(json_array_new());
}

/* --- migration ----------------------------------------------------------- */

/* Nothing is migrated, so there is no event that this would ask for. */
static bool migration_events;

static JsonNode *qmp_query_migrate(JsonObject *args, Error **errp)
{
    return NULL;
}

static JsonNode *qmp_query_migrate_capabilities(JsonObject *args, Error **errp)
{
    JsonObject *info = json_object_new();
    JsonArray *list = json_array_new();

    json_object_set_string_member(info, "capability", "events");
    json_object_set_boolean_member(info, "state", migration_events);
    json_array_add_object_element(list, info);
    return json_array_node(list);
}

static JsonNode *qmp_migrate_set_capabilities(JsonObject *args, Error **errp)
{
    JsonArray *list = json_object_get_array_member(args, "capabilities");

    for (guint i = 0; i < json_array_get_length(list); i++) {
        migration_events = json_object_get_boolean_member(
            json_array_get_object_element(list, i), "state");
    }
    return NULL;
}

/* --- commands ------------------------------------------------------------ */

static const QmpType absent_types[] = {
    { .name = "JobInfo", .members = "id:str",
      .help = "A job; there is none.\n"
      "id: its name" },
    { .name = "TPMInfo", .members = "id:str",
      .help = "A TPM; there is none.\n"
      "id: its name" },
    { .name = "TpmModel", .values = "",
      .help = "Models of TPMs: none." },
    { .name = "TpmType", .values = "",
      .help = "Kinds of what can be behind a TPM: none." },
    { .name = "MigrationInfo", .members = "?status:str",
      .help = "The state of a migration; there is none.\n"
      "status: how far it is" },
    { .name = "MigrationCapability", .values = "events",
      .help = "What a migration could be asked to do." },
    { .name = "MigrationCapabilityStatus",
      .members = "capability:MigrationCapability,state:bool",
      .help = "Whether a migration would do it.\n"
      "capability: what\n"
      "state: whether" },
};

static const QmpCommand absent_commands[] = {
    { .name = "query-jobs", .returns = "[JobInfo]", .fn = qmp_query_none,
      .help = "Lists the jobs: none." },
    { .name = "query-tpm", .returns = "[TPMInfo]", .fn = qmp_query_none,
      .help = "Lists the TPMs: none." },
    { .name = "query-tpm-models", .returns = "[TpmModel]",
      .fn = qmp_query_none, .help = "Lists the models of TPMs: none." },
    { .name = "query-tpm-types", .returns = "[TpmType]", .fn = qmp_query_none,
      .help = "Lists what can be behind a TPM: nothing." },
    { .name = "query-migrate", .returns = "MigrationInfo",
      .fn = qmp_query_migrate,
      .help = "The state of a migration; there is none." },
    { .name = "query-migrate-capabilities",
      .returns = "[MigrationCapabilityStatus]",
      .fn = qmp_query_migrate_capabilities,
      .help = "What a migration would do; there is no migration." },
    { .name = "migrate-set-capabilities",
      .args = "capabilities:[MigrationCapabilityStatus]",
      .fn = qmp_migrate_set_capabilities,
      .help = "Says what a migration shall do; there is no migration.\n"
      "capabilities: those to change" },
};

static void absent_register(void)
{
    qmp_register_types(absent_types, ARRAY_SIZE(absent_types));
    qmp_register_commands(absent_commands, ARRAY_SIZE(absent_commands));
}
type_init(absent_register)
