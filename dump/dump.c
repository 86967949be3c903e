/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dump-guest-memory and query-dump. The memory is written in small portions,
 * all of them within the command or, with detach=true, one whenever the main
 * loop has nothing else to do. Memory of zeros becomes holes of the file, and
 * memory that the host does not back is not touched.
 *
 * Nothing may change meanwhile: the VM is stopped, and a reset, which unplugs
 * memory and writes to RAM, makes the dump fail. The file gets its name when it
 * is complete; before, and for ever if it fails, there is no such file.
 */
#include "qemu/osdep.h"
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include "dump-internal.h"
#include "exec/address-spaces.h"
#include "exec/ramblock.h"
#include "monitor/qmp.h"
#include "qapi/client-event.h"
#include "qemu/may-open.h"
#include "qemu/units.h"
#include "sysemu/reset.h"
#include "sysemu/runstate.h"

#define CHUNK (256 * KiB)                 /* written, or a hole, as a whole */
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

    char *path;                           /* what the file shall be */
    char *temporary;                      /* what it is until then */
    int fd;
    uint64_t file_offset;
    uint8_t *buffer;                      /* CHUNK bytes */
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

/* --- the file --- */

/* Guest memory is nobody else's business: mode 0600. */
static bool open_file(const char *path, Error **errp)
{
    g_autofree char *real = NULL;
    struct stat st;

    if (!qemu_may_open(errp)) {
        return false;
    }
    real = realpath(path, NULL);
    if (real && (stat(real, &st) || !S_ISREG(st.st_mode))) {
        error_setg(errp, "'%s' is not a regular file", path);
        return false;
    }
    dump.path = g_strdup(real ? real : path);
    dump.temporary = g_strconcat(dump.path, ".XXXXXX", NULL);
    dump.fd = g_mkstemp_full(dump.temporary, O_WRONLY | O_CLOEXEC, 0600);
    if (dump.fd < 0) {
        error_setg_errno(errp, errno, "cannot create '%s'", path);
        g_clear_pointer(&dump.temporary, g_free);
        g_clear_pointer(&dump.path, g_free);
        return false;
    }
    return true;
}

/* Gives the file its name, or, if something failed, removes it. */
static void close_file(void)
{
    /* There may be a hole at the end. */
    if (!dump.error && ftruncate(dump.fd, dump.file_offset)) {
        error_setg_errno(&dump.error, errno, "cannot write '%s'", dump.path);
    }
    if (close(dump.fd) && !dump.error) {
        error_setg_errno(&dump.error, errno, "cannot write '%s'", dump.path);
    }
    if (!dump.error && g_rename(dump.temporary, dump.path)) {
        error_setg_errno(&dump.error, errno, "cannot create '%s'", dump.path);
    }
    if (dump.error) {
        g_unlink(dump.temporary);
    }
    g_clear_pointer(&dump.temporary, g_free);
    g_clear_pointer(&dump.path, g_free);
}

static bool is_zero(const uint8_t *buf, size_t size)
{
    return !buf[0] && memcmp(buf, buf + 1, size - 1) == 0;
}

static bool write_file(const uint8_t *buf, size_t size)
{
    while (size) {
        ssize_t n = pwrite(dump.fd, buf, size, dump.file_offset);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            error_setg_errno(&dump.error, n ? errno : ENOSPC,
                             "cannot write '%s'", dump.path);
            return false;
        }
        buf += n;
        size -= n;
        dump.file_offset += n;
    }
    return true;
}

/* Copies @size bytes of guest memory to the file. */
static bool write_memory(RAMBlock *rb, uint64_t offset, size_t size)
{
    int ret = ram_block_read(rb, offset, dump.buffer, size);

    if (ret) {
        error_setg_errno(&dump.error, -ret, "failed to save memory '%s'",
                         rb->idstr);
        return false;
    }
    if (is_zero(dump.buffer, size)) {
        dump.file_offset += size;
        return true;
    }
    return write_file(dump.buffer, size);
}

/* false: all is written, or something has failed. */
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
    rb = piece->mr->ram_block;
    if (!ram_block_check_contents(rb, &dump.error)) {
        return false;
    }
    offset = piece->host - rb->host + dump.piece_offset;
    size = ram_block_backed_run(rb, offset,
                                MIN(piece->size - dump.piece_offset, SKIP_MAX),
                                &backed);
    if (!backed) {
        dump.file_offset += size;
    } else {
        size = MIN(size, CHUNK);
        if (!write_memory(rb, offset, size)) {
            return false;
        }
    }
    dump.completed += size;
    dump.piece_offset += size;
    if (dump.piece_offset == piece->size) {
        dump.piece++;
        dump.piece_offset = 0;
    }
    return true;
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
    close_file();
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

static gboolean dump_idle(gpointer opaque)
{
    gint64 until = g_get_monotonic_time() + SLICE_USEC;

    while (write_chunk()) {
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

/* The VM is stopped, the file has its headers, and its memory is chosen. */
static bool begin(const char *path, hwaddr first, hwaddr last, Error **errp)
{
    g_autoptr(GArray) segments = NULL;
    g_autoptr(GByteArray) notes = NULL;
    g_autoptr(GByteArray) headers = NULL;
    g_autoptr(GArray) pieces = NULL;

    if (!open_file(path, errp)) {
        return false;
    }
    dump.resume = runstate_is_running();
    vm_stop(RUN_STATE_PAUSED);
    pieces = dump_pieces_new(&address_space_memory, first, last);
    segments = dump_segments_new(pieces);
    notes = dump_notes_new();
    headers = dump_headers_new(segments, notes);
    dump.pieces = g_steal_pointer(&pieces);
    dump.buffer = g_malloc(CHUNK);
    dump.status = DUMP_ACTIVE;
    dump.completed = 0;
    dump.piece = 0;
    dump.piece_offset = 0;
    dump.file_offset = 0;
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
        write_file(headers->data, headers->len);
    }
    return true;
}

/* --- QMP --- */

/* What is asked for and cannot be had, worded for the client. */
static bool check_arguments(JsonObject *args, Error **errp)
{
    const char *protocol = json_object_get_string_member(args, "protocol");

    if (json_object_get_boolean_member(args, "paging")) {
        error_setg(errp, "paging=true is not supported: a dump is of guest "
                   "physical memory");
        return false;
    }
    if (!g_str_has_prefix(protocol, "file:") || !protocol[strlen("file:")]) {
        error_setg(errp, "protocol '%s' is not supported; what is: file:PATH",
                   protocol);
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
    const char *path;
    hwaddr first, last;

    if (runstate_is_held(errp) || !check_arguments(args, errp) ||
        !get_range(args, &first, &last, errp)) {
        return NULL;
    }
    path = json_object_get_string_member(args, "protocol") + strlen("file:");
    if (!begin(path, first, last, errp)) {
        return NULL;
    }
    if (!dump.error &&
        json_object_get_boolean_member_with_default(args, "detach", false)) {
        dump.idle = g_idle_add(dump_idle, NULL);
        return NULL;
    }
    while (write_chunk()) {
        /* all at once */
    }
    end();
    error_propagate(errp, g_steal_pointer(&dump.error));
    return NULL;
}

static JsonNode *qmp_query_dump(JsonObject *args, Error **errp)
{
    return json_object_node(result_object());
}

static const QmpType dump_types[] = {
    { .name = "DumpGuestMemoryFormat", .values = "elf",
      .help = "How a dump is written." },
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
      "Stops the VM and writes its populated memory into an ELF core, "
      "\"file:PATH\"; event DUMP_COMPLETED.\n"
      "paging: false; guest-virtual addresses are not supported\n"
      "protocol: file:PATH\n"
      "detach: reply at once, and write in the background\n"
      "begin: guest physical address to begin at; needs length\n"
      "length: bytes from there on\n"
      "format: left out, it is elf\n"
      "Errors: a dump is in progress, or the file cannot be written" },
    { .name = "query-dump", .returns = "DumpQueryResult", .fn = qmp_query_dump,
      .help = "How far the dump in progress, or the last one, has got." },
};

static void dump_register(void)
{
    qmp_register_types(dump_types, ARRAY_SIZE(dump_types));
    qmp_register_commands(dump_commands, ARRAY_SIZE(dump_commands));
}
type_init(dump_register)
