/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See fuzz.h. */
#include "qemu/osdep.h"

#include "fuzz.h"

uint8_t fuzz_u8(FuzzInput *in)
{
    return in->at < in->end ? *in->at++ : 0;
}

uint16_t fuzz_u16(FuzzInput *in)
{
    uint16_t low = fuzz_u8(in);

    return low | fuzz_u8(in) << 8;
}

uint32_t fuzz_u32(FuzzInput *in)
{
    uint32_t low = fuzz_u16(in);

    return low | (uint32_t)fuzz_u16(in) << 16;
}

uint64_t fuzz_u64(FuzzInput *in)
{
    uint64_t low = fuzz_u32(in);

    return low | (uint64_t)fuzz_u32(in) << 32;
}

unsigned fuzz_below(FuzzInput *in, unsigned n)
{
    return fuzz_u8(in) % n;
}

uint64_t fuzz_number(FuzzInput *in)
{
    uint8_t kind = fuzz_u8(in);

    if (kind < 64) {                      /* a power of two */
        return 1ULL << kind;
    }
    if (kind < 128) {                     /* all bits below one */
        return (1ULL << (kind - 64)) - 1;
    }
    if (kind < 192) {                     /* all bits from one on */
        return -(1ULL << (kind - 128));
    }
    return kind < 224 ? fuzz_u8(in) : kind < 240 ? fuzz_u32(in) : fuzz_u64(in);
}

char *fuzz_text(FuzzInput *in, size_t max)
{
    size_t size = MIN(max, (size_t)(in->end - in->at));
    char *text = g_strndup((const char *)in->at, size);

    in->at += size;
    return text;
}

bool fuzz_names_a_file(const char *text)
{
    static const char *const harmless[] = { "/machine", "/objects" };

    for (const char *slash = text; (slash = strchr(slash, '/')); slash++) {
        bool known = false;

        for (size_t i = 0; i < G_N_ELEMENTS(harmless); i++) {
            known |= g_str_has_prefix(slash, harmless[i]);
        }
        if (!known && (slash == text || strchr("\"'=: ,", slash[-1]))) {
            return true;
        }
    }
    /* JSON can spell any of it in another way. */
    return strstr(text, "..") || strstr(text, "\\u") || strstr(text, "\\/");
}
