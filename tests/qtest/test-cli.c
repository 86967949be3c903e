/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line: whatever is wrong with it ends in status 1 and one line
 * that says what, and leaves nothing behind; help is printed and ends in 0. What
 * concerns files and sockets is in test-cli-files.c.
 */
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bzimage.h"
#include "cli.h"

/* --- options ------------------------------------------------------------- */

static void test_unknown_options(void)
{
    static const CliBadCase cases[] = {
        { "-frobnicate", "-frobnicate: invalid option" },
        { "--frobnicate=1", "--frobnicate=1" },
        { "image.qcow2", "image.qcow2" },
        { "-m", "-m|argument" },
        { QTEST_ARGS "-device", "-device|argument" },
        { QTEST_ARGS "-display gtk", "-display gtk" },
        { QTEST_ARGS "-vnc :0", "-vnc" },
    };

    cli_check_all(cases, G_N_ELEMENTS(cases));
}

static void test_images_of_other_formats(void)
{
    static const struct {
        const char *format;
        unsigned int offset;
        const char *bytes;
        size_t size;
    } images[] = {
        { "qcow", 0, "QFI\xfb\0\0\0\1", 8 },
        { "qcow2", 0, "QFI\xfb\0\0\0\2", 8 },
        { "qcow2", 0, "QFI\xfb\0\0\0\3", 8 },
        { "vmdk", 0, "KDMV", 4 },
        { "vhdx", 0, "vhdxfile", 8 },
        { "vdi", 64, "\x7f\x10\xda\xbe", 4 },
    };
    g_autofree char *path = g_build_filename(g_get_tmp_dir(), "image-XXXXXX",
                                             NULL);
    int fd = g_mkstemp(path);

    for (size_t i = 0; i < G_N_ELEMENTS(images); i++) {
        g_autofree char *disk = g_strdup_printf(QTEST_ARGS "-hda %s", path);
        g_autofree char *message = g_strdup_printf(
            "%s|is a %s image|format=%s", path, images[i].format,
            images[i].format);

        g_assert_cmpint(ftruncate(fd, 0), ==, 0);
        g_assert_cmpint(ftruncate(fd, 4096), ==, 0);
        g_assert_cmpint(pwrite(fd, images[i].bytes, images[i].size,
                               images[i].offset), ==, images[i].size);
        cli_check_refused(disk, message);
    }
    close(fd);
    unlink(path);
}

static void test_drives(void)
{
    static const CliBadCase cases[] = {
        { QTEST_ARGS "-drive file=x,media=tape", "media=tape|disk or cdrom" },
        { QTEST_ARGS "-drive file=x,media=cdrom,readonly=off",
          "readonly=off|media=cdrom is read only" },
        { QTEST_ARGS "-drive file=x,media=cdrom,readonly=maybe", "readonly=maybe" },
        { QTEST_ARGS "-drive file=/no/such,media=cdrom,readonly=yes",
          "/no/such|No such file" },
        { QTEST_ARGS "-drive file=x,if=ide", "if=ide|virtio" },
        { QTEST_ARGS "-cdrom /no/such", "-cdrom /no/such|No such file" },
        { QTEST_ARGS "-hdb /no/such", "-hda|/no/such|No such file" },
    };

    cli_check_all(cases, G_N_ELEMENTS(cases));
}

static void test_firmware_configuration(void)
{
    static const CliBadCase cases[] = {
        { QTEST_ARGS "-boot order=cx", "-boot|order=cx|abcdn" },
        { QTEST_ARGS "-boot cc", "order=cc|each once" },
        { QTEST_ARGS "-boot abcd", "order=abcd|at most 3" },
        { QTEST_ARGS "-boot menu=maybe", "menu=maybe|on or off" },
        { QTEST_ARGS "-boot reboot-timeout=65536", "65536|-1 to 65535" },
        { QTEST_ARGS "-boot splash-time=-1", "-1|0 to 65535" },
        { QTEST_ARGS "-boot once=dd", "once=dd|each once" },
        { QTEST_ARGS "-boot twice=d", "'twice'|order, once" },
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

    cli_check_all(cases, G_N_ELEMENTS(cases));
}

static void test_machine_and_accelerator(void)
{
    static const CliBadCase cases[] = {
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

    cli_check_all(cases, G_N_ELEMENTS(cases));
}

static void test_memory_sizes(void)
{
    static const CliBadCase cases[] = {
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

    cli_check_all(cases, G_N_ELEMENTS(cases));
}

static void test_machine_of_tests_is_no_guests(void)
{
    if (access("/dev/kvm", R_OK | W_OK) < 0) {
        g_test_skip("/dev/kvm cannot be used here");
        return;
    }
    cli_check_refused("-M pc -accel kvm -display none -nodefaults -sandbox off",
                      "machine type 'pc' is for tests|q35");
}

static void test_kvm_that_cannot_be_used(void)
{
    /* Nobody may use it, where root may. */
    const char *wrapper = "";
    g_auto(CliRun) probe = { 0 }, r = { 0 };
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
        probe = cli_run_by(wrapper, "-version");
        if (probe.status != 0 || *probe.err) {
            g_test_skip("/dev/kvm can be used here, and nobody cannot run "
                        "the emulator");
            return;
        }
    }
    cli_check_refused_by(wrapper, "-accel kvm -display none -nodefaults",
                     "-accel kvm|/dev/kvm");
    /* With something to fall back to, that is not what it fails of. */
    r = cli_run_by(wrapper, "-accel kvm -accel qtest -display none -nodefaults "
               "-device warp-drive");
    g_assert_cmpint(r.status, ==, 1);
    g_assert_nonnull(strstr(r.err, "falling back to qtest"));
    g_assert_nonnull(strstr(r.err, "warp-drive"));
}

/* --- objects ------------------------------------------------------------- */

static void test_objects(void)
{
    static const CliBadCase cases[] = {
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

    cli_check_all(cases, G_N_ELEMENTS(cases));
}

/* --- devices ------------------------------------------------------------- */

static void test_devices(void)
{
    static const CliBadCase cases[] = {
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

    cli_check_all(cases, G_N_ELEMENTS(cases));
}

static void test_virtio_mem(void)
{
    static const CliBadCase cases[] = {
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

    cli_check_all(cases, G_N_ELEMENTS(cases));
}

/* --- help ---------------------------------------------------------------- */

/* @args must print something that holds @part, and end in 0. */
static void check_prints(const char *args, const char *part)
{
    g_auto(CliRun) r = cli_run(args);

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
    check_prints("-L /tmp -L help", "/tmp\n/usr/share");
    check_prints("-device help", "virtio-mem-pci");
    check_prints("-device virtio-mem-pci,help", "requested-size");
    cli_check_refused("-device warp-drive,help", "warp-drive");
    cli_check_refused("-object warp-core,help", "warp-core");
}

int main(int argc, char **argv)
{
    int status;

    qtest_main_init(&argc, &argv);
    qtest_needs(QTEST_NEEDS_SPARSEVM);
    cli_begin();
    g_test_add_func("/cli/unknown-options", test_unknown_options);
    g_test_add_func("/cli/machine-and-accelerator",
                    test_machine_and_accelerator);
    g_test_add_func("/cli/drives", test_drives);
    g_test_add_func("/cli/images-of-other-formats", test_images_of_other_formats);
    g_test_add_func("/cli/firmware-configuration",
                    test_firmware_configuration);
    g_test_add_func("/cli/memory-sizes", test_memory_sizes);
    g_test_add_func("/cli/machine-of-tests-is-no-guests",
                    test_machine_of_tests_is_no_guests);
    g_test_add_func("/cli/kvm-that-cannot-be-used",
                    test_kvm_that_cannot_be_used);
    g_test_add_func("/cli/objects", test_objects);
    g_test_add_func("/cli/devices", test_devices);
    g_test_add_func("/cli/virtio-mem", test_virtio_mem);
    g_test_add_func("/cli/help", test_help);
    status = g_test_run();
    cli_end();
    return status;
}
