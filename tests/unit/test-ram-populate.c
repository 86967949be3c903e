/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ram_block_populate_range(): the host backs what was named and nothing else,
 * what the memory holds stays, and a host that cannot is an error, no signal.
 */
#include "qemu/osdep.h"
#include <linux/mman.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include "exec/ramblock.h"
#include "memory-test.h"
#include "qapi/error.h"
#include "qemu/units.h"

/* Enough pieces for several threads. */
#define SIZE (72 * MiB)

#define HUGE_PAGE (2 * MiB)

/* How often a huge page, by its number, was asked for. */
static GMutex asked_lock;
static GHashTable *asked;

/* The C library's, which tells what was asked for, by whatever thread. */
int madvise(void *host, size_t size, int advice)
{
    uintptr_t first = (uintptr_t)host / HUGE_PAGE;
    uintptr_t last = ((uintptr_t)host + size - 1) / HUGE_PAGE;

    g_mutex_lock(&asked_lock);
    for (; asked && advice == MADV_POPULATE_WRITE && first <= last; first++) {
        gpointer page = GSIZE_TO_POINTER(first);
        gsize times = GPOINTER_TO_SIZE(g_hash_table_lookup(asked, page));

        g_hash_table_insert(asked, page, GSIZE_TO_POINTER(times + 1));
    }
    g_mutex_unlock(&asked_lock);
    return syscall(SYS_madvise, host, size, advice);
}

static int open_file(uint64_t size)
{
    int fd = memfd_create("test", MFD_CLOEXEC);

    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(ftruncate(fd, size), ==, 0);
    return fd;
}

static RAMBlock *file_ram(MemoryRegion *mr, uint32_t flags)
{
    g_assert_true(memory_region_init_ram_from_fd(mr, NULL, "ram", SIZE, flags,
                                                 open_file(SIZE), 0,
                                                 &error_abort));
    return mr->ram_block;
}

static RAMBlock *anonymous_ram(MemoryRegion *mr)
{
    g_assert_true(memory_region_init_ram(mr, NULL, "ram", SIZE, &error_abort));
    /* So that pages can be counted. */
    madvise(mr->ram_block->host, SIZE, MADV_NOHUGEPAGE);
    return mr->ram_block;
}

/* Bytes of @size at @start that are in memory. */
static uint64_t resident(RAMBlock *rb, uint64_t start, uint64_t size)
{
    g_autofree unsigned char *pages = g_malloc(size / PAGE);
    uint64_t n = 0;

    g_assert_cmpint(mincore(rb->host + start, size, pages), ==, 0);
    for (uint64_t i = 0; i < size / PAGE; i++) {
        n += pages[i] & 1;
    }
    return n * PAGE;
}

static void check_range(RAMBlock *rb, unsigned nr_threads)
{
    const uint64_t start = 3 * PAGE, size = SIZE - 8 * PAGE;

    ram_block_set_populate(rb, nr_threads, 0);
    g_assert_cmpint(ram_block_populate_range(rb, start, size), ==, 0);
    g_assert_cmpuint(resident(rb, start, size), ==, size);
    g_assert_cmpuint(resident(rb, 0, SIZE), ==, size);
}

static void the_range_is_backed_and_nothing_else(void)
{
    static const unsigned threads[] = { 1, 2, 3, 64 };

    for (unsigned i = 0; i < ARRAY_SIZE(threads); i++) {
        MemoryRegion anonymous, shared;

        g_test_message("%u threads", threads[i]);
        check_range(anonymous_ram(&anonymous), threads[i]);
        check_range(file_ram(&shared, RAM_SHARED), threads[i]);
        object_unref(&anonymous);
        object_unref(&shared);
    }
}

/* Two threads at one huge page both clear one. */
static void a_huge_page_is_asked_for_once(void)
{
    MemoryRegion mr;
    RAMBlock *rb = anonymous_ram(&mr);
    GHashTableIter iter;
    gpointer page, times;

    asked = g_hash_table_new(NULL, NULL);
    ram_block_set_populate(rb, 2, 0);
    g_assert_cmpint(ram_block_populate_range(rb, MiB, SIZE - MiB), ==, 0);
    g_assert_cmpuint(g_hash_table_size(asked), >=, SIZE / HUGE_PAGE);
    g_hash_table_iter_init(&iter, asked);
    while (g_hash_table_iter_next(&iter, &page, &times)) {
        g_assert_cmpuint(GPOINTER_TO_SIZE(times), ==, 1);
    }
    g_clear_pointer(&asked, g_hash_table_unref);
    object_unref(&mr);
}

/* A private mapping gets pages of its own, or DMA would miss what CPUs write. */
static void private_pages_of_a_file_are_copied(void)
{
    MemoryRegion mr;
    RAMBlock *rb = file_ram(&mr, 0);
    uint8_t byte = 42;

    g_assert_cmpint(pwrite(rb->fd, &byte, 1, 5), ==, 1);
    g_assert_cmpint(ram_block_populate_range(rb, 0, PAGE), ==, 0);
    byte = 43;
    g_assert_cmpint(pwrite(rb->fd, &byte, 1, 5), ==, 1);
    g_assert_cmpint(rb->host[5], ==, 42);
    object_unref(&mr);
}

static void contents_are_kept(void)
{
    MemoryRegion mr;
    RAMBlock *rb = anonymous_ram(&mr);

    for (uint64_t offset = 0; offset < SIZE; offset += 5 * PAGE) {
        rb->host[offset] = 1 + offset / PAGE % 200;
    }
    ram_block_set_populate(rb, 4, 0);
    g_assert_cmpint(ram_block_populate_range(rb, 0, SIZE), ==, 0);
    for (uint64_t offset = 0; offset < SIZE; offset += 5 * PAGE) {
        g_assert_cmpint(rb->host[offset], ==, 1 + offset / PAGE % 200);
    }
    object_unref(&mr);
}

/* To touch what is beyond the end of a file would be SIGBUS. */
static void lack_of_memory_is_an_error(void)
{
    for (unsigned threads = 1; threads <= 4; threads += 3) {
        MemoryRegion mr;
        RAMBlock *rb = file_ram(&mr, RAM_SHARED);

        g_assert_cmpint(ftruncate(rb->fd, SIZE - PAGE), ==, 0);
        ram_block_set_populate(rb, threads, 0);
        g_assert_cmpint(ram_block_populate_range(rb, 0, SIZE), ==, -ENOMEM);
        g_assert_cmpint(ram_block_populate_range(rb, 0, SIZE - PAGE), ==, 0);
        object_unref(&mr);
    }
}

static void bad_ranges_are_refused(void)
{
    MemoryRegion mr;
    RAMBlock *rb = anonymous_ram(&mr);

    g_assert_cmpint(ram_block_populate_range(rb, 1, PAGE), ==, -EINVAL);
    g_assert_cmpint(ram_block_populate_range(rb, 0, PAGE + 1), ==, -EINVAL);
    g_assert_cmpint(ram_block_populate_range(rb, SIZE, PAGE), ==, -EINVAL);
    g_assert_cmpint(ram_block_populate_range(rb, PAGE, -PAGE), ==, -EINVAL);
    g_assert_cmpint(ram_block_populate_range(rb, SIZE, 0), ==, 0);
    g_assert_cmpuint(resident(rb, 0, SIZE), ==, 0);
    object_unref(&mr);
}

/* It may be the registers of a device. */
static void memory_of_somebody_else_is_left_alone(void)
{
    void *memory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    MemoryRegion mr;

    memory_region_init_ram_ptr(&mr, NULL, "ptr", PAGE, memory);
    g_assert_cmpint(ram_block_populate_range(mr.ram_block, 0, PAGE), ==,
                    -ENOTSUP);
    g_assert_cmpuint(resident(mr.ram_block, 0, PAGE), ==, 0);
    object_unref(&mr);
    munmap(memory, PAGE);
}

#define ADD(name) g_test_add_func("/ram-populate/" #name, name)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD(the_range_is_backed_and_nothing_else);
    ADD(a_huge_page_is_asked_for_once);
    ADD(private_pages_of_a_file_are_copied);
    ADD(contents_are_kept);
    ADD(lack_of_memory_is_an_error);
    ADD(bad_ranges_are_refused);
    ADD(memory_of_somebody_else_is_left_alone);
    return g_test_run();
}
