/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A system reset loads the guest anew. If it cannot, because the kernel's file
 * has been cut short meanwhile, the VM is in a state in which it cannot run,
 * whether it ran before or not, until a reset succeeds.
 */
#include <glib/gstdio.h>
#include <unistd.h>

#include "bzimage.h"
#include "libqtest.h"

typedef struct Fixture {
    char *kernel;
    QTestState *qts;
    QmpClient *qmp;
} Fixture;

static void setup(Fixture *f, const void *data)
{
    f->kernel = bzimage_make();
    f->qts = qtest_init("-M q35 -m 64M -S -kernel %s", f->kernel);
    f->qmp = qtest_qmp(f->qts);
}

static void teardown(Fixture *f, const void *data)
{
    qtest_quit(f->qts);
    g_unlink(f->kernel);
    g_free(f->kernel);
}

static void run(Fixture *f, const char *command)
{
    json_node_unref(qmp_client_do(f->qmp, "{'execute': '%s'}", command));
}

static void reset(Fixture *f)
{
    run(f, "system_reset");
    json_object_unref(qmp_client_event(f->qmp, "RESET"));
}

static void assert_status(Fixture *f, const char *status)
{
    g_autoptr(JsonNode) node = qmp_client_do(f->qmp,
                                             "{'execute': 'query-status'}");

    g_assert_cmpstr(json_object_get_string_member(json_node_get_object(node),
                                                  "status"), ==, status);
}

static void break_kernel(Fixture *f)
{
    g_assert_cmpint(truncate(f->kernel, 0), ==, 0);
}

static void assert_cannot_run(Fixture *f)
{
    assert_status(f, "internal-error");
    qmp_client_expect_error(f->qmp, "GenericError", "", "{'execute': 'cont'}");
    assert_status(f, "internal-error");
}

static void test_reset_leads_to_prelaunch(Fixture *f, const void *data)
{
    reset(f);
    assert_status(f, "prelaunch");
}

static void test_failed_reset_of_a_running_vm(Fixture *f, const void *data)
{
    run(f, "cont");
    break_kernel(f);
    reset(f);
    assert_cannot_run(f);
}

static void test_failed_reset_of_a_stopped_vm(Fixture *f, const void *data)
{
    break_kernel(f);
    reset(f);
    assert_cannot_run(f);
    reset(f);
    assert_cannot_run(f);
}

int main(int argc, char **argv)
{
    qtest_main_init(&argc, &argv);
    qtest_needs(QTEST_NEEDS_SPARSEVM);
    g_test_add("/system-reset/leads-to-prelaunch", Fixture, NULL, setup,
               test_reset_leads_to_prelaunch, teardown);
    g_test_add("/system-reset/failed/running", Fixture, NULL, setup,
               test_failed_reset_of_a_running_vm, teardown);
    g_test_add("/system-reset/failed/stopped", Fixture, NULL, setup,
               test_failed_reset_of_a_stopped_vm, teardown);
    return g_test_run();
}
