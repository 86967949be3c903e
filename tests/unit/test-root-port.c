/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pcie-root-port: what is behind it, and its slot as a guest drives it. */
#include "qemu/osdep.h"

#include "hw/pci/pcie_port.h"
#include "pci-fixture.h"
#include "qapi/client-event.h"
#include "qapi/error.h"
#include "sysemu/reset.h"

#define BUS 1
#define PORT_MEM 0x20000000ULL

typedef struct Fixture {
    PCIERootPort *port;
    PCIDevice *pd;                        /* the port as a function */
} Fixture;

/* --- the guest's side --- */

static uint16_t slot_get(Fixture *f, int reg)
{
    return cfg_read(f->pd, f->pd->exp.exp_cap + reg, 2);
}

static void slot_set(Fixture *f, int reg, uint16_t val)
{
    cfg_write(f->pd, f->pd->exp.exp_cap + reg, val, 2);
}

static void control(Fixture *f, uint16_t power, uint16_t indicator)
{
    slot_set(f, PCI_EXP_SLTCTL, PCI_EXP_SLTCTL_ATTN_IND_OFF |
             PCI_EXP_SLTCTL_HPIE | PCI_EXP_SLTCTL_ABPE |
             PCI_EXP_SLTCTL_DLLSCE | power | indicator);
}

static void turn_on(Fixture *f)
{
    control(f, 0, PCI_EXP_SLTCTL_PWR_IND_ON);
}

static void turn_off(Fixture *f)
{
    control(f, PCI_EXP_SLTCTL_PWR_OFF, PCI_EXP_SLTCTL_PWR_IND_OFF);
}

static void open_port(Fixture *f)
{
    cfg_write(f->pd, PCI_SECONDARY_BUS, BUS, 1);
    cfg_write(f->pd, PCI_SUBORDINATE_BUS, BUS, 1);
    cfg_write(f->pd, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 2);
}

static uint32_t id_behind(void)
{
    return pci_data_read(pci_board()->bus, BUS << 16, 4);
}

/* --- set-up --- */

static PCIDevice *plug(Fixture *f, bool hot)
{
    PCIDevice *dev;

    qdev_hotplug = hot;
    dev = pci_board_new(TYPE_TEST_PCI, NULL);
    qdev_hotplug = false;
    qdev_realize_and_unref(DEVICE(dev), &f->port->sec_bus.qbus, &error_abort);
    return dev;
}

static void request_removal(Fixture *f, PCIDevice *dev, Error **errp)
{
    hotplug_handler_unplug_request(HOTPLUG_HANDLER(f->port), DEVICE(dev), errp);
}

static void setup(Fixture *f, const void *data)
{
    pci_board_clear();
    f->pd = pci_board_plug(TYPE_PCIE_ROOT_PORT, "addr=2", "chassis=1",
                           "slot=5", NULL);
    f->port = PCIE_ROOT_PORT(f->pd);
}

static void teardown(Fixture *f, const void *data)
{
    pci_board_clear();
}

static JsonObject *last_event;

static void remember_event(const char *event, JsonObject *data)
{
    g_clear_pointer(&last_event, json_object_unref);
    json_object_set_string_member(data, "event", event);
    last_event = data;
}

static const char *event_name(void)
{
    return last_event ? json_object_get_string_member(last_event, "event")
                      : NULL;
}

/* --- the bridge --- */

static void test_bus_answers_once_it_has_a_number(Fixture *f, const void *data)
{
    plug(f, false);
    qemu_devices_reset();
    g_assert_cmphex(id_behind(), ==, UINT32_MAX);
    open_port(f);
    g_assert_cmphex(id_behind(), ==, 0x56781234);
    g_assert_cmpint(pci_bus_num(&f->port->sec_bus), ==, BUS);
    cfg_write(f->pd, PCI_SECONDARY_BUS, 7, 1);
    g_assert_cmphex(id_behind(), ==, UINT32_MAX);
}

static void test_bars_decode_while_the_bridge_does(Fixture *f, const void *data)
{
    PCIDevice *dev = plug(f, false);

    qemu_devices_reset();
    open_port(f);
    pci_default_write_config(dev, PCI_BASE_ADDRESS_3, PORT_MEM, 4);
    pci_default_write_config(dev, PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
    g_assert_cmpint(mem_result(PORT_MEM, 1), ==, MEMTX_OK);
    cfg_write(f->pd, PCI_COMMAND, 0, 2);
    g_assert_cmpint(mem_result(PORT_MEM, 1), !=, MEMTX_OK);
}

static void test_pins_arrive_rotated_by_the_slot(Fixture *f, const void *data)
{
    PCIDevice *dev = plug(f, false);
    int input = 2;                        /* slot 2, INTA */

    pci_set_irq(dev, 1);
    g_assert_cmpint(pci_board()->level[input], ==, 1);
    g_assert_cmpint(pci_device_route_intx_to_irq(dev, 0).irq, ==,
                    TEST_IRQ_BASE + input);
    pci_set_irq(dev, 0);
    g_assert_cmpint(pci_board()->level[input], ==, 0);
}

static void test_secondary_bus_reset_resets_what_is_behind(Fixture *f,
                                                           const void *data)
{
    PCIDevice *dev = plug(f, false);
    unsigned before = TEST_PCI(dev)->resets;

    cfg_write(f->pd, PCI_BRIDGE_CONTROL, PCI_BRIDGE_CTL_BUS_RESET, 2);
    cfg_write(f->pd, PCI_BRIDGE_CONTROL, 0, 2);
    g_assert_cmpuint(TEST_PCI(dev)->resets, ==, before + 1);
}

static void test_impossible_places_are_refused(Fixture *f, const void *data)
{
    PCIDevice *second = pci_board_new(TYPE_TEST_PCI, "addr=1", NULL);
    PCIDevice *below = pci_board_new(TYPE_PCIE_ROOT_PORT, NULL);
    PCIDevice *twin = pci_board_new(TYPE_PCIE_ROOT_PORT, "chassis=1", "slot=5",
                                    NULL);
    Error *err = NULL;

    g_assert_false(qdev_realize_and_unref(DEVICE(second),
                                          &f->port->sec_bus.qbus, &err));
    error_free_or_abort(&err);
    g_assert_false(qdev_realize_and_unref(DEVICE(below),
                                          &f->port->sec_bus.qbus, &err));
    error_free_or_abort(&err);
    g_assert_false(qdev_realize_and_unref(DEVICE(twin),
                                          &pci_board()->bus->qbus, &err));
    error_free_or_abort(&err);
    g_assert_null(f->port->sec_bus.devices[0]);
}

static void test_link_is_what_was_said(Fixture *f, const void *data)
{
    PCIDevice *fast = pci_board_plug(TYPE_PCIE_ROOT_PORT, "addr=3", "slot=6",
                                     "x-speed=16", "x-width=32", NULL);
    uint8_t cap = fast->exp.exp_cap;

    g_assert_cmphex(cfg_read(fast, cap + PCI_EXP_LNKSTA, 2), ==,
                    PCI_EXP_LNKCAP_SLS_16_0GB | 32 << 4);
    g_assert_cmphex(cfg_read(fast, cap + PCI_EXP_LNKCAP, 4) & 0x3ff, ==,
                    PCI_EXP_LNKCAP_SLS_16_0GB | 32 << 4);
    g_assert_cmphex(slot_get(f, PCI_EXP_LNKSTA) & 0x3ff, ==,
                    PCI_EXP_LNKSTA_CLS_2_5GB | PCI_EXP_LNKSTA_NLW_X1);
}

static void test_impossible_links_are_refused(Fixture *f, const void *data)
{
    static const char *const bad[] = {
        "x-speed=17", "x-width=0", "x-width=3", "x-width=64", "hotplug=off",
        "romfile=x",
    };

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        PCIDevice *dev = pci_board_new(TYPE_PCIE_ROOT_PORT, "slot=6", bad[i],
                                       NULL);
        Error *err = NULL;

        g_assert_false(qdev_realize_and_unref(
            DEVICE(dev), &pci_board()->bus->qbus, &err));
        g_assert_nonnull(strstr(error_get_pretty(err), bad[i]));
        error_free(err);
    }
}

/* --- the slot --- */

static void test_slot_after_reset_is_on_if_there_is_a_device(Fixture *f,
                                                             const void *data)
{
    qemu_devices_reset();
    g_assert_cmphex(slot_get(f, PCI_EXP_SLTCTL) & PCI_EXP_SLTCTL_PCC, !=, 0);
    g_assert_cmphex(slot_get(f, PCI_EXP_SLTSTA), ==, 0);
    g_assert_cmphex(slot_get(f, PCI_EXP_LNKSTA) & PCI_EXP_LNKSTA_DLLLA, ==, 0);
    plug(f, false);
    qemu_devices_reset();
    g_assert_cmphex(slot_get(f, PCI_EXP_SLTCTL) & PCI_EXP_SLTCTL_PCC, ==, 0);
    g_assert_cmphex(slot_get(f, PCI_EXP_SLTSTA), ==, PCI_EXP_SLTSTA_PDS);
    g_assert_cmphex(slot_get(f, PCI_EXP_LNKSTA) & PCI_EXP_LNKSTA_DLLLA, !=, 0);
    g_assert_cmphex(slot_get(f, PCI_EXP_SLTCAP + 2) >> 3, ==, 5);
}

static void test_events_send_one_message_until_acknowledged(Fixture *f,
                                                            const void *data)
{
    uint8_t msi = f->pd->msi_cap;

    qemu_devices_reset();
    open_port(f);
    cfg_write(f->pd, msi + PCI_MSI_ADDRESS_LO, TEST_MSI_BASE, 4);
    cfg_write(f->pd, msi + PCI_MSI_FLAGS, PCI_MSI_FLAGS_ENABLE, 2);
    turn_off(f);
    plug(f, true);
    g_assert_cmpuint(pci_board()->nr_msis, ==, 1);
    turn_on(f);
    g_assert_cmpuint(pci_board()->nr_msis, ==, 1);
    slot_set(f, PCI_EXP_SLTSTA, UINT16_MAX);
    g_assert_cmphex(slot_get(f, PCI_EXP_SLTSTA), ==, PCI_EXP_SLTSTA_PDS);
    turn_off(f);
    g_assert_cmpuint(pci_board()->nr_msis, ==, 2);
}

static void test_without_msi_the_pin_follows_the_events(Fixture *f,
                                                        const void *data)
{
    turn_off(f);
    plug(f, true);
    g_assert_cmpint(pci_board()->level[2], ==, 1);
    slot_set(f, PCI_EXP_SLTSTA, UINT16_MAX);
    g_assert_cmpint(pci_board()->level[2], ==, 0);
}

static void test_removal_needs_power_and_indicator_off(Fixture *f,
                                                       const void *data)
{
    PCIDevice *dev = plug(f, true);

    turn_on(f);
    request_removal(f, dev, &error_abort);
    control(f, 0, PCI_EXP_SLTCTL_PWR_IND_BLINK);
    g_assert_nonnull(f->port->sec_bus.devices[0]);
    control(f, PCI_EXP_SLTCTL_PWR_OFF, PCI_EXP_SLTCTL_PWR_IND_BLINK);
    g_assert_nonnull(f->port->sec_bus.devices[0]);
    turn_off(f);
    g_assert_null(f->port->sec_bus.devices[0]);
    g_assert_cmphex(slot_get(f, PCI_EXP_SLTSTA) & PCI_EXP_SLTSTA_PDS, ==, 0);
    g_assert_cmpstr(event_name(), ==, "DEVICE_DELETED");
}

static void test_refused_removal_is_told_and_can_be_tried_again(
    Fixture *f, const void *data)
{
    PCIDevice *dev = plug(f, true);

    turn_on(f);
    request_removal(f, dev, &error_abort);
    control(f, 0, PCI_EXP_SLTCTL_PWR_IND_BLINK);
    turn_on(f);
    g_assert_cmpstr(event_name(), ==, "DEVICE_UNPLUG_GUEST_ERROR");
    g_assert_false(dev->qdev.pending_deleted_event);
    turn_off(f);
    g_assert_nonnull(f->port->sec_bus.devices[0]);
    request_removal(f, dev, &error_abort);
    g_assert_null(f->port->sec_bus.devices[0]);
}

static void test_power_off_resets_and_hides(Fixture *f, const void *data)
{
    PCIDevice *dev = plug(f, false);

    qemu_devices_reset();
    open_port(f);
    pci_default_write_config(dev, PCI_COMMAND, PCI_COMMAND_MASTER, 2);
    turn_off(f);
    g_assert_cmphex(id_behind(), ==, UINT32_MAX);
    turn_on(f);
    g_assert_cmphex(id_behind(), ==, 0x56781234);
    g_assert_cmphex(dev->config_read(dev, PCI_COMMAND, 2), ==, 0);
}

static void test_reset_completes_removal(Fixture *f, const void *data)
{
    PCIDevice *dev = plug(f, true);

    turn_on(f);
    request_removal(f, dev, &error_abort);
    g_assert_nonnull(f->port->sec_bus.devices[0]);
    qemu_devices_reset();
    g_assert_null(f->port->sec_bus.devices[0]);
}

/* Whatever a guest writes, registers that say what there is stay. */
static void test_random_writes_are_harmless(Fixture *f, const void *data)
{
    const char *env = g_getenv("SEED");
    uint32_t seed = env ? strtoul(env, NULL, 0) : g_random_int();
    g_autoptr(GRand) rand = g_rand_new_with_seed(seed);

    g_test_message("SEED=%u", seed);
    plug(f, false);
    qemu_devices_reset();
    for (int i = 0; i < 20000; i++) {
        uint8_t len = 1 << g_rand_int_range(rand, 0, 3);
        uint8_t reg = g_rand_int_range(rand, 0, 256) & ~(len - 1);

        cfg_write(f->pd, reg, g_rand_int(rand), len);
        id_behind();
    }
    g_assert_cmphex(cfg_read(f->pd, PCI_VENDOR_ID, 4), ==, 0x000c1b36);
    g_assert_cmphex(slot_get(f, PCI_EXP_SLTSTA) & PCI_EXP_SLTSTA_PDS, !=, 0);
    g_assert_nonnull(f->port->sec_bus.devices[0]);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*fn)(Fixture *f, const void *data);
    } tests[] = {
        { "bus-answers-once-it-has-a-number",
          test_bus_answers_once_it_has_a_number },
        { "bars-decode-while-the-bridge-does",
          test_bars_decode_while_the_bridge_does },
        { "pins-arrive-rotated-by-the-slot",
          test_pins_arrive_rotated_by_the_slot },
        { "secondary-bus-reset-resets-what-is-behind",
          test_secondary_bus_reset_resets_what_is_behind },
        { "impossible-places-are-refused", test_impossible_places_are_refused },
        { "link-is-what-was-said", test_link_is_what_was_said },
        { "impossible-links-are-refused", test_impossible_links_are_refused },
        { "slot-after-reset-is-on-if-there-is-a-device",
          test_slot_after_reset_is_on_if_there_is_a_device },
        { "events-send-one-message-until-acknowledged",
          test_events_send_one_message_until_acknowledged },
        { "without-msi-the-pin-follows-the-events",
          test_without_msi_the_pin_follows_the_events },
        { "removal-needs-power-and-indicator-off",
          test_removal_needs_power_and_indicator_off },
        { "refused-removal-is-told-and-can-be-tried-again",
          test_refused_removal_is_told_and_can_be_tried_again },
        { "power-off-resets-and-hides", test_power_off_resets_and_hides },
        { "reset-completes-removal", test_reset_completes_removal },
        { "random-writes-are-harmless", test_random_writes_are_harmless },
    };

    g_test_init(&argc, &argv, NULL);
    qapi_event_set_emitter(remember_event);
    for (unsigned i = 0; i < ARRAY_SIZE(tests); i++) {
        g_autofree char *path = g_strdup_printf("/root-port/%s", tests[i].name);

        g_test_add(path, Fixture, NULL, setup, tests[i].fn, teardown);
    }
    return g_test_run();
}
