/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Linux bzImages, by the 64-bit boot protocol (Linux, Documentation/arch/x86/
 * boot.rst): the file is a boot sector with a header at 0x1f1, real-mode code
 * that is not used here, and the kernel proper. It is entered 0x200 bytes in,
 * in long mode with memory identity-mapped, RSI pointing to boot_params.
 *
 * Used by boot.c. The header is whatever somebody put into a file: it
 * must never be used before boot_linux_plan() has checked it.
 */
#include "qemu/osdep.h"

#include "boot-linux.h"
#include "qapi/error.h"
#include "qemu/units.h"

#define HEADER_OFFSET offsetof(struct boot_params, hdr)
/* The header begins with a jump over itself; its length counts from here. */
#define HEADER_JUMP_END 0x202
#define HEADER_MAGIC 0x53726448           /* "HdrS" */
#define BOOT_FLAG 0xaa55
#define SECTOR_SIZE 512
#define SETUP_SECTS_DEFAULT 4             /* what 0 means */
#define PROTOCOL_64BIT 0x020c             /* first with xloadflags */
#define ENTRY_64BIT 0x200
#define LOADER_UNDEFINED 0xff
#define PAGE_SIZE 4096ULL
#define PAGE_TABLE_ENTRIES 512
#define PTE_PRESENT_WRITABLE 0x3ULL
#define PTE_LARGE 0x80ULL

size_t boot_linux_header_size(const struct setup_header *h)
{
    return MIN(HEADER_JUMP_END + (h->jump >> 8) - HEADER_OFFSET, sizeof(*h));
}

/* Reads the header; what is beyond its own length, as it states it, is 0. */
static bool read_header(const BootFile *file, struct setup_header *h,
                        Error **errp)
{
    size_t size;

    if (!boot_file_read(file, HEADER_OFFSET, h, sizeof(*h), errp)) {
        return false;
    }
    size = boot_linux_header_size(h);
    memset((char *)h + size, 0, sizeof(*h) - size);
    return true;
}

bool boot_linux_detect(const uint8_t *head, size_t size)
{
    struct setup_header h;

    if (size < HEADER_OFFSET + sizeof(h)) {
        return false;
    }
    memcpy(&h, head + HEADER_OFFSET, sizeof(h));
    return h.boot_flag == BOOT_FLAG && h.header == HEADER_MAGIC;
}

/* The kernel proper, in paragraphs of 16 bytes, has its size in the header;
 * signatures may follow. false: *errp: some of it is missing. */
static bool check_size(const BootFile *file, const struct setup_header *h,
                       uint64_t setup_size, Error **errp)
{
    uint64_t size = setup_size + h->syssize * 16ULL;

    if (file->size > setup_size + ENTRY_64BIT && size < file->size + 16) {
        return true;
    }
    error_setg(errp, "-kernel %s: is cut short: %" PRIu64 " bytes of %" PRIu64,
               file->path, file->size,
               MAX(size, setup_size + ENTRY_64BIT + 1));
    return false;
}

static bool check_header(const BootFile *file, const struct setup_header *h,
                         Error **errp)
{
    if (h->version < PROTOCOL_64BIT) {
        error_setg(errp, "-kernel %s: has boot protocol %u.%02u, at least 2.12"
                   " (Linux 3.8) is needed", file->path, h->version >> 8,
                   h->version & 0xff);
        return false;
    }
    if (!(h->xloadflags & XLF_KERNEL_64)) {
        error_setg(errp, "-kernel %s: is a 32-bit kernel, a 64-bit one is"
                   " needed", file->path);
        return false;
    }
    if (!(h->loadflags & LOADED_HIGH)) {
        error_setg(errp, "-kernel %s: is a zImage, a bzImage is needed",
                   file->path);
        return false;
    }
    if (h->kernel_alignment && !is_power_of_2(h->kernel_alignment)) {
        error_setg(errp, "-kernel %s: its alignment, 0x%x, is not a power of"
                   " two", file->path, h->kernel_alignment);
        return false;
    }
    return true;
}

/* A kernel goes where it prefers to be, so that it need not move itself. */
static bool place_kernel(X86Boot *boot, uint64_t size, Error **errp)
{
    const struct setup_header *h = &boot->header;
    uint64_t start = MAX(h->pref_address, BOOT_KERNEL_MIN);
    uint64_t need = MAX(size, h->init_size), end;

    if (__builtin_add_overflow(start, need, &end) ||
        end > boot->map.below_4g) {
        error_setg(errp, "-kernel %s: needs %" PRIu64 " bytes from address 0x%"
                   PRIx64 ", but RAM below 4 GiB ends at 0x%" PRIx64,
                   boot->kernel.path, need, start, boot->map.below_4g);
        return false;
    }
    boot->kernel_start = start;
    boot->kernel_end = end;
    return true;
}

bool boot_linux_plan(X86Boot *boot, Error **errp)
{
    struct setup_header *h = &boot->header;
    BootSegment segment;

    if (!read_header(&boot->kernel, h, errp) ||
        !check_header(&boot->kernel, h, errp)) {
        return false;
    }
    segment.offset = ((h->setup_sects ?: SETUP_SECTS_DEFAULT) + 1) *
                     SECTOR_SIZE;
    if (!check_size(&boot->kernel, h, segment.offset, errp)) {
        return false;
    }
    segment.file_size = boot->kernel.size - segment.offset;
    segment.mem_size = segment.file_size;
    if (!place_kernel(boot, segment.mem_size, errp)) {
        return false;
    }
    if (strlen(boot->cmdline) > h->cmdline_size) {
        error_setg(errp, "-append: %zu characters, the kernel takes at most %u",
                   strlen(boot->cmdline), h->cmdline_size);
        return false;
    }
    segment.addr = boot->kernel_start;
    g_array_append_val(boot->segments, segment);
    boot->entry = boot->kernel_start + ENTRY_64BIT;
    boot->initrd_max = h->initrd_addr_max;
    return true;
}

/* Maps the first 4 GiB one to one, by 2 MiB pages. */
static void write_page_tables(AddressSpace *as)
{
    uint64_t table[PAGE_TABLE_ENTRIES] = {};
    uint64_t directories = BOOT_PAGE_TABLES + 2 * PAGE_SIZE;

    table[0] = (BOOT_PAGE_TABLES + PAGE_SIZE) | PTE_PRESENT_WRITABLE;
    boot_write(as, BOOT_PAGE_TABLES, table, sizeof(table));
    for (unsigned i = 0; i < 4; i++) {
        table[i] = (directories + i * PAGE_SIZE) | PTE_PRESENT_WRITABLE;
    }
    boot_write(as, BOOT_PAGE_TABLES + PAGE_SIZE, table, sizeof(table));
    for (unsigned i = 0; i < 4; i++) {
        for (unsigned j = 0; j < PAGE_TABLE_ENTRIES; j++) {
            table[j] = (i * GiB + j * 2 * MiB) | PTE_LARGE |
                       PTE_PRESENT_WRITABLE;
        }
        boot_write(as, directories + i * PAGE_SIZE, table, sizeof(table));
    }
}

static void write_boot_params(const X86Boot *boot, AddressSpace *as,
                              uint64_t rsdp)
{
    g_autofree struct boot_params *p = g_new0(struct boot_params, 1);

    p->hdr = boot->header;
    p->hdr.type_of_loader = LOADER_UNDEFINED;
    p->hdr.cmd_line_ptr = BOOT_CMDLINE;
    p->hdr.ramdisk_image = boot->initrd_addr;
    p->hdr.ramdisk_size = boot->initrd.size;
    p->hdr.code32_start = boot->kernel_start;
    /* No chain of setup_data: the header's field is the file's. */
    p->hdr.setup_data = 0;
    p->acpi_rsdp_addr = rsdp;
    p->e820_entries = x86_e820_build(&boot->map, p->e820_table);
    boot_write(as, BOOT_INFO, p, sizeof(*p));
}

void boot_linux_write_info(const X86Boot *boot, AddressSpace *as,
                           uint64_t rsdp, X86Entry *entry)
{
    write_page_tables(as);
    write_boot_params(boot, as, rsdp);
    entry->long_mode = true;
    entry->cr3 = BOOT_PAGE_TABLES;
    entry->rsi = BOOT_INFO;
}
