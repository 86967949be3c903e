/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The accelerator of tests: no CPU runs, and the virtual clock stands still
 * until a test moves it. Everything else of the machine is as with KVM. It
 * must not depend on the qtest server (system/qtest.c): a test may do with
 * QMP alone.
 */
#include "qemu/osdep.h"

#include "qemu/timer.h"
#include "sysemu/accel.h"
#include "sysemu/qtest.h"

static bool qtest_allowed;

bool qtest_enabled(void)
{
    return qtest_allowed;
}

/* Virtual CPUs exist, for the guest's tables and for QMP, but have no thread
 * that could run them. */
static const CpusAccel qtest_cpus = {
    .exec = NULL,
};

static int qtest_init_machine(MachineState *ms, Error **errp)
{
    qemu_clock_set_manual(true);
    return 0;
}

static void qtest_accel_class_init(ObjectClass *klass, void *data)
{
    AccelClass *ac = ACCEL_CLASS(klass);

    ac->name = "QTest";
    ac->init_machine = qtest_init_machine;
    ac->allowed = &qtest_allowed;
    ac->cpus = &qtest_cpus;
}

static const TypeInfo qtest_accel_types[] = {
    {
        .name = TYPE_QTEST_ACCEL,
        .parent = TYPE_ACCEL,
        .class_init = qtest_accel_class_init,
    },
};
DEFINE_TYPES(qtest_accel_types)
