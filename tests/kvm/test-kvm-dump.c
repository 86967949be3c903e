/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest's registers under real KVM, in a dump and for people. Skipped
 * where /dev/kvm cannot be opened. SPARSEVM names the emulator.
 */
#include "qemu/osdep.h"

#include <elf.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <sys/procfs.h>
#include <sys/user.h>
#include <sys/wait.h>

#include "../qtest/bzimage.h"
#include "../qtest/libqtest.h"
#include "qemu/units.h"

#define RBX 0x1122334455667788
#define STORED_AT 0x2000000               /* guest physical */

/* rbx = RBX; [STORED_AT] = rbx; al = '!', out to the serial port; hlt, ever. */
static const uint8_t code[] = {
    0x48, 0xbb, 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11,
    0x48, 0x89, 0x1c, 0x25, 0x00, 0x00, 0x00, 0x02,
    0x66, 0xba, 0xf8, 0x03, 0xb0, '!', 0xee,
    0xf4, 0xeb, 0xfd,
};

/* Starts the emulator and waits until the guest has spoken. */
static pid_t start(const char *dir, const char *kernel)
{
    g_autofree char *qmp = g_strdup_printf("unix:%s/qmp,server=on,wait=off",
                                           dir);
    const char *argv[] = {
        g_getenv("SPARSEVM"), "-accel", "kvm", "-m", "64M", "-nodefaults",
        "-display", "none", "-serial", "stdio", "-kernel", kernel, "-qmp", qmp,
        NULL,
    };
    GError *err = NULL;
    GPid pid;
    int out;
    char c;

    g_spawn_async_with_pipes(NULL, (char **)argv, NULL,
                             G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &pid, NULL,
                             &out, NULL, &err);
    g_assert_no_error(err);
    g_assert_cmpint(read(out, &c, 1), ==, 1);
    g_assert_cmpint(c, ==, '!');
    close(out);
    return pid;
}

/* The file offset of the first program header of @type. */
static const Elf64_Phdr *find_header(const char *core, uint32_t type)
{
    const Elf64_Ehdr *header = (const Elf64_Ehdr *)core;
    const Elf64_Phdr *p = (const Elf64_Phdr *)(core + header->e_phoff);

    for (unsigned i = 0; i < header->e_phnum; i++) {
        if (p[i].p_type == type) {
            return &p[i];
        }
    }
    g_error("the dump has no program header of type %u", type);
}

static void check_core(const char *core)
{
    const Elf64_Phdr *notes = find_header(core, PT_NOTE);
    const Elf64_Phdr *memory = find_header(core, PT_LOAD);
    const Elf64_Nhdr *note = (const Elf64_Nhdr *)(core + notes->p_offset);
    struct elf_prstatus status;
    struct user_regs_struct regs;
    uint64_t stored;

    g_assert_cmpuint(note->n_type, ==, NT_PRSTATUS);
    memcpy(&status, (const char *)(note + 1) + 8, sizeof(status));
    memcpy(&regs, status.pr_reg, sizeof(regs));
    g_assert_cmphex(regs.rbx, ==, RBX);
    g_assert_cmphex(regs.rip, >=, 16 * MiB);
    g_assert_cmphex(memory->p_paddr, ==, 0);
    memcpy(&stored, core + memory->p_offset + STORED_AT, sizeof(stored));
    g_assert_cmphex(stored, ==, RBX);
}

/* "info registers" of a guest that runs, and goes on. */
static void check_monitor(QmpClient *qmp)
{
    g_autoptr(JsonNode) reply = qmp_client_do(
        qmp, "{'execute': 'human-monitor-command', 'arguments': "
        "{'command-line': 'info registers'}}");
    const char *text = json_node_get_string(reply);

    g_assert_nonnull(strstr(text, "CPU#0\nRAX="));
    g_assert_nonnull(strstr(text, " RBX=1122334455667788 "));
    json_node_unref(qmp_client_do(qmp, "{'execute': 'query-status'}"));
}

static void test_registers(void)
{
    g_autofree char *dir = NULL, *kernel = NULL, *qmp_path = NULL;
    g_autofree char *core_path = NULL, *core = NULL;
    int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    QmpClient *qmp;
    pid_t pid;

    if (fd < 0) {
        g_test_skip("/dev/kvm cannot be opened");
        return;
    }
    close(fd);
    dir = g_dir_make_tmp("kvm-dump-XXXXXX", NULL);
    kernel = g_build_filename(dir, "kernel", NULL);
    qmp_path = g_build_filename(dir, "qmp", NULL);
    core_path = g_build_filename(dir, "core", NULL);
    bzimage_write(kernel, code, sizeof(code));
    pid = start(dir, kernel);
    qmp = qmp_client_connect(qmp_path);
    qmp_client_handshake(qmp);
    check_monitor(qmp);
    json_node_unref(qmp_client_do(
        qmp, "{'execute': 'dump-guest-memory', 'arguments': "
        "{'paging': false, 'protocol': 'file:%s'}}", core_path));
    g_assert_true(g_file_get_contents(core_path, &core, NULL, NULL));
    check_core(core);
    qmp_client_free(qmp);
    kill(pid, SIGTERM);
    g_assert_cmpint(waitpid(pid, NULL, 0), ==, pid);
    g_unlink(core_path);
    g_unlink(qmp_path);
    g_unlink(kernel);
    g_assert_no_errno(g_rmdir(dir));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    if (!g_getenv("SPARSEVM")) {
        g_printerr("SPARSEVM must name the emulator\n");
        return 1;
    }
    g_test_add_func("/kvm/registers", test_registers);
    return g_test_run();
}
