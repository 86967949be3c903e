/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernels of 32 bits: by multiboot, as an ELF image or with addresses in the header,
 * with modules; and by PVH. What is bad of them is refused.
 */
#include "qemu/osdep.h"

#include <elf.h>

#include "boot-test.h"

#define ADDR (2 * MiB)
#define CODE_SIZE 4096
#define MAGIC 0x1badb002U
#define ADDRESSES (1U << 16)

typedef struct MultibootHeader {
    uint32_t magic, flags, checksum;
    uint32_t header_addr, load_addr, load_end_addr, bss_end_addr, entry_addr;
} MultibootHeader;

/* An ELF image of 32 bits with a multiboot header, a PVH note, or both. */
typedef struct QEMU_PACKED Image {
    Elf32_Ehdr eh;
    Elf32_Phdr ph[2];
    MultibootHeader multiboot;
    Elf32_Nhdr note;
    char name[4];
    uint32_t entry;
    uint8_t code[CODE_SIZE];
} Image;

static Image *new_image(void)
{
    Image *image = g_new0(Image, 1);

    memcpy(image->eh.e_ident, ELFMAG, SELFMAG);
    image->eh.e_ident[EI_CLASS] = ELFCLASS32;
    image->eh.e_ident[EI_DATA] = ELFDATA2LSB;
    image->eh.e_machine = EM_386;
    image->eh.e_phoff = offsetof(Image, ph);
    image->eh.e_phentsize = sizeof(Elf32_Phdr);
    image->eh.e_phnum = 2;
    /* Linked for an address that it is not loaded to, as kernels are. */
    image->eh.e_entry = 0xc0000000 + 0x40;
    image->ph[0] = (Elf32_Phdr) {
        .p_type = PT_LOAD, .p_offset = offsetof(Image, code),
        .p_filesz = CODE_SIZE, .p_memsz = 2 * CODE_SIZE, .p_paddr = ADDR,
        .p_vaddr = 0xc0000000,
    };
    memset(image->code, 0x90, sizeof(image->code));
    return image;
}

static void set_multiboot(Image *image, uint32_t flags)
{
    image->multiboot.magic = MAGIC;
    image->multiboot.flags = flags;
    image->multiboot.checksum = -(MAGIC + flags);
}

static void set_pvh(Image *image)
{
    image->ph[1] = (Elf32_Phdr) {
        .p_type = PT_NOTE, .p_offset = offsetof(Image, note),
        .p_filesz = sizeof(Elf32_Nhdr) + 8,
    };
    image->note = (Elf32_Nhdr) { .n_namesz = 4, .n_descsz = 4, .n_type = 18 };
    memcpy(image->name, "Xen", 4);
    image->entry = ADDR + 0x80;
}

/* Writes @image, and what comes of it to *entry. */
static void load(Fixture *f, const Image *image, const char *initrd,
                 X86Entry *entry)
{
    g_autoptr(X86Boot) boot = NULL;

    write_file(f->kernel, image, sizeof(*image));
    boot = x86_boot_new(f->kernel, initrd, "quiet", &f->map, &error_abort);
    g_assert_true(x86_boot_load(boot, &f->as, RSDP, entry, &error_abort));
}

static uint32_t read32(Fixture *f, uint64_t addr)
{
    uint32_t value;

    read_guest(f, addr, &value, sizeof(value));
    return value;
}

/* g_free(). */
static char *read_text(Fixture *f, uint64_t addr)
{
    char *text = g_malloc0(1024);

    read_guest(f, addr, text, 1023);
    return text;
}

/* --- multiboot --- */

static void test_elf_loads(Fixture *f, gconstpointer data)
{
    g_autofree Image *image = new_image();
    g_autofree char *cmdline = NULL, *expected = NULL;
    uint8_t code[2 * CODE_SIZE];
    X86Entry entry;

    set_multiboot(image, 3);
    address_space_set(&f->as, ADDR, 0xee, sizeof(code), MEMTXATTRS_UNSPECIFIED);
    load(f, image, NULL, &entry);
    g_assert_false(entry.long_mode);
    g_assert_cmphex(entry.rax, ==, 0x2badb002);
    g_assert_cmphex(entry.rip, ==, ADDR + 0x40);
    read_guest(f, ADDR, code, sizeof(code));
    g_assert_cmphex(code[CODE_SIZE - 1], ==, 0x90);
    g_assert_cmphex(code[CODE_SIZE], ==, 0);
    cmdline = read_text(f, read32(f, entry.rbx + 16));
    expected = g_strdup_printf("%s quiet", f->kernel);
    g_assert_cmpstr(cmdline, ==, expected);
}

static void test_memory_is_told(Fixture *f, gconstpointer data)
{
    g_autofree Image *image = new_image();
    uint64_t ram = 0, at, end;
    X86Entry entry;

    set_multiboot(image, 2);
    load(f, image, NULL, &entry);
    g_assert_cmphex(read32(f, entry.rbx) & 0x49, ==, 0x49);
    g_assert_cmpuint(read32(f, entry.rbx + 4), ==, 639);
    g_assert_cmpuint(read32(f, entry.rbx + 8), ==, RAM_SIZE / KiB - 1024);
    at = read32(f, entry.rbx + 48);
    end = at + read32(f, entry.rbx + 44);
    for (; at < end; at += read32(f, at) + 4) {
        g_assert_cmpuint(read32(f, at), ==, 20);
        ram += read32(f, at + 20) == 1 ? read32(f, at + 12) : 0;
    }
    g_assert_cmpuint(at, ==, end);
    g_assert_cmpuint(ram, ==, RAM_SIZE - MiB + 0x9fc00);
}

static void test_header_with_addresses_loads(Fixture *f, gconstpointer data)
{
    g_autofree Image *image = new_image();
    X86Entry entry;
    uint8_t code;

    set_multiboot(image, ADDRESSES);
    image->multiboot.header_addr = ADDR + offsetof(Image, multiboot);
    image->multiboot.load_addr = ADDR;
    image->multiboot.bss_end_addr = ADDR + 64 * KiB;
    image->multiboot.entry_addr = ADDR + offsetof(Image, code);
    memset(image->eh.e_ident, 0, 4);
    address_space_set(&f->as, ADDR, 0xee, 65 * KiB, MEMTXATTRS_UNSPECIFIED);
    load(f, image, NULL, &entry);
    g_assert_cmphex(entry.rip, ==, ADDR + offsetof(Image, code));
    g_assert_cmphex(read32(f, ADDR + offsetof(Image, multiboot)), ==, MAGIC);
    read_guest(f, ADDR + 64 * KiB - 1, &code, 1);
    g_assert_cmphex(code, ==, 0);
    read_guest(f, ADDR + 64 * KiB, &code, 1);
    g_assert_cmphex(code, ==, 0xee);
}

/* Kernels that go on to 64 bits by themselves are made so. */
static void test_addresses_go_before_elf_of_64_bits(Fixture *f, gconstpointer data)
{
    g_autofree Image *image = new_image();
    X86Entry entry;

    image->eh.e_ident[EI_CLASS] = ELFCLASS64;
    image->eh.e_machine = EM_X86_64;
    set_multiboot(image, ADDRESSES);
    image->multiboot.header_addr = ADDR + offsetof(Image, multiboot);
    image->multiboot.load_addr = ADDR;
    image->multiboot.entry_addr = ADDR + offsetof(Image, code);
    load(f, image, NULL, &entry);
    g_assert_false(entry.long_mode);
    g_assert_cmphex(entry.rax, ==, 0x2badb002);
    g_assert_cmphex(entry.rip, ==, ADDR + offsetof(Image, code));
    g_assert_cmphex(read32(f, entry.rip), ==, 0x90909090);
}

static void test_modules_are_loaded(Fixture *f, gconstpointer data)
{
    g_autofree Image *image = new_image();
    g_autofree char *list = g_strdup_printf("%s one,,1,%s", f->initrd, f->initrd);
    g_autofree char *first = g_strdup_printf("%s one,1", f->initrd);
    g_autofree char *text = NULL, *second = NULL;
    X86Entry entry;
    uint32_t modules;

    set_multiboot(image, 1);
    write_file(f->initrd, "abcd", 4);
    load(f, image, list, &entry);
    g_assert_cmpuint(read32(f, entry.rbx + 20), ==, 2);
    modules = read32(f, entry.rbx + 24);
    for (unsigned i = 0; i < 2; i++) {
        uint32_t start = read32(f, modules + 16 * i);

        g_assert_cmphex(start, ==, ADDR + (2 + i) * 4096);
        g_assert_cmphex(read32(f, modules + 16 * i + 4), ==, start + 4);
        g_assert_cmphex(read32(f, start), ==, 0x64636261);
    }
    text = read_text(f, read32(f, modules + 8));
    second = read_text(f, read32(f, modules + 24));
    g_assert_cmpstr(text, ==, first);
    g_assert_cmpstr(second, ==, f->initrd);
}

static void write_and_check(Fixture *f, const Image *image, const char *initrd,
                            const char *part)
{
    write_file(f->kernel, image, sizeof(*image));
    check_refused(f, initrd, "", part);
}

static void test_bad_headers_are_refused(Fixture *f, gconstpointer data)
{
    g_autofree Image *image = new_image();
    Image good;

    set_multiboot(image, 8);
    write_and_check(f, image, NULL, "demands what is not known: flags 0x8");
    set_multiboot(image, 3);
    good = *image;
    image->eh.e_ident[0] = 0;
    write_and_check(f, image, NULL, "says that it is an ELF image");
    *image = good;
    image->eh.e_entry = 0x1234;
    write_and_check(f, image, NULL, "its entry point, 0x1234, is outside of it");
    *image = good;
    image->ph[0].p_paddr = 0x1000;
    write_and_check(f, image, NULL, "but RAM for it is from 0x100000");
    *image = good;
    image->ph[0].p_filesz = UINT32_MAX;
    image->ph[0].p_memsz = UINT32_MAX;
    write_and_check(f, image, NULL, "is cut short");
    *image = good;
    image->eh.e_phentsize = sizeof(Elf64_Phdr);
    write_and_check(f, image, NULL, "1 to 64 of 32 bytes are supported");
    *image = good;
    image->eh.e_machine = EM_X86_64;
    write_and_check(f, image, NULL, "neither for x86-64 nor for i386");
    *image = good;
    image->multiboot.checksum++;          /* and it is none any more */
    write_and_check(f, image, NULL, "has no PVH entry point");
}

static void test_bad_addresses_are_refused(Fixture *f, gconstpointer data)
{
    g_autofree Image *image = new_image();
    const uint32_t at = offsetof(Image, multiboot);
    const MultibootHeader good = {
        MAGIC, ADDRESSES, -(MAGIC + ADDRESSES), ADDR + at, ADDR, 0, 0, ADDR + at,
    };

    image->multiboot = good;
    image->multiboot.load_addr = ADDR + 4096;
    write_and_check(f, image, NULL, "should be loaded to");
    image->multiboot = good;
    image->multiboot.load_addr = 0;
    write_and_check(f, image, NULL, "should be loaded to");
    image->multiboot = good;
    image->multiboot.load_end_addr = ADDR - 1;
    write_and_check(f, image, NULL, "should be loaded to");
    image->multiboot = good;
    image->multiboot.load_end_addr = ADDR + MiB;
    write_and_check(f, image, NULL, "is cut short");
    image->multiboot = good;
    image->multiboot.bss_end_addr = UINT32_MAX;
    write_and_check(f, image, NULL, "but RAM for it is from");
    image->multiboot = good;
    image->multiboot.entry_addr = 0;
    write_and_check(f, image, NULL, "is outside of it");
}

static void test_bad_modules_are_refused(Fixture *f, gconstpointer data)
{
    g_autofree Image *image = new_image();
    g_autofree char *missing = g_strdup_printf("%s,/nowhere/x", f->initrd);
    g_autofree char *empty = g_strdup_printf("%s,", f->initrd);
    g_autofree char *blanks = g_strnfill(64 * KiB, ' ');
    g_autofree char *lengthy = g_strdup_printf("%s%s", f->initrd, blanks);
    g_autofree char *big = g_malloc0(40 * MiB);
    g_autofree char *both = g_strdup_printf("%s,%s", f->initrd, f->initrd);
    g_autoptr(GString) many = g_string_new(f->initrd);

    for (unsigned i = 0; i < 64; i++) {
        g_string_append_printf(many, ",%s", f->initrd);
    }
    set_multiboot(image, 1);
    write_file(f->initrd, "abcd", 4);
    write_and_check(f, image, missing, "-initrd /nowhere/x cannot be opened");
    write_and_check(f, image, empty, "cannot be opened");
    write_and_check(f, image, lengthy, "of names and arguments");
    write_and_check(f, image, many->str, "more than 64 modules");
    write_file(f->initrd, big, 40 * MiB);
    write_and_check(f, image, both, "is 41943040 bytes, but from");
}

/* --- PVH --- */

static void test_pvh_of_32_bits_loads(Fixture *f, gconstpointer data)
{
    g_autofree Image *image = new_image();
    X86Entry entry;

    set_pvh(image);
    write_file(f->initrd, "abcd", 4);
    load(f, image, f->initrd, &entry);
    g_assert_false(entry.long_mode);
    g_assert_cmphex(entry.rip, ==, ADDR + 0x80);
    g_assert_cmphex(read32(f, entry.rbx), ==, 0x336ec578);
    g_assert_cmpuint(read32(f, entry.rbx + 12), ==, 1);
    g_assert_cmphex(read32(f, read32(f, read32(f, entry.rbx + 16))), ==,
                    0x64636261);
    g_assert_cmphex(read32(f, entry.rbx + 32), ==, RSDP);
}

static void test_multiboot_comes_first(Fixture *f, gconstpointer data)
{
    g_autofree Image *image = new_image();
    X86Entry entry;

    set_pvh(image);
    set_multiboot(image, 3);
    load(f, image, NULL, &entry);
    g_assert_cmphex(entry.rip, ==, ADDR + 0x40);
}

/* GRUB's image for Xen, which is one of these. */
static void test_grub_loads(Fixture *f, gconstpointer data)
{
    const char *argv[] = { "grub-mkimage", "-O", "i386-xen_pvh", "-p", "/", "-o",
                           f->kernel, "normal", NULL };
    g_autoptr(X86Boot) boot = NULL;
    X86Entry entry;
    int status;

    if (!g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH |
                      G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL,
                      NULL, NULL, NULL, NULL, &status, NULL) || status) {
        g_test_skip("needs the packages grub-common and grub-xen-bin");
        return;
    }
    boot = x86_boot_new(f->kernel, NULL, "", &f->map, &error_abort);
    g_assert_true(x86_boot_load(boot, &f->as, RSDP, &entry, &error_abort));
    g_assert_cmphex(entry.rip, ==, MiB);
    g_assert_cmphex(read32(f, entry.rbx), ==, 0x336ec578);
}

/* --- whatever headers say: refused, or loaded into RAM --- */

static void test_random_headers_are_harmless(Fixture *f, gconstpointer data)
{
    unsigned loaded = 0;

    write_file(f->initrd, "abcd", 4);
    for (unsigned i = 0; i < 300; i++) {
        g_autofree Image *image = new_image();
        g_autoptr(X86Boot) boot = NULL;
        X86Entry entry;

        set_pvh(image);
        if (i % 3) {
            set_multiboot(image, i % 3 == 1 ? 3 : ADDRESSES);
            image->multiboot.header_addr = ADDR + offsetof(Image, multiboot);
            image->multiboot.load_addr = ADDR;
            image->multiboot.entry_addr = ADDR;
        }
        for (int n = g_test_rand_int_range(1, 4); n > 0; n--) {
            ((uint8_t *)image)[g_test_rand_int_range(
                SELFMAG, offsetof(Image, code))] = g_test_rand_int();
        }
        write_file(f->kernel, image, sizeof(*image));
        boot = x86_boot_new(f->kernel, f->initrd, "x", &f->map, NULL);
        if (boot) {
            g_assert_true(x86_boot_load(boot, &f->as, RSDP, &entry, NULL));
            g_assert_cmphex(entry.rip, <, RAM_SIZE);
            loaded++;
        }
    }
    g_assert_cmpuint(loaded, >, 0);
}

#define ADD(path, fn) g_test_add("/boot/" path, Fixture, NULL, set_up, fn, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("multiboot/elf-loads", test_elf_loads);
    ADD("multiboot/memory-is-told", test_memory_is_told);
    ADD("multiboot/header-with-addresses-loads", test_header_with_addresses_loads);
    ADD("multiboot/addresses-go-before-elf-of-64-bits",
        test_addresses_go_before_elf_of_64_bits);
    ADD("multiboot/modules-are-loaded", test_modules_are_loaded);
    ADD("multiboot/bad-headers-are-refused", test_bad_headers_are_refused);
    ADD("multiboot/bad-addresses-are-refused", test_bad_addresses_are_refused);
    ADD("multiboot/bad-modules-are-refused", test_bad_modules_are_refused);
    ADD("pvh/of-32-bits-loads", test_pvh_of_32_bits_loads);
    ADD("pvh/grub-loads", test_grub_loads);
    ADD("multiboot/comes-first", test_multiboot_comes_first);
    ADD("multiboot/random-headers-are-harmless", test_random_headers_are_harmless);
    return g_test_run();
}
