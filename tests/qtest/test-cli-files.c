/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files and sockets on the command line: one that cannot be used ends the program
 * with status 1 and one line, nothing is left behind, and nobody's is damaged.
 */
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "bzimage.h"
#include "cli.h"

/* A file of @size zero bytes beginning with @head, outside of cli_dir; g_free(). */
static char *make_file(const char *head, off_t size)
{
    g_autofree char *path = NULL;
    int fd = g_file_open_tmp("cli-XXXXXX", &path, NULL);

    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(write(fd, head, strlen(head)), ==, strlen(head));
    g_assert_no_errno(ftruncate(fd, size));
    close(fd);
    return g_steal_pointer(&path);
}

static void check_kernel(const char *head, off_t size)
{
    g_autofree char *path = make_file(head, size);
    g_autofree char *args = g_strdup_printf(QTEST_ARGS "-kernel %s", path);
    g_autofree char *parts = g_strdup_printf("-kernel|%s", path);

    cli_check_refused(args, parts);
    g_unlink(path);
}

static void test_kernels(void)
{
    static const CliBadCase cases[] = {
        { QTEST_ARGS "-kernel /no/such/kernel", "-kernel|/no/such/kernel" },
        { QTEST_ARGS "-kernel /", "-kernel /" },
        { QTEST_ARGS "-append quiet", "-append" },
        { QTEST_ARGS "-initrd /etc/passwd", "-initrd" },
    };

    cli_check_all(cases, G_N_ELEMENTS(cases));
    check_kernel("", 0);
    check_kernel("#!/bin/sh\n", 10);
    check_kernel("MZ", 100);
    check_kernel("MZ", 1 << 20);
    check_kernel("\177ELF", 1 << 20);
}

/* Of a kernel that lacks its end nothing must be started. */
static void test_kernels_cut_short(void)
{
    static const unsigned cuts[] = { 16, 17, 4096, 4100 };
    g_autofree char *kernel = bzimage_make();
    g_autofree char *args = g_strdup_printf(QTEST_ARGS "-kernel %s", kernel);
    GStatBuf st;

    g_assert_no_errno(g_stat(kernel, &st));
    for (unsigned i = 0; i < G_N_ELEMENTS(cuts); i++) {
        g_assert_no_errno(truncate(kernel, st.st_size - cuts[i]));
        cli_check_refused(args, "is cut short");
    }
    g_unlink(kernel);
}

static void test_initrds(void)
{
    g_autofree char *kernel = bzimage_make();
    g_autofree char *big = make_file("", 3LL << 30);
    g_autofree char *missing = g_strdup_printf(
        QTEST_ARGS "-kernel %s -initrd /no/such/initrd", kernel);
    g_autofree char *too_big = g_strdup_printf(
        QTEST_ARGS "-m 64M -kernel %s -initrd %s", kernel, big);
    g_autofree char *parts = g_strdup_printf("-initrd|%s", big);

    cli_check_refused(missing, "-initrd|/no/such/initrd");
    cli_check_refused(too_big, parts);
    g_unlink(kernel);
    g_unlink(big);
}

/* Not the kernel's fault, nor the end of the process by a signal. */
static void test_memory_without_pages(void)
{
    g_autofree char *kernel = bzimage_make();
    g_autofree char *free_pages = NULL;
    g_autofree char *args = g_strdup_printf(
        QTEST_ARGS "-kernel %s -m 64M -machine memory-backend=ram -object "
        "memory-backend-memfd,id=ram,size=64M,hugetlb=on,hugetlbsize=2M,"
        "reserve=off", kernel);

    g_file_get_contents("/sys/kernel/mm/hugepages/hugepages-2048kB/"
                        "free_hugepages", &free_pages, NULL, NULL);
    if (!free_pages || atoi(free_pages)) {
        g_test_skip("the host has huge pages to give, or does not know them");
    } else {
        cli_check_refused(args, "memory 'ram'|no huge page left");
    }
    g_unlink(kernel);
}

static void test_chardevs_and_monitors(void)
{
    static const CliBadCase cases[] = {
        { QTEST_ARGS "-chardev pigeon,id=a", "pigeon" },
        { QTEST_ARGS "-chardev null", "id" },
        { QTEST_ARGS "-chardev socket,id=a", "path" },
        { QTEST_ARGS "-chardev socket,id=a,path=/no/such/dir/s,server=on,"
          "wait=off", "/no/such/dir/s" },
        { QTEST_ARGS "-chardev null,id=a,wings=2", "wings" },
        { QTEST_ARGS "-chardev null,id=a -chardev null,id=a", "a" },
        { QTEST_ARGS "-mon chardev=nobody,mode=control", "nobody" },
        { QTEST_ARGS "-mon mode=control", "chardev" },
        { QTEST_ARGS "-chardev null,id=a -mon chardev=a,mode=loud", "mode" },
        { QTEST_ARGS "-chardev null,id=a -mon chardev=a,pretty=yes", "pretty" },
        { QTEST_ARGS "-chardev null,id=a -mon chardev=a,colour=red", "colour" },
        { QTEST_ARGS "-chardev null,id=a -mon a -mon a", "a" },
        { QTEST_ARGS "-qmp carrier:pigeon", "carrier:pigeon" },
        { QTEST_ARGS "-serial chardev:nobody", "nobody" },
        { QTEST_ARGS "-device isa-serial", "isa-serial|chardev= is missing" },
        { QTEST_ARGS "-chardev null,id=c -device isa-serial,chardev=c,index=4",
          "index=4|0 to 3" },
        { QTEST_ARGS "-chardev null,id=c -device isa-serial,chardev=c,irq=5",
          "irq=5|interrupt 4" },
        { QTEST_ARGS "-serial null -chardev null,id=c "
          "-device isa-serial,chardev=c,index=0", "index=0|already" },
        { QTEST_ARGS "-global ICH9-LPC.disable_s3=0", "disable_s3=0|possible: 1" },
        { QTEST_ARGS "-qtest unix:/no/such/socket", "/no/such/socket" },
        { QTEST_ARGS "-qtest null -qtest-log /no/such/dir/log",
          "/no/such/dir/log" },
        { QTEST_ARGS "-pidfile /no/such/dir/pid", "/no/such/dir/pid" },
    };

    cli_check_all(cases, G_N_ELEMENTS(cases));
}

/* A path that is too long for a socket's address. */
/* Files that are written: never by a link, never anything else than a file. */
static void test_files_that_are_none(void)
{
    static const char *const options[] = {
        "-pidfile %s", "-chardev file,id=c,path=%s",
        "-chardev file,id=c,append=on,path=%s",
        "-qtest null -qtest-log %s",
        "-object memory-backend-file,id=m,size=1M,mem-path=%s",
    };
    g_autofree char *dir = g_dir_make_tmp("files-XXXXXX", NULL);
    g_autofree char *victim = g_build_filename(dir, "victim", NULL);
    g_autofree char *link = g_build_filename(dir, "link", NULL);
    g_autofree char *fifo = g_build_filename(dir, "fifo", NULL);
    g_autofree char *text = NULL;

    g_assert_true(g_file_set_contents(victim, "precious", -1, NULL));
    g_assert_no_errno(symlink("victim", link));
    g_assert_no_errno(mkfifo(fifo, 0600));
    for (unsigned i = 0; i < G_N_ELEMENTS(options); i++) {
        const char *const paths[] = { link, fifo, "/dev/full" };

        for (unsigned j = 0; j < G_N_ELEMENTS(paths); j++) {
            g_autofree char *option = g_strdup_printf(options[i], paths[j]);
            g_autofree char *args = g_strconcat(QTEST_ARGS, option, NULL);

            cli_check_refused(args, paths[j]);
        }
    }
    g_assert_true(g_file_get_contents(victim, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, "precious");
    g_unlink(link);
    g_unlink(fifo);
    g_unlink(victim);
    g_rmdir(dir);
}

/* Whoever would listen there or connect to it, the file stays. */
static void test_socket_path_of_a_file(void)
{
    static const struct {
        const char *args, *why;
    } cases[] = {
        { "-chardev socket,id=c,server=on,wait=off,path=%s",
          "it exists, and is no socket" },
        { "-qmp unix:%s,server=on,wait=off", "it exists, and is no socket" },
        { "-netdev stream,id=n,server=on,addr.type=unix,addr.path=%s",
          "it exists, and is no socket" },
        { "-netdev dgram,id=n,remote.type=unix,remote.path=nobody,"
          "local.type=unix,local.path=%s", "exists, and is no socket" },
        { "-chardev socket,id=c,path=%s", "it is no socket" },
        { "-netdev stream,id=n,server=off,addr.type=unix,addr.path=%s",
          "it is no socket" },
        { "-device vfio-user-pci,socket=%s", "it is no socket" },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = make_file("x", 1);
        GString *args = g_string_new(QTEST_ARGS);

        g_string_append(args, cases[i].args);
        g_string_replace(args, "%s", path, 1);
        cli_check_refused(args->str, cases[i].why);
        g_assert_true(g_file_test(path, G_FILE_TEST_IS_REGULAR));
        g_unlink(path);
        g_string_free(args, true);
    }
}

static void test_daemons_without_a_terminal(void)
{
    static const CliBadCase cases[] = {
        { "-accel qtest -display none -daemonize -nographic", "-nographic" },
        { QTEST_ARGS "-daemonize -serial stdio", "stdio" },
        { QTEST_ARGS "-daemonize -serial mon:stdio", "stdio" },
        { QTEST_ARGS "-daemonize -qmp stdio", "stdio" },
        { QTEST_ARGS "-daemonize -monitor stdio", "stdio" },
        { QTEST_ARGS "-daemonize -chardev stdio,id=c", "stdio" },
    };

    cli_check_all(cases, G_N_ELEMENTS(cases));
}

static void test_overlong_socket_path(void)
{
    g_autofree char *name = g_strnfill(200, 'x');
    g_autofree char *args = g_strdup_printf(
        QTEST_ARGS "-qmp unix:/tmp/%s,server=on,wait=off", name);

    cli_check_refused(args, "xxxxxxxx");
    cli_assert_dir_empty(args);
}

/* What was made before a later option failed is gone again. */
static void test_nothing_is_left_behind(void)
{
    static const CliBadCase cases[] = {
        { QTEST_ARGS "-pidfile pid -qmp unix:qmp,server=on,wait=off "
          "-device warp-drive", "warp-drive" },
        { QTEST_ARGS "-pidfile pid -chardev socket,id=c,path=s,server=on,"
          "wait=off -mon chardev=nobody", "nobody" },
        { QTEST_ARGS MEM "-qmp unix:qmp,server=on,wait=off "
          "-object memory-backend-file,id=mem0,size=16M,mem-path=ram,"
          "share=on -device virtio-mem-pci,memdev=mem0,block-size=3M",
          "block-size" },
    };

    cli_check_refused(cases[0].args, cases[0].parts);
    cli_assert_dir_empty(cases[0].args);
    cli_check_refused(cases[1].args, cases[1].parts);
    cli_assert_dir_empty(cases[1].args);
    cli_check_refused(cases[2].args, cases[2].parts);
    /* The file is the user's, as with QEMU; the socket is not. */
    g_autofree char *ram = g_build_filename(cli_dir, "ram", NULL);
    g_unlink(ram);
    cli_assert_dir_empty(cases[2].args);
}

static void test_socket_in_use(void)
{
    g_autofree char *path = g_build_filename(cli_dir, "qmp", NULL);
    g_autofree char *args = g_strdup_printf(
        QTEST_ARGS "-qmp unix:%s,server=on,wait=off", path);
    QTestState *qts = qtest_init(
        "-m 64M -qmp unix:%s,server=on,wait=off", path);
    QmpClient *client;

    cli_check_refused(args, path);
    /* The one that is there still serves. */
    client = qmp_client_connect(path);
    qmp_client_handshake(client);
    qmp_client_free(client);
    qtest_quit(qts);
    cli_assert_dir_empty(args);
}

static void test_stale_socket_is_replaced(void)
{
    g_autofree char *path = g_build_filename(cli_dir, "qmp", NULL);
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    QTestState *qts;
    QmpClient *client;

    g_strlcpy(addr.sun_path, path, sizeof(addr.sun_path));
    g_assert_no_errno(bind(fd, (struct sockaddr *)&addr, sizeof(addr)));
    close(fd);
    qts = qtest_init("-m 64M -qmp unix:%s,server=on,wait=off", path);
    client = qmp_client_connect(path);
    qmp_client_handshake(client);
    qmp_client_free(client);
    qtest_quit(qts);
    cli_assert_dir_empty("stale socket");
}

static void test_pidfile_lives_as_long_as_the_process(void)
{
    g_autofree char *path = g_build_filename(cli_dir, "pid", NULL);
    QTestState *qts = qtest_init("-m 64M -pidfile %s", path);
    g_autofree char *text = NULL;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_assert_cmpint(atoi(text), ==, qtest_pid(qts));
    qtest_quit(qts);
    cli_assert_dir_empty("-pidfile");
}

int main(int argc, char **argv)
{
    int status;

    qtest_main_init(&argc, &argv);
    qtest_needs(QTEST_NEEDS_SPARSEVM);
    cli_begin();
    g_test_add_func("/cli-files/kernels", test_kernels);
    g_test_add_func("/cli-files/kernels-cut-short", test_kernels_cut_short);
    g_test_add_func("/cli-files/initrds", test_initrds);
    g_test_add_func("/cli-files/memory-without-pages", test_memory_without_pages);
    g_test_add_func("/cli-files/chardevs-and-monitors", test_chardevs_and_monitors);
    g_test_add_func("/cli-files/files-that-are-none", test_files_that_are_none);
    g_test_add_func("/cli-files/daemons-without-a-terminal",
                    test_daemons_without_a_terminal);
    g_test_add_func("/cli-files/socket-path-of-a-file", test_socket_path_of_a_file);
    g_test_add_func("/cli-files/overlong-socket-path", test_overlong_socket_path);
    g_test_add_func("/cli-files/nothing-is-left-behind", test_nothing_is_left_behind);
    g_test_add_func("/cli-files/socket-in-use", test_socket_in_use);
    g_test_add_func("/cli-files/stale-socket-is-replaced",
                    test_stale_socket_is_replaced);
    g_test_add_func("/cli-files/pidfile-lives-as-long-as-the-process",
                    test_pidfile_lives_as_long_as_the_process);
    status = g_test_run();
    cli_end();
    return status;
}
