/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A virtual CPU as the rest of the emulator sees it: a device with an index
 * and a thread. What the CPU is made of belongs to the subclass (hw/i386), how
 * it runs to the accelerator (sysemu/cpus.h).
 */
#ifndef HW_CORE_CPU_H
#define HW_CORE_CPU_H

#include "hw/qdev-core.h"

#define TYPE_CPU "cpu"
typedef struct CPUState CPUState;
typedef struct CPUClass CPUClass;
DECLARE_OBJ_CHECKERS(CPUState, CPUClass, CPU, TYPE_CPU)

struct CPUClass {
    DeviceClass parent_class;
};

/* The flags are written under the big lock. */
struct CPUState {
    DeviceState parent_obj;

    int cpu_index;                        /* from 0, in order of realize */
    GThread *thread;                      /* NULL: none, as under qtest */
    int thread_id;                        /* the host's */
    bool created;                         /* the thread has started */
    bool stop;                            /* it is asked to stop */
    bool stopped;                         /* and has done so */
    bool unplug;                          /* it is asked to end */
    gint exit_request;                    /* leave the guest; g_atomic_int_ */
    GCond halt_cond;                      /* a stopped thread waits here */
    QTAILQ_ENTRY(CPUState) node;
};

typedef QTAILQ_HEAD(CPUTailQ, CPUState) CPUTailQ;
/* The realized CPUs by ascending index. */
extern CPUTailQ cpus_list;
#define CPU_FOREACH(cpu) QTAILQ_FOREACH(cpu, &cpus_list, node)
#define first_cpu QTAILQ_FIRST(&cpus_list)

/* The CPU whose thread this is; NULL on any other thread. */
extern __thread CPUState *current_cpu;

#endif
