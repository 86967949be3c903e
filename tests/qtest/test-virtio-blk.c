/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtio-blk: what a guest can ask of a disk, rightly and wrongly, by each way
 * in which the host does it (io_uring, threads; with and without its cache). What
 * is on the disk is looked at in the file.
 */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <linux/virtio_ring.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "qemu/units.h"
#include "virtio-blk.h"
#include "virtio-mem.h"

#define DISK (8 * MiB)
#define SECTOR 512

typedef struct Fixture {
    QTestState *qts;
    QGuest guest;
    QVirtioBlk blk;
    char *path;
    uint64_t data;                        /* 64 KiB of guest RAM */
} Fixture;

static char *make_image(uint64_t size)
{
    char *path = g_build_filename(g_get_tmp_dir(), "disk-XXXXXX", NULL);
    int fd = g_mkstemp(path);

    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(ftruncate(fd, size), ==, 0);
    close(fd);
    return path;
}

static void start(Fixture *f, const char *node, const char *device)
{
    f->path = make_image(DISK);
    f->qts = qtest_init("-M q35 -m 256M "
                        "-blockdev driver=file,filename=%s,node-name=file0,%s "
                        "-blockdev driver=raw,file=file0,node-name=disk0,"
                        "discard=unmap "
                        "-device virtio-blk-pci,drive=disk0,id=d0,"
                        "ioeventfd=off,%s", f->path, node, device);
    qguest_init(&f->guest, f->qts);
    qvirtio_blk_init(&f->blk, &f->guest, 0);
    f->data = qguest_alloc(&f->guest, 64 * KiB, 4096);
}

static void stop(Fixture *f)
{
    qtest_quit(f->qts);
    g_unlink(f->path);
    g_free(f->path);
}

/* How the host does it: -blockdev options of the file. */
static const char *const ways[] = {
    "discard=unmap,aio=io_uring", "discard=unmap,aio=threads",
    "discard=unmap,aio=io_uring,cache.direct=on",
    "discard=unmap,aio=threads,cache.direct=on",
};

static uint8_t read_disk(Fixture *f, uint64_t sector, uint32_t len)
{
    return qvirtio_blk_request(&f->blk, VIRTIO_BLK_T_IN, sector, f->data, len,
                               true, NULL);
}

static uint8_t write_disk(Fixture *f, uint64_t sector, uint32_t len)
{
    return qvirtio_blk_request(&f->blk, VIRTIO_BLK_T_OUT, sector, f->data, len,
                               false, NULL);
}

static uint8_t zero_disk(Fixture *f, uint32_t type, uint64_t sector,
                         uint32_t sectors, uint32_t flags)
{
    struct virtio_blk_discard_write_zeroes range = {
        .sector = sector, .num_sectors = sectors, .flags = flags,
    };

    qtest_memwrite(f->qts, f->data, &range, sizeof(range));
    return qvirtio_blk_request(&f->blk, type, 0, f->data, sizeof(range), false,
                               NULL);
}

static void assert_file(Fixture *f, uint64_t offset, uint8_t value, size_t len)
{
    g_autofree uint8_t *buf = g_malloc(len);
    int fd = open(f->path, O_RDONLY);

    g_assert_cmpint(pread(fd, buf, len, offset), ==, len);
    for (size_t i = 0; i < len; i++) {
        g_assert_cmphex(buf[i], ==, value);
    }
    close(fd);
}

static uint64_t allocated(Fixture *f)
{
    struct stat st;

    g_assert_cmpint(stat(f->path, &st), ==, 0);
    return st.st_blocks * 512ULL;
}

/* --- data --- */

static void test_what_is_written_is_read(gconstpointer way)
{
    uint32_t written;
    Fixture f;

    start(&f, way, "serial=abc");
    g_assert_cmpuint(qvirtio_blk_capacity(&f.blk), ==, DISK / SECTOR);
    qtest_memset(f.qts, f.data, 0x5a, 64 * KiB);
    g_assert_cmpuint(write_disk(&f, 8, 64 * KiB), ==, VIRTIO_BLK_S_OK);
    assert_file(&f, 8 * SECTOR, 0x5a, 64 * KiB);
    assert_file(&f, 8 * SECTOR + 64 * KiB, 0, SECTOR);
    qtest_memset(f.qts, f.data, 0, 64 * KiB);
    g_assert_cmpuint(qvirtio_blk_request(&f.blk, VIRTIO_BLK_T_IN, 7, f.data,
                                         3 * SECTOR, true, &written), ==,
                     VIRTIO_BLK_S_OK);
    g_assert_cmpuint(written, ==, 3 * SECTOR + 1);
    g_assert_cmphex(qtest_readb(f.qts, f.data + SECTOR - 1), ==, 0);
    g_assert_cmphex(qtest_readb(f.qts, f.data + SECTOR), ==, 0x5a);
    g_assert_cmphex(qtest_readb(f.qts, f.data + 3 * SECTOR - 1), ==, 0x5a);
    g_assert_cmphex(qtest_readb(f.qts, f.data + 3 * SECTOR), ==, 0);
    g_assert_cmpuint(qvirtio_blk_request(&f.blk, VIRTIO_BLK_T_FLUSH, 0, 0, 0,
                                         false, &written), ==,
                     VIRTIO_BLK_S_OK);
    g_assert_cmpuint(written, ==, 1);
    stop(&f);
}

/* Buffers that direct I/O cannot use, and headers in pieces. */
static void test_any_buffers_will_do(gconstpointer way)
{
    const struct virtio_blk_outhdr header = { .type = VIRTIO_BLK_T_IN,
                                              .sector = 16 };
    QVirtioBuffer bufs[6];
    Fixture f;

    start(&f, way, "serial=abc");
    qtest_memset(f.qts, f.data, 0x77, 8 * KiB);
    g_assert_cmpuint(write_disk(&f, 16, 8 * KiB), ==, VIRTIO_BLK_S_OK);
    qtest_memset(f.qts, f.data, 0, 8 * KiB);
    qtest_memwrite(f.qts, f.blk.header, &header, sizeof(header));
    bufs[0] = (QVirtioBuffer) { f.blk.header, 5, false };
    bufs[1] = (QVirtioBuffer) { f.blk.header + 5, 11, false };
    bufs[2] = (QVirtioBuffer) { f.data + 3, 100, true };
    bufs[3] = (QVirtioBuffer) { f.data + 1001, 4 * KiB - 100, true };
    /* The status is the last byte of the last one. */
    bufs[4] = (QVirtioBuffer) { f.data + 6 * KiB, SECTOR + 1, true };
    qvirtqueue_add(&f.blk.vq, bufs, 5);
    qvirtqueue_kick(&f.blk.vq);
    qvirtqueue_wait(&f.blk.vq, NULL);
    g_assert_cmphex(qtest_readb(f.qts, f.data + 6 * KiB + SECTOR), ==,
                    VIRTIO_BLK_S_OK);
    g_assert_cmphex(qtest_readb(f.qts, f.data + 2), ==, 0);
    g_assert_cmphex(qtest_readb(f.qts, f.data + 3), ==, 0x77);
    g_assert_cmphex(qtest_readb(f.qts, f.data + 102), ==, 0x77);
    g_assert_cmphex(qtest_readb(f.qts, f.data + 103), ==, 0);
    g_assert_cmphex(qtest_readb(f.qts, f.data + 6 * KiB + SECTOR - 1), ==,
                    0x77);
    g_assert_cmpuint(qvirtio_blk_request(&f.blk, VIRTIO_BLK_T_OUT, 100,
                                         f.data + 3, SECTOR, false, NULL), ==,
                     VIRTIO_BLK_S_OK);
    assert_file(&f, 100 * SECTOR, 0x77, 100);
    stop(&f);
}

static void test_zeroes_and_discards(gconstpointer way)
{
    uint64_t full;
    Fixture f;

    start(&f, way, "serial=abc");
    qtest_memset(f.qts, f.data, 0x5a, 64 * KiB);
    for (unsigned i = 0; i < 16; i++) {
        g_assert_cmpuint(write_disk(&f, i * 128, 64 * KiB), ==,
                         VIRTIO_BLK_S_OK);
    }
    full = allocated(&f);
    g_assert_cmpuint(zero_disk(&f, VIRTIO_BLK_T_WRITE_ZEROES, 8, 8, 0), ==,
                     VIRTIO_BLK_S_OK);
    assert_file(&f, 4 * KiB, 0, 4 * KiB);
    assert_file(&f, 8 * KiB, 0x5a, 512);
    g_assert_cmpuint(zero_disk(&f, VIRTIO_BLK_T_DISCARD, 1024, 1024, 0), ==,
                     VIRTIO_BLK_S_OK);
    g_assert_cmpuint(allocated(&f), <=, full - 256 * KiB);
    g_assert_cmpuint(zero_disk(&f, VIRTIO_BLK_T_WRITE_ZEROES, 0, 1024,
                               VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP), ==,
                     VIRTIO_BLK_S_OK);
    assert_file(&f, 0, 0, 512 * KiB);
    stop(&f);
}

static void test_serial_number(void)
{
    char id[VIRTIO_BLK_ID_BYTES];
    Fixture f;

    start(&f, ways[0], "serial=disk-17");
    g_assert_cmpuint(qvirtio_blk_request(&f.blk, VIRTIO_BLK_T_GET_ID, 0, f.data,
                                         sizeof(id), true, NULL), ==,
                     VIRTIO_BLK_S_OK);
    qtest_memread(f.qts, f.data, id, sizeof(id));
    g_assert_cmpstr(id, ==, "disk-17");
    stop(&f);
}

/* An image may end within a sector. */
static void test_end_of_an_odd_file_reads_as_zero(void)
{
    g_autofree char *path = make_image(1000);
    Fixture f = { 0 };

    f.qts = qtest_init("-M q35 -m 256M -drive file=%s,format=raw,if=none,id=x "
                       "-device virtio-blk-pci,drive=x", path);
    qguest_init(&f.guest, f.qts);
    qvirtio_blk_init(&f.blk, &f.guest, 0);
    f.data = qguest_alloc(&f.guest, 4 * KiB, 4096);
    g_assert_cmpuint(qvirtio_blk_capacity(&f.blk), ==, 2);
    qtest_memset(f.qts, f.data, 0x33, 4 * KiB);
    g_assert_cmpuint(read_disk(&f, 0, 1024), ==, VIRTIO_BLK_S_OK);
    g_assert_cmphex(qtest_readb(f.qts, f.data + 1023), ==, 0);
    g_assert_cmphex(qtest_readb(f.qts, f.data + 1024), ==, 0x33);
    qtest_quit(f.qts);
    g_unlink(path);
}

/* What it says of itself is what its properties say. */
static void test_what_the_driver_is_told(void)
{
    struct virtio_blk_config c;
    Fixture f;

    start(&f, ways[0], "physical_block_size=4096,min_io_size=8192,"
          "opt_io_size=65536,discard_granularity=4096,cyls=100,heads=4,secs=40,"
          "num-queues=3,queue-size=64,max-discard-sectors=64,"
          "max-write-zeroes-sectors=16");
    for (unsigned i = 0; i < sizeof(c); i++) {
        ((uint8_t *)&c)[i] = qtest_readb(f.qts, f.blk.vdev.config + i);
    }
    g_assert_cmpuint(c.physical_block_exp, ==, 3);
    g_assert_cmpuint(c.min_io_size, ==, 16);
    g_assert_cmpuint(c.opt_io_size, ==, 128);
    g_assert_cmpuint(c.discard_sector_alignment, ==, 8);
    g_assert_cmpuint(c.geometry.cylinders, ==, 100);
    g_assert_cmpuint(c.geometry.heads, ==, 4);
    g_assert_cmpuint(c.geometry.sectors, ==, 40);
    g_assert_cmpuint(c.num_queues, ==, 3);
    g_assert_cmpuint(c.seg_max, ==, 62);
    g_assert_cmpuint(c.max_discard_sectors, ==, 64);
    g_assert_cmpuint(c.max_write_zeroes_sectors, ==, 16);
    g_assert_cmpuint(zero_disk(&f, VIRTIO_BLK_T_DISCARD, 0, 64, 0), ==,
                     VIRTIO_BLK_S_OK);
    g_assert_cmpuint(zero_disk(&f, VIRTIO_BLK_T_DISCARD, 0, 72, 0), ==,
                     VIRTIO_BLK_S_IOERR);
    g_assert_cmpuint(zero_disk(&f, VIRTIO_BLK_T_WRITE_ZEROES, 0, 24, 0), ==,
                     VIRTIO_BLK_S_IOERR);
    stop(&f);
}

/* Each of several queues works, whatever the others do. */
static void test_every_queue_works(void)
{
    QVirtioBlk blk;
    Fixture f;

    start(&f, ways[0], "num-queues=4");
    for (unsigned i = 0; i < 4; i++) {
        qtest_memset(f.qts, f.data, i + 1, 4096);
        blk = f.blk;
        if (i) {
            qvirtio_blk_init(&blk, &f.guest, 0);
            qvirtqueue_init(&blk.vq, &blk.vdev, i, 0);
        }
        g_assert_cmpuint(qvirtio_blk_request(&blk, VIRTIO_BLK_T_OUT, 8 * i,
                                             f.data, 4096, false, NULL), ==,
                         VIRTIO_BLK_S_OK);
        assert_file(&f, i * 4096, i + 1, 4096);
    }
    stop(&f);
}

/* --- what makes no sense --- */

static void test_nonsense_is_refused(void)
{
    const uint64_t end = DISK / SECTOR;
    Fixture f;

    start(&f, ways[0], "logical_block_size=4096,physical_block_size=4096");
    g_assert_cmpuint(read_disk(&f, 0, 4096), ==, VIRTIO_BLK_S_OK);
    g_assert_cmpuint(read_disk(&f, 0, 512), ==, VIRTIO_BLK_S_IOERR);
    g_assert_cmpuint(read_disk(&f, 1, 4096), ==, VIRTIO_BLK_S_IOERR);
    g_assert_cmpuint(read_disk(&f, 0, 0), ==, VIRTIO_BLK_S_IOERR);
    g_assert_cmpuint(read_disk(&f, end, 4096), ==, VIRTIO_BLK_S_IOERR);
    g_assert_cmpuint(read_disk(&f, end - 8, 8192), ==, VIRTIO_BLK_S_IOERR);
    g_assert_cmpuint(read_disk(&f, UINT64_MAX - 7, 4096), ==,
                     VIRTIO_BLK_S_IOERR);
    g_assert_cmpuint(read_disk(&f, UINT64_MAX / SECTOR + 1, 4096), ==,
                     VIRTIO_BLK_S_IOERR);
    g_assert_cmpuint(write_disk(&f, end, 4096), ==, VIRTIO_BLK_S_IOERR);
    g_assert_cmpuint(zero_disk(&f, VIRTIO_BLK_T_DISCARD, 0, 0, 0), ==,
                     VIRTIO_BLK_S_IOERR);
    g_assert_cmpuint(zero_disk(&f, VIRTIO_BLK_T_DISCARD, end - 8, 16, 0), ==,
                     VIRTIO_BLK_S_IOERR);
    g_assert_cmpuint(zero_disk(&f, VIRTIO_BLK_T_WRITE_ZEROES, 0, UINT32_MAX,
                               0), ==, VIRTIO_BLK_S_IOERR);
    g_assert_cmpuint(zero_disk(&f, VIRTIO_BLK_T_DISCARD, 0, 8, 1), ==,
                     VIRTIO_BLK_S_UNSUPP);
    g_assert_cmpuint(zero_disk(&f, VIRTIO_BLK_T_WRITE_ZEROES, 0, 8, 2), ==,
                     VIRTIO_BLK_S_UNSUPP);
    g_assert_cmpuint(qvirtio_blk_request(&f.blk, 999, 0, f.data, 512, true,
                                         NULL), ==, VIRTIO_BLK_S_UNSUPP);
    g_assert_cmpuint(read_disk(&f, end - 8, 4096), ==, VIRTIO_BLK_S_OK);
    stop(&f);
}

/* The emulator outlives rings that cannot be; the disk works after a reset. */
static void test_rings_that_lie(void)
{
    static const struct { uint16_t head, idx; } lies[] = {
        { 0xffff, 1 }, { 256, 1 }, { 0, 0x8000 }, { 0, 300 },
    };
    Fixture f;

    start(&f, ways[0], "queue-size=256");
    for (unsigned i = 0; i < G_N_ELEMENTS(lies); i++) {
        uint64_t avail = f.blk.vq.avail;

        qtest_writew(f.qts, avail + offsetof(struct vring_avail, ring) +
                     f.blk.vq.avail_idx * sizeof(lies[i].head), lies[i].head);
        qtest_writew(f.qts, avail + offsetof(struct vring_avail, idx),
                     f.blk.vq.avail_idx + lies[i].idx);
        qvirtqueue_kick(&f.blk.vq);
        g_assert_true(qvirtio_status(&f.blk.vdev) & 0x40);
        qvirtio_blk_init(&f.blk, &f.guest, 0);
        g_assert_cmpuint(read_disk(&f, 0, 512), ==, VIRTIO_BLK_S_OK);
    }
    stop(&f);
}

/* One that has no room for an answer breaks the device, until its reset. */
static void test_no_header_or_status_breaks_the_device(void)
{
    Fixture f;

    start(&f, ways[0], "serial=abc");
    for (unsigned i = 0; i < 2; i++) {
        const QVirtioBuffer bufs[2][2] = {
            { { f.blk.header, 15, false }, { f.blk.status, 1, true } },
            { { f.blk.header, 16, false }, { f.data, 512, false } },
        };
        gint64 deadline = qtest_deadline();
        unsigned round = 0;

        qvirtqueue_add(&f.blk.vq, bufs[i], 2);
        qvirtqueue_kick(&f.blk.vq);
        while (!(qvirtio_status(&f.blk.vdev) & 0x40)) {
            g_assert_true(qtest_wait_more(deadline, &round));
        }
        qvirtio_blk_init(&f.blk, &f.guest, 0);
        g_assert_cmpuint(read_disk(&f, 0, 512), ==, VIRTIO_BLK_S_OK);
    }
    stop(&f);
}

static void test_read_only_disk_is_not_written(void)
{
    Fixture f;

    start(&f, "read-only=on", "serial=abc");
    g_assert_true(f.blk.features & 1ULL << VIRTIO_BLK_F_RO);
    g_assert_false(f.blk.features & 1ULL << VIRTIO_BLK_F_DISCARD);
    g_assert_cmpuint(write_disk(&f, 0, 512), ==, VIRTIO_BLK_S_IOERR);
    g_assert_cmpuint(zero_disk(&f, VIRTIO_BLK_T_DISCARD, 0, 8, 0), ==,
                     VIRTIO_BLK_S_UNSUPP);
    g_assert_cmpuint(read_disk(&f, 0, 512), ==, VIRTIO_BLK_S_OK);
    stop(&f);
}

/* --- memory --- */

/*
 * The unplug of memory that a read is on its way to. Both kicks are in one
 * packet, so that the device's completion, whenever it comes, is handled after
 * the unplug.
 */
static void unplug_while_reading(Fixture *f, QVirtioMem *vmem, uint64_t addr,
                                 uint16_t expected)
{
    const QVirtioBuffer bufs[] = {
        { vmem->request, sizeof(struct virtio_mem_req), false },
        { vmem->response, sizeof(struct virtio_mem_resp), true },
    };
    struct virtio_mem_req req = { .type = VIRTIO_MEM_REQ_UNPLUG };
    struct virtio_mem_resp resp;
    g_autofree char *lines = NULL;

    req.u.unplug.addr = addr;
    req.u.unplug.nb_blocks = 1;
    qtest_memwrite(f->qts, vmem->request, &req, sizeof(req));
    qvirtqueue_add(&vmem->vq, bufs, G_N_ELEMENTS(bufs));
    qvirtio_blk_add(&f->blk, VIRTIO_BLK_T_IN, 0, addr + 4096, 4096, true);
    lines = g_strdup_printf("writew 0x%" PRIx64 " 0x0\nwritew 0x%" PRIx64
                            " 0x0\n", f->blk.vq.doorbell, vmem->vq.doorbell);
    qtest_send_bytes(f->qts, lines, strlen(lines));
    g_free(qtest_answer(f->qts));
    g_free(qtest_answer(f->qts));
    qvirtqueue_wait(&vmem->vq, NULL);
    qtest_memread(f->qts, vmem->response, &resp, sizeof(resp));
    g_assert_cmpuint(resp.type, ==, expected);
    g_assert_cmpuint(qvirtio_blk_wait(&f->blk, NULL), ==, VIRTIO_BLK_S_OK);
}

static void test_memory_under_io_is_not_unplugged(gconstpointer way)
{
    g_autofree char *path = make_image(DISK);
    struct virtio_mem_config config;
    QVirtioMem vmem;
    Fixture f = { 0 };

    f.qts = qtest_init(
        "-M q35 -m 256M,maxmem=1G -object memory-backend-memfd,id=m,size=256M "
        "-device virtio-mem-pci,memdev=m,block-size=2M,requested-size=64M,"
        "ioeventfd=off "
        "-drive file=%s,format=raw,if=none,id=x,%s "
        "-device virtio-blk-pci,drive=x,ioeventfd=off", path,
        (const char *)way);
    qguest_init(&f.guest, f.qts);
    qvirtio_mem_init(&vmem, &f.guest, 0);
    qvirtio_mem_config(&vmem, &config);
    qvirtio_blk_init(&f.blk, &f.guest, 0);
    g_assert_cmpuint(qvirtio_mem_plug(&vmem, config.addr, 2), ==,
                     VIRTIO_MEM_RESP_ACK);
    unplug_while_reading(&f, &vmem, config.addr, VIRTIO_MEM_RESP_BUSY);
    g_assert_cmpuint(qvirtio_mem_state(&vmem, config.addr, 2), ==,
                     VIRTIO_MEM_STATE_PLUGGED);
    /* When it is done, the memory goes. */
    g_assert_cmpuint(qvirtio_mem_unplug(&vmem, config.addr, 1), ==,
                     VIRTIO_MEM_RESP_ACK);
    /* A buffer in what is not there breaks the disk, and nothing else. */
    qvirtio_blk_add(&f.blk, VIRTIO_BLK_T_IN, 0, config.addr, 4096, true);
    qvirtqueue_kick(&f.blk.vq);
    g_assert_true(qvirtio_status(&f.blk.vdev) & 0x40);
    /* A reset waits for what is in flight, and then gives all back. */
    qvirtio_blk_init(&f.blk, &f.guest, 0);
    qvirtio_blk_add(&f.blk, VIRTIO_BLK_T_IN, 0, config.addr + 2 * MiB, 4096,
                    true);
    qvirtqueue_kick(&f.blk.vq);
    json_node_unref(qmp_client_do(qtest_qmp(f.qts),
                                  "{'execute': 'system_reset'}"));
    json_object_unref(qmp_client_event(qtest_qmp(f.qts), "RESET"));
    g_assert_cmpuint(qtest_qom_get_uint(
        f.qts, "/machine/peripheral-anon/device[0]/virtio-backend", "size"), ==,
        0);
    qtest_quit(f.qts);
    g_unlink(path);
}

#define ADD_WAYS(name, fn)                                                   \
    for (unsigned i = 0; i < G_N_ELEMENTS(ways); i++) {                      \
        g_autofree char *path_ = g_strconcat("/virtio-blk/" name "/",        \
                                             ways[i], NULL);                 \
        g_test_add_data_func(path_, ways[i], fn);                            \
    }

int main(int argc, char **argv)
{
    qtest_main_init(&argc, &argv);
    qtest_needs(QTEST_NEEDS_SPARSEVM);
    ADD_WAYS("data", test_what_is_written_is_read);
    ADD_WAYS("buffers", test_any_buffers_will_do);
    ADD_WAYS("zeroes", test_zeroes_and_discards);
    g_test_add_func("/virtio-blk/config", test_what_the_driver_is_told);
    g_test_add_func("/virtio-blk/queues", test_every_queue_works);
    g_test_add_func("/virtio-blk/rings", test_rings_that_lie);
    g_test_add_func("/virtio-blk/serial", test_serial_number);
    g_test_add_func("/virtio-blk/odd-size",
                    test_end_of_an_odd_file_reads_as_zero);
    g_test_add_func("/virtio-blk/nonsense", test_nonsense_is_refused);
    g_test_add_func("/virtio-blk/broken",
                    test_no_header_or_status_breaks_the_device);
    g_test_add_func("/virtio-blk/read-only",
                    test_read_only_disk_is_not_written);
    g_test_add_data_func("/virtio-blk/unplug/io_uring", "aio=io_uring",
                         test_memory_under_io_is_not_unplugged);
    /* What the host has in its cache is read at once. */
    g_test_add_data_func("/virtio-blk/unplug/threads",
                         "aio=threads,cache.direct=on",
                         test_memory_under_io_is_not_unplugged);
    return g_test_run();
}
