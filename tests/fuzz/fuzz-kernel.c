/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A kernel image, and an initrd of some size: checked, laid out, and copied into a
 * guest's RAM, also when the file has become shorter since. The first bytes say
 * which.
 */
#include "qemu/osdep.h"

#include <sys/mman.h>

#include "exec/address-spaces.h"
#include "fuzz.h"
#include "hw/i386/boot.h"
#include "hw/i386/memory-map.h"
#include "qemu/units.h"

#define RAM_SIZE (16 * MiB)
#define RSDP 0xe0000

static X86MemoryMap map;
static MemoryRegion root, ram;
static AddressSpace as;
static int kernel_fd, initrd_fd;

static void set_up(void)
{
    memory_map_init();
    x86_memory_map_init(&map, RAM_SIZE, RAM_SIZE, 0, 40, &error_abort);
    memory_region_init(&root, NULL, "root", UINT64_MAX);
    memory_region_init_ram(&ram, NULL, "ram", RAM_SIZE, &error_abort);
    memory_region_add_subregion(&root, 0, &ram);
    address_space_init(&as, &root, "guest");
    kernel_fd = memfd_create("kernel", MFD_CLOEXEC);
    initrd_fd = memfd_create("initrd", MFD_CLOEXEC);
}

static void set_file(int fd, const void *data, size_t size, off_t total)
{
    g_assert_cmpint(ftruncate(fd, 0), ==, 0);
    g_assert_cmpint(pwrite(fd, data, size, 0), ==, size);
    g_assert_cmpint(ftruncate(fd, total), ==, 0);
}

int fuzz_one(const uint8_t *data, size_t size)
{
    FuzzInput in = { data, data + size };
    uint8_t how = fuzz_u8(&in);
    off_t initrd_size = (off_t)fuzz_u16(&in) << (how & 1 ? 12 : 4);
    size_t n = in.end - in.at;
    g_autofree char *kernel = NULL, *initrd = NULL;
    g_autoptr(X86Boot) boot = NULL;
    Error *err = NULL;
    X86Entry entry;

    if (!kernel_fd) {
        set_up();
    }
    kernel = g_strdup_printf("/proc/self/fd/%d", kernel_fd);
    /* For a multiboot kernel, two. */
    initrd = how & 32 ? g_strdup_printf("/proc/self/fd/%d a,/proc/self/fd/%d",
                                        initrd_fd, initrd_fd)
                      : g_strdup_printf("/proc/self/fd/%d", initrd_fd);
    set_file(kernel_fd, in.at, n, how & 2 ? n + 70000 : n);
    set_file(initrd_fd, NULL, 0, initrd_size);
    boot = x86_boot_new(kernel, how & 4 ? initrd : NULL,
                        how & 8 ? "console=ttyS0" : NULL, &map, &err);
    g_assert_true(boot ? !err : err != NULL);
    if (boot) {
        if (how & 16) {
            set_file(kernel_fd, in.at, n / 2, n / 2);
        }
        x86_boot_load(boot, &as, RSDP, &entry, &err);
    }
    error_free(err);
    return 0;
}
