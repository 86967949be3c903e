/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernels by the Multiboot Specification, version 0.6.96: a header near the
 * beginning of the file says that the kernel wants to be entered in 32-bit mode
 * without paging, EAX holding a magic number and EBX pointing to a structure with
 * the memory map and the modules. The header may also say what is loaded to where, else
 * the file is an ELF image.
 *
 * Used by boot.c. What the header says is not to be trusted.
 */
#include "qemu/osdep.h"

#include "boot-elf.h"
#include "boot-multiboot.h"
#include "qapi/error.h"

#define HEADER_MAGIC 0x1badb002
#define LOADER_MAGIC 0x2badb002
#define HEADER_REQUIRED 0xffff            /* unknown ones of these: do not boot */
#define HEADER_PAGE_ALIGN (1 << 0)
#define HEADER_MEMORY_INFO (1 << 1)
#define HEADER_VIDEO_MODE (1 << 2)        /* a wish; there is no display */
#define HEADER_ADDRESSES (1 << 16)
#define HEADER_KNOWN (HEADER_PAGE_ALIGN | HEADER_MEMORY_INFO | HEADER_VIDEO_MODE)

#define MODULES_MAX 64
#define PAGE_SIZE 4096ULL

typedef struct MultibootHeader {
    uint32_t magic;
    uint32_t flags;
    uint32_t checksum;                    /* makes the three add up to 0 */
    /* With HEADER_ADDRESSES: */
    uint32_t header_addr;
    uint32_t load_addr;
    uint32_t load_end_addr;               /* 0: all of the file */
    uint32_t bss_end_addr;                /* 0: there is none */
    uint32_t entry_addr;
} MultibootHeader;
#define HEADER_MIN offsetof(MultibootHeader, header_addr)

#define INFO_MEMORY (1 << 0)
#define INFO_CMDLINE (1 << 2)
#define INFO_MODULES (1 << 3)
#define INFO_MEMORY_MAP (1 << 6)

typedef struct MultibootInfo {
    uint32_t flags;
    uint32_t mem_lower, mem_upper;        /* KiB, from 0 and from 1 MiB on */
    uint32_t boot_device;
    uint32_t cmdline;
    uint32_t mods_count, mods_addr;
    uint32_t syms[4];
    uint32_t mmap_length, mmap_addr;
    uint32_t others[9];
} MultibootInfo;

typedef struct MultibootModule {
    uint32_t start, end;
    uint32_t cmdline;
    uint32_t reserved;
} MultibootModule;

typedef struct QEMU_PACKED MultibootMemory {
    uint32_t size;                        /* of what follows */
    uint64_t addr, length;
    uint32_t type;                        /* as in e820 */
} MultibootMemory;

/* What is written at BOOT_INFO. */
typedef struct MultibootBlock {
    MultibootInfo info;
    MultibootMemory memory[X86_E820_MAX];
    MultibootModule modules[MODULES_MAX];
} MultibootBlock;

/* --- the kernel --- */

/* The offset of the header, which is copied to *header; -1: there is none. */
static int64_t find_header(const uint8_t *head, size_t size,
                           MultibootHeader *header)
{
    for (size_t at = 0; at + HEADER_MIN <= size; at += 4) {
        memset(header, 0, sizeof(*header));
        memcpy(header, head + at, MIN(sizeof(*header), size - at));
        if (header->magic == HEADER_MAGIC &&
            header->magic + header->flags + header->checksum == 0) {
            return at;
        }
    }
    return -1;
}

bool boot_multiboot_detect(const uint8_t *head, size_t size)
{
    MultibootHeader header;

    /* Of 64 bits it is one only if its ELF headers need not be looked at. */
    return find_header(head, MIN(size, BOOT_MULTIBOOT_SEARCH), &header) >= 0 &&
           (header.flags & HEADER_ADDRESSES || !boot_elf_detect_64(head, size));
}

/* What the header says, which is in the file at @at, instead of ELF headers. */
static bool plan_addresses(X86Boot *boot, const MultibootHeader *h, uint64_t at,
                           Error **errp)
{
    uint64_t skipped = h->header_addr - (uint64_t)h->load_addr;
    uint64_t offset = at - skipped, loaded, all;
    BootSegment segment;

    if (h->load_addr > h->header_addr || skipped > at ||
        (h->load_end_addr && h->load_end_addr < h->load_addr)) {
        error_setg(errp, "-kernel %s: its multiboot header, %" PRIu64 " bytes into "
                   "the file, should be loaded to 0x%x, but what is loaded is from "
                   "0x%x to 0x%x", boot->kernel.path, at, h->header_addr,
                   h->load_addr, h->load_end_addr);
        return false;
    }
    loaded = h->load_end_addr ? h->load_end_addr - h->load_addr
                              : boot->kernel.size - offset;
    all = h->bss_end_addr > h->load_addr ? h->bss_end_addr - h->load_addr : 0;
    segment = (BootSegment) { offset, loaded, h->load_addr, MAX(loaded, all) };
    boot->kernel_start = UINT64_MAX;
    boot->entry = h->entry_addr;
    return boot_elf_add_segment(boot, &segment, errp);
}

static bool plan_elf(X86Boot *boot, const uint8_t *head, size_t size,
                     Error **errp)
{
    BootElf elf;

    if (!boot_elf_detect(head, size)) {
        error_setg(errp, "-kernel %s: its multiboot header says that it is an ELF "
                   "image, which it is not", boot->kernel.path);
        return false;
    }
    if (!boot_elf_read(boot, &elf, errp)) {
        return false;
    }
    boot->entry = elf.entry;
    return boot_elf_plan(boot, &elf, errp);
}

/* The first word of a multiboot command line is the kernel's name. */
static bool add_name(X86Boot *boot, Error **errp)
{
    char *cmdline = g_strdup_printf("%s %s", boot->kernel.path, boot->cmdline);

    g_free(boot->cmdline);
    boot->cmdline = cmdline;
    if (strlen(cmdline) >= BOOT_CMDLINE_MAX) {
        error_setg(errp, "-append: %zu characters with the kernel's name, at most "
                   "%d are supported", strlen(cmdline), BOOT_CMDLINE_MAX - 1);
        return false;
    }
    return true;
}

bool boot_multiboot_plan(X86Boot *boot, const uint8_t *head, size_t size,
                         Error **errp)
{
    MultibootHeader header;
    int64_t at = find_header(head, MIN(size, BOOT_MULTIBOOT_SEARCH), &header);
    uint32_t unknown = header.flags & HEADER_REQUIRED & ~HEADER_KNOWN;

    boot->kind = BOOT_MULTIBOOT;
    if (unknown) {
        error_setg(errp, "-kernel %s: its multiboot header demands what is not "
                   "known: flags 0x%x", boot->kernel.path, unknown);
        return false;
    }
    if (header.flags & HEADER_ADDRESSES
            ? !plan_addresses(boot, &header, at, errp)
            : !plan_elf(boot, head, size, errp)) {
        return false;
    }
    if (boot->entry < boot->kernel_start || boot->entry >= boot->kernel_end) {
        error_setg(errp, "-kernel %s: its entry point, 0x%" PRIx64
                   ", is outside of it", boot->kernel.path, boot->entry);
        return false;
    }
    return add_name(boot, errp);
}

/* --- modules --- */

/* The text up to the next single comma, with double ones made single; *list moves
 * behind it, NULL: it was the last. g_free(). */
static char *next_module(const char **list)
{
    GString *text = g_string_new(NULL);
    const char *p = *list;

    for (; *p && (*p != ',' || p[1] == ','); p++) {
        p += *p == ',';
        g_string_append_c(text, *p);
    }
    *list = *p ? p + 1 : NULL;
    return g_string_free(text, FALSE);
}

/* All texts go to where a command line does. */
static bool check_texts(const X86Boot *boot, Error **errp)
{
    size_t size = strlen(boot->cmdline) + 1;

    for (unsigned i = 0; i < boot->modules->len; i++) {
        size += strlen(g_array_index(boot->modules, BootModule, i).cmdline) + 1;
    }
    if (size > BOOT_CMDLINE_MAX) {
        error_setg(errp, "-initrd: %zu bytes of names and arguments with those of "
                   "-append, at most %d are supported", size, BOOT_CMDLINE_MAX);
        return false;
    }
    return true;
}

/* Opens @text, "FILE ARGUMENTS", and places it after all that is there. */
static bool add_module(X86Boot *boot, char *text, Error **errp)
{
    BootModule module = { .cmdline = text, .file.fd = -1 };
    g_autofree char *path = g_strndup(text, strcspn(text, " "));
    BootModule *m;

    g_array_append_val(boot->modules, module);
    m = &g_array_index(boot->modules, BootModule, boot->modules->len - 1);
    if (!boot_file_open(&m->file, "-initrd", path, errp)) {
        return false;
    }
    m->addr = ROUND_UP(boot->kernel_end, PAGE_SIZE);
    if (m->addr > boot->map.below_4g ||
        m->file.size > boot->map.below_4g - m->addr) {
        error_setg(errp, "-initrd %s: is %" PRIu64 " bytes, but from 0x%" PRIx64
                   " to 0x%" PRIx64 " there are fewer", path, m->file.size,
                   m->addr, boot->map.below_4g);
        return false;
    }
    boot->kernel_end = m->addr + m->file.size;
    return true;
}

bool boot_multiboot_plan_modules(X86Boot *boot, const char *list, Error **errp)
{
    for (const char *rest = list; rest;) {
        if (boot->modules->len == MODULES_MAX) {
            error_setg(errp, "-initrd: more than %d modules", MODULES_MAX);
            return false;
        }
        if (!add_module(boot, next_module(&rest), errp)) {
            return false;
        }
    }
    return check_texts(boot, errp);
}

bool boot_multiboot_load_modules(const X86Boot *boot, AddressSpace *as,
                                 Error **errp)
{
    for (unsigned i = 0; i < boot->modules->len; i++) {
        const BootModule *m = &g_array_index(boot->modules, BootModule, i);

        if (!boot_load(&m->file, 0, as, m->addr, m->file.size, errp)) {
            return false;
        }
    }
    return true;
}

/* --- what the kernel is told --- */

static unsigned fill_memory(const X86Boot *boot, MultibootMemory *memory)
{
    struct boot_e820_entry e820[X86_E820_MAX];
    unsigned n = x86_e820_build(&boot->map, e820);

    for (unsigned i = 0; i < n; i++) {
        memory[i] = (MultibootMemory) {
            sizeof(*memory) - sizeof(memory->size), e820[i].addr, e820[i].size,
            e820[i].type,
        };
    }
    return n;
}

/* Their texts follow the kernel's command line. */
static void fill_modules(const X86Boot *boot, AddressSpace *as,
                         MultibootModule *modules)
{
    uint32_t at = BOOT_CMDLINE + strlen(boot->cmdline) + 1;

    for (unsigned i = 0; i < boot->modules->len; i++) {
        const BootModule *m = &g_array_index(boot->modules, BootModule, i);
        size_t size = strlen(m->cmdline) + 1;

        boot_write(as, at, m->cmdline, size);
        modules[i] = (MultibootModule) { m->addr, m->addr + m->file.size, at, 0 };
        at += size;
    }
}

void boot_multiboot_write_info(const X86Boot *boot, AddressSpace *as,
                               X86Entry *entry)
{
    MultibootBlock block = {
        .info = {
            .flags = INFO_MEMORY | INFO_CMDLINE | INFO_MODULES |
                     INFO_MEMORY_MAP,
            .mem_lower = X86_LOW_RAM_END / KiB,
            .mem_upper = (boot->map.below_4g - MiB) / KiB,
            .cmdline = BOOT_CMDLINE,
            .mods_count = boot->modules->len,
            .mods_addr = BOOT_INFO + offsetof(MultibootBlock, modules),
            .mmap_addr = BOOT_INFO + offsetof(MultibootBlock, memory),
        },
    };

    block.info.mmap_length = fill_memory(boot, block.memory) *
                             sizeof(MultibootMemory);
    fill_modules(boot, as, block.modules);
    boot_write(as, BOOT_INFO, &block, sizeof(block));
    entry->long_mode = false;
    entry->rax = LOADER_MAGIC;
    entry->rbx = BOOT_INFO;
}
