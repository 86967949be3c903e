/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a model of CPU is on this host, feature by feature. Big lock held. */
#ifndef HW_I386_CPU_MODEL_H
#define HW_I386_CPU_MODEL_H

#include "hw/boards.h"

/* For MachineClass.expand_cpu. */
JsonObject *x86_cpu_model_expand(const char *model, JsonObject *props,
                                 Error **errp);

/* A machine class's check_cpu and list_cpus. */
bool x86_cpu_model_check(MachineState *machine, const char *model,
                         const char *features, Error **errp);
void x86_cpu_models_list(void);

#endif
