/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What tests of kernels share: files for a kernel and an initrd, and a guest's RAM
 * for them. For test-boot*.c. */
#ifndef TESTS_UNIT_BOOT_TEST_H
#define TESTS_UNIT_BOOT_TEST_H

#include <asm/bootparam.h>
#include <glib/gstdio.h>

#include "exec/address-spaces.h"
#include "hw/i386/boot.h"
#include "qapi/error.h"
#include "qemu/units.h"

#define RAM_SIZE (64 * MiB)
#define RSDP 0xe1234

typedef struct Fixture {
    char *dir;
    char *kernel;
    char *initrd;
    X86MemoryMap map;
    MemoryRegion root;
    MemoryRegion ram;
    AddressSpace as;
} Fixture;

static inline void set_up(Fixture *f, gconstpointer data)
{
    f->dir = g_dir_make_tmp("test-boot-XXXXXX", NULL);
    f->kernel = g_build_filename(f->dir, "kernel", NULL);
    f->initrd = g_build_filename(f->dir, "initrd", NULL);
    x86_memory_map_init(&f->map, RAM_SIZE, RAM_SIZE, 0, 40, &error_abort);
    memory_region_init(&f->root, NULL, "root", UINT64_MAX);
    memory_region_init_ram(&f->ram, NULL, "ram", RAM_SIZE, &error_abort);
    memory_region_add_subregion(&f->root, 0, &f->ram);
    address_space_init(&f->as, &f->root, "test");
}

static inline void tear_down(Fixture *f, gconstpointer data)
{
    address_space_destroy(&f->as);
    memory_region_del_subregion(&f->root, &f->ram);
    object_unref(&f->ram);
    object_unref(&f->root);
    g_unlink(f->kernel);
    g_unlink(f->initrd);
    g_rmdir(f->dir);
    g_free(f->kernel);
    g_free(f->initrd);
    g_free(f->dir);
}

static inline void write_file(const char *path, const void *data, size_t size)
{
    GError *err = NULL;

    g_file_set_contents(path, data, size, &err);
    g_assert_no_error(err);
}

static inline void read_guest(Fixture *f, uint64_t addr, void *buf, size_t size)
{
    g_assert_cmpint(address_space_read(&f->as, addr, MEMTXATTRS_UNSPECIFIED,
                                       buf, size), ==, MEMTX_OK);
}

/* The message must contain @expected. */
static inline void check_refused(Fixture *f, const char *initrd, const char *cmdline,
                          const char *expected)
{
    Error *err = NULL;
    X86Boot *boot = x86_boot_new(f->kernel, initrd, cmdline, &f->map, &err);

    g_assert_null(boot);
    g_assert_nonnull(err);
    if (!strstr(error_get_pretty(err), expected)) {
        g_error("'%s' is not in '%s'", expected, error_get_pretty(err));
    }
    error_free(err);
}

#endif
