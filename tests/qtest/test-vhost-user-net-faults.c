/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtio-net with a vhost-user back end that errs: for the guest the link goes down
 * and up, its requests wait, and what is plugged is what the back end has.
 */
#include "vhost-net-guest.h"

#define GET_FEATURES 1
#define ADD_NIC "{\"execute\": \"device_add\", \"arguments\": {\"driver\": "     \
                "\"virtio-net-pci\", \"netdev\": \"n0\", \"bus\": \"rp0\"}}"

/* Each fault with each message while the device is made, up to the first region
 * of memory: there is an error, and nothing is left of it. */
static void test_lies_at_the_start(void)
{
    Fixture f = { .server = new_network(1) };

    start_with(&f, "", "");
    add_netdev(&f);
    for (QVhostFault fault = QVHOST_FAULT_CLOSE; fault < QVHOST_FAULTS;
         fault++) {
        if (fault == QVHOST_FAULT_HANG || fault == QVHOST_FAULT_CHATTER) {
            continue;
        }
        for (unsigned after = 0; after < 6; after++) {
            qvhost_server_fault(f.server, fault, -1, after);
            g_assert_false(add_device(&f));
        }
    }
    g_assert_true(add_device(&f));
    stop(&f);
}

/* Sends device_add for a netdev whose back end then does not answer. */
static void add_for_silence(Fixture *f)
{
    gint64 deadline = qtest_deadline();
    unsigned round = 0;

    qvhost_server_fault(f->server, QVHOST_FAULT_HANG, -1, 0);
    qmp_client_send(f->qmp, ADD_NIC);
    while (!qvhost_server_count(f->server, GET_FEATURES)) {
        g_assert_true(qtest_wait_more(deadline, &round));
    }
}

/* Nobody else waits for a back end that does not answer, even who deletes its
 * netdev, which nobody else can have. */
static void test_silence_holds_only_who_asked(void)
{
    g_autofree char *dir = g_dir_make_tmp("silent-XXXXXX", NULL);
    g_autofree char *monitor = g_build_filename(dir, "qmp", NULL);
    g_autofree char *options = g_strdup_printf(
        "-netdev vhost-user,id=n0,chardev=c0,x-msg-timeout=%u "
        "-qmp unix:%s,server=on,wait=off", (unsigned)(patience_us() / 12000),
        monitor);
    Fixture f = { .server = new_network(1) };
    g_autoptr(JsonObject) reply = NULL;
    QmpClient *other;

    start_with(&f, options, "");
    other = qmp_client_connect(monitor);
    qmp_client_handshake(other);
    add_for_silence(&f);
    qmp_client_expect_error(other, "GenericError", "netdev 'n0' is in use", "%s",
                            ADD_NIC);
    json_node_unref(qmp_client_do(other, "{'execute': 'netdev_del', "
                                  "'arguments': {'id': 'n0'}}"));
    /* It has not been waited for: its character device is still in use. */
    qmp_client_expect_error(other, "GenericError", "busy", "{'execute': "
                            "'chardev-remove', 'arguments': {'id': 'c0'}}");
    reply = qmp_client_reply(f.qmp);
    qmp_assert_error(reply, "GenericError", "netdev 'n0': vhost-user-net 'c0': "
                     "the back end cannot be used: it has not answered "
                     "GET_FEATURES");
    add_netdev(&f);
    g_assert_true(add_device(&f));
    qmp_client_free(other);
    stop(&f);
    g_rmdir(dir);
}

/* Nor does the end of the emulator, which no time-out of ten minutes holds up. */
static void test_silence_ends_with_the_program(void)
{
    Fixture f = { .server = new_network(1) };

    start_with(&f, "-netdev vhost-user,id=n0,chardev=c0,x-msg-timeout=600000", "");
    add_for_silence(&f);
    stop(&f);
}

/* With each message that a running device sends: for the guest the link goes down
 * and up again. */
static void test_lies_at_work(void)
{
    for (QVhostFault fault = QVHOST_FAULT_CLOSE; fault < QVHOST_FAULTS;
         fault++) {
        Fixture f;

        if (fault == QVHOST_FAULT_HANG) {
            continue;                     /* below */
        }
        start(&f, 2);
        drive(&f, 2, BIT(STATUS) | BIT(CTRL_VQ) | BIT(MQ));
        qvhost_server_fault(f.server, fault, 18, 0);      /* SET_VRING_ENABLE */
        use_pairs(&f, 2);
        qvhost_server_wait_connections(f.server, 2);
        wait_link(&f, true);
        qvhost_server_wait_queues(f.server, 0xf, 0xf);
        check_frame(&f, 1);
        qvhost_server_fault(f.server, fault, 11, 0);      /* GET_VRING_BASE */
        do_qmp(&f, "{'execute': 'stop'}");
        qvhost_server_wait_connections(f.server, 3);
        do_qmp(&f, "{'execute': 'cont'}");
        wait_link(&f, true);
        check_frame(&f, 0);
        stop(&f);
    }
}

static void test_hangs(void)
{
    Fixture f = { .server = new_network(1) };

    start_with(&f, "-netdev vhost-user,id=n0,chardev=c0,x-msg-timeout=100", NIC);
    qvirtio_pci_init(&f.dev, &f.c.guest, VIRTIO_ID_NET, 0);
    drive(&f, 1, BIT(STATUS));
    qvhost_server_fault(f.server, QVHOST_FAULT_HANG, ADD_MEM_REG, 0);
    change(&f, true, 0, 1);
    qtest_wait_message(f.messages, "it has not answered ADD_MEM_REG for 100 ms");
    qvhost_server_wait_connections(f.server, 2);
    stop(&f);
}

static void test_plug_is_refused(void)
{
    Fixture f;
    uint64_t addr;

    start(&f, 1);
    drive(&f, 1, 0);
    addr = coordination_block(&f.c, 0, 0);
    qvhost_server_fault(f.server, QVHOST_FAULT_REFUSE, ADD_MEM_REG, 0);
    assert_busy(qvirtio_mem_plug(&f.c.mem[0], addr, 2));
    check_regions(&f, 0);
    change(&f, true, 0, 2);
    check_regions(&f, 1);
    check_frame_in(&f, 0, addr, addr + 2 * MiB);
    stop(&f);
}

int main(int argc, char **argv)
{
    qtest_main_init(&argc, &argv);
    qtest_needs(QTEST_NEEDS_SPARSEVM);
#define ADD(name, fn) g_test_add_func("/vhost-user-net-faults/" name, fn)
    ADD("lies-at-the-start", test_lies_at_the_start);
    ADD("silence", test_silence_holds_only_who_asked);
    ADD("silence-ends-with-the-program", test_silence_ends_with_the_program);
    ADD("lies-at-work", test_lies_at_work);
    ADD("hangs", test_hangs);
    ADD("plug-is-refused", test_plug_is_refused);
    return g_test_run();
}
