/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory backends (sysemu/hostmem.h), made the way users make them. */
#include "qemu/osdep.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <linux/mempolicy.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "exec/ramblock.h"
#include "qemu/units.h"
#include "qom/object_interfaces.h"
#include "qemu/keyval.h"
#include "sysemu/hostmem.h"

static char *tmp_dir;

/* Adds -object @text; NULL and *errp if that is refused. */
static HostMemoryBackend *create(const char *text, Error **errp)
{
    g_autoptr(JsonObject) opts = keyval_parse(text, "qom-type", NULL,
                                              &error_abort);

    if (!user_creatable_add_from_json(opts, true, errp)) {
        return NULL;
    }
    return MEMORY_BACKEND(object_resolve_path_component(
        object_get_objects_root(), json_object_get_string_member(opts, "id")));
}

static void delete(HostMemoryBackend *backend)
{
    user_creatable_del(host_memory_backend_get_name(backend), &error_abort);
}

static void assert_refused(const char *text, const char *pattern)
{
    Error *err = NULL;

    g_assert_null(create(text, &err));
    g_test_message("%s", error_get_pretty(err));
    g_assert_true(g_pattern_match_simple(pattern, error_get_pretty(err)));
    error_free(err);
    g_assert_null(object_resolve_path_component(object_get_objects_root(),
                                                "m"));
}

static uint8_t *memory(HostMemoryBackend *b)
{
    return memory_region_get_ram_ptr(host_memory_backend_get_memory(b));
}

/* Pages of the backend that are in memory. */
static size_t resident(HostMemoryBackend *b)
{
    size_t pages = b->size / qemu_real_host_page_size(), n = 0;
    g_autofree unsigned char *vec = g_malloc(pages);

    g_assert_cmpint(mincore(memory(b), b->size, vec), ==, 0);
    for (size_t i = 0; i < pages; i++) {
        n += vec[i] & 1;
    }
    return n;
}

/* --- all kinds ------------------------------------------------------------ */

static void test_ram_is_there_when_complete(void)
{
    HostMemoryBackend *b = create("memory-backend-ram,id=m,size=2M",
                                  &error_abort);
    MemoryRegion *mr = host_memory_backend_get_memory(b);

    g_assert_cmpuint(memory_region_size(mr), ==, 2 * MiB);
    g_assert_cmpint(memory_region_get_fd(mr), ==, -1);
    g_assert_cmpuint(host_memory_backend_pagesize(b), ==,
                     qemu_real_host_page_size());
    g_assert_cmpint(memory(b)[2 * MiB - 1], ==, 0);
    g_assert_cmpstr(memory_region_name(mr), ==, "m");
    delete(b);
}

static void test_incomplete_backend_has_no_memory(void)
{
    g_autoptr(Object) obj = object_new(TYPE_MEMORY_BACKEND_RAM);

    g_assert_null(host_memory_backend_get_memory(MEMORY_BACKEND(obj)));
    g_assert_false(host_memory_backend_mr_inited(MEMORY_BACKEND(obj)));
}

static void test_size_is_required(void)
{
    assert_refused("memory-backend-ram,id=m",
                   "can't create backend with size 0");
    assert_refused("memory-backend-ram,id=m,size=0",
                   "property 'size' of memory-backend-ram doesn't take value "
                   "'0'");
    assert_refused("memory-backend-ram,id=m,size=lots",
                   "Parameter 'size' expects a size*");
}

static void test_impossible_size_is_refused(void)
{
    assert_refused("memory-backend-ram,id=m,size=8E", "*8*");
    assert_refused("memory-backend-memfd,id=m,size=8E", "*8*");
    assert_refused("memory-backend-ram,id=m,size=18446744073709551615", "*");
}

static void test_memory_settles_its_properties(void)
{
    HostMemoryBackend *b = create("memory-backend-ram,id=m,size=1M",
                                  &error_abort);
    static const char *const names[] = { "size", "share", "prealloc-threads",
                                         "prealloc-nice", "policy",
                                         "host-nodes", NULL };
    static const char *const values[] = { "2M", "on", "2", "3", "bind", "0" };

    for (int i = 0; names[i]; i++) {
        g_autofree char *expected = g_strdup_printf("cannot change property "
                                                    "'%s' of memory-backend-"
                                                    "ram", names[i]);
        Error *err = NULL;

        g_assert_false(object_property_parse(OBJECT(b), names[i], values[i],
                                             &err));
        g_assert_cmpstr(error_get_pretty(err), ==, expected);
        error_free(err);
    }
    delete(b);
}

static void test_mapped_backend_cannot_be_deleted(void)
{
    HostMemoryBackend *b = create("memory-backend-ram,id=m,size=1M",
                                  &error_abort);
    Error *err = NULL;

    host_memory_backend_set_mapped(b, true);
    g_assert_true(host_memory_backend_is_mapped(b));
    g_assert_false(user_creatable_del("m", &err));
    g_assert_cmpstr(error_get_pretty(err), ==,
                    "object 'm' is in use, can not be deleted");
    error_free(err);
    host_memory_backend_set_mapped(b, false);
    delete(b);
}

static void test_prealloc_populates(void)
{
    HostMemoryBackend *lazy = create("memory-backend-ram,id=m,size=4M",
                                     &error_abort);
    HostMemoryBackend *eager = create("memory-backend-ram,id=n,size=4M,"
                                      "prealloc=on,prealloc-threads=3",
                                      &error_abort);

    g_assert_cmpuint(resident(lazy), ==, 0);
    g_assert_cmpuint(resident(eager), ==, 4 * MiB / qemu_real_host_page_size());
    delete(lazy);
    delete(eager);
}

/* Each with more threads than pages, and in one piece that threads share. */
static void test_prealloc_populates_all_kinds(void)
{
    static const char *const kinds[] = {
        "memory-backend-ram,share=on", "memory-backend-memfd",
        "memory-backend-memfd,share=off", "memory-backend-file",
        "memory-backend-file,share=on",
    };

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        for (unsigned size = 1; size <= 40; size += 39) {
            bool is_file = strstr(kinds[i], "-file") != NULL;
            g_autofree char *text =
                g_strdup_printf("%s,id=m,size=%uM,prealloc=on,"
                                "prealloc-threads=256%s%s", kinds[i], size,
                                is_file ? ",mem-path=" : "",
                                is_file ? tmp_dir : "");
            HostMemoryBackend *b = create(text, &error_abort);

            g_test_message("%s", text);
            g_assert_cmpuint(resident(b), ==,
                             size * MiB / qemu_real_host_page_size());
            delete(b);
        }
    }
}

static void test_threads_suit_the_host_by_default(void)
{
    HostMemoryBackend *b = create("memory-backend-ram,id=m,size=1M",
                                  &error_abort);

    g_assert_cmpuint(b->prealloc_threads, ==, MIN(g_get_num_processors(), 16));
    g_assert_cmpuint(b->mr.ram_block->populate_threads, ==,
                     b->prealloc_threads);
    delete(b);
}

static void test_threads_are_as_nice_as_it_is_said(void)
{
    HostMemoryBackend *b = create("memory-backend-ram,id=m,size=1M",
                                  &error_abort);

    g_assert_cmpint(b->mr.ram_block->populate_nice, ==, 0);
    delete(b);
    b = create("memory-backend-ram,id=m,size=1M,prealloc-nice=19,"
               "prealloc-threads=5", &error_abort);
    g_assert_cmpint(b->mr.ram_block->populate_nice, ==, 19);
    g_assert_cmpuint(b->mr.ram_block->populate_threads, ==, 5);
    delete(b);
}

static void test_blocks_can_be_populated(void)
{
    HostMemoryBackend *b = create("memory-backend-memfd,id=m,size=8M,"
                                  "reserve=off,seal=off", &error_abort);
    MemoryRegion *mr = host_memory_backend_get_memory(b);

    g_assert_cmpint(host_memory_backend_populate(b, 2 * MiB, 4 * MiB), ==, 0);
    g_assert_cmpuint(resident(b), ==, 4 * MiB / qemu_real_host_page_size());
    g_assert_cmpint(ftruncate(memory_region_get_fd(mr), 7 * MiB), ==, 0);
    g_assert_cmpint(host_memory_backend_populate(b, 6 * MiB, 2 * MiB), ==,
                    -ENOMEM);
    delete(b);
}

static void test_prealloc_options_are_checked(void)
{
    assert_refused("memory-backend-ram,id=m,size=1M,prealloc-threads=0",
                   "property 'prealloc-threads' of * doesn't take value '0'*");
    assert_refused("memory-backend-ram,id=m,size=1M,prealloc-threads=5000",
                   "*'5000'*256");
    assert_refused("memory-backend-ram,id=m,size=1M,prealloc-nice=20",
                   "property 'prealloc-nice' of * doesn't take value '20'*19");
    assert_refused("memory-backend-ram,id=m,size=1M,prealloc-nice=-1", "*");
    assert_refused("memory-backend-ram,id=m,size=1M,prealloc=on,reserve=off",
                   "*incompatible*");
}

static void test_shared_ram_has_a_descriptor(void)
{
    HostMemoryBackend *b = create("memory-backend-ram,id=m,size=1M,share=on,"
                                  "reserve=off", &error_abort);
    MemoryRegion *mr = host_memory_backend_get_memory(b);

    g_assert_cmpint(memory_region_get_fd(mr), >=, 0);
    g_assert_true(qemu_ram_is_shared(mr->ram_block));
    g_assert_true(mr->ram_block->flags & RAM_NORESERVE);
    delete(b);
}

static void test_numa_options_go_together(void)
{
    assert_refused("memory-backend-ram,id=m,size=1M,host-nodes=0",
                   "host-nodes must be empty for policy default*");
    assert_refused("memory-backend-ram,id=m,size=1M,policy=bind",
                   "host-nodes must be set*");
    assert_refused("memory-backend-ram,id=m,size=1M,policy=bind,host-nodes=128",
                   "Invalid host-nodes value: 128*");
    assert_refused("memory-backend-ram,id=m,size=1M,policy=bind,host-nodes=127",
                   "cannot bind memory to host NUMA nodes: *");
    assert_refused("memory-backend-ram,id=m,size=1M,policy=any",
                   "Parameter 'policy' does not accept value 'any'*");
}

static void test_node_0_can_be_bound(void)
{
    Error *err = NULL;
    HostMemoryBackend *b = create("memory-backend-ram,id=m,size=1M,policy=bind,"
                                  "host-nodes=0,prealloc=on", &err);

    if (!b) {
        g_test_skip(error_get_pretty(err));
        error_free(err);
        return;
    }
    g_assert_cmpuint(resident(b), ==, 1 * MiB / qemu_real_host_page_size());
    delete(b);
}

/* What the kernel will go by when it takes a page; -1: it cannot tell. */
static int policy_in_force(HostMemoryBackend *b)
{
    int mode;

    return syscall(SYS_get_mempolicy, &mode, NULL, 0UL, memory(b),
                   MPOL_F_ADDR) ? -1 : mode & ~MPOL_MODE_FLAGS;
}

static void test_policies_are_in_force(void)
{
    static const char *const names[] = { "preferred", "bind", "interleave" };
    static const int modes[] = { MPOL_PREFERRED, MPOL_BIND, MPOL_INTERLEAVE };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        g_autofree char *text = g_strdup_printf("memory-backend-memfd,id=m,"
                                                "size=1M,host-nodes=0,"
                                                "policy=%s", names[i]);
        Error *err = NULL;
        HostMemoryBackend *b = create(text, &err);

        if (!b) {
            g_test_skip(error_get_pretty(err));
            error_free(err);
            return;
        }
        g_assert_cmpint(policy_in_force(b), ==, modes[i]);
        delete(b);
    }
}

/* --- memfd ---------------------------------------------------------------- */

static void test_memfd_is_shared_and_sealed(void)
{
    HostMemoryBackend *b = create("memory-backend-memfd,id=m,size=1M",
                                  &error_abort);
    int fd = memory_region_get_fd(host_memory_backend_get_memory(b));
    uint8_t byte = 0;

    memory(b)[5] = 42;
    g_assert_cmpint(pread(fd, &byte, 1, 5), ==, 1);
    g_assert_cmpint(byte, ==, 42);
    g_assert_cmpint(ftruncate(fd, 2 * MiB), ==, -1);
    g_assert_cmpint(ftruncate(fd, 4096), ==, -1);
    delete(b);
}

static void test_memfd_can_be_private_and_unsealed(void)
{
    HostMemoryBackend *b = create("memory-backend-memfd,id=m,size=1M,share=off,"
                                  "seal=off", &error_abort);
    int fd = memory_region_get_fd(host_memory_backend_get_memory(b));
    uint8_t byte = 9;

    memory(b)[5] = 42;
    g_assert_cmpint(pread(fd, &byte, 1, 5), ==, 1);
    g_assert_cmpint(byte, ==, 0);
    g_assert_cmpint(ftruncate(fd, 2 * MiB), ==, 0);
    delete(b);
}

static void test_huge_page_size_is_checked(void)
{
    assert_refused("memory-backend-memfd,id=m,size=2M,hugetlbsize=2M",
                   "hugetlbsize needs hugetlb=on");
    assert_refused("memory-backend-memfd,id=m,size=2M,hugetlb=on,"
                   "hugetlbsize=3M", "*'3145728'*power of two");
    assert_refused("memory-backend-memfd,id=m,size=3M,hugetlb=on,"
                   "hugetlbsize=2M", "the size of 'm', 3 MiB*must be a multiple "
                   "of its huge pages, 2 MiB*");
    assert_refused("memory-backend-memfd,id=m,size=2M,hugetlb=on,"
                   "hugetlbsize=8k", "failed to create memfd of 2 MiB*");
}

/* --- file ----------------------------------------------------------------- */

static char *file_path(const char *name)
{
    return g_build_filename(tmp_dir, name, NULL);
}

static uint64_t file_size(const char *path)
{
    struct stat st;

    g_assert_cmpint(stat(path, &st), ==, 0);
    return st.st_size;
}

static HostMemoryBackend *create_file(const char *path, const char *more,
                                      Error **errp)
{
    g_autofree char *text = g_strdup_printf("memory-backend-file,id=m,"
                                            "mem-path=%s,%s", path, more);

    return create(text, errp);
}

static void test_file_is_made_and_kept(void)
{
    g_autofree char *path = file_path("new");
    HostMemoryBackend *b = create_file(path, "size=1M,share=on", &error_abort);
    g_autofree char *contents = NULL;

    memory(b)[7] = 'x';
    delete(b);
    g_assert_cmpuint(file_size(path), ==, 1 * MiB);
    g_assert_true(g_file_get_contents(path, &contents, NULL, NULL));
    g_assert_cmpint(contents[7], ==, 'x');
    unlink(path);
}

static void test_file_is_not_shortened(void)
{
    g_autofree char *path = file_path("long");
    HostMemoryBackend *b;

    g_assert_true(g_file_set_contents(path, "abc", 3, NULL));
    g_assert_cmpint(truncate(path, 2 * MiB), ==, 0);
    b = create_file(path, "size=1M,share=on", &error_abort);
    g_assert_cmpint(memory(b)[1], ==, 'b');
    delete(b);
    g_assert_cmpuint(file_size(path), ==, 2 * MiB);
    unlink(path);
}

static void test_short_file_is_refused(void)
{
    g_autofree char *path = file_path("short");
    Error *err = NULL;

    g_assert_true(g_file_set_contents(path, "abc", 3, NULL));
    g_assert_null(create_file(path, "size=1M", &err));
    g_assert_nonnull(strstr(error_get_pretty(err), "has 3 bytes"));
    error_free(err);
    g_assert_cmpuint(file_size(path), ==, 3);
    unlink(path);
}

static void test_refused_file_is_not_left_behind(void)
{
    g_autofree char *path = file_path("odd");
    Error *err = NULL;

    g_assert_null(create_file(path, "size=1000", &err));
    g_assert_nonnull(strstr(error_get_pretty(err), "multiple of the page"));
    error_free(err);
    g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
}

static void test_directory_gets_a_nameless_file(void)
{
    HostMemoryBackend *b = create_file(tmp_dir, "size=1M", &error_abort);
    g_autoptr(GDir) dir = g_dir_open(tmp_dir, 0, NULL);

    g_assert_cmpint(memory_region_get_fd(host_memory_backend_get_memory(b)),
                    >=, 0);
    g_assert_null(g_dir_read_name(dir));
    memory(b)[1 * MiB - 1] = 1;
    delete(b);
}

static void test_discard_data_frees_the_contents(void)
{
    g_autofree char *path = file_path("discarded");
    HostMemoryBackend *b = create_file(path, "size=1M,share=on,discard-data=on",
                                       &error_abort);
    g_autofree char *contents = NULL;

    memory(b)[7] = 'x';
    delete(b);
    g_assert_true(g_file_get_contents(path, &contents, NULL, NULL));
    g_assert_cmpint(contents[7], ==, 0);
    unlink(path);
}

static void test_file_needs_a_usable_path(void)
{
    assert_refused("memory-backend-file,id=m,size=1M",
                   "mem-path property not set");
    assert_refused("memory-backend-file,id=m,size=1M,mem-path=/nonexistent/x",
                   "can't open backing store /nonexistent/x for guest RAM: *");
    assert_refused("memory-backend-file,id=m,size=1M,mem-path=/dev/null", "*");
}

static void test_file_is_a_file(void)
{
    g_autofree char *dir = g_dir_make_tmp("test-hostmem-XXXXXX", NULL);
    g_autofree char *fifo = g_build_filename(dir, "fifo", NULL);
    g_autofree char *link = g_build_filename(dir, "link", NULL);
    g_autofree char *of_fifo = g_strdup_printf(
        "memory-backend-file,id=m,size=1M,mem-path=%s", fifo);
    g_autofree char *of_link = g_strdup_printf(
        "memory-backend-file,id=m,size=1M,mem-path=%s", link);

    g_assert_no_errno(mkfifo(fifo, 0600));
    g_assert_no_errno(symlink("/etc/hostname", link));
    assert_refused(of_fifo, "backing store '*' is no memory: *");
    assert_refused(of_link, "can't open backing store * it is a symbolic link, "
                   "*");
    unlink(fifo);
    unlink(link);
    g_rmdir(dir);
}

static void add_test(const char *name, void (*fn)(void))
{
    g_autofree char *path = g_strdup_printf("/hostmem/%s", name);

    g_test_add_func(path, fn);
}

int main(int argc, char **argv)
{
    int ret;

    g_test_init(&argc, &argv, NULL);
    tmp_dir = g_dir_make_tmp("test-hostmem-XXXXXX", NULL);
    add_test("ram-is-there-when-complete", test_ram_is_there_when_complete);
    add_test("incomplete-backend-has-no-memory",
             test_incomplete_backend_has_no_memory);
    add_test("size-is-required", test_size_is_required);
    add_test("impossible-size-is-refused", test_impossible_size_is_refused);
    add_test("memory-settles-its-properties",
             test_memory_settles_its_properties);
    add_test("mapped-backend-cannot-be-deleted",
             test_mapped_backend_cannot_be_deleted);
    add_test("prealloc-populates", test_prealloc_populates);
    add_test("prealloc-populates-all-kinds", test_prealloc_populates_all_kinds);
    add_test("threads-suit-the-host-by-default",
             test_threads_suit_the_host_by_default);
    add_test("threads-are-as-nice-as-it-is-said",
             test_threads_are_as_nice_as_it_is_said);
    add_test("blocks-can-be-populated", test_blocks_can_be_populated);
    add_test("prealloc-options-are-checked",
             test_prealloc_options_are_checked);
    add_test("shared-ram-has-a-descriptor", test_shared_ram_has_a_descriptor);
    add_test("numa-options-go-together", test_numa_options_go_together);
    add_test("node-0-can-be-bound", test_node_0_can_be_bound);
    add_test("policies-are-in-force", test_policies_are_in_force);
    add_test("memfd-is-shared-and-sealed", test_memfd_is_shared_and_sealed);
    add_test("memfd-can-be-private-and-unsealed",
             test_memfd_can_be_private_and_unsealed);
    add_test("huge-page-size-is-checked", test_huge_page_size_is_checked);
    add_test("file-is-made-and-kept", test_file_is_made_and_kept);
    add_test("file-is-not-shortened", test_file_is_not_shortened);
    add_test("short-file-is-refused", test_short_file_is_refused);
    add_test("refused-file-is-not-left-behind",
             test_refused_file_is_not_left_behind);
    add_test("directory-gets-a-nameless-file",
             test_directory_gets_a_nameless_file);
    add_test("discard-data-frees-the-contents",
             test_discard_data_frees_the_contents);
    add_test("file-needs-a-usable-path", test_file_needs_a_usable_path);
    add_test("file-is-a-file", test_file_is_a_file);
    ret = g_test_run();
    g_rmdir(tmp_dir);
    g_free(tmp_dir);
    return ret;
}
