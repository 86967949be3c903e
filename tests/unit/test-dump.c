/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which memory a dump consists of, and the headers of its file. */
#include "qemu/osdep.h"
#include <elf.h>
#include <sys/procfs.h>
#include <sys/user.h>

#include "dump/dump-internal.h"
#include "qemu/units.h"
#include "sparse-ram.h"
#include "sysemu/cpus.h"

#define BLOCK (2 * MiB)
#define SPARSE_HOST (64 * GiB)
#define PLAIN_HOST (32 * GiB)

typedef struct Fixture {
    TestSpace *space;
    SparseRam *sparse;                    /* 1 TiB, mapped by the test */
    MemoryRegion plain;                   /* 16 MiB */
} Fixture;

static void setup(Fixture *f, const void *data)
{
    f->space = test_space_new();
    f->sparse = sparse_ram_new("sparse", BLOCK, 512 * 1024, SPARSE_HOST);
    fake_ram_init(&f->plain, "plain", 16 * MiB, PLAIN_HOST);
}

static void teardown(Fixture *f, const void *data)
{
    MemoryRegion *mr, *next;

    QTAILQ_FOREACH_SAFE(mr, &f->space->root.subregions, subregions_link,
                        next) {
        memory_region_del_subregion(&f->space->root, mr);
    }
    sparse_ram_free(f->sparse);
    object_unref(OBJECT(&f->plain));
    test_space_free(f->space);
}

static void map(Fixture *f, hwaddr addr, MemoryRegion *mr)
{
    memory_region_add_subregion(&f->space->root, addr, mr);
}

static void check_piece(const GArray *pieces, guint n, hwaddr addr,
                        uint64_t size, uint64_t host)
{
    const DumpPiece *p = &g_array_index(pieces, DumpPiece, n);

    g_assert_cmphex(p->addr, ==, addr);
    g_assert_cmphex(p->size, ==, size);
    g_assert_cmphex((uintptr_t)p->host, ==, host);
}

static void test_runs_of_a_part(Fixture *f, const void *data)
{
    g_autoptr(GArray) pieces = NULL;
    MemoryRegion alias;

    sparse_ram_plug(f->sparse, 99, 3);
    sparse_ram_plug(f->sparse, 300, 70);
    sparse_ram_plug(f->sparse, 500000, 1);
    memory_region_init_alias(&alias, NULL, "part", &f->sparse->mr, 100 * BLOCK,
                             256 * BLOCK);
    map(f, 8 * GiB, &alias);
    pieces = dump_pieces_new(&f->space->as, 0, UINT64_MAX);
    g_assert_cmpuint(pieces->len, ==, 2);
    check_piece(pieces, 0, 8 * GiB, 2 * BLOCK, SPARSE_HOST + 100 * BLOCK);
    check_piece(pieces, 1, 8 * GiB + 200 * BLOCK, 56 * BLOCK,
                SPARSE_HOST + 300 * BLOCK);
    g_clear_pointer(&pieces, g_array_unref);
    memory_region_del_subregion(&f->space->root, &alias);
    object_unref(OBJECT(&alias));
}

static void test_range_cuts_pieces(Fixture *f, const void *data)
{
    g_autoptr(GArray) pieces = NULL;

    map(f, 0, &f->plain);
    map(f, 1 * GiB, &f->sparse->mr);
    sparse_ram_plug(f->sparse, 0, 8);
    pieces = dump_pieces_new(&f->space->as, 16 * MiB - 100, 1 * GiB + 99);
    g_assert_cmpuint(pieces->len, ==, 2);
    check_piece(pieces, 0, 16 * MiB - 100, 100, PLAIN_HOST + 16 * MiB - 100);
    check_piece(pieces, 1, 1 * GiB, 100, SPARSE_HOST);
}

static void test_neighbours_are_one_segment(Fixture *f, const void *data)
{
    g_autoptr(GArray) pieces = NULL;
    g_autoptr(GArray) segments = NULL;
    const DumpSegment *s;

    map(f, 0, &f->plain);
    map(f, 16 * MiB, &f->sparse->mr);
    sparse_ram_plug(f->sparse, 0, 2);
    sparse_ram_plug(f->sparse, 3, 1);
    pieces = dump_pieces_new(&f->space->as, 0, UINT64_MAX);
    g_assert_cmpuint(pieces->len, ==, 3);
    segments = dump_segments_new(pieces);
    g_assert_cmpuint(segments->len, ==, 2);
    s = &g_array_index(segments, DumpSegment, 0);
    g_assert_cmphex(s->addr, ==, 0);
    g_assert_cmphex(s->size, ==, 16 * MiB + 2 * BLOCK);
}

static void test_whole_pages(Fixture *f, const void *data)
{
    g_autoptr(GArray) pieces = NULL;

    map(f, 0, &f->plain);
    pieces = dump_pieces_new(&f->space->as, 100, 16 * KiB + 99);
    dump_pieces_keep_pages(pieces, 4 * KiB);
    g_assert_cmpuint(pieces->len, ==, 1);
    check_piece(pieces, 0, 4 * KiB, 12 * KiB, PLAIN_HOST + 4 * KiB);
    g_clear_pointer(&pieces, g_array_unref);
    pieces = dump_pieces_new(&f->space->as, 100, 8 * KiB - 2);
    dump_pieces_keep_pages(pieces, 4 * KiB);
    g_assert_cmpuint(pieces->len, ==, 0);
}

static void test_nothing_is_nothing(Fixture *f, const void *data)
{
    g_autoptr(GArray) pieces = NULL;

    map(f, 0, &f->sparse->mr);
    pieces = dump_pieces_new(&f->space->as, 0, UINT64_MAX);
    g_assert_cmpuint(pieces->len, ==, 0);
}

/* --- headers --- */

/* @n segments of a page, a page apart. */
static GArray *many_segments(uint64_t n)
{
    GArray *segments = g_array_new(false, false, sizeof(DumpSegment));

    for (uint64_t i = 0; i < n; i++) {
        DumpSegment s = { i * 2 * 4096, 4096 };

        g_array_append_val(segments, s);
    }
    return segments;
}

static void check_headers(uint64_t n)
{
    g_autoptr(GArray) segments = many_segments(n);
    g_autoptr(GByteArray) notes = g_byte_array_new();
    g_autoptr(GByteArray) bytes = dump_headers_new(segments, notes);
    const Elf64_Ehdr *header = (const Elf64_Ehdr *)bytes->data;
    const Elf64_Phdr *last = (const Elf64_Phdr *)(header + 1) + (n - 1);
    uint64_t phnum = header->e_phnum;

    if (phnum == PN_XNUM) {
        g_assert_cmpuint(header->e_shnum, ==, 1);
        phnum = ((const Elf64_Shdr *)(bytes->data + header->e_shoff))->sh_info;
    }
    g_assert_cmpuint(phnum, ==, n);
    g_assert_cmpuint(bytes->len % 4096, ==, 0);
    g_assert_cmpuint(last->p_type, ==, PT_LOAD);
    g_assert_cmpuint(last->p_align, ==, 0);
    g_assert_cmpuint(last->p_paddr, ==, (n - 1) * 2 * 4096);
    g_assert_cmpuint(last->p_offset, ==, bytes->len + (n - 1) * 4096);
}

static void test_any_number_of_segments(void)
{
    check_headers(1);
    check_headers(64);
    check_headers(257);
    check_headers(PN_XNUM - 1);
    check_headers(PN_XNUM);
    check_headers(PN_XNUM + 1);
}

static bool fake_regs(CPUState *cpu, struct user_regs_struct *regs)
{
    memset(regs, 0, sizeof(*regs));
    regs->rip = 0x1234;
    return true;
}

static bool fake_system_regs(CPUState *cpu, CPUSystemRegs *regs)
{
    memset(regs, 0, sizeof(*regs));
    regs->idt.base = 0xfffffe0000000000;
    regs->cr[3] = 0x5678000;
    return true;
}

/* What crash looks for: where, and how large (432 bytes and the optional end). */
static void check_system_note(const uint8_t *at)
{
    const Elf64_Nhdr *note = (const Elf64_Nhdr *)at;
    const uint8_t *desc = at + sizeof(*note) + 8;
    uint32_t head[2];
    uint64_t val;

    g_assert_cmpuint(note->n_type, ==, 0);
    g_assert_cmpuint(note->n_descsz, ==, 440);
    g_assert_cmpstr((const char *)(note + 1), ==, "QEMU");
    memcpy(head, desc, sizeof(head));
    g_assert_cmpuint(head[0], ==, 1);
    g_assert_cmpuint(head[1], ==, 440);
    memcpy(&val, desc + 8 + 16 * 8, sizeof(val));
    g_assert_cmphex(val, ==, 0x1234);                 /* rip */
    memcpy(&val, desc + 8 + 18 * 8 + 9 * 24 + 16, sizeof(val));
    g_assert_cmphex(val, ==, 0xfffffe0000000000);     /* idt.base */
    memcpy(&val, desc + 8 + 18 * 8 + 10 * 24 + 3 * 8, sizeof(val));
    g_assert_cmphex(val, ==, 0x5678000);              /* cr[3] */
}

static void test_registers_are_a_note(void)
{
    static const CpusAccel accel = { .get_user_regs = fake_regs,
                                     .get_system_regs = fake_system_regs };
    CPUState cpu = { .cpu_index = 3 };
    g_autoptr(DumpNotes) notes = NULL;
    g_autoptr(GByteArray) bytes = NULL;
    g_autoptr(GArray) segments = many_segments(2);
    struct elf_prstatus status;
    const Elf64_Nhdr *note;
    const Elf64_Phdr *p;

    cpus_register_accel(&accel, NULL);
    QTAILQ_INSERT_TAIL(&cpus_list, &cpu, node);
    notes = dump_notes_new();
    QTAILQ_REMOVE(&cpus_list, &cpu, node);
    bytes = dump_headers_new(segments, notes->bytes);
    p = (const Elf64_Phdr *)(bytes->data + sizeof(Elf64_Ehdr));
    g_assert_cmpuint(p->p_type, ==, PT_NOTE);
    g_assert_cmpuint(p->p_filesz, ==, notes->bytes->len);
    note = (const Elf64_Nhdr *)(bytes->data + p->p_offset);
    g_assert_cmpuint(note->n_type, ==, NT_PRSTATUS);
    g_assert_cmpstr((const char *)(note + 1), ==, "CORE");
    memcpy(&status, (const char *)(note + 1) + 8, sizeof(status));
    g_assert_cmpint(status.pr_pid, ==, 4);
    g_assert_cmphex(status.pr_reg[offsetof(struct user_regs_struct, rip) / 8],
                    ==, 0x1234);
    check_system_note((const uint8_t *)(note + 1) + 8 +
                      QEMU_ALIGN_UP(note->n_descsz, 4));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, fn) g_test_add("/dump/" name, Fixture, NULL, setup, fn, \
                                 teardown)
    ADD("runs-of-a-part-of-a-region", test_runs_of_a_part);
    ADD("range-cuts-pieces", test_range_cuts_pieces);
    ADD("neighbours-are-one-segment", test_neighbours_are_one_segment);
    ADD("whole-pages", test_whole_pages);
    ADD("nothing-plugged-is-nothing", test_nothing_is_nothing);
    g_test_add_func("/dump/any-number-of-segments",
                    test_any_number_of_segments);
    g_test_add_func("/dump/registers-are-a-note", test_registers_are_a_note);
    return g_test_run();
}
