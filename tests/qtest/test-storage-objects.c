/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Objects that the storage daemon's nodes name: secrets, TLS credentials, limits. A
 * program between the emulator and QEMU's daemon notes what the daemon is told.
 */
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli.h"
#include "storage-daemon.h"

#define ERR "GenericError"
#define ADD_OBJECT "{'execute': 'object-add', 'arguments': {'id': 'o', %s}}"
#define DEL_OBJECT "{'execute': 'object-del', 'arguments': {'id': '%s'}}"
#define ADD "{'execute': 'blockdev-add', 'arguments': {'node-name': 'n', %s}}"
#define DEL "{'execute': 'blockdev-del', 'arguments': {'node-name': '%s'}}"
#define SET "{'execute': 'qom-set', 'arguments': {'path': '/objects/o', "         \
    "'property': 'limits', 'value': {%s}}}"
#define THROTTLED "'driver': 'throttle', 'throttle-group': 'o', "                \
    "'file': {'driver': 'null-co'}"

/* All that it hears goes to the file "said". What has the text of the file "refuse" is
 * answered by an error. */
static const char recorder[] =
    "for line in client.makefile():\n"
    "    open(DIR + '/said', 'a').write(line)\n"
    "    try: text = open(DIR + '/refuse').read()\n"
    "    except OSError: text = line + '!'\n"
    "    if text in line:\n"
    "        client.sendall(b'{\"error\": {\"desc\": \"I do not want to\"}}\\n')\n"
    "    else:\n"
    "        ours.sendall(line.encode())\n";

typedef struct Fixture {
    QStandIn daemon;
    QTestState *qts;
} Fixture;

static void begin(Fixture *f)
{
    qstand_in_begin(&f->daemon, recorder);
}

/* Something has the daemon started; @args, too. */
static void start(Fixture *f, const char *args)
{
    f->qts = qtest_init("-M q35 -m 256M -blockdev driver=null-co,node-name=none "
                        "%s", args);
}

static void finish(Fixture *f)
{
    qtest_quit(f->qts);
    qstand_in_end(&f->daemon);
}

static void do_qmp(Fixture *f, const char *fmt, const char *arg)
{
    json_node_unref(qmp_client_do(qtest_qmp(f->qts), fmt, arg));
}

static void expect_error(Fixture *f, const char *part, const char *fmt,
                         const char *arg)
{
    g_autoptr(GString) text = g_string_new(NULL);

    g_string_printf(text, fmt, arg);
    qmp_client_expect_error(qtest_qmp(f->qts), ERR, part, "%s", text->str);
}

/*
 * Asserts that the daemon has been told all @parts, in this order, since it was
 * asked last. What is told without waiting comes before an answer to another
 * question.
 */
static void assert_told(Fixture *f, const char *const *parts)
{
    g_autofree char *path = qstand_in_file(&f->daemon, "said");
    g_autofree char *said = NULL;
    const char *at;

    do_qmp(f, "{'execute': '%s'}", "query-named-block-nodes");
    g_assert_true(g_file_get_contents(path, &said, NULL, NULL));
    at = said;
    for (; *parts; parts++) {
        const char *found = strstr(at, *parts);

        if (!found) {
            g_error("'%s' is not, or not at its place, in\n%s", *parts, said);
        }
        at = found + strlen(*parts);
    }
    g_unlink(path);
}
#define TOLD(f, ...) assert_told(f, (const char *const[]) { __VA_ARGS__, NULL })

/* --- limits --- */

static void test_limits(void)
{
    Fixture f;

    begin(&f);
    start(&f, "-object throttle-group,id=o,x-bps-read=7,limits.iops-total=50 "
          "-blockdev driver=throttle,throttle-group=o,node-name=n,"
          "file.driver=null-co");
    TOLD(&f, "object-add", "\"bps-read\":7", "\"iops-total\":50", "blockdev-add",
         "throttle-group");
    do_qmp(&f, SET, "'iops-total': 60, 'iops-total-max': 90");
    TOLD(&f, "qom-set", "/objects/o", "\"bps-read\":7", "\"iops-total\":60",
         "\"iops-total-max\":90");
    expect_error(&f, "in use", DEL_OBJECT, "o");
    do_qmp(&f, DEL, "n");
    TOLD(&f, "blockdev-del", "object-del");
    do_qmp(&f, SET, "'iops-total': 70, 'iops-total-max': 0");
    do_qmp(&f, ADD, THROTTLED);
    TOLD(&f, "object-add", "\"iops-total\":70", "blockdev-add");
    do_qmp(&f, DEL, "n");
    do_qmp(&f, DEL_OBJECT, "o");
    finish(&f);
}

static void test_limits_that_are_refused(void)
{
    static const char *const bad[][2] = {
        { "'bps-total': 1, 'bps-write': 1", "exclude each other" },
        { "'iops-total-max': 9, 'iops-read-max': 9", "exclude each other" },
        { "'iops-read-max': 9", "needs iops-read" },
        { "'iops-read': 9, 'iops-read-max': 8", "cannot be slower" },
        { "'iops-read': 9, 'iops-read-max-length': 2", "iops-read-max-length=2" },
        { "'iops-read-max-length': 0", "iops-read-max-length=0" },
        { "'bps-read': 9, 'bps-read-max': 1000000000000000, "
          "'bps-read-max-length': 2", "too long" },
        { "'iops-size': 4096", "needs a limit of iops" },
        { "'bps-read': -1", "bps-read=-1" },
        { "'bps-read': 1000000000000001", "expected is a number from 0" },
        { "'bps-read': 'fast'", "bps-read" },
        { "'speed': 1", "'speed'" },
    };
    Fixture f;

    begin(&f);
    start(&f, "-object throttle-group,id=o");
    do_qmp(&f, ADD, THROTTLED);
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autofree char *limits = g_strdup_printf(
            "'qom-type': 'throttle-group', 'id': 'p', 'limits': {%s}", bad[i][0]);

        expect_error(&f, bad[i][1], SET, bad[i][0]);
        expect_error(&f, bad[i][1], "{'execute': 'object-add', 'arguments': {%s}}",
                     limits);
    }
    qmp_client_expect_error(
        qtest_qmp(f.qts), ERR, "cannot be set any more",
        "{'execute': 'qom-set', 'arguments': {'path': '/objects/o', "
        "'property': 'x-bps-read', 'value': 1}}");
    qstand_in_write(&f.daemon, "refuse", "qom-set", 0644);
    expect_error(&f, "I do not want to", SET, "'iops-total': 60");
    TOLD(&f, "qom-set");
    g_autoptr(JsonNode) limits = qmp_client_do(
        qtest_qmp(f.qts), "{'execute': 'qom-get', 'arguments': {'path': "
        "'/objects/o', 'property': 'limits'}}");
    g_assert_cmpint(json_object_get_int_member(json_node_get_object(limits),
                                               "iops-total"), ==, 0);
    finish(&f);
}

/* QEMU's way for a disk, by new and old names. */
static void test_limits_of_a_drive(void)
{
    Fixture f;
    g_autofree char *disk = NULL;
    g_autofree char *args = NULL;
    g_autofree char *megabyte = g_strnfill(1 << 20, 'x');

    begin(&f);
    qstand_in_write(&f.daemon, "disk", megabyte, 0644);
    disk = qstand_in_file(&f.daemon, "disk");
    args = g_strdup_printf("-drive file=%s,format=raw,id=d,iops_rd=5,cache=none,"
                           "throttling.bps-total=1000,throttling.group=g", disk);
    start(&f, args);
    TOLD(&f, "object-add", "\"id\":\"g\"", "\"bps-total\":1000", "\"iops-read\":5",
         "blockdev-add");
    do_qmp(&f, "{'execute': 'qom-get', 'arguments': {'path': '/objects/g', "
           "'property': '%s'}}", "limits");
    g_unlink(disk);
    finish(&f);
}

/* --- secrets --- */

/* Made by @command; the test is skipped where its program is not, or cannot. */
static bool run(Fixture *f, const char *command, const char *package)
{
    g_auto(GStrv) words = NULL;
    g_autofree char *program = NULL, *out = NULL, *err = NULL;
    int status = -1;

    g_assert_true(g_shell_parse_argv(command, NULL, &words, NULL));
    program = g_find_program_in_path(words[0]);
    if (!program) {
        g_autofree char *why = g_strdup_printf("%s is not installed (package %s)",
                                               words[0], package);

        g_test_skip(why);
        return false;
    }
    g_assert_true(g_spawn_sync(f->daemon.dir, words, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL,
                               &out, &err, &status, NULL));
    /* How often a key is hashed it finds out by a measurement. */
    if (status && strstr(err, "Unable to get accurate CPU usage")) {
        g_test_skip("qemu-img cannot measure how fast this machine is: it is busy");
        return false;
    }
    if (status) {
        g_error("%s: %s", command, err);
    }
    return true;
}

/* AES of "hello", with a key of 32 zeroes and an IV of 16. */
#define CIPHERTEXT "wjXeJNI54DzI43fGBPymew=="
#define ZEROES_16 "AAAAAAAAAAAAAAAAAAAAAA=="
#define ZEROES_32 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

#define SECRET "'qom-type': 'secret', "

/* The daemon has it while it opens the image, by QMP, and then no more. */
static void test_secrets(void)
{
    Fixture f;
    g_autofree char *luks = NULL, *cmdline = NULL, *text = NULL;
    gsize len;

    begin(&f);
    if (!run(&f, "qemu-img create -q -f luks --object secret,id=s,data=hello -o "
             "key-secret=s,iter-time=10 luks 1M", "qemu-utils")) {
        start(&f, "");
        finish(&f);
        return;
    }
    start(&f, "-object secret,id=o,data=hello");
    luks = g_strdup_printf("'driver': 'luks', 'key-secret': 'o', 'file': {"
                           "'driver': 'file', 'filename': '%s/luks'}", f.daemon.dir);
    do_qmp(&f, ADD, luks);
    TOLD(&f, "object-add", "hello", "blockdev-add", "object-del");
    cmdline = g_strdup_printf("/proc/%d/cmdline",
                              qprocess_child(qtest_pid(f.qts)));
    g_assert_true(g_file_get_contents(cmdline, &text, &len, NULL));
    g_assert_null(g_strstr_len(text, len, "hello"));
    do_qmp(&f, DEL, "n");

    /* Another one of the same name is another one. */
    do_qmp(&f, DEL_OBJECT, "o");
    do_qmp(&f, ADD_OBJECT, SECRET "'data': 'bye'");
    expect_error(&f, "Invalid password", ADD, luks);
    TOLD(&f, "object-add", "bye", "blockdev-add", "object-del");

    /* As libvirt has them: encrypted. */
    do_qmp(&f, DEL_OBJECT, "o");
    do_qmp(&f, "{'execute': 'object-add', 'arguments': {" SECRET "'id': 'master', "
           "'format': 'base64', 'data': '%s'}}", ZEROES_32);
    do_qmp(&f, ADD_OBJECT, SECRET "'format': 'base64', 'data': '" CIPHERTEXT "', "
           "'keyid': 'master', 'iv': '" ZEROES_16 "'");
    do_qmp(&f, ADD, luks);
    TOLD(&f, "object-add", "master", "object-add", "\"id\":\"o\"", "blockdev-add",
         "object-del", "\"id\":\"o\"", "object-del", "master");

    /* The daemon does not want it: it is nobody's afterwards. */
    do_qmp(&f, DEL, "n");
    qstand_in_write(&f.daemon, "refuse", "object-add", 0644);
    expect_error(&f, "I do not want to", ADD, luks);
    do_qmp(&f, DEL_OBJECT, "o");
    finish(&f);
}

/* --- TLS --- */

static void make_certificates(Fixture *f)
{
    static const char *const who[] = { "server", "client" };

    qstand_in_write(&f->daemon, "ca.t", "cn = ca\nca\ncert_signing_key\n", 0644);
    run(f, "certtool --generate-privkey --key-type=ecdsa --outfile ca-key.pem", "");
    run(f, "certtool --generate-self-signed --load-privkey ca-key.pem --template "
        "ca.t --outfile ca-cert.pem", "");
    for (size_t i = 0; i < G_N_ELEMENTS(who); i++) {
        g_autofree char *template = g_strdup_printf(
            "cn = localhost\ndns_name = localhost\ntls_www_%s\nsigning_key\n",
            who[i]);
        g_autofree char *key = g_strdup_printf(
            "certtool --generate-privkey --key-type=ecdsa --outfile %s-key.pem",
            who[i]);
        g_autofree char *certificate = g_strdup_printf(
            "certtool --generate-certificate --load-privkey %s-key.pem "
            "--load-ca-certificate ca-cert.pem --load-ca-privkey ca-key.pem "
            "--template t --outfile %s-cert.pem", who[i], who[i]);

        qstand_in_write(&f->daemon, "t", template, 0644);
        run(f, key, "");
        run(f, certificate, "");
    }
}

/* qemu-nbd with an empty disk. */
static GPid serve(Fixture *f, const char *type)
{
    g_autofree char *object = g_strdup_printf(
        "tls-creds-%s,id=t,endpoint=server,dir=%s", type, f->daemon.dir);
    g_autofree char *socket = qstand_in_file(&f->daemon, "nbd");
    g_autofree char *disk = qstand_in_file(&f->daemon, "disk");
    char *argv[] = { "qemu-nbd", "--object", object, "--tls-creds", "t", "-t",
                     "-f", "raw", "-k", socket, disk, NULL };
    gint64 deadline = qtest_deadline();
    g_autoptr(GError) err = NULL;
    unsigned round = 0;
    GPid pid;

    qstand_in_write(&f->daemon, "disk", "", 0644);
    g_assert_no_errno(truncate(disk, 1 << 20));
    g_spawn_async(NULL, argv, NULL,
                  G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_SEARCH_PATH, NULL, NULL,
                  &pid, &err);
    g_assert_no_error(err);
    while (!g_file_test(socket, G_FILE_TEST_EXISTS)) {
        g_assert_true(qtest_wait_more(deadline, &round));
    }
    return pid;
}

static void test_tls(gconstpointer type)
{
    bool x509 = !strcmp(type, "x509");
    g_autofree char *nbd = NULL, *plain = NULL, *object = NULL;
    Fixture f;
    GPid server;

    begin(&f);
    if (!run(&f, "qemu-nbd --version", "qemu-utils") ||
        !run(&f, x509 ? "certtool --version" : "psktool -u qemu -p keys.psk",
             "gnutls-bin")) {
        start(&f, "");
        finish(&f);
        return;
    }
    if (x509) {
        make_certificates(&f);
    }
    server = serve(&f, type);
    object = g_strdup_printf("-object tls-creds-%s,id=o,endpoint=client,dir=%s",
                             (const char *)type, f.daemon.dir);
    start(&f, object);
    plain = g_strdup_printf("'driver': 'nbd', 'server': {'type': 'unix', 'path': "
                            "'%s/nbd'}", f.daemon.dir);
    nbd = g_strdup_printf("%s, 'tls-creds': 'o'%s", plain,
                          x509 ? ", 'tls-hostname': 'localhost'" : "");
    expect_error(&f, "TLS", ADD, plain);
    do_qmp(&f, ADD, nbd);
    TOLD(&f, "object-add", (const char *)type, "blockdev-add", "object-del");
    do_qmp(&f, DEL_OBJECT, "o");
    do_qmp(&f, DEL, "n");
    expect_error(&f, "No tls-creds with id 'o'", ADD, nbd);
    kill(server, SIGTERM);
    waitpid(server, NULL, 0);
    finish(&f);
}

/* --- what is refused when they are made --- */

static const CliBadCase bad[] = {
    { QTEST_ARGS "-object tls-creds-x509,id=t", "dir= is missing|ca-cert.pem" },
    { QTEST_ARGS "-object tls-creds-psk,id=t,dir=/nowhere",
      "cannot be read|/nowhere/keys.psk" },
    { QTEST_ARGS "-object tls-creds-x509,id=t,dir=/nowhere,passwordid=s",
      "No secret with id 's'" },
    { QTEST_ARGS "-object tls-creds-psk,id=t,dir=/nowhere,endpoint=server",
      "endpoint=server|client" },
    { QTEST_ARGS "-object secret,id=s,data=x,keyid=k", "keyid= and iv= go together" },
    { QTEST_ARGS "-object secret,id=s,data=x,keyid=k,iv=AAAA", "iv=AAAA|16 bytes" },
    { QTEST_ARGS "-object secret,id=s,data=x,keyid=k,iv=" ZEROES_16,
      "No secret with id 'k'" },
    { QTEST_ARGS "-object throttle-group,id=t,x-iops-total=1,x-iops-read=1",
      "exclude each other" },
    { QTEST_ARGS "-object throttle-group,id=t,limits=1", "expected: object" },
};

static void test_bad_objects(void)
{
    cli_begin();
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        cli_check_refused(bad[i].args, bad[i].parts);
    }
    cli_end();
}

int main(int argc, char **argv)
{
    qtest_main_init(&argc, &argv);
    qtest_needs(QTEST_NEEDS_SPARSEVM);
    qstorage_daemon_needs();
    g_test_add_func("/storage-objects/limits", test_limits);
    g_test_add_func("/storage-objects/limits-refused",
                    test_limits_that_are_refused);
    g_test_add_func("/storage-objects/limits-of-a-drive", test_limits_of_a_drive);
    g_test_add_func("/storage-objects/secrets", test_secrets);
    g_test_add_data_func("/storage-objects/tls/x509", "x509", test_tls);
    g_test_add_data_func("/storage-objects/tls/psk", "psk", test_tls);
    g_test_add_func("/storage-objects/bad", test_bad_objects);
    return g_test_run();
}
