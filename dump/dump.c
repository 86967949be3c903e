/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dump-guest-memory and query-dump. The memory is written in small portions,
 * all of them within the command or, with detach=true, one whenever the main
 * loop has nothing else to do. Memory of zeros becomes holes of a file, and
 * memory that the host does not back is not touched.
 *
 * Nothing may change meanwhile: the VM is stopped, and a reset, which unplugs
 * memory and writes to RAM, makes the dump fail. Where it goes is
 * dump-output.c's.
 */
#include "qemu/osdep.h"
#include <glib-unix.h>
#include "dump-internal.h"
#include "exec/address-spaces.h"
#include "exec/ramblock.h"
#include "monitor/qmp.h"
#include "qapi/client-event.h"
#include "qemu/units.h"
#include "sysemu/reset.h"
#include "sysemu/runstate.h"

#define SKIP_MAX (1 * GiB)                /* passed over at a time */
#define SLICE_USEC 5000                   /* of the main loop's time */

typedef enum DumpStatus {
    DUMP_NONE,
    DUMP_ACTIVE,
    DUMP_COMPLETED,
    DUMP_FAILED,
} DumpStatus;

static const char *const status_names[] = {
    [DUMP_NONE] = "none",
    [DUMP_ACTIVE] = "active",
    [DUMP_COMPLETED] = "completed",
    [DUMP_FAILED] = "failed",
};

/* The dump in progress, or what is left to tell of the last one. */
typedef struct DumpState {
    DumpStatus status;
    uint64_t completed;                   /* bytes of memory */
    uint64_t total;

    DumpOutput output;
    uint8_t *buffer;                      /* DUMP_CHUNK bytes */
    GArray *pieces;                       /* DumpPiece */
    guint piece;                          /* the next to write, and from where */
    uint64_t piece_offset;
    bool resume;                          /* the VM ran before */
    guint idle;                           /* GSource; 0: not detached */
    VMChangeStateEntry *vmstate;
    Notifier exit;
    Error *error;
} DumpState;

static DumpState dump;

/* --- what must not happen meanwhile --- */

static void fail(const char *reason)
{
    if (!dump.error) {
        error_setg(&dump.error, "%s", reason);
    }
}

static void dump_reset(void *opaque)
{
    fail("the machine was reset");
}

static void dump_vm_change(void *opaque, int running, RunState state)
{
    if (running) {
        fail("the virtual CPUs were started");
    }
}

/* --- the memory --- */

static bool is_zero(const uint8_t *buf, size_t size)
{
    return !buf[0] && memcmp(buf, buf + 1, size - 1) == 0;
}

/* Copies @size bytes of guest memory to where the dump goes. */
static bool write_memory(RAMBlock *rb, uint64_t offset, size_t size)
{
    int ret = ram_block_read(rb, offset, dump.buffer, size);

    if (ret) {
        error_setg_errno(&dump.error, -ret, "failed to save memory '%s'",
                         rb->idstr);
        return false;
    }
    return is_zero(dump.buffer, size)
        ? dump_output_skip(&dump.output, size, &dump.error)
        : dump_output_write(&dump.output, dump.buffer, size, &dump.error);
}

/* Writes a portion. false: there is none left, or something has failed. */
static bool write_chunk(void)
{
    const DumpPiece *piece;
    RAMBlock *rb;
    uint64_t offset, size;
    bool backed;

    if (dump.error || dump.piece == dump.pieces->len) {
        return false;
    }
    piece = &g_array_index(dump.pieces, DumpPiece, dump.piece);
    rb = memory_region_ram_block(piece->mr);
    if (!ram_block_check_contents(rb, &dump.error)) {
        return false;
    }
    offset = piece->host - rb->host + dump.piece_offset;
    size = ram_block_backed_run(rb, offset,
                                MIN(piece->size - dump.piece_offset, SKIP_MAX),
                                &backed);
    if (backed || !dump_output_has_holes(&dump.output)) {
        size = MIN(size, DUMP_CHUNK);
    }
    if (backed ? !write_memory(rb, offset, size)
               : !dump_output_skip(&dump.output, size, &dump.error)) {
        return false;
    }
    dump.completed += size;
    dump.piece_offset += size;
    if (dump.piece_offset == piece->size) {
        dump.piece++;
        dump.piece_offset = 0;
    }
    return true;
}

/* The same, with what a stream has not taken before. */
static bool write_on(void)
{
    if (dump.error || !dump_output_flush(&dump.output, &dump.error)) {
        return false;
    }
    return dump_output_is_full(&dump.output) || write_chunk();
}

/* --- life --- */

static JsonObject *result_object(void)
{
    JsonObject *result = json_object_new();

    json_object_set_string_member(result, "status", status_names[dump.status]);
    json_object_set_int_member(result, "completed", dump.completed);
    json_object_set_int_member(result, "total", dump.total);
    return result;
}

static void emit_completed(void)
{
    JsonObject *data = json_object_new();

    json_object_set_object_member(data, "result", result_object());
    if (dump.error) {
        json_object_set_string_member(data, "error",
                                      error_get_pretty(dump.error));
    }
    qapi_event_emit("DUMP_COMPLETED", data);
}

/* Undoes begin(), apart from dump.error. */
static void end(void)
{
    dump_output_close(&dump.output, &dump.error);
    g_clear_pointer(&dump.pieces, g_array_unref);
    g_clear_pointer(&dump.buffer, g_free);
    qemu_del_vm_change_state_handler(dump.vmstate);
    qemu_unregister_reset(dump_reset, NULL);
    qemu_remove_exit_notifier(&dump.exit);
    runstate_hold(NULL);
    dump.status = dump.error ? DUMP_FAILED : DUMP_COMPLETED;
    if (dump.resume && !runstate_needs_reset()) {
        vm_start();
    }
    emit_completed();
}

static gboolean dump_idle(gpointer opaque);

/* Who reads the stream has read something, or has gone. */
static gboolean dump_on_writable(gint fd, GIOCondition condition, gpointer data)
{
    dump.idle = g_idle_add(dump_idle, NULL);
    return G_SOURCE_REMOVE;
}

static gboolean dump_idle(gpointer opaque)
{
    gint64 until = g_get_monotonic_time() + SLICE_USEC;

    while (write_on()) {
        if (dump_output_is_full(&dump.output)) {
            dump.idle = g_unix_fd_add(dump.output.fd, G_IO_OUT | G_IO_ERR,
                                      dump_on_writable, NULL);
            return G_SOURCE_REMOVE;
        }
        if (g_get_monotonic_time() >= until) {
            return G_SOURCE_CONTINUE;
        }
    }
    dump.idle = 0;
    end();
    g_clear_pointer(&dump.error, error_free);
    return G_SOURCE_REMOVE;
}

static void dump_exit(Notifier *notifier, void *data)
{
    g_source_remove(dump.idle);
    dump.idle = 0;
    dump.resume = false;
    fail("the emulator ends");
    end();
    g_clear_pointer(&dump.error, error_free);
}

static void count_total(void)
{
    dump.total = 0;
    for (guint i = 0; i < dump.pieces->len; i++) {
        dump.total += g_array_index(dump.pieces, DumpPiece, i).size;
    }
}

/* The VM is stopped, the headers are written, and the memory is chosen. */
static bool begin(const char *protocol, hwaddr first, hwaddr last, Error **errp)
{
    g_autoptr(GArray) segments = NULL;
    g_autoptr(DumpNotes) notes = NULL;
    g_autoptr(GByteArray) headers = NULL;
    g_autoptr(GArray) pieces = NULL;

    if (!dump_output_open(&dump.output, protocol, errp)) {
        return false;
    }
    dump.resume = runstate_is_running();
    vm_stop(RUN_STATE_PAUSED);
    pieces = dump_pieces_new(&address_space_memory, first, last);
    segments = dump_segments_new(pieces);
    notes = dump_notes_new();
    headers = dump_headers_new(segments, notes->bytes);
    dump.pieces = g_steal_pointer(&pieces);
    dump.buffer = g_malloc(DUMP_CHUNK);
    dump.status = DUMP_ACTIVE;
    dump.completed = 0;
    dump.piece = 0;
    dump.piece_offset = 0;
    count_total();
    /* A file that was cut looks like one that has holes. */
    file_mappings_mend();
    dump.vmstate = qemu_add_vm_change_state_handler(dump_vm_change, NULL);
    qemu_register_reset(dump_reset, NULL);
    dump.exit.notify = dump_exit;
    qemu_add_exit_notifier(&dump.exit);
    runstate_hold("There is a dump in process, please wait");
    if (!dump.pieces->len) {
        error_setg(&dump.error, "there is no memory from 0x%" HWADDR_PRIx
                   " to 0x%" HWADDR_PRIx, first, last);
    } else {
        dump_output_write(&dump.output, headers->data, headers->len,
                          &dump.error);
    }
    return true;
}

/* --- QMP --- */

/* What is asked for and cannot be had, worded for the client. */
static bool check_arguments(JsonObject *args, Error **errp)
{
    if (json_object_get_boolean_member(args, "paging")) {
        error_setg(errp, "paging=true is not supported: a dump is of guest "
                   "physical memory");
        return false;
    }
    return true;
}

/* ?begin and ?length; both or none. */
static bool get_range(JsonObject *args, hwaddr *first, hwaddr *last,
                      Error **errp)
{
    bool has_begin = json_object_has_member(args, "begin");
    bool has_length = json_object_has_member(args, "length");
    gint64 begin = json_object_get_int_member_with_default(args, "begin", 0);
    gint64 length = json_object_get_int_member_with_default(args, "length", 0);

    *first = 0;
    *last = UINT64_MAX;
    if (has_begin != has_length) {
        error_setg(errp, "'begin' and 'length' go together");
        return false;
    }
    if (has_begin && (begin < 0 || length <= 0)) {
        error_setg(errp, "'begin' (%" PRId64 ") must not be negative, and "
                   "'length' (%" PRId64 ") must be positive", begin, length);
        return false;
    }
    if (has_begin) {
        *first = begin;
        *last = (uint64_t)begin + (uint64_t)length - 1;
    }
    return true;
}

static JsonNode *qmp_dump_guest_memory(JsonObject *args, Error **errp)
{
    hwaddr first, last;

    if (runstate_is_held(errp) || !check_arguments(args, errp) ||
        !get_range(args, &first, &last, errp)) {
        return NULL;
    }
    if (!begin(json_object_get_string_member(args, "protocol"), first, last,
               errp)) {
        return NULL;
    }
    if (!dump.error &&
        json_object_get_boolean_member_with_default(args, "detach", false)) {
        dump.idle = g_idle_add(dump_idle, NULL);
        return NULL;
    }
    while (write_on() && (!dump_output_is_full(&dump.output) ||
                          dump_output_wait(&dump.output, &dump.error))) {
        /* all at once */
    }
    end();
    error_propagate(errp, g_steal_pointer(&dump.error));
    return NULL;
}

static JsonNode *qmp_query_dump_guest_memory_capability(JsonObject *args,
                                                         Error **errp)
{
    JsonObject *info = json_object_new();
    JsonArray *formats = json_array_new();

    json_array_add_string_element(formats, "elf");
    json_object_set_array_member(info, "formats", formats);
    return json_object_node(info);
}

static JsonNode *qmp_query_dump(JsonObject *args, Error **errp)
{
    return json_object_node(result_object());
}

static const QmpType dump_types[] = {
    { .name = "DumpGuestMemoryFormat", .values = "elf",
      .help = "How a dump is written." },
    { .name = "DumpGuestMemoryCapability",
      .members = "formats:[DumpGuestMemoryFormat]",
      .help = "What dump-guest-memory can do.\n"
      "formats: those that it can write" },
    { .name = "DumpStatus", .values = "none,active,completed,failed",
      .help = "How a dump is getting on; none: there was none." },
    { .name = "DumpQueryResult",
      .members = "status:DumpStatus,completed:int,total:int",
      .help = "How far a dump has got.\n"
      "status: of the one in progress, or the last one\n"
      "completed: bytes of memory that are written\n"
      "total: bytes of memory that are to be written" },
};

static const QmpCommand dump_commands[] = {
    { .name = "dump-guest-memory",
      .args = "paging:bool,protocol:str,?detach:bool,?begin:int,?length:int,"
              "?format:DumpGuestMemoryFormat",
      .fn = qmp_dump_guest_memory,
      .help =
      "Stops the VM and writes its populated memory into an ELF core; event "
      "DUMP_COMPLETED.\n"
      "paging: false; guest-virtual addresses are not supported\n"
      "protocol: file:PATH, or fd:NAME, where getfd gave NAME to a file or to "
      "the end of a pipe\n"
      "detach: reply at once, and write in the background\n"
      "begin: guest physical address to begin at; needs length\n"
      "length: bytes from there on\n"
      "format: left out, it is elf\n"
      "Errors: a dump is in progress, or the file cannot be written" },
    { .name = "query-dump-guest-memory-capability",
      .returns = "DumpGuestMemoryCapability",
      .fn = qmp_query_dump_guest_memory_capability,
      .help = "What dump-guest-memory can do." },
    { .name = "query-dump", .returns = "DumpQueryResult", .fn = qmp_query_dump,
      .help = "How far the dump in progress, or the last one, has got." },
};

static void dump_register(void)
{
    qmp_register_types(dump_types, ARRAY_SIZE(dump_types));
    qmp_register_commands(dump_commands, ARRAY_SIZE(dump_commands));
}
type_init(dump_register)
