/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the tests of dump-guest-memory share: a VM with sparse memory, a place for
 * its dumps, and a reader of ELF cores that has nothing of the emulator's.
 * Included by one C file per test program.
 */
#ifndef TESTS_QTEST_DUMP_TEST_H
#define TESTS_QTEST_DUMP_TEST_H

#include <elf.h>
#include <glib/gstdio.h>
#include <string.h>
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

static inline void setup(Fixture *f, const void *data)
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
static inline void assert_files(Fixture *f, unsigned n)
{
    g_autoptr(GDir) dir = g_dir_open(f->dir, 0, NULL);
    unsigned found = 0;

    while (g_dir_read_name(dir)) {
        found++;
    }
    g_assert_cmpuint(found, ==, n);
    g_assert_cmpint(g_file_test(f->path, G_FILE_TEST_EXISTS), ==, n == 1);
}

static inline void teardown(Fixture *f, const void *data)
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

static inline uint64_t block_addr(Fixture *f, unsigned block)
{
    return f->config.addr + block * BLOCK;
}

static inline void plug(Fixture *f, unsigned block, unsigned nr)
{
    g_assert_cmpuint(qvirtio_mem_plug(&f->vmem, block_addr(f, block), nr), ==,
                     VIRTIO_MEM_RESP_ACK);
}

/* What query-dump, or the "result" of the event, says. */
static inline void check_result(JsonObject *result, const char *status,
                         uint64_t completed, uint64_t total)
{
    g_assert_cmpstr(json_object_get_string_member(result, "status"), ==,
                    status);
    g_assert_cmpuint(json_object_get_int_member(result, "completed"), ==,
                     completed);
    g_assert_cmpuint(json_object_get_int_member(result, "total"), ==, total);
}

static inline void check_query(Fixture *f, const char *status, uint64_t completed,
                        uint64_t total)
{
    g_autoptr(JsonNode) node = qmp_client_do(f->qmp,
                                             "{'execute': 'query-dump'}");

    check_result(json_node_get_object(node), status, completed, total);
}

static inline bool is_running(Fixture *f)
{
    g_autoptr(JsonNode) node = qmp_client_do(f->qmp,
                                             "{'execute': 'query-status'}");

    return json_object_get_boolean_member(json_node_get_object(node),
                                          "running");
}

#define DUMP "{'execute': 'dump-guest-memory', 'arguments': {" \
             "'paging': false, 'protocol': 'file:%s'"

static inline void dump(Fixture *f)
{
    json_node_unref(qmp_client_do(f->qmp, DUMP "}}", f->path));
}

/* Sends commands without waiting for replies; those of one call arrive
 * together. */
G_GNUC_PRINTF(2, 3)
static inline void send_text(Fixture *f, const char *fmt, ...)
{
    g_autofree char *text = NULL;
    va_list ap;

    va_start(ap, fmt);
    text = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    g_strdelimit(text, "'", '"');
    qmp_client_send(f->qmp, text);
}

static inline void assert_success(Fixture *f)
{
    g_autoptr(JsonObject) reply = qmp_client_reply(f->qmp);

    g_assert_true(json_object_has_member(reply, "return"));
}

/* --- ELF cores ------------------------------------------------------------ */

typedef struct Core {
    char *data;
    gsize size;
    const Elf64_Phdr *load[8];
    unsigned nr_loads;
} Core;

static inline void core_clear(Core *c)
{
    g_free(c->data);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Core, core_clear)

static inline Core read_core(Fixture *f)
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
static inline uint8_t core_byte(const Core *c, uint64_t addr)
{
    for (unsigned i = 0; i < c->nr_loads; i++) {
        if (addr - c->load[i]->p_paddr < c->load[i]->p_filesz) {
            return c->data[c->load[i]->p_offset +
                           (addr - c->load[i]->p_paddr)];
        }
    }
    g_error("0x%" PRIx64 " is not in the dump", addr);
}

static inline void check_load(const Core *c, unsigned n, uint64_t addr, uint64_t size)
{
    g_assert_cmphex(c->load[n]->p_paddr, ==, addr);
    g_assert_cmphex(c->load[n]->p_filesz, ==, size);
}

#define ADD(name, fn) g_test_add("/dump/" name, Fixture, NULL, setup, fn,      \
                                 teardown)

#endif
