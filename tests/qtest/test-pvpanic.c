/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pvpanic-pci as a guest's driver uses it, and what follows: events, run
 * states and exit statuses of -action panic=.
 */
#include <misc/pvpanic.h>

#include "pci.h"

#define PVPANIC_VENDOR 0x1b36
#define PVPANIC_DEVICE 0x0011

typedef struct Fixture {
    QTestState *qts;
    QmpClient *qmp;
    QGuest guest;
    QPCIDevice dev;
    uint64_t bar;
} Fixture;

/* @data: further options. */
static void setup(Fixture *f, const void *data)
{
    f->qts = qtest_init("-M q35 -m 64M -device %s",
                        data ? (const char *)data : "pvpanic-pci");
    f->qmp = qtest_qmp(f->qts);
    qguest_init(&f->guest, f->qts);
    qpci_device_init(&f->dev, &f->guest, PVPANIC_VENDOR, PVPANIC_DEVICE, 0);
    f->bar = qpci_map_bar(&f->dev, 0);
    qpci_enable(&f->dev);
}

static void teardown(Fixture *f, const void *data)
{
    qtest_quit(f->qts);
}

static void assert_action(Fixture *f, const char *event, const char *action)
{
    g_autoptr(JsonObject) told = qmp_client_event(f->qmp, event);

    g_assert_cmpstr(
        json_object_get_string_member(
            json_object_get_object_member(told, "data"), "action"), ==, action);
}

static void assert_status(Fixture *f, const char *status)
{
    g_autoptr(JsonNode) node = qmp_client_do(f->qmp,
                                             "{'execute': 'query-status'}");

    g_assert_cmpstr(json_object_get_string_member(json_node_get_object(node),
                                                  "status"), ==, status);
}

static void test_offers_its_events(Fixture *f, const void *data)
{
    g_assert_cmphex(qtest_readb(f->qts, f->bar), ==,
                    PVPANIC_PANICKED | PVPANIC_CRASH_LOADED);
    g_assert_cmphex(qtest_readl(f->qts, f->bar + 4), ==, 0);
}

static void test_other_writes_are_nothing(Fixture *f, const void *data)
{
    qtest_writeb(f->qts, f->bar, 0);
    qtest_writeb(f->qts, f->bar, 0xfc);
    qtest_writel(f->qts, f->bar + 1, UINT32_MAX);
    assert_status(f, "running");
    g_assert_cmpuint(qmp_client_count_events(f->qmp, "GUEST_PANICKED"), ==, 0);
}

static void test_crash_kernel_goes_on(Fixture *f, const void *data)
{
    qtest_writeb(f->qts, f->bar, PVPANIC_CRASH_LOADED);
    assert_action(f, "GUEST_CRASHLOADED", "run");
    assert_status(f, "running");
}

static void test_event_that_is_not_offered(Fixture *f, const void *data)
{
    g_assert_cmphex(qtest_readb(f->qts, f->bar), ==, PVPANIC_CRASH_LOADED);
    qtest_writeb(f->qts, f->bar, PVPANIC_PANICKED);
    assert_status(f, "running");
}

static void test_pause(Fixture *f, const void *data)
{
    qtest_writeb(f->qts, f->bar, PVPANIC_PANICKED);
    assert_action(f, "GUEST_PANICKED", "pause");
    json_object_unref(qmp_client_event(f->qmp, "STOP"));
    assert_status(f, "guest-panicked");
    json_node_unref(qmp_client_do(f->qmp, "{'execute': 'cont'}"));
    assert_status(f, "running");
}

static void test_none(Fixture *f, const void *data)
{
    for (int i = 0; i < 1000; i++) {
        qtest_writeb(f->qts, f->bar, PVPANIC_PANICKED);
    }
    assert_action(f, "GUEST_PANICKED", "run");
    assert_status(f, "running");
    /* The clock of events stands: none but the first was sent. */
    g_assert_cmpuint(qmp_client_count_events(f->qmp, "GUEST_PANICKED"), ==, 0);
}

static void test_no_shutdown_stays_panicked(Fixture *f, const void *data)
{
    qtest_writeb(f->qts, f->bar, PVPANIC_PANICKED);
    assert_action(f, "GUEST_PANICKED", "poweroff");
    json_object_unref(qmp_client_event(f->qmp, "SHUTDOWN"));
    assert_status(f, "guest-panicked");
}

typedef struct ExitCase {
    const char *name;
    const char *options;
    int status;
} ExitCase;

static const ExitCase exit_cases[] = {
    { "default", "pvpanic-pci", 0 },
    { "shutdown", "pvpanic-pci -action panic=shutdown", 0 },
    { "exit-failure", "pvpanic-pci -action panic=exit-failure", 1 },
};

static void test_exit(const void *data)
{
    const ExitCase *c = data;
    g_autoptr(JsonObject) told = NULL;
    Fixture f;

    setup(&f, c->options);
    qtest_writeb(f.qts, f.bar, PVPANIC_PANICKED);
    assert_action(&f, "GUEST_PANICKED", "poweroff");
    told = qmp_client_event(f.qmp, "SHUTDOWN");
    g_assert_cmpstr(
        json_object_get_string_member(
            json_object_get_object_member(told, "data"), "reason"), ==,
        "guest-panic");
    g_assert_cmpint(qtest_wait_exit(f.qts), ==, c->status);
}

int main(int argc, char **argv)
{
    qtest_main_init(&argc, &argv);
    qtest_needs(QTEST_NEEDS_SPARSEVM);
    g_test_add("/pvpanic/offers-its-events", Fixture, NULL, setup,
               test_offers_its_events, teardown);
    g_test_add("/pvpanic/other-writes-are-nothing", Fixture, NULL, setup,
               test_other_writes_are_nothing, teardown);
    g_test_add("/pvpanic/crash-kernel-goes-on", Fixture, NULL, setup,
               test_crash_kernel_goes_on, teardown);
    g_test_add("/pvpanic/event-that-is-not-offered", Fixture,
               "pvpanic-pci,events=2", setup, test_event_that_is_not_offered,
               teardown);
    g_test_add("/pvpanic/action/pause", Fixture,
               "pvpanic-pci -action panic=pause", setup, test_pause, teardown);
    g_test_add("/pvpanic/action/none", Fixture,
               "pvpanic-pci -action panic=none", setup, test_none, teardown);
    g_test_add("/pvpanic/action/no-shutdown", Fixture,
               "pvpanic-pci -no-shutdown", setup,
               test_no_shutdown_stays_panicked, teardown);
    for (size_t i = 0; i < G_N_ELEMENTS(exit_cases); i++) {
        g_autofree char *path = g_strdup_printf("/pvpanic/action/exit/%s",
                                                exit_cases[i].name);

        g_test_add_data_func(path, &exit_cases[i], test_exit);
    }
    return g_test_run();
}
