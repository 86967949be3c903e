/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What -smbios has said, between the two files of this folder. */
#ifndef HW_SMBIOS_SMBIOS_ENTRIES_H
#define HW_SMBIOS_SMBIOS_ENTRIES_H

#include <json-glib/json-glib.h>

#include "hw/firmware/smbios.h"

/* Types that options describe are below. */
#define SMBIOS_OPTION_TYPES 18

struct SmbiosEntries {
    JsonObject *values[SMBIOS_OPTION_TYPES];  /* of text; NULL: not mentioned */
    GPtrArray *oem_strings;               /* type 11 */
    GPtrArray *files;                     /* GBytes: a structure each */
};

/* What was said of @name; NULL: nothing. @entries may be NULL in all of them. */
const char *smbios_text(const SmbiosEntries *entries, unsigned type,
                        const char *name);
/* The same as a number, or @value. */
uint64_t smbios_number(const SmbiosEntries *entries, unsigned type,
                       const char *name, uint64_t value);
/* Whether -smbios type=@type was given. */
bool smbios_is_wanted(const SmbiosEntries *entries, unsigned type);
/* Whether a file has a structure of @type, which then takes the place of ours. */
bool smbios_is_in_file(const SmbiosEntries *entries, unsigned type);

#endif
