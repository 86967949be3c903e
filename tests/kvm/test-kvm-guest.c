/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The emulator with real KVM and guests of a few instructions: what they say
 * on the serial port, and how the emulator ends. Each guest is a bzImage put
 * together here, entered in 64-bit mode. Skipped where /dev/kvm cannot be
 * opened. The environment variable SPARSEVM names the emulator.
 */
#include "qemu/osdep.h"

#include <fcntl.h>
#include <glib/gstdio.h>

#include "../qtest/bzimage.h"
#include "tests/patience.h"


/* Instructions. OUTB: dx = port, al = value. */
#define OUTB(port, value)                                                    \
    0x66, 0xba, (port) & 0xff, (port) >> 8, 0xb0, (value), 0xee
#define OUTW(port, value)                                                    \
    0x66, 0xba, (port) & 0xff, (port) >> 8,                                  \
    0x66, 0xb8, (value) & 0xff, (value) >> 8, 0x66, 0xef
#define SAY(c) OUTB(0x3f8, c)
#define POWER_OFF OUTW(0x604, 0x3400)     /* PM1 control: S5 */
#define STOP 0xf4, 0xeb, 0xfd             /* hlt, for ever */
#define UD2 0x0f, 0x0b
#define JMP_RAX 0xff, 0xe0

static char *dir;

typedef struct Result {
    char *out;                            /* what the guest said */
    char *err;                            /* what the emulator said */
    int status;                           /* 124: it had to be ended */
} Result;

/* Runs the emulator with a guest, for so much of what a test would wait at most;
 * @options are further words. */
static Result run(const uint8_t *code, size_t size, double patience,
                  const char *options)
{
    g_autofree char *kernel = g_build_filename(dir, "kernel", NULL);
    g_autofree char *command = g_strdup_printf(
        "timeout %.2f %s -accel kvm -m 64M -nodefaults -display none -serial "
        "stdio -kernel %s -smp 2 %s",
        patience * patience_us() / G_USEC_PER_SEC, g_getenv("SPARSEVM"), kernel,
        options);
    GError *err = NULL;
    Result r;

    bzimage_write(kernel, code, size);
    g_spawn_command_line_sync(command, &r.out, &r.err, &r.status, &err);
    g_assert_no_error(err);
    r.status = WIFEXITED(r.status) ? WEXITSTATUS(r.status) : -1;
    return r;
}

static void free_result(Result *r)
{
    g_free(r->out);
    g_free(r->err);
}

static bool skipped(void)
{
    int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

    if (fd < 0) {
        g_test_skip("/dev/kvm cannot be opened");
        return true;
    }
    close(fd);
    return false;
}

static void test_acpi_power_off_ends_it(void)
{
    static const uint8_t code[] = { SAY('h'), SAY('i'), POWER_OFF, STOP };
    Result r;

    if (skipped()) {
        return;
    }
    r = run(code, sizeof(code), 1, "");
    g_assert_cmpstr(r.err, ==, "");
    g_assert_cmpstr(r.out, ==, "hi");
    g_assert_cmpint(r.status, ==, 0);
    free_result(&r);
}

/* The guest says @out and resets itself @by something, which ends the emulator with
 * status 0, and is traced. */
static void check_resets(const uint8_t *code, size_t size, const char *out,
                         const char *by)
{
    g_autofree char *traced = g_strdup_printf(":guest_reset by %s\n", by);
    Result r;

    if (skipped()) {
        return;
    }
    r = run(code, size, 1, "-no-reboot -trace guest_reset");
    g_assert_true(g_str_has_suffix(r.err, traced));
    g_assert_null(strstr(r.err, "warning"));
    g_assert_cmpstr(r.out, ==, out);
    g_assert_cmpint(r.status, ==, 0);
    free_result(&r);
}

static void test_reset_register_resets(void)
{
    static const uint8_t code[] = { SAY('r'), OUTB(0xcf9, 6), STOP };

    check_resets(code, sizeof(code), "r", "port 0xcf9");
}

static void test_keyboard_controller_resets(void)
{
    static const uint8_t code[] = { SAY('k'), OUTB(0x64, 0xfe), STOP };

    check_resets(code, sizeof(code), "k", "port 0x64");
}

static void test_port_92_resets(void)
{
    static const uint8_t code[] = { SAY('p'), OUTB(0x92, 1), STOP };

    check_resets(code, sizeof(code), "p", "port 0x92");
}

/* Nobody but KVM knows of it: a warning says which CPU it was, and where. */
static void test_triple_fault_resets(void)
{
    static const uint8_t code[] = { SAY('t'), UD2 };
    Result r;

    if (skipped()) {
        return;
    }
    r = run(code, sizeof(code), 1, "-no-reboot -trace guest_reset");
    g_assert_nonnull(strstr(r.err, "warning: KVM: CPU 0: a triple fault resets the "
                            "guest, at "));
    g_assert_true(g_str_has_suffix(r.err, ":guest_reset by triple fault\n"));
    g_assert_cmpstr(r.out, ==, "t");
    g_assert_cmpint(r.status, ==, 0);
    free_result(&r);
}

/*
 * Counts resets in a byte of CMOS, which survives them, and changes its own
 * code, which must come back from the file each time.
 */
static void test_each_reset_starts_the_kernel_afresh(void)
{
    static const uint8_t code[] = {
        SAY('a'),
        0xc6, 0x05, 0xf7, 0xff, 0xff, 0xff, 'b', /* movb 'b' over 'a' */
        OUTB(0x70, 0x40), 0x66, 0xba, 0x71, 0x00,
        0xec, 0xfe, 0xc0, 0xee,           /* in al; inc al; out al */
        0x3c, 0x03, 0x74, 0x0a,           /* cmp al, 3; je off */
        OUTB(0xcf9, 6), STOP,
        POWER_OFF, STOP,
    };
    Result r;

    if (skipped()) {
        return;
    }
    r = run(code, sizeof(code), 1, "");
    g_assert_cmpstr(r.err, ==, "");
    g_assert_cmpstr(r.out, ==, "aaa");
    g_assert_cmpint(r.status, ==, 0);
    free_result(&r);
}

/* Code outside of memory cannot be emulated: the VM stops, and says why. */
static void test_internal_error_stops_the_vm(void)
{
    static const uint8_t code[] = {
        SAY('e'), 0xb8, 0x00, 0x00, 0x00, 0xd0, JMP_RAX,
    };
    Result r;

    if (skipped()) {
        return;
    }
    r = run(code, sizeof(code), 0.1, "");
    g_assert_cmpstr(r.out, ==, "e");
    g_assert_nonnull(strstr(r.err, "KVM: CPU 0: internal error"));
    g_assert_nonnull(strstr(r.err, "at RIP 0xd0000000, RSP 0x"));
    g_assert_cmpint(r.status, ==, 124);
    free_result(&r);
}

/* 16-bit code in the last 16 bytes, where a CPU begins: says so and powers off. */
static const uint8_t reset_vector[] = {
    0xba, 0xf8, 0x03, 0xb0, 'f', 0xee,                /* out 0x3f8 */
    0xba, 0x04, 0x06, 0xb8, 0x00, 0x34, 0xef,         /* outw 0x604 */
    STOP,
};

static void test_firmware_is_entered_at_its_end(void)
{
    g_autofree char *rom = NULL, *command = NULL;
    uint8_t bytes[65536] = {};
    Result r;

    if (skipped()) {
        return;
    }
    G_STATIC_ASSERT(sizeof(reset_vector) == 16);
    memcpy(bytes + sizeof(bytes) - 16, reset_vector, 16);
    rom = g_build_filename(dir, "rom", NULL);
    g_assert_true(g_file_set_contents(rom, (char *)bytes, sizeof(bytes), NULL));
    command = g_strdup_printf("%s -accel kvm -m 64M -nodefaults -display none "
                              "-serial stdio -bios %s", g_getenv("SPARSEVM"),
                              rom);
    g_assert_true(g_spawn_command_line_sync(command, &r.out, &r.err, &r.status,
                                            NULL));
    g_assert_cmpstr(r.out, ==, "f");
    g_assert_cmpstr(r.err, ==, "");
    g_assert_cmpint(WEXITSTATUS(r.status), ==, 0);
    g_unlink(rom);
    free_result(&r);
}

/* 32-bit code behind a multiboot header: says the bytes of its two modules, if EAX
 * has the magic number, and powers off. */
static const uint32_t multiboot_header[] = {
    0x1badb002, 1 << 16, -(0x1badb002U + (1 << 16)),
    0x200000, 0x200000, 0, 0, 0x200020,
};
static const uint8_t multiboot_code[] = {
    0x3d, 0x02, 0xb0, 0xad, 0x2b,                     /* cmp eax, magic */
    0x75, 0x0f,                                       /* jne: power off */
    0x8b, 0x4b, 0x18,                                 /* mov ecx, mods_addr */
    0x66, 0xba, 0xf8, 0x03,                           /* mov dx, 0x3f8 */
    0x8b, 0x31, 0xac, 0xee,                           /* [ecx]: out */
    0x8b, 0x71, 0x10, 0xac,                           /* [ecx + 16] */
    0xee, POWER_OFF, STOP,
};

static void test_multiboot_kernel_finds_its_modules(void)
{
    g_autofree char *kernel = g_build_filename(dir, "kernel", NULL);
    g_autofree char *module = g_build_filename(dir, "module", NULL);
    g_autofree char *command = NULL;
    char image[sizeof(multiboot_header) + sizeof(multiboot_code)];
    Result r;

    if (skipped()) {
        return;
    }
    memcpy(image, multiboot_header, sizeof(multiboot_header));
    memcpy(image + sizeof(multiboot_header), multiboot_code,
           sizeof(multiboot_code));
    g_assert_true(g_file_set_contents(kernel, image, sizeof(image), NULL));
    g_assert_true(g_file_set_contents(module, "m", 1, NULL));
    command = g_strdup_printf("%s -accel kvm -m 64M -nodefaults -display none "
                              "-serial stdio -kernel %s -initrd '%s a,%s'",
                              g_getenv("SPARSEVM"), kernel, module, module);
    g_assert_true(g_spawn_command_line_sync(command, &r.out, &r.err, &r.status,
                                            NULL));
    g_assert_cmpstr(r.out, ==, "mm");
    g_assert_cmpstr(r.err, ==, "");
    g_assert_cmpint(WEXITSTATUS(r.status), ==, 0);
    g_unlink(module);
    free_result(&r);
}

int main(int argc, char **argv)
{
    g_autofree char *kernel = NULL;
    int ret;

    g_test_init(&argc, &argv, NULL);
    if (!g_getenv("SPARSEVM")) {
        g_printerr("SPARSEVM must name the emulator\n");
        return EXIT_FAILURE;
    }
    dir = g_dir_make_tmp("test-kvm-XXXXXX", NULL);
    g_test_add_func("/kvm/acpi-power-off-ends-it",
                    test_acpi_power_off_ends_it);
    g_test_add_func("/kvm/reset-register-resets", test_reset_register_resets);
    g_test_add_func("/kvm/keyboard-controller-resets",
                    test_keyboard_controller_resets);
    g_test_add_func("/kvm/triple-fault-resets", test_triple_fault_resets);
    g_test_add_func("/kvm/port-92-resets", test_port_92_resets);
    g_test_add_func("/kvm/each-reset-starts-the-kernel-afresh",
                    test_each_reset_starts_the_kernel_afresh);
    g_test_add_func("/kvm/internal-error-stops-the-vm",
                    test_internal_error_stops_the_vm);
    g_test_add_func("/kvm/firmware-is-entered-at-its-end",
                    test_firmware_is_entered_at_its_end);
    g_test_add_func("/kvm/multiboot-kernel-finds-its-modules",
                    test_multiboot_kernel_finds_its_modules);
    ret = g_test_run();
    kernel = g_build_filename(dir, "kernel", NULL);
    g_unlink(kernel);
    g_rmdir(dir);
    g_free(dir);
    return ret;
}
