/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The notes of a dump: the registers of each CPU, in two forms, and what the
 * guest has to say of itself, VMCOREINFO. Makes bytes; writes nothing.
 *
 * Of the guest's note, address, size and contents are the guest's. It must reach
 * nothing but RAM, and be what it claims to be.
 */
#include "qemu/osdep.h"
#include <elf.h>
#include <sys/procfs.h>
#include <sys/user.h>
#include "dump-internal.h"
#include "exec/address-spaces.h"
#include "qemu/error-report.h"
#include "sysemu/cpus.h"
#include "sysemu/dump.h"

#define NOTE_NAME "CORE"
#define SYSTEM_NOTE_NAME "QEMU"           /* type 0 */
#define GUEST_NOTE_NAME "VMCOREINFO"
#define GUEST_NOTE_MAX MiB
/* In the guest's note: where physical memory begins in the kernel's. */
#define PHYS_BASE "NUMBER(phys_base)="

/* --- of CPUs --- */

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
static void append_cpus(GByteArray *notes)
{
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
}

/* --- of the guest --- */

static DumpGuestNoteFn *guest_note;
static void *guest_note_opaque;

void dump_set_guest_note(DumpGuestNoteFn *fn, void *opaque)
{
    guest_note = fn;
    guest_note_opaque = opaque;
}

/* The size of what @note says of itself; 0: it is none, or of another kind. */
static uint64_t guest_note_size(const uint8_t *note, uint32_t size)
{
    Elf64_Nhdr header;
    uint64_t total;

    if (size < sizeof(header) + QEMU_ALIGN_UP(sizeof(GUEST_NOTE_NAME), 4)) {
        return 0;
    }
    memcpy(&header, note, sizeof(header));
    total = sizeof(header) + QEMU_ALIGN_UP(sizeof(GUEST_NOTE_NAME), 4) +
            QEMU_ALIGN_UP((uint64_t)header.n_descsz, 4);
    return header.n_namesz == sizeof(GUEST_NOTE_NAME) && total <= size &&
           memcmp(note + sizeof(header), GUEST_NOTE_NAME,
                  sizeof(GUEST_NOTE_NAME)) == 0 ? total : 0;
}

/* A copy of the note, g_free(), and its size; NULL: there is none, or nothing
 * that could be one. */
static uint8_t *read_guest_note(uint64_t *size)
{
    static const MemTxAttrs attrs_ram = { .memory = 1, .keep_unbacked = 1 };
    static uint64_t refused;
    g_autofree uint8_t *note = NULL;
    uint32_t given;
    hwaddr addr;

    if (!guest_note || !guest_note(guest_note_opaque, &addr, &given)) {
        return NULL;
    }
    *size = 0;
    if (given <= GUEST_NOTE_MAX) {
        note = g_malloc(given);
        if (address_space_read(&address_space_memory, addr, attrs_ram, note,
                               given) == MEMTX_OK) {
            *size = guest_note_size(note, given);
        }
    }
    if (!*size) {
        warn_report_counted(&refused, "the guest's VMCOREINFO, %u bytes at 0x%"
                            HWADDR_PRIx ", is left out of the dump: it is no "
                            "ELF note of that name", given, addr);
        return NULL;
    }
    return g_steal_pointer(&note);
}

static int64_t find_phys_base(const uint8_t *text, uint64_t size)
{
    g_autofree char *copy = g_strndup((const char *)text, size);
    const char *at = strstr(copy, PHYS_BASE);

    return at ? g_ascii_strtoll(at + strlen(PHYS_BASE), NULL, 10) : 0;
}

static void append_guest_note(DumpNotes *notes)
{
    uint64_t size;
    g_autofree uint8_t *note = read_guest_note(&size);
    Elf64_Nhdr header;

    if (!note) {
        return;
    }
    memcpy(&header, note, sizeof(header));
    notes->guest_offset = notes->bytes->len + sizeof(header) +
                          QEMU_ALIGN_UP(sizeof(GUEST_NOTE_NAME), 4);
    notes->guest_size = header.n_descsz;
    g_byte_array_append(notes->bytes, note, size);
    notes->phys_base = find_phys_base(notes->bytes->data + notes->guest_offset,
                                      notes->guest_size);
}

/* --- all --- */

DumpNotes *dump_notes_new(void)
{
    DumpNotes *notes = g_new0(DumpNotes, 1);

    notes->bytes = g_byte_array_new();
    append_cpus(notes->bytes);
    append_guest_note(notes);
    return notes;
}

void dump_notes_free(DumpNotes *notes)
{
    if (notes) {
        g_byte_array_unref(notes->bytes);
        g_free(notes);
    }
}
