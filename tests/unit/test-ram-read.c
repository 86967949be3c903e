/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ram_block_backed_run(), ram_block_read(): all that memory of any kind holds
 * is read, and the host backs not one page more for it.
 */
#include "qemu/osdep.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exec/ramblock.h"
#include "memory-test.h"

#define PAGES 700                         /* more than one look at pagemap */
#define SIZE (PAGES * PAGE)

typedef struct Kind {
    const char *name;
    bool file;                            /* a memfd; else anonymous */
    uint32_t flags;
    bool filled;                          /* every 7th page of the file, first */
} Kind;

static const Kind kinds[] = {
    { "anonymous", false, 0, false },
    { "shared", true, RAM_SHARED, false },
    { "private", true, 0, false },
    { "private-over-data", true, 0, true },
};

static MemoryRegion *new_region(const Kind *kind, uint8_t *expected)
{
    MemoryRegion *mr = g_new0(MemoryRegion, 1);
    int fd;

    if (!kind->file) {
        memory_region_init_ram(mr, NULL, "ram", SIZE, &error_abort);
        madvise(mr->ram_block->host, SIZE, MADV_NOHUGEPAGE);
        return mr;
    }
    fd = memfd_create("test", MFD_CLOEXEC);
    g_assert_cmpint(ftruncate(fd, SIZE + PAGE), ==, 0);
    for (unsigned i = 0; kind->filled && i < PAGES; i += 7) {
        memset(expected + i * PAGE, 0xf0 + i % 8, PAGE);
        g_assert_cmpint(pwrite(fd, expected + i * PAGE, PAGE, (i + 1) * PAGE),
                        ==, PAGE);
    }
    memory_region_init_ram_from_fd(mr, NULL, "ram", SIZE, kind->flags, fd,
                                   PAGE, &error_abort);
    return mr;
}

static void free_region(MemoryRegion *mr)
{
    object_unref(OBJECT(mr));
    g_free(mr);
}

/* Pages that are mapped, or in the file. */
static unsigned count_pages(const RAMBlock *rb)
{
    g_autofree unsigned char *pages = g_malloc(PAGES);
    struct stat st = { 0 };
    unsigned n = 0;

    if (rb->fd >= 0) {
        fstat(rb->fd, &st);
    }
    g_assert_cmpint(mincore(rb->host, SIZE, pages), ==, 0);
    for (unsigned i = 0; i < PAGES; i++) {
        n += pages[i] & 1;
    }
    return n + st.st_blocks * 512 / PAGE;
}

/* As a dump does, from any offset on. Bytes that were told to be backed. */
static uint64_t read_all(RAMBlock *rb, uint64_t start, uint8_t *buf)
{
    uint64_t sum = 0;
    bool backed;

    for (uint64_t at = start, run; at < SIZE; at += run) {
        run = ram_block_backed_run(rb, at, SIZE - at, &backed);
        g_assert_cmpuint(run, >, 0);
        g_assert_cmpuint(run, <=, SIZE - at);
        if (backed) {
            g_assert_cmpint(ram_block_read(rb, at, buf + at, run), ==, 0);
            sum += run;
        } else {
            memset(buf + at, 0, run);
        }
    }
    return sum;
}

static void test_read(gconstpointer data)
{
    const Kind *kind = data;
    g_autofree uint8_t *expected = g_malloc0(SIZE), *got = g_malloc(SIZE);
    MemoryRegion *mr = new_region(kind, expected);
    RAMBlock *rb = mr->ram_block;
    unsigned before;

    for (unsigned i = 0; i < PAGES / 10; i++) {
        unsigned at = g_test_rand_int_range(0, SIZE);

        expected[at] = rb->host[at] = g_test_rand_int() | 1;
    }
    before = count_pages(rb);
    for (unsigned i = 0; i < 20; i++) {
        uint64_t start = i ? g_test_rand_int_range(0, SIZE) : 0;

        memset(got, 0xa5, SIZE);
        g_assert_cmpuint(read_all(rb, start, got), <, SIZE / 2);
        g_assert_cmpmem(got + start, SIZE - start, expected + start,
                        SIZE - start);
    }
    g_assert_cmpuint(count_pages(rb), ==, before);
    free_region(mr);
}

static void test_untouched_is_one_run(gconstpointer data)
{
    g_autofree uint8_t *expected = g_malloc0(SIZE);
    MemoryRegion *mr = new_region(data, expected);
    bool backed;

    g_assert_cmpuint(ram_block_backed_run(mr->ram_block, 5, SIZE - 5, &backed),
                     ==, SIZE - 5);
    g_assert_false(backed);
    free_region(mr);
}

/* However much there is: a call must not look at all of it. */
static void test_backed_is_several_runs(gconstpointer data)
{
    g_autofree uint8_t *got = g_malloc(SIZE);
    MemoryRegion *mr = new_region(data, NULL);
    bool backed;

    memset(mr->ram_block->host, 0x5a, SIZE);
    g_assert_cmpuint(ram_block_backed_run(mr->ram_block, 5, SIZE - 5, &backed),
                     <, SIZE * 3 / 4);
    g_assert_true(backed);
    g_assert_cmpuint(read_all(mr->ram_block, 0, got), ==, SIZE);
    g_assert_true(memcmp(got, mr->ram_block->host, SIZE) == 0);
    free_region(mr);
}

static void test_read_of_a_cut_file_fails(void)
{
    const Kind kind = { .file = true, .flags = RAM_SHARED };
    MemoryRegion *mr = new_region(&kind, NULL);
    uint8_t byte;

    g_assert_cmpint(ftruncate(mr->ram_block->fd, 0), ==, 0);
    g_assert_cmpint(ram_block_read(mr->ram_block, PAGE, &byte, 1), ==, -EFAULT);
    free_region(mr);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
        g_autofree char *path =
            g_strdup_printf("/ram-read/%s", kinds[i].name);
        g_autofree char *untouched =
            g_strdup_printf("/ram-read/untouched/%s", kinds[i].name);
        g_autofree char *touched =
            g_strdup_printf("/ram-read/touched/%s", kinds[i].name);

        g_test_add_data_func(path, &kinds[i], test_read);
        if (!kinds[i].filled) {
            g_test_add_data_func(untouched, &kinds[i],
                                 test_untouched_is_one_run);
            g_test_add_data_func(touched, &kinds[i],
                                 test_backed_is_several_runs);
        }
    }
    g_test_add_func("/ram-read/cut-file-fails", test_read_of_a_cut_file_fails);
    return g_test_run();
}
