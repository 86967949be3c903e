/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers from 2^63 on (qapi/json-uint64.h): a string that begins with bytes
 * that no text in UTF-8 has, so that it is none of a client's or a guest's.
 */
#include "qemu/osdep.h"

#include "qapi/json-uint64.h"

#define MARK "\xff\xfeuint64:"

JsonNode *json_node_new_uint64(uint64_t value)
{
    JsonNode *node = json_node_alloc();
    g_autofree char *text = NULL;

    if (value <= INT64_MAX) {
        return json_node_init_int(node, value);
    }
    text = g_strdup_printf(MARK "%" PRIu64, value);
    return json_node_init_string(node, text);
}

/* How long the number at @text is that MARK and quotes enclose; 0: none is. */
static size_t marked_digits(const char *text)
{
    size_t n;

    if (strncmp(text, "\"" MARK, strlen("\"" MARK)) != 0) {
        return 0;
    }
    text += strlen("\"" MARK);
    n = strspn(text, "0123456789");
    return text[n] == '"' ? n : 0;
}

char *json_uint64_to_string(JsonNode *node, bool pretty)
{
    char *text = json_to_string(node, pretty);
    char *from = strstr(text, "\"" MARK), *to = from;

    while (from && *from) {
        size_t digits = marked_digits(from);

        if (digits) {
            memmove(to, from + strlen("\"" MARK), digits);
            from += strlen("\"" MARK) + digits + 1;
            to += digits;
        } else {
            *to++ = *from++;
        }
    }
    if (to) {
        *to = '\0';
    }
    return text;
}
