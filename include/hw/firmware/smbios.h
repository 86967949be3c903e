/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SMBIOS: what a guest is told of who has made the machine, and of what parts (DMTF
 * DSP0134). -smbios fills an SmbiosEntries, the board says what it is, and out of
 * both comes one run of structures. Firmware is given it as files; without
 * firmware the board puts it where operating systems look. Pure: knows no device, and
 * writes no guest memory.
 */
#ifndef HW_FIRMWARE_SMBIOS_H
#define HW_FIRMWARE_SMBIOS_H

#include "hw/boards.h"
#include "qemu/uuid.h"

/*
 * Adds what -smbios @arg says, "type=N,KEY=VALUE..." or "file=PATH", to *@entries,
 * which is made if it is NULL. *uuid, if the guest's is among it, is set to its text
 * (g_free()). false: *errp, and *entries is only good to be freed.
 */
bool smbios_entry_add(SmbiosEntries **entries, const char *arg, char **uuid,
                      Error **errp);
/* @entries may be NULL. */
void smbios_entries_free(SmbiosEntries *entries);

/* Which entry point leads to the structures. */
typedef enum SmbiosEntryPointType {
    SMBIOS_ENTRY_POINT_TYPE_32,           /* 2.1: 64 KiB of them, below 4 GiB */
    SMBIOS_ENTRY_POINT_TYPE_64,           /* 3.0 */
} SmbiosEntryPointType;

/* A run of RAM; bytes. */
struct smbios_phys_mem_area {
    uint64_t address;
    uint64_t length;
};

/* What the board says of itself. */
typedef struct SmbiosMachine {
    const char *product;
    const char *version;
    QemuUUID uuid;                        /* zeros: none */
    unsigned sockets;
    unsigned cores;                       /* per socket */
    unsigned threads;                     /* per socket */
    uint32_t cpu_signature;               /* CPUID 1, EAX; 0: not known */
    uint32_t cpu_features;                /* CPUID 1, EDX */
    uint64_t ram_size;                    /* bytes */
    const struct smbios_phys_mem_area *ram;
    unsigned nr_ram;
} SmbiosMachine;

/*
 * The structures; g_byte_array_unref(). @entries may be NULL. NULL: *errp: they are
 * more bytes than an entry point of @type can tell.
 */
GByteArray *smbios_build(const SmbiosEntries *entries,
                         const SmbiosMachine *machine,
                         SmbiosEntryPointType type, Error **errp);

/* What smbios_entry_point() needs at most, and how an operating system finds it. */
#define SMBIOS_ENTRY_POINT_MAX 31
#define SMBIOS_ENTRY_POINT_ALIGN 16

/* Writes the entry point for @tables, which are at @address, to @data; its size. */
size_t smbios_entry_point(const GByteArray *tables, uint64_t address,
                          SmbiosEntryPointType type,
                          uint8_t data[SMBIOS_ENTRY_POINT_MAX]);

#endif
