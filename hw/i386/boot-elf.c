/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ELF images as kernels (boot-elf.h). Each number of the file is checked here
 * before it is used, and the number of headers bounded; headers of 32 bits are
 * looked at as if they had 64.
 */
#include "qemu/osdep.h"

#include "boot-elf.h"
#include "qapi/error.h"

bool boot_elf_detect(const uint8_t *head, size_t size)
{
    return size >= sizeof(Elf32_Ehdr) && !memcmp(head, ELFMAG, SELFMAG);
}

bool boot_elf_detect_64(const uint8_t *head, size_t size)
{
    return boot_elf_detect(head, size) && head[EI_CLASS] == ELFCLASS64;
}

/* --- headers --- */

/* What is needed of the file's header. */
typedef struct ElfHead {
    bool is_64;
    uint64_t entry;
    uint64_t offset;                      /* of program headers */
    unsigned number;
    unsigned size;                        /* of each */
} ElfHead;

static size_t header_size(const ElfHead *head)
{
    return head->is_64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
}

static bool read_head_32(const BootFile *file, ElfHead *head, uint16_t *machine,
                         Error **errp)
{
    Elf32_Ehdr eh;

    if (!boot_file_read(file, 0, &eh, sizeof(eh), errp)) {
        return false;
    }
    *head = (ElfHead) { false, eh.e_entry, eh.e_phoff, eh.e_phnum,
                        eh.e_phentsize };
    *machine = eh.e_machine;
    return true;
}

static bool read_head_64(const BootFile *file, ElfHead *head, uint16_t *machine,
                         Error **errp)
{
    Elf64_Ehdr eh;

    if (!boot_file_read(file, 0, &eh, sizeof(eh), errp)) {
        return false;
    }
    *head = (ElfHead) { true, eh.e_entry, eh.e_phoff, eh.e_phnum,
                        eh.e_phentsize };
    *machine = eh.e_machine;
    return true;
}

static bool read_head(const BootFile *file, ElfHead *head, Error **errp)
{
    uint8_t ident[EI_NIDENT];
    uint16_t machine;
    bool is_64;

    if (!boot_file_read(file, 0, ident, sizeof(ident), errp)) {
        return false;
    }
    is_64 = ident[EI_CLASS] == ELFCLASS64;
    if (!(is_64 ? read_head_64 : read_head_32)(file, head, &machine, errp)) {
        return false;
    }
    if ((!is_64 && ident[EI_CLASS] != ELFCLASS32) ||
        ident[EI_DATA] != ELFDATA2LSB ||
        machine != (is_64 ? EM_X86_64 : EM_386)) {
        error_setg(errp, "-kernel %s: is an ELF file, but neither for x86-64 nor "
                   "for i386", file->path);
        return false;
    }
    if (!head->number || head->number > BOOT_ELF_SEGMENTS_MAX ||
        head->size != header_size(head)) {
        error_setg(errp, "-kernel %s: has %u ELF segments of %u bytes each;"
                   " 1 to %u of %zu bytes are supported", file->path,
                   head->number, head->size, BOOT_ELF_SEGMENTS_MAX,
                   header_size(head));
        return false;
    }
    return true;
}

static bool read_segments_32(const BootFile *file, const ElfHead *head,
                             Elf64_Phdr *wide, Error **errp)
{
    Elf32_Phdr ph[BOOT_ELF_SEGMENTS_MAX];

    if (!boot_file_read(file, head->offset, ph, head->number * sizeof(*ph),
                        errp)) {
        return false;
    }
    for (unsigned i = 0; i < head->number; i++) {
        wide[i] = (Elf64_Phdr) {
            .p_type = ph[i].p_type, .p_offset = ph[i].p_offset,
            .p_vaddr = ph[i].p_vaddr, .p_paddr = ph[i].p_paddr,
            .p_filesz = ph[i].p_filesz, .p_memsz = ph[i].p_memsz,
        };
    }
    return true;
}

/* A kernel may be linked for other addresses than those that it is loaded to. */
static void find_physical_entry(BootElf *elf)
{
    for (unsigned i = 0; i < elf->nr_segments; i++) {
        const Elf64_Phdr *ph = &elf->segments[i];

        if (ph->p_type == PT_LOAD && elf->entry >= ph->p_vaddr &&
            elf->entry - ph->p_vaddr < ph->p_memsz) {
            elf->entry = elf->entry - ph->p_vaddr + ph->p_paddr;
            return;
        }
    }
}

bool boot_elf_read(const X86Boot *boot, BootElf *elf, Error **errp)
{
    ElfHead head;

    if (!read_head(&boot->kernel, &head, errp)) {
        return false;
    }
    elf->entry = head.entry;
    elf->nr_segments = head.number;
    if (head.is_64 ? !boot_file_read(&boot->kernel, head.offset, elf->segments,
                                     head.number * sizeof(Elf64_Phdr), errp)
                   : !read_segments_32(&boot->kernel, &head, elf->segments,
                                       errp)) {
        return false;
    }
    find_physical_entry(elf);
    return true;
}

/* --- the plan --- */

bool boot_elf_add_segment(X86Boot *boot, const BootSegment *s, Error **errp)
{
    uint64_t file_end, mem_end;

    if (__builtin_add_overflow(s->offset, s->file_size, &file_end) ||
        file_end > boot->kernel.size || s->file_size > s->mem_size) {
        error_setg(errp, "-kernel %s: is cut short: %" PRIu64 " bytes, a"
                   " segment is %" PRIu64 " bytes at %" PRIu64,
                   boot->kernel.path, boot->kernel.size, s->file_size,
                   s->offset);
        return false;
    }
    if (__builtin_add_overflow(s->addr, s->mem_size, &mem_end) ||
        s->addr < BOOT_KERNEL_MIN || mem_end > boot->map.below_4g) {
        error_setg(errp, "-kernel %s: has a segment of %" PRIu64 " bytes at 0x%"
                   PRIx64 ", but RAM for it is from 0x%" PRIx64 " to 0x%"
                   PRIx64,
                   boot->kernel.path, s->mem_size, s->addr,
                   (uint64_t)BOOT_KERNEL_MIN, boot->map.below_4g);
        return false;
    }
    boot->kernel_start = MIN(boot->kernel_start, s->addr);
    boot->kernel_end = MAX(boot->kernel_end, mem_end);
    g_array_append_val(boot->segments, *s);
    return true;
}

bool boot_elf_plan(X86Boot *boot, const BootElf *elf, Error **errp)
{
    boot->kernel_start = UINT64_MAX;
    for (unsigned i = 0; i < elf->nr_segments; i++) {
        const Elf64_Phdr *ph = &elf->segments[i];
        const BootSegment segment = { ph->p_offset, ph->p_filesz, ph->p_paddr,
                                      ph->p_memsz };

        if (ph->p_type == PT_LOAD && ph->p_memsz &&
            !boot_elf_add_segment(boot, &segment, errp)) {
            return false;
        }
    }
    return true;
}
