/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -object memory-controller: the VM's memory follows what the guest needs. It
 * asks the balloon's driver for statistics every interval, looks at the host,
 * has the policy decide (policy.h), and requests sizes of its devices. What a
 * guest or a host says it does not judge by itself.
 *
 * It owns the sizes of its devices, which stay as long: unless it is paused,
 * nobody else sets them. It needs no device of its own; where there is no balloon,
 * or no driver, it stands still and says so.
 *
 * controller.c has its life, controller-props.c what it can be told,
 * controller-qmp.c what it tells. Big lock held.
 */
#ifndef DEMAND_CONTROLLER_H
#define DEMAND_CONTROLLER_H

#include "host.h"
#include "hw/mem/memory-device.h"
#include "policy.h"
#include "qemu/notify.h"
#include "qemu/timer.h"
#include "qom/object_interfaces.h"

#define TYPE_MEMORY_CONTROLLER "memory-controller"
OBJECT_DECLARE_SIMPLE_TYPE(MemoryController, MEMORY_CONTROLLER)

struct MemoryController {
    Object parent_obj;

    /* Properties. */
    DemandConfig config;                  /* max 0: all that devices have */
    char **device_ids;                    /* NULL: none was given */
    char *cgroup;                         /* NULL: that of the process */

    /* While it is at work, that is, complete. */
    bool complete;
    char *path;                           /* in the QOM tree */
    MemorySizeOwner owner;                /* what devices are told; "paused" is a
                                             property */
    unsigned nr_devices;
    MemoryDeviceState *devices[DEMAND_DEVICES_MAX];
    HostMemory *host;
    QEMUTimer *timer;                     /* of the virtual clock, as the guest
                                             tells nothing while it is stopped */
    Notifier stats_listener;
    bool asked;                           /* figures are to come */
    DemandPolicy policy;
    DemandFigures figures;                /* of the last decision */
    DemandDecision decision;
    char *words;                          /* of it */
    int64_t changed_ms;                   /* when it last became another one */
    uint64_t nr_grown;                    /* decisions so far */
    uint64_t nr_shrunk;
};

/* controller.c: looks, decides and does it, whatever is asked for. */
void memory_controller_run(MemoryController *mc);
/* The reason why the last plug of one of the devices was refused, and nothing
 * plugged since; NULL: there is none. Borrowed. */
const char *memory_controller_refusal(const MemoryController *mc);

/* controller-props.c: adds the properties. */
void memory_controller_add_properties(ObjectClass *klass);
/* Whether @config does for the devices; false: *errp. Max becomes what there is,
 * if it is 0. */
bool memory_controller_check(const MemoryController *mc, DemandConfig *config,
                             Error **errp);

/* controller-qmp.c: what the event says; a QapiEventData. */
JsonObject *memory_controller_event_data(void *opaque);

#endif
