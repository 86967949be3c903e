/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line: whatever is wrong with it ends in status 1 and one line
 * that says what, and leaves nothing behind; help is printed and ends in 0.
 */
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bzimage.h"
#include "libqtest.h"
#include "tests/patience.h"

#define QTEST_ARGS "-accel qtest -display none -nodefaults "
#define MEM "-m 64M,maxmem=2G "
#define BACKEND "-object memory-backend-ram,id=mem0,size=256M "

typedef struct Run {
    int status;                           /* exit status; 124: had to be ended */
    char *out;
    char *err;
} Run;

static void run_clear(Run *run)
{
    g_free(run->out);
    g_free(run->err);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Run, run_clear)

/* A directory of the test's own, in which the emulator runs. */
static char *dir;

/* Runs the emulator, by @wrapper, with @args (split as a shell does) until it
 * ends. */
static Run run_by(const char *wrapper, const char *args)
{
    g_autofree char *line = g_strdup_printf(
        "timeout -k 1 %u %s %s %s", (unsigned)(patience_us() / G_USEC_PER_SEC) + 1,
        wrapper, g_getenv("QTEST_QEMU_BINARY"), args);
    g_auto(GStrv) argv = NULL;
    g_autoptr(GError) err = NULL;
    Run run = { 0 };
    int wait_status;

    g_shell_parse_argv(line, NULL, &argv, &err);
    g_assert_no_error(err);
    g_test_message("%s", line);
    g_spawn_sync(dir, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &run.out,
                 &run.err, &wait_status, &err);
    g_assert_no_error(err);
    if (!WIFEXITED(wait_status)) {
        g_error("%s: died of signal %d", line, WTERMSIG(wait_status));
    }
    run.status = WEXITSTATUS(wait_status);
    return run;
}

static Run run(const char *args)
{
    return run_by("", args);
}

static void assert_dir_empty(const char *args)
{
    g_autoptr(GDir) d = g_dir_open(dir, 0, NULL);
    const char *left = g_dir_read_name(d);

    if (left) {
        g_error("%s: left '%s' behind", args, left);
    }
}

/* @args must be refused with one line that holds each of @parts, which are
 * separated by '|'. */
static void check_refused_by(const char *wrapper, const char *args,
                             const char *parts)
{
    g_auto(Run) r = run_by(wrapper, args);
    g_auto(GStrv) part = g_strsplit(parts, "|", -1);

    if (r.status != 1) {
        g_error("%s: exit status %d, '%s'", args, r.status, r.err);
    }
    g_assert_cmpstr(r.out, ==, "");
    if (!g_str_has_prefix(r.err, "sparsevm: ") ||
        strchr(r.err, '\n') != r.err + strlen(r.err) - 1) {
        g_error("%s: this is not one line of the program's: '%s'", args, r.err);
    }
    for (char **p = part; *p; p++) {
        if (!strstr(r.err, *p)) {
            g_error("%s: '%s' does not hold '%s'", args, r.err, *p);
        }
    }
}

static void check_refused(const char *args, const char *parts)
{
    check_refused_by("", args, parts);
}

typedef struct BadCase {
    const char *args;
    const char *parts;
} BadCase;

static void check_all(const BadCase *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        check_refused(cases[i].args, cases[i].parts);
        assert_dir_empty(cases[i].args);
    }
}

/* --- options ------------------------------------------------------------- */

static void test_unknown_options(void)
{
    static const BadCase cases[] = {
        { "-frobnicate", "-frobnicate: invalid option" },
        { "--frobnicate=1", "--frobnicate=1" },
        { "image.qcow2", "image.qcow2" },
        { "-m", "-m|argument" },
        { QTEST_ARGS "-device", "-device|argument" },
        { QTEST_ARGS "-display gtk", "-display gtk" },
        { QTEST_ARGS "-vnc :0", "-vnc" },
        { QTEST_ARGS "-drive file=x", "-drive" },
    };

    check_all(cases, G_N_ELEMENTS(cases));
}

static void test_firmware_configuration(void)
{
    static const BadCase cases[] = {
        { QTEST_ARGS "-boot order=cx", "-boot|order=cx|abcdn" },
        { QTEST_ARGS "-boot cc", "order=cc|each once" },
        { QTEST_ARGS "-boot abcd", "order=abcd|at most 3" },
        { QTEST_ARGS "-boot menu=maybe", "menu=maybe|on or off" },
        { QTEST_ARGS "-boot reboot-timeout=65536", "65536|-1 to 65535" },
        { QTEST_ARGS "-boot splash-time=-1", "-1|0 to 65535" },
        { QTEST_ARGS "-boot once=d", "'once'|order, menu" },
        { QTEST_ARGS "-fw_cfg opt/a", "-fw_cfg|name=NAME|string=TEXT" },
        { QTEST_ARGS "-fw_cfg opt/a,string=b,file=c", "name=NAME" },
        { QTEST_ARGS "-fw_cfg opt/a,string=b,gen_id=c", "name=NAME" },
        { QTEST_ARGS "-fw_cfg string=b", "name=NAME" },
        { QTEST_ARGS "-fw_cfg name=,string=b", "name=NAME" },
        { QTEST_ARGS "-fw_cfg opt/a,file=/no/such", "/no/such|cannot be opened" },
        { QTEST_ARGS "-fw_cfg opt/a,file=.", "not a regular file" },
        { QTEST_ARGS "-fw_cfg opt/a,string=b -fw_cfg opt/a,string=c",
          "-fw_cfg|'opt/a' already" },
        { QTEST_ARGS "-fw_cfg opt/23456789-123456789-123456789-123456789-12345"
          "6789-123456,string=", "59 characters|1 to 55" },
        { "-M none -fw_cfg opt/a,string=b", "no fw_cfg device" },
    };

    check_all(cases, G_N_ELEMENTS(cases));
}

static void test_machine_and_accelerator(void)
{
    static const BadCase cases[] = {
        { QTEST_ARGS "-M pdp11", "-machine pdp11|pdp11" },
        { QTEST_ARGS "-M q35,colour=blue", "colour" },
        { "-accel warp", "warp" },
        { "-accel qtest,speed=9", "speed" },
        { "-M q35,accel=warp", "warp" },
        { QTEST_ARGS "-cpu z80", "z80" },
        { QTEST_ARGS "-smp 0", "-smp 0" },
        { QTEST_ARGS "-smp -1", "-smp -1" },
        { QTEST_ARGS "-smp many", "many" },
        { QTEST_ARGS "-smp 100000", "100000" },
        { QTEST_ARGS "-smp 4,maxcpus=2", "maxcpus" },
        { QTEST_ARGS "-smp 2,wheels=4", "wheels" },
        { QTEST_ARGS "-smp 3,sockets=2", "3" },
        { QTEST_ARGS "-smp 2,cpus=4", "'cpus' is both '2' and '4'" },
        { QTEST_ARGS "-smp 4,cores=2,cores=4", "'cores' is both" },
        { QTEST_ARGS "-m 64M,size=128M", "'size' is both" },
    };

    check_all(cases, G_N_ELEMENTS(cases));
}

static void test_memory_sizes(void)
{
    static const BadCase cases[] = {
        { QTEST_ARGS "-m 0", "-m 0" },
        { QTEST_ARGS "-m lots", "lots" },
        { QTEST_ARGS "-m -5", "-5" },
        { QTEST_ARGS "-m 1Z", "1Z" },
        { QTEST_ARGS "-m 99999999999999999999", "99999999999999999999" },
        { QTEST_ARGS "-m 512M,maxmem=256M", "maxmem" },
        { QTEST_ARGS "-m 512M,maxmem=1G,slots=-1", "slots" },
        { QTEST_ARGS "-m 512M,minmem=1G", "minmem" },
        { QTEST_ARGS "-m 64M -numa node,memdev=nobody", "nobody" },
        { QTEST_ARGS "-m 64M -numa wheel", "wheel" },
    };

    check_all(cases, G_N_ELEMENTS(cases));
}

static void test_kvm_that_cannot_be_used(void)
{
    /* Nobody may use it, where root may. */
    const char *wrapper = "";
    g_auto(Run) probe = { 0 }, r = { 0 };
    GStatBuf st;

    if (access("/dev/kvm", R_OK | W_OK) == 0) {
        g_autofree char *setpriv = g_find_program_in_path("setpriv");

        wrapper = "setpriv --reuid=65534 --regid=65534 --clear-groups";
        if (geteuid() != 0 || !setpriv ||
            (g_stat("/dev/kvm", &st) == 0 && (st.st_mode & S_IWOTH))) {
            g_test_skip("/dev/kvm can be used here");
            return;
        }
        /* The build may be where nobody has no access, or count coverage. */
        probe = run_by(wrapper, "-version");
        if (probe.status != 0 || *probe.err) {
            g_test_skip("/dev/kvm can be used here, and nobody cannot run "
                        "the emulator");
            return;
        }
    }
    check_refused_by(wrapper, "-accel kvm -display none -nodefaults",
                     "-accel kvm|/dev/kvm");
    /* With something to fall back to, that is not what it fails of. */
    r = run_by(wrapper, "-accel kvm -accel qtest -display none -nodefaults "
               "-device warp-drive");
    g_assert_cmpint(r.status, ==, 1);
    g_assert_nonnull(strstr(r.err, "falling back to qtest"));
    g_assert_nonnull(strstr(r.err, "warp-drive"));
}

/* --- objects ------------------------------------------------------------- */

static void test_objects(void)
{
    static const BadCase cases[] = {
        { QTEST_ARGS "-object no-such-type,id=a", "no-such-type" },
        { QTEST_ARGS "-object memory-backend-ram,size=64M", "id" },
        { QTEST_ARGS "-object memory-backend-ram,id=9x,size=64M", "9x" },
        { QTEST_ARGS "-object memory-backend-ram,id=a", "size" },
        { QTEST_ARGS "-object memory-backend-ram,id=a,size=0", "size" },
        { QTEST_ARGS "-object memory-backend-ram,id=a,size=big", "big" },
        { QTEST_ARGS "-object memory-backend-ram,id=a,size=64M,taste=sour",
          "taste" },
        { QTEST_ARGS "-object memory-backend-ram,id=a,size=64M,share=perhaps",
          "share" },
        { QTEST_ARGS "-object memory-backend-ram,id=a,size=64M "
          "-object memory-backend-ram,id=a,size=64M", "a" },
        { QTEST_ARGS "-object memory-backend-file,id=a,size=64M", "mem-path" },
        { QTEST_ARGS "-object memory-backend-file,id=a,size=64M,"
          "mem-path=/no/such/place/file", "/no/such/place/file" },
    };

    check_all(cases, G_N_ELEMENTS(cases));
}

/* --- devices ------------------------------------------------------------- */

static void test_devices(void)
{
    static const BadCase cases[] = {
        { QTEST_ARGS "-device warp-drive",
          "-device warp-drive|warp-drive" },
        { QTEST_ARGS "-device pci-device", "pci-device" },
        { QTEST_ARGS "-device id=x", "driver" },
        { QTEST_ARGS MEM BACKEND "-device virtio-mem-pci,memdev=mem0,"
          "colour=red", "-device virtio-mem-pci|colour" },
        { QTEST_ARGS MEM BACKEND "-device virtio-mem-pci,memdev=mem0,"
          "id=1x", "1x" },
        { QTEST_ARGS MEM BACKEND "-device virtio-mem-pci,memdev=mem0,"
          "bus=nowhere", "nowhere" },
        { QTEST_ARGS MEM BACKEND "-device virtio-mem-pci,memdev=mem0,"
          "addr=99", "addr|99" },
        { QTEST_ARGS MEM BACKEND "-device virtio-mem-pci,memdev=mem0,"
          "addr=0", "-device virtio-mem-pci" },
        { QTEST_ARGS "-device {", "-device" },
    };

    check_all(cases, G_N_ELEMENTS(cases));
}

static void test_virtio_mem(void)
{
    static const BadCase cases[] = {
        { QTEST_ARGS MEM "-device virtio-mem-pci",
          "-device virtio-mem-pci|memdev" },
        { QTEST_ARGS MEM "-device virtio-mem-pci,memdev=nobody", "nobody" },
        { QTEST_ARGS MEM BACKEND "-device virtio-mem-pci,memdev=mem0,"
          "requested-size=3M", "requested-size|block-size" },
        { QTEST_ARGS MEM BACKEND "-device virtio-mem-pci,memdev=mem0,"
          "requested-size=1G", "requested-size|0x40000000|0x10000000" },
        { QTEST_ARGS MEM BACKEND "-device virtio-mem-pci,memdev=mem0,"
          "requested-size=-2M", "requested-size" },
        { QTEST_ARGS MEM BACKEND "-device virtio-mem-pci,memdev=mem0,"
          "block-size=3M", "block-size" },
        { QTEST_ARGS MEM BACKEND "-device virtio-mem-pci,memdev=mem0,"
          "block-size=1k", "block-size" },
        { QTEST_ARGS MEM BACKEND "-device virtio-mem-pci,memdev=mem0,"
          "block-size=0", "block-size" },
        { QTEST_ARGS MEM BACKEND "-device virtio-mem-pci,memdev=mem0,"
          "block-size=512M", "block-size" },
        { QTEST_ARGS MEM BACKEND "-device virtio-mem-pci,memdev=mem0,"
          "memaddr=0x123", "memaddr|0x123" },
        { QTEST_ARGS MEM BACKEND "-device virtio-mem-pci,memdev=mem0,"
          "memaddr=0x1000000", "0x1000000" },
        { QTEST_ARGS MEM BACKEND "-device virtio-mem-pci,memdev=mem0,"
          "node=7", "node" },
        { QTEST_ARGS MEM BACKEND "-device virtio-mem-pci,memdev=mem0,size=2M",
          "size" },
        { QTEST_ARGS MEM BACKEND
          "-device virtio-mem-pci,id=a,memdev=mem0 "
          "-device virtio-mem-pci,id=b,memdev=mem0",
          "-device virtio-mem-pci,id=b|mem0" },
        { QTEST_ARGS MEM BACKEND
          "-object memory-backend-ram,id=mem1,size=256M "
          "-device virtio-mem-pci,id=a,memdev=mem0 "
          "-device virtio-mem-pci,id=a,memdev=mem1", "id" },
        { QTEST_ARGS "-m 64M " BACKEND "-device virtio-mem-pci,memdev=mem0",
          "maxmem" },
        { QTEST_ARGS "-m 64M,maxmem=128M " BACKEND
          "-device virtio-mem-pci,memdev=mem0", "maxmem|0x10000000" },
        { QTEST_ARGS MEM "-object memory-backend-ram,id=mem0,size=255M "
          "-device virtio-mem-pci,memdev=mem0,block-size=2M", "mem0|block" },
    };

    check_all(cases, G_N_ELEMENTS(cases));
}

/* --- files and sockets --------------------------------------------------- */

/* A file of @size zero bytes beginning with @head, outside of dir; g_free(). */
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

    check_refused(args, parts);
    g_unlink(path);
}

static void test_kernels(void)
{
    static const BadCase cases[] = {
        { QTEST_ARGS "-kernel /no/such/kernel", "-kernel|/no/such/kernel" },
        { QTEST_ARGS "-kernel /", "-kernel /" },
        { QTEST_ARGS "-append quiet", "-append" },
        { QTEST_ARGS "-initrd /etc/passwd", "-initrd" },
    };

    check_all(cases, G_N_ELEMENTS(cases));
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
        check_refused(args, "is cut short");
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

    check_refused(missing, "-initrd|/no/such/initrd");
    check_refused(too_big, parts);
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
        check_refused(args, "memory 'ram'|no huge page left");
    }
    g_unlink(kernel);
}

static void test_chardevs_and_monitors(void)
{
    static const BadCase cases[] = {
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

    check_all(cases, G_N_ELEMENTS(cases));
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

            check_refused(args, paths[j]);
        }
    }
    g_assert_true(g_file_get_contents(victim, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, "precious");
    g_unlink(link);
    g_unlink(fifo);
    g_unlink(victim);
    g_rmdir(dir);
}

static void test_socket_path_of_a_file(void)
{
    g_autofree char *path = make_file("x", 1);
    g_autofree char *args = g_strdup_printf(
        QTEST_ARGS "-chardev socket,id=c,server=on,wait=off,path=%s", path);

    check_refused(args, "it exists, and is no socket");
    g_assert_true(g_file_test(path, G_FILE_TEST_IS_REGULAR));
    g_unlink(path);
}

static void test_daemons_without_a_terminal(void)
{
    static const BadCase cases[] = {
        { "-accel qtest -display none -daemonize -nographic", "-nographic" },
        { QTEST_ARGS "-daemonize -serial stdio", "stdio" },
        { QTEST_ARGS "-daemonize -serial mon:stdio", "stdio" },
        { QTEST_ARGS "-daemonize -qmp stdio", "stdio" },
        { QTEST_ARGS "-daemonize -monitor stdio", "stdio" },
        { QTEST_ARGS "-daemonize -chardev stdio,id=c", "stdio" },
    };

    check_all(cases, G_N_ELEMENTS(cases));
}

static void test_overlong_socket_path(void)
{
    g_autofree char *name = g_strnfill(200, 'x');
    g_autofree char *args = g_strdup_printf(
        QTEST_ARGS "-qmp unix:/tmp/%s,server=on,wait=off", name);

    check_refused(args, "xxxxxxxx");
    assert_dir_empty(args);
}

/* What was made before a later option failed is gone again. */
static void test_nothing_is_left_behind(void)
{
    static const BadCase cases[] = {
        { QTEST_ARGS "-pidfile pid -qmp unix:qmp,server=on,wait=off "
          "-device warp-drive", "warp-drive" },
        { QTEST_ARGS "-pidfile pid -chardev socket,id=c,path=s,server=on,"
          "wait=off -mon chardev=nobody", "nobody" },
        { QTEST_ARGS MEM "-qmp unix:qmp,server=on,wait=off "
          "-object memory-backend-file,id=mem0,size=16M,mem-path=ram,"
          "share=on -device virtio-mem-pci,memdev=mem0,block-size=3M",
          "block-size" },
    };

    check_refused(cases[0].args, cases[0].parts);
    assert_dir_empty(cases[0].args);
    check_refused(cases[1].args, cases[1].parts);
    assert_dir_empty(cases[1].args);
    check_refused(cases[2].args, cases[2].parts);
    /* The file is the user's, as with QEMU; the socket is not. */
    g_autofree char *ram = g_build_filename(dir, "ram", NULL);
    g_unlink(ram);
    assert_dir_empty(cases[2].args);
}

static void test_socket_in_use(void)
{
    g_autofree char *path = g_build_filename(dir, "qmp", NULL);
    g_autofree char *args = g_strdup_printf(
        QTEST_ARGS "-qmp unix:%s,server=on,wait=off", path);
    QTestState *qts = qtest_init(
        "-m 64M -qmp unix:%s,server=on,wait=off", path);
    QmpClient *client;

    check_refused(args, path);
    /* The one that is there still serves. */
    client = qmp_client_connect(path);
    qmp_client_handshake(client);
    qmp_client_free(client);
    qtest_quit(qts);
    assert_dir_empty(args);
}

static void test_stale_socket_is_replaced(void)
{
    g_autofree char *path = g_build_filename(dir, "qmp", NULL);
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
    assert_dir_empty("stale socket");
}

static void test_pidfile_lives_as_long_as_the_process(void)
{
    g_autofree char *path = g_build_filename(dir, "pid", NULL);
    QTestState *qts = qtest_init("-m 64M -pidfile %s", path);
    g_autofree char *text = NULL;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_assert_cmpint(atoi(text), ==, qtest_pid(qts));
    qtest_quit(qts);
    assert_dir_empty("-pidfile");
}

/* --- help ---------------------------------------------------------------- */

/* @args must print something that holds @part, and end in 0. */
static void check_prints(const char *args, const char *part)
{
    g_auto(Run) r = run(args);

    if (r.status != 0 || *r.err || !strstr(r.out, part)) {
        g_error("%s: exit status %d, '%s', '%s'", args, r.status, r.err,
                r.out);
    }
}

static void test_help(void)
{
    check_prints("-help", "-device");
    check_prints("--help", "virtio-mem");
    check_prints("-h", "-qmp");
    check_prints("-version", "sparsevm");
    check_prints("-machine help", "q35");
    check_prints("-accel help", "qtest");
    check_prints("-cpu help", "host");
    check_prints("-object help", "memory-backend-memfd");
    check_prints("-object memory-backend-ram,help", "size");
    check_prints("-device help", "virtio-mem-pci");
    check_prints("-device virtio-mem-pci,help", "requested-size");
    check_refused("-device warp-drive,help", "warp-drive");
    check_refused("-object warp-core,help", "warp-core");
}

int main(int argc, char **argv)
{
    int status;

    qtest_main_init(&argc, &argv);
    qtest_needs(QTEST_NEEDS_SPARSEVM);
    dir = g_dir_make_tmp("cli-dir-XXXXXX", NULL);
    g_test_add_func("/cli/unknown-options", test_unknown_options);
    g_test_add_func("/cli/machine-and-accelerator",
                    test_machine_and_accelerator);
    g_test_add_func("/cli/firmware-configuration",
                    test_firmware_configuration);
    g_test_add_func("/cli/memory-sizes", test_memory_sizes);
    g_test_add_func("/cli/kvm-that-cannot-be-used",
                    test_kvm_that_cannot_be_used);
    g_test_add_func("/cli/objects", test_objects);
    g_test_add_func("/cli/devices", test_devices);
    g_test_add_func("/cli/virtio-mem", test_virtio_mem);
    g_test_add_func("/cli/kernels", test_kernels);
    g_test_add_func("/cli/kernels-cut-short", test_kernels_cut_short);
    g_test_add_func("/cli/initrds", test_initrds);
    g_test_add_func("/cli/memory-without-pages", test_memory_without_pages);
    g_test_add_func("/cli/chardevs-and-monitors", test_chardevs_and_monitors);
    g_test_add_func("/cli/files-that-are-none", test_files_that_are_none);
    g_test_add_func("/cli/daemons-without-a-terminal",
                    test_daemons_without_a_terminal);
    g_test_add_func("/cli/socket-path-of-a-file", test_socket_path_of_a_file);
    g_test_add_func("/cli/overlong-socket-path", test_overlong_socket_path);
    g_test_add_func("/cli/nothing-is-left-behind", test_nothing_is_left_behind);
    g_test_add_func("/cli/socket-in-use", test_socket_in_use);
    g_test_add_func("/cli/stale-socket-is-replaced",
                    test_stale_socket_is_replaced);
    g_test_add_func("/cli/pidfile-lives-as-long-as-the-process",
                    test_pidfile_lives_as_long_as_the_process);
    g_test_add_func("/cli/help", test_help);
    status = g_test_run();
    g_rmdir(dir);
    g_free(dir);
    return status;
}
