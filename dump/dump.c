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
#include "hw/core/cpu.h"
#include "qemu/cutils.h"
#include "qemu/units.h"
#include "sysemu/reset.h"
#include "sysemu/runstate.h"

#define SKIP_MAX (1 * GiB)                /* passed over at a time */
#define KDUMP_SKIP_MAX (8 * MiB)          /* where each page has a descriptor */
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
    DumpKdump *kdump;                     /* NULL: an ELF core, or complete */
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

typedef enum DumpFormat {
    FORMAT_ELF,
    FORMAT_KDUMP_ZLIB,                    /* flattened, as for a stream */
    FORMAT_KDUMP_RAW_ZLIB,
    FORMAT__MAX,
} DumpFormat;

static const char *const format_names[FORMAT__MAX] = {
    [FORMAT_ELF] = "elf",
    [FORMAT_KDUMP_ZLIB] = "kdump-zlib",
    [FORMAT_KDUMP_RAW_ZLIB] = "kdump-raw-zlib",
};

/* What a client asks for. */
typedef struct DumpRequest {
    const char *protocol;
    DumpFormat format;
    hwaddr first, last;                   /* of guest physical memory */
} DumpRequest;

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

/* The next @size bytes; @buf NULL: zeros. */
static bool put_memory(const uint8_t *buf, uint64_t size)
{
    if (dump.kdump) {
        return dump_kdump_pages(dump.kdump, buf, size, &dump.error);
    }
    return buf ? dump_output_write(&dump.output, buf, size, &dump.error)
               : dump_output_skip(&dump.output, size, &dump.error);
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
    return put_memory(buffer_is_zero(dump.buffer, size) ? NULL : dump.buffer,
                      size);
}

/* How much memory of zeros is passed over at a time. */
static uint64_t skip_max(void)
{
    return dump.kdump ? KDUMP_SKIP_MAX
                      : dump_output_has_holes(&dump.output) ? SKIP_MAX
                                                            : DUMP_CHUNK;
}

/* After all memory. */
static bool write_end(void)
{
    bool done = dump.kdump && dump_kdump_end(dump.kdump, &dump.error);

    dump_kdump_free(g_steal_pointer(&dump.kdump));
    return done;
}

/* Writes a portion of memory. false: something has failed. */
static bool write_chunk(void)
{
    const DumpPiece *piece;
    RAMBlock *rb;
    uint64_t offset, size;
    bool backed;

    piece = &g_array_index(dump.pieces, DumpPiece, dump.piece);
    rb = memory_region_ram_block(piece->mr);
    if (!ram_block_check_contents(rb, &dump.error)) {
        return false;
    }
    offset = piece->host - rb->host + dump.piece_offset;
    size = ram_block_backed_run(rb, offset,
                                MIN(piece->size - dump.piece_offset,
                                    skip_max()),
                                &backed);
    size = backed ? MIN(size, DUMP_CHUNK) : size;
    if (backed ? !write_memory(rb, offset, size) : !put_memory(NULL, size)) {
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

/* What is next, once a stream has taken what was before. false: there is
 * nothing left, or something has failed. */
static bool write_on(void)
{
    if (dump.error || !dump_output_flush(&dump.output, &dump.error)) {
        return false;
    }
    if (dump_output_is_full(&dump.output)) {
        return true;
    }
    if (dump.kdump && dump_kdump_has_bitmap(dump.kdump)) {
        return dump_kdump_bitmap(dump.kdump, &dump.error);
    }
    return dump.piece < dump.pieces->len ? write_chunk() : write_end();
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
    dump_kdump_free(g_steal_pointer(&dump.kdump));
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

static void begin_elf(const DumpNotes *notes)
{
    g_autoptr(GArray) segments = dump_segments_new(dump.pieces);
    g_autoptr(GByteArray) headers = dump_headers_new(segments, notes->bytes);

    dump_output_write(&dump.output, headers->data, headers->len, &dump.error);
}

static void begin_kdump(const DumpNotes *notes, bool flat)
{
    unsigned nr_cpus = 0;
    CPUState *cpu;

    CPU_FOREACH(cpu) {
        nr_cpus++;
    }
    dump_pieces_keep_pages(dump.pieces, DUMP_KDUMP_PAGE);
    dump.kdump = dump_kdump_begin(&dump.output, flat, dump.pieces, notes,
                                  nr_cpus, &dump.error);
}

/* The VM is stopped, the headers are written, and the memory is chosen. */
static bool begin(const DumpRequest *request, Error **errp)
{
    g_autoptr(DumpNotes) notes = NULL;
    g_autoptr(GArray) pieces = NULL;

    if (!dump_output_open(&dump.output, request->protocol, errp)) {
        return false;
    }
    dump.resume = runstate_is_running();
    vm_stop(RUN_STATE_PAUSED);
    pieces = dump_pieces_new(&address_space_memory, request->first,
                             request->last);
    notes = dump_notes_new();
    dump.pieces = g_steal_pointer(&pieces);
    dump.buffer = g_malloc(DUMP_CHUNK);
    dump.status = DUMP_ACTIVE;
    dump.completed = 0;
    dump.piece = 0;
    dump.piece_offset = 0;
    /* A file that was cut looks like one that has holes. */
    file_mappings_mend();
    dump.vmstate = qemu_add_vm_change_state_handler(dump_vm_change, NULL);
    qemu_register_reset(dump_reset, NULL);
    dump.exit.notify = dump_exit;
    qemu_add_exit_notifier(&dump.exit);
    runstate_hold("There is a dump in process, please wait");
    if (request->format == FORMAT_ELF) {
        begin_elf(notes);
    } else {
        begin_kdump(notes, request->format == FORMAT_KDUMP_ZLIB);
    }
    count_total();
    if (!dump.pieces->len && !dump.error) {
        error_setg(&dump.error, "there is no memory from 0x%" HWADDR_PRIx
                   " to 0x%" HWADDR_PRIx, request->first, request->last);
    }
    return true;
}

/* --- QMP --- */

/* What is asked for and cannot be had, worded for the client. */
static bool check_arguments(JsonObject *args, const DumpRequest *request,
                            Error **errp)
{
    const char *format = format_names[request->format];

    if (json_object_get_boolean_member(args, "paging")) {
        error_setg(errp, "paging=true is not supported: a dump is of guest "
                   "physical memory");
        return false;
    }
    if (request->format != FORMAT_ELF && json_object_has_member(args, "begin")) {
        error_setg(errp, "format %s is of all memory: 'begin' and 'length' are "
                   "possible with elf", format);
        return false;
    }
    if (request->format == FORMAT_KDUMP_RAW_ZLIB &&
        !g_str_has_prefix(request->protocol, "file:")) {
        error_setg(errp, "format %s is not written in order, and so into a "
                   "file:PATH only; kdump-zlib is possible for a stream",
                   format);
        return false;
    }
    return true;
}

/* ?format, which the schema has checked. */
static DumpFormat get_format(JsonObject *args)
{
    const char *name = json_object_get_string_member_with_default(
        args, "format", format_names[FORMAT_ELF]);
    DumpFormat format = FORMAT_ELF;

    while (strcmp(format_names[format], name) != 0) {
        format++;
        g_assert(format < FORMAT__MAX);
    }
    return format;
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
    DumpRequest request = {
        .protocol = json_object_get_string_member(args, "protocol"),
        .format = get_format(args),
    };

    if (runstate_is_held(errp) || !check_arguments(args, &request, errp) ||
        !get_range(args, &request.first, &request.last, errp) ||
        !begin(&request, errp)) {
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

    for (unsigned i = 0; i < FORMAT__MAX; i++) {
        json_array_add_string_element(formats, format_names[i]);
    }
    json_object_set_array_member(info, "formats", formats);
    return json_object_node(info);
}

static JsonNode *qmp_query_dump(JsonObject *args, Error **errp)
{
    return json_object_node(result_object());
}

static const QmpType dump_types[] = {
    { .name = "DumpGuestMemoryFormat", .values = "elf,kdump-zlib,kdump-raw-zlib",
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
      "Stops the VM and writes its populated memory into a file; event "
      "DUMP_COMPLETED.\n"
      "paging: false; guest-virtual addresses are not supported\n"
      "protocol: file:PATH, or fd:NAME, where getfd gave NAME to a file or to "
      "the end of a pipe\n"
      "detach: reply at once, and write in the background\n"
      "begin: guest physical address to begin at; needs length\n"
      "length: bytes from there on\n"
      "format: elf (default), an ELF core; kdump-zlib, compressed, in the "
      "flattened form that can be a stream; kdump-raw-zlib, the same, but only "
      "into a file\n"
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
