/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tables that describe a q35 machine, ACPI's and SMBIOS's: one source, and two ways
 * to the guest. Firmware is given them as files and puts them where it likes; without
 * firmware they are written to between 896 KiB and 1 MiB, where operating systems
 * look. For q35.c.
 */
#ifndef HW_I386_Q35_TABLES_H
#define HW_I386_Q35_TABLES_H

#include "acpi.h"
#include "hw/boards.h"
#include "hw/firmware/smbios.h"
#include "hw/nvram/fw_cfg.h"
#include "target/i386/cpu.h"

typedef struct Q35Smbios {
    SmbiosEntryPointType entry_point;     /* a property of the machine */
    GByteArray *tables;                   /* NULL: not built */
} Q35Smbios;

/* Builds s->tables, once. false: *errp. */
bool q35_smbios_build(Q35Smbios *s, const MachineState *ms,
                      const X86MemoryMap *map, Error **errp);
/* Gives them to firmware, and to whoever else reads files there. */
void q35_smbios_add_files(const Q35Smbios *s, FWCfgState *fw_cfg);
void q35_smbios_free(Q35Smbios *s);

/* Whether there is room for them without firmware. false: *errp. */
bool q35_tables_check(const AcpiConfig *acpi, const Q35Smbios *s, Error **errp);
/* Writes them to the guest; the address of the RSDP. */
uint64_t q35_tables_write(const AcpiConfig *acpi, const Q35Smbios *s);

#endif
