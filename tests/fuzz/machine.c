/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See machine.h. */
#include "qemu/osdep.h"

#include "machine.h"

#include <setjmp.h>
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <linux/pci_regs.h>
#include <sys/socket.h>

#include "exec/address-spaces.h"
#include "monitor/qmp.h"
#include "qemu/error-report.h"
#include "qemu/main-loop.h"
#include "qemu/units.h"
#include "sysemu/runstate.h"

#define ECAM 0xb0000000ULL
#define BARS 0xc0000000ULL
#define BARS_SIZE 0x1000000ULL            /* of each slot */

static const char options[] =
    "sparsevm -sandbox off -accel qtest -qtest null -qtest-log none "
    "-display none -nodefaults -no-shutdown -smp 2 "
    "-m 64M,maxmem=4G,slots=8 -serial null %s "
    "-object memory-backend-memfd,id=mem1,size=128M "
    "-device virtio-mem-pci,id=vm0,memdev=mem0,addr=1,block-size=2M,"
    "requested-size=32M,packed=on "
    "-device virtio-mem-pci,id=vm1,memdev=mem1,addr=2,block-size=4M,"
    "requested-size=64M,packed=on "
    "-device virtio-balloon-pci,id=bal,addr=3,deflate-on-oom=on,"
    "free-page-reporting=on,packed=on "
    "-device pcie-root-port,id=rp0,addr=4,chassis=1 "
    "-device pcie-root-port,id=rp1,addr=5,chassis=2 "
    "-blockdev driver=file,node-name=d0,filename=disk,aio=threads,discard=unmap "
    "-device virtio-blk-pci,id=blk,addr=6,drive=d0,packed=on,num-queues=2,"
    "write-cache=on "
    "-netdev dgram,id=n0,local.type=fd,local.str=%d "
    "-device virtio-net-pci,id=net,addr=7,netdev=n0,packed=on "
    "-object rng-builtin,id=r0 "
    "-device virtio-rng-pci,id=rng,addr=8,rng=r0,packed=on "
    "-chardev socket,id=c0,fd=%d -chardev null,id=c1 "
    "-device virtio-serial-pci,id=ser,addr=9,packed=on "
    "-device virtconsole,bus=ser.0,chardev=c0 "
    "-device virtserialport,bus=ser.0,chardev=c1,name=port";

static const char private_memory[] =
    "-object memory-backend-ram,id=mem0,size=64M";
static const char shared_memory[] =
    "-object memory-backend-memfd,id=ram,size=64M -machine memory-backend=ram "
    "-object memory-backend-memfd,id=mem0,size=64M";

bool fuzz_shares_memory __attribute__((weak));

/* The emulator's main(), which is compiled under this name. */
int sparsevm_main(int argc, char **argv);
/* The linker puts these in place of the functions without the prefix. */
void __wrap_qemu_main_loop(void);
void __real_qemu_main_loop(void);
void __wrap_main_loop_wait(bool nonblocking);
void __real_main_loop_wait(bool nonblocking);

static int driver_argc;
static char **driver_argv;
static int wire[2], line[2];              /* the emulator has the first */

/* --- a guest's accesses --------------------------------------------------- */

static uint64_t access_space(AddressSpace *as, uint64_t addr, uint64_t value,
                             unsigned width, bool is_write)
{
    value = GUINT64_TO_LE(value);
    if (is_write) {
        address_space_write(as, addr, MEMTXATTRS_UNSPECIFIED, &value, width);
    } else {
        value = 0;
        address_space_read(as, addr, MEMTXATTRS_UNSPECIFIED, &value, width);
    }
    return GUINT64_FROM_LE(value);
}

uint64_t fuzz_read(uint64_t addr, unsigned width)
{
    return access_space(&address_space_memory, addr, 0, width, false);
}

void fuzz_write(uint64_t addr, uint64_t value, unsigned width)
{
    access_space(&address_space_memory, addr, value, width, true);
}

uint32_t fuzz_in(uint16_t port, unsigned width)
{
    return access_space(&address_space_io, port, 0, width, false);
}

void fuzz_out(uint16_t port, uint32_t value, unsigned width)
{
    access_space(&address_space_io, port, value, width, true);
}

uint64_t fuzz_config(unsigned bus, uint8_t devfn, uint16_t reg)
{
    return ECAM + ((uint64_t)bus << 20) + ((uint64_t)devfn << 12) + reg;
}

uint8_t fuzz_devfn(FuzzSlot slot)
{
    return slot == FUZZ_HOT ? 0 : (slot + 1) << 3;
}

uint64_t fuzz_config_of(FuzzSlot slot, uint16_t reg)
{
    return fuzz_config(slot == FUZZ_HOT ? 1 : 0, fuzz_devfn(slot), reg);
}

FuzzSlot fuzz_any_virtio(FuzzInput *in)
{
    static const FuzzSlot slots[] = {
        FUZZ_VM0, FUZZ_VM1, FUZZ_BALLOON, FUZZ_BLK, FUZZ_NET, FUZZ_RNG,
        FUZZ_SERIAL,
    };

    return slots[fuzz_below(in, G_N_ELEMENTS(slots))];
}

int fuzz_wire(void)
{
    return wire[1];
}

int fuzz_line(void)
{
    return line[1];
}

/* --- QMP ------------------------------------------------------------------ */

static const QmpCommand *find_command(const char *name, void *opaque,
                                      Error **errp)
{
    static const char *const harmful[] = { "quit", "dump-guest-memory",
                                           "memory-map-dump", NULL };
    const QmpCommand *cmd = qmp_find_command(name);

    if (!cmd || g_strv_contains(harmful, name)) {
        error_setg(errp, "no command %s", name);
        return NULL;
    }
    return cmd;
}

/* An HMP line can do what find_command() forbids. */
static bool is_harmful(const char *text)
{
    return fuzz_names_a_file(text) || strstr(text, "quit") ||
           strstr(text, "dump") || strstr(text, "\"q\"");
}

void fuzz_qmp(const char *fmt, ...)
{
    g_autofree char *text = NULL;
    g_autoptr(JsonNode) request = NULL;
    va_list ap;

    va_start(ap, fmt);
    text = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    g_strdelimit(text, "'", '"');
    if (is_harmful(text)) {
        return;
    }
    request = json_from_string(text, NULL);
    if (request) {
        json_object_unref(qmp_dispatch(request, true, find_command, NULL));
    }
}

/* --- the main loop -------------------------------------------------------- */

static jmp_buf after_the_loop;
static int turns = -1;                    /* that are left; < 0: not counted */

void __wrap_main_loop_wait(bool nonblocking)
{
    if (turns == 0) {
        longjmp(after_the_loop, 1);
    }
    if (turns > 0) {
        turns--;
        nonblocking = true;
    }
    __real_main_loop_wait(nonblocking);
}

void fuzz_settle(void)
{
    turns = 4;
    if (!setjmp(after_the_loop)) {
        __real_qemu_main_loop();
    }
    turns = -1;
}

/* --- the state that each input finds -------------------------------------- */

/* What is behind the port is within these; each slot has its own range. */
static void open_windows(void)
{
    const uint16_t base = (BARS + FUZZ_HOT * BARS_SIZE) >> 16;
    const uint16_t limit = base + (BARS_SIZE >> 16) - 1;

    fuzz_write(fuzz_config_of(FUZZ_PORT0, PCI_MEMORY_BASE), base, 2);
    fuzz_write(fuzz_config_of(FUZZ_PORT0, PCI_MEMORY_LIMIT), limit, 2);
}

void fuzz_assign_bars(FuzzSlot slot)
{
    uint64_t at = BARS + slot * BARS_SIZE;

    if (slot == FUZZ_HOT) {
        open_windows();
    }
    for (unsigned reg = PCI_BASE_ADDRESS_0; reg <= PCI_BASE_ADDRESS_5;
         reg += 4) {
        uint64_t bar = fuzz_config_of(slot, reg);
        uint64_t size;
        uint32_t mask;

        fuzz_write(bar, UINT32_MAX, 4);
        mask = fuzz_read(bar, 4);
        if (!mask || mask & PCI_BASE_ADDRESS_SPACE_IO) {
            continue;
        }
        size = (uint32_t)-(mask & PCI_BASE_ADDRESS_MEM_MASK);
        at = ROUND_UP(at, size);
        fuzz_write(bar, at, 4);
        at += size;
        if (mask & PCI_BASE_ADDRESS_MEM_TYPE_64) {
            fuzz_write(bar + 4, 0, 4);
            reg += 4;
        }
    }
    fuzz_write(fuzz_config_of(slot, PCI_COMMAND),
               PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 2);
}

static void number_buses(void)
{
    for (unsigned i = 0; i < 2; i++) {
        fuzz_write(fuzz_config_of(FUZZ_PORT0 + i, PCI_PRIMARY_BUS),
                   (i + 1) << 16 | (i + 1) << 8, 4);
    }
}

static const char *const addition_ids[] = {
    "h0", "h1", "h2", "m0", "m1", "m2",
};

static void remove_objects(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(addition_ids); i++) {
        fuzz_qmp("{'execute': 'object-del', 'arguments': {'id': '%s'}}",
                 addition_ids[i]);
    }
}

/* Whatever an input can have added: who keeps devices first (memory controllers),
 * then its devices, then their memory. */
static void remove_additions(void)
{
    remove_objects();
    for (size_t i = 0; i < G_N_ELEMENTS(addition_ids); i++) {
        fuzz_qmp("{'execute': 'device_del', 'arguments': {'id': '%s'}}",
                 addition_ids[i]);
    }
    /* A reset completes the removals. */
    qemu_system_reset(SHUTDOWN_CAUSE_HOST_QMP_SYSTEM_RESET);
    fuzz_settle();
    remove_objects();
}

void fuzz_fresh(void)
{
    fuzz_settle();
    fuzz_qmp("{'execute': 'cont'}");
    qemu_system_reset(SHUTDOWN_CAUSE_HOST_QMP_SYSTEM_RESET);
    remove_additions();
    fuzz_settle();
    fuzz_qmp("{'execute': 'cont'}");
    fuzz_qmp("{'execute': 'block_resize', 'arguments': {'node-name': 'd0', "
             "'size': %" PRIu64 "}}", (uint64_t)FUZZ_DISK_SIZE);
    number_buses();
    for (unsigned slot = 0; slot < FUZZ_NR_SLOTS; slot++) {
        fuzz_assign_bars(slot);
        fuzz_virtio_find(slot);
    }
}

/* --- start ---------------------------------------------------------------- */

static void say_nothing(const char *line, void *opaque)
{
}

void __wrap_qemu_main_loop(void)
{
    exit(fuzz_drive(driver_argc, driver_argv));
}

/* Names on the driver's command line stay valid in another directory. */
static void make_absolute(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (argv[i][0] != '-') {
            argv[i] = g_canonicalize_filename(argv[i], NULL);
        }
    }
}

static void remove_directory(void)
{
    g_autofree char *path = g_get_current_dir();

    g_unlink("disk");
    if (chdir("/") == 0) {
        g_rmdir(path);
    }
}

/* Nothing that is written goes anywhere but into a directory that has just the
 * disk. */
static void leave_for_an_empty_directory(void)
{
    g_autofree char *path = g_dir_make_tmp("fuzz-XXXXXX", NULL);

    g_assert_cmpint(chdir(path), ==, 0);
    atexit(remove_directory);
    g_assert_true(g_file_set_contents("disk", "", 0, NULL));
    g_assert_cmpint(truncate("disk", FUZZ_DISK_SIZE), ==, 0);
}

static char *make_options(void)
{
    int ret = socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, wire);

    g_assert_cmpint(ret, ==, 0);
    ret = socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, line);
    g_assert_cmpint(ret, ==, 0);
    return g_strdup_printf(options,
                           fuzz_shares_memory ? shared_memory : private_memory,
                           wire[0], line[0]);
}

int main(int argc, char **argv)
{
    g_autofree char *text = make_options();
    g_auto(GStrv) words = NULL;
    int n;

    make_absolute(argc, argv);
    leave_for_an_empty_directory();
    driver_argc = argc;
    driver_argv = argv;
    g_assert_true(g_shell_parse_argv(text, &n, &words, NULL));
    error_set_printer(say_nothing, NULL);
    return sparsevm_main(n, words);
}
