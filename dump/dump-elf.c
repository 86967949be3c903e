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
#include <sys/procfs.h>
#include <sys/user.h>
#include "dump-internal.h"
#include "sysemu/cpus.h"

#define NOTE_NAME "CORE"
#define SYSTEM_NOTE_NAME "QEMU"           /* type 0 */

/* --- notes --- */

static void append_padded(GByteArray *bytes, const void *data, size_t size)
{
    static const uint8_t zeros[4];

    g_byte_array_append(bytes, data, size);
    g_byte_array_append(bytes, zeros, -size & 3);
}

static void append_registers(GByteArray *notes, int cpu_index,
                             const struct user_regs_struct *regs)
{
    struct elf_prstatus status = { .pr_pid = cpu_index + 1 };
    Elf64_Nhdr header = {
        .n_namesz = sizeof(NOTE_NAME),
        .n_descsz = sizeof(status),
        .n_type = NT_PRSTATUS,
    };

    G_STATIC_ASSERT(sizeof(status.pr_reg) == sizeof(*regs));
    memcpy(status.pr_reg, regs, sizeof(*regs));
    append_padded(notes, &header, sizeof(header));
    append_padded(notes, NOTE_NAME, sizeof(NOTE_NAME));
    append_padded(notes, &status, sizeof(status));
}

/* The note by which crash finds out where the kernel is: page tables (CR3) and
 * interrupt table say what a randomized kernel does not. */
typedef struct SystemNote {
    uint32_t version;                     /* 1 */
    uint32_t size;
    uint64_t rax, rbx, rcx, rdx, rsi, rdi, rsp, rbp;
    uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
    uint64_t rip, rflags;
    CPUSystemRegs system;
} SystemNote;

static void append_system(GByteArray *notes, const struct user_regs_struct *u,
                          const CPUSystemRegs *system)
{
    const SystemNote note = {
        .version = 1,
        .size = sizeof(note),
        .rax = u->rax, .rbx = u->rbx, .rcx = u->rcx, .rdx = u->rdx,
        .rsi = u->rsi, .rdi = u->rdi, .rsp = u->rsp, .rbp = u->rbp,
        .r8 = u->r8, .r9 = u->r9, .r10 = u->r10, .r11 = u->r11,
        .r12 = u->r12, .r13 = u->r13, .r14 = u->r14, .r15 = u->r15,
        .rip = u->rip, .rflags = u->eflags,
        .system = *system,
    };
    const Elf64_Nhdr header = {
        .n_namesz = sizeof(SYSTEM_NOTE_NAME),
        .n_descsz = sizeof(note),
    };

    append_padded(notes, &header, sizeof(header));
    append_padded(notes, SYSTEM_NOTE_NAME, sizeof(SYSTEM_NOTE_NAME));
    append_padded(notes, &note, sizeof(note));
}

/* All of the first kind before any of the second, as readers expect it. */
GByteArray *dump_notes_new(void)
{
    GByteArray *notes = g_byte_array_new();
    struct user_regs_struct regs;
    CPUSystemRegs system;
    CPUState *cpu;

    CPU_FOREACH(cpu) {
        if (cpu_get_user_regs(cpu, &regs)) {
            append_registers(notes, cpu->cpu_index, &regs);
        }
    }
    CPU_FOREACH(cpu) {
        if (cpu_get_user_regs(cpu, &regs) &&
            cpu_get_system_regs(cpu, &system)) {
            append_system(notes, &regs, &system);
        }
    }
    return notes;
}

/* --- headers --- */

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
        .p_align = load ? 1 : 4,
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
