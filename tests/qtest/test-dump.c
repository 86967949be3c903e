/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dump-guest-memory: an ELF core with what is populated and nothing else, the
 * VM stopped meanwhile, and no half file, whatever happens.
 */
#include <elf.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "qemu/units.h"
#include "virtio-mem.h"

#define BLOCK (2 * MiB)
#define BOOT (64 * MiB)

typedef struct Fixture {
    QTestState *qts;
    QmpClient *qmp;
    QGuest guest;
    QVirtioMem vmem;
    struct virtio_mem_config config;
    char *dir;
    char *path;
} Fixture;

static void setup(Fixture *f, const void *data)
{
    f->dir = g_dir_make_tmp("dump-XXXXXX", NULL);
    f->path = g_build_filename(f->dir, "core", NULL);
    f->qts = qtest_init(
        "-M q35 -m 64M,maxmem=2G "
        "-object memory-backend-memfd,id=sparse,size=256M "
        "-device virtio-mem-pci,id=vm0,memdev=sparse,block-size=2M,"
        "requested-size=256M");
    f->qmp = qtest_qmp(f->qts);
    qguest_init(&f->guest, f->qts);
    qvirtio_mem_init(&f->vmem, &f->guest, 0);
    qvirtio_mem_config(&f->vmem, &f->config);
}

/* Nothing may be left of a dump but the file itself. */
static void assert_files(Fixture *f, unsigned n)
{
    g_autoptr(GDir) dir = g_dir_open(f->dir, 0, NULL);
    unsigned found = 0;

    while (g_dir_read_name(dir)) {
        found++;
    }
    g_assert_cmpuint(found, ==, n);
    g_assert_cmpint(g_file_test(f->path, G_FILE_TEST_EXISTS), ==, n == 1);
}

static void teardown(Fixture *f, const void *data)
{
    if (f->qts) {
        qtest_quit(f->qts);
    }
    g_unlink(f->path);
    assert_files(f, 0);
    g_assert_no_errno(g_rmdir(f->dir));
    g_free(f->path);
    g_free(f->dir);
}

static uint64_t block_addr(Fixture *f, unsigned block)
{
    return f->config.addr + block * BLOCK;
}

static void plug(Fixture *f, unsigned block, unsigned nr)
{
    g_assert_cmpuint(qvirtio_mem_plug(&f->vmem, block_addr(f, block), nr), ==,
                     VIRTIO_MEM_RESP_ACK);
}

/* What query-dump, or the "result" of the event, says. */
static void check_result(JsonObject *result, const char *status,
                         uint64_t completed, uint64_t total)
{
    g_assert_cmpstr(json_object_get_string_member(result, "status"), ==,
                    status);
    g_assert_cmpuint(json_object_get_int_member(result, "completed"), ==,
                     completed);
    g_assert_cmpuint(json_object_get_int_member(result, "total"), ==, total);
}

static void check_query(Fixture *f, const char *status, uint64_t completed,
                        uint64_t total)
{
    g_autoptr(JsonNode) node = qmp_client_do(f->qmp,
                                             "{'execute': 'query-dump'}");

    check_result(json_node_get_object(node), status, completed, total);
}

static bool is_running(Fixture *f)
{
    g_autoptr(JsonNode) node = qmp_client_do(f->qmp,
                                             "{'execute': 'query-status'}");

    return json_object_get_boolean_member(json_node_get_object(node),
                                          "running");
}

#define DUMP "{'execute': 'dump-guest-memory', 'arguments': {" \
             "'paging': false, 'protocol': 'file:%s'"

static void dump(Fixture *f)
{
    json_node_unref(qmp_client_do(f->qmp, DUMP "}}", f->path));
}

/* Sends commands without waiting for replies. */
static void send_text(Fixture *f, const char *fmt, ...) G_GNUC_PRINTF(2, 3);
static void send_text(Fixture *f, const char *fmt, ...)
{
    g_autofree char *text = NULL;
    va_list ap;

    va_start(ap, fmt);
    text = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    g_strdelimit(text, "'", '"');
    qmp_client_send(f->qmp, text);
}

static void assert_success(Fixture *f)
{
    g_autoptr(JsonObject) reply = qmp_client_reply(f->qmp);

    g_assert_true(json_object_has_member(reply, "return"));
}

/* --- a reader of ELF cores, without the emulator's help ------------------- */

typedef struct Core {
    char *data;
    gsize size;
    const Elf64_Phdr *load[8];
    unsigned nr_loads;
} Core;

static void core_clear(Core *c)
{
    g_free(c->data);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Core, core_clear)

static Core read_core(Fixture *f)
{
    Core c = { 0 };
    const Elf64_Ehdr *header;

    g_assert_true(g_file_get_contents(f->path, &c.data, &c.size, NULL));
    header = (const Elf64_Ehdr *)c.data;
    g_assert_cmpmem(header->e_ident, SELFMAG, ELFMAG, SELFMAG);
    g_assert_cmpuint(header->e_type, ==, ET_CORE);
    g_assert_cmpuint(header->e_machine, ==, EM_X86_64);
    for (unsigned i = 0; i < header->e_phnum; i++) {
        const Elf64_Phdr *p =
            (const Elf64_Phdr *)(c.data + header->e_phoff) + i;

        if (p->p_type == PT_LOAD) {
            g_assert_cmpuint(c.nr_loads, <, G_N_ELEMENTS(c.load));
            g_assert_cmpuint(p->p_offset + p->p_filesz, <=, c.size);
            g_assert_cmpuint(p->p_memsz, ==, p->p_filesz);
            c.load[c.nr_loads++] = p;
        }
    }
    return c;
}

/* The byte at guest physical @addr. */
static uint8_t core_byte(const Core *c, uint64_t addr)
{
    for (unsigned i = 0; i < c->nr_loads; i++) {
        if (addr - c->load[i]->p_paddr < c->load[i]->p_filesz) {
            return c->data[c->load[i]->p_offset +
                           (addr - c->load[i]->p_paddr)];
        }
    }
    g_error("0x%" PRIx64 " is not in the dump", addr);
}

static void check_load(const Core *c, unsigned n, uint64_t addr, uint64_t size)
{
    g_assert_cmphex(c->load[n]->p_paddr, ==, addr);
    g_assert_cmphex(c->load[n]->p_filesz, ==, size);
}

/* --- what is in it -------------------------------------------------------- */

static void test_populated_memory_only(Fixture *f, const void *data)
{
    struct stat st;
    g_auto(Core) c = { 0 };

    check_query(f, "none", 0, 0);
    plug(f, 0, 1);
    plug(f, 3, 2);
    plug(f, 5, 1);
    qtest_memset(f->qts, 1 * MiB, 0x11, 4096);
    qtest_memset(f->qts, block_addr(f, 0), 0x22, BLOCK);
    qtest_writeb(f->qts, block_addr(f, 5) + BLOCK - 1, 0x33);
    dump(f);

    c = read_core(f);
    g_assert_cmpuint(c.nr_loads, ==, 3);
    check_load(&c, 0, 0, BOOT);
    check_load(&c, 1, block_addr(f, 0), BLOCK);
    check_load(&c, 2, block_addr(f, 3), 3 * BLOCK);
    g_assert_cmphex(core_byte(&c, 1 * MiB + 4095), ==, 0x11);
    g_assert_cmphex(core_byte(&c, 1 * MiB + 4096), ==, 0);
    g_assert_cmphex(core_byte(&c, block_addr(f, 0)), ==, 0x22);
    g_assert_cmphex(core_byte(&c, block_addr(f, 1) - 1), ==, 0x22);
    g_assert_cmphex(core_byte(&c, block_addr(f, 6) - 1), ==, 0x33);
    check_query(f, "completed", BOOT + 4 * BLOCK, BOOT + 4 * BLOCK);
    g_assert_true(is_running(f));
    g_assert_no_errno(stat(f->path, &st));
    g_assert_cmpuint(st.st_mode & 0777, ==, 0600);
    /* Zeros are holes. */
    g_assert_cmpuint(st.st_blocks * 512, <, 8 * MiB);
    assert_files(f, 1);
}

static void test_range(Fixture *f, const void *data)
{
    g_auto(Core) c = { 0 };

    plug(f, 0, 4);
    qtest_writeb(f->qts, block_addr(f, 1) + 5, 0x44);
    json_node_unref(qmp_client_do(
        f->qmp, DUMP ", 'begin': %" PRIu64 ", 'length': %" PRIu64 "}}",
        f->path, block_addr(f, 1) + 5, (uint64_t)BLOCK));
    c = read_core(f);
    g_assert_cmpuint(c.nr_loads, ==, 1);
    check_load(&c, 0, block_addr(f, 1) + 5, BLOCK);
    g_assert_cmphex(core_byte(&c, block_addr(f, 1) + 5), ==, 0x44);
}

/* The program's output, g_free(); NULL, having skipped, if there is none. */
static char *run_tool(const char *program, ...)
{
    g_autofree char *found = g_find_program_in_path(program);
    g_autoptr(GPtrArray) argv = g_ptr_array_new();
    g_autofree char *err = NULL;
    char *out = NULL;
    int status = -1;
    va_list ap;
    char *arg;

    if (!found) {
        g_test_skip_printf("there is no %s", program);
        return NULL;
    }
    g_ptr_array_add(argv, found);
    va_start(ap, program);
    while ((arg = va_arg(ap, char *))) {
        g_ptr_array_add(argv, arg);
    }
    va_end(ap);
    g_ptr_array_add(argv, NULL);
    g_assert_true(g_spawn_sync(NULL, (char **)argv->pdata, NULL,
                               G_SPAWN_DEFAULT, NULL, NULL, &out, &err,
                               &status, NULL));
    g_assert_cmpint(status, ==, 0);
    g_test_message("%s", err);
    return out;
}

static void test_readelf(Fixture *f, const void *data)
{
    g_autofree char *out = NULL;

    plug(f, 1, 1);
    dump(f);
    out = run_tool("readelf", "-Wl", f->path, NULL);
    if (out) {
        g_assert_nonnull(strstr(out, "Elf file type is CORE"));
        g_assert_nonnull(strstr(out, "There are 2 program headers"));
    }
}

static void test_gdb(Fixture *f, const void *data)
{
    g_autofree char *command = NULL;
    g_autofree char *out = NULL;

    plug(f, 1, 1);
    qtest_writel(f->qts, block_addr(f, 1) + 8, 0xc0ffee11);
    dump(f);
    command = g_strdup_printf("x/1xw 0x%" PRIx64, block_addr(f, 1) + 8);
    out = run_tool("gdb", "-batch", "-nx", "-core", f->path, "-ex", command,
                   NULL);
    if (out) {
        g_assert_nonnull(strstr(out, "0xc0ffee11"));
    }
}

/* --- into a descriptor --------------------------------------------------- */

static void send_fd(Fixture *f, int fd)
{
    g_autoptr(JsonObject) reply = NULL;

    qmp_client_send_fds(f->qmp, "{'execute': 'getfd', 'arguments': "
                        "{'fdname': 'dump'}}", fd, 1);
    reply = qmp_client_reply(f->qmp);
    g_assert_true(json_object_has_member(reply, "return"));
}

/* The emulator has the end to write to; the other end. */
static int send_pipe(Fixture *f)
{
    int fds[2];

    g_assert_no_errno(pipe2(fds, O_CLOEXEC));
    send_fd(f, fds[1]);
    close(fds[1]);
    return fds[0];
}

#define STREAM "{'execute': 'dump-guest-memory', 'arguments': "               \
    "{'paging': false, 'protocol': 'fd:dump', 'detach': true}}"

/* Reads @fd to its end. */
static GByteArray *read_all(int fd)
{
    GByteArray *all = g_byte_array_new();
    uint8_t buf[64 * KiB];
    ssize_t n;

    while ((n = read(fd, buf, sizeof(buf))) > 0) {
        g_byte_array_append(all, buf, n);
    }
    g_assert_cmpint(n, ==, 0);
    close(fd);
    return all;
}

/* What libvirt does: its helper reads the pipe and writes the file. */
static void test_pipe_gets_what_a_file_has(Fixture *f, const void *data)
{
    g_autoptr(GByteArray) stream = NULL;
    g_autoptr(JsonObject) event = NULL;
    g_autofree char *file = NULL;
    size_t len;
    int fd;

    plug(f, 3, 2);
    qtest_memset(f->qts, block_addr(f, 3) + 4096, 0x5a, 300 * KiB);
    dump(f);
    json_object_unref(qmp_client_event(f->qmp, "DUMP_COMPLETED"));
    fd = send_pipe(f);
    json_node_unref(qmp_client_do(f->qmp, STREAM));
    stream = read_all(fd);
    event = qmp_client_event(f->qmp, "DUMP_COMPLETED");
    g_assert_false(json_object_has_member(
        json_object_get_object_member(event, "data"), "error"));
    g_assert_true(g_file_get_contents(f->path, &file, &len, NULL));
    g_assert_cmpuint(stream->len, ==, len);
    g_assert_true(memcmp(stream->data, file, len) == 0);
}

/* The reply comes when all has been read. */
static void test_client_that_waits_may_read(Fixture *f, const void *data)
{
    g_autoptr(GByteArray) stream = NULL;
    g_autoptr(JsonObject) reply = NULL;
    int fd = send_pipe(f);

    qmp_client_send(f->qmp, "{'execute': 'dump-guest-memory', 'arguments': "
                    "{'paging': false, 'protocol': 'fd:dump'}}");
    stream = read_all(fd);
    reply = qmp_client_reply(f->qmp);
    g_assert_true(json_object_has_member(reply, "return"));
    g_assert_cmpuint(stream->len, >, BOOT);
}

/* Nobody reads, and the emulator answers all the same. */
static void test_full_pipe_lets_the_emulator_go_on(Fixture *f, const void *data)
{
    int fd = send_pipe(f);

    json_node_unref(qmp_client_do(f->qmp, STREAM));
    for (unsigned i = 0; i < 10; i++) {
        qmp_client_check_alive(f->qmp);
    }
    g_byte_array_unref(read_all(fd));
    json_object_unref(qmp_client_event(f->qmp, "DUMP_COMPLETED"));
    g_assert_true(is_running(f));
}

static void test_reader_that_leaves_fails_it(Fixture *f, const void *data)
{
    g_autoptr(JsonObject) event = NULL;
    int fd = send_pipe(f);
    char byte;

    json_node_unref(qmp_client_do(f->qmp, STREAM));
    g_assert_cmpint(read(fd, &byte, 1), ==, 1);
    close(fd);
    event = qmp_client_event(f->qmp, "DUMP_COMPLETED");
    g_assert_nonnull(strstr(json_object_get_string_member(
        json_object_get_object_member(event, "data"), "error"),
        "cannot write 'fd:dump': Broken pipe"));
    g_assert_true(is_running(f));
    /* The name is used up. */
    qmp_client_expect_error(f->qmp, "GenericError", "has not been found",
                            STREAM);
}

static void test_descriptor_must_be_writable(Fixture *f, const void *data)
{
    int fds[2];

    g_assert_no_errno(pipe2(fds, O_CLOEXEC));
    send_fd(f, fds[0]);
    qmp_client_expect_error(f->qmp, "GenericError",
                            "'fd:dump' cannot be written to", STREAM);
    close(fds[0]);
    close(fds[1]);
    g_assert_true(is_running(f));
}

/* --- while it is written -------------------------------------------------- */

static void dirty_all(Fixture *f)
{
    plug(f, 0, 128);
    qtest_memset(f->qts, block_addr(f, 0), 0x55, 128 * BLOCK);
}

static void test_detached(Fixture *f, const void *data)
{
    g_autoptr(JsonObject) event = NULL;
    g_autoptr(JsonObject) query = NULL;
    JsonObject *result;

    dirty_all(f);
    send_text(f, DUMP ", 'detach': true}}", f->path);
    send_text(f, "{'execute': 'query-dump'}");
    send_text(f, "{'execute': 'cont'}");
    send_text(f, "{'execute': 'stop'}");
    send_text(f, DUMP "}}", f->path);
    assert_success(f);
    query = qmp_client_reply(f->qmp);
    result = json_object_get_object_member(query, "return");
    g_assert_cmpstr(json_object_get_string_member(result, "status"), ==,
                    "active");
    g_assert_cmpuint(json_object_get_int_member(result, "completed"), <,
                     json_object_get_int_member(result, "total"));
    for (int i = 0; i < 3; i++) {
        g_autoptr(JsonObject) reply = qmp_client_reply(f->qmp);

        qmp_assert_error(reply, "GenericError", "There is a dump in process");
    }
    event = qmp_client_event(f->qmp, "DUMP_COMPLETED");
    result = json_object_get_object_member(
        json_object_get_object_member(event, "data"), "result");
    check_result(result, "completed", BOOT + 128 * BLOCK, BOOT + 128 * BLOCK);
    g_assert_true(is_running(f));
    assert_files(f, 1);
}

static void test_reset_fails_it(Fixture *f, const void *data)
{
    g_autoptr(JsonObject) event = NULL;
    JsonObject *fields;

    dirty_all(f);
    send_text(f, DUMP ", 'detach': true}}", f->path);
    send_text(f, "{'execute': 'system_reset'}");
    assert_success(f);
    assert_success(f);
    event = qmp_client_event(f->qmp, "DUMP_COMPLETED");
    fields = json_object_get_object_member(event, "data");
    g_assert_nonnull(strstr(json_object_get_string_member(fields, "error"),
                            "the machine was reset"));
    g_assert_cmpstr(json_object_get_string_member(
                        json_object_get_object_member(fields, "result"),
                        "status"), ==, "failed");
    assert_files(f, 0);
    g_assert_true(is_running(f));
    g_assert_cmpuint(qtest_qom_get_uint(f->qts, "/machine/peripheral/vm0",
                                        "size"), ==, 0);
}

static void test_quit_leaves_nothing(Fixture *f, const void *data)
{
    dirty_all(f);
    send_text(f, DUMP ", 'detach': true}}", f->path);
    send_text(f, "{'execute': 'quit'}");
    assert_success(f);
    assert_success(f);
    g_assert_cmpint(qtest_wait_exit(f->qts), ==, 0);
    f->qts = NULL;
    assert_files(f, 0);
}

/* A guest's request that comes meanwhile is handled afterwards. */
static void test_plug_waits(Fixture *f, const void *data)
{
    QVirtQueue *vq = &f->vmem.vq;
    struct virtio_mem_req request = { .type = VIRTIO_MEM_REQ_UNPLUG_ALL };
    g_autoptr(JsonNode) query = NULL;
    g_auto(Core) c = { 0 };
    bool used;

    dirty_all(f);
    qtest_memwrite(f->qts, f->vmem.request, &request, sizeof(request));
    send_text(f, DUMP ", 'detach': true}}", f->path);
    assert_success(f);
    qvirtqueue_add(vq, (QVirtioBuffer[]) {
        { f->vmem.request, sizeof(struct virtio_mem_req), false },
        { f->vmem.response, sizeof(struct virtio_mem_resp), true },
    }, 2);
    qvirtqueue_kick(vq);
    used = qvirtqueue_has_used(vq);
    query = qmp_client_do(f->qmp, "{'execute': 'query-dump'}");
    if (g_str_equal(json_object_get_string_member(json_node_get_object(query),
                                                  "status"), "active")) {
        g_assert_false(used);
    }
    json_object_unref(qmp_client_event(f->qmp, "DUMP_COMPLETED"));
    qvirtqueue_wait(vq, NULL);
    c = read_core(f);
    g_assert_cmphex(core_byte(&c, block_addr(f, 128) - 1), ==, 0x55);
    g_assert_cmpuint(qtest_qom_get_uint(f->qts, "/machine/peripheral/vm0",
                                        "size"), ==, 0);
}

/* --- what is refused, and what fails -------------------------------------- */

static void expect_error(Fixture *f, const char *args, const char *part)
{
    qmp_client_expect_error(
        f->qmp, "GenericError", part,
        "{'execute': 'dump-guest-memory', 'arguments': {%s}}", args);
    assert_files(f, 0);
    g_assert_true(is_running(f));
}

static void test_refusals(Fixture *f, const void *data)
{
    g_autofree char *in_dir = g_strdup_printf(
        "'paging': false, 'protocol': 'file:%s'", f->dir);

    expect_error(f, "'paging': true, 'protocol': 'file:/x'", "paging=true");
    expect_error(f, "'paging': false, 'protocol': 'fd:x'",
                 "File descriptor named 'x' has not been found");
    expect_error(f, "'paging': false, 'protocol': 'fd:'", "fd:NAME");
    expect_error(f, "'paging': false, 'protocol': 'file:'", "file:PATH");
    expect_error(f, "'paging': false, 'protocol': 'file:/x', "
                 "'format': 'kdump-zlib'", "it accepts: elf");
    expect_error(f, "'paging': false, 'protocol': 'file:/x', 'begin': 0",
                 "go together");
    expect_error(f, "'paging': false, 'protocol': 'file:/x', 'begin': -1, "
                 "'length': 1", "must not be negative");
    expect_error(f, "'paging': false, 'protocol': 'file:/x', 'begin': 0, "
                 "'length': 0", "must be positive");
    expect_error(f, "'paging': false, 'protocol': 'file:/nowhere/x'",
                 "cannot create '/nowhere/x'");
    expect_error(f, "'paging': false, 'protocol': 'file:/dev/null'",
                 "not a regular file");
    expect_error(f, in_dir, "not a regular file");
    check_query(f, "none", 0, 0);
}

/* What a link leads to may be somebody else's. */
static void test_links_are_not_followed(Fixture *f, const void *data)
{
    g_autofree char *dir = g_dir_make_tmp("dump-link-XXXXXX", NULL);
    g_autofree char *victim = g_build_filename(dir, "victim", NULL);
    g_autofree char *link = g_build_filename(dir, "link", NULL);
    g_autofree char *option = g_strdup_printf(
        "'paging': false, 'protocol': 'file:%s'", link);
    g_autofree char *text = NULL;

    g_assert_true(g_file_set_contents(victim, "precious", -1, NULL));
    g_assert_no_errno(symlink("victim", link));
    expect_error(f, option, "not a regular file");
    g_assert_true(g_file_get_contents(victim, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, "precious");
    g_unlink(link);
    g_unlink(victim);
    g_rmdir(dir);
}

static void test_no_memory_there(Fixture *f, const void *data)
{
    g_autofree char *args = g_strdup_printf(
        "'paging': false, 'protocol': 'file:%s', 'begin': %" PRIu64
        ", 'length': 4096", f->path, block_addr(f, 0));

    expect_error(f, args, "there is no memory");
    check_query(f, "failed", 0, 0);
}

static void test_file_too_large(Fixture *f, const void *data)
{
    struct rlimit limit = { 8 * MiB, RLIM_INFINITY };

    plug(f, 0, 8);
    qtest_memset(f->qts, block_addr(f, 0), 0x66, 8 * BLOCK);
    g_assert_no_errno(prlimit(qtest_pid(f->qts), RLIMIT_FSIZE, &limit, NULL));
    qmp_client_expect_error(f->qmp, "GenericError", "File too large",
                            DUMP "}}", f->path);
    assert_files(f, 0);
    g_assert_true(is_running(f));
}

/* A dump that fails leaves the one before as it was. */
static void test_old_file_survives(Fixture *f, const void *data)
{
    struct rlimit limit = { 8 * MiB, RLIM_INFINITY };
    g_autofree char *text = NULL;

    g_assert_true(g_file_set_contents(f->path, "old", -1, NULL));
    qtest_memset(f->qts, 16 * MiB, 0x66, 8 * MiB);
    g_assert_no_errno(prlimit(qtest_pid(f->qts), RLIMIT_FSIZE, &limit, NULL));
    qmp_client_expect_error(f->qmp, "GenericError", "cannot write",
                            DUMP "}}", f->path);
    g_assert_true(g_file_get_contents(f->path, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, "old");
    assert_files(f, 1);
}

/* --- what it costs -------------------------------------------------------- */

static uint64_t rss(QTestState *s)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/status", qtest_pid(s));
    g_autofree char *text = NULL;
    const char *line;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    line = strstr(text, "\nVmRSS:");
    g_assert_nonnull(line);
    return g_ascii_strtoull(line + strlen("\nVmRSS:"), NULL, 10) * 1024;
}

/* Reading memory must not have the host back it. @data: the backend. */
static void test_untouched_memory_stays_so(gconstpointer data)
{
    g_autofree char *path = g_build_filename(g_get_tmp_dir(),
                                             "sparsevm-dump-XXXXXX", NULL);
    int fd = g_mkstemp(path);
    QTestState *s = qtest_init("-M q35,memory-backend=ram -m 1G "
                               "-object %s,id=ram,size=1G", (char *)data);
    uint64_t before;
    GStatBuf st;

    close(fd);
    qtest_memset(s, 512 * MiB, 0x5a, 4 * MiB);
    before = rss(s);
    json_node_unref(qmp_client_do(qtest_qmp(s), DUMP "}}", path));
    g_assert_cmpuint(rss(s), <, before + 16 * MiB);
    g_assert_no_errno(g_stat(path, &st));
    g_assert_cmpuint(st.st_size, >, 1024 * MiB);
    g_assert_cmpuint(st.st_blocks * 512, >=, 4 * MiB);
    g_assert_cmpuint(st.st_blocks * 512, <, 8 * MiB);
    qtest_quit(s);
    g_unlink(path);
}

int main(int argc, char **argv)
{
    qtest_main_init(&argc, &argv);
    qtest_needs(QTEST_NEEDS_SPARSEVM);
#define ADD(name, fn) g_test_add("/dump/" name, Fixture, NULL, setup, fn, \
                                 teardown)
    ADD("has-populated-memory-only", test_populated_memory_only);
    g_test_add_data_func("/dump/untouched-memory-stays-so/ram",
                         "memory-backend-ram", test_untouched_memory_stays_so);
    g_test_add_data_func("/dump/untouched-memory-stays-so/memfd",
                         "memory-backend-memfd",
                         test_untouched_memory_stays_so);
    g_test_add_data_func("/dump/untouched-memory-stays-so/memfd-private",
                         "memory-backend-memfd,share=off",
                         test_untouched_memory_stays_so);
    g_test_add_data_func("/dump/untouched-memory-stays-so/file",
                         "memory-backend-file,mem-path=/dev/shm,share=on",
                         test_untouched_memory_stays_so);
    ADD("has-the-range-asked-for", test_range);
    ADD("readelf-reads-it", test_readelf);
    ADD("gdb-reads-it", test_gdb);
    ADD("pipe-gets-what-a-file-has", test_pipe_gets_what_a_file_has);
    ADD("client-that-waits-may-read", test_client_that_waits_may_read);
    ADD("full-pipe-lets-the-emulator-go-on",
        test_full_pipe_lets_the_emulator_go_on);
    ADD("reader-that-leaves-makes-it-fail", test_reader_that_leaves_fails_it);
    ADD("descriptor-must-be-writable", test_descriptor_must_be_writable);
    ADD("detached-leaves-the-emulator-responsive", test_detached);
    ADD("reset-makes-it-fail", test_reset_fails_it);
    ADD("quit-leaves-nothing", test_quit_leaves_nothing);
    ADD("guest-requests-wait", test_plug_waits);
    ADD("refusals-name-what-works", test_refusals);
    ADD("links-are-not-followed", test_links_are_not_followed);
    ADD("no-memory-there", test_no_memory_there);
    ADD("file-too-large-leaves-nothing", test_file_too_large);
    ADD("old-file-survives-a-failure", test_old_file_survives);
    return g_test_run();
}
