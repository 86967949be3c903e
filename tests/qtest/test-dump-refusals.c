/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dump-guest-memory: what is refused, and what fails; nothing half is left, and
 * nothing that was there is lost.
 */
#include <sys/resource.h>

#include "dump-test.h"

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
                 "'format': 'kdump-lzo'", "it accepts: elf");
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

int main(int argc, char **argv)
{
    qtest_main_init(&argc, &argv);
    qtest_needs(QTEST_NEEDS_SPARSEVM);
    ADD("refusals-name-what-works", test_refusals);
    ADD("links-are-not-followed", test_links_are_not_followed);
    ADD("no-memory-there", test_no_memory_there);
    ADD("file-too-large-leaves-nothing", test_file_too_large);
    ADD("old-file-survives-a-failure", test_old_file_survives);
    return g_test_run();
}
