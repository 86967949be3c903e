/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Commands for people on memory, CPUs and what is behind them. They ask the QMP
 * command and put its reply into words; the numbers are not their affair.
 */
#include "qemu/osdep.h"

#include "monitor/hmp.h"
#include "qemu/cutils.h"
#include "qemu/units.h"

typedef void PrintFunc(GString *out, JsonObject *object);

/* Prints each object of the list that the QMP command @name returns. */
static void print_list(GString *out, const char *name, PrintFunc *print,
                       Error **errp)
{
    g_autoptr(JsonNode) node = hmp_call_qmp(name, NULL, errp);
    JsonArray *list = node ? json_node_get_array(node) : NULL;

    for (guint i = 0; list && i < json_array_get_length(list); i++) {
        print(out, json_array_get_object_element(list, i));
    }
}

/* Prints the object that the QMP command @name returns. */
static void print_object(GString *out, const char *name, PrintFunc *print,
                         Error **errp)
{
    g_autoptr(JsonNode) node = hmp_call_qmp(name, NULL, errp);

    if (node) {
        print(out, json_node_get_object(node));
    }
}

static uint64_t number(JsonObject *object, const char *name)
{
    return (uint64_t)json_object_get_int_member_with_default(object, name, 0);
}

/* --- info ---------------------------------------------------------------- */

static void print_balloon(GString *out, JsonObject *info)
{
    g_string_append_printf(out, "balloon: actual=%" PRIu64 "\n",
                           number(info, "actual") / MiB);
}

static void hmp_info_balloon(GString *out, const char *args, Error **errp)
{
    print_object(out, "query-balloon", print_balloon, errp);
}

static void print_cpu(GString *out, JsonObject *cpu)
{
    g_string_append_printf(out, "CPU #%" PRIu64 ": thread_id=%" PRIu64 "\n",
                           number(cpu, "cpu-index"), number(cpu, "thread-id"));
}

static void hmp_info_cpus(GString *out, const char *args, Error **errp)
{
    print_list(out, "query-cpus-fast", print_cpu, errp);
}

static void print_memdev(GString *out, JsonObject *memdev)
{
    static const char *const flags[] = { "merge", "dump", "prealloc", "share",
                                         "reserve" };
    g_autofree char *size = size_to_str(number(memdev, "size"));

    g_string_append_printf(
        out, "memory backend: %s\n  size:  %" PRIu64 " (%s)\n",
        json_object_get_string_member_with_default(memdev, "id", ""),
        number(memdev, "size"), size);
    for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
        bool on = json_object_get_boolean_member_with_default(memdev, flags[i],
                                                              FALSE);

        g_string_append_printf(out, "  %s: %s\n", flags[i],
                               on ? "true" : "false");
    }
    g_string_append_printf(out, "  policy: %s\n",
                           json_object_get_string_member(memdev, "policy"));
}

static void hmp_info_memdev(GString *out, const char *args, Error **errp)
{
    print_list(out, "query-memdev", print_memdev, errp);
}

static void print_chardev(GString *out, JsonObject *chardev)
{
    g_string_append_printf(out, "%s: filename=%s\n",
                           json_object_get_string_member(chardev, "label"),
                           json_object_get_string_member(chardev, "filename"));
}

static void hmp_info_chardev(GString *out, const char *args, Error **errp)
{
    print_list(out, "query-chardev", print_chardev, errp);
}

static void print_uuid(GString *out, JsonObject *info)
{
    g_string_append_printf(out, "%s\n",
                           json_object_get_string_member(info, "UUID"));
}

static void hmp_info_uuid(GString *out, const char *args, Error **errp)
{
    print_object(out, "query-uuid", print_uuid, errp);
}

static void print_memory_size(GString *out, JsonObject *info)
{
    g_string_append_printf(out, "base memory: %" PRIu64 "\n",
                           number(info, "base-memory"));
    if (json_object_has_member(info, "plugged-memory")) {
        g_string_append_printf(out, "plugged memory: %" PRIu64 "\n",
                               number(info, "plugged-memory"));
    }
}

static void hmp_info_memory_size_summary(GString *out, const char *args,
                                         Error **errp)
{
    print_object(out, "query-memory-size-summary", print_memory_size, errp);
}

/* --- what changes something ---------------------------------------------- */

static bool parse_size(const char *text, bool mib, uint64_t *size, Error **errp)
{
    int err = mib ? qemu_strtosz_MiB(text, NULL, size)
                  : qemu_strtosz(text, NULL, size);

    if (err || *size > INT64_MAX) {
        error_setg(errp, "'%s' is no size: a number is expected, and a suffix "
                   "like M or G", text);
        return false;
    }
    return true;
}

static void call_and_forget(const char *name, JsonObject *args, Error **errp)
{
    JsonNode *node = hmp_call_qmp(name, args, errp);

    g_clear_pointer(&node, json_node_unref);
}

static void hmp_balloon(GString *out, const char *args, Error **errp)
{
    JsonObject *query;
    uint64_t size;

    if (parse_size(args, true, &size, errp)) {
        query = json_object_new();
        json_object_set_int_member(query, "value", (gint64)size);
        call_and_forget("balloon", query, errp);
    }
}

static void hmp_resize(GString *out, const char *args, Error **errp)
{
    g_auto(GStrv) words = g_strsplit_set(args, " \t", 2);
    JsonObject *query;
    uint64_t size;

    if (g_strv_length(words) != 2) {
        error_setg(errp, "expected: DEVICE SIZE");
        return;
    }
    if (!parse_size(g_strstrip(words[1]), false, &size, errp)) {
        return;
    }
    query = json_object_new();
    json_object_set_string_member(query, "path", words[0]);
    json_object_set_string_member(query, "property", "requested-size");
    json_object_set_int_member(query, "value", (gint64)size);
    call_and_forget("qom-set", query, errp);
}

static void hmp_dump_guest_memory(GString *out, const char *args, Error **errp)
{
    JsonObject *query;
    g_autofree char *protocol = g_strdup_printf("file:%s", args);

    if (!*args || *args == '-') {
        error_setg(errp, "expected: FILE");
        return;
    }
    query = json_object_new();
    json_object_set_boolean_member(query, "paging", FALSE);
    json_object_set_string_member(query, "protocol", protocol);
    call_and_forget("dump-guest-memory", query, errp);
}

static const HmpCommand hmp_query_commands[] = {
    { "balloon", "size", "ask the guest to keep so much boot RAM (without "
      "suffix: MiB) and give back the rest", hmp_balloon },
    { "resize", "device size", "ask the guest to plug so much of a virtio-mem "
      "device (4G, 512M)", hmp_resize },
    { "dump-guest-memory", "file", "write guest memory to a file, as ELF",
      hmp_dump_guest_memory },
};

static const HmpCommand hmp_query_info[] = {
    { "balloon", "", "show how much boot RAM the guest has",
      hmp_info_balloon },
    { "cpus", "", "show the virtual CPUs and their threads", hmp_info_cpus },
    { "memdev", "", "show the memory backends", hmp_info_memdev },
    { "chardev", "", "show the character devices", hmp_info_chardev },
    { "uuid", "", "show the VM's UUID", hmp_info_uuid },
    { "memory_size_summary", "", "show how much boot RAM there is, and how "
      "much is plugged", hmp_info_memory_size_summary },
};

static void hmp_queries_register(void)
{
    hmp_register_commands(hmp_query_commands, ARRAY_SIZE(hmp_query_commands));
    hmp_register_info(hmp_query_info, ARRAY_SIZE(hmp_query_info));
}
type_init(hmp_queries_register)
