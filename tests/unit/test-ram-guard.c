/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guarded RAM (exec/ram-guard.h), private and shared: what is noted, what stays
 * allocated, and that nothing is taken from whom a range was opened for. This
 * thread holds the big lock while it touches guarded memory. Skipped where the
 * kernel does not let this user have userfaultfd.
 */
#include "qemu/osdep.h"

#include <sys/mman.h>

#include "exec/ram-guard.h"
#include "qemu/main-loop.h"
#include "qemu/units.h"
#include "tests/patience.h"

#define PAGE 4096UL
#define BLOCK (64 * KiB)
#define SIZE (32 * MiB)
/* Longer than pages that were let in linger. */
#define LINGERED_US (300 * 1000)

typedef struct Fixture {
    MemoryRegion mr;
    RamGuard *guard;                      /* NULL: the test is skipped */
    volatile uint8_t *host;
    RamGuardViolations first;             /* what was reported first */
    uint64_t count;                       /* reported in all */
} Fixture;

static void on_violations(void *opaque)
{
    Fixture *f = opaque;
    RamGuardViolations violations;

    g_assert_true(qemu_mutex_iothread_locked());
    ram_guard_take_violations(f->guard, &violations);
    if (!f->count) {
        f->first = violations;
    }
    f->count += violations.count;
}

static void setup(Fixture *f, const void *shared)
{
    g_autoptr(GError) err = NULL;

    g_assert_true(memory_region_init_ram_flags(&f->mr, NULL, "guarded", SIZE,
                                               shared ? RAM_SHARED : 0, NULL));
    f->host = memory_region_get_ram_ptr(&f->mr);
    f->guard = ram_guard_new(f->mr.ram_block, on_violations, f, &err);
    if (!f->guard) {
        g_test_skip(error_get_pretty(err));
    }
}

static void teardown(Fixture *f, const void *shared)
{
    if (f->guard) {
        ram_guard_free(f->guard);
    }
    object_unref(OBJECT(&f->mr));
}

static uint64_t resident(const Fixture *f)
{
    g_autofree unsigned char *pages = g_malloc(SIZE / PAGE);
    uint64_t n = 0;

    g_assert_no_errno(mincore((void *)f->host, SIZE, pages));
    for (size_t i = 0; i < SIZE / PAGE; i++) {
        n += pages[i] & 1;
    }
    return n * PAGE;
}

static void wait_for_count(Fixture *f, uint64_t count)
{
    gint64 end = patience_deadline();

    while (f->count < count) {
        patience_check(end);
        main_loop_wait(true);
        g_usleep(1000);
    }
}

static void wait_until_empty(const Fixture *f)
{
    gint64 end = patience_deadline();

    while (resident(f)) {
        patience_check(end);
        g_usleep(1000);
    }
}

static int open_range(Fixture *f, ram_addr_t offset, uint64_t size)
{
    int ret;

    ram_guard_freeze(f->guard);
    ret = ram_guard_open(f->guard, offset, size);
    ram_guard_thaw(f->guard);
    return ret;
}

static void close_range_and_discard(Fixture *f, ram_addr_t offset,
                                    uint64_t size)
{
    ram_guard_freeze(f->guard);
    g_assert_cmpint(ram_guard_close(f->guard, offset, size), ==, 0);
    g_assert_cmpint(ram_block_discard_range(f->mr.ram_block, offset, size), ==,
                    0);
    ram_guard_thaw(f->guard);
}

/* --- violations ----------------------------------------------------------- */

/* The kernel may tell the page only. */
static void check_first(const Fixture *f, ram_addr_t offset, bool write)
{
    if (f->first.offset != ROUND_DOWN(offset, PAGE)) {
        g_assert_cmphex(f->first.offset, ==, offset);
    }
    g_assert_true(f->first.write == write);
}

static void test_nothing_is_allocated(Fixture *f, const void *data)
{
    if (f->guard) {
        g_assert_cmpuint(resident(f), ==, 0);
        g_usleep(LINGERED_US);
        g_assert_cmpuint(f->count, ==, 0);
    }
}

static void test_read_is_noted(Fixture *f, const void *data)
{
    if (f->guard) {
        g_assert_cmphex(f->host[5 * PAGE + 123], ==, 0);
        wait_for_count(f, 1);
        check_first(f, 5 * PAGE + 123, false);
        wait_until_empty(f);
    }
}

static void test_write_is_noted_and_forgotten(Fixture *f, const void *data)
{
    if (f->guard) {
        f->host[SIZE - 1] = 7;
        wait_for_count(f, 1);
        check_first(f, SIZE - 1, true);
        wait_until_empty(f);
        g_assert_cmphex(f->host[SIZE - 1], ==, 0);
        wait_for_count(f, 2);
    }
}

static void test_system_call_is_noted(Fixture *f, const void *data)
{
    int fds[2];

    if (f->guard) {
        g_assert_no_errno(pipe(fds));
        g_assert_cmpint(write(fds[1], "x", 1), ==, 1);
        g_assert_cmpint(read(fds[0], (void *)(f->host + PAGE), 1), ==, 1);
        close(fds[0]);
        close(fds[1]);
        wait_for_count(f, 1);
        check_first(f, PAGE, true);
        wait_until_empty(f);
    }
}

/* While the CPUs stand still; what is written there is still there then. */
static void test_pages_are_kept(Fixture *f, const void *data)
{
    if (!f->guard) {
        return;
    }
    ram_guard_keep_pages(f->guard, true);
    f->host[PAGE] = 7;
    wait_for_count(f, 1);
    g_usleep(LINGERED_US);
    g_assert_cmpuint(resident(f), ==, PAGE);
    g_assert_cmpuint(f->host[PAGE], ==, 7);
    ram_guard_keep_pages(f->guard, false);
    wait_until_empty(f);
    g_assert_cmpuint(f->count, ==, 1);
}

/* However much is touched, and however fast. */
static void test_sweep_costs_little(Fixture *f, const void *data)
{
    if (!f->guard) {
        return;
    }
    for (uint64_t page = 0; page < SIZE / PAGE; page++) {
        f->host[page * PAGE] = 1;
        if (page % 1024 == 0) {
            g_assert_cmpuint(resident(f), <=, 256 * PAGE);
        }
    }
    /* Some may have gone, and come again, before they were written to. */
    wait_until_empty(f);
    main_loop_wait(true);
    g_assert_cmpuint(f->count, >=, SIZE / PAGE);
    g_assert_cmpuint(f->count, <, SIZE / PAGE + SIZE / PAGE / 10);
}

/* --- open and closed ------------------------------------------------------ */

static void test_open_range_is_free_to_use(Fixture *f, const void *data)
{
    if (!f->guard) {
        return;
    }
    g_assert_cmpint(open_range(f, BLOCK, BLOCK), ==, 0);
    memset((void *)(f->host + BLOCK), 9, BLOCK);
    f->host[0] = 1;
    f->host[2 * BLOCK] = 1;
    wait_for_count(f, 2);
    g_usleep(LINGERED_US);
    g_assert_cmpuint(resident(f), ==, BLOCK);
    for (uint64_t i = 0; i < BLOCK; i++) {
        g_assert_cmpuint(f->host[BLOCK + i], ==, 9);
    }
}

static void test_page_let_in_is_not_taken_once_open(Fixture *f,
                                                    const void *data)
{
    if (!f->guard) {
        return;
    }
    f->host[BLOCK] = 1;
    f->host[3 * BLOCK] = 1;
    g_assert_cmpint(open_range(f, BLOCK, BLOCK), ==, 0);
    g_assert_cmpuint(f->host[BLOCK], ==, 0);
    f->host[BLOCK] = 2;
    g_usleep(LINGERED_US);
    g_assert_cmpuint(f->host[BLOCK], ==, 2);
    g_assert_cmpuint(resident(f), ==, PAGE);
}

static void test_closed_again(Fixture *f, const void *data)
{
    if (!f->guard) {
        return;
    }
    g_assert_cmpint(open_range(f, 0, SIZE), ==, 0);
    memset((void *)f->host, 3, 4 * BLOCK);
    close_range_and_discard(f, 0, SIZE);
    g_assert_cmpuint(resident(f), ==, 0);
    f->host[BLOCK] = 4;
    wait_for_count(f, 1);
    wait_until_empty(f);
}

/* Pieces of the kernel's mapping of the memory. */
static unsigned mappings(const Fixture *f)
{
    g_autofree char *maps = NULL;
    uintptr_t host = (uintptr_t)f->host;
    unsigned n = 0;

    g_assert_true(g_file_get_contents("/proc/self/maps", &maps, NULL, NULL));
    for (char *line = maps; *line; line = strchr(line, '\n') + 1) {
        uintptr_t start = g_ascii_strtoull(line, NULL, 16);

        n += start >= host && start < host + SIZE;
    }
    return n;
}

/* Blocks are opened one by one, with gaps, and used; then the gaps are. */
static void test_mappings_are_merged_again(Fixture *f, const void *data)
{
    const unsigned blocks = 256;
    unsigned before;

    if (!f->guard) {
        return;
    }
    before = mappings(f);
    for (unsigned i = 0; i < blocks; i++) {
        ram_addr_t offset = (2 * i % blocks + 2 * i / blocks) * BLOCK;

        g_assert_cmpint(open_range(f, offset, BLOCK), ==, 0);
        f->host[offset] = 1;
        if (i == blocks / 2 - 1) {
            g_assert_cmpuint(mappings(f), ==, before + blocks - 1);
        }
    }
    g_assert_cmpuint(mappings(f), ==, before + 1);
    close_range_and_discard(f, 0, SIZE);
    g_assert_cmpuint(mappings(f), ==, before);
}

/* --- races ---------------------------------------------------------------- */

typedef struct Toucher {
    Fixture *f;
    guint32 seed;
    gint stop;
} Toucher;

/* Writes all over the memory, never to the first word of a page. */
static gpointer touch(gpointer data)
{
    Toucher *t = data;
    GRand *rand = g_rand_new_with_seed(t->seed);

    while (!g_atomic_int_get(&t->stop)) {
        volatile uint8_t *at =
            t->f->host + g_rand_int_range(rand, 0, SIZE / PAGE) * PAGE;

        __atomic_store_n(at + 8, 1, __ATOMIC_RELAXED);
    }
    g_rand_free(rand);
    return NULL;
}

/* While others trespass, ranges are opened, keep what is written to them, and
 * are closed. */
static void test_contents_of_open_ranges_stay(Fixture *f, const void *data)
{
    guint32 seed = g_test_rand_int();
    GRand *rand = g_rand_new_with_seed(seed);
    Toucher touchers[2] = { { f, seed + 1, 0 }, { f, seed + 2, 0 } };
    GThread *threads[2];

    for (unsigned i = 0; f->guard && i < 2; i++) {
        threads[i] = g_thread_new("touch", touch, &touchers[i]);
    }
    for (unsigned round = 0; f->guard && round < 300; round++) {
        ram_addr_t offset = g_rand_int_range(rand, 0, SIZE / BLOCK) * BLOCK;

        g_assert_cmpint(open_range(f, offset, BLOCK), ==, 0);
        for (uint64_t i = 0; i < BLOCK; i += PAGE) {
            *(volatile uint32_t *)(f->host + offset + i) = round + 1;
        }
        g_usleep(round % 64 ? 200 : 150 * 1000);
        for (uint64_t i = 0; i < BLOCK; i += PAGE) {
            g_assert_cmpuint(*(volatile uint32_t *)(f->host + offset + i), ==,
                             round + 1);
        }
        close_range_and_discard(f, offset, BLOCK);
        main_loop_wait(true);
    }
    for (unsigned i = 0; f->guard && i < 2; i++) {
        g_atomic_int_set(&touchers[i].stop, 1);
        g_thread_join(threads[i]);
    }
    g_rand_free(rand);
    if (f->guard) {
        g_assert_cmpuint(f->count, >, 0);
        wait_until_empty(f);
    }
}

/* --- what cannot be guarded ----------------------------------------------- */

static void test_memory_of_devices_is_refused(void)
{
    static uint8_t buffer[PAGE];
    g_autoptr(GError) err = NULL;
    MemoryRegion mr;

    memory_region_init_ram_ptr(&mr, NULL, "foreign", sizeof(buffer), buffer);
    g_assert_null(ram_guard_new(mr.ram_block, on_violations, NULL, &err));
    g_assert_nonnull(strstr(error_get_pretty(err), "'foreign'"));
    object_unref(OBJECT(&mr));
}

static void test_huge_pages_are_refused(void)
{
    g_autoptr(GError) err = NULL;
    MemoryRegion mr;

    g_assert_true(memory_region_init_ram(&mr, NULL, "huge", 2 * MiB, NULL));
    mr.ram_block->page_size = 2 * MiB;
    g_assert_null(ram_guard_new(mr.ram_block, on_violations, NULL, &err));
    g_assert_nonnull(strstr(error_get_pretty(err), "huge pages of 2097152"));
    object_unref(OBJECT(&mr));
}

#define ADD(name, fn)                                                        \
    g_test_add("/ram-guard/private/" name, Fixture, NULL, setup, fn,         \
               teardown);                                                    \
    g_test_add("/ram-guard/shared/" name, Fixture, (void *)1, setup, fn,     \
               teardown)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_cmpint(qemu_init_main_loop(NULL), ==, 0);
    ADD("nothing-is-allocated", test_nothing_is_allocated);
    ADD("read-is-noted", test_read_is_noted);
    ADD("write-is-noted-and-forgotten", test_write_is_noted_and_forgotten);
    ADD("system-call-is-noted", test_system_call_is_noted);
    ADD("pages-are-kept", test_pages_are_kept);
    ADD("sweep-costs-little", test_sweep_costs_little);
    ADD("open-range-is-free-to-use", test_open_range_is_free_to_use);
    ADD("page-let-in-is-not-taken-once-open",
        test_page_let_in_is_not_taken_once_open);
    ADD("closed-again", test_closed_again);
    ADD("mappings-are-merged-again", test_mappings_are_merged_again);
    ADD("contents-of-open-ranges-stay", test_contents_of_open_ranges_stay);
    g_test_add_func("/ram-guard/memory-of-devices-is-refused",
                    test_memory_of_devices_is_refused);
    g_test_add_func("/ram-guard/huge-pages-are-refused",
                    test_huge_pages_are_refused);
    return g_test_run();
}
