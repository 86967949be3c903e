/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loading kernels: what a good bzImage and a good PVH image become in guest
 * memory, and that bad files, headers and sizes are refused with a message
 * that names the file or the numbers, never followed.
 */
#include "qemu/osdep.h"

#include <elf.h>

#include "boot-test.h"

#define KERNEL_SIZE (20 * KiB)
#define SETUP_SIZE (5 * 512)
#define INIT_SIZE (4 * MiB)

/* --- bzImage --- */

typedef struct QEMU_PACKED BzImage {
    uint8_t before[0x1f1];
    struct setup_header header;
    uint8_t rest[SETUP_SIZE - 0x1f1 - sizeof(struct setup_header)];
    uint8_t code[KERNEL_SIZE];
} BzImage;

static BzImage *new_bzimage(void)
{
    BzImage *image = g_new0(BzImage, 1);

    image->header = (struct setup_header) {
        .setup_sects = SETUP_SIZE / 512 - 1,
        .boot_flag = 0xaa55,
        .jump = 0x6aeb,
        .header = 0x53726448,
        .version = 0x020f,
        .loadflags = LOADED_HIGH,
        .initrd_addr_max = 0x7fffffff,
        .kernel_alignment = 2 * MiB,
        .relocatable_kernel = 1,
        .xloadflags = XLF_KERNEL_64,
        .cmdline_size = 2047,
        .setup_data = 0x1234,
        .pref_address = 16 * MiB,
        .init_size = INIT_SIZE,
    };
    for (unsigned i = 0; i < KERNEL_SIZE; i++) {
        image->code[i] = i * 7;
    }
    return image;
}

static void test_bzimage_loads(Fixture *f, gconstpointer data)
{
    g_autofree BzImage *image = new_bzimage();
    g_autofree uint8_t *code = g_malloc(KERNEL_SIZE);
    g_autoptr(X86Boot) boot = NULL;
    struct boot_params params;
    char cmdline[16];
    X86Entry entry;

    write_file(f->kernel, image, sizeof(*image));
    boot = x86_boot_new(f->kernel, NULL, "console=ttyS0", &f->map,
                        &error_abort);
    g_assert_true(x86_boot_load(boot, &f->as, RSDP, &entry, &error_abort));

    g_assert_true(entry.long_mode);
    g_assert_cmphex(entry.rip, ==, 16 * MiB + 0x200);
    read_guest(f, 16 * MiB, code, KERNEL_SIZE);
    g_assert_cmpmem(code, KERNEL_SIZE, image->code, KERNEL_SIZE);
    read_guest(f, entry.rsi, &params, sizeof(params));
    g_assert_cmphex(params.hdr.header, ==, 0x53726448);
    g_assert_cmphex(params.hdr.type_of_loader, ==, 0xff);
    g_assert_cmphex(params.hdr.setup_data, ==, 0);
    g_assert_cmphex(params.acpi_rsdp_addr, ==, RSDP);
    g_assert_cmpuint(params.e820_entries, >, 2);
    read_guest(f, params.hdr.cmd_line_ptr, cmdline, sizeof(cmdline));
    g_assert_cmpstr(cmdline, ==, "console=ttyS0");
}

static void test_long_mode_tables_map_4g(Fixture *f, gconstpointer data)
{
    g_autofree BzImage *image = new_bzimage();
    g_autoptr(X86Boot) boot = NULL;
    uint64_t pml4e, pdpte, pde;
    X86Entry entry;

    write_file(f->kernel, image, sizeof(*image));
    boot = x86_boot_new(f->kernel, NULL, NULL, &f->map, &error_abort);
    x86_boot_load(boot, &f->as, RSDP, &entry, &error_abort);

    /* The last 2 MiB below 4 GiB. */
    read_guest(f, entry.cr3, &pml4e, 8);
    read_guest(f, (pml4e & ~0xfffULL) + 3 * 8, &pdpte, 8);
    read_guest(f, (pdpte & ~0xfffULL) + 511 * 8, &pde, 8);
    g_assert_cmphex(pml4e & 3, ==, 3);
    g_assert_cmphex(pdpte & 3, ==, 3);
    g_assert_cmphex(pde, ==, (4 * GiB - 2 * MiB) | 0x83);
}

static void test_initrd_is_at_the_top(Fixture *f, gconstpointer data)
{
    g_autofree BzImage *image = new_bzimage();
    g_autoptr(X86Boot) boot = NULL;
    struct boot_params params;
    X86Entry entry;
    char back[7];

    write_file(f->kernel, image, sizeof(*image));
    write_file(f->initrd, "initrd", 7);
    boot = x86_boot_new(f->kernel, f->initrd, "", &f->map, &error_abort);
    x86_boot_load(boot, &f->as, RSDP, &entry, &error_abort);

    read_guest(f, entry.rsi, &params, sizeof(params));
    g_assert_cmphex(params.hdr.ramdisk_image, ==, RAM_SIZE - 4096);
    g_assert_cmpuint(params.hdr.ramdisk_size, ==, 7);
    read_guest(f, params.hdr.ramdisk_image, back, sizeof(back));
    g_assert_cmpstr(back, ==, "initrd");
}

static void test_initrd_obeys_the_kernels_limit(Fixture *f, gconstpointer data)
{
    g_autofree BzImage *image = new_bzimage();
    g_autoptr(X86Boot) boot = NULL;
    struct boot_params params;
    X86Entry entry;

    image->header.initrd_addr_max = 32 * MiB - 1;
    write_file(f->kernel, image, sizeof(*image));
    write_file(f->initrd, "initrd", 7);
    boot = x86_boot_new(f->kernel, f->initrd, "", &f->map, &error_abort);
    x86_boot_load(boot, &f->as, RSDP, &entry, &error_abort);

    read_guest(f, entry.rsi, &params, sizeof(params));
    g_assert_cmphex(params.hdr.ramdisk_image, ==, 32 * MiB - 4096);
}

static void test_short_header_ends_where_it_says(Fixture *f,
                                                 gconstpointer data)
{
    g_autofree BzImage *image = new_bzimage();
    g_autoptr(X86Boot) boot = NULL;
    struct boot_params params;
    X86Entry entry;

    image->header.jump = 0x66eb;          /* ends before kernel_info_offset */
    image->header.kernel_info_offset = 0xdeadbeef;
    write_file(f->kernel, image, sizeof(*image));
    boot = x86_boot_new(f->kernel, NULL, "", &f->map, &error_abort);
    x86_boot_load(boot, &f->as, RSDP, &entry, &error_abort);

    read_guest(f, entry.rsi, &params, sizeof(params));
    g_assert_cmphex(params.hdr.kernel_info_offset, ==, 0);
}

static void test_bad_files_are_refused(Fixture *f, gconstpointer data)
{
    static const uint8_t zeros[4096];

    check_refused(f, NULL, "", "cannot be opened: No such file");
    write_file(f->kernel, "", 0);
    check_refused(f, NULL, "", "is empty");
    write_file(f->kernel, zeros, sizeof(zeros));
    check_refused(f, NULL, "", "neither a Linux bzImage nor an ELF image");
    write_file(f->kernel, "MZ", 2);
    check_refused(f, NULL, "", "neither a Linux bzImage nor an ELF image");
    g_unlink(f->kernel);
    g_assert_cmpint(g_mkdir(f->kernel, 0700), ==, 0);
    check_refused(f, NULL, "", "is not a regular file");
    g_rmdir(f->kernel);
}

static void test_bad_headers_are_refused(Fixture *f, gconstpointer data)
{
    g_autofree BzImage *image = new_bzimage();
    struct setup_header good = image->header;

    write_file(f->kernel, image, SETUP_SIZE + 0x200);
    check_refused(f, NULL, "", "is cut short: 3072 bytes");

    image->header.version = 0x020b;
    write_file(f->kernel, image, sizeof(*image));
    check_refused(f, NULL, "", "has boot protocol 2.11");

    image->header = good;
    image->header.xloadflags = 0;
    write_file(f->kernel, image, sizeof(*image));
    check_refused(f, NULL, "", "is a 32-bit kernel");

    image->header = good;
    image->header.loadflags = 0;
    write_file(f->kernel, image, sizeof(*image));
    check_refused(f, NULL, "", "is a zImage");

    image->header = good;
    image->header.kernel_alignment = 3;
    write_file(f->kernel, image, sizeof(*image));
    check_refused(f, NULL, "", "not a power of two");
}

static void test_what_does_not_fit_is_refused(Fixture *f, gconstpointer data)
{
    g_autofree BzImage *image = new_bzimage();
    g_autofree char *cmdline = g_strnfill(2048, 'x');
    g_autofree char *initrd = g_malloc0(50 * MiB);

    write_file(f->kernel, image, sizeof(*image));
    check_refused(f, NULL, cmdline, "2048 characters, the kernel takes at most"
                  " 2047");
    check_refused(f, "/nonexistent", "", "-initrd /nonexistent cannot be");
    write_file(f->initrd, initrd, 50 * MiB);
    check_refused(f, f->initrd, "", "is 52428800 bytes");

    image->header.init_size = 49 * MiB;
    write_file(f->kernel, image, sizeof(*image));
    check_refused(f, NULL, "", "needs 51380224 bytes from address 0x1000000");
    image->header.init_size = INIT_SIZE;
    image->header.pref_address = UINT64_MAX - 4096;
    write_file(f->kernel, image, sizeof(*image));
    check_refused(f, NULL, "", "RAM below 4 GiB ends at 0x4000000");
}

static void test_a_file_that_shrinks_fails_the_load(Fixture *f,
                                                    gconstpointer data)
{
    g_autofree BzImage *image = new_bzimage();
    g_autoptr(X86Boot) boot = NULL;
    Error *err = NULL;
    X86Entry entry;
    FILE *file;

    write_file(f->kernel, image, sizeof(*image));
    boot = x86_boot_new(f->kernel, NULL, "", &f->map, &error_abort);
    file = fopen(f->kernel, "r+");
    g_assert_cmpint(ftruncate(fileno(file), SETUP_SIZE + 100), ==, 0);
    fclose(file);

    g_assert_false(x86_boot_load(boot, &f->as, RSDP, &entry, &err));
    error_free_or_abort(&err);
}

/* Whatever a header says: refused, or loaded into RAM. */
static void test_random_headers_are_harmless(Fixture *f, gconstpointer data)
{
    g_autofree BzImage *image = new_bzimage();
    const BzImage good = *image;
    unsigned loaded = 0;

    for (unsigned i = 0; i < 300; i++) {
        uint8_t *header = (uint8_t *)&image->header;
        g_autoptr(X86Boot) boot = NULL;
        X86Entry entry;

        *image = good;
        for (int n = g_test_rand_int_range(1, 4); n > 0; n--) {
            header[g_test_rand_int_range(0, sizeof(image->header))] =
                g_test_rand_int();
        }
        write_file(f->kernel, image, sizeof(*image));
        boot = x86_boot_new(f->kernel, NULL, "x", &f->map, NULL);
        if (boot) {
            g_assert_true(x86_boot_load(boot, &f->as, RSDP, &entry, NULL));
            g_assert_cmphex(entry.rip, <, RAM_SIZE);
            loaded++;
        }
    }
    g_assert_cmpuint(loaded, >, 0);
}

/* --- PVH --- */

#define PVH_ADDR (16 * MiB)

typedef struct QEMU_PACKED PvhImage {
    Elf64_Ehdr eh;
    Elf64_Phdr ph[2];
    Elf64_Nhdr note;
    char name[4];
    uint32_t entry;
    uint8_t code[4096];
} PvhImage;

static PvhImage *new_pvh_image(void)
{
    PvhImage *image = g_new0(PvhImage, 1);

    memcpy(image->eh.e_ident, ELFMAG, SELFMAG);
    image->eh.e_ident[EI_CLASS] = ELFCLASS64;
    image->eh.e_ident[EI_DATA] = ELFDATA2LSB;
    image->eh.e_machine = EM_X86_64;
    image->eh.e_phoff = offsetof(PvhImage, ph);
    image->eh.e_phentsize = sizeof(Elf64_Phdr);
    image->eh.e_phnum = 2;
    image->ph[0] = (Elf64_Phdr) {
        .p_type = PT_LOAD, .p_offset = offsetof(PvhImage, code),
        .p_filesz = 4096, .p_memsz = 8192, .p_paddr = PVH_ADDR,
    };
    image->ph[1] = (Elf64_Phdr) {
        .p_type = PT_NOTE, .p_offset = offsetof(PvhImage, note),
        .p_filesz = sizeof(Elf64_Nhdr) + 8,
    };
    image->note = (Elf64_Nhdr) { .n_namesz = 4, .n_descsz = 4, .n_type = 18 };
    memcpy(image->name, "Xen", 4);
    image->entry = PVH_ADDR + 64;
    memset(image->code, 0x90, sizeof(image->code));
    return image;
}

static void test_pvh_loads(Fixture *f, gconstpointer data)
{
    g_autofree PvhImage *image = new_pvh_image();
    g_autoptr(X86Boot) boot = NULL;
    uint32_t start[14];
    uint8_t code[8192];
    X86Entry entry;

    write_file(f->kernel, image, sizeof(*image));
    boot = x86_boot_new(f->kernel, NULL, "quiet", &f->map, &error_abort);
    address_space_set(&f->as, PVH_ADDR, 0xee, 8192, MEMTXATTRS_UNSPECIFIED);
    g_assert_true(x86_boot_load(boot, &f->as, RSDP, &entry, &error_abort));

    g_assert_false(entry.long_mode);
    g_assert_cmphex(entry.rip, ==, PVH_ADDR + 64);
    read_guest(f, PVH_ADDR, code, sizeof(code));
    g_assert_cmphex(code[4095], ==, 0x90);
    g_assert_cmphex(code[4096], ==, 0);   /* beyond the file's part */
    read_guest(f, entry.rbx, start, sizeof(start));
    g_assert_cmphex(start[0], ==, 0x336ec578);
    g_assert_cmpuint(start[3], ==, 0);    /* modules */
    g_assert_cmphex(start[8], ==, RSDP);
    g_assert_cmpuint(start[12], >, 2);    /* memory map entries */
}

static void test_bad_elf_is_refused(Fixture *f, gconstpointer data)
{
    g_autofree PvhImage *image = new_pvh_image();
    const PvhImage good = *image;

    image->note.n_type = 19;
    write_file(f->kernel, image, sizeof(*image));
    check_refused(f, NULL, "", "has no PVH entry point");

    *image = good;
    image->note.n_namesz = UINT32_MAX;
    write_file(f->kernel, image, sizeof(*image));
    check_refused(f, NULL, "", "has no PVH entry point");

    *image = good;
    image->entry = 0;
    write_file(f->kernel, image, sizeof(*image));
    check_refused(f, NULL, "", "is outside of it");

    *image = good;
    image->ph[0].p_filesz = 1 << 20;
    image->ph[0].p_memsz = 1 << 20;
    write_file(f->kernel, image, sizeof(*image));
    check_refused(f, NULL, "", "is cut short");

    *image = good;
    image->ph[0].p_memsz = UINT64_MAX - 4096;
    write_file(f->kernel, image, sizeof(*image));
    check_refused(f, NULL, "", "but RAM for it is from 0x100000 to 0x4000000");

    *image = good;
    image->ph[0].p_paddr = 0x1000;
    write_file(f->kernel, image, sizeof(*image));
    check_refused(f, NULL, "", "but RAM for it is from");

    *image = good;
    image->eh.e_phnum = UINT16_MAX;
    write_file(f->kernel, image, sizeof(*image));
    check_refused(f, NULL, "", "has 65535 ELF segments");

    *image = good;
    image->eh.e_machine = EM_386;
    write_file(f->kernel, image, sizeof(*image));
    check_refused(f, NULL, "", "neither for x86-64 nor for i386");

    *image = good;
    image->eh.e_phoff = UINT64_MAX;
    write_file(f->kernel, image, sizeof(*image));
    check_refused(f, NULL, "", "has no byte");
}

static void test_random_elf_is_harmless(Fixture *f, gconstpointer data)
{
    g_autofree PvhImage *image = new_pvh_image();
    const PvhImage good = *image;
    unsigned loaded = 0;

    for (unsigned i = 0; i < 300; i++) {
        g_autoptr(X86Boot) boot = NULL;
        X86Entry entry;

        *image = good;
        for (int n = g_test_rand_int_range(1, 4); n > 0; n--) {
            ((uint8_t *)image)[g_test_rand_int_range(
                SELFMAG, offsetof(PvhImage, code))] = g_test_rand_int();
        }
        write_file(f->kernel, image, sizeof(*image));
        boot = x86_boot_new(f->kernel, NULL, "x", &f->map, NULL);
        if (boot) {
            g_assert_true(x86_boot_load(boot, &f->as, RSDP, &entry, NULL));
            g_assert_cmphex(entry.rip, <, RAM_SIZE);
            loaded++;
        }
    }
    g_assert_cmpuint(loaded, >, 0);
}

#define ADD(path, fn) g_test_add(path, Fixture, NULL, set_up, fn, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("/boot/bzimage/loads", test_bzimage_loads);
    ADD("/boot/bzimage/long-mode-tables-map-4g", test_long_mode_tables_map_4g);
    ADD("/boot/bzimage/initrd-is-at-the-top", test_initrd_is_at_the_top);
    ADD("/boot/bzimage/initrd-obeys-the-kernels-limit",
        test_initrd_obeys_the_kernels_limit);
    ADD("/boot/bzimage/short-header-ends-where-it-says",
        test_short_header_ends_where_it_says);
    ADD("/boot/bad-files-are-refused", test_bad_files_are_refused);
    ADD("/boot/bzimage/bad-headers-are-refused", test_bad_headers_are_refused);
    ADD("/boot/bzimage/what-does-not-fit-is-refused",
        test_what_does_not_fit_is_refused);
    ADD("/boot/a-file-that-shrinks-fails-the-load",
        test_a_file_that_shrinks_fails_the_load);
    ADD("/boot/bzimage/random-headers-are-harmless",
        test_random_headers_are_harmless);
    ADD("/boot/pvh/loads", test_pvh_loads);
    ADD("/boot/pvh/bad-elf-is-refused", test_bad_elf_is_refused);
    ADD("/boot/pvh/random-elf-is-harmless", test_random_elf_is_harmless);
    return g_test_run();
}
