/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files of -numa; each parses types of it. Nothing else includes
 * this. All set *errp when they say false or -1, and then have changed nothing. */
#ifndef HW_CORE_NUMA_INTERNAL_H
#define HW_CORE_NUMA_INTERNAL_H

#include "sysemu/numa.h"

/* numa.c */
/* Whether all members but type are among @names, which NULL ends. */
bool numa_check_names(JsonObject *opts, const char *const *names, Error **errp);
/* The number @name of @opts, from 0 to @max; @required: -1 is an error, else it
 * means that there is no such member. */
int64_t numa_get_number(JsonObject *opts, const char *name, int64_t max,
                        bool required, Error **errp);
/* The node that the member @name names; it must have been defined. */
int numa_get_node(MachineState *ms, JsonObject *opts, const char *name,
                  Error **errp);
/* Whether -numa has given CPUs to @node. */
bool numa_has_cpu(const MachineState *ms, int node);

/* numa-distance.c */
bool numa_parse_dist(MachineState *ms, JsonObject *opts, Error **errp);
/* Fills in what follows from what was given. */
bool numa_complete_distances(NumaState *numa, Error **errp);

/* numa-hmat.c */
bool numa_parse_hmat_lb(MachineState *ms, JsonObject *opts, Error **errp);
bool numa_parse_hmat_cache(MachineState *ms, JsonObject *opts, Error **errp);
/* Checks the nodes' initiators, once it is known who has CPUs. */
bool numa_complete_initiators(MachineState *ms, Error **errp);
void numa_free_hmat(NumaState *numa);

#endif
