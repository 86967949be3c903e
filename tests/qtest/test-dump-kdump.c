/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dump-guest-memory in kdump's compressed format, as a file and flattened: read
 * back by a reader of its own, as crash does it.
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <zlib.h>

#include "dump-test.h"

#define PAGE 4096
/* Offsets in the headers (makedumpfile's documentation, IMPLEMENTATION). */
#define HEADER_VERSION 8
#define HEADER_MACHINE (12 + 4 * 65)
#define HEADER_BLOCK_SIZE 428
#define HEADER_SUB_BLOCKS 432
#define HEADER_BITMAP_BLOCKS 436
#define SUB_MAX_PFN (PAGE + 96)

typedef struct Kdump {
    uint8_t *data;
    gsize size;
    const uint8_t *ram;                   /* bitmap of what is RAM */
    const uint8_t *stored;                /* bitmap of what has a descriptor */
    const uint8_t *pages;                 /* descriptors */
    uint64_t max_pfn;
} Kdump;

static void kdump_clear(Kdump *k)
{
    g_free(k->data);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Kdump, kdump_clear)

static uint32_t get32(const uint8_t *p)
{
    uint32_t value;

    memcpy(&value, p, sizeof(value));
    return GUINT32_FROM_LE(value);
}

static uint64_t get64(const uint8_t *p)
{
    uint64_t value;

    memcpy(&value, p, sizeof(value));
    return GUINT64_FROM_LE(value);
}

static uint64_t get64_be(const uint8_t *p)
{
    return GUINT64_SWAP_LE_BE(get64(p));
}

/* Takes @data; it stays valid as long as *@k. */
static Kdump parse(uint8_t *data, gsize size)
{
    Kdump k = { .data = data, .size = size };
    uint64_t bitmaps, at;

    g_assert_cmpmem(data, 8, "KDUMP   ", 8);
    g_assert_cmpuint(get32(data + HEADER_VERSION), ==, 6);
    g_assert_cmpstr((char *)data + HEADER_MACHINE, ==, "x86_64");
    g_assert_cmpuint(get32(data + HEADER_BLOCK_SIZE), ==, PAGE);
    k.max_pfn = get64(data + SUB_MAX_PFN);
    at = PAGE * (1 + (uint64_t)get32(data + HEADER_SUB_BLOCKS));
    bitmaps = PAGE * (uint64_t)get32(data + HEADER_BITMAP_BLOCKS);
    g_assert_cmpuint(k.max_pfn, <=, bitmaps / 2 * 8);
    g_assert_cmpuint(at + bitmaps, <, size);
    k.ram = data + at;
    k.stored = data + at + bitmaps / 2;
    k.pages = data + at + bitmaps;
    return k;
}

static bool is_ram(const Kdump *k, uint64_t addr)
{
    uint64_t pfn = addr / PAGE;

    return pfn < k->max_pfn && k->ram[pfn / 8] >> pfn % 8 & 1;
}

/* The contents of the page at @addr. */
static void read_page(const Kdump *k, uint64_t addr, uint8_t *page)
{
    uint64_t pfn = addr / PAGE, nth = 0;
    const uint8_t *p;
    uLongf n = PAGE;

    g_assert_true(is_ram(k, addr));
    for (uint64_t i = 0; i < pfn; i++) {
        nth += k->stored[i / 8] >> i % 8 & 1;
    }
    p = k->pages + nth * 24;
    g_assert_cmpuint(get64(p) + get32(p + 8), <=, k->size);
    if (get32(p + 12) & 1) {
        g_assert_cmpint(uncompress(page, &n, k->data + get64(p), get32(p + 8)),
                        ==, Z_OK);
    } else {
        memcpy(page, k->data + get64(p), get32(p + 8));
        n = get32(p + 8);
    }
    g_assert_cmpuint(n, ==, PAGE);
}

static void check_byte(const Kdump *k, uint64_t addr, uint8_t expected)
{
    uint8_t page[PAGE];

    read_page(k, addr, page);
    g_assert_cmphex(page[addr % PAGE], ==, expected);
}

/* What a flattened dump is a record of; takes nothing. */
static uint8_t *unflatten(const uint8_t *data, gsize size, gsize *out_size)
{
    GByteArray *out = g_byte_array_new();
    gsize at = PAGE;

    g_assert_cmpstr((const char *)data, ==, "makedumpfile");
    g_assert_cmpuint(get64_be(data + 16), ==, 1);
    g_assert_cmpuint(get64_be(data + 24), ==, 1);
    for (;;) {
        uint64_t offset, n, old = out->len;

        g_assert_cmpuint(at + 16, <=, size);
        offset = get64_be(data + at);
        n = get64_be(data + at + 8);
        at += 16;
        if (offset == UINT64_MAX) {
            break;
        }
        g_assert_cmpuint(n, <=, size - at);
        if (offset + n > old) {
            g_byte_array_set_size(out, offset + n);
            memset(out->data + old, 0, offset + n - old);
        }
        memcpy(out->data + offset, data + at, n);
        at += n;
    }
    g_assert_cmpuint(at, ==, size);
    *out_size = out->len;
    return g_byte_array_free(out, false);
}

static void dump_as(Fixture *f, const char *format)
{
    json_node_unref(qmp_client_do(f->qmp, DUMP ", 'format': '%s'}}", f->path,
                                  format));
}

static void write_guest(Fixture *f)
{
    g_autofree uint8_t *noise = g_malloc(PAGE);

    for (unsigned i = 0; i < PAGE; i++) {
        noise[i] = g_test_rand_int();
    }
    plug(f, 0, 1);
    plug(f, 3, 2);
    qtest_memset(f->qts, 1 * MiB, 0x11, PAGE + 1);
    /* What cannot be compressed is stored as it is. */
    qtest_memwrite(f->qts, 2 * MiB, noise, PAGE);
    qtest_memset(f->qts, block_addr(f, 3), 0x22, 300 * KiB);
    qtest_writeb(f->qts, block_addr(f, 5) - 1, 0x33);
}

static void check_guest(Fixture *f, const Kdump *k)
{
    uint8_t page[PAGE], expected[PAGE];

    check_byte(k, 0, 0);
    check_byte(k, 1 * MiB, 0x11);
    check_byte(k, 1 * MiB + PAGE, 0x11);
    check_byte(k, 1 * MiB + PAGE + 1, 0);
    check_byte(k, BOOT - 1, 0);
    check_byte(k, block_addr(f, 0), 0);
    check_byte(k, block_addr(f, 3), 0x22);
    check_byte(k, block_addr(f, 5) - 1, 0x33);
    qtest_memread(f->qts, 2 * MiB, expected, PAGE);
    read_page(k, 2 * MiB, page);
    g_assert_cmpmem(page, PAGE, expected, PAGE);
}

/* Of the device's memory what is plugged; the last page is the last one plugged. */
static void check_bitmaps(Fixture *f, const Kdump *k)
{
    uint64_t blocks = 0;

    for (unsigned i = 0; i < 8; i++) {
        blocks |= (uint64_t)is_ram(k, block_addr(f, i)) << i;
        g_assert_cmpint(is_ram(k, block_addr(f, i)), ==,
                        is_ram(k, block_addr(f, i + 1) - 1));
    }
    g_assert_cmphex(blocks, ==, 0x19);
    g_assert_true(is_ram(k, 0));
    g_assert_true(is_ram(k, BOOT - 1));
    g_assert_false(is_ram(k, BOOT));
    g_assert_cmphex(k->max_pfn, ==, block_addr(f, 5) / PAGE);
    g_assert_cmpmem(k->ram, k->stored - k->ram, k->stored,
                    k->stored - k->ram);
}

static void test_raw(Fixture *f, const void *data)
{
    g_auto(Kdump) k = { 0 };
    char *bytes;
    struct stat st;
    gsize size;

    write_guest(f);
    dump_as(f, "kdump-raw-zlib");
    check_query(f, "completed", BOOT + 3 * BLOCK, BOOT + 3 * BLOCK);
    g_assert_true(g_file_get_contents(f->path, &bytes, &size, NULL));
    k = parse((uint8_t *)bytes, size);
    check_bitmaps(f, &k);
    check_guest(f, &k);
    /* 70 MiB of memory: a descriptor of 24 bytes a page, and what is not zero. */
    g_assert_no_errno(stat(f->path, &st));
    g_assert_cmpuint(st.st_size, <, 1 * MiB);
    g_assert_cmpuint(st.st_mode & 0777, ==, 0600);
    assert_files(f, 1);
    g_assert_true(is_running(f));
}

static void test_flattened(Fixture *f, const void *data)
{
    g_autofree char *raw = NULL, *flat = NULL;
    g_auto(Kdump) k = { 0 };
    gsize raw_size, flat_size, size;
    uint8_t *bytes;

    write_guest(f);
    dump_as(f, "kdump-raw-zlib");
    g_assert_true(g_file_get_contents(f->path, &raw, &raw_size, NULL));
    dump_as(f, "kdump-zlib");
    g_assert_true(g_file_get_contents(f->path, &flat, &flat_size, NULL));
    bytes = unflatten((uint8_t *)flat, flat_size, &size);
    k = parse(bytes, size);
    check_guest(f, &k);
    g_assert_cmpuint(size, ==, raw_size);
    g_assert_true(memcmp(bytes, raw, size) == 0);
}

/* A pipe whose reader is slow gets the same. */
static void test_pipe(Fixture *f, const void *data)
{
    g_autoptr(GByteArray) stream = g_byte_array_new();
    g_autoptr(JsonObject) reply = NULL;
    g_auto(Kdump) k = { 0 };
    uint8_t buf[1000], *bytes;
    int fds[2];
    gsize size;
    ssize_t n;

    write_guest(f);
    g_assert_no_errno(pipe2(fds, O_CLOEXEC));
    qmp_client_send_fds(f->qmp, "{'execute': 'getfd', 'arguments': "
                        "{'fdname': 'dump'}}", fds[1], 1);
    close(fds[1]);
    reply = qmp_client_reply(f->qmp);
    g_assert_true(json_object_has_member(reply, "return"));
    json_node_unref(qmp_client_do(
        f->qmp, "{'execute': 'dump-guest-memory', 'arguments': "
        "{'paging': false, 'protocol': 'fd:dump', 'detach': true, "
        "'format': 'kdump-zlib'}}"));
    while ((n = read(fds[0], buf, sizeof(buf))) > 0) {
        g_byte_array_append(stream, buf, n);
    }
    close(fds[0]);
    json_object_unref(qmp_client_event(f->qmp, "DUMP_COMPLETED"));
    bytes = unflatten(stream->data, stream->len, &size);
    k = parse(bytes, size);
    check_bitmaps(f, &k);
    check_guest(f, &k);
}

static void test_detached(Fixture *f, const void *data)
{
    g_autoptr(JsonObject) event = NULL;

    plug(f, 0, 128);
    qtest_memset(f->qts, block_addr(f, 0), 0x55, 128 * BLOCK);
    send_text(f, DUMP ", 'format': 'kdump-zlib', 'detach': true}}", f->path);
    assert_success(f);
    event = qmp_client_event(f->qmp, "DUMP_COMPLETED");
    check_result(json_object_get_object_member(
                     json_object_get_object_member(event, "data"), "result"),
                 "completed", BOOT + 128 * BLOCK, BOOT + 128 * BLOCK);
    assert_files(f, 1);
}

static void test_reset_fails_it(Fixture *f, const void *data)
{
    g_autoptr(JsonObject) event = NULL;

    plug(f, 0, 128);
    qtest_memset(f->qts, block_addr(f, 0), 0x55, 128 * BLOCK);
    send_text(f, DUMP ", 'format': 'kdump-raw-zlib', 'detach': true}}"
              "{'execute': 'system_reset'}", f->path);
    assert_success(f);
    assert_success(f);
    event = qmp_client_event(f->qmp, "DUMP_COMPLETED");
    g_assert_cmpstr(json_object_get_string_member(
        json_object_get_object_member(event, "data"), "error"), ==,
        "the machine was reset");
    assert_files(f, 0);
}

static void test_refusals(Fixture *f, const void *data)
{
    qmp_client_expect_error(
        f->qmp, "GenericError", "'begin' and 'length' are possible with elf",
        DUMP ", 'format': 'kdump-zlib', 'begin': 0, 'length': 4096}}", f->path);
    qmp_client_expect_error(
        f->qmp, "GenericError", "kdump-zlib is possible for a stream",
        "{'execute': 'dump-guest-memory', 'arguments': {'paging': false, "
        "'protocol': 'fd:dump', 'format': 'kdump-raw-zlib'}}");
    assert_files(f, 0);
    g_assert_true(is_running(f));
}

static void test_capability(Fixture *f, const void *data)
{
    g_autoptr(JsonNode) node = qmp_client_do(
        f->qmp, "{'execute': 'query-dump-guest-memory-capability'}");
    g_autofree char *text = json_to_string(node, false);

    g_assert_cmpstr(text, ==, "{\"formats\":[\"elf\",\"kdump-zlib\","
                    "\"kdump-raw-zlib\"]}");
}

int main(int argc, char **argv)
{
    qtest_main_init(&argc, &argv);
    qtest_needs(QTEST_NEEDS_SPARSEVM);
    ADD("kdump/raw", test_raw);
    ADD("kdump/flattened", test_flattened);
    ADD("kdump/pipe", test_pipe);
    ADD("kdump/detached", test_detached);
    ADD("kdump/reset-fails-it", test_reset_fails_it);
    ADD("kdump/refusals", test_refusals);
    ADD("kdump/capability", test_capability);
    return g_test_run();
}
