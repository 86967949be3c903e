/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * block/nvme*.c on a controller made of memory (fake-nvme.h): where data goes, in
 * which pieces, and what becomes of a controller that lies, hangs or fails.
 */
#include "qemu/osdep.h"

#include "block/block-internal.h"
#include "block/nvme.h"
#include "fake-nvme.h"
#include "qemu/iov.h"
#include "qemu/main-loop.h"
#include "qemu/units.h"

typedef struct Request {
    BlockRequest block;
    struct iovec iov[8];
    bool done;
    int ret;
} Request;

typedef struct Fixture {
    FakeNVMe *fake;
    BlockBackend *blk;
} Fixture;

/* --- a disk --- */

static BlockNode *add_node(Error **errp)
{
    g_autoptr(JsonNode) node = json_from_string(
        "{\"driver\": \"raw\", \"node-name\": \"n\", \"discard\": \"unmap\", "
        "\"file\": {\"driver\": \"nvme\", \"device\": \"0000:01:00.0\", "
        "\"namespace\": 1}}", NULL);

    return block_node_add(json_node_get_object(node), errp);
}

static void attach(Fixture *f)
{
    add_node(&error_abort);
    f->blk = blk_attach("n", "/device", true, NULL, NULL, &error_abort);
}

static void set_up(Fixture *f, gconstpointer data)
{
    f->fake = fake_nvme_new();
    attach(f);
}

static void tear_down(Fixture *f, gconstpointer data)
{
    blk_detach(f->blk);
    block_node_del("n", &error_abort);
    g_assert_false(f->fake->is_open);
}

static void request_done(BlockRequest *block, int ret)
{
    Request *r = container_of(block, Request, block);

    g_assert_false(r->done);
    r->done = true;
    r->ret = ret;
}

static void submit(Fixture *f, Request *r, BlockOp op, uint64_t offset,
                   uint64_t bytes)
{
    r->block.op = op;
    r->block.offset = offset;
    r->block.bytes = bytes;
    r->block.iov = r->iov;
    r->block.done = request_done;
    r->done = false;
    blk_submit(f->blk, &r->block);
    g_assert_false(r->done);
}

static int finish(Fixture *f, Request *r)
{
    blk_drain(f->blk);
    g_assert_true(r->done);
    return r->ret;
}

/* One piece of memory at @memory. */
static int do_data(Fixture *f, BlockOp op, uint64_t offset, void *memory,
                   uint64_t bytes)
{
    Request r = { .block.niov = 1, .iov = { { memory, bytes } } };

    submit(f, &r, op, offset, bytes);
    return finish(f, &r);
}

static int do_simple(Fixture *f, BlockOp op, uint64_t offset, uint64_t bytes)
{
    Request r = { 0 };

    submit(f, &r, op, offset, bytes);
    return finish(f, &r);
}

static void fill(uint8_t *memory, size_t size, unsigned seed)
{
    for (size_t i = 0; i < size; i++) {
        memory[i] = i * 7 + (i >> 9) + seed;
    }
}

/* --- data --- */

static void test_size(Fixture *f, gconstpointer data)
{
    g_assert_cmpuint(blk_size(f->blk), ==, FAKE_NVME_DISK);
    g_assert_cmpuint(blk_request_alignment(f->blk), ==, FAKE_NVME_BLOCK);
}

/* Pages, parts of pages, and what is longer than a command may be. */
static void test_guest_memory_without_a_copy(Fixture *f, gconstpointer data)
{
    static const struct { unsigned at, bytes, commands; } cases[] = {
        { 0, 512, 1 }, { 0, 4096, 1 }, { 512, 4096, 1 }, { 3584, 512, 1 },
        { 0, 8192, 1 }, { 2048, 8192, 1 }, { 4096, 3 * 4096, 1 },
        { 0, 128 * KiB, 1 }, { 0, 129 * KiB, 2 }, { 512, 1 * MiB, 8 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint8_t *memory = f->fake->guest + cases[i].at;
        g_autofree uint8_t *expected = g_malloc(cases[i].bytes);
        unsigned before = f->fake->io_commands;

        fill(memory, cases[i].bytes, i);
        memcpy(expected, memory, cases[i].bytes);
        g_assert_cmpint(do_data(f, BLOCK_WRITE, 512 * i, memory,
                                cases[i].bytes), ==, 0);
        g_assert_cmpmem(f->fake->disk + 512 * i, cases[i].bytes, expected,
                        cases[i].bytes);
        memset(memory, 0, cases[i].bytes);
        g_assert_cmpint(do_data(f, BLOCK_READ, 512 * i, memory,
                                cases[i].bytes), ==, 0);
        g_assert_cmpmem(memory, cases[i].bytes, expected, cases[i].bytes);
        g_assert_cmpuint(f->fake->io_commands - before, >=,
                         2 * cases[i].commands);
        g_assert_cmpuint(f->fake->io_commands - before, <=,
                         2 * cases[i].commands + 2);
    }
}

/* Pieces that no list of pages can have as they are. */
static void test_pieces(Fixture *f, gconstpointer data)
{
    uint8_t *g = f->fake->guest;
    g_autofree uint8_t *elsewhere = g_malloc(64 * KiB);
    Request r = {
        .block.niov = 6,
        .iov = {
            { g + 512, 1024 }, { g + 8192, 4096 }, { g + 12288, 100 },
            { g + 20481, 924 }, { elsewhere, 64 * KiB }, { g + 40960, 2048 },
        },
    };
    uint64_t bytes = iov_size(r.iov, 6);
    g_autofree uint8_t *expected = g_malloc(bytes);
    g_autofree uint8_t *found = g_malloc(bytes);

    fill(expected, bytes, 3);
    iov_from_buf(r.iov, 6, 0, expected, bytes);
    submit(f, &r, BLOCK_WRITE, 1024, bytes);
    g_assert_cmpint(finish(f, &r), ==, 0);
    g_assert_cmpmem(f->fake->disk + 1024, bytes, expected, bytes);

    memset(found, 0, bytes);
    iov_from_buf(r.iov, 6, 0, found, bytes);
    submit(f, &r, BLOCK_READ, 1024, bytes);
    g_assert_cmpint(finish(f, &r), ==, 0);
    iov_to_buf(r.iov, 6, 0, found, bytes);
    g_assert_cmpmem(found, bytes, expected, bytes);
}

/* Anything, against a copy of the disk. */
static void test_random(Fixture *f, gconstpointer data)
{
    g_autofree uint8_t *disk = g_malloc0(FAKE_NVME_DISK);
    g_autofree uint8_t *buffer = g_malloc(512 * KiB);
    g_autofree uint8_t *elsewhere = g_malloc(512 * KiB);

    for (int i = 0; i < 2000; i++) {
        uint64_t bytes = 512 * g_test_rand_int_range(1, 200);
        uint64_t offset = 512 * g_test_rand_int_range(
            0, (FAKE_NVME_DISK - bytes) / 512);
        uint8_t *a = g_test_rand_int() % 4
            ? f->fake->guest + g_test_rand_int_range(0, 512 * KiB) : elsewhere;
        uint64_t cut = g_test_rand_int_range(0, bytes / 4) * 4;
        Request r = {
            .block.niov = 2,
            .iov = { { a, cut }, { f->fake->guest + 1 * MiB +
                                   512 * g_test_rand_int_range(0, 64),
                                   bytes - cut } },
        };

        fill(buffer, bytes, i);
        if (g_test_rand_int() % 2) {
            iov_from_buf(r.iov, 2, 0, buffer, bytes);
            submit(f, &r, BLOCK_WRITE, offset, bytes);
            memcpy(disk + offset, buffer, bytes);
        } else {
            submit(f, &r, BLOCK_READ, offset, bytes);
        }
        g_assert_cmpint(finish(f, &r), ==, 0);
        iov_to_buf(r.iov, 2, 0, buffer, bytes);
        g_assert_cmpmem(buffer, bytes, disk + offset, bytes);
    }
    g_assert_cmpmem(f->fake->disk, FAKE_NVME_DISK, disk, FAKE_NVME_DISK);
}

/* More requests than there are places, and than there are buffers. */
static void test_many_at_once(Fixture *f, gconstpointer data)
{
    g_autofree Request *r = g_new0(Request, 300);
    g_autofree uint8_t *elsewhere = g_malloc(300 * 512);

    f->fake->hold = true;
    fill(elsewhere, 300 * 512, 5);
    for (int i = 0; i < 300; i++) {
        r[i].block.niov = 1;
        r[i].iov[0] = (struct iovec) {
            i % 2 ? elsewhere + i * 512 : f->fake->guest + i * 512, 512
        };
        submit(f, &r[i], BLOCK_WRITE, i * 512, 512);
    }
    blk_kick(f->blk);
    for (int i = 0; i < 300; i++) {
        g_assert_false(r[i].done);
    }
    fake_nvme_release(f->fake);
    blk_drain(f->blk);
    for (int i = 0; i < 300; i++) {
        g_assert_true(r[i].done);
        g_assert_cmpint(r[i].ret, ==, 0);
        g_assert_cmpmem(f->fake->disk + i * 512, 512, r[i].iov[0].iov_base, 512);
    }
}

/* The main loop has them complete, too. */
static void test_interrupt(Fixture *f, gconstpointer data)
{
    Request r = { .block.niov = 1, .iov = { { f->fake->guest, 4096 } } };

    submit(f, &r, BLOCK_READ, 0, 4096);
    blk_kick(f->blk);
    while (!r.done) {
        main_loop_wait(true);
    }
    g_assert_cmpint(r.ret, ==, 0);
}

static void test_flush_and_fua(Fixture *f, gconstpointer data)
{
    g_assert_cmpint(do_simple(f, BLOCK_FLUSH, 0, 0), ==, 0);
    g_assert_cmpuint(f->fake->flushes, ==, 1);
    do_data(f, BLOCK_WRITE, 0, f->fake->guest, 512);
    g_assert_false(f->fake->last_fua);
    blk_set_write_cache(f->blk, false);
    do_data(f, BLOCK_WRITE, 0, f->fake->guest, 512);
    g_assert_true(f->fake->last_fua);
    do_data(f, BLOCK_READ, 0, f->fake->guest, 512);
    g_assert_false(f->fake->last_fua);
}

/* By commands of its own, or, if it has none, by writing. */
static void test_zeroes_and_discards(gconstpointer oncs)
{
    Fixture f = { .fake = fake_nvme_new() };

    f.fake->oncs = GPOINTER_TO_UINT(oncs);
    attach(&f);
    memset(f.fake->disk, 0xff, FAKE_NVME_DISK);
    g_assert_cmpint(do_simple(&f, BLOCK_WRITE_ZEROES, 512, 256 * KiB), ==, 0);
    g_assert_cmphex(f.fake->disk[511], ==, 0xff);
    for (unsigned i = 512; i < 512 + 256 * KiB; i++) {
        g_assert_cmphex(f.fake->disk[i], ==, 0);
    }
    g_assert_cmphex(f.fake->disk[512 + 256 * KiB], ==, 0xff);
    g_assert_cmpint(do_simple(&f, BLOCK_DISCARD, 1 * MiB, 1 * MiB), ==, 0);
    g_assert_cmphex(f.fake->disk[1 * MiB], ==, f.fake->oncs ? 0 : 0xff);
    g_assert_cmphex(f.fake->disk[1 * MiB - 1], ==, 0xff);
    g_assert_cmphex(f.fake->disk[2 * MiB], ==, 0xff);
    tear_down(&f, NULL);
}

/* --- what goes wrong --- */

static void test_error_of_a_command(Fixture *f, gconstpointer data)
{
    f->fake->fail_command = f->fake->commands + 1;
    f->fake->fail_status = 0x281;
    g_assert_cmpint(do_data(f, BLOCK_READ, 0, f->fake->guest, 512), ==, -EIO);
    f->fake->fail_command = f->fake->commands + 1;
    f->fake->fail_status = NVME_SC_CAPACITY_EXCEEDED;
    g_assert_cmpint(do_data(f, BLOCK_WRITE, 0, f->fake->guest, 512), ==,
                    -ENOSPC);
    g_assert_cmpint(do_data(f, BLOCK_READ, 0, f->fake->guest, 512), ==, 0);
    g_assert_cmpuint(f->fake->quiesced, ==, 0);
}

/* Memory that the drive no longer reaches: an error, and no more. */
static void test_memory_that_has_gone(Fixture *f, gconstpointer data)
{
    Request r = { .block.niov = 1, .iov = { { f->fake->guest, 4096 } } };
    uint8_t *own = f->fake->own;

    f->fake->hold = true;
    submit(f, &r, BLOCK_READ, 0, 4096);
    blk_kick(f->blk);
    /* As if all of guest memory had been unmapped. */
    ((NVMeCommand *)(own + 2 * NVME_PAGE))[0].prp1 = GUINT64_TO_LE(16);
    fake_nvme_release(f->fake);
    g_assert_cmpint(finish(f, &r), ==, -EIO);
    g_assert_cmpint(do_data(f, BLOCK_READ, 0, f->fake->guest, 512), ==, 0);
}

typedef struct Lie {
    const char *name;
    uint16_t cid_xor, sq_id_xor, sq_head_or;
    bool twice;
} Lie;

static const Lie lies[] = {
    { .name = "cid", .cid_xor = 1 },
    { .name = "cid-far", .cid_xor = 0x8000 },
    { .name = "queue", .sq_id_xor = 1 },
    { .name = "head", .sq_head_or = 0x8000 },
    { .name = "twice", .twice = true },
};

/* Every one of them ends the use of the drive, and no request is lost. */
static void test_lie(gconstpointer data)
{
    const Lie *lie = data;
    Fixture f = { .fake = fake_nvme_new() };
    Request r[3] = { 0 };
    unsigned failed = 0;

    attach(&f);
    f.fake->cid_xor = lie->cid_xor;
    f.fake->sq_id_xor = lie->sq_id_xor;
    f.fake->sq_head_or = lie->sq_head_or;
    f.fake->twice = lie->twice;
    for (int i = 0; i < 3; i += 2) {
        r[i].block.niov = 1;
        r[i].iov[0] = (struct iovec) { f.fake->guest, 512 };
        submit(&f, &r[i], BLOCK_READ, 0, 512);
        blk_drain(f.blk);
        failed += r[i].ret == -EIO;
    }
    g_assert_cmpuint(failed, >=, 1);
    g_assert_cmpuint(f.fake->quiesced, ==, 1);
    g_assert_false(f.fake->master);
    g_assert_cmpint(do_data(&f, BLOCK_WRITE, 0, f.fake->guest, 512), ==, -EIO);
    g_assert_cmpint(do_simple(&f, BLOCK_FLUSH, 0, 0), ==, -EIO);
    tear_down(&f, NULL);
}

/* It is stopped before anybody has his memory back. */
static void test_hang(Fixture *f, gconstpointer data)
{
    Request r = { .block.niov = 1, .iov = { { f->fake->guest, 512 } } };
    NVMe *n = block_node_image(f->blk->node)->nvme;

    f->fake->hold = true;
    submit(f, &r, BLOCK_READ, 0, 512);
    blk_kick(f->blk);
    for (size_t i = 0; i < NVME_SLOTS; i++) {
        n->slots[i].deadline_ms = 0;
    }
    blk_drain(f->blk);
    g_assert_cmpint(r.ret, ==, -EIO);
    g_assert_cmpuint(f->fake->quiesced, ==, 1);
}

/* --- the beginning --- */

typedef struct BadDrive {
    const char *name;
    void (*spoil)(FakeNVMe *f);
    const char *message;
} BadDrive;

static void spoil_open(FakeNVMe *f) { f->refuse = "device"; }
static void spoil_map(FakeNVMe *f) { f->refuse = "mapping"; }
static void spoil_irq(FakeNVMe *f) { f->refuse = "interrupt"; }
static void spoil_cap(FakeNVMe *f) { f->cap = UINT64_MAX; }
static void spoil_queue(FakeNVMe *f) { f->cap &= ~UINT64_C(0xffff); }
static void spoil_page(FakeNVMe *f) { f->cap |= UINT64_C(1) << 48; }
static void spoil_stride(FakeNVMe *f) { f->cap |= UINT64_C(15) << 32; }
static void spoil_ready(FakeNVMe *f) { f->never_ready = true; }
static void spoil_reset(FakeNVMe *f) { f->csts_or = NVME_CSTS_RDY; }
static void spoil_fatal(FakeNVMe *f)
{
    f->never_ready = true;
    f->csts_or = NVME_CSTS_CFS;
}
static void spoil_gone(FakeNVMe *f)
{
    f->csts_or = ~NVME_CSTS_RDY;
    f->never_ready = false;
}
static void spoil_lbads(FakeNVMe *f) { f->format.lbads = 13; }
static void spoil_lbads_low(FakeNVMe *f) { f->format.lbads = 8; }
static void spoil_metadata(FakeNVMe *f) { f->format.metadata = 8; }
static void spoil_size(FakeNVMe *f) { f->nsze = UINT64_MAX; }
static void spoil_none(FakeNVMe *f) { f->nsze = 0; }

static const BadDrive bad_drives[] = {
    { "open", spoil_open, "no device" },
    { "map", spoil_map, "no mapping" },
    { "interrupt", spoil_irq, "no interrupt" },
    { "capabilities", spoil_cap, "no NVMe controller" },
    { "queue", spoil_queue, "no NVMe controller" },
    { "page", spoil_page, "4 KiB" },
    { "stride", spoil_stride, "doorbells" },
    { "ready", spoil_ready, "not ready" },
    { "reset", spoil_reset, "not reset" },
    { "fatal", spoil_fatal, "fatal" },
    { "gone", spoil_gone, "does not answer any more" },
    { "block-size", spoil_lbads, "2^13" },
    { "block-size-low", spoil_lbads_low, "2^8" },
    { "metadata", spoil_metadata, "8 of metadata" },
    { "size", spoil_size, "not supported" },
    { "no-namespace", spoil_none, "there is none" },
};

static void assert_refused(FakeNVMe *f, const char *message)
{
    Error *err = NULL;

    g_assert_null(add_node(&err));
    g_assert_nonnull(strstr(error_get_pretty(err), message));
    error_free(err);
    g_assert_false(f->is_open);
    g_assert_null(f->own);
}

static void test_bad_drive(gconstpointer data)
{
    const BadDrive *bad = data;
    FakeNVMe *f = fake_nvme_new();

    bad->spoil(f);
    assert_refused(f, bad->message);
}

/* Each of the commands of set-up is refused once. */
static void test_each_command_fails(void)
{
    Fixture f;
    unsigned n;

    set_up(&f, NULL);
    n = f.fake->commands;
    tear_down(&f, NULL);
    for (unsigned i = 1; i <= n; i++) {
        FakeNVMe *fake = fake_nvme_new();

        fake->fail_command = i;
        fake->fail_status = 2;
        assert_refused(fake, "refuses, status 0x2");
    }
}

#define TEST(name, fn)                                                       \
    g_test_add("/nvme/" name, Fixture, NULL, set_up, fn, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qemu_init_main_loop(&error_abort);
    TEST("size", test_size);
    TEST("data/guest", test_guest_memory_without_a_copy);
    TEST("data/pieces", test_pieces);
    TEST("data/random", test_random);
    TEST("data/many", test_many_at_once);
    TEST("data/interrupt", test_interrupt);
    TEST("data/flush", test_flush_and_fua);
    g_test_add_data_func("/nvme/zeroes/commands",
                         GUINT_TO_POINTER(NVME_ONCS_DATASET |
                                          NVME_ONCS_WRITE_ZEROES),
                         test_zeroes_and_discards);
    g_test_add_data_func("/nvme/zeroes/written", GUINT_TO_POINTER(0),
                         test_zeroes_and_discards);
    TEST("error/command", test_error_of_a_command);
    TEST("error/memory", test_memory_that_has_gone);
    TEST("error/hang", test_hang);
    for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
        g_autofree char *name = g_strconcat("/nvme/lie/", lies[i].name, NULL);

        g_test_add_data_func(name, &lies[i], test_lie);
    }
    for (size_t i = 0; i < ARRAY_SIZE(bad_drives); i++) {
        g_autofree char *name = g_strconcat("/nvme/bad/", bad_drives[i].name,
                                            NULL);

        g_test_add_data_func(name, &bad_drives[i], test_bad_drive);
    }
    g_test_add_func("/nvme/bad/commands", test_each_command_fails);
    return g_test_run();
}
