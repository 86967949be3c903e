/* SPDX-License-Identifier: GPL-2.0-or-later */
/* QEMU's storage daemon, and a disk's driver. */
#include <glib/gstdio.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_ring.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "storage-daemon.h"

#define PROGRAM "qemu-storage-daemon"

/* --- a stand-in ------------------------------------------------------------ */

/* Between the emulator and QEMU's daemon, with the daemon's path and DIR. */
static const char between[] =
    "#!/usr/bin/env python3\n"
    "import json, os, signal, socket, subprocess, sys, threading, time\n"
    "DAEMON, DIR = '%s', '%s'\n"
    "client = socket.socket(fileno=int(sys.argv[2].split('fd=')[1]))\n"
    "ours, theirs = socket.socketpair()\n"
    "daemon = subprocess.Popen([DAEMON, '--chardev',\n"
    "    'socket,id=q,fd=%%d' %% theirs.fileno(), '--monitor', 'chardev=q'],\n"
    "    pass_fds=[theirs.fileno()])\n"
    "theirs.close()\n"
    "signal.signal(signal.SIGTERM, lambda *_: (daemon.kill(), os._exit(1)))\n"
    "def answers():\n"
    "    while data := ours.recv(4096):\n"
    "        client.sendall(data)\n"
    "    client.shutdown(socket.SHUT_RDWR)\n"
    "threading.Thread(target=answers, daemon=True).start()\n"
    "%s"
    "daemon.kill()\n";

void qstand_in_begin(QStandIn *s, const char *what_it_does)
{
    g_autofree char *daemon = g_find_program_in_path(PROGRAM);
    g_autofree char *path = NULL, *program = NULL;

    s->dir = g_dir_make_tmp("stand-in-XXXXXX", NULL);
    g_assert_nonnull(s->dir);
    s->path = g_strdup(g_getenv("PATH"));
    path = g_strdup_printf("%s:%s", s->dir, s->path);
    g_setenv("PATH", path, true);
    program = g_strdup_printf(between, daemon, s->dir, what_it_does);
    qstand_in_write(s, PROGRAM, program, 0755);
}

char *qstand_in_file(QStandIn *s, const char *name)
{
    return g_build_filename(s->dir, name, NULL);
}

void qstand_in_write(QStandIn *s, const char *name, const char *text, int mode)
{
    g_autofree char *path = qstand_in_file(s, name);
    g_autoptr(GError) err = NULL;

    g_file_set_contents(path, text, -1, &err);
    g_assert_no_error(err);
    g_assert_no_errno(g_chmod(path, mode));
}

void qstand_in_end(QStandIn *s)
{
    g_autofree char *command = g_strdup_printf("rm -r %s", s->dir);

    g_setenv("PATH", s->path, true);
    g_assert_true(g_spawn_command_line_sync(command, NULL, NULL, NULL, NULL));
    g_free(s->dir);
    g_free(s->path);
}

/* --- the daemon ----------------------------------------------------------- */

void qstorage_daemon_needs(void)
{
    g_autofree char *path = g_find_program_in_path(PROGRAM);

    if (!path) {
        puts("1..0 # SKIP " PROGRAM " is not installed (package "
             "qemu-system-common)");
        exit(0);
    }
}

static void write_image(const char *path, uint64_t size)
{
    g_autofree uint32_t *bytes = g_malloc(size);
    g_autoptr(GError) err = NULL;

    for (uint64_t i = 0; i < size / sizeof(*bytes); i++) {
        bytes[i] = g_test_rand_int();
    }
    g_file_set_contents(path, (char *)bytes, size, &err);
    g_assert_no_error(err);
}

/* A test that ends early leaves none behind. */
static void die_with_parent(gpointer data)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
}

void qstorage_daemon_start(QStorageDaemon *d)
{
    g_autofree char *blockdev = g_strdup_printf(
        "driver=file,node-name=disk,filename=%s,cache.direct=off", d->image);
    g_autofree char *export = g_strdup_printf(
        "type=vhost-user-blk,id=export,node-name=disk,writable=on,"
        "num-queues=%u,addr.type=unix,addr.path=%s", d->queues, d->socket);
    char *argv[] = { PROGRAM, "--blockdev", blockdev, "--export", export,
                     NULL };
    gint64 deadline = qtest_deadline();
    g_autoptr(GError) err = NULL;
    unsigned round = 0;

    g_unlink(d->socket);
    g_spawn_async(NULL, argv, NULL,
                  G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_SEARCH_PATH,
                  die_with_parent, NULL, &d->pid, &err);
    g_assert_no_error(err);
    while (!qtest_is_listening(d->socket)) {
        if (!qtest_wait_more(deadline, &round)) {
            g_error(PROGRAM " does not listen in time");
        }
    }
}

QStorageDaemon *qstorage_daemon_new(uint64_t size, unsigned queues)
{
    QStorageDaemon *d = g_new0(QStorageDaemon, 1);

    d->dir = g_dir_make_tmp("storage-daemon-XXXXXX", NULL);
    g_assert_nonnull(d->dir);
    d->image = g_build_filename(d->dir, "image", NULL);
    d->socket = g_build_filename(d->dir, "socket", NULL);
    d->queues = queues;
    write_image(d->image, size);
    qstorage_daemon_start(d);
    return d;
}

void qstorage_daemon_kill(QStorageDaemon *d)
{
    if (d->pid) {
        kill(d->pid, SIGKILL);
        waitpid(d->pid, NULL, 0);
        d->pid = 0;
    }
}

void qstorage_daemon_free(QStorageDaemon *d)
{
    qstorage_daemon_kill(d);
    g_unlink(d->image);
    g_unlink(d->socket);
    g_rmdir(d->dir);
    g_free(d->image);
    g_free(d->socket);
    g_free(d->dir);
    g_free(d);
}

void qstorage_daemon_read(QStorageDaemon *d, uint64_t offset, void *buf,
                          size_t size)
{
    FILE *f = g_fopen(d->image, "re");

    g_assert_nonnull(f);
    g_assert_cmpint(fseek(f, offset, SEEK_SET), ==, 0);
    g_assert_cmpuint(fread(buf, 1, size, f), ==, size);
    fclose(f);
}

static gint compare_ends(gconstpointer a, gconstpointer b)
{
    const uint64_t *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

GArray *qprocess_mapped_ends(GPid pid, const char *name)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/maps", pid);
    g_autofree char *what = g_strdup_printf("/memfd:%s ", name);
    GArray *ends = g_array_new(false, false, sizeof(uint64_t));
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++) {
        uint64_t start, end, offset;

        if (strstr(*line, what)) {
            g_assert_cmpint(sscanf(*line, "%" SCNx64 "-%" SCNx64 " %*s %"
                                   SCNx64, &start, &end, &offset), ==, 3);
            end = offset + (end - start);
            g_array_append_val(ends, end);
        }
    }
    g_array_sort(ends, compare_ends);
    return ends;
}

pid_t qprocess_child(pid_t pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/task/%d/children", pid,
                                            pid);
    g_autofree char *text = NULL;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    return atoi(text);
}

void qprocess_wait_end(pid_t pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/stat", pid);
    gint64 deadline = qtest_deadline();
    unsigned round = 0;

    for (;;) {
        g_autofree char *text = NULL;

        if (!g_file_get_contents(path, &text, NULL, NULL) ||
            strstr(text, ") Z ")) {
            return;
        }
        g_assert_true(qtest_wait_more(deadline, &round));
    }
}

/* --- the disk ------------------------------------------------------------- */

/* What is in disk->request. */
typedef struct Request {
    struct virtio_blk_outhdr header;
    uint8_t status;
} Request;

void qdisk_init(QDisk *disk, QGuest *guest, unsigned nth, uint64_t wanted)
{
    qvirtio_pci_init(&disk->vdev, guest, VIRTIO_ID_BLOCK, nth);
    disk->request = qguest_alloc(guest, sizeof(Request), 16);
    /* The driver of queues does not say of which entries it wants to hear. */
    disk->features = qvirtio_start(&disk->vdev,
                                   wanted & ~(1ULL << VIRTIO_RING_F_EVENT_IDX));
    qvirtqueue_init(&disk->vq, &disk->vdev, 0, 0);
    qvirtio_driver_ok(&disk->vdev);
}

uint64_t qdisk_capacity(QDisk *disk)
{
    return qtest_readq(disk->vdev.pci.guest->qts, disk->vdev.config);
}

uint16_t qdisk_send(QDisk *disk, uint32_t type, uint64_t sector, uint64_t addr,
                    uint32_t size)
{
    QTestState *s = disk->vdev.pci.guest->qts;
    const Request request = { .header = { .type = type, .sector = sector },
                              .status = 0xff };
    QVirtioBuffer bufs[3] = {
        { disk->request, sizeof(request.header), false },
    };
    unsigned n = 1;
    uint16_t head;

    qtest_memwrite(s, disk->request, &request, sizeof(request));
    if (size) {
        bufs[n++] = (QVirtioBuffer) { addr, size, type != VIRTIO_BLK_T_OUT };
    }
    bufs[n++] = (QVirtioBuffer) {
        disk->request + offsetof(Request, status), 1, true,
    };
    head = qvirtqueue_add(&disk->vq, bufs, n);
    qvirtqueue_kick(&disk->vq);
    return head;
}

uint8_t qdisk_do(QDisk *disk, uint32_t type, uint64_t sector, uint64_t addr,
                 uint32_t size)
{
    uint16_t head = qdisk_send(disk, type, sector, addr, size);

    g_assert_cmpuint(qvirtqueue_wait(&disk->vq, NULL), ==, head);
    qvirtio_wait_interrupt(&disk->vdev, QVIRTIO_QUEUE_USED);
    return qtest_readb(disk->vdev.pci.guest->qts,
                       disk->request + offsetof(Request, status));
}
