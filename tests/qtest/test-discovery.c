/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a management program finds out what the emulator can do, as libvirt
 * does: a machine without anything, and questions. That replies fit the schema
 * is libqtest's matter; here it is what they say.
 */
#include <glib/gstdio.h>
#include <string.h>

#include "libqtest.h"
#include "qemu/units.h"

/* --- helpers ------------------------------------------------------------- */

/* The element of the list @node whose @key is @value; NULL: there is none. */
static JsonObject *find(JsonNode *node, const char *key, const char *value)
{
    JsonArray *list = json_node_get_array(node);

    for (guint i = 0; i < json_array_get_length(list); i++) {
        JsonObject *object = json_array_get_object_element(list, i);

        if (!strcmp(json_object_get_string_member(object, key), value)) {
            return object;
        }
    }
    return NULL;
}

static JsonNode *list_properties(QTestState *qts, const char *command,
                                 const char *type)
{
    return qmp_client_do(qtest_qmp(qts), "{'execute': '%s', 'arguments': "
                         "{'typename': '%s'}}", command, type);
}

/* --- without machine and accelerator ------------------------------------- */

/* libvirt's questions, in its order, of which any error ends its probing. */
static const char *const questions[] = {
    "query-version", "query-target", "query-qmp-schema", "query-commands",
    "query-kvm", "qom-list-types", "query-machines", "query-cpu-definitions",
    "query-tpm-models", "query-tpm-types", "query-migrate-capabilities",
};

static void test_probe_needs_no_accelerator(void)
{
    g_autofree char *dir = g_dir_make_tmp("discovery-XXXXXX", NULL);
    g_autofree char *socket = g_build_filename(dir, "qmp.monitor", NULL);
    g_autofree char *pidfile = g_build_filename(dir, "qmp.pid", NULL);
    g_autofree char *line = g_strdup_printf(
        "%s -S -no-user-config -nodefaults -nographic -machine "
        "none,accel=foo:tcg -qmp unix:%s,server=on,wait=off -pidfile %s "
        "-daemonize", g_getenv("QTEST_QEMU_BINARY"), socket, pidfile);
    g_autofree char *err_text = NULL;
    gint64 deadline = qtest_deadline();
    unsigned round = 0;
    QmpClient *c;
    int status;

    g_assert_true(g_spawn_command_line_sync(line, NULL, &err_text, &status,
                                            NULL));
    g_assert_cmpstr(err_text, ==, "");
    g_assert_cmpint(status, ==, 0);
    g_assert_true(g_file_test(pidfile, G_FILE_TEST_EXISTS));
    c = qmp_client_connect(socket);
    qmp_client_handshake(c);
    for (size_t i = 0; i < G_N_ELEMENTS(questions); i++) {
        json_node_unref(qmp_client_do(c, "{'execute': '%s'}", questions[i]));
    }
    json_node_unref(qmp_client_do(c, "{'execute': 'quit'}"));
    while (g_file_test(pidfile, G_FILE_TEST_EXISTS)) {
        g_assert_true(qtest_wait_more(deadline, &round));
    }
    qmp_client_free(c);
    g_assert_cmpint(g_rmdir(dir), ==, 0);
}

/* --- machines and CPUs --------------------------------------------------- */

static void test_machines_have_qemus_names(void)
{
    QTestState *qts = qtest_init("-M pc-q35-2.4 -m 64M");
    g_autoptr(JsonNode) machines = qmp_client_do(
        qtest_qmp(qts), "{'execute': 'query-machines'}");
    JsonObject *latest = find(machines, "name", "pc-q35-7.2");

    g_assert_nonnull(find(machines, "name", "none"));
    g_assert_nonnull(find(machines, "name", "pc-q35-5.2"));
    g_assert_nonnull(latest);
    g_assert_cmpstr(json_object_get_string_member(latest, "alias"), ==, "q35");
    g_assert_cmpstr(json_object_get_string_member(latest, "default-ram-id"),
                    ==, "pc.ram");
    g_assert_true(json_object_get_boolean_member(latest, "is-default"));
    qtest_quit(qts);
}

/* QEMU's test programs look for a machine of this name. */
static void test_tests_have_a_machine(void)
{
    QTestState *qts = qtest_init("-M pc -m 64M -device virtio-rng-pci,addr=4");
    g_autoptr(JsonNode) machines = qmp_client_do(
        qtest_qmp(qts), "{'execute': 'query-machines'}");

    g_assert_nonnull(find(machines, "name", "pc"));
    qtest_quit(qts);
}

/* -set adds to what came before it, and the last value counts. */
static void test_options_are_added_to(void)
{
    QTestState *qts = qtest_init(
        "-M q35 -m 64M -device pcie-root-port,id=rp0,chassis=1 "
        "-device pcie-root-port,id=rp1,chassis=2 "
        "-set device.rp1.chassis=7 -set device.rp1.x-speed=16");

    g_assert_cmpuint(qtest_qom_get_uint(qts, "/machine/peripheral/rp1",
                                        "chassis"), ==, 7);
    g_assert_cmpuint(qtest_qom_get_uint(qts, "/machine/peripheral/rp0",
                                        "chassis"), ==, 1);
    qtest_quit(qts);
}

/* Five CPUs of eight, two a core, two cores a socket, as @options say. */
static void check_places(const char *options)
{
    QTestState *qts = qtest_init("-m 64M %s", options);
    g_autoptr(JsonNode) cpus = qmp_client_do(
        qtest_qmp(qts), "{'execute': 'query-cpus-fast'}");
    g_autoptr(JsonNode) places = qmp_client_do(
        qtest_qmp(qts), "{'execute': 'query-hotpluggable-cpus'}");
    JsonArray *list = json_node_get_array(cpus);
    JsonArray *all = json_node_get_array(places);

    g_assert_cmpuint(json_array_get_length(list), ==, 5);
    g_assert_cmpuint(json_array_get_length(all), ==, 8);
    for (guint i = 0; i < 8; i++) {
        JsonObject *place = json_array_get_object_element(all, i);
        JsonObject *props = json_object_get_object_member(place, "props");

        g_assert_cmpint(json_object_get_int_member(props, "socket-id"), ==,
                        i / 4);
        g_assert_cmpint(json_object_get_int_member(props, "core-id"), ==,
                        i / 2 % 2);
        g_assert_cmpint(json_object_get_int_member(props, "thread-id"), ==,
                        i % 2);
        g_assert_cmpint(json_object_has_member(place, "qom-path"), ==, i < 5);
    }
    qtest_quit(qts);
}

static void test_cpus_have_places(void)
{
    check_places("-M q35 -smp 5,maxcpus=8,sockets=2,cores=2,threads=2");
    check_places("-M q35,smp.cpus=5,smp.maxcpus=8,smp.sockets=2,smp.cores=2,"
                 "smp.threads=2");
    check_places("-smp 5,threads=2 -M q35,smp.cpus=3,smp.maxcpus=8,"
                 "smp.sockets=2,smp.cores=2");
}

static void test_questions_change_nothing_without_a_machine(void)
{
    QTestState *qts = qtest_init("-nodefaults -machine none");
    g_autofree char *before = qtest_hmp(qts, "info qom-tree");
    g_autofree char *buses = qtest_hmp(qts, "info qtree");
    g_autofree char *after = NULL;

    qmp_client_expect_error(qtest_qmp(qts), "GenericError", "has no CPUs",
                            "{'execute': 'query-hotpluggable-cpus'}");
    g_assert_nonnull(strstr(buses, "main-system-bus"));
    after = qtest_hmp(qts, "info qom-tree");
    g_assert_cmpstr(before, ==, after);
    qtest_quit(qts);
}

static void test_no_machine_has_the_memory_that_is_asked_for(void)
{
    QTestState *qts = qtest_init("-nodefaults -machine none -m 3M");
    g_autoptr(JsonNode) backends = qmp_client_do(
        qtest_qmp(qts), "{'execute': 'query-memdev'}");
    JsonObject *ram = find(backends, "id", "ram");

    g_assert_nonnull(ram);
    g_assert_cmpint(json_object_get_int_member(ram, "size"), ==, 3 * MiB);
    qtest_writeq(qts, 3 * MiB - 8, 0x1122334455667788);
    g_assert_cmphex(qtest_readq(qts, 3 * MiB - 8), ==, 0x1122334455667788);
    qtest_quit(qts);
}

static void test_cpu_models_are_what_kvm_says(void)
{
    QTestState *qts = qtest_init("-M none");

    qmp_client_expect_error(
        qtest_qmp(qts), "GenericError", "no CPU model 'pentium'",
        "{'execute': 'query-cpu-model-expansion', 'arguments': "
        "{'type': 'full', 'model': {'name': 'pentium'}}}");
    qmp_client_expect_error(
        qtest_qmp(qts), "GenericError", "KVM tells, and it is not in use",
        "{'execute': 'query-cpu-model-expansion', 'arguments': "
        "{'type': 'full', 'model': {'name': 'host'}}}");
    qmp_client_expect_error(
        qtest_qmp(qts), "GenericError", "'type' does not accept value 'half'",
        "{'execute': 'query-cpu-model-expansion', 'arguments': "
        "{'type': 'half', 'model': {'name': 'host'}}}");
    qtest_quit(qts);
}

static void test_memory_backends_are_listed(void)
{
    QTestState *qts = qtest_init(
        "-M q35 -m 64M -object memory-backend-memfd,id=mem0,size=8M,share=off");
    g_autoptr(JsonNode) memdevs = qmp_client_do(
        qtest_qmp(qts), "{'execute': 'query-memdev'}");
    JsonObject *mem0 = find(memdevs, "id", "mem0");

    g_assert_nonnull(find(memdevs, "id", "pc.ram"));
    g_assert_cmpint(json_object_get_int_member(mem0, "size"), ==, 8 << 20);
    g_assert_false(json_object_get_boolean_member(mem0, "share"));
    g_assert_cmpstr(json_object_get_string_member(mem0, "policy"), ==,
                    "default");
    qtest_quit(qts);
}

static void test_chardevs_are_listed(void)
{
    QTestState *qts = qtest_init(
        "-M q35 -m 64M -chardev null,id=unused -chardev pty,id=console "
        "-serial chardev:console");
    g_autoptr(JsonNode) chardevs = qmp_client_do(
        qtest_qmp(qts), "{'execute': 'query-chardev'}");
    JsonObject *console = find(chardevs, "label", "console");

    g_assert_true(g_str_has_prefix(
        json_object_get_string_member(console, "filename"), "pty:/dev/pts/"));
    g_assert_true(json_object_get_boolean_member(console, "frontend-open"));
    g_assert_false(json_object_get_boolean_member(
        find(chardevs, "label", "unused"), "frontend-open"));
    qtest_quit(qts);
}

/* --- the object model ---------------------------------------------------- */

/* An error here makes libvirt crash, so there is an array for every class. */
static void test_every_class_lists_properties(void)
{
    QTestState *qts = qtest_init("-M none");
    g_autoptr(JsonNode) types = qmp_client_do(
        qtest_qmp(qts),
        "{'execute': 'qom-list-types', 'arguments': {'abstract': true}}");
    JsonArray *list = json_node_get_array(types);

    for (guint i = 0; i < json_array_get_length(list); i++) {
        JsonObject *type = json_array_get_object_element(list, i);

        json_node_unref(list_properties(
            qts, "qom-list-properties",
            json_object_get_string_member(type, "name")));
    }
    qtest_quit(qts);
}

static void test_interfaces_are_abstract(void)
{
    QTestState *qts = qtest_init("-M none");
    g_autoptr(JsonNode) types = qmp_client_do(
        qtest_qmp(qts), "{'execute': 'qom-list-types'}");

    g_assert_null(find(types, "name", "memory-device"));
    g_assert_null(find(types, "name", "user-creatable"));
    g_assert_nonnull(find(types, "name", "none-machine"));
    qtest_quit(qts);
}

static void check_type(const char *path, const char *type, QTestState *qts)
{
    g_autoptr(JsonNode) node = qmp_client_do(
        qtest_qmp(qts), "{'execute': 'qom-get', 'arguments': {'path': '%s', "
        "'property': 'type'}}", path);

    g_assert_cmpstr(json_node_get_string(node), ==, type);
}

static void test_every_object_tells_its_type(void)
{
    QTestState *qts = qtest_init("-M q35 -m 64M");

    check_type("/", "container", qts);
    check_type("/machine", "pc-q35-7.2-machine", qts);
    check_type("/machine/unattached/device[0]", "host-x86_64-cpu", qts);
    qtest_quit(qts);
}

static void test_device_properties_have_defaults(void)
{
    QTestState *qts = qtest_init("-M none");
    g_autoptr(JsonNode) properties = list_properties(
        qts, "device-list-properties", "virtio-mem-pci");

    g_assert_false(json_object_get_boolean_member(
        find(properties, "name", "multifunction"), "default-value"));
    g_assert_cmpint(json_object_get_int_member(
        find(properties, "name", "addr"), "default-value"), ==, -1);
    g_assert_cmpstr(json_object_get_string_member(
        find(properties, "name", "disable-legacy"), "default-value"), ==,
        "auto");
    /* One of the device within, and one that can only be read. */
    g_assert_true(json_object_get_boolean_member(
        find(properties, "name", "event_idx"), "default-value"));
    g_assert_nonnull(find(properties, "name", "size"));
    g_assert_null(find(properties, "name", "realized"));
    qtest_quit(qts);
}

/* libvirt looks for them before it uses a serial port, power management, the
 * timer's policy or PCI Express for virtio devices. */
static void test_devices_have_qemus_names(void)
{
    static const char *const wanted[][2] = {
        { "isa-serial", "chardev" }, { "isa-serial", "index" },
        { "ICH9-LPC", "disable_s3" }, { "ICH9-LPC", "disable_s4" },
        { "kvm-pit", "lost_tick_policy" },
        { "virtio-mem-pci-non-transitional", "memdev" },
        { "virtio-balloon-pci-non-transitional", "deflate-on-oom" },
    };
    QTestState *qts = qtest_init("-M none");

    for (size_t i = 0; i < G_N_ELEMENTS(wanted); i++) {
        g_autoptr(JsonNode) properties = list_properties(
            qts, "device-list-properties", wanted[i][0]);

        g_assert_nonnull(find(properties, "name", wanted[i][1]));
    }
    qtest_quit(qts);
}

static void test_options_are_listed_with_their_keys(void)
{
    QTestState *qts = qtest_init("-M none");
    g_autoptr(JsonNode) options = qmp_client_do(
        qtest_qmp(qts), "{'execute': 'query-command-line-options'}");
    g_autoptr(JsonNode) smp = qmp_client_do(
        qtest_qmp(qts), "{'execute': 'query-command-line-options', "
        "'arguments': {'option': 'smp-opts'}}");
    JsonObject *msg = find(options, "option", "msg");
    JsonObject *key = json_array_get_object_element(
        json_object_get_array_member(msg, "parameters"), 0);

    g_assert_cmpstr(json_object_get_string_member(key, "name"), ==,
                    "timestamp");
    g_assert_cmpstr(json_object_get_string_member(key, "type"), ==, "boolean");
    g_assert_nonnull(find(options, "option", "machine"));
    g_assert_null(find(options, "option", "vnc"));
    g_assert_cmpuint(json_array_get_length(json_node_get_array(smp)), ==, 1);
    qmp_client_expect_error(
        qtest_qmp(qts), "GenericError", "invalid option name: foo",
        "{'execute': 'query-command-line-options', 'arguments': "
        "{'option': 'foo'}}");
    qtest_quit(qts);
}

/* What -machine says holds for backends that do not say otherwise. */
static void test_machine_says_what_backends_do(void)
{
    QTestState *qts = qtest_init(
        "-M q35,mem-merge=off,dump_guest_core=off,kernel_irqchip=on,acpi=on "
        "-m 64M -object memory-backend-ram,id=mem0,size=2M,dump=on "
        "-chardev null,id=c -mon chardev=c,id=monitor,mode=control "
        "-audiodev driver=none,id=a -action panic=pause -msg timestamp=on");
    g_autoptr(JsonNode) memdevs = qmp_client_do(
        qtest_qmp(qts), "{'execute': 'query-memdev'}");
    JsonObject *ram = find(memdevs, "id", "pc.ram");

    g_assert_false(json_object_get_boolean_member(ram, "merge"));
    g_assert_false(json_object_get_boolean_member(ram, "dump"));
    g_assert_true(json_object_get_boolean_member(
        find(memdevs, "id", "mem0"), "dump"));
    qtest_quit(qts);
}

/* @name of /machine. */
static JsonNode *machine_property(QTestState *qts, const char *name)
{
    return qmp_client_do(qtest_qmp(qts), "{'execute': 'qom-get', 'arguments': "
                         "{'path': '/machine', 'property': '%s'}}", name);
}

static int64_t machine_number(QTestState *qts, const char *name,
                              const char *member)
{
    g_autoptr(JsonNode) node = machine_property(qts, name);

    return json_object_get_int_member(json_node_get_object(node), member);
}

static void test_machine_tells_what_options_said(void)
{
    QTestState *qts = qtest_init("-M q35 -m 64M,slots=2,maxmem=1G "
                                 "-smp 2,maxcpus=4,cores=2 "
                                 "-boot order=cn,strict=on,reboot-timeout=9");
    g_autoptr(JsonNode) boot = machine_property(qts, "boot");
    g_autoptr(JsonNode) backend = machine_property(qts, "memory-backend");

    g_assert_cmpint(machine_number(qts, "memory", "size"), ==, 64 * MiB);
    g_assert_cmpint(machine_number(qts, "memory", "max-size"), ==, GiB);
    g_assert_cmpint(machine_number(qts, "memory", "slots"), ==, 2);
    g_assert_cmpint(machine_number(qts, "smp", "cpus"), ==, 2);
    g_assert_cmpint(machine_number(qts, "smp", "sockets"), ==, 2);
    g_assert_cmpint(machine_number(qts, "boot", "reboot-timeout"), ==, 9);
    g_assert_cmpstr(json_object_get_string_member(json_node_get_object(boot),
                                                  "order"), ==, "cn");
    g_assert_cmpstr(json_node_get_string(backend), ==, "/objects/pc.ram");
    qtest_quit(qts);
}

/* What the machine has and has not can be said again, and not changed. */
static void test_fixed_properties_take_what_holds(void)
{
    static const struct {
        const char *name, *value, *refusal;
    } cases[] = {
        { "usb", "false", NULL },
        { "usb", "true", "usb=on: not supported; possible: off" },
        { "acpi", "'on'", NULL },
        { "acpi", "'auto'", NULL },
        { "acpi", "'off'", "acpi=off: not supported; possible: on" },
        { "vmport", "'auto'", NULL },
        { "vmport", "'on'", "vmport=on: not supported; possible: off" },
        { "vmport", "'maybe'", "does not accept value 'maybe'" },
        { "vmport", "1", "Invalid parameter type for 'vmport', expected: string" },
    };
    QTestState *qts = qtest_init("-M q35,sata=off,smbus=off,pit=on,pic=on,"
                                 "i8042=off,smm=auto -m 64M");

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *command = g_strdup_printf(
            "{'execute': 'qom-set', 'arguments': {'path': '/machine', "
            "'property': '%s', 'value': %s}}", cases[i].name, cases[i].value);

        if (cases[i].refusal) {
            qmp_client_expect_error(qtest_qmp(qts), "GenericError",
                                    cases[i].refusal, "%s", command);
        } else {
            json_node_unref(qmp_client_do(qtest_qmp(qts), "%s", command));
        }
    }
    qtest_quit(qts);
}

/* --- what there is none of ----------------------------------------------- */

static void test_what_there_is_none_of_is_an_empty_list(void)
{
    static const char *const commands[] = {
        "query-block", "query-named-block-nodes", "query-blockstats",
        "query-jobs", "query-iothreads", "query-tpm",
    };
    QTestState *qts = qtest_init("-M q35 -m 64M");

    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
        g_autoptr(JsonNode) list = qmp_client_do(
            qtest_qmp(qts), "{'execute': '%s'}", commands[i]);

        g_assert_cmpuint(json_array_get_length(json_node_get_array(list)), ==,
                         0);
    }
    qtest_quit(qts);
}

static void test_migration_capabilities_are_checked(void)
{
    QTestState *qts = qtest_init("-M q35 -m 64M");
    g_autoptr(JsonNode) list = NULL;

    json_node_unref(qmp_client_do(
        qtest_qmp(qts), "{'execute': 'migrate-set-capabilities', 'arguments': "
        "{'capabilities': [{'capability': 'events', 'state': true}]}}"));
    qmp_client_expect_error(
        qtest_qmp(qts), "GenericError", "does not accept value 'xbzrle'",
        "{'execute': 'migrate-set-capabilities', 'arguments': "
        "{'capabilities': [{'capability': 'xbzrle', 'state': true}]}}");
    list = qmp_client_do(qtest_qmp(qts),
                         "{'execute': 'query-migrate-capabilities'}");
    g_assert_true(json_object_get_boolean_member(
        find(list, "capability", "events"), "state"));
    qtest_quit(qts);
}

#define ADD(path, fn) g_test_add_func("/discovery/" path, fn)

int main(int argc, char **argv)
{
    qtest_main_init(&argc, &argv);
    qtest_needs(QTEST_NEEDS_SPARSEVM);
    ADD("probe-needs-no-accelerator", test_probe_needs_no_accelerator);
    ADD("machines-have-qemus-names", test_machines_have_qemus_names);
    ADD("tests-have-a-machine", test_tests_have_a_machine);
    ADD("options-are-added-to", test_options_are_added_to);
    ADD("cpus-have-places", test_cpus_have_places);
    ADD("questions-change-nothing-without-a-machine",
        test_questions_change_nothing_without_a_machine);
    ADD("no-machine-has-the-memory-that-is-asked-for",
        test_no_machine_has_the_memory_that_is_asked_for);
    ADD("cpu-models-are-what-kvm-says", test_cpu_models_are_what_kvm_says);
    ADD("memory-backends-are-listed", test_memory_backends_are_listed);
    ADD("chardevs-are-listed", test_chardevs_are_listed);
    ADD("every-class-lists-properties", test_every_class_lists_properties);
    ADD("interfaces-are-abstract", test_interfaces_are_abstract);
    ADD("every-object-tells-its-type", test_every_object_tells_its_type);
    ADD("device-properties-have-defaults",
        test_device_properties_have_defaults);
    ADD("devices-have-qemus-names", test_devices_have_qemus_names);
    ADD("machine-tells-what-options-said", test_machine_tells_what_options_said);
    ADD("fixed-properties-take-what-holds", test_fixed_properties_take_what_holds);
    ADD("options-are-listed-with-their-keys",
        test_options_are_listed_with_their_keys);
    ADD("machine-says-what-backends-do", test_machine_says_what_backends_do);
    ADD("what-there-is-none-of-is-an-empty-list",
        test_what_there_is_none_of_is_an_empty_list);
    ADD("migration-capabilities-are-checked",
        test_migration_capabilities_are_checked);
    return g_test_run();
}
