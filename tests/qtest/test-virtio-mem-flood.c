/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest that never stops: a CPU makes requests available as fast as they are
 * used, and the emulator has time for its other clients all the same.
 */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "memfd.h"
#include "virtio-mem.h"

typedef struct Flooder {
    uint8_t *ram;
    const QVirtQueue *vq;
    gint stop;
} Flooder;

/* A CPU that makes requests available as fast as they are used. */
static gpointer flood(gpointer data)
{
    Flooder *fl = data;
    volatile uint16_t *avail = (uint16_t *)(fl->ram + fl->vq->avail + 2);
    volatile uint16_t *used = (uint16_t *)(fl->ram + fl->vq->used + 2);

    while (!g_atomic_int_get(&fl->stop)) {
        *avail = *used + fl->vq->size / 2;
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
    }
    return NULL;
}

/* As many STATE requests as fit, each two buffers, in all places of the ring. */
static void fill_ring(QVirtioMem *vmem, uint64_t addr)
{
    QTestState *s = vmem->vdev.pci.guest->qts;
    const struct virtio_mem_req req = {
        .type = VIRTIO_MEM_REQ_STATE,
        .u.state = { .addr = addr, .nb_blocks = 1 },
    };
    const QVirtioBuffer bufs[] = {
        { vmem->request, sizeof(req), false },
        { vmem->response, sizeof(struct virtio_mem_resp), true },
    };

    qtest_memwrite(s, vmem->request, &req, sizeof(req));
    for (unsigned i = 0; i < vmem->vq.size / 2; i++) {
        qvirtqueue_add(&vmem->vq, bufs, 2);
    }
    for (unsigned i = vmem->vq.size / 2; i < vmem->vq.size; i++) {
        qtest_writew(s, vmem->vq.avail + 4 + 2 * i,
                     2 * (i - vmem->vq.size / 2));
    }
}

static void test_guest_cannot_hold_the_main_loop(void)
{
    QTestState *s = qtest_init(
        "-M q35,memory-backend=boot -m 64M,maxmem=2G "
        "-object memory-backend-memfd,id=boot,size=64M "
        "-object memory-backend-memfd,id=mem0,size=256M "
        "-device virtio-mem-pci,id=vm0,memdev=mem0,block-size=2M");
    g_autofree char *path = qtest_find_memfd(s, 64 << 20);
    int fd = g_open(path, O_RDWR | O_CLOEXEC, 0);
    struct virtio_mem_config config;
    QVirtioMem vmem;
    Flooder fl = { .vq = &vmem.vq };
    QGuest guest;
    GThread *cpu;

    qguest_init(&guest, s);
    qvirtio_mem_init(&vmem, &guest, 0);
    qvirtio_mem_config(&vmem, &config);
    fl.ram = mmap(NULL, 64 << 20, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    g_assert_true(fl.ram != MAP_FAILED);
    fill_ring(&vmem, config.addr);
    cpu = g_thread_new("cpu", flood, &fl);
    qvirtqueue_kick(&vmem.vq);
    for (unsigned i = 0; i < 50; i++) {
        qmp_client_check_alive(qtest_qmp(s));
    }
    g_atomic_int_set(&fl.stop, 1);
    g_thread_join(cpu);
    munmap(fl.ram, 64 << 20);
    close(fd);
    qtest_quit(s);
}

int main(int argc, char **argv)
{
    qtest_main_init(&argc, &argv);
    g_test_add_func("/virtio-mem-flood/guest-cannot-hold-the-main-loop",
                    test_guest_cannot_hold_the_main_loop);
    return g_test_run();
}
