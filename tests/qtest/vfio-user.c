/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The vfio-user test device: its process, its log and its driver. */
#include <errno.h>
#include <glib/gstdio.h>
#include <linux/pci_regs.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "tests/patience.h"
#include "vfio-user.h"

/* --- the server ----------------------------------------------------------- */

static const char *server_program(void)
{
    return g_getenv("QTEST_VFIO_USER_TESTDEV");
}

const char *qvfio_user_patience(void)
{
    static char option[64];

    snprintf(option, sizeof(option), "-global vfio-user-pci.x-msg-timeout=%u",
             (unsigned)(patience_us() / 1000));
    return option;
}

void qvfio_user_main_init(int *argc, char ***argv)
{
    qtest_main_init(argc, argv);
    qtest_needs("-device help", "vfio-user-pci");
    if (!server_program()) {
        puts("1..0 # SKIP QTEST_VFIO_USER_TESTDEV names no vfio-user server");
        exit(0);
    }
}

static gint compare_iova(gconstpointer a, gconstpointer b, gpointer data)
{
    const QMapping *x = a, *y = b;

    return x->iova < y->iova ? -1 : x->iova > y->iova;
}

static void forget_mappings(QVFIOUserServer *server)
{
    g_clear_pointer(&server->mappings, g_tree_unref);
    server->mappings = g_tree_new_full(compare_iova, NULL, NULL, g_free);
}

static void spawn(QVFIOUserServer *server, const char *options)
{
    g_autofree char *line = g_strdup_printf(
        "%s --socket=%s --log=%s --die-with-parent %s", server_program(),
        server->socket, server->log_path, options);
    g_auto(GStrv) argv = NULL;
    g_autoptr(GError) err = NULL;

    g_test_message("%s", line);
    g_shell_parse_argv(line, NULL, &argv, &err);
    g_assert_no_error(err);
    g_spawn_async(NULL, argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL,
                  &server->pid, &err);
    g_assert_no_error(err);
}

QVFIOUserServer *qvfio_user_server_new(const char *fmt, ...)
{
    QVFIOUserServer *server = g_new0(QVFIOUserServer, 1);
    gint64 deadline = qtest_deadline();
    g_autofree char *options = NULL;
    unsigned round = 0;
    va_list ap;

    va_start(ap, fmt);
    options = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    server->dir = g_dir_make_tmp("vfio-user-XXXXXX", NULL);
    g_assert_nonnull(server->dir);
    server->socket = g_build_filename(server->dir, "socket", NULL);
    server->log_path = g_build_filename(server->dir, "log", NULL);
    forget_mappings(server);
    spawn(server, options);
    while (!qtest_is_listening(server->socket)) {
        if (!qtest_wait_more(deadline, &round)) {
            g_error("the vfio-user server does not listen in time");
        }
    }
    server->log = g_fopen(server->log_path, "re");
    g_assert_nonnull(server->log);
    return server;
}

void qvfio_user_server_kill(QVFIOUserServer *server)
{
    if (server->pid) {
        kill(server->pid, SIGKILL);
        waitpid(server->pid, NULL, 0);
        server->pid = 0;
    }
}

void qvfio_user_server_free(QVFIOUserServer *server)
{
    qvfio_user_server_kill(server);
    fclose(server->log);
    g_unlink(server->log_path);
    g_unlink(server->socket);
    g_rmdir(server->dir);
    g_tree_unref(server->mappings);
    g_free(server->socket);
    g_free(server->log_path);
    g_free(server->dir);
    g_free(server);
}

/* --- its log -------------------------------------------------------------- */

/* An overlap the server refuses by itself. */
static void note_map(QVFIOUserServer *server, QMapping mapping)
{
    QMapping *copy = g_new(QMapping, 1);

    *copy = mapping;
    g_assert_null(g_tree_lookup(server->mappings, &mapping));
    g_tree_insert(server->mappings, copy, copy);
    server->maps++;
}

static void note_unmap(QVFIOUserServer *server, QMapping mapping)
{
    const QMapping *found = g_tree_lookup(server->mappings, &mapping);

    if (!found || found->size != mapping.size) {
        g_error("0x%" PRIx64 " bytes at 0x%" PRIx64 " were unmapped, but not "
                "mapped like that", mapping.size, mapping.iova);
    }
    g_tree_remove(server->mappings, &mapping);
    server->unmaps++;
}

static void note_line(QVFIOUserServer *server, const char *line)
{
    QMapping m;

    if (sscanf(line, "map %" SCNx64 " %" SCNx64, &m.iova, &m.size) == 2) {
        note_map(server, m);
    } else if (sscanf(line, "unmap %" SCNx64 " %" SCNx64, &m.iova,
                      &m.size) == 2) {
        note_unmap(server, m);
    } else if (g_str_has_prefix(line, "refuse-")) {
        server->refusals++;
    } else if (g_str_has_prefix(line, "disconnect")) {
        server->connected = false;
        forget_mappings(server);
    } else if (g_str_has_prefix(line, "connect")) {
        server->connected = true;
    }
}

void qvfio_user_server_update(QVFIOUserServer *server)
{
    char line[128];

    clearerr(server->log);
    while (fgets(line, sizeof(line), server->log)) {
        g_assert_true(g_str_has_suffix(line, "\n"));
        note_line(server, line);
    }
}

void qvfio_user_server_wait_disconnect(QVFIOUserServer *server)
{
    gint64 deadline = qtest_deadline();
    unsigned round = 0;

    qvfio_user_server_update(server);
    while (server->connected) {
        if (!qtest_wait_more(deadline, &round)) {
            g_error("the emulator does not disconnect in time");
        }
        qvfio_user_server_update(server);
    }
}

static gboolean append_mapping(gpointer key, gpointer value, gpointer data)
{
    g_array_append_vals(data, value, 1);
    return false;
}

GArray *qvfio_user_server_mappings(QVFIOUserServer *server)
{
    GArray *array = g_array_new(false, false, sizeof(QMapping));

    qvfio_user_server_update(server);
    g_tree_foreach(server->mappings, append_mapping, array);
    return array;
}

/* --- the driver ----------------------------------------------------------- */

void qvfio_user_init(QVFIOUser *dev, QGuest *guest, unsigned nth)
{
    qpci_device_init(&dev->pci, guest, TESTDEV_VENDOR_ID, TESTDEV_DEVICE_ID,
                     nth);
    dev->regs = qpci_map_bar(&dev->pci, 0);
    qpci_enable(&dev->pci);
    g_assert_true(qpci_msix_enable(&dev->pci));
    g_assert_cmphex(qvfio_user_readl(dev, TESTDEV_REG_ID), ==, TESTDEV_ID);
}

uint32_t qvfio_user_readl(QVFIOUser *dev, unsigned reg)
{
    return qtest_readl(dev->pci.guest->qts, dev->regs + reg);
}

uint64_t qvfio_user_readq(QVFIOUser *dev, unsigned reg)
{
    return qtest_readq(dev->pci.guest->qts, dev->regs + reg);
}

void qvfio_user_writel(QVFIOUser *dev, unsigned reg, uint32_t value)
{
    qtest_writel(dev->pci.guest->qts, dev->regs + reg, value);
}

void qvfio_user_writeq(QVFIOUser *dev, unsigned reg, uint64_t value)
{
    qtest_writeq(dev->pci.guest->qts, dev->regs + reg, value);
}

/* Runs it to the end, in the background as devices do. */
static uint32_t run_command(QVFIOUser *dev, uint32_t command, uint64_t size)
{
    gint64 deadline = qtest_deadline();
    unsigned round = 0;
    uint32_t status;

    qvfio_user_writeq(dev, TESTDEV_REG_LEN, size);
    qvfio_user_writel(dev, TESTDEV_REG_COMMAND, command | TESTDEV_LATER);
    while ((status = qvfio_user_readl(dev, TESTDEV_REG_STATUS)) ==
           TESTDEV_BUSY) {
        if (!qtest_wait_more(deadline, &round)) {
            g_error("the vfio-user device's DMA does not end in time");
        }
    }
    return status == TESTDEV_DONE ? 0
                                  : qvfio_user_readl(dev, TESTDEV_REG_ERROR);
}

uint32_t qvfio_user_copy(QVFIOUser *dev, uint64_t to, uint64_t from,
                         uint64_t size)
{
    qvfio_user_writeq(dev, TESTDEV_REG_SRC, from);
    qvfio_user_writeq(dev, TESTDEV_REG_DST, to);
    return run_command(dev, TESTDEV_COPY, size);
}

uint32_t qvfio_user_fill(QVFIOUser *dev, uint64_t to, uint8_t value,
                         uint64_t size)
{
    qvfio_user_writeq(dev, TESTDEV_REG_DST, to);
    qvfio_user_writel(dev, TESTDEV_REG_VALUE, value);
    return run_command(dev, TESTDEV_FILL, size);
}

uint32_t qvfio_user_checksum(QVFIOUser *dev, uint64_t from, uint64_t size,
                             uint64_t *sum)
{
    uint32_t error;

    qvfio_user_writeq(dev, TESTDEV_REG_SRC, from);
    error = run_command(dev, TESTDEV_CHECKSUM, size);
    *sum = qvfio_user_readq(dev, TESTDEV_REG_RESULT);
    return error;
}

uint64_t qvfio_user_probe(QVFIOUser *dev, uint64_t iova)
{
    qvfio_user_writeq(dev, TESTDEV_REG_PROBE, iova);
    return qvfio_user_readq(dev, TESTDEV_REG_PROBE_SIZE);
}

void qvfio_user_arm(QVFIOUser *dev, uint32_t fault, uint32_t after,
                    uint32_t arg)
{
    qvfio_user_writel(dev, TESTDEV_REG_AFTER, after);
    qvfio_user_writel(dev, TESTDEV_REG_ARG, arg);
    qvfio_user_writel(dev, TESTDEV_REG_ARM, fault);
}
