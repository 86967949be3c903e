/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dump-guest-memory: an ELF core with what is populated and nothing else, which
 * tools read, and which costs the host no memory.
 */
#include <sys/stat.h>

#include "dump-test.h"

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
    return g_test_run();
}
