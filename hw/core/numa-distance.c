/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -numa dist: how far nodes are from each other (sysemu/numa.h). Who gives the
 * distances of one direction need not repeat them for the other; who gives
 * different ones must give them all.
 */
#include "qemu/osdep.h"
#include "numa-internal.h"
#include "qapi/error.h"

bool numa_parse_dist(MachineState *ms, JsonObject *opts, Error **errp)
{
    static const char *const names[] = { "src", "dst", "val", NULL };
    NumaState *numa = ms->numa_state;
    int src, dst;
    int64_t val;

    if (!numa_check_names(opts, names, errp) ||
        (src = numa_get_node(ms, opts, "src", errp)) < 0 ||
        (dst = numa_get_node(ms, opts, "dst", errp)) < 0 ||
        (val = numa_get_number(opts, "val", UINT8_MAX, true, errp)) < 0) {
        return false;
    }
    if (val < NUMA_DISTANCE_MIN) {
        error_setg(errp, "NUMA distance (%" PRId64 ") is invalid, it shouldn't "
                   "be less than %d", val, NUMA_DISTANCE_MIN);
        return false;
    }
    if (src == dst && val != NUMA_DISTANCE_MIN) {
        error_setg(errp, "Local distance of node %d should be %d", src,
                   NUMA_DISTANCE_MIN);
        return false;
    }
    numa->distance[src][dst] = val;
    numa->have_distances = true;
    return true;
}

/* Whether some pair has two distances that differ. */
static bool is_asymmetrical(const NumaState *numa)
{
    bool differs = false;

    for (int i = 0; i < numa->num_nodes; i++) {
        for (int j = 0; j < i; j++) {
            uint8_t there = numa->distance[i][j], back = numa->distance[j][i];

            differs |= there && back && there != back;
        }
    }
    return differs;
}

static bool complete_pair(NumaState *numa, int i, int j, bool both, Error **errp)
{
    uint8_t *there = &numa->distance[i][j], *back = &numa->distance[j][i];

    if (!*there && !*back) {
        error_setg(errp, "The distance between node %d and %d is missing, at "
                   "least one distance value between each nodes should be "
                   "provided", j, i);
        return false;
    }
    if (both && (!*there || !*back)) {
        error_setg(errp, "At least one asymmetrical pair of distances is given, "
                   "so that of node %d and %d is needed for both directions",
                   j, i);
        return false;
    }
    *there = *there ? *there : *back;
    *back = *back ? *back : *there;
    return true;
}

bool numa_complete_distances(NumaState *numa, Error **errp)
{
    bool both = is_asymmetrical(numa), complete = true;

    if (!numa->have_distances) {
        return true;
    }
    for (int i = 0; complete && i < numa->num_nodes; i++) {
        numa->distance[i][i] = NUMA_DISTANCE_MIN;
        for (int j = 0; complete && j < i; j++) {
            complete = complete_pair(numa, i, j, both, errp);
        }
    }
    return complete;
}
