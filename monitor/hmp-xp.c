/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "xp": guest memory by its physical address, as numbers. Reads what a device
 * would read. A page of RAM that the host does not back may be backed then.
 */
#include "qemu/osdep.h"

#include "exec/address-spaces.h"
#include "monitor/hmp.h"
#include "qemu/cutils.h"

#define XP_MAX_BYTES (64 * 1024)
#define XP_LINE_BYTES 16

typedef struct XpFormat {
    uint64_t count;
    char radix;                           /* x, d, u or o */
    unsigned size;                        /* of an item, bytes */
} XpFormat;

static unsigned size_of_letter(char c)
{
    switch (c) {
    case 'b':
        return 1;
    case 'h':
        return 2;
    case 'w':
        return 4;
    case 'g':
        return 8;
    default:
        return 0;
    }
}

/* @text: "8xw", each part optional. */
static bool parse_format(const char *text, XpFormat *f, Error **errp)
{
    const char *p = text;

    if (g_ascii_isdigit(*p) && qemu_strtou64(p, &p, 10, &f->count)) {
        f->count = 0;
    }
    for (; *p; p++) {
        if (strchr("xduo", *p)) {
            f->radix = *p;
        } else if (size_of_letter(*p)) {
            f->size = size_of_letter(*p);
        } else {
            break;
        }
    }
    if (*p || f->count == 0 || f->count > XP_MAX_BYTES / f->size) {
        error_setg(errp, "/%s: expected is /COUNT, one of x d u o, and one of "
                   "b h w g for 1, 2, 4 or 8 bytes; at most %d bytes", text,
                   XP_MAX_BYTES);
        return false;
    }
    return true;
}

static void append_item(GString *out, const XpFormat *f, uint64_t value)
{
    unsigned shift = 64 - 8 * f->size;

    switch (f->radix) {
    case 'd':
        g_string_append_printf(out, " %" PRId64,
                               (int64_t)(value << shift) >> shift);
        break;
    case 'u':
        g_string_append_printf(out, " %" PRIu64, value);
        break;
    case 'o':
        g_string_append_printf(out, " %#" PRIo64, value);
        break;
    default:
        g_string_append_printf(out, " 0x%0*" PRIx64, 2 * (int)f->size, value);
        break;
    }
}

/* Who looks must not have the host back what the guest has not. */
static const MemTxAttrs attrs_looked_at = { .keep_unbacked = 1 };

static bool append_items(GString *out, const XpFormat *f, hwaddr addr,
                         Error **errp)
{
    for (uint64_t i = 0; i < f->count; i++, addr += f->size) {
        uint64_t value = 0;               /* little endian, as the guest is */

        if (address_space_read(&address_space_memory, addr, attrs_looked_at,
                               &value, f->size)) {
            error_setg(errp, "there is nothing to read at 0x%" PRIx64, addr);
            return false;
        }
        if (i % (XP_LINE_BYTES / f->size) == 0) {
            g_string_append_printf(out, "%s%016" PRIx64 ":", i ? "\n" : "",
                                   addr);
        }
        append_item(out, f, GUINT64_FROM_LE(value));
    }
    return true;
}

static void hmp_xp(GString *out, const char *args, Error **errp)
{
    g_auto(GStrv) words = g_strsplit(args, " ", 2);
    XpFormat f = { 1, 'x', 4 };
    const char *where = args;
    uint64_t addr;

    if (*args == '/' && words[1]) {
        if (!parse_format(words[0] + 1, &f, errp)) {
            return;
        }
        where = g_strstrip(words[1]);
    }
    if (qemu_strtou64(where, NULL, 0, &addr)) {
        error_setg(errp, "'%s' is no address; expected: [/FORMAT] ADDRESS",
                   where);
        return;
    }
    if (append_items(out, &f, addr, errp)) {
        g_string_append_c(out, '\n');
    }
}

static const HmpCommand hmp_xp_commands[] = {
    { "xp", "[/fmt] addr", "show guest memory at a physical address; fmt: "
      "count, x d u o, b h w g", hmp_xp },
};

static void hmp_xp_register(void)
{
    hmp_register_commands(hmp_xp_commands, ARRAY_SIZE(hmp_xp_commands));
}
type_init(hmp_xp_register)
