/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtio-net's control queue: which frames the driver receives follows what it
 * says, and a command that makes no sense changes nothing.
 */
#include "net-guest.h"

static const uint8_t group_mac[] = { 0x01, 0x00, 0x5e, 0x00, 0x00, 0x05 };

/* A command to the control queue; what it answers. */
static uint8_t command(Fixture *f, uint8_t class, uint8_t cmd, const void *data,
                       size_t size)
{
    const uint64_t at = f->mem + (512 << 10);
    const uint8_t hdr[] = { class, cmd };
    const QVirtioBuffer answer = { at + 8, 1, true };
    QVirtioBuffer bufs[3] = {
        { at, sizeof(hdr), false },
        { at + 16, size, false },
    };
    unsigned n = size ? 2 : 1;
    uint32_t len;

    qtest_memwrite(f->qts, at, hdr, sizeof(hdr));
    qtest_memwrite(f->qts, at + 16, data, size);
    qtest_writeb(f->qts, at + 8, 0xaa);
    bufs[n++] = answer;
    qvirtqueue_add(&f->ctrl, bufs, n);
    qvirtqueue_kick(&f->ctrl);
    qvirtqueue_wait(&f->ctrl, &len);
    g_assert_cmpuint(len, ==, 1);
    return qtest_readb(f->qts, at + 8);
}

static uint8_t set_mode(Fixture *f, uint8_t mode, uint8_t on)
{
    return command(f, VIRTIO_NET_CTRL_RX, mode, &on, 1);
}

/* --- the filter ----------------------------------------------------------- */

/* Sends one to @mac, then one to all: the first is seen only if @passes. */
static void check_passes(Fixture *f, const uint8_t *mac, bool passes)
{
    static uint8_t n;

    n++;
    give_room(f, 0, ROOM);
    give_room(f, ROOM, ROOM);
    peer_send_to(f, mac, n);
    if (passes) {
        expect_frame(f, 0, mac, n);
        peer_send_to(f, own_mac, n);
        expect_frame(f, ROOM, own_mac, n);
    } else {
        peer_send_to(f, own_mac, n);
        expect_frame(f, 0, own_mac, n);
        peer_send_to(f, own_mac, n + 1);
        expect_frame(f, ROOM, own_mac, n + 1);
    }
}

static void test_filter(void)
{
    struct {
        uint32_t nr_uni;
        uint8_t uni[6];
        uint32_t nr_multi;
        uint8_t multi[6];
    } __attribute__((packed)) table = { .nr_uni = 1, .nr_multi = 1 };
    Fixture f;

    memcpy(table.uni, other_mac, 6);
    memcpy(table.multi, group_mac, 6);
    start(&f, BIT(CTRL_VQ) | BIT(CTRL_RX) | BIT(CTRL_RX_EXTRA));
    check_passes(&f, other_mac, true);    /* until it says otherwise */
    g_assert_cmpuint(set_mode(&f, VIRTIO_NET_CTRL_RX_PROMISC, 0), ==, 0);
    check_passes(&f, all_mac, true);
    check_passes(&f, other_mac, false);
    check_passes(&f, group_mac, false);
    g_assert_cmpuint(command(&f, VIRTIO_NET_CTRL_MAC,
                             VIRTIO_NET_CTRL_MAC_TABLE_SET, &table,
                             sizeof(table)), ==, VIRTIO_NET_OK);
    check_passes(&f, other_mac, true);
    check_passes(&f, group_mac, true);
    g_assert_cmpuint(set_mode(&f, VIRTIO_NET_CTRL_RX_NOMULTI, 1), ==, 0);
    check_passes(&f, group_mac, false);
    g_assert_cmpuint(set_mode(&f, VIRTIO_NET_CTRL_RX_NOBCAST, 1), ==, 0);
    check_passes(&f, all_mac, false);
    /* The next driver starts anew. */
    start_driver(&f, 0);
    check_passes(&f, group_mac, true);
    check_passes(&f, all_mac, true);
    stop(&f);
}

static void test_long_tables_mean_all(void)
{
    g_autofree uint8_t *table = g_malloc0(4 + 65 * 6 + 4);
    Fixture f;

    table[0] = 65;
    start(&f, BIT(CTRL_VQ) | BIT(CTRL_RX));
    g_assert_cmpuint(set_mode(&f, VIRTIO_NET_CTRL_RX_PROMISC, 0), ==, 0);
    g_assert_cmpuint(command(&f, VIRTIO_NET_CTRL_MAC,
                             VIRTIO_NET_CTRL_MAC_TABLE_SET, table,
                             4 + 65 * 6 + 4), ==, VIRTIO_NET_OK);
    check_passes(&f, other_mac, true);
    check_passes(&f, group_mac, false);
    stop(&f);
}

static void test_mac_is_set(void)
{
    Fixture f;

    start(&f, BIT(CTRL_VQ) | BIT(CTRL_RX) | BIT(CTRL_MAC_ADDR) | BIT(MAC));
    for (unsigned i = 0; i < 6; i++) {
        g_assert_cmphex(qtest_readb(f.qts, f.dev.config + i), ==, own_mac[i]);
    }
    g_assert_cmpuint(set_mode(&f, VIRTIO_NET_CTRL_RX_PROMISC, 0), ==, 0);
    g_assert_cmpuint(command(&f, VIRTIO_NET_CTRL_MAC,
                             VIRTIO_NET_CTRL_MAC_ADDR_SET, other_mac, 6), ==,
                     VIRTIO_NET_OK);
    give_room(&f, 0, ROOM);
    peer_send_to(&f, own_mac, 1);
    peer_send_to(&f, other_mac, 2);
    expect_frame(&f, 0, other_mac, 2);
    g_assert_cmphex(qtest_readb(f.qts, f.dev.config + 3), ==, other_mac[3]);
    stop(&f);
}

static void test_bad_commands(void)
{
    static const uint8_t huge[] = { 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4 };
    const struct {
        uint8_t class, cmd;
        size_t size;
    } bad[] = {
        { VIRTIO_NET_CTRL_RX, 6, 1 },
        { VIRTIO_NET_CTRL_RX, 0, 0 },
        { VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_TABLE_SET, 8 },
        { VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_TABLE_SET, 3 },
        { VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_ADDR_SET, 5 },
        { VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_ADDR_SET, 7 },
        { VIRTIO_NET_CTRL_MAC, 9, 8 },
        { VIRTIO_NET_CTRL_VLAN, VIRTIO_NET_CTRL_VLAN_ADD, 2 },
        { VIRTIO_NET_CTRL_VLAN, 7, 2 },
        { VIRTIO_NET_CTRL_MQ, VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET, 2 },
        { VIRTIO_NET_CTRL_GUEST_OFFLOADS, 0, 8 },
        { 77, 0, 1 },
    };
    Fixture f;

    start(&f, BIT(CTRL_VQ) | BIT(CTRL_RX) | BIT(CTRL_VLAN));
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_assert_cmpuint(command(&f, bad[i].class, bad[i].cmd, huge,
                                 bad[i].size), ==, VIRTIO_NET_ERR);
    }
    check_passes(&f, other_mac, true);    /* nothing has changed */
    stop(&f);
}

/* --- announcements -------------------------------------------------------- */

static void announce(Fixture *f, const char *more, unsigned rounds)
{
    json_node_unref(qmp_client_do(f->qmp, "{'execute': 'announce-self', "
                                  "'arguments': {'initial': 1, 'max': 2, 'step': "
                                  "1, 'rounds': %u%s}}", rounds, more));
}

static void expect_rarp(Fixture *f)
{
    uint8_t frame[ROOM];

    g_assert_cmpuint(peer_receive(f, frame, sizeof(frame)), ==, FRAME);
    g_assert_cmpmem(frame, 6, all_mac, 6);
    g_assert_cmpmem(frame + 6, 6, own_mac, 6);
    g_assert_cmphex(frame[12] << 8 | frame[13], ==, ETH_P_RARP);
}

static uint16_t config_status(Fixture *f)
{
    return qtest_readw(f->qts, f->dev.config +
                               offsetof(struct virtio_net_config, status));
}

static void test_announce(void)
{
    Fixture f;

    start(&f, BIT(CTRL_VQ) | BIT(STATUS) | BIT(GUEST_ANNOUNCE));
    announce(&f, "", 1);
    expect_rarp(&f);
    qvirtio_wait_interrupt(&f.dev, QVIRTIO_CONFIG_CHANGED);
    g_assert_cmphex(config_status(&f), ==,
                    VIRTIO_NET_S_LINK_UP | VIRTIO_NET_S_ANNOUNCE);
    g_assert_cmpuint(command(&f, VIRTIO_NET_CTRL_ANNOUNCE,
                             VIRTIO_NET_CTRL_ANNOUNCE_ACK, NULL, 0), ==, 0);
    g_assert_cmphex(config_status(&f), ==, VIRTIO_NET_S_LINK_UP);
    g_assert_cmpuint(command(&f, VIRTIO_NET_CTRL_ANNOUNCE,
                             VIRTIO_NET_CTRL_ANNOUNCE_ACK, NULL, 0), ==, 1);
    announce(&f, ", 'interfaces': ['nic0'], 'id': 'a'", 3);
    for (unsigned i = 0; i < 3; i++) {
        expect_rarp(&f);
    }
    announce(&f, ", 'interfaces': ['other']", 1);
    qmp_client_check_alive(f.qmp);
    announce(&f, "", 0);
    qmp_client_expect_error(f.qmp, "GenericError", "'rounds' is 1001",
                            "{'execute': 'announce-self', 'arguments': "
                            "{'initial': 1, 'max': 2, 'step': 1, 'rounds': "
                            "1001}}");
    stop(&f);
}

/* One that is told of nothing, and one that is under way when the VM ends. */
static void test_announce_to_others(void)
{
    Fixture f;

    start(&f, BIT(STATUS));
    announce(&f, "", 1000);
    expect_rarp(&f);
    g_assert_cmphex(config_status(&f), ==, VIRTIO_NET_S_LINK_UP);
    announce(&f, "", 1);                  /* in its place */
    stop(&f);
}

int main(int argc, char **argv)
{
    qtest_main_init(&argc, &argv);
    qtest_needs(QTEST_NEEDS_SPARSEVM);
#define ADD(name, fn) g_test_add_func("/virtio-net-ctrl/" name, fn)
    ADD("filter", test_filter);
    ADD("long-tables-mean-all", test_long_tables_mean_all);
    ADD("mac-is-set", test_mac_is_set);
    ADD("bad-commands", test_bad_commands);
    ADD("announce", test_announce);
    ADD("announce-to-others", test_announce_to_others);
    return g_test_run();
}
