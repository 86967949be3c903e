/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ELF core file that a dump is: file header, program headers, perhaps a
 * section header (only to count more program headers than the file header can),
 * notes, then memory. Makes bytes; writes nothing.
 *
 * Addresses are guest physical, p_vaddr too, so that gdb reads physical memory.
 */
#include "qemu/osdep.h"
#include <elf.h>
#include "dump-internal.h"

static void append_file_header(GByteArray *bytes, uint64_t phnum)
{
    Elf64_Ehdr header = {
        .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
                     ELFDATA2LSB, EV_CURRENT },
        .e_type = ET_CORE,
        .e_machine = EM_X86_64,
        .e_version = EV_CURRENT,
        .e_phoff = sizeof(Elf64_Ehdr),
        .e_ehsize = sizeof(Elf64_Ehdr),
        .e_phentsize = sizeof(Elf64_Phdr),
        .e_phnum = MIN(phnum, PN_XNUM),
    };

    if (phnum >= PN_XNUM) {
        header.e_shoff = header.e_phoff + phnum * sizeof(Elf64_Phdr);
        header.e_shentsize = sizeof(Elf64_Shdr);
        header.e_shnum = 1;
    }
    g_byte_array_append(bytes, (uint8_t *)&header, sizeof(header));
}

static void append_program_header(GByteArray *bytes, uint32_t type,
                                  uint64_t offset, hwaddr addr, uint64_t size)
{
    bool load = type == PT_LOAD;
    Elf64_Phdr header = {
        .p_type = type,
        .p_flags = load ? PF_R | PF_W | PF_X : 0,
        .p_offset = offset,
        .p_vaddr = addr,
        .p_paddr = addr,
        .p_filesz = size,
        .p_memsz = load ? size : 0,
        /* crash takes a core for netdump's if this is not 0, no alignment. */
        .p_align = load ? 0 : 4,
    };

    g_byte_array_append(bytes, (uint8_t *)&header, sizeof(header));
}

GByteArray *dump_headers_new(const GArray *segments, const GByteArray *notes)
{
    GByteArray *bytes = g_byte_array_new();
    uint64_t phnum = segments->len + (notes->len ? 1 : 0);
    uint64_t notes_at = sizeof(Elf64_Ehdr) + phnum * sizeof(Elf64_Phdr) +
                        (phnum >= PN_XNUM ? sizeof(Elf64_Shdr) : 0);
    uint64_t memory_at = QEMU_ALIGN_UP(notes_at + notes->len,
                                       qemu_real_host_page_size());
    uint64_t offset = memory_at;
    guint used;

    append_file_header(bytes, phnum);
    if (notes->len) {
        append_program_header(bytes, PT_NOTE, notes_at, 0, notes->len);
    }
    for (guint i = 0; i < segments->len; i++) {
        const DumpSegment *s = &g_array_index(segments, DumpSegment, i);

        append_program_header(bytes, PT_LOAD, offset, s->addr, s->size);
        offset += s->size;
    }
    if (phnum >= PN_XNUM) {
        Elf64_Shdr count = { .sh_type = SHT_NULL, .sh_info = phnum };

        g_byte_array_append(bytes, (uint8_t *)&count, sizeof(count));
    }
    if (notes->len) {
        g_byte_array_append(bytes, notes->data, notes->len);
    }
    used = bytes->len;
    g_byte_array_set_size(bytes, memory_at);
    memset(bytes->data + used, 0, bytes->len - used);
    return bytes;
}
