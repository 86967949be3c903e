/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ELF kernels with a PVH entry point (Xen, docs/misc/pvh.pandoc): a note of
 * the owner "Xen" holds the address at which the kernel is entered, in 32-bit
 * mode without paging, EBX pointing to a start info structure.
 *
 * Used by boot.c. What the ELF headers say is not to be trusted; each
 * number is checked here before it is used, and the number of headers bounded.
 */
#include "qemu/osdep.h"

#include <elf.h>

#include "boot-pvh.h"
#include "qapi/error.h"
#include "qemu/units.h"

#define NOTE_OWNER "Xen"
#define NOTE_PHYS32_ENTRY 18
#define NOTES_MAX (64 * KiB)
#define SEGMENTS_MAX 64

/* The start info, version 1. */
#define START_MAGIC 0x336ec578
#define START_VERSION 1
typedef struct PvhStartInfo {
    uint32_t magic;
    uint32_t version;
    uint32_t flags;
    uint32_t nr_modules;
    uint64_t modlist_paddr;
    uint64_t cmdline_paddr;
    uint64_t rsdp_paddr;
    uint64_t memmap_paddr;
    uint32_t memmap_entries;
    uint32_t reserved;
} PvhStartInfo;

typedef struct PvhModule {
    uint64_t paddr;
    uint64_t size;
    uint64_t cmdline_paddr;
    uint64_t reserved;
} PvhModule;

typedef struct PvhMemmapEntry {
    uint64_t addr;
    uint64_t size;
    uint32_t type;                        /* as in e820 */
    uint32_t reserved;
} PvhMemmapEntry;

/* What is written at BOOT_INFO. */
typedef struct PvhInfo {
    PvhStartInfo start;
    PvhModule module;
    PvhMemmapEntry memmap[X86_E820_MAX];
} PvhInfo;

bool boot_pvh_detect(const uint8_t *head, size_t size)
{
    return size >= sizeof(Elf64_Ehdr) && !memcmp(head, ELFMAG, SELFMAG);
}

/* *entry: what the note segment @ph of the file says; false: nothing. */
static bool find_entry(const BootFile *file, const Elf64_Phdr *ph,
                       uint64_t *entry)
{
    g_autofree uint8_t *notes = NULL;
    uint64_t size = MIN(ph->p_filesz, NOTES_MAX), at = 0;

    notes = g_malloc(size);
    if (!boot_file_read(file, ph->p_offset, notes, size, NULL)) {
        return false;
    }
    while (size - at >= sizeof(Elf64_Nhdr)) {
        Elf64_Nhdr note;
        uint64_t name = at + sizeof(note), desc, next;

        memcpy(&note, notes + at, sizeof(note));
        desc = name + ROUND_UP((uint64_t)note.n_namesz, 4);
        next = desc + ROUND_UP((uint64_t)note.n_descsz, 4);
        if (next > size) {
            return false;
        }
        if (note.n_type == NOTE_PHYS32_ENTRY && note.n_descsz >= 4 &&
            note.n_namesz == sizeof(NOTE_OWNER) &&
            !memcmp(notes + name, NOTE_OWNER, sizeof(NOTE_OWNER))) {
            uint32_t value;

            memcpy(&value, notes + desc, sizeof(value));
            *entry = value;
            return true;
        }
        at = next;
    }
    return false;
}

static bool add_segment(X86Boot *boot, const Elf64_Phdr *ph, Error **errp)
{
    BootSegment segment = { ph->p_offset, ph->p_filesz, ph->p_paddr,
                            ph->p_memsz };
    uint64_t file_end, mem_end;

    if (__builtin_add_overflow(ph->p_offset, ph->p_filesz, &file_end) ||
        file_end > boot->kernel.size || ph->p_filesz > ph->p_memsz) {
        error_setg(errp, "-kernel %s: is cut short: %" PRIu64 " bytes, a"
                   " segment is %" PRIu64 " bytes at %" PRIu64,
                   boot->kernel.path, boot->kernel.size, ph->p_filesz,
                   ph->p_offset);
        return false;
    }
    if (__builtin_add_overflow(ph->p_paddr, ph->p_memsz, &mem_end) ||
        ph->p_paddr < BOOT_KERNEL_MIN || mem_end > boot->map.below_4g) {
        error_setg(errp, "-kernel %s: has a segment of %" PRIu64 " bytes at 0x%"
                   PRIx64 ", but RAM for it is from 0x%" PRIx64 " to 0x%"
                   PRIx64,
                   boot->kernel.path, ph->p_memsz, ph->p_paddr,
                   (uint64_t)BOOT_KERNEL_MIN, boot->map.below_4g);
        return false;
    }
    boot->kernel_start = MIN(boot->kernel_start, ph->p_paddr);
    boot->kernel_end = MAX(boot->kernel_end, mem_end);
    g_array_append_val(boot->segments, segment);
    return true;
}

static bool read_headers(X86Boot *boot, Elf64_Ehdr *eh, Elf64_Phdr *ph,
                         Error **errp)
{
    if (!boot_file_read(&boot->kernel, 0, eh, sizeof(*eh), errp)) {
        return false;
    }
    if (eh->e_ident[EI_CLASS] != ELFCLASS64 ||
        eh->e_ident[EI_DATA] != ELFDATA2LSB || eh->e_machine != EM_X86_64) {
        error_setg(errp, "-kernel %s: is an ELF file, but not for x86-64",
                   boot->kernel.path);
        return false;
    }
    if (!eh->e_phnum || eh->e_phnum > SEGMENTS_MAX ||
        eh->e_phentsize != sizeof(*ph)) {
        error_setg(errp, "-kernel %s: has %u ELF segments of %u bytes each;"
                   " 1 to %u of %zu bytes are supported", boot->kernel.path,
                   eh->e_phnum, eh->e_phentsize, SEGMENTS_MAX, sizeof(*ph));
        return false;
    }
    return boot_file_read(&boot->kernel, eh->e_phoff, ph,
                          eh->e_phnum * sizeof(*ph), errp);
}

bool boot_pvh_plan(X86Boot *boot, Error **errp)
{
    Elf64_Phdr ph[SEGMENTS_MAX];
    Elf64_Ehdr eh;
    bool found = false;

    if (!read_headers(boot, &eh, ph, errp)) {
        return false;
    }
    boot->pvh = true;
    boot->kernel_start = UINT64_MAX;
    for (unsigned i = 0; i < eh.e_phnum; i++) {
        if (ph[i].p_type == PT_LOAD && ph[i].p_memsz &&
            !add_segment(boot, &ph[i], errp)) {
            return false;
        }
        if (ph[i].p_type == PT_NOTE && !found) {
            found = find_entry(&boot->kernel, &ph[i], &boot->entry);
        }
    }
    if (!found) {
        error_setg(errp, "-kernel %s: has no PVH entry point; a bzImage, or a"
                   " kernel built with CONFIG_PVH, is needed",
                   boot->kernel.path);
        return false;
    }
    if (boot->entry < boot->kernel_start || boot->entry >= boot->kernel_end) {
        error_setg(errp, "-kernel %s: its PVH entry point, 0x%" PRIx64
                   ", is outside of it", boot->kernel.path, boot->entry);
        return false;
    }
    boot->initrd_max = UINT32_MAX;
    return true;
}

void boot_pvh_write_info(const X86Boot *boot, AddressSpace *as, uint64_t rsdp,
                         X86Entry *entry)
{
    struct boot_e820_entry e820[X86_E820_MAX];
    PvhInfo info = {
        .start = {
            .magic = START_MAGIC,
            .version = START_VERSION,
            .nr_modules = boot->initrd.path != NULL,
            .modlist_paddr = BOOT_INFO + offsetof(PvhInfo, module),
            .cmdline_paddr = BOOT_CMDLINE,
            .rsdp_paddr = rsdp,
            .memmap_paddr = BOOT_INFO + offsetof(PvhInfo, memmap),
            .memmap_entries = x86_e820_build(&boot->map, e820),
        },
        .module = { .paddr = boot->initrd_addr, .size = boot->initrd.size },
    };

    for (unsigned i = 0; i < info.start.memmap_entries; i++) {
        info.memmap[i].addr = e820[i].addr;
        info.memmap[i].size = e820[i].size;
        info.memmap[i].type = e820[i].type;
    }
    boot_write(as, BOOT_INFO, &info, sizeof(info));
    entry->long_mode = false;
    entry->rbx = BOOT_INFO;
}
