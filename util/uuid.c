/* SPDX-License-Identifier: GPL-2.0-or-later */
/* UUIDs (qemu/uuid.h). What text is one, and random ones, are GLib's. */
#include "qemu/osdep.h"

#include "qemu/uuid.h"

static bool is_after_hyphen(unsigned byte)
{
    return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

int qemu_uuid_parse(const char *str, QemuUUID *uuid)
{
    if (!g_uuid_string_is_valid(str)) {
        return -1;
    }
    for (unsigned i = 0; i < sizeof(uuid->data); i++, str += 2) {
        str += is_after_hyphen(i);
        uuid->data[i] = g_ascii_xdigit_value(str[0]) << 4 |
                        g_ascii_xdigit_value(str[1]);
    }
    return 0;
}

char *qemu_uuid_unparse_strdup(const QemuUUID *uuid)
{
    GString *text = g_string_new(NULL);

    for (unsigned i = 0; i < sizeof(uuid->data); i++) {
        g_string_append_printf(text, is_after_hyphen(i) ? "-%02x" : "%02x",
                               uuid->data[i]);
    }
    return g_string_free(text, false);
}

void qemu_uuid_generate(QemuUUID *out)
{
    g_autofree char *text = g_uuid_string_random();

    qemu_uuid_parse(text, out);
}

QemuUUID qemu_uuid_bswap(QemuUUID uuid)
{
    static const uint8_t from[sizeof(uuid.data)] = {
        3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15,
    };
    QemuUUID swapped;

    for (unsigned i = 0; i < sizeof(from); i++) {
        swapped.data[i] = uuid.data[from[i]];
    }
    return swapped;
}
