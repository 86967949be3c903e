/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What users may name things (qemu/id.h). */
#include "qemu/osdep.h"

#include "qemu/id.h"

bool id_wellformed(const char *id)
{
    if (!id || !g_ascii_isalpha(*id)) {
        return false;
    }
    while (g_ascii_isalnum(*id) || (*id && strchr("-._", *id))) {
        id++;
    }
    return !*id;
}
