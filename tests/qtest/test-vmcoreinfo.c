/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmcoreinfo: what a guest says of its debug information is in a dump, if it is
 * what it claims to be; nothing a guest can say does harm.
 */
#include <elf.h>
#include <glib/gstdio.h>

#include "fw-cfg.h"
#include "qemu/units.h"

#define AT (1 * MiB)                      /* the description of a transfer */
#define FILE_AT (2 * MiB)                 /* what is written to the file */
#define NOTE_AT (3 * MiB)
#define NAME "VMCOREINFO"
#define TEXT "OSRELEASE=6.1.0\nNUMBER(phys_base)=16777216\n"

typedef struct Fixture {
    QTestState *qts;
    char *path;
} Fixture;

static void setup(Fixture *f, const void *data)
{
    int fd = g_file_open_tmp("vmcoreinfo-XXXXXX", &f->path, NULL);

    g_assert_cmpint(fd, >=, 0);
    close(fd);
    f->qts = qtest_init("-M q35 -m 64M -device vmcoreinfo");
}

static void teardown(Fixture *f, const void *data)
{
    qtest_quit(f->qts);
    g_unlink(f->path);
    g_free(f->path);
}

/* --- the guest --- */

static uint32_t write_file(Fixture *f, uint16_t format, uint32_t size,
                           uint64_t addr)
{
    const struct fw_cfg_vmcoreinfo info = {
        .guest_format = GUINT16_TO_LE(format),
        .size = GUINT32_TO_LE(size),
        .paddr = GUINT64_TO_LE(addr),
    };
    uint32_t length;
    uint16_t key = qfw_cfg_find_file(f->qts, FW_CFG_VMCOREINFO_FILENAME,
                                     &length);

    g_assert_cmpuint(length, ==, sizeof(info));
    qtest_memwrite(f->qts, FILE_AT, &info, sizeof(info));
    return qfw_cfg_dma(f->qts, AT, (uint32_t)key << 16 | FW_CFG_DMA_CTL_SELECT |
                       FW_CFG_DMA_CTL_WRITE, sizeof(info), FILE_AT);
}

/* A note in RAM; its size. */
static uint32_t write_note(Fixture *f, const char *name, uint32_t descsz)
{
    const Elf64_Nhdr header = { .n_namesz = strlen(name) + 1,
                                .n_descsz = descsz };
    char padded[12] = "";

    g_strlcpy(padded, name, sizeof(padded));
    qtest_memwrite(f->qts, NOTE_AT, &header, sizeof(header));
    qtest_memwrite(f->qts, NOTE_AT + 12, padded, sizeof(padded));
    qtest_memwrite(f->qts, NOTE_AT + 24, TEXT, sizeof(TEXT) - 1);
    return 24 + (sizeof(TEXT) - 1 + 3) / 4 * 4;
}

/* --- the dump --- */

/* The text of the note in a new dump, g_free(); NULL: there is none. */
static char *dumped_text(Fixture *f)
{
    g_autofree char *core = NULL;
    const Elf64_Ehdr *header;
    const Elf64_Phdr *p;
    gsize size;

    json_node_unref(qmp_client_do(
        qtest_qmp(f->qts), "{'execute': 'dump-guest-memory', 'arguments': "
        "{'paging': false, 'protocol': 'file:%s'}}", f->path));
    g_assert_true(g_file_get_contents(f->path, &core, &size, NULL));
    header = (const Elf64_Ehdr *)core;
    p = (const Elf64_Phdr *)(core + header->e_phoff);
    if (p->p_type != PT_NOTE) {
        return NULL;
    }
    for (uint64_t at = 0; at < p->p_filesz;) {
        const Elf64_Nhdr *note = (const void *)(core + p->p_offset + at);
        const char *name = (const char *)(note + 1);
        const char *desc = name + (note->n_namesz + 3) / 4 * 4;

        g_assert_cmpuint(at + note->n_descsz, <, p->p_filesz);
        if (strcmp(name, NAME) == 0) {
            return g_strndup(desc, note->n_descsz);
        }
        at = desc + (note->n_descsz + 3) / 4 * 4 - (core + p->p_offset);
    }
    return NULL;
}

static void expect_text(Fixture *f, const char *expected)
{
    g_autofree char *text = dumped_text(f);

    g_assert_cmpstr(text, ==, expected);
}

static void test_note_is_in_the_dump(Fixture *f, const void *data)
{
    uint32_t size = write_note(f, NAME, sizeof(TEXT) - 1);

    expect_text(f, NULL);
    g_assert_cmphex(write_file(f, FW_CFG_VMCOREINFO_FORMAT_ELF, size, NOTE_AT),
                    ==, 0);
    expect_text(f, TEXT);
}

static void test_reset_forgets_it(Fixture *f, const void *data)
{
    uint32_t size = write_note(f, NAME, sizeof(TEXT) - 1);
    struct fw_cfg_vmcoreinfo info;
    uint16_t key = qfw_cfg_find_file(f->qts, FW_CFG_VMCOREINFO_FILENAME, &size);

    write_file(f, FW_CFG_VMCOREINFO_FORMAT_ELF, size, NOTE_AT);
    json_node_unref(qmp_client_do(qtest_qmp(f->qts),
                                  "{'execute': 'system_reset'}"));
    json_object_unref(qmp_client_event(qtest_qmp(f->qts), "RESET"));
    qfw_cfg_read(f->qts, key, &info, sizeof(info));
    g_assert_cmpuint(GUINT16_FROM_LE(info.host_format), ==,
                     FW_CFG_VMCOREINFO_FORMAT_ELF);
    g_assert_cmpuint(info.paddr, ==, 0);
    expect_text(f, NULL);
}

/* What is told of a note that is none; the dump is written without it. */
static void test_lies_are_left_out(Fixture *f, const void *data)
{
    static const struct {
        uint32_t size;
        uint64_t addr;
    } lies[] = {
        { 0, NOTE_AT }, { 23, NOTE_AT }, { UINT32_MAX, NOTE_AT },
        { 2 * MiB, NOTE_AT }, { 64, 64 * MiB }, { 64, 64 * MiB - 8 },
        { 64, 0xfec00000 }, { 64, UINT64_MAX - 7 }, { 64, UINT64_MAX },
        { 64, 16 * MiB },
    };
    uint32_t size = write_note(f, NAME, sizeof(TEXT) - 1);

    for (unsigned i = 0; i < G_N_ELEMENTS(lies); i++) {
        g_assert_cmphex(write_file(f, FW_CFG_VMCOREINFO_FORMAT_ELF,
                                   lies[i].size, lies[i].addr), ==, 0);
        expect_text(f, NULL);
    }
    g_assert_cmphex(write_file(f, FW_CFG_VMCOREINFO_FORMAT_NONE, size, NOTE_AT),
                    ==, 0);
    expect_text(f, NULL);
    write_file(f, FW_CFG_VMCOREINFO_FORMAT_ELF, size, NOTE_AT);
    write_note(f, NAME, UINT32_MAX);
    expect_text(f, NULL);
    write_note(f, "VMCOREINFX", sizeof(TEXT) - 1);
    expect_text(f, NULL);
    write_note(f, "CORE", sizeof(TEXT) - 1);
    expect_text(f, NULL);
    write_note(f, NAME, sizeof(TEXT) - 1);
    expect_text(f, TEXT);
}

static void test_more_than_the_file_is_not_written(Fixture *f, const void *data)
{
    uint32_t size;
    uint16_t key = qfw_cfg_find_file(f->qts, FW_CFG_VMCOREINFO_FILENAME, &size);

    g_assert_cmphex(qfw_cfg_dma(f->qts, AT, (uint32_t)key << 16 |
                                FW_CFG_DMA_CTL_SELECT | FW_CFG_DMA_CTL_WRITE,
                                size + 1, FILE_AT), ==, FW_CFG_DMA_CTL_ERROR);
    g_assert_cmphex(qfw_cfg_dma(f->qts, AT, FW_CFG_DMA_CTL_SKIP, size, 0), ==,
                    0);
    g_assert_cmphex(qfw_cfg_dma(f->qts, AT, FW_CFG_DMA_CTL_WRITE, 1, FILE_AT),
                    ==, FW_CFG_DMA_CTL_ERROR);
    expect_text(f, NULL);
}

#define ADD(name, fn) g_test_add("/vmcoreinfo/" name, Fixture, NULL, setup, fn, \
                                 teardown)

int main(int argc, char **argv)
{
    qtest_main_init(&argc, &argv);
    qtest_needs(QTEST_NEEDS_SPARSEVM);
    ADD("note-is-in-the-dump", test_note_is_in_the_dump);
    ADD("reset-forgets-it", test_reset_forgets_it);
    ADD("lies-are-left-out", test_lies_are_left_out);
    ADD("more-than-the-file-is-not-written",
        test_more_than_the_file_is_not_written);
    return g_test_run();
}
