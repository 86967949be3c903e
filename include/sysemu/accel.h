/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What runs the guest: KVM, or nothing (qtest). Type "NAME-accel" serves
 * `-accel NAME`.
 */
#ifndef SYSEMU_ACCEL_H
#define SYSEMU_ACCEL_H

#include "qom/object.h"

#define TYPE_ACCEL "accel"
#define ACCEL_CLASS_SUFFIX "-" TYPE_ACCEL
#define ACCEL_CLASS_NAME(a) (a ACCEL_CLASS_SUFFIX)

typedef struct AccelState AccelState;
typedef struct AccelClass AccelClass;
DECLARE_OBJ_CHECKERS(AccelState, AccelClass, ACCEL, TYPE_ACCEL)

struct AccelState {
    Object parent_obj;
};

struct AccelClass {
    ObjectClass parent_class;

    const char *name;                     /* for people, e.g. "KVM" */
    /* 0, or -errno with *errp set; then nothing is left behind. Registers a
     * CpusAccel. (A QEMU tree's has no errp.) */
    int (*init_machine)(MachineState *ms, Error **errp);
    /* Set while this accelerator is in use, e.g. &kvm_allowed. */
    bool *allowed;
};

/* The class behind `-accel @opt_name`, or NULL. */
AccelClass *accel_find(const char *opt_name);
/* Tries @accel: 0, or -errno with *errp; then ms->accelerator is unchanged. */
int accel_init_machine(AccelState *accel, MachineState *ms, Error **errp);

#endif
