/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hot plug in the slots of root ports: what QMP says and what a guest finds in
 * the slot's registers, for memory that comes and goes and for devices that
 * reach it by DMA.
 */
#include <linux/pci_regs.h>

#include "coordination.h"
#include "qemu/units.h"

#define PORT_VENDOR 0x1b36
#define PORT_DEVICE 0x000c
#define BUTTON_NS (5 * 1000000000LL)

typedef struct Fixture {
    QTestState *qts;
    QmpClient *qmp;
    QGuest guest;
    QVirtioMem vmem;                      /* vm0, on pcie.0 */
    struct virtio_mem_config config;
    QPCIDevice port[2];                   /* rp0, rp1: buses 1 and 2 */
    uint8_t exp[2];                       /* their PCI Express capability */
} Fixture;

static void qmp(Fixture *f, const char *command)
{
    json_node_unref(qmp_client_do(f->qmp, "%s", command));
}

/* --- the guest's side of a slot ------------------------------------------ */

static uint16_t slot_read(Fixture *f, unsigned n, uint8_t reg)
{
    return qpci_config_readw(f->qts, f->port[n].devfn, f->exp[n] + reg);
}

static void slot_write(Fixture *f, unsigned n, uint8_t reg, uint16_t value)
{
    qpci_config_writew(f->qts, f->port[n].devfn, f->exp[n] + reg, value);
}

static void slot_control(Fixture *f, unsigned n, uint16_t power,
                         uint16_t indicator)
{
    slot_write(f, n, PCI_EXP_SLTCTL,
               PCI_EXP_SLTCTL_ATTN_IND_OFF | power | indicator);
}

static void slot_on(Fixture *f, unsigned n)
{
    slot_control(f, n, 0, PCI_EXP_SLTCTL_PWR_IND_ON);
}

static void slot_off(Fixture *f, unsigned n)
{
    slot_control(f, n, PCI_EXP_SLTCTL_PWR_OFF, PCI_EXP_SLTCTL_PWR_IND_OFF);
}

/* The events since it was last asked, which are acknowledged. */
static uint16_t slot_events(Fixture *f, unsigned n)
{
    uint16_t events = slot_read(f, n, PCI_EXP_SLTSTA) &
                      (PCI_EXP_SLTSTA_ABP | PCI_EXP_SLTSTA_PDC |
                       PCI_EXP_SLTSTA_DLLSC);

    slot_write(f, n, PCI_EXP_SLTSTA, events);
    return events;
}

static bool slot_present(Fixture *f, unsigned n)
{
    return slot_read(f, n, PCI_EXP_SLTSTA) & PCI_EXP_SLTSTA_PDS;
}

static uint32_t id_behind(Fixture *f, unsigned n)
{
    return qpci_config_readl(f->qts, (n + 1) << 8, PCI_VENDOR_ID);
}

static void ports_init(Fixture *f)
{
    for (unsigned i = 0; i < 2; i++) {
        QPCIDevice *port = &f->port[i];

        qpci_device_init(port, &f->guest, PORT_VENDOR, PORT_DEVICE, i);
        f->exp[i] = qpci_find_capability(port, PCI_CAP_ID_EXP, 0);
        g_assert_cmpuint(f->exp[i], !=, 0);
        qpci_config_writeb(f->qts, port->devfn, PCI_SECONDARY_BUS, i + 1);
        qpci_config_writeb(f->qts, port->devfn, PCI_SUBORDINATE_BUS, i + 1);
        qpci_enable(port);
    }
}

/* --- set-up -------------------------------------------------------------- */

static void setup(Fixture *f, const void *data)
{
    f->qts = qtest_init(
        "-M q35 -m 64M,maxmem=2G,slots=4 "
        "-object memory-backend-memfd,id=boot,size=64M "
        "-machine memory-backend=boot "
        "-object memory-backend-memfd,id=mem0,size=256M "
        "-device virtio-mem-pci,id=vm0,memdev=mem0,block-size=2M,"
        "requested-size=64M "
        "-device pcie-root-port,id=rp0,chassis=1 "
        "-device pcie-root-port,id=rp1,chassis=2");
    f->qmp = qtest_qmp(f->qts);
    qguest_init(&f->guest, f->qts);
    qvirtio_mem_init(&f->vmem, &f->guest, 0);
    qvirtio_mem_config(&f->vmem, &f->config);
    ports_init(f);
}

static void teardown(Fixture *f, const void *data)
{
    qtest_quit(f->qts);
}

static void add_virtio_mem(Fixture *f)
{
    qmp(f, "{'execute': 'object-add', 'arguments': {'qom-type': "
           "'memory-backend-memfd', 'id': 'mem1', 'size': 268435456}}");
    qmp(f, "{'execute': 'device_add', 'arguments': {'driver': 'virtio-mem-pci',"
           " 'id': 'vm1', 'bus': 'rp0', 'memdev': 'mem1', "
           "'block-size': 2097152}}");
}

static void add_vfio_user(Fixture *f, QVFIOUserServer *server)
{
    json_node_unref(qmp_client_do(
        f->qmp, "{'execute': 'device_add', 'arguments': {'driver': "
        "'vfio-user-pci', 'id': 'dev0', 'bus': 'rp1', 'socket': '%s'}}",
        server->socket));
}

static void device_del(Fixture *f, const char *id)
{
    json_node_unref(qmp_client_do(
        f->qmp, "{'execute': 'device_del', 'arguments': {'id': '%s'}}", id));
}

static void wait_deleted(Fixture *f, const char *id)
{
    for (unsigned i = 0; i < 4; i++) {
        g_autoptr(JsonObject) event = qmp_client_event(f->qmp,
                                                       "DEVICE_DELETED");
        JsonObject *data = json_object_get_object_member(event, "data");

        if (json_object_has_member(data, "device")) {
            g_assert_cmpstr(json_object_get_string_member(data, "device"), ==,
                            id);
            g_assert_true(g_str_has_suffix(
                json_object_get_string_member(data, "path"), id));
            return;
        }
    }
    g_error("no DEVICE_DELETED of %s", id);
}

static unsigned deleted(Fixture *f)
{
    qmp(f, "{'execute': 'query-status'}");
    return qmp_client_count_events(f->qmp, "DEVICE_DELETED");
}

static void expect_del_error(Fixture *f, const char *id, const char *part)
{
    qmp_client_expect_error(f->qmp, "GenericError", part,
                            "{'execute': 'device_del', 'arguments': "
                            "{'id': '%s'}}", id);
}

/* The guest does what Linux does when the button was pressed. */
static void guest_releases(Fixture *f, unsigned n)
{
    g_assert_cmphex(slot_events(f, n) & PCI_EXP_SLTSTA_ABP, !=, 0);
    slot_control(f, n, 0, PCI_EXP_SLTCTL_PWR_IND_BLINK);
    slot_control(f, n, PCI_EXP_SLTCTL_PWR_OFF, PCI_EXP_SLTCTL_PWR_IND_BLINK);
    slot_off(f, n);
}

/* --- memory -------------------------------------------------------------- */

static void test_virtio_mem_comes_and_goes(Fixture *f, const void *data)
{
    g_assert_false(slot_present(f, 0));
    for (unsigned turn = 0; turn < 2; turn++) {
        QVirtioMem vm1;
        struct virtio_mem_config config;

        add_virtio_mem(f);
        g_assert_true(slot_present(f, 0));
        g_assert_cmphex(slot_events(f, 0), ==,
                        PCI_EXP_SLTSTA_ABP | PCI_EXP_SLTSTA_PDC);
        g_assert_cmphex(id_behind(f, 0), ==, UINT32_MAX);
        slot_on(f, 0);
        g_assert_cmphex(slot_events(f, 0), ==, PCI_EXP_SLTSTA_DLLSC);

        qvirtio_mem_init(&vm1, &f->guest, 1);
        qtest_qom_set_uint(f->qts, "/machine/peripheral/vm1", "requested-size",
                           64 * MiB);
        qvirtio_mem_config(&vm1, &config);
        g_assert_cmphex(config.addr, !=, f->config.addr);
        assert_ack(qvirtio_mem_plug(&vm1, config.addr, 3));
        qtest_writeq(f->qts, config.addr + BLOCK, 0x1234);
        expect_del_error(f, "vm1", "still plugged");
        assert_ack(qvirtio_mem_unplug(&vm1, config.addr, 3));
        expect_del_error(f, "vm1", "requested-size");
        qtest_qom_set_uint(f->qts, "/machine/peripheral/vm1", "requested-size",
                           0);

        device_del(f, "vm1");
        g_assert_cmpuint(deleted(f), ==, 0);
        guest_releases(f, 0);
        wait_deleted(f, "vm1");
        g_assert_false(slot_present(f, 0));
        qmp(f, "{'execute': 'object-del', 'arguments': {'id': 'mem1'}}");
        slot_events(f, 0);
    }
}

/* What the administrator requests while the guest lets go keeps the device. */
static void test_memory_requested_meanwhile_stays(Fixture *f, const void *data)
{
    add_virtio_mem(f);
    slot_events(f, 0);
    slot_on(f, 0);
    device_del(f, "vm1");
    qtest_qom_set_uint(f->qts, "/machine/peripheral/vm1", "requested-size",
                       64 * MiB);
    guest_releases(f, 0);
    json_object_unref(qmp_client_event(f->qmp, "DEVICE_UNPLUG_GUEST_ERROR"));
    g_assert_true(slot_present(f, 0));
    g_assert_cmphex(slot_events(f, 0) & PCI_EXP_SLTSTA_ABP, !=, 0);
}

/* --- devices that reach memory by DMA ------------------------------------ */

/* Bytes of vm0's region that the server was shown. */
static uint64_t shown(Fixture *f, QVFIOUserServer *server)
{
    g_autoptr(GArray) mappings = qvfio_user_server_mappings(server);
    uint64_t sum = 0;

    for (unsigned i = 0; i < mappings->len; i++) {
        QMapping *m = &g_array_index(mappings, QMapping, i);

        if (m->iova >= f->config.addr &&
            m->iova < f->config.addr + f->config.region_size) {
            sum += m->size;
        }
    }
    return sum;
}

static void test_vfio_user_comes_and_goes(Fixture *f, const void *data)
{
    assert_ack(qvirtio_mem_plug(&f->vmem, f->config.addr + 3 * BLOCK, 4));
    for (unsigned turn = 0; turn < 2; turn++) {
        QVFIOUserServer *server = qvfio_user_server_new("%s", "");
        QVFIOUser dev;

        add_vfio_user(f, server);
        g_assert_cmpuint(shown(f, server), ==, 4 * BLOCK);
        slot_events(f, 1);
        slot_on(f, 1);
        qvfio_user_init(&dev, &f->guest, 0);
        g_assert_cmpuint(dev.pci.devfn, ==, 2 << 8);
        g_assert_cmpuint(qvfio_user_fill(&dev, f->config.addr + 3 * BLOCK, 7,
                                         4 * BLOCK), ==, 0);
        g_assert_cmphex(qtest_readb(f->qts, f->config.addr + 6 * BLOCK), ==, 7);
        assert_ack(qvirtio_mem_plug(&f->vmem, f->config.addr, 1));
        g_assert_cmpuint(shown(f, server), ==, 5 * BLOCK);
        assert_ack(qvirtio_mem_unplug(&f->vmem, f->config.addr, 1));

        device_del(f, "dev0");
        slot_events(f, 1);
        slot_control(f, 1, PCI_EXP_SLTCTL_PWR_OFF,
                     PCI_EXP_SLTCTL_PWR_IND_BLINK);
        g_assert_cmpuint(deleted(f), ==, 0);
        slot_off(f, 1);
        wait_deleted(f, "dev0");
        qvfio_user_server_wait_disconnect(server);
        qvfio_user_server_free(server);
        slot_events(f, 1);
    }
    /* Nobody is left to be asked. */
    assert_ack(qvirtio_mem_plug(&f->vmem, f->config.addr, 1));
}

/* Without power it is not to be found, and reaches nothing. */
static void test_power_off_silences_and_keeps_the_device(Fixture *f,
                                                         const void *data)
{
    QVFIOUserServer *server = qvfio_user_server_new("%s", "");
    QVFIOUser dev;

    add_vfio_user(f, server);
    slot_on(f, 1);
    qvfio_user_init(&dev, &f->guest, 0);
    slot_off(f, 1);
    g_assert_cmphex(id_behind(f, 1), ==, UINT32_MAX);
    g_assert_cmphex(qtest_readl(f->qts, dev.regs), !=, TESTDEV_ID);
    g_assert_cmpuint(deleted(f), ==, 0);
    slot_on(f, 1);
    g_assert_cmphex(id_behind(f, 1), ==,
                    TESTDEV_DEVICE_ID << 16 | TESTDEV_VENDOR_ID);
    g_assert_cmphex(qpci_config_readw(f->qts, 2 << 8, PCI_COMMAND), ==, 0);

    slot_off(f, 1);
    device_del(f, "dev0");
    wait_deleted(f, "dev0");
    qvfio_user_server_wait_disconnect(server);
    qvfio_user_server_free(server);
}

/* --- the ways of a removal ----------------------------------------------- */

static void test_removal_is_not_asked_for_twice(Fixture *f, const void *data)
{
    add_virtio_mem(f);
    slot_on(f, 0);
    slot_events(f, 0);
    device_del(f, "vm1");
    expect_del_error(f, "vm1", "already in the process of unplug");
    g_assert_cmphex(slot_events(f, 0), ==, PCI_EXP_SLTSTA_ABP);
    qtest_clock_step(f->qts, BUTTON_NS);
    device_del(f, "vm1");
    slot_control(f, 0, 0, PCI_EXP_SLTCTL_PWR_IND_BLINK);
    qtest_clock_step(f->qts, BUTTON_NS);
    expect_del_error(f, "vm1", "the guest is busy");
    guest_releases(f, 0);
    wait_deleted(f, "vm1");
    qmp_client_expect_error(f->qmp, "DeviceNotFound", "vm1",
                            "{'execute': 'device_del', 'arguments': "
                            "{'id': 'vm1'}}");
}

static void test_refusal_is_told(Fixture *f, const void *data)
{
    g_autoptr(JsonObject) event = NULL;

    add_virtio_mem(f);
    slot_on(f, 0);
    device_del(f, "vm1");
    slot_control(f, 0, 0, PCI_EXP_SLTCTL_PWR_IND_BLINK);
    slot_on(f, 0);
    event = qmp_client_event(f->qmp, "DEVICE_UNPLUG_GUEST_ERROR");
    g_assert_cmpstr(json_object_get_string_member(
                        json_object_get_object_member(event, "data"), "device"),
                    ==, "vm1");
    slot_events(f, 0);
    device_del(f, "vm1");
    guest_releases(f, 0);
    wait_deleted(f, "vm1");
}

static void test_reset_completes_a_removal(Fixture *f, const void *data)
{
    QVFIOUserServer *server = qvfio_user_server_new("%s", "");

    assert_ack(qvirtio_mem_plug(&f->vmem, f->config.addr, 2));
    add_virtio_mem(f);
    add_vfio_user(f, server);
    slot_on(f, 0);
    slot_on(f, 1);
    device_del(f, "vm1");
    device_del(f, "dev0");
    g_assert_cmpuint(deleted(f), ==, 0);
    qmp(f, "{'execute': 'system_reset'}");
    json_object_unref(qmp_client_event(f->qmp, "RESET"));
    qvfio_user_server_wait_disconnect(server);
    qvfio_user_server_free(server);
    for (unsigned i = 0; i < 2; i++) {
        g_assert_false(slot_present(f, i));
    }
    qmp(f, "{'execute': 'object-del', 'arguments': {'id': 'mem1'}}");
    add_virtio_mem(f);
}

/* --- refusals ------------------------------------------------------------ */

static void test_wrong_places_are_refused(Fixture *f, const void *data)
{
    add_virtio_mem(f);
    qmp_client_expect_error(f->qmp, "GenericError",
                            "Bus 'pcie.0' does not support hotplugging",
                            "{'execute': 'device_add', 'arguments': {'driver': "
                            "'virtio-mem-pci', 'id': 'x', 'memdev': 'mem0'}}");
    qmp_client_expect_error(f->qmp, "GenericError", "in use by",
                            "{'execute': 'device_add', 'arguments': {'driver': "
                            "'virtio-balloon-pci', 'id': 'x', 'bus': "
                            "'rp0', 'addr': '0'}}");
    qmp_client_expect_error(f->qmp, "GenericError", "slot 0 only",
                            "{'execute': 'device_add', 'arguments': {'driver': "
                            "'virtio-balloon-pci', 'id': 'x', 'bus': "
                            "'rp1', 'addr': '1'}}");
    qmp_client_expect_error(f->qmp, "GenericError", "already busy memdev",
                            "{'execute': 'device_add', 'arguments': {'driver': "
                            "'virtio-mem-pci', 'id': 'x', 'memdev': 'mem0', "
                            "'bus': 'rp1'}}");
    expect_del_error(f, "vm0", "Bus 'pcie.0' does not support hotplugging");
    g_assert_false(slot_present(f, 1));
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*fn)(Fixture *f, const void *data);
    } tests[] = {
        { "/hotplug/virtio-mem-comes-and-goes",
          test_virtio_mem_comes_and_goes },
        { "/hotplug/memory-requested-meanwhile-stays",
          test_memory_requested_meanwhile_stays },
        { "/hotplug/vfio-user-comes-and-goes", test_vfio_user_comes_and_goes },
        { "/hotplug/power-off-silences-and-keeps-the-device",
          test_power_off_silences_and_keeps_the_device },
        { "/hotplug/removal-is-not-asked-for-twice",
          test_removal_is_not_asked_for_twice },
        { "/hotplug/refusal-is-told", test_refusal_is_told },
        { "/hotplug/reset-completes-a-removal",
          test_reset_completes_a_removal },
        { "/hotplug/wrong-places-are-refused", test_wrong_places_are_refused },
    };

    qvfio_user_main_init(&argc, &argv);
    for (unsigned i = 0; i < G_N_ELEMENTS(tests); i++) {
        g_test_add(tests[i].name, Fixture, NULL, setup, tests[i].fn, teardown);
    }
    return g_test_run();
}
