/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a model of CPU is on this host, feature by feature. Big lock held. */
#ifndef HW_I386_CPU_MODEL_H
#define HW_I386_CPU_MODEL_H

#include <json-glib/json-glib.h>

/* For MachineClass.expand_cpu. */
JsonObject *x86_cpu_model_expand(const char *model, JsonObject *props,
                                 Error **errp);

#endif
