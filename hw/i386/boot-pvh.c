/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ELF kernels, of 32 or 64 bits, with a PVH entry point (Xen,
 * docs/misc/pvh.pandoc): a note of the owner "Xen" holds the address at which the
 * kernel is entered, in 32-bit mode without paging, EBX pointing to a start info
 * structure.
 *
 * Used by boot.c. What notes say is not to be trusted.
 */
#include "qemu/osdep.h"

#include "boot-elf.h"
#include "boot-pvh.h"
#include "qapi/error.h"
#include "qemu/units.h"

#define NOTE_OWNER "Xen"
#define NOTE_PHYS32_ENTRY 18
#define NOTES_MAX (64 * KiB)

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

bool boot_pvh_plan(X86Boot *boot, Error **errp)
{
    bool found = false;
    BootElf elf;

    boot->kind = BOOT_PVH;
    if (!boot_elf_read(boot, &elf, errp) || !boot_elf_plan(boot, &elf, errp)) {
        return false;
    }
    for (unsigned i = 0; i < elf.nr_segments && !found; i++) {
        found = elf.segments[i].p_type == PT_NOTE &&
                find_entry(&boot->kernel, &elf.segments[i], &boot->entry);
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
