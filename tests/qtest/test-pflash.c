/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The flash chip that firmware keeps itself and its variables in: every command,
 * sequences that are none, protection, and what is in the image afterwards, and in
 * the midst of a sequence.
 */
#include "qemu/osdep.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/mman.h>

#include "cli.h"
#include "libqtest.h"
#include "qemu/units.h"

#define CODE_SIZE (64 * KiB)
#define VARS_SIZE (16 * KiB)
#define BLOCK 4096
#define BUFFER 256
#define CODE (4 * GiB - CODE_SIZE)
#define VARS (CODE - VARS_SIZE)

#define READY 0x80
#define ERASE_ERROR 0x20
#define PROGRAM_ERROR 0x10
#define PROTECTED 0x02

typedef struct Fixture {
    char *dir;
    char *code, *vars;                    /* images */
    QTestState *qts;
} Fixture;

static char *make_image(Fixture *f, const char *name, size_t size)
{
    char *path = g_build_filename(f->dir, name, NULL);
    g_autofree uint8_t *bytes = g_malloc(size);

    for (size_t i = 0; i < size; i++) {
        bytes[i] = i * 3 + i / 256 + name[0];
    }
    g_assert_true(g_file_set_contents(path, (char *)bytes, size, NULL));
    return path;
}

static uint8_t original(char name, size_t i)
{
    return i * 3 + i / 256 + name;
}

static void start(Fixture *f)
{
    f->qts = qtest_init("-M q35 -m 64M "
                        "-drive if=pflash,format=raw,readonly=on,file=%s "
                        "-drive if=pflash,format=raw,file=%s", f->code, f->vars);
}

static void setup(Fixture *f, const void *data)
{
    f->dir = g_dir_make_tmp("pflash-XXXXXX", NULL);
    f->code = make_image(f, "code", CODE_SIZE);
    f->vars = make_image(f, "vars", VARS_SIZE);
    start(f);
}

static void teardown(Fixture *f, const void *data)
{
    if (f->qts) {
        qtest_quit(f->qts);
    }
    g_unlink(f->code);
    g_unlink(f->vars);
    g_rmdir(f->dir);
    g_free(f->code);
    g_free(f->vars);
    g_free(f->dir);
}

static void put(Fixture *f, uint64_t addr, uint8_t value)
{
    qtest_writeb(f->qts, addr, value);
}

static uint8_t get(Fixture *f, uint64_t addr)
{
    return qtest_readb(f->qts, addr);
}

static uint8_t in_image(const char *path, size_t offset)
{
    g_autofree char *bytes = NULL;
    gsize size;

    g_assert_true(g_file_get_contents(path, &bytes, &size, NULL));
    g_assert_cmpuint(offset, <, size);
    return bytes[offset];
}

/* The status of what was done last; then the chip is as at first. */
static uint8_t end(Fixture *f, uint64_t chip)
{
    uint8_t status;

    put(f, chip, 0x70);
    status = get(f, chip);
    put(f, chip, 0x50);
    put(f, chip, 0xff);
    return status;
}

/* --- reading --- */

static void test_is_read_as_memory(Fixture *f, const void *data)
{
    for (size_t i = 0; i < CODE_SIZE; i += 1021) {
        g_assert_cmphex(get(f, CODE + i), ==, original('c', i));
    }
    for (size_t i = 0; i < VARS_SIZE; i += 509) {
        g_assert_cmphex(get(f, VARS + i), ==, original('v', i));
    }
    /* Both chips' bytes are readable by any width. */
    g_assert_cmphex(qtest_readl(f->qts, VARS) & 0xff, ==, original('v', 0));
    g_assert_cmphex(get(f, 0xf0000), ==, original('c', 0));
}

/* As firmware finds out what it is: neither RAM nor ROM. */
static void test_is_found_by_firmware(Fixture *f, const void *data)
{
    uint8_t before = get(f, VARS);

    put(f, VARS, 0x50);
    g_assert_cmphex(get(f, VARS), ==, before);
    put(f, VARS, 0x70);
    g_assert_cmphex(get(f, VARS), ==, 0);
    put(f, VARS, 0xff);
    g_assert_cmphex(get(f, VARS), ==, before);
}

static void test_tells_who_it_is(Fixture *f, const void *data)
{
    put(f, VARS, 0x90);
    g_assert_cmphex(get(f, VARS), ==, 0x89);
    g_assert_cmphex(get(f, VARS + 1), ==, 0x18);
    g_assert_cmphex(get(f, VARS + 2), ==, 0);
    put(f, VARS, 0x98);
    g_assert_cmphex(get(f, VARS + 0x10), ==, 'Q');
    g_assert_cmphex(get(f, VARS + 0x11), ==, 'R');
    g_assert_cmphex(get(f, VARS + 0x12), ==, 'Y');
    g_assert_cmphex(get(f, VARS + 0x13), ==, 1);
    g_assert_cmpuint(1U << get(f, VARS + 0x27), ==, VARS_SIZE);
    g_assert_cmpuint(get(f, VARS + 0x2d) + 1, ==, VARS_SIZE / BLOCK);
    g_assert_cmpuint(get(f, VARS + 0x2f) * 256 + get(f, VARS + 0x30) * 65536, ==,
                     BLOCK);
    put(f, VARS, 0xff);
    g_assert_cmphex(get(f, VARS), ==, original('v', 0));
}

/* --- writing --- */

static void test_erase_sets_all_bits_of_a_block(Fixture *f, const void *data)
{
    put(f, VARS + BLOCK + 5, 0x20);
    put(f, VARS + BLOCK + 5, 0xd0);
    g_assert_cmphex(end(f, VARS), ==, READY);
    g_assert_cmphex(get(f, VARS + BLOCK - 1), ==, original('v', BLOCK - 1));
    g_assert_cmphex(get(f, VARS + BLOCK), ==, 0xff);
    g_assert_cmphex(get(f, VARS + 2 * BLOCK - 1), ==, 0xff);
    g_assert_cmphex(get(f, VARS + 2 * BLOCK), ==, original('v', 2 * BLOCK));
    g_assert_cmphex(in_image(f->vars, BLOCK), ==, 0xff);
    g_assert_cmphex(in_image(f->vars, 2 * BLOCK), ==, original('v', 2 * BLOCK));
}

static void test_programming_clears_bits(Fixture *f, const void *data)
{
    static const uint8_t commands[] = { 0x10, 0x40 };

    put(f, VARS, 0x20);
    put(f, VARS, 0xd0);
    for (size_t i = 0; i < sizeof(commands); i++) {
        put(f, VARS + i, commands[i]);
        put(f, VARS + i, 0x5a);
        g_assert_cmphex(get(f, VARS), ==, READY);
    }
    put(f, VARS, 0x40);
    put(f, VARS, 0x0f);
    g_assert_cmphex(end(f, VARS), ==, READY);
    g_assert_cmphex(get(f, VARS), ==, 0x0a);
    g_assert_cmphex(get(f, VARS + 1), ==, 0x5a);
    g_assert_cmphex(get(f, VARS + 2), ==, 0xff);
    g_assert_cmphex(in_image(f->vars, 0), ==, 0x0a);
}

static void test_buffer_is_programmed_as_a_whole(Fixture *f, const void *data)
{
    uint64_t at = VARS + 0x120;

    put(f, VARS, 0x20);
    put(f, VARS, 0xd0);
    put(f, at, 0xe8);
    g_assert_cmphex(get(f, at) & READY, ==, READY);
    put(f, at, 3);                        /* four bytes */
    for (unsigned i = 0; i < 4; i++) {
        put(f, at + i, 0x30 + i);
    }
    g_assert_cmphex(in_image(f->vars, 0x120), ==, 0xff);
    put(f, at, 0xd0);
    g_assert_cmphex(end(f, VARS), ==, READY);
    for (unsigned i = 0; i < 4; i++) {
        g_assert_cmphex(get(f, at + i), ==, 0x30 + i);
        g_assert_cmphex(in_image(f->vars, 0x120 + i), ==, 0x30 + i);
    }
    g_assert_cmphex(get(f, at - 1), ==, 0xff);
    g_assert_cmphex(get(f, at + 4), ==, 0xff);
}

static void test_it_is_kept(Fixture *f, const void *data)
{
    put(f, VARS, 0x20);
    put(f, VARS, 0xd0);
    put(f, VARS, 0x40);
    put(f, VARS, 0x77);
    qtest_quit(f->qts);
    start(f);
    g_assert_cmphex(get(f, VARS), ==, 0x77);
    g_assert_cmphex(get(f, VARS + 1), ==, 0xff);
}

static void test_locks_are_accepted(Fixture *f, const void *data)
{
    put(f, VARS, 0x60);
    put(f, VARS, 0xd0);
    g_assert_cmphex(end(f, VARS), ==, READY);
    put(f, VARS, 0x60);
    put(f, VARS, 0x01);
    g_assert_cmphex(end(f, VARS), ==, READY);
}

/* --- what does not work --- */

static void test_unconfirmed_does_nothing(Fixture *f, const void *data)
{
    put(f, VARS, 0x20);
    put(f, VARS, 0xff);
    g_assert_cmphex(end(f, VARS), ==, READY | ERASE_ERROR | PROGRAM_ERROR);
    put(f, VARS, 0x60);
    put(f, VARS, 0x99);
    g_assert_cmphex(end(f, VARS), ==, READY | ERASE_ERROR | PROGRAM_ERROR);
    put(f, VARS, 0xe8);
    put(f, VARS, 0);
    put(f, VARS, 0x00);
    put(f, VARS, 0xff);
    g_assert_cmphex(end(f, VARS), ==, READY | ERASE_ERROR | PROGRAM_ERROR);
    g_assert_cmphex(get(f, VARS), ==, original('v', 0));
}

static void test_buffer_does_not_reach_beyond_its_place(Fixture *f,
                                                        const void *data)
{
    put(f, VARS, 0xe8);
    put(f, VARS, 255);
    put(f, VARS + 0xf0, 0);
    put(f, VARS + 0x100, 0);
    g_assert_cmphex(end(f, VARS), ==, READY | ERASE_ERROR | PROGRAM_ERROR);
    g_assert_cmphex(get(f, VARS + 0xf0), ==, original('v', 0xf0));
    g_assert_cmphex(get(f, VARS + 0x100), ==, original('v', 0x100));
}

static void test_commands_that_are_none_read_the_array(Fixture *f,
                                                       const void *data)
{
    for (unsigned c = 0; c < 256; c++) {
        if (memchr("\x10\x20\x40\x50\x60\x70\x90\x98\xe8", c, 9)) {
            continue;
        }
        put(f, VARS, 0x70);
        put(f, VARS, c);
        g_assert_cmphex(get(f, VARS), ==, original('v', 0));
    }
}

static void test_readonly_is_protected(Fixture *f, const void *data)
{
    put(f, CODE, 0x20);
    put(f, CODE, 0xd0);
    g_assert_cmphex(end(f, CODE), ==, READY | ERASE_ERROR | PROTECTED);
    put(f, CODE, 0x40);
    put(f, CODE, 0);
    g_assert_cmphex(end(f, CODE), ==, READY | PROGRAM_ERROR | PROTECTED);
    g_assert_cmphex(get(f, CODE), ==, original('c', 0));
    g_assert_cmphex(in_image(f->code, 0), ==, original('c', 0));
}

static void test_reset_ends_any_sequence(Fixture *f, const void *data)
{
    static const uint8_t commands[] = { 0x20, 0x40, 0x60, 0x70, 0x90, 0xe8 };

    for (size_t i = 0; i < sizeof(commands); i++) {
        put(f, VARS, commands[i]);
        json_node_unref(qmp_client_do(qtest_qmp(f->qts),
                                      "{'execute': 'system_reset'}"));
        json_object_unref(qmp_client_event(qtest_qmp(f->qts), "RESET"));
        g_assert_cmphex(get(f, VARS), ==, original('v', 0));
        put(f, VARS, 0x70);
        g_assert_cmphex(get(f, VARS), ==, 0);
        put(f, VARS, 0xff);
    }
}

/* What would be left if the power went off now: what was done before. */
static void test_image_has_nothing_of_half_a_sequence(Fixture *f,
                                                      const void *data)
{
    put(f, VARS, 0x20);
    put(f, VARS, 0xd0);
    put(f, VARS, 0xe8);
    put(f, VARS, 255);
    for (unsigned i = 0; i < 100; i++) {
        put(f, VARS + i, 0);
        g_assert_cmphex(in_image(f->vars, i), ==, 0xff);
    }
    g_assert_cmphex(in_image(f->vars, BLOCK), ==, original('v', BLOCK));
    g_assert_cmphex(in_image(f->vars, VARS_SIZE - 1), ==,
                    original('v', VARS_SIZE - 1));
}

/* --- power that goes --- */

static void append_write(GString *text, uint64_t addr, uint8_t value)
{
    g_string_append_printf(text, "writeb 0x%" PRIx64 " 0x%x\n", addr, value);
}

/* The accesses that erase the chip and fill it with zeros, a buffer at a time. */
static char *erase_and_fill(void)
{
    GString *text = g_string_new(NULL);

    for (uint64_t at = VARS; at < VARS + VARS_SIZE; at += BUFFER) {
        if (at % BLOCK == 0) {
            append_write(text, at, 0x20);
            append_write(text, at, 0xd0);
        }
        append_write(text, at, 0xe8);
        append_write(text, at, BUFFER - 1);
        for (unsigned i = 0; i < BUFFER; i++) {
            append_write(text, at + i, 0);
        }
        append_write(text, at, 0xd0);
    }
    return g_string_free(text, false);
}

/* Whether a piece of the image, at @offset, is all of one kind: 'o' as it was at
 * first, 'e' erased, 'p' programmed; 0: mixed. */
static char kind_of_piece(const uint8_t *bytes, size_t offset)
{
    bool as_before = true, erased = true, programmed = true;

    for (size_t i = offset; i < offset + BUFFER; i++) {
        as_before &= bytes[i] == original('v', i);
        erased &= bytes[i] == 0xff;
        programmed &= bytes[i] == 0;
    }
    return as_before ? 'o' : erased ? 'e' : programmed ? 'p' : 0;
}

/* What was done before is there, what came after is not, nothing is done in part.
 * @done: how many pieces the test knows to be programmed. */
static void check_cut_image(const char *path, unsigned done)
{
    g_autofree char *bytes = NULL;
    char last = 'p';
    gsize size;

    g_assert_true(g_file_get_contents(path, &bytes, &size, NULL));
    g_assert_cmpuint(size, ==, VARS_SIZE);
    for (unsigned i = 0; i < VARS_SIZE / BUFFER; i++) {
        char kind = kind_of_piece((uint8_t *)bytes, i * BUFFER);

        g_assert_cmpint(kind, !=, 0);
        g_assert_true(kind == 'p' || i >= done);
        g_assert_true(kind != 'p' || last == 'p');
        g_assert_true(kind != 'e' || last != 'o');
        last = kind;
    }
}

static void test_power_cut_leaves_whole_blocks(Fixture *f, const void *data)
{
    const unsigned per_piece = BUFFER + 3, per_block = 2;
    g_autofree char *steps = erase_and_fill();
    g_autoptr(GRand) rand = qtest_rand_new();

    for (unsigned round = 0; round < 20; round++) {
        unsigned done = g_rand_int_range(rand, 0, VARS_SIZE / BUFFER);
        unsigned answers = done * per_piece +
                           DIV_ROUND_UP(done * BUFFER, BLOCK) * per_block;

        qtest_send_bytes(f->qts, steps, strlen(steps));
        while (answers--) {
            g_autofree char *answer = qtest_answer(f->qts);

            g_assert_cmpstr(answer, ==, "OK");
        }
        qtest_kill(f->qts);
        check_cut_image(f->vars, done);
        g_free(f->vars);
        f->vars = make_image(f, "vars", VARS_SIZE);
        start(f);
        g_assert_cmphex(get(f, VARS), ==, original('v', 0));
    }
}

/* The host refuses, from now on; the chip is as it was, and says so. */
static void test_image_that_cannot_be_written(Fixture *f, const void *data)
{
    int fd = memfd_create("vars", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    uint8_t ones[VARS_SIZE];

    memset(ones, 0xff, sizeof(ones));
    g_assert_cmpint(write(fd, ones, sizeof(ones)), ==, sizeof(ones));
    qtest_quit(f->qts);
    f->qts = qtest_init("-M q35 -m 64M "
                        "-drive if=pflash,format=raw,readonly=on,file=%s "
                        "-drive if=pflash,format=raw,file=/proc/%d/fd/%d",
                        f->code, getpid(), fd);
    put(f, VARS, 0x40);
    put(f, VARS, 0x77);
    g_assert_cmphex(end(f, VARS), ==, READY);
    g_assert_cmpint(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), ==, 0);
    put(f, VARS + 1, 0x40);
    put(f, VARS + 1, 0);
    g_assert_cmphex(end(f, VARS), ==, READY | PROGRAM_ERROR);
    g_assert_cmphex(get(f, VARS + 1), ==, 0xff);
    put(f, VARS, 0x20);
    put(f, VARS, 0xd0);
    g_assert_cmphex(end(f, VARS), ==, READY | ERASE_ERROR);
    g_assert_cmphex(get(f, VARS), ==, 0x77);
    close(fd);
}

/* By the names of nodes, as libvirt does. */
static void test_nodes_are_chips(Fixture *f, const void *data)
{
    qtest_quit(f->qts);
    f->qts = qtest_init("-M q35,pflash0=c,pflash1=v -m 64M "
                        "-blockdev driver=file,node-name=c,filename=%s,"
                        "read-only=on "
                        "-blockdev driver=file,node-name=v,filename=%s", f->code,
                        f->vars);
    g_assert_cmphex(get(f, CODE), ==, original('c', 0));
    g_assert_cmphex(get(f, VARS), ==, original('v', 0));
}

/* As -drive does, and behind those that -drive has. */
static void test_pflash_is_a_drive(Fixture *f, const void *data)
{
    qtest_quit(f->qts);
    f->qts = qtest_init("-M q35 -m 64M -pflash %s "
                        "-drive if=pflash,format=raw,readonly=on,file=%s",
                        f->vars, f->code);
    g_assert_cmphex(get(f, CODE), ==, original('c', 0));
    put(f, VARS, 0x40);
    put(f, VARS, 0);
    g_assert_cmphex(end(f, VARS), ==, READY);
    g_assert_cmphex(in_image(f->vars, 0), ==, 0);
}

static void test_refused(void)
{
    static const CliBadCase cases[] = {
        { QTEST_ARGS "-M q35,pflash1=x", "pflash1|pflash0 is missing" },
        { QTEST_ARGS "-M q35,pflash0=x", "pflash0|no such node" },
        { QTEST_ARGS "-drive if=pflash,format=raw,readonly=on,file=/etc/passwd",
          "drive=pflash0|4096" },
        { QTEST_ARGS "-drive if=pflash,format=raw,readonly=on,unit=2,"
          "file=/etc/passwd", "no pflash2" },
        { QTEST_ARGS "-M none -drive if=pflash,format=raw,readonly=on,"
          "file=/etc/passwd", "no pflash0" },
        { QTEST_ARGS "-M q35,pflash0=x -drive if=pflash,format=raw,readonly=on,"
          "file=/etc/passwd,unit=0", "pflash0 is 'x' already" },
        { QTEST_ARGS "-pflash /no/such,file", "-pflash|/no/such,file" },
        { QTEST_ARGS "-bios /etc/passwd -M q35,pflash0=x",
          "-bios /etc/passwd|pflash0" },
    };

    cli_check_all(cases, G_N_ELEMENTS(cases));
}

#define ADD(name, fn) \
    g_test_add("/pflash/" name, Fixture, NULL, setup, fn, teardown)

int main(int argc, char **argv)
{
    int status;

    qtest_main_init(&argc, &argv);
    qtest_needs(QTEST_NEEDS_SPARSEVM);
    cli_begin();
    ADD("is read as memory", test_is_read_as_memory);
    ADD("is found by firmware", test_is_found_by_firmware);
    ADD("tells who it is", test_tells_who_it_is);
    ADD("erase sets all bits of a block", test_erase_sets_all_bits_of_a_block);
    ADD("programming clears bits", test_programming_clears_bits);
    ADD("buffer is programmed as a whole", test_buffer_is_programmed_as_a_whole);
    ADD("it is kept", test_it_is_kept);
    ADD("locks are accepted", test_locks_are_accepted);
    ADD("unconfirmed does nothing", test_unconfirmed_does_nothing);
    ADD("buffer does not reach beyond its place",
        test_buffer_does_not_reach_beyond_its_place);
    ADD("commands that are none read the array",
        test_commands_that_are_none_read_the_array);
    ADD("readonly is protected", test_readonly_is_protected);
    ADD("reset ends any sequence", test_reset_ends_any_sequence);
    ADD("image has nothing of half a sequence",
        test_image_has_nothing_of_half_a_sequence);
    ADD("power cut leaves whole blocks", test_power_cut_leaves_whole_blocks);
    ADD("image that cannot be written", test_image_that_cannot_be_written);
    ADD("nodes are chips", test_nodes_are_chips);
    ADD("-pflash is a drive", test_pflash_is_a_drive);
    g_test_add_func("/pflash/refused", test_refused);
    status = g_test_run();
    cli_end();
    return status;
}
