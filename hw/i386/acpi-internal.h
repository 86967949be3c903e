/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files that build ACPI tables (hw/i386/acpi.h). Tables are appended
 * to a block of bytes, whose place in the guest is known. */
#ifndef HW_I386_ACPI_INTERNAL_H
#define HW_I386_ACPI_INTERNAL_H

#include "acpi.h"

typedef struct QEMU_PACKED AcpiHeader {
    char signature[4];
    uint32_t length;
    uint8_t revision;
    uint8_t checksum;                     /* makes all bytes sum up to 0 */
    char oem_id[6];
    char oem_table_id[8];
    uint32_t oem_revision;
    char creator_id[4];
    uint32_t creator_revision;
} AcpiHeader;

/* The guest-physical address of @data, which is copied to the end of @block. */
uint64_t acpi_append(GByteArray *block, const void *data, size_t size);
/* Starts a table whose fixed part is @table; its address. */
uint64_t acpi_table_begin(GByteArray *block, const char *signature,
                          uint8_t revision, void *table, size_t size);
/* Ends it: all that was appended since belongs to it. */
void acpi_table_end(GByteArray *block, uint64_t address);

/* acpi-numa.c. Their addresses. */
uint64_t acpi_build_srat(GByteArray *block, const AcpiConfig *config);
uint64_t acpi_build_slit(GByteArray *block, const NumaState *numa);
uint64_t acpi_build_hmat(GByteArray *block, const NumaState *numa);

#endif
