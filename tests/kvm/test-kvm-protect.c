/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A CPU of a guest under real KVM touches unplugged memory of a virtio-mem
 * device with protect=on: who is told, whether the VM goes on, and what it
 * costs the host. Skipped where /dev/kvm cannot be opened or userfaultfd not be
 * used. SPARSEVM names the emulator.
 */
#include "qemu/osdep.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "../qtest/bzimage.h"
#include "../qtest/libqtest.h"
#include "qemu/units.h"

#define REGION 0x100000000                /* where device memory begins */
#define SWEPT (128 * MiB)

/* Instructions. The boot page tables map 4 GiB one to one by 2 MiB pages; from
 * 1 GiB on, the guest has them lead to the region instead. */
#define MAP_REGION_AT_1_GIB                                                  \
    0x0f, 0x20, 0xd8,                     /* mov rax, cr3 */                 \
    0x48, 0x8b, 0x00,                     /* mov rax, [rax] */               \
    0x48, 0x25, 0x00, 0xf0, 0xff, 0xff,   /* and rax, ~0xfff */              \
    0x48, 0x8b, 0x40, 0x08,               /* mov rax, [rax + 8] */           \
    0x48, 0x25, 0x00, 0xf0, 0xff, 0xff,   /* and rax, ~0xfff */              \
    0x48, 0xbb, 0x83, 0, 0, 0, 1, 0, 0, 0, /* mov rbx, REGION | large, rw */ \
    0xb9, 0x00, 0x02, 0x00, 0x00,         /* mov ecx, 512 */                 \
    0x48, 0x89, 0x18,                     /* 1: mov [rax], rbx */            \
    0x48, 0x81, 0xc3, 0, 0, 0x20, 0,      /* add rbx, 2 MiB */               \
    0x48, 0x83, 0xc0, 0x08,               /* add rax, 8 */                   \
    0xe2, 0xf0,                           /* loop 1b */                      \
    0x0f, 0x20, 0xd8, 0x0f, 0x22, 0xd8    /* mov rax, cr3; mov cr3, rax */
#define WRITE(offset)                     /* mov byte [1 GiB + offset], 'Z' */ \
    0xc6, 0x04, 0x25, (offset) & 0xff, (offset) >> 8 & 0xff,                 \
    (offset) >> 16 & 0xff, 0x40, 0x5a
#define READ(offset)                      /* mov al, [1 GiB + offset] */     \
    0x8a, 0x04, 0x25, (offset) & 0xff, (offset) >> 8 & 0xff,                 \
    (offset) >> 16 & 0xff, 0x40
#define SAY(c) 0x66, 0xba, 0xf8, 0x03, 0xb0, (c), 0xee
#define STOP 0xf4, 0xeb, 0xfd             /* hlt, for ever */
#define SWEEP                             /* a write to each page */         \
    0xb8, 0x00, 0x00, 0x00, 0x40,         /* mov eax, 1 GiB */               \
    0xb9, 0x00, 0x80, 0x00, 0x00,         /* mov ecx, SWEPT / 4096 */        \
    0xc6, 0x00, 0x5a,                     /* 1: mov byte [rax], 'Z' */       \
    0x05, 0x00, 0x10, 0x00, 0x00,         /* add eax, 4096 */                \
    0xe2, 0xf6                            /* loop 1b */
#define WRITE_FOR_EVER(offset) WRITE(offset), 0xeb, 0xf6

typedef struct Vm {
    char *dir;
    pid_t pid;
    int out;                              /* what the guest says */
    QmpClient *qmp;
} Vm;

static bool skipped(void)
{
    int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    int uffd = open("/dev/userfaultfd", O_RDWR | O_CLOEXEC);

    if (kvm < 0) {
        g_test_skip("/dev/kvm cannot be opened");
    } else if (uffd < 0 && geteuid()) {
        g_test_skip("this user may not use userfaultfd");
    }
    close(kvm);
    close(uffd);
    return kvm < 0 || (uffd < 0 && geteuid());
}

static void end_with_parent(gpointer data)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static void vm_start(Vm *vm, const char *backend, const char *action,
                     const uint8_t *code, size_t size)
{
    g_autofree char *kernel = NULL, *qmp_path = NULL, *line = NULL;
    g_auto(GStrv) argv = NULL;
    GError *err = NULL;

    vm->dir = g_dir_make_tmp("kvm-protect-XXXXXX", NULL);
    kernel = g_build_filename(vm->dir, "kernel", NULL);
    qmp_path = g_build_filename(vm->dir, "qmp", NULL);
    bzimage_write(kernel, code, size);
    line = g_strdup_printf(
        "%s -accel kvm -m 64M,maxmem=4G -nodefaults -display none "
        "-serial stdio -kernel %s -qmp unix:%s,server=on,wait=off "
        "-object memory-backend-%s,id=mem0,size=1G,reserve=off "
        "-device virtio-mem-pci,id=vm0,memdev=mem0,memaddr=0x100000000,"
        "protect=on,protect-action=%s -S",
        g_getenv("SPARSEVM"), kernel, qmp_path, backend, action);
    g_assert_true(g_shell_parse_argv(line, NULL, &argv, NULL));
    g_spawn_async_with_pipes(NULL, argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD,
                             end_with_parent, NULL, &vm->pid, NULL, &vm->out,
                             NULL, &err);
    g_assert_no_error(err);
    vm->qmp = qmp_client_connect(qmp_path);
    qmp_client_handshake(vm->qmp);
    json_node_unref(qmp_client_do(vm->qmp, "{'execute': 'cont'}"));
}

static void vm_end(Vm *vm)
{
    g_autofree char *kernel = g_build_filename(vm->dir, "kernel", NULL);
    int status;

    qmp_client_free(vm->qmp);
    kill(vm->pid, SIGTERM);
    g_assert_cmpint(waitpid(vm->pid, &status, 0), ==, vm->pid);
    g_assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    close(vm->out);
    g_unlink(kernel);
    g_assert_no_errno(g_rmdir(vm->dir));
    g_free(vm->dir);
}

static void vm_says(Vm *vm, const char *expected)
{
    char c;

    for (; *expected; expected++) {
        g_assert_cmpint(read(vm->out, &c, 1), ==, 1);
        g_assert_cmpint(c, ==, *expected);
    }
}

/* The event; all but the count is checked. @address is a page's: how exact the
 * event is depends on KVM. */
static uint64_t vm_violation(Vm *vm, uint64_t address, bool write,
                             const char *action)
{
    g_autoptr(JsonObject) event = qmp_client_event(vm->qmp,
                                                   "MEMORY_PROTECT_VIOLATION");
    JsonObject *data = json_object_get_object_member(event, "data");

    g_assert_cmphex(json_object_get_int_member(data, "address") & -4096LL, ==,
                    address);
    g_assert_true(json_object_get_boolean_member(data, "write") == write);
    g_assert_cmpstr(json_object_get_string_member(data, "action"), ==, action);
    return json_object_get_int_member(data, "count");
}

static void vm_check_status(Vm *vm, const char *expected)
{
    g_autoptr(JsonNode) status = qmp_client_do(vm->qmp,
                                               "{'execute': 'query-status'}");

    g_assert_cmpstr(json_object_get_string_member(json_node_get_object(status),
                                                  "status"), ==, expected);
}

/* Rss of the guarded memory, bytes. */
static uint64_t vm_resident(Vm *vm)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/smaps", vm->pid);
    g_autofree char *line = NULL;
    size_t room = 0;
    FILE *smaps = fopen(path, "re");
    uint64_t rss = 0, sum = UINT64_MAX;

    g_assert_nonnull(smaps);
    while (getline(&line, &room, smaps) > 0) {
        sscanf(line, "Rss: %" SCNu64 " kB", &rss);
        if (g_str_has_prefix(line, "VmFlags:") && strstr(line, " um")) {
            g_assert_cmpuint(sum, ==, UINT64_MAX);
            sum = rss * KiB;
        }
    }
    fclose(smaps);
    return sum;
}

static void vm_wait_until_nothing_is_resident(Vm *vm)
{
    gint64 deadline = qtest_deadline();
    unsigned round = 0;

    while (vm_resident(vm)) {
        g_assert_true(qtest_wait_more(deadline, &round));
    }
}

static void test_guest_goes_on(const void *backend)
{
    static const uint8_t code[] = {
        MAP_REGION_AT_1_GIB, SAY('m'), WRITE(0x5000), SAY('w'), READ(0x205123),
        SAY('r'), STOP,
    };
    uint64_t count;
    Vm vm;

    if (skipped()) {
        return;
    }
    vm_start(&vm, backend, "continue", code, sizeof(code));
    vm_says(&vm, "mwr");
    count = vm_violation(&vm, REGION + 0x5000, true, "continue");
    if (count == 1) {
        vm_violation(&vm, REGION + 0x205000, false, "continue");
    }
    vm_check_status(&vm, "running");
    vm_wait_until_nothing_is_resident(&vm);
    vm_end(&vm);
}

static void test_guest_is_stopped(const void *backend)
{
    static const uint8_t code[] = {
        MAP_REGION_AT_1_GIB, SAY('m'), WRITE(0x5000), SAY('w'),
        /* Each of these pages is a violation of its own; it may take a while
         * until the first one has stopped the guest. */
        SWEEP, STOP,
    };
    Vm vm;

    if (skipped()) {
        return;
    }
    vm_start(&vm, backend, "stop", code, sizeof(code));
    vm_says(&vm, "m");
    vm_violation(&vm, REGION + 0x5000, true, "stop");
    json_object_unref(qmp_client_event(vm.qmp, "STOP"));
    vm_check_status(&vm, "paused");
    json_node_unref(qmp_client_do(vm.qmp, "{'execute': 'cont'}"));
    json_object_unref(qmp_client_event(vm.qmp, "STOP"));
    vm_check_status(&vm, "paused");
    vm_end(&vm);
}

static void test_sweep_costs_little(const void *backend)
{
    static const uint8_t code[] = {
        MAP_REGION_AT_1_GIB, SAY('m'), SWEEP, SAY('s'), STOP,
    };
    struct pollfd pfd = { .events = POLLIN };
    uint64_t most = 0;
    gint64 begin;
    Vm vm;

    if (skipped()) {
        return;
    }
    vm_start(&vm, backend, "continue", code, sizeof(code));
    vm_says(&vm, "m");
    begin = g_get_monotonic_time();
    pfd.fd = vm.out;
    while (poll(&pfd, 1, 5) == 0) {
        uint64_t resident = vm_resident(&vm);

        most = MAX(most, resident);
    }
    vm_says(&vm, "s");
    g_test_message("%" PRIu64 " pages in %" PRId64 " ms, at most %" PRIu64
                   " KiB resident", SWEPT / 4096,
                   (g_get_monotonic_time() - begin) / 1000, most / KiB);
    g_assert_cmpuint(most, >, 0);
    /* 1 MiB at any time. But smaps is no picture of one: of what it has counted the
     * older half may be given back, and as much let in where it has yet to come. */
    g_assert_cmpuint(most, <=, MiB + MiB / 2);
    vm_wait_until_nothing_is_resident(&vm);
    vm_violation(&vm, REGION, true, "continue");
    vm_end(&vm);
}

/* One page, which is taken away again and again. */
static void test_stubborn_guest(const void *backend)
{
    static const uint8_t code[] = {
        MAP_REGION_AT_1_GIB, SAY('m'), WRITE_FOR_EVER(0x7000),
    };
    Vm vm;

    if (skipped()) {
        return;
    }
    vm_start(&vm, backend, "continue", code, sizeof(code));
    vm_says(&vm, "m");
    g_assert_cmpuint(vm_violation(&vm, REGION + 0x7000, true, "continue"), ==,
                     1);
    for (unsigned i = 0; i < 2; i++) {
        /* Ten times a second at most. */
        uint64_t count = vm_violation(&vm, REGION + 0x7000, true, "continue");

        g_assert_cmpuint(count, >, 1);
        g_assert_cmpuint(count, <=, 40);
        g_assert_cmpuint(vm_resident(&vm), <=, 4 * KiB);
    }
    vm_end(&vm);
}

#define ADD(backend, name, fn) \
    g_test_add_data_func("/kvm-protect/" backend "/" name, backend, fn)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    if (!g_getenv("SPARSEVM")) {
        g_printerr("SPARSEVM must name the emulator\n");
        return EXIT_FAILURE;
    }
    ADD("ram", "guest-goes-on", test_guest_goes_on);
    ADD("ram", "guest-is-stopped", test_guest_is_stopped);
    ADD("ram", "sweep-costs-little", test_sweep_costs_little);
    ADD("ram", "stubborn-guest", test_stubborn_guest);
    ADD("memfd", "guest-goes-on", test_guest_goes_on);
    ADD("memfd", "guest-is-stopped", test_guest_is_stopped);
    ADD("memfd", "sweep-costs-little", test_sweep_costs_little);
    return g_test_run();
}
