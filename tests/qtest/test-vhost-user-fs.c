/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vhost-user-fs with QEMU's virtiofsd: a file of a directory of the host, read
 * by FUSE into memory that has been plugged.
 */
#include <glib/gstdio.h>
#include <linux/fuse.h>
#include <linux/virtio_fs.h>
#include <linux/virtio_ids.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "coordination.h"

#define PROGRAM "/usr/lib/qemu/virtiofsd"
#define TEXT "a file of the host\n"
#define REQUEST_QUEUE 1
#define ROOM (4 * KiB)

typedef struct Fixture {
    char *dir;
    char *socket;
    char *source;
    char *file;
    GPid pid;
    Coordination c;
    QVirtioPCI fs;
    QVirtQueue hiprio;
    QVirtQueue vq;
    uint64_t in;                          /* guest memory: requests, answers */
    uint64_t out;
    uint64_t unique;
} Fixture;

static void die_with_parent(gpointer data)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static void start_daemon(Fixture *f)
{
    g_autofree char *socket = g_strdup_printf("--socket-path=%s", f->socket);
    g_autofree char *source = g_strdup_printf("source=%s", f->source);
    char *argv[] = { PROGRAM, socket, "-f", "-o", source, "-o",
                     "sandbox=chroot", "-o", "log_level=err", NULL };
    gint64 deadline = qtest_deadline();
    g_autoptr(GError) err = NULL;
    unsigned round = 0;

    g_spawn_async(NULL, argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD,
                  die_with_parent, NULL, &f->pid, &err);
    g_assert_no_error(err);
    while (!qtest_is_listening(f->socket)) {
        g_assert_true(qtest_wait_more(deadline, &round));
        if (waitpid(f->pid, NULL, WNOHANG) == f->pid) {
            f->pid = 0;
            return;
        }
    }
}

/* false: the daemon does not run here, and the test is skipped. */
static bool start(Fixture *f)
{
    g_autoptr(GError) err = NULL;

    *f = (Fixture) { .dir = g_dir_make_tmp("virtiofs-XXXXXX", NULL) };
    f->socket = g_build_filename(f->dir, "socket", NULL);
    f->source = g_build_filename(f->dir, "source", NULL);
    f->file = g_build_filename(f->source, "file", NULL);
    g_assert_cmpint(g_mkdir(f->source, 0755), ==, 0);
    g_file_set_contents(f->file, TEXT, -1, &err);
    g_assert_no_error(err);
    start_daemon(f);
    if (!f->pid) {
        g_test_skip("virtiofsd does not start: it needs to be root");
        return false;
    }
    coordination_start(&f->c, 1, 0, "",
                       " -m 64M,maxmem=2G "
                       "-object memory-backend-memfd,id=mem0,size=256M "
                       "-device virtio-mem-pci,id=vm0,memdev=mem0,"
                       "block-size=2M,requested-size=256M "
                       "-chardev socket,id=c0,path=%s "
                       "-device vhost-user-fs-pci,chardev=c0,tag=share",
                       f->socket);
    return true;
}

static void stop(Fixture *f)
{
    if (f->pid) {
        coordination_stop(&f->c);
        kill(f->pid, SIGKILL);
        waitpid(f->pid, NULL, 0);
    }
    g_unlink(f->file);
    g_rmdir(f->source);
    g_unlink(f->socket);
    g_rmdir(f->dir);
    g_free(f->file);
    g_free(f->source);
    g_free(f->socket);
    g_free(f->dir);
}

/* A request to @node with @size bytes of @arg; the answer's bytes, beyond its
 * header, in @answer of @room bytes. */
static void fuse(Fixture *f, uint32_t opcode, uint64_t node, const void *arg,
                 size_t size, void *answer, size_t room)
{
    const struct fuse_in_header in = {
        .len = sizeof(in) + size,
        .opcode = opcode,
        .unique = ++f->unique,
        .nodeid = node,
    };
    struct fuse_out_header out;
    const QVirtioBuffer bufs[] = {
        { f->in, sizeof(in) + size, false },
        { f->out, sizeof(out) + room, true },
    };
    uint32_t len;

    qtest_memwrite(f->c.qts, f->in, &in, sizeof(in));
    qtest_memwrite(f->c.qts, f->in + sizeof(in), arg, size);
    qvirtqueue_add(&f->vq, bufs, G_N_ELEMENTS(bufs));
    qvirtqueue_kick(&f->vq);
    qvirtqueue_wait(&f->vq, &len);
    qvirtio_wait_interrupt(&f->fs, QVIRTIO_QUEUE_USED);
    qtest_memread(f->c.qts, f->out, &out, sizeof(out));
    g_assert_cmpint(out.error, ==, 0);
    g_assert_cmpuint(out.unique, ==, in.unique);
    qtest_memread(f->c.qts, f->out + sizeof(out), answer, room);
}

static void drive(Fixture *f)
{
    const struct fuse_init_in init = { .major = FUSE_KERNEL_VERSION,
                                       .minor = FUSE_KERNEL_MINOR_VERSION };
    struct fuse_init_out inited;

    qvirtio_pci_init(&f->fs, &f->c.guest, VIRTIO_ID_FS, 0);
    qvirtio_start(&f->fs, 0);
    qvirtqueue_init(&f->hiprio, &f->fs, 0, 0);
    qvirtqueue_init(&f->vq, &f->fs, REQUEST_QUEUE, 0);
    qvirtio_driver_ok(&f->fs);
    fuse(f, FUSE_INIT, 0, &init, sizeof(init), &inited, sizeof(inited));
    g_assert_cmpuint(inited.major, ==, FUSE_KERNEL_VERSION);
}

static void check_file(Fixture *f)
{
    struct fuse_entry_out entry;
    struct fuse_open_in open = { .flags = 0 };
    struct fuse_open_out opened;
    struct fuse_read_in read = { .size = sizeof(TEXT) - 1 };
    char text[sizeof(TEXT) - 1];

    fuse(f, FUSE_LOOKUP, FUSE_ROOT_ID, "file", sizeof("file"), &entry,
         sizeof(entry));
    g_assert_cmpuint(entry.attr.size, ==, sizeof(text));
    fuse(f, FUSE_OPEN, entry.nodeid, &open, sizeof(open), &opened,
         sizeof(opened));
    read.fh = opened.fh;
    fuse(f, FUSE_READ, entry.nodeid, &read, sizeof(read), text, sizeof(text));
    g_assert_cmpmem(text, sizeof(text), TEXT, sizeof(text));
}

static void test_file(void)
{
    struct virtio_fs_config config;
    Fixture f;

    if (start(&f)) {
        f.in = qguest_alloc(&f.c.guest, ROOM, 8);
        f.out = qguest_alloc(&f.c.guest, ROOM, 8);
        drive(&f);
        qtest_memread(f.c.qts, f.fs.config, &config, sizeof(config));
        g_assert_cmpstr((char *)config.tag, ==, "share");
        g_assert_cmpuint(config.num_request_queues, ==, 1);
        check_file(&f);
        g_assert_cmpuint(qvirtio_mem_plug(&f.c.mem[0], f.c.config[0].addr, 4),
                         ==, VIRTIO_MEM_RESP_ACK);
        f.in = f.c.config[0].addr;
        f.out = f.in + 3 * f.c.config[0].block_size;
        check_file(&f);
        /* What is used stays, and its neighbours go. */
        g_assert_cmpuint(qvirtio_mem_unplug(&f.c.mem[0], f.in +
                                            f.c.config[0].block_size, 2),
                         ==, VIRTIO_MEM_RESP_ACK);
        check_file(&f);
    }
    stop(&f);
}

int main(int argc, char **argv)
{
    qtest_main_init(&argc, &argv);
    qtest_needs(QTEST_NEEDS_SPARSEVM);
    if (!g_file_test(PROGRAM, G_FILE_TEST_IS_EXECUTABLE)) {
        puts("1..0 # SKIP " PROGRAM " is not installed (package "
             "qemu-system-common)");
        exit(0);
    }
    g_test_add_func("/vhost-user-fs/file", test_file);
    return g_test_run();
}
