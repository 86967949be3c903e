/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The commands of the qtest protocol (qtest.h lists them). Each takes
 * its words, checks them all, then acts. Words come from a test program, which
 * may be wrong in any way; sizes are bounded before anything is allocated.
 */
#include "qemu/osdep.h"

#include "exec/address-spaces.h"
#include "hw/irq.h"
#include "hw/qdev-core.h"
#include "qemu/timer.h"
#include "sysemu/qtest.h"

#include "qtest-commands.h"
#include "qtest-irq.h"

#define QTEST_MAX_WORDS 8

/* @words: the arguments. @width: bytes, of commands that come in widths. */
typedef bool QTestFunc(char **words, unsigned width, GString *reply,
                       Error **errp);

typedef struct QTestCommand {
    const char *name;
    unsigned min_words;
    unsigned max_words;
    unsigned width;
    QTestFunc *fn;
} QTestCommand;

/* --- words --------------------------------------------------------------- */

static bool qtest_parse_number(const char *word, const char *what,
                               uint64_t *value, Error **errp)
{
    char *end;

    errno = 0;
    *value = g_ascii_strtoull(word, &end, 0);
    if (errno || end == word || *end) {
        error_setg(errp, "invalid %s '%.32s'", what, word);
        return false;
    }
    return true;
}

/* words[0] and [1]: a range that does not wrap, of at most @max bytes. */
static bool qtest_parse_range(char **words, uint64_t max, uint64_t *addr,
                              uint64_t *size, Error **errp)
{
    uint64_t end;

    if (!qtest_parse_number(words[0], "address", addr, errp) ||
        !qtest_parse_number(words[1], "size", size, errp)) {
        return false;
    }
    if (*size == 0 || *size > max) {
        error_setg(errp, "invalid size %s, expected 1 to %" PRIu64, words[1],
                   max);
        return false;
    }
    if (__builtin_add_overflow(*addr, *size - 1, &end)) {
        error_setg(errp, "range wraps around");
        return false;
    }
    return true;
}

/* "0x" and two digits for each of @size bytes. */
static bool qtest_parse_bytes(const char *word, uint8_t *data, uint64_t size,
                              Error **errp)
{
    if (strlen(word) != 2 + 2 * size || word[0] != '0' || word[1] != 'x') {
        error_setg(errp, "data does not match size");
        return false;
    }
    for (uint64_t i = 0; i < size; i++) {
        int high = g_ascii_xdigit_value(word[2 + 2 * i]);
        int low = g_ascii_xdigit_value(word[3 + 2 * i]);

        if (high < 0 || low < 0) {
            error_setg(errp, "data is not hexadecimal");
            return false;
        }
        data[i] = high << 4 | low;
    }
    return true;
}

/* --- ports and memory: one access of a width ------------------------------ */

/* Sets *answered to whether something did. */
static uint64_t qtest_load(AddressSpace *as, hwaddr addr, unsigned width,
                           bool *answered)
{
    MemTxResult result;
    uint64_t value = 0;

    switch (width) {
    case 1:
        value = address_space_ldub(as, addr, MEMTXATTRS_UNSPECIFIED, &result);
        break;
    case 2:
        value = address_space_lduw_le(as, addr, MEMTXATTRS_UNSPECIFIED,
                                      &result);
        break;
    case 4:
        value = address_space_ldl_le(as, addr, MEMTXATTRS_UNSPECIFIED,
                                     &result);
        break;
    default:
        value = address_space_ldq_le(as, addr, MEMTXATTRS_UNSPECIFIED,
                                     &result);
        break;
    }
    *answered = result == MEMTX_OK;
    return value;
}

static void qtest_store(AddressSpace *as, hwaddr addr, unsigned width,
                        uint64_t value)
{
    switch (width) {
    case 1:
        address_space_stb(as, addr, value, MEMTXATTRS_UNSPECIFIED, NULL);
        break;
    case 2:
        address_space_stw_le(as, addr, value, MEMTXATTRS_UNSPECIFIED, NULL);
        break;
    case 4:
        address_space_stl_le(as, addr, value, MEMTXATTRS_UNSPECIFIED, NULL);
        break;
    default:
        address_space_stq_le(as, addr, value, MEMTXATTRS_UNSPECIFIED, NULL);
        break;
    }
}

static bool qtest_parse_port(const char *word, unsigned width, uint64_t *port,
                             Error **errp)
{
    if (!qtest_parse_number(word, "port", port, errp)) {
        return false;
    }
    if (*port > 0x10000 - width) {
        error_setg(errp, "invalid port '%.32s'", word);
        return false;
    }
    return true;
}

static bool qtest_in(char **words, unsigned width, GString *reply,
                     Error **errp)
{
    uint64_t port, value;
    bool answered;

    if (!qtest_parse_port(words[0], width, &port, errp)) {
        return false;
    }
    value = qtest_load(&address_space_io, port, width, &answered);
    if (!answered) {
        value = MAKE_64BIT_MASK(0, width * 8);
    }
    g_string_append_printf(reply, " 0x%04" PRIx64, value);
    return true;
}

static bool qtest_out(char **words, unsigned width, GString *reply,
                      Error **errp)
{
    uint64_t port, value;

    if (!qtest_parse_port(words[0], width, &port, errp) ||
        !qtest_parse_number(words[1], "value", &value, errp)) {
        return false;
    }
    qtest_store(&address_space_io, port, width, value);
    return true;
}

static bool qtest_read_width(char **words, unsigned width, GString *reply,
                             Error **errp)
{
    uint64_t addr, value;
    bool answered;

    if (!qtest_parse_number(words[0], "address", &addr, errp)) {
        return false;
    }
    value = qtest_load(&address_space_memory, addr, width, &answered);
    g_string_append_printf(reply, " 0x%016" PRIx64, answered ? value : 0);
    return true;
}

static bool qtest_write_width(char **words, unsigned width, GString *reply,
                              Error **errp)
{
    uint64_t addr, value;

    if (!qtest_parse_number(words[0], "address", &addr, errp) ||
        !qtest_parse_number(words[1], "value", &value, errp)) {
        return false;
    }
    qtest_store(&address_space_memory, addr, width, value);
    return true;
}

/* --- memory: many bytes -------------------------------------------------- */

/* Reads words[0] .. + words[1]; the caller's. NULL: *errp. */
static uint8_t *qtest_read_range(char **words, uint64_t *size, Error **errp)
{
    uint64_t addr;
    uint8_t *data;

    if (!qtest_parse_range(words, QTEST_MAX_TRANSFER, &addr, size, errp)) {
        return NULL;
    }
    data = g_malloc0(*size);
    address_space_read(&address_space_memory, addr, MEMTXATTRS_UNSPECIFIED,
                       data, *size);
    return data;
}

static bool qtest_read_bytes(char **words, unsigned width, GString *reply,
                             Error **errp)
{
    static const char digits[] = "0123456789abcdef";
    uint64_t size;
    g_autofree uint8_t *data = qtest_read_range(words, &size, errp);

    if (!data) {
        return false;
    }
    g_string_append(reply, " 0x");
    for (uint64_t i = 0; i < size; i++) {
        g_string_append_c(reply, digits[data[i] >> 4]);
        g_string_append_c(reply, digits[data[i] & 15]);
    }
    return true;
}

static bool qtest_b64read(char **words, unsigned width, GString *reply,
                          Error **errp)
{
    uint64_t size;
    g_autofree uint8_t *data = qtest_read_range(words, &size, errp);
    g_autofree char *text = NULL;

    if (!data) {
        return false;
    }
    text = g_base64_encode(data, size);
    g_string_append_printf(reply, " %s", text);
    return true;
}

static bool qtest_write_bytes(char **words, unsigned width, GString *reply,
                              Error **errp)
{
    g_autofree uint8_t *data = NULL;
    uint64_t addr, size;

    if (!qtest_parse_range(words, QTEST_MAX_TRANSFER, &addr, &size, errp)) {
        return false;
    }
    data = g_malloc(size);
    if (!qtest_parse_bytes(words[2], data, size, errp)) {
        return false;
    }
    address_space_write(&address_space_memory, addr, MEMTXATTRS_UNSPECIFIED,
                        data, size);
    return true;
}

static bool qtest_b64write(char **words, unsigned width, GString *reply,
                           Error **errp)
{
    g_autofree uint8_t *data = NULL;
    g_autofree char *canonical = NULL;
    uint64_t addr, size;
    gsize decoded;

    if (!qtest_parse_range(words, QTEST_MAX_TRANSFER, &addr, &size, errp)) {
        return false;
    }
    data = g_base64_decode(words[2], &decoded);
    /* GLib skips what is no base64. */
    canonical = g_base64_encode(data, decoded);
    if (strcmp(canonical, words[2]) != 0 || decoded != size) {
        error_setg(errp, "data does not match size, or is no base64");
        return false;
    }
    address_space_write(&address_space_memory, addr, MEMTXATTRS_UNSPECIFIED,
                        data, size);
    return true;
}

static bool qtest_memset(char **words, unsigned width, GString *reply,
                         Error **errp)
{
    uint64_t addr, size, value;

    if (!qtest_parse_range(words, QTEST_MAX_FILL, &addr, &size, errp) ||
        !qtest_parse_number(words[2], "value", &value, errp)) {
        return false;
    }
    address_space_set(&address_space_memory, addr, value, size,
                      MEMTXATTRS_UNSPECIFIED);
    return true;
}

static bool qtest_endianness(char **words, unsigned width, GString *reply,
                             Error **errp)
{
    g_string_append(reply, " little");
    return true;
}

/* --- the clock ----------------------------------------------------------- */

/* Moves the virtual clock to @dest, running the timers on the way. */
static bool qtest_clock_move(int64_t dest, GString *reply, Error **errp)
{
    if (!qtest_enabled()) {
        error_setg(errp, "the clock needs -accel qtest");
        return false;
    }
    qemu_clock_warp(dest);
    g_string_append_printf(reply, " %" PRIi64,
                           qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL));
    return true;
}

static bool qtest_parse_ns(const char *word, int64_t *ns, Error **errp)
{
    uint64_t value;

    if (!qtest_parse_number(word, "time", &value, errp)) {
        return false;
    }
    if (value > INT64_MAX) {
        error_setg(errp, "invalid time '%.32s'", word);
        return false;
    }
    *ns = value;
    return true;
}

static bool qtest_clock_step(char **words, unsigned width, GString *reply,
                             Error **errp)
{
    int64_t now = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
    int64_t ns, dest;

    if (words[0]) {
        if (!qtest_parse_ns(words[0], &ns, errp)) {
            return false;
        }
    } else {
        ns = MAX(qemu_clock_deadline_ns(QEMU_CLOCK_VIRTUAL), 0);
    }
    if (__builtin_add_overflow(now, ns, &dest)) {
        error_setg(errp, "the clock would overflow");
        return false;
    }
    return qtest_clock_move(dest, reply, errp);
}

static bool qtest_clock_set(char **words, unsigned width, GString *reply,
                            Error **errp)
{
    int64_t ns;

    return qtest_parse_ns(words[0], &ns, errp) &&
           qtest_clock_move(ns, reply, errp);
}

/* --- interrupt lines ----------------------------------------------------- */

static bool qtest_irq_intercept_in(char **words, unsigned width,
                                   GString *reply, Error **errp)
{
    return qtest_irq_intercept(words[0], false, errp);
}

static bool qtest_irq_intercept_out(char **words, unsigned width,
                                    GString *reply, Error **errp)
{
    return qtest_irq_intercept(words[0], true, errp);
}

static NamedGPIOList *qtest_find_gpios(DeviceState *dev, const char *name)
{
    NamedGPIOList *list;

    if (!strcmp(name, "unnamed-gpio-in")) {
        name = NULL;
    }
    QLIST_FOREACH(list, &dev->gpios, node) {
        if (!g_strcmp0(list->name, name)) {
            return list;
        }
    }
    return NULL;
}

static bool qtest_set_irq_in(char **words, unsigned width, GString *reply,
                             Error **errp)
{
    DeviceState *dev = (DeviceState *)object_dynamic_cast(
        object_resolve_path(words[0], NULL), TYPE_DEVICE);
    NamedGPIOList *list;
    uint64_t n, level;

    if (!dev) {
        error_setg(errp, "Unknown device");
        return false;
    }
    if (!qtest_parse_number(words[2], "line", &n, errp) ||
        !qtest_parse_number(words[3], "level", &level, errp)) {
        return false;
    }
    list = qtest_find_gpios(dev, words[1]);
    if (!list || n >= (uint64_t)list->num_in) {
        error_setg(errp, "Unknown line");
        return false;
    }
    qemu_set_irq(list->in[n], level != 0);
    return true;
}

/* --- the table ----------------------------------------------------------- */

static const QTestCommand qtest_commands[] = {
    { "inb", 1, 1, 1, qtest_in },
    { "inw", 1, 1, 2, qtest_in },
    { "inl", 1, 1, 4, qtest_in },
    { "outb", 2, 2, 1, qtest_out },
    { "outw", 2, 2, 2, qtest_out },
    { "outl", 2, 2, 4, qtest_out },
    { "readb", 1, 1, 1, qtest_read_width },
    { "readw", 1, 1, 2, qtest_read_width },
    { "readl", 1, 1, 4, qtest_read_width },
    { "readq", 1, 1, 8, qtest_read_width },
    { "writeb", 2, 2, 1, qtest_write_width },
    { "writew", 2, 2, 2, qtest_write_width },
    { "writel", 2, 2, 4, qtest_write_width },
    { "writeq", 2, 2, 8, qtest_write_width },
    { "read", 2, 2, 0, qtest_read_bytes },
    { "write", 3, 3, 0, qtest_write_bytes },
    { "b64read", 2, 2, 0, qtest_b64read },
    { "b64write", 3, 3, 0, qtest_b64write },
    { "memset", 3, 3, 0, qtest_memset },
    { "endianness", 0, 0, 0, qtest_endianness },
    { "clock_step", 0, 1, 0, qtest_clock_step },
    { "clock_set", 1, 1, 0, qtest_clock_set },
    { "irq_intercept_in", 1, 1, 0, qtest_irq_intercept_in },
    { "irq_intercept_out", 1, 1, 0, qtest_irq_intercept_out },
    { "set_irq_in", 4, 4, 0, qtest_set_irq_in },
};

static const QTestCommand *qtest_find_command(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(qtest_commands); i++) {
        if (!strcmp(qtest_commands[i].name, name)) {
            return &qtest_commands[i];
        }
    }
    return NULL;
}

/* Splits @line in place; the number of words, or QTEST_MAX_WORDS if there are
 * as many or more. @words ends with NULL. */
static unsigned qtest_split(char *line, char *words[QTEST_MAX_WORDS + 1])
{
    unsigned n = 0;
    char *save = NULL;

    for (char *word = strtok_r(line, " \t\r", &save);
         word && n < QTEST_MAX_WORDS; word = strtok_r(NULL, " \t\r", &save)) {
        words[n++] = word;
    }
    words[n] = NULL;
    return n;
}

bool qtest_command(char *line, GString *reply, Error **errp)
{
    char *words[QTEST_MAX_WORDS + 1];
    unsigned n = qtest_split(line, words);
    const QTestCommand *cmd;

    if (n == 0) {
        error_setg(errp, "empty line");
        return false;
    }
    cmd = qtest_find_command(words[0]);
    if (!cmd) {
        error_setg(errp, "Unknown command '%.32s'", words[0]);
        return false;
    }
    if (n - 1 < cmd->min_words || n - 1 > cmd->max_words) {
        error_setg(errp, "%s: wrong number of arguments", cmd->name);
        return false;
    }
    return cmd->fn(words + 1, cmd->width, reply, errp);
}
