/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -readconfig: a file says what a command line could, and no more. */
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libqtest.h"

/* A file of @text; unlink() and g_free(). */
static char *write_config(const char *text)
{
    char *path = NULL;
    int fd = g_file_open_tmp("config-XXXXXX", &path, NULL);

    g_assert_cmpint(fd, >=, 0);
    close(fd);
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
    return path;
}

static void forget_config(char *path)
{
    unlink(path);
    g_free(path);
}

static const char machine[] =
    "# as a person writes it\n"
    "[memory]\n"
    "  size = \"64\"\n"
    "  maxmem = \"2G\"\n"
    "\n"
    "[smp-opts]\n"
    "  cpus=\"2\"\n"
    "[object \"mem0\"]\n"
    "  qom-type = \"memory-backend-memfd\"\n"
    "\tsize = \"128M\"   \n"
    "[device \"vm0\"]\n"
    "  driver = \"virtio-mem-pci\"\n"
    "  memdev = \"mem0\"\n"
    "[global]\n"
    "  property = \"block-size\"\n"
    "  value = \"4M\"\n"
    "  driver = \"virtio-mem\"\n"
    "[chardev \"log\"]\n"
    "  backend = \"null\"";

static void test_groups_are_options(void)
{
    char *path = write_config(machine);
    QTestState *qts = qtest_init("-nodefaults -m 128 -readconfig %s", path);
    QmpClient *qmp = qtest_qmp(qts);
    JsonNode *sizes = qmp_client_do(qmp, "{'execute': "
                                    "'query-memory-size-summary'}");
    JsonNode *cpus = qmp_client_do(qmp, "{'execute': 'query-cpus-fast'}");
    JsonNode *devices = qmp_client_do(qmp, "{'execute': "
                                      "'query-memory-devices'}");
    JsonObject *device = json_object_get_object_member(
        json_array_get_object_element(json_node_get_array(devices), 0), "data");

    /* What comes later replaces what came earlier. */
    g_assert_cmpint(json_object_get_int_member(json_node_get_object(sizes),
                                               "base-memory"), ==, 64 << 20);
    g_assert_cmpuint(json_array_get_length(json_node_get_array(cpus)), ==, 2);
    g_assert_cmpstr(json_object_get_string_member(device, "id"), ==, "vm0");
    g_assert_cmpint(json_object_get_int_member(device, "block-size"), ==,
                    4 << 20);
    json_node_unref(sizes);
    json_node_unref(cpus);
    json_node_unref(devices);
    qtest_quit(qts);
    forget_config(path);
}

/* Commas belong to a value. */
static void test_values_are_taken_as_they_are(void)
{
    char *path = write_config("[name]\n guest = \"a,process=b\"\n");
    QTestState *qts = qtest_init("-nodefaults -readconfig %s", path);
    JsonNode *name = qmp_client_do(qtest_qmp(qts), "{'execute': 'query-name'}");

    g_assert_cmpstr(json_object_get_string_member(json_node_get_object(name),
                                                  "name"), ==, "a,process=b");
    json_node_unref(name);
    qtest_quit(qts);
    forget_config(path);
}

static const struct {
    const char *text;
    const char *says;
} bad_files[] = {
    { "size = \"64\"\n", ":1: parse error" },
    { "[memory\n", ":1: parse error" },
    { "\n[]\n", ":2: parse error" },
    { "[device vm0]\n", ":1: parse error" },
    { "[device \"vm0]\n", ":1: parse error" },
    { "[memory]\nsize = 64\n", ":2: parse error" },
    { "[memory]\nsize = \"64\n", ":2: parse error" },
    { "[memory]\nsize\n", ":2: parse error" },
    { "[memory]\nsize = \"64\" x\n", ":2: parse error" },
    { "[wheel]\nround = \"yes\"\n", "wheel: invalid option" },
    { "[iscsi \"n\"]\nuser = \"x\"\n", "iscsi: not supported: sparsevm has" },
    { "[readconfig]\nfile = \"x\"\n", "readconfig: invalid option" },
    { "[nodefaults]\n", "nodefaults: invalid option" },
    { "[memory]\nsize = \"lots\"\n", "-m size=lots" },
};

static void check_refused(const char *path, const char *says)
{
    g_autofree char *line = g_strdup_printf(
        "%s -accel qtest -nodefaults -readconfig %s",
        g_getenv("QTEST_QEMU_BINARY"), path);
    g_autofree char *err = NULL;
    int status;

    g_assert_true(g_spawn_command_line_sync(line, NULL, &err, &status, NULL));
    g_assert_cmpint(status, ==, 1 << 8);
    if (!strstr(err, says) || strchr(err, '\n') != err + strlen(err) - 1) {
        g_error("'%s' is not one line that has '%s'", err, says);
    }
}

static void test_bad_files(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(bad_files); i++) {
        char *path = write_config(bad_files[i].text);

        check_refused(path, bad_files[i].says);
        forget_config(path);
    }
    check_refused("/nowhere/config",
                  "config file /nowhere/config: cannot be opened");
    check_refused("/tmp", "config file /tmp: it is not a regular file");
    check_refused("/dev/zero", "config file /dev/zero: it is not a regular file");
}

/* Nobody writes to it: whoever waited for that would wait for ever. */
static void test_fifo(void)
{
    g_autofree char *directory = g_dir_make_tmp("readconfig-XXXXXX", NULL);
    g_autofree char *fifo = g_build_filename(directory, "fifo", NULL);

    g_assert_cmpint(mkfifo(fifo, 0600), ==, 0);
    check_refused(fifo, "it is not a regular file");
    unlink(fifo);
    rmdir(directory);
}

static void test_large_file(void)
{
    g_autofree char *text = g_strnfill(1024 * 1024 + 1, '#');
    char *path = write_config(text);

    check_refused(path, "is larger than 1048576 bytes");
    forget_config(path);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qtest_needs(QTEST_NEEDS_SPARSEVM);
    g_test_add_func("/readconfig/groups-are-options", test_groups_are_options);
    g_test_add_func("/readconfig/values-are-taken-as-they-are",
                    test_values_are_taken_as_they_are);
    g_test_add_func("/readconfig/bad-files", test_bad_files);
    g_test_add_func("/readconfig/fifo", test_fifo);
    g_test_add_func("/readconfig/large-file", test_large_file);
    return g_test_run();
}
