/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The interrupt lines that a test listens to: those of one device, for ever. */
#ifndef SYSTEM_QTEST_IRQ_H
#define SYSTEM_QTEST_IRQ_H

#include "qapi/error.h"

/* Line @n has changed. */
typedef void QTestIRQFunc(int n, bool high);
void qtest_irq_set_observer(QTestIRQFunc *changed);
/* A test begins: takes all lines for low. */
void qtest_irq_reset(void);
/* From now on the observer hears of the lines, in or out, of the device at
 * @path. */
bool qtest_irq_intercept(const char *path, bool outputs, Error **errp);

#endif
