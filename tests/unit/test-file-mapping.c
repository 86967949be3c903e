/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory of files that somebody cuts, or that the host cannot back: whoever
 * touches it goes on with zeros, and its owner is told once. A SIGBUS of
 * anything else still ends the process.
 */
#include "qemu/osdep.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>

#include "qemu/file-mapping.h"
#include "qemu/main-loop.h"
#include "qemu/units.h"

#define PAGE ((size_t)qemu_real_host_page_size())
#define PAGES 16
#define HUGE (2 * MiB)

typedef struct Fixture {
    int fd;
    size_t size;
    volatile uint8_t *host;
    FileMapping *m;
    unsigned told;
    char *why;
} Fixture;

static void broken(void *opaque, const char *why)
{
    Fixture *f = opaque;

    f->told++;
    g_free(f->why);
    f->why = g_strdup(why);
}

static void map(Fixture *f, unsigned memfd_flags, size_t size, size_t page,
                uint64_t offset)
{
    f->fd = memfd_create("test", MFD_CLOEXEC | memfd_flags);
    g_assert_cmpint(f->fd, >=, 0);
    g_assert_cmpint(ftruncate(f->fd, offset + size), ==, 0);
    f->size = size;
    f->host = mmap(NULL, size, PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_NORESERVE, f->fd, offset);
    g_assert_true(f->host != MAP_FAILED);
    f->m = file_mapping_new((void *)f->host, size, page, f->fd, offset, broken,
                            f);
}

static void set_up(Fixture *f, gconstpointer data)
{
    map(f, 0, PAGES * PAGE, PAGE, 2 * PAGE);
    for (unsigned i = 0; i < PAGES; i++) {
        f->host[i * PAGE] = i + 1;
    }
}

static void tear_down(Fixture *f, gconstpointer data)
{
    file_mapping_free(f->m);
    munmap((void *)f->host, f->size);
    close(f->fd);
    g_free(f->why);
}

static void run_main_loop(void)
{
    for (int i = 0; i < 5; i++) {
        main_loop_wait(true);
    }
}

/* --- cut --- */

static void test_zeros_behind_the_cut(Fixture *f, gconstpointer data)
{
    g_assert_cmpint(ftruncate(f->fd, (2 + 4) * PAGE + 1), ==, 0);
    g_assert_cmpuint(f->host[5 * PAGE], ==, 0);
    g_assert_cmpuint(f->host[(PAGES - 1) * PAGE], ==, 0);
    g_assert_cmpuint(f->host[3 * PAGE], ==, 4);
    /* The page with the end is still the file's. */
    g_assert_cmpuint(f->host[4 * PAGE], ==, 5);
    f->host[9 * PAGE] = 7;
    g_assert_cmpuint(f->host[9 * PAGE], ==, 7);
    g_assert_cmpint(file_mapping_state(f->m), ==, FILE_MAPPING_CUT);
    g_assert_cmpuint(f->told, ==, 0);
    run_main_loop();
    g_assert_cmpuint(f->told, ==, 1);
    g_assert_cmpstr(f->why, ==, "somebody has cut its file short");
}

static void test_cut_again(Fixture *f, gconstpointer data)
{
    g_assert_cmpint(ftruncate(f->fd, 10 * PAGE), ==, 0);
    g_assert_cmpuint(f->host[12 * PAGE], ==, 0);
    f->host[12 * PAGE] = 9;
    g_assert_cmpint(ftruncate(f->fd, 0), ==, 0);
    g_assert_cmpuint(f->host[0], ==, 0);
    g_assert_cmpuint(f->host[12 * PAGE], ==, 9);
    run_main_loop();
    g_assert_cmpuint(f->told, ==, 1);
}

/* The kernel tells of the cut by an error of a system call. */
static void test_mended_without_a_signal(Fixture *f, gconstpointer data)
{
    int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);

    g_assert_false(file_mappings_mend());
    g_assert_cmpint(ftruncate(f->fd, 0), ==, 0);
    g_assert_cmpint(read(zero, (void *)f->host, PAGE), ==, -1);
    g_assert_cmpint(errno, ==, EFAULT);
    g_assert_true(file_mappings_mend());
    g_assert_cmpint(read(zero, (void *)f->host, PAGE), ==, PAGE);
    g_assert_false(file_mappings_mend());
    run_main_loop();
    g_assert_cmpuint(f->told, ==, 1);
    close(zero);
}

static gpointer touch_all(gpointer data)
{
    Fixture *f = data;

    for (unsigned i = 0; i < PAGES; i++) {
        g_assert_cmpuint(f->host[i * PAGE], ==, 0);
    }
    return NULL;
}

static void test_touched_by_many_threads(Fixture *f, gconstpointer data)
{
    GThread *threads[8];

    g_assert_cmpint(ftruncate(f->fd, 0), ==, 0);
    for (unsigned i = 0; i < ARRAY_SIZE(threads); i++) {
        threads[i] = g_thread_new("toucher", touch_all, f);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(threads); i++) {
        g_thread_join(threads[i]);
    }
    run_main_loop();
    g_assert_cmpuint(f->told, ==, 1);
}

static void test_others_stay_intact(Fixture *f, gconstpointer data)
{
    Fixture other = { 0 };

    set_up(&other, NULL);
    g_assert_cmpint(ftruncate(f->fd, 0), ==, 0);
    g_assert_cmpuint(f->host[0], ==, 0);
    run_main_loop();
    g_assert_cmpint(file_mapping_state(other.m), ==, FILE_MAPPING_INTACT);
    g_assert_cmpuint(other.host[0], ==, 1);
    g_assert_cmpuint(other.told, ==, 0);
    tear_down(&other, NULL);
}

/* --- not backed --- */

static bool huge_pages_are_free(void)
{
    g_autofree char *text = NULL;

    return g_file_get_contents("/sys/kernel/mm/hugepages/hugepages-2048kB/"
                               "free_hugepages", &text, NULL, NULL) &&
           atoi(text) != 0;
}

static void test_no_huge_page_left(void)
{
    Fixture f = { 0 };

    if (huge_pages_are_free()) {
        g_test_skip("the host has huge pages to give");
        return;
    }
    map(&f, MFD_HUGETLB, 4 * HUGE, HUGE, 0);
    f.host[HUGE + 5] = 3;
    g_assert_cmpuint(f.host[HUGE + 5], ==, 3);
    g_assert_cmpuint(f.host[2 * HUGE - 1], ==, 0);
    run_main_loop();
    g_assert_cmpuint(f.told, ==, 1);
    g_assert_cmpstr(f.why, ==, "the host has no huge page left for it");
    f.host[3 * HUGE] = 1;
    run_main_loop();
    g_assert_cmpuint(f.told, ==, 1);
    tear_down(&f, NULL);
}

/* --- what is not ours --- */

static void test_others_end_the_process(void)
{
    if (g_test_subprocess()) {
        int fd = memfd_create("foreign", MFD_CLOEXEC);
        volatile uint8_t *p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);

        exit(*p);
    }
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_failed();
}

static void test_sent_signal_ends_the_process(void)
{
    if (g_test_subprocess()) {
        kill(getpid(), SIGBUS);
        exit(0);
    }
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_failed();
}

#define ADD(name, fn) \
    g_test_add("/file-mapping/" name, Fixture, NULL, set_up, fn, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qemu_init_main_loop(&error_abort);
    file_mapping_init(&error_abort);
    ADD("zeros-behind-the-cut", test_zeros_behind_the_cut);
    ADD("cut-again", test_cut_again);
    ADD("mended-without-a-signal", test_mended_without_a_signal);
    ADD("touched-by-many-threads", test_touched_by_many_threads);
    ADD("others-stay-intact", test_others_stay_intact);
    g_test_add_func("/file-mapping/no-huge-page-left", test_no_huge_page_left);
    g_test_add_func("/file-mapping/others-end-the-process",
                    test_others_end_the_process);
    g_test_add_func("/file-mapping/sent-signal-ends-the-process",
                    test_sent_signal_ends_the_process);
    return g_test_run();
}
