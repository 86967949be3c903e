/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest with virtio-mem and with a virtio-net that a back end of the test works
 * (vhost-user-server.h), which sends back what it is sent. Included by one C file
 * per test program.
 */
#ifndef QTEST_VHOST_NET_GUEST_H
#define QTEST_VHOST_NET_GUEST_H

#include <glib/gstdio.h>
/* Before others include it without the legacy names. */
#include <linux/virtio_net.h>
#include <linux/virtio_ids.h>
#include <string.h>

#include "coordination.h"
#include "tests/patience.h"
#include "vhost-user-server.h"

#define HDR sizeof(struct virtio_net_hdr_v1)
#define FRAME 60
#define ROOM 2048
#define BIT(feature) (1ULL << VIRTIO_NET_F_##feature)
#define BACK_END_FEATURES                                                    \
    (BIT(CSUM) | BIT(MRG_RXBUF) | BIT(MTU) | BIT(MQ) | 1ULL << 28 | 1ULL << 29)
#define ADD_MEM_REG 37
#define SLOTS 32

#define MEMORY                                                               \
    " -m 64M,maxmem=2G -object memory-backend-memfd,id=boot,size=64M "       \
    "-machine memory-backend=boot "                                          \
    "-object memory-backend-memfd,id=mem0,size=256M "                        \
    "-device virtio-mem-pci,id=vm0,memdev=mem0,block-size=2M,"               \
    "requested-size=256M -device pcie-root-port,id=rp0 "
#define NIC " -device virtio-net-pci,id=nic0,netdev=n0,mac=52:54:00:12:34:56"

typedef struct Fixture {
    QVhostServer *server;
    Coordination c;
    QmpClient *qmp;
    char *messages;
    QVirtioPCI dev;
    QVirtQueue rx[2], tx[2], ctrl;
    uint64_t mem;                         /* boot RAM, a page for each use */
} Fixture;

/* --- set-up --------------------------------------------------------------- */

static inline QVhostServer *new_network(unsigned pairs)
{
    QVhostServer *s = qvhost_server_new(SLOTS);

    g_mutex_lock(&s->lock);
    s->is_network = true;
    s->features = BACK_END_FEATURES;
    s->queues = pairs;
    s->protocol_features |= QVHOST_MQ | QVHOST_NET;
    g_mutex_unlock(&s->lock);
    return s;
}

static inline void start_with(Fixture *f, const char *netdev, const char *device)
{
    f->messages = qtest_begin_messages();
    coordination_start(&f->c, 1, 0, "",
                       MEMORY "-chardev socket,id=c0,path=%s,reconnect-ms=20 %s%s",
                       f->server->socket, netdev, device);
    f->qmp = qtest_qmp(f->c.qts);
    f->mem = qguest_alloc(&f->c.guest, 16 * ROOM, 4096);
}

static inline void start(Fixture *f, unsigned pairs)
{
    g_autofree char *netdev = g_strdup_printf(
        "-netdev vhost-user,id=n0,chardev=c0,queues=%u,x-msg-timeout=%u", pairs,
        (unsigned)(patience_us() / 1000));

    *f = (Fixture) { .server = new_network(pairs) };
    start_with(f, netdev, NIC);
    qvirtio_pci_init(&f->dev, &f->c.guest, VIRTIO_ID_NET, 0);
}

static inline void drive(Fixture *f, unsigned pairs, uint64_t features)
{
    qvirtio_start(&f->dev, features);
    for (unsigned i = 0; i < pairs; i++) {
        qvirtqueue_init(&f->rx[i], &f->dev, 2 * i, 0);
        qvirtqueue_init(&f->tx[i], &f->dev, 2 * i + 1, 0);
    }
    qvirtqueue_init(&f->ctrl, &f->dev, 2 * pairs, 0);
    qvirtio_driver_ok(&f->dev);
}

static inline void stop(Fixture *f)
{
    coordination_stop(&f->c);
    qtest_end_messages();
    g_remove(f->messages);
    g_free(f->messages);
    qvhost_server_free(f->server);
}

static inline void do_qmp(Fixture *f, const char *command)
{
    json_node_unref(qmp_client_do(f->qmp, "%s", command));
}

static inline void change(Fixture *f, bool plug, unsigned block, unsigned n)
{
    uint64_t addr = coordination_block(&f->c, 0, block);

    assert_ack(plug ? qvirtio_mem_plug(&f->c.mem[0], addr, n)
                    : qvirtio_mem_unplug(&f->c.mem[0], addr, n));
}

/* The back end has @n regions of the managed memory. */
static inline void check_regions(Fixture *f, unsigned n)
{
    g_autoptr(GArray) have = qvhost_server_regions(
        f->server, f->c.config[0].addr, f->c.config[0].region_size);

    g_assert_cmpuint(have->len, ==, n);
}

/* --- frames --------------------------------------------------------------- */

/* Makes a buffer at @from available, and waits for what is in it at @to. */
static inline void check_frame_in(Fixture *f, unsigned pair, uint64_t from, uint64_t to)
{
    const QVirtioBuffer room = { to, ROOM, true };
    const QVirtioBuffer frame = { from, HDR + FRAME, false };
    uint8_t sent[HDR + FRAME] = { 0 }, got[HDR + FRAME];
    static uint8_t round;
    uint32_t len;

    memset(sent + HDR, ++round, FRAME);
    qtest_memwrite(f->c.qts, from, sent, sizeof(sent));
    qvirtqueue_add(&f->rx[pair], &room, 1);
    qvirtqueue_add(&f->tx[pair], &frame, 1);
    qvirtqueue_kick(&f->rx[pair]);
    qvirtqueue_kick(&f->tx[pair]);
    qvirtqueue_wait(&f->tx[pair], NULL);
    qvirtqueue_wait(&f->rx[pair], &len);
    g_assert_cmpuint(len, ==, sizeof(got));
    qtest_memread(f->c.qts, to, got, sizeof(got));
    g_assert_cmpuint(got[10], ==, 1);
    g_assert_cmpmem(got + HDR, FRAME, sent + HDR, FRAME);
    qvirtio_wait_interrupt(&f->dev, QVIRTIO_QUEUE_USED);
}

static inline void check_frame(Fixture *f, unsigned pair)
{
    check_frame_in(f, pair, f->mem, f->mem + ROOM);
}

static inline bool link_is_up(Fixture *f)
{
    return qtest_readw(f->c.qts, f->dev.config +
                       G_STRUCT_OFFSET(struct virtio_net_config, status)) &
           VIRTIO_NET_S_LINK_UP;
}

static inline void wait_link(Fixture *f, bool up)
{
    gint64 deadline = qtest_deadline();
    unsigned round = 0;

    while (link_is_up(f) != up) {
        g_assert_true(qtest_wait_more(deadline, &round));
    }
}

static inline void use_pairs(Fixture *f, uint16_t pairs)
{
    const uint64_t at = f->mem + 8 * ROOM;
    const uint8_t command[] = { VIRTIO_NET_CTRL_MQ,
                                VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET, pairs, 0 };
    const QVirtioBuffer bufs[] = {
        { at, sizeof(command), false },
        { at + 16, 1, true },
    };

    qtest_memwrite(f->c.qts, at, command, sizeof(command));
    qvirtqueue_add(&f->ctrl, bufs, G_N_ELEMENTS(bufs));
    qvirtqueue_kick(&f->ctrl);
    qvirtqueue_wait(&f->ctrl, NULL);
    g_assert_cmpuint(qtest_readb(f->c.qts, at + 16), ==, VIRTIO_NET_OK);
}

/* device_add, until a back end has connected; true: there is a device. */
static inline bool add_device(Fixture *f)
{
    gint64 deadline = qtest_deadline();
    unsigned round = 0;

    for (;;) {
        g_autoptr(JsonObject) reply = NULL;
        const char *why;

        qmp_client_send(f->qmp, "{\"execute\": \"device_add\", \"arguments\": "
                        "{\"driver\": \"virtio-net-pci\", \"id\": \"d\", "
                        "\"netdev\": \"n1\", \"bus\": \"rp0\"}}");
        reply = qmp_client_reply(f->qmp);
        if (!json_object_has_member(reply, "error")) {
            return true;
        }
        why = json_object_get_string_member(
            json_object_get_object_member(reply, "error"), "desc");
        if (!strstr(why, "no back end is connected")) {
            g_test_message("%s", why);
            g_assert_nonnull(strstr(why, "netdev 'n1': vhost-user-net 'c0': "));
            return false;
        }
        g_assert_true(qtest_wait_more(deadline, &round));
    }
}

static inline void add_netdev(Fixture *f)
{
    do_qmp(f, "{'execute': 'netdev_add', 'arguments': {'type': 'vhost-user', "
           "'id': 'n1', 'chardev': 'c0', 'x-msg-timeout': 10000}}");
}

#endif
