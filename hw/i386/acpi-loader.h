/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ACPI tables for firmware, which puts them where it likes: two files with the
 * tables and the RSDP, and one with the steps by which firmware places them, adds
 * their places to the addresses in them and sums them up. Its format is common to
 * SeaBIOS and OVMF.
 */
#ifndef HW_I386_ACPI_LOADER_H
#define HW_I386_ACPI_LOADER_H

#include "hw/nvram/fw_cfg.h"

#define ACPI_TABLES_FILE "etc/acpi/tables"
#define ACPI_RSDP_FILE "etc/acpi/rsdp"
#define ACPI_LOADER_FILE "etc/table-loader"

/* Sets the three files, which are there, in @s from what acpi_build() has made. */
void acpi_loader_set_files(FWCfgState *s, const GByteArray *block,
                           uint64_t rsdp);

#endif
