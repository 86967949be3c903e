/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -accel qtest: a machine for test programs, whose CPUs do not run and whose
 * virtual clock moves only when it is told to. The qtest server, by which a test
 * does the guest's part, is system/qtest.h; either works without the other.
 */
#ifndef SYSEMU_QTEST_H
#define SYSEMU_QTEST_H

#define TYPE_QTEST_ACCEL "qtest-accel"

/* Whether the accelerator in use is qtest. */
bool qtest_enabled(void);

#endif
