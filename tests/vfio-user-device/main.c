/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vfio-user-testdev: the test device as a program. It serves one client after
 * the other; --once: only one. With no stalled, garbled or dying connection
 * asked for, it is a well-behaved server.
 */
#include "qemu/osdep.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "qemu/error-report.h"
#include "qemu/socket-path.h"
#include "testdev.h"

static char *opt_socket;
static int opt_fd = -1;
static gboolean opt_once, opt_die_with_parent;
static char *opt_log, *opt_bar2_file;
static gint64 opt_max_dma_maps, opt_pgsizes, opt_max_msg_fds, opt_rom_size;
static int opt_refuse_map, opt_refuse_unmap, opt_refuse_errno = ENOMEM;
static int opt_stall = -1, opt_garbage = -1, opt_die = -1, opt_seed;
static char *opt_garbage_kind;

static const GOptionEntry entries[] = {
    { "socket", 's', 0, G_OPTION_ARG_FILENAME, &opt_socket,
      "Listen on the UNIX socket PATH", "PATH" },
    { "fd", 0, 0, G_OPTION_ARG_INT, &opt_fd,
      "Serve the client at the inherited descriptor N", "N" },
    { "once", 0, 0, G_OPTION_ARG_NONE, &opt_once,
      "End when the first client disconnects", NULL },
    { "die-with-parent", 0, 0, G_OPTION_ARG_NONE, &opt_die_with_parent,
      "End when the process that started this one does", NULL },
    { "log", 0, 0, G_OPTION_ARG_FILENAME, &opt_log,
      "Write each map and unmap to FILE", "FILE" },
    { "bar2-file", 0, 0, G_OPTION_ARG_FILENAME, &opt_bar2_file,
      "Show FILE to the client as BAR 2's memory, which it is not", "FILE" },
    { "rom-size", 0, 0, G_OPTION_ARG_INT64, &opt_rom_size,
      "Claim to have a ROM of N bytes (0)", "N" },
    { "max-dma-maps", 0, 0, G_OPTION_ARG_INT64, &opt_max_dma_maps,
      "Allow N mappings at the same time (65535)", "N" },
    { "pgsizes", 0, 0, G_OPTION_ARG_INT64, &opt_pgsizes,
      "Claim to map pages of these sizes, or'ed (4096)", "MASK" },
    { "max-msg-fds", 0, 0, G_OPTION_ARG_INT64, &opt_max_msg_fds,
      "Claim to receive N descriptors in a message (32)", "N" },
    { "refuse-map", 0, 0, G_OPTION_ARG_INT, &opt_refuse_map,
      "Refuse the N-th map, counted from 1", "N" },
    { "refuse-unmap", 0, 0, G_OPTION_ARG_INT, &opt_refuse_unmap,
      "Refuse the N-th unmap, counted from 1", "N" },
    { "refuse-errno", 0, 0, G_OPTION_ARG_INT, &opt_refuse_errno,
      "With this error (12, ENOMEM)", "ERRNO" },
    { "stall-after", 0, 0, G_OPTION_ARG_INT, &opt_stall,
      "Answer N messages, then no more", "N" },
    { "garbage-after", 0, 0, G_OPTION_ARG_INT, &opt_garbage,
      "Answer N messages, then nonsense", "N" },
    { "garbage", 0, 0, G_OPTION_ARG_STRING, &opt_garbage_kind,
      "What kind of nonsense: bytes, oversized, undersized, id, command, type, "
      "short, random, half, twice (bytes)", "KIND" },
    { "die-after", 0, 0, G_OPTION_ARG_INT, &opt_die,
      "Answer N messages, then end", "N" },
    { "seed", 0, 0, G_OPTION_ARG_INT, &opt_seed, "Of random nonsense", "N" },
    { .long_name = NULL }
};

static const char *const garbage_kinds[TESTDEV_NR_GARBAGE + 1] = {
    [TESTDEV_GARBAGE_BYTES] = "bytes",
    [TESTDEV_GARBAGE_OVERSIZED] = "oversized",
    [TESTDEV_GARBAGE_UNDERSIZED] = "undersized",
    [TESTDEV_GARBAGE_ID] = "id",
    [TESTDEV_GARBAGE_COMMAND] = "command",
    [TESTDEV_GARBAGE_TYPE] = "type",
    [TESTDEV_GARBAGE_SHORT] = "short",
    [TESTDEV_GARBAGE_RANDOM] = "random",
    [TESTDEV_GARBAGE_HALF] = "half",
    [TESTDEV_GARBAGE_TWICE] = "twice",
};

static bool parse_garbage(uint32_t *kind, Error **errp)
{
    for (uint32_t i = 0; opt_garbage_kind && i < TESTDEV_NR_GARBAGE; i++) {
        if (!strcmp(opt_garbage_kind, garbage_kinds[i])) {
            *kind = i;
            return true;
        }
    }
    if (opt_garbage_kind) {
        error_setg(errp, "--garbage=%s: no such kind, see --help",
                   opt_garbage_kind);
    }
    return !opt_garbage_kind;
}

static bool parse_options(int *argc, char ***argv, TestDevOptions *options,
                          Error **errp)
{
    g_autoptr(GOptionContext) context =
        g_option_context_new("- a PCI device to test vfio-user with");
    uint32_t kind = TESTDEV_GARBAGE_BYTES;

    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, argc, argv, errp) ||
        !parse_garbage(&kind, errp)) {
        return false;
    }
    if (*argc > 1 || (opt_socket != NULL) == (opt_fd >= 0)) {
        error_setg(errp, "one of --socket=PATH and --fd=N, and nothing but "
                   "options, see --help");
        return false;
    }
    *options = (TestDevOptions) {
        .log = opt_log,
        .bar2_file = opt_bar2_file,
        .max_dma_maps = opt_max_dma_maps,
        .pgsizes = opt_pgsizes,
        .max_msg_fds = opt_max_msg_fds,
        .rom_size = opt_rom_size,
        .fault_after = {
            [TESTDEV_FAULT_REFUSE_MAP] = opt_refuse_map,
            [TESTDEV_FAULT_REFUSE_UNMAP] = opt_refuse_unmap,
            [TESTDEV_FAULT_STALL] = opt_stall + 1,
            [TESTDEV_FAULT_GARBAGE] = opt_garbage + 1,
            [TESTDEV_FAULT_DIE] = opt_die + 1,
        },
        .fault_arg = {
            [TESTDEV_FAULT_REFUSE_MAP] = opt_refuse_errno,
            [TESTDEV_FAULT_REFUSE_UNMAP] = opt_refuse_errno,
            [TESTDEV_FAULT_GARBAGE] = kind,
        },
        .seed = opt_seed,
    };
    return true;
}

static struct sockaddr_un address;
static SocketFile file;

static int listen_on(const char *path, Error **errp)
{
    int fd, ret;

    if (!socket_path_address(&address, path)) {
        error_setg(errp, "the path of the socket is longer than %zu "
                   "characters", sizeof(address.sun_path) - 1);
        return -1;
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ret = fd < 0 ? -errno : socket_path_bind(fd, &address, &file);
    if (!ret && listen(fd, 1) == 0) {
        return fd;
    }
    error_setg_errno(errp, ret ? -ret : errno, "cannot listen on '%s'", path);
    if (fd >= 0) {
        close(fd);
    }
    return -1;
}

/* Why a connection ended is only of interest to whoever debugs a test. */
static void serve_one(TestDev *dev, int fd)
{
    g_autoptr(GError) err = NULL;

    testdev_serve(dev, fd, &err);
    g_debug("%s", error_get_pretty(err));
}

static bool serve_all(TestDev *dev, Error **errp)
{
    int listener = listen_on(opt_socket, errp);

    if (listener < 0) {
        return false;
    }
    do {
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

        if (fd < 0) {
            error_setg_errno(errp, errno, "cannot accept a client");
            break;
        }
        serve_one(dev, fd);
    } while (!opt_once && !dev->dead);
    close(listener);
    socket_path_remove(&address, &file);
    return !*errp;
}

int main(int argc, char **argv)
{
    TestDevOptions options;
    Error *err = NULL;
    TestDev *dev;

    error_set_progname("vfio-user-testdev");
    if (!parse_options(&argc, &argv, &options, &err)) {
        error_report_err(err);
        return 1;
    }
    if (opt_die_with_parent) {
        prctl(PR_SET_PDEATHSIG, SIGTERM);
    }
    dev = testdev_new(&options, &err);
    if (!dev) {
        error_report_err(err);
        return 1;
    }
    if (opt_fd >= 0) {
        serve_one(dev, opt_fd);
    } else {
        serve_all(dev, &err);
    }
    testdev_free(dev);
    if (err) {
        error_report_err(err);
        return 1;
    }
    return 0;
}
