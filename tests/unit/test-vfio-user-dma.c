/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hw/vfio-user/dma.c: DMA by messages reaches what is populated and nothing
 * else, whether the server asks while it is waited for or by itself, and
 * whatever it asks for.
 */
#include "qemu/osdep.h"

#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "exec/ramblock.h"
#include "qemu/main-loop.h"
#include "vfio-user-fixture.h"
#include "tests/patience.h"

/* --- DMA by messages --- */

static void test_dma_reaches_what_is_plugged(VUFixture *f, gconstpointer data)
{
    vu_start(f);
    vu_plug(f, 5, 3);
    memset(f->host + 5 * BLOCK, 7, BLOCK);
    g_assert_cmpuint(vu_dma(f, TESTDEV_COPY, BASE + 5 * BLOCK, BASE + 7 * BLOCK,
                         BLOCK), ==, 0);
    g_assert_cmpuint(f->host[8 * BLOCK - 1], ==, 7);
    /* Over the border of two mappings. */
    g_assert_cmpuint(vu_dma(f, TESTDEV_FILL, 0, BASE + 6 * BLOCK - 1, 2), ==,
                     0);
    g_assert_cmpuint(f->host[6 * BLOCK - 1], ==, 0x5a);
    g_assert_cmpuint(f->host[6 * BLOCK], ==, 0x5a);
    g_assert_cmpuint(f->host[6 * BLOCK + 1], ==, 0);
}

static void test_dma_fails_where_nothing_is_plugged(VUFixture *f,
                                                    gconstpointer data)
{
    vu_start(f);
    vu_plug(f, 5, 3);
    g_assert_cmpuint(vu_dma(f, TESTDEV_FILL, 0, BASE + 8 * BLOCK - 10, 20), ==,
                     EFAULT);
    g_assert_cmphex(vu_reg_read(f, TESTDEV_REG_FAULT_IOVA, 8), ==,
                    BASE + 8 * BLOCK);
    g_assert_cmpuint(vu_reg_read(f, TESTDEV_REG_STATUS, 4), ==, TESTDEV_FAILED);
    sparse_ram_unplug(f->ram, 6, 1);
    g_assert_cmpuint(vu_dma(f, TESTDEV_FILL, 0, BASE + 6 * BLOCK, 1), ==,
                     EFAULT);
    g_assert_cmpuint(vu_dma(f, TESTDEV_CHECKSUM, BASE + 5 * BLOCK, 0,
                            2 * BLOCK), ==, EFAULT);
    g_assert_cmpuint(f->host[8 * BLOCK], ==, 0);
    g_assert_cmpuint(f->host[6 * BLOCK], ==, 0);
}

/* The device does it by itself; the main loop answers. */
static void test_dma_while_nobody_waits(VUFixture *f, gconstpointer data)
{
    gint64 end = patience_deadline();

    vu_start(f);
    vu_plug(f, 0, 2);
    vu_dma(f, TESTDEV_FILL | TESTDEV_LATER, 0, BASE, 2 * BLOCK);
    while (f->host[2 * BLOCK - 1] != 0x5a) {
        patience_check(end);
        main_loop_wait(true);
    }
    g_assert_cmpuint(vu_reg_read(f, TESTDEV_REG_STATUS, 4), ==, TESTDEV_DONE);
}

/* --- a server that asks for what it may not have --- */

typedef struct Script {
    VFIOUserSocket *s;
    GThread *thread;
    int fd;
    VFIOUserCommand command;              /* what to ask for when reset */
    int result;
    unsigned sum;                         /* of the bytes of a DMA_READ */
    VFIOUserDMAAccess access;
} Script;

static void script_command(VFIOUserSocket *s, VFIOUserMessage *msg,
                           void *opaque)
{
    Script *script = opaque;
    g_autofree uint8_t *data = g_malloc0(VFIO_USER_MAX_XFER);
    g_auto(VFIOUserMessage) reply = { 0 };
    VFIOUserBody body = { 0 };

    if (msg->header.command == VFIO_USER_VERSION) {
        body.head = msg->payload;
        body.head_size = msg->payload_size;
    } else if (msg->header.command == VFIO_USER_DEVICE_RESET) {
        const VFIOUserBody ask = {
            .head = &script->access,
            .head_size = sizeof(script->access),
            .data = data,
            .data_size = script->command == VFIO_USER_DMA_WRITE
                         ? MIN(script->access.count, VFIO_USER_MAX_XFER) : 0,
        };
        script->result = vfio_user_socket_request(s, script->command, &ask,
                                                  &reply);
        script->sum = 0;
        for (size_t i = sizeof(script->access); i < reply.payload_size; i++) {
            script->sum += reply.payload[i];
        }
    }
    vfio_user_socket_reply(s, msg, 0, &body);
}

static gpointer script_run(gpointer opaque)
{
    static const VFIOUserSocketOps ops = {
        .command = script_command,
        .defer_commands = true,
    };
    Script *script = opaque;
    struct pollfd pfd = { .fd = script->fd, .events = POLLIN };

    script->s = vfio_user_socket_new(script->fd, "script", 10000, &ops, script);
    while (!vfio_user_socket_error(script->s)) {
        poll(&pfd, 1, -1);
        vfio_user_socket_process(script->s);
    }
    vfio_user_socket_free(script->s);
    return NULL;
}

static void script_start(VUFixture *f, Script *script)
{
    int fds[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds),
                    ==, 0);
    script->fd = fds[0];
    script->thread = g_thread_new("script", script_run, script);
    f->user = vu_device_new(fds[1], vu_timeout_ms(), &f->space->as,
                            &error_abort);
    f->vdev.user = f->user;
}

static int script_ask(VUFixture *f, Script *script, VFIOUserCommand command,
                      uint64_t address, uint64_t count)
{
    script->command = command;
    script->access = (VFIOUserDMAAccess) { .address = address, .count = count };
    g_assert_cmpint(vfio_user_device_io.reset(&f->vdev), ==, 0);
    return script->result;
}

static uint64_t mmio_read(void *opaque, hwaddr addr, unsigned size)
{
    g_assert_not_reached();
}

static void mmio_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    g_assert_not_reached();
}

static const MemoryRegionOps mmio_ops = { .read = mmio_read,
                                          .write = mmio_write };

static void test_only_what_is_exported(VUFixture *f, gconstpointer data)
{
    const VFIOUserCommand both[] = { VFIO_USER_DMA_READ, VFIO_USER_DMA_WRITE };
    MemoryRegion mmio;
    Script script = { 0 };

    memory_region_init_io(&mmio, NULL, &mmio_ops, NULL, "mmio", 4096);
    memory_region_add_subregion(&f->space->root, 0, &mmio);
    script_start(f, &script);
    vu_plug(f, 10, 2);
    for (int i = 0; i < 2; i++) {
        VFIOUserCommand c = both[i];
        uint64_t at = BASE + 10 * BLOCK;

        g_assert_cmpint(script_ask(f, &script, c, at, 2 * BLOCK), ==, 0);
        g_assert_cmpint(script_ask(f, &script, c, at - 1, 2), ==, -EFAULT);
        g_assert_cmpint(script_ask(f, &script, c, at + 2 * BLOCK, 1), ==,
                        -EFAULT);
        g_assert_cmpint(script_ask(f, &script, c, at + 1, 2 * BLOCK), ==,
                        -EFAULT);
        g_assert_cmpint(script_ask(f, &script, c, 0, 1), ==, -EFAULT);
        g_assert_cmpint(script_ask(f, &script, c, UINT64_MAX, 1), ==, -EFAULT);
        g_assert_cmpint(script_ask(f, &script, c, UINT64_MAX, 2), ==, -EINVAL);
        g_assert_cmpint(script_ask(f, &script, c, at, 0), ==, -EINVAL);
    }
    g_assert_cmpint(script_ask(f, &script, VFIO_USER_DMA_READ, 0, UINT64_MAX),
                    ==, -EINVAL);
    /* Not a server's business. */
    g_assert_cmpint(script_ask(f, &script, VFIO_USER_REGION_READ, 0, 4), ==,
                    -EINVAL);
    g_assert_null(vfio_user_socket_error(f->user->socket));
    vfio_user_device_free(f->user);
    f->user = NULL;
    g_thread_join(script.thread);
    memory_region_del_subregion(&f->space->root, &mmio);
    object_unref(OBJECT(&mmio));
}

/* Shared memory, a page of which has been written to. */
static void test_reading_backs_nothing(VUFixture *f, gconstpointer data)
{
    const uint64_t at = 0x100000000, size = VFIO_USER_MAX_XFER;
    int fd = memfd_create("ram", MFD_CLOEXEC);
    Script script = { 0 };
    MemoryRegion ram;
    struct stat st;

    g_assert_no_errno(ftruncate(fd, size));
    memory_region_init_ram_from_fd(&ram, NULL, "ram", size, RAM_SHARED, fd, 0,
                                   &error_abort);
    memory_region_add_subregion(&f->space->root, at, &ram);
    script_start(f, &script);
    ((uint8_t *)memory_region_get_ram_ptr(&ram))[4096] = 7;
    g_assert_cmpint(script_ask(f, &script, VFIO_USER_DMA_READ, at, size), ==, 0);
    g_assert_no_errno(fstat(fd, &st));
    g_assert_cmpuint(st.st_blocks * 512, ==, 4096);
    g_assert_cmpuint(script.sum, ==, 7);
    vfio_user_device_free(f->user);
    f->user = NULL;
    g_thread_join(script.thread);
    memory_region_del_subregion(&f->space->root, &ram);
    object_unref(OBJECT(&ram));
}

#define ADD(name, fn) \
    g_test_add("/vfio-user/dma/" name, VUFixture, NULL, vu_set_up, fn, \
               vu_tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    vu_init();
    ADD("serves DMA to what is plugged", test_dma_reaches_what_is_plugged);
    ADD("refuses DMA elsewhere", test_dma_fails_where_nothing_is_plugged);
    ADD("serves DMA from the main loop", test_dma_while_nobody_waits);
    ADD("serves only what it exports", test_only_what_is_exported);
    ADD("has the host back nothing for a read", test_reading_backs_nothing);
    return g_test_run();
}
