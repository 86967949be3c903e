/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RAM blocks: how they are mapped, discarded and found; who may discard. */
#include "qemu/osdep.h"
#include <fcntl.h>
#include <linux/memfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include "exec/ramblock.h"
#include "discard-use.h"
#include "memory-test.h"
#include "qapi/error.h"
#include "qemu/units.h"

#define SIZE (16 * PAGE)

typedef enum Kind { ANON, SHARED_ANON, SHARED_FILE, PRIVATE_FILE } Kind;

static const char *const kind_names[] = {
    "anonymous", "shared anonymous", "shared file", "private file",
};

/* The file is larger than the memory, which begins at its second page. */
static int open_file(void)
{
    int fd = memfd_create("test", MFD_CLOEXEC);

    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(ftruncate(fd, PAGE + SIZE), ==, 0);
    return fd;
}

static void ram_init(MemoryRegion *mr, Kind kind)
{
    bool ok;

    g_test_message("%s", kind_names[kind]);
    if (kind == ANON || kind == SHARED_ANON) {
        ok = memory_region_init_ram_flags(mr, NULL, "ram", SIZE,
                                          kind == ANON ? 0 : RAM_SHARED,
                                          &error_abort);
    } else {
        ok = memory_region_init_ram_from_fd(mr, NULL, "ram", SIZE,
                                            kind == SHARED_FILE ? RAM_SHARED
                                                                : 0,
                                            open_file(), PAGE, &error_abort);
    }
    g_assert_true(ok);
}

/* The number of bytes that the file behind @fd takes. */
static uint64_t file_bytes(int fd)
{
    struct stat st;

    g_assert_cmpint(fstat(fd, &st), ==, 0);
    return (uint64_t)st.st_blocks * 512;
}

static void check_fill(const uint8_t *host, uint64_t from, uint64_t to,
                       uint8_t expected)
{
    for (uint64_t i = from; i < to; i++) {
        g_assert_cmphex(host[i], ==, expected);
    }
}

static unsigned resident(const uint8_t *host)
{
    unsigned char pages[SIZE / PAGE];
    unsigned n = 0;

    g_assert_cmpint(mincore((void *)host, SIZE, pages), ==, 0);
    for (unsigned i = 0; i < ARRAY_SIZE(pages); i++) {
        n += pages[i] & 1;
    }
    return n;
}

/* Discards pages 4 to 7 of full RAM of @kind. */
static void check_discard(Kind kind)
{
    MemoryRegion mr;
    RAMBlock *rb;

    ram_init(&mr, kind);
    rb = mr.ram_block;
    memset(rb->host, 0x5a, SIZE);
    g_assert_cmpuint(resident(rb->host), ==, 16);
    g_assert_cmpint(ram_block_discard_range(rb, 4 * PAGE, 4 * PAGE), ==, 0);
    if (kind != PRIVATE_FILE) {           /* whose zero pages may be cached */
        g_assert_cmpuint(resident(rb->host), ==, 12);
    }
    if (kind == SHARED_ANON || kind == SHARED_FILE) {
        g_assert_cmpuint(file_bytes(rb->fd), ==, 12 * PAGE);
        g_assert_cmpint(lseek(rb->fd, rb->fd_offset, SEEK_HOLE), ==,
                        rb->fd_offset + 4 * PAGE);
    }
    check_fill(rb->host, 0, 4 * PAGE, 0x5a);
    check_fill(rb->host, 4 * PAGE, 8 * PAGE, 0);
    check_fill(rb->host, 8 * PAGE, SIZE, 0x5a);
    object_unref(&mr);
}

static void discarded_memory_is_given_back_and_reads_zero(void)
{
    for (Kind kind = ANON; kind <= PRIVATE_FILE; kind++) {
        check_discard(kind);
    }
}

static void discard_of_a_private_mapping_empties_the_file_too(void)
{
    MemoryRegion mr;
    int fd = open_file();
    char page[PAGE];

    memset(page, 0x77, PAGE);
    g_assert_cmpint(pwrite(fd, page, PAGE, PAGE), ==, PAGE);
    g_assert_true(memory_region_init_ram_from_fd(&mr, NULL, "ram", SIZE, 0, fd,
                                                 PAGE, &error_abort));
    g_assert_cmphex(mr.ram_block->host[0], ==, 0x77);
    g_assert_cmpint(ram_block_discard_range(mr.ram_block, 0, PAGE), ==, 0);
    g_assert_cmpuint(file_bytes(fd), ==, 0);
    g_assert_cmphex(mr.ram_block->host[0], ==, 0);
    object_unref(&mr);
}

static void locked_memory_can_be_discarded(void)
{
    MemoryRegion mr;

    ram_init(&mr, ANON);
    if (mlock(mr.ram_block->host, 2 * PAGE) < 0) {
        g_test_skip("RLIMIT_MEMLOCK does not allow two pages");
    } else {
        memset(mr.ram_block->host, 0x5a, 2 * PAGE);
        g_assert_cmpint(ram_block_discard_range(mr.ram_block, 0, PAGE), ==, 0);
        check_fill(mr.ram_block->host, 0, PAGE, 0);
        check_fill(mr.ram_block->host, PAGE, 2 * PAGE, 0x5a);
    }
    object_unref(&mr);
}

static void bad_discards_are_refused(void)
{
    MemoryRegion mr;
    RAMBlock *rb;

    ram_init(&mr, ANON);
    rb = mr.ram_block;
    memset(rb->host, 0x5a, SIZE);
    g_assert_cmpint(ram_block_discard_range(rb, 1, PAGE), ==, -EINVAL);
    g_assert_cmpint(ram_block_discard_range(rb, 0, PAGE - 1), ==, -EINVAL);
    g_assert_cmpint(ram_block_discard_range(rb, 0, SIZE + PAGE), ==, -EINVAL);
    g_assert_cmpint(ram_block_discard_range(rb, SIZE, PAGE), ==, -EINVAL);
    g_assert_cmpint(ram_block_discard_range(rb, PAGE, -PAGE), ==, -EINVAL);
    g_assert_cmpint(ram_block_discard_range(rb, SIZE, 0), ==, 0);
    check_fill(rb->host, 0, SIZE, 0x5a);
    object_unref(&mr);
}

static void memory_of_somebody_else_is_not_discarded(void)
{
    g_autofree char *memory = g_malloc0(2 * PAGE);
    MemoryRegion mr;

    memory_region_init_ram_ptr(&mr, NULL, "ptr", PAGE, memory);
    g_assert_cmpint(ram_block_discard_range(mr.ram_block, 0, PAGE), ==,
                    -ENOTSUP);
    object_unref(&mr);
    memory[0] = 1;                        /* still the owner's */
}

static void discard_keeps_the_errno_of_the_host(void)
{
    g_autofree char *path = g_strdup("/tmp/sparsevm-test-XXXXXX");
    int fd = mkstemp(path), ro;
    MemoryRegion mr;

    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(ftruncate(fd, PAGE), ==, 0);
    ro = open(path, O_RDONLY | O_CLOEXEC);
    g_assert_cmpint(ro, >=, 0);
    unlink(path);
    close(fd);
    g_assert_true(memory_region_init_ram_from_fd(&mr, NULL, "ro", PAGE, 0, ro,
                                                 0, &error_abort));
    g_assert_cmpint(ram_block_discard_range(mr.ram_block, 0, PAGE), ==, -EBADF);
    object_unref(&mr);
}

/* --- mapping --- */

static void large_blocks_can_use_huge_pages(void)
{
    MemoryRegion mr;
    RAMBlock *rb;

    g_assert_true(memory_region_init_ram(&mr, NULL, "ram", 4 * MiB + PAGE,
                                         &error_abort));
    rb = mr.ram_block;
    g_assert_true(QEMU_PTR_IS_ALIGNED(rb->host, 2 * MiB));
    g_assert_cmpuint(rb->used_length, ==, 4 * MiB + PAGE);
    rb->host[0] = 1;
    rb->host[4 * MiB + PAGE - 1] = 1;
    object_unref(&mr);
}

static void shared_memory_has_an_fd_that_shows_it(void)
{
    MemoryRegion mr;
    char byte = 0;

    ram_init(&mr, SHARED_ANON);
    g_assert_true(qemu_ram_is_shared(mr.ram_block));
    mr.ram_block->host[5] = 0x42;
    g_assert_cmpint(pread(memory_region_get_fd(&mr), &byte, 1, 5), ==, 1);
    g_assert_cmphex(byte, ==, 0x42);
    object_unref(&mr);
}

static void file_offset_is_kept(void)
{
    MemoryRegion mr;
    char byte = 0;

    ram_init(&mr, SHARED_FILE);
    mr.ram_block->host[0] = 0x42;
    g_assert_cmpint(pread(memory_region_get_fd(&mr), &byte, 1, PAGE), ==, 1);
    g_assert_cmphex(byte, ==, 0x42);
    g_assert_cmpuint(qemu_ram_pagesize(mr.ram_block), ==,
                     qemu_real_host_page_size());
    object_unref(&mr);
}

/* Without a promise, so that the host need not have any huge page free. */
static void huge_pages_are_the_unit_of_their_files(void)
{
    for (uint32_t shared = 0; shared <= RAM_SHARED; shared += RAM_SHARED) {
        int fd = memfd_create("huge", MFD_CLOEXEC | MFD_HUGETLB | MFD_HUGE_2MB);
        MemoryRegion mr;
        Error *err = NULL;

        if (fd < 0 || ftruncate(fd, 4 * MiB) < 0) {
            g_test_skip("the host has no huge pages of 2 MiB");
            return;
        }
        g_assert_false(memory_region_init_ram_from_fd(
                           &mr, NULL, "huge", MiB, shared | RAM_NORESERVE, fd,
                           0, &err));
        error_free_or_abort(&err);
        g_assert_true(memory_region_init_ram_from_fd(
                          &mr, NULL, "huge", 4 * MiB, shared | RAM_NORESERVE,
                          fd, 0, &error_abort));
        g_assert_cmpuint(qemu_ram_pagesize(mr.ram_block), ==, 2 * MiB);
        g_assert_true(QEMU_PTR_IS_ALIGNED(mr.ram_block->host, 2 * MiB));
        g_assert_cmpint(ram_block_discard_range(mr.ram_block, 0, PAGE), ==,
                        -EINVAL);
        g_assert_cmpint(ram_block_discard_range(mr.ram_block, 2 * MiB, 2 * MiB),
                        ==, 0);
        object_unref(&mr);
    }
}

/* Asserts that the memory cannot be, and that @fd stays the caller's. */
static void check_refused_fd(uint64_t size, uint64_t offset, const char *why)
{
    int fd = open_file();
    MemoryRegion mr;
    Error *err = NULL;

    g_assert_false(memory_region_init_ram_from_fd(&mr, NULL, "ram", size,
                                                  RAM_SHARED, fd, offset,
                                                  &err));
    g_assert_nonnull(strstr(error_get_pretty(err), why));
    error_free_or_abort(&err);
    g_assert_cmpint(close(fd), ==, 0);
}

static void impossible_files_are_refused(void)
{
    check_refused_fd(SIZE + 1, 0, "page size");
    check_refused_fd(SIZE, 1, "page size");
    check_refused_fd(0, 0, "page size");
    check_refused_fd(SIZE, 2 * PAGE, "are needed");
    check_refused_fd(INT64_MAX & -PAGE, PAGE, "does not fit");
}

static void promise_that_is_too_much_names_the_cure(void)
{
    MemoryRegion mr;
    Error *err = NULL;

    g_assert_false(memory_region_init_ram(&mr, NULL, "big", 1ULL << 62, &err));
    g_assert_nonnull(strstr(error_get_pretty(err), "reserve=off"));
    error_free_or_abort(&err);
    g_assert_false(memory_region_init_ram_flags(&mr, NULL, "big", 1ULL << 62,
                                                RAM_NORESERVE, &err));
    g_assert_null(strstr(error_get_pretty(err), "reserve=off"));
    error_free_or_abort(&err);
}

/* Whether the host lends a TiB at all, which not every container may. */
static bool host_can_reserve(uint64_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (p == MAP_FAILED) {
        return false;
    }
    munmap(p, size);
    return true;
}

static void tebibyte_without_a_promise_costs_nothing(void)
{
    MemoryRegion mr;

    if (!host_can_reserve(TiB + 4 * MiB)) {
        g_test_skip("the host does not map 1 TiB even with MAP_NORESERVE");
        return;
    }
    g_assert_true(memory_region_init_ram_flags(&mr, NULL, "big", TiB,
                                               RAM_NORESERVE, &error_abort));
    mr.ram_block->host[TiB - 1] = 1;
    g_assert_cmpint(ram_block_discard_range(mr.ram_block, 0, TiB), ==, 0);
    g_assert_cmphex(mr.ram_block->host[TiB - 1], ==, 0);
    object_unref(&mr);
}

/* --- lookup --- */

static int count_block(RAMBlock *rb, void *opaque)
{
    return ++*(int *)opaque == 2 ? 77 : 0;
}

static void walk_of_blocks_ends_when_told(void)
{
    MemoryRegion a, b;
    int count = 0;

    ram_init(&a, ANON);
    ram_init(&b, SHARED_FILE);
    g_assert_cmpint(qemu_ram_foreach_block(count_block, &count), ==, 77);
    object_unref(&b);
    object_unref(&a);
}

/* --- who may discard --- */

/* Whether the second may come while the first is there. */
static const bool compatible[RAM_DISCARD_USES][RAM_DISCARD_USES] = {
    { true, true, false, false },
    { true, true, false, true },
    { false, false, true, true },
    { false, true, true, true },
};

static void uses_of_discarding_exclude_each_other(void)
{
    for (int first = 0; first < RAM_DISCARD_USES; first++) {
        for (int second = 0; second < RAM_DISCARD_USES; second++) {
            int expected = compatible[first][second] ? 0 : -EBUSY;

            g_test_message("%d then %d", first, second);
            g_assert_cmpint(discard_use(first, true), ==, 0);
            g_assert_cmpint(discard_use(second, true), ==, expected);
            if (!expected) {
                g_assert_cmpint(discard_use(second, false), ==, 0);
            }
            g_assert_cmpint(discard_use(first, false), ==, 0);
        }
    }
}

static void uses_of_discarding_are_counted(void)
{
    g_assert_cmpint(discard_use(RAM_DISCARD_DISABLE, true), ==, 0);
    g_assert_cmpint(discard_use(RAM_DISCARD_DISABLE, true), ==, 0);
    g_assert_cmpint(discard_use(RAM_DISCARD_DISABLE, false), ==, 0);
    g_assert_nonnull(ram_block_discard_disabled_by());
    g_assert_cmpint(discard_use(RAM_DISCARD_REQUIRE, true), ==, -EBUSY);
    g_assert_cmpint(discard_use(RAM_DISCARD_DISABLE, false), ==, 0);
    g_assert_null(ram_block_discard_disabled_by());

    g_assert_cmpint(discard_use(RAM_DISCARD_REQUIRE_COORDINATED, true), ==, 0);
    g_assert_cmpint(discard_use(RAM_DISCARD_DISABLE_UNCOORDINATED, true), ==,
                    0);
    g_assert_nonnull(ram_block_discard_disabled_by());
    discard_use(RAM_DISCARD_REQUIRE_COORDINATED, false);
    discard_use(RAM_DISCARD_DISABLE_UNCOORDINATED, false);
}

static void *disable_and_enable(void *unused)
{
    for (int i = 0; i < 20000; i++) {
        if (!discard_use(RAM_DISCARD_DISABLE, true)) {
            g_assert_cmpint(discard_use(RAM_DISCARD_REQUIRE, true), ==, -EBUSY);
            discard_use(RAM_DISCARD_DISABLE, false);
        }
    }
    return NULL;
}

static void *require_and_release(void *unused)
{
    for (int i = 0; i < 20000; i++) {
        if (!discard_use(RAM_DISCARD_REQUIRE, true)) {
            g_assert_null(ram_block_discard_disabled_by());
            discard_use(RAM_DISCARD_REQUIRE, false);
        }
    }
    return NULL;
}

static void uses_of_discarding_are_safe_between_threads(void)
{
    GThread *a = g_thread_new("disable", disable_and_enable, NULL);
    GThread *b = g_thread_new("require", require_and_release, NULL);

    g_thread_join(a);
    g_thread_join(b);
    g_assert_null(ram_block_discard_disabled_by());
}

#define ADD(name) g_test_add_func("/physmem/" #name, name)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD(discarded_memory_is_given_back_and_reads_zero);
    ADD(discard_of_a_private_mapping_empties_the_file_too);
    ADD(locked_memory_can_be_discarded);
    ADD(bad_discards_are_refused);
    ADD(memory_of_somebody_else_is_not_discarded);
    ADD(discard_keeps_the_errno_of_the_host);
    ADD(large_blocks_can_use_huge_pages);
    ADD(shared_memory_has_an_fd_that_shows_it);
    ADD(file_offset_is_kept);
    ADD(huge_pages_are_the_unit_of_their_files);
    ADD(impossible_files_are_refused);
    ADD(promise_that_is_too_much_names_the_cure);
    ADD(tebibyte_without_a_promise_costs_nothing);
    ADD(walk_of_blocks_ends_when_told);
    ADD(uses_of_discarding_exclude_each_other);
    ADD(uses_of_discarding_are_counted);
    ADD(uses_of_discarding_are_safe_between_threads);
    return g_test_run();
}
