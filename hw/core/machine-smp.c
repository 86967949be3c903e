/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -smp: how many CPUs, and how they are arranged. */
#include "qemu/osdep.h"
#include "hw/boards.h"
#include "qapi/error.h"
#include "qemu/cutils.h"

/* The number @name of @opts; 0 if it is not given. false: *errp. */
static bool get_count(JsonObject *opts, const char *name, unsigned int *value,
                      Error **errp)
{
    const char *text;
    uint64_t n;

    *value = 0;
    if (!json_object_has_member(opts, name)) {
        return true;
    }
    text = json_object_get_string_member(opts, name);
    if (qemu_strtou64(text, NULL, 10, &n) < 0 || n == 0 || n > UINT16_MAX) {
        error_setg(errp, "invalid value of %s: '%s' is not a number from 1 to "
                   "%u", name, text, UINT16_MAX);
        return false;
    }
    *value = n;
    return true;
}

/* Levels of other machines; here each has one of the next. */
static bool check_absent_level(const char *name, const char *value,
                               Error **errp)
{
    static const char *const levels[] = {
        "drawers", "books", "dies", "clusters", "modules", NULL
    };

    if (!g_strv_contains(levels, name)) {
        error_setg(errp, "Invalid parameter '%s': one of cpus, maxcpus, "
                   "sockets, cores, threads is expected", name);
        return false;
    }
    if (strcmp(value, "1") != 0) {
        error_setg(errp, "%s=%s: not supported; possible: 1", name,
                   value);
        return false;
    }
    return true;
}

static bool check_names(JsonObject *opts, Error **errp)
{
    static const char *const names[] = {
        "cpus", "maxcpus", "sockets", "cores", "threads", NULL
    };
    JsonObjectIter iter;
    const char *name;
    JsonNode *node;

    json_object_iter_init(&iter, opts);
    while (json_object_iter_next(&iter, &name, &node)) {
        if (!g_strv_contains(names, name) &&
            !check_absent_level(name, json_node_get_string(node), errp)) {
            return false;
        }
    }
    return true;
}

/* How many of one level there are if there are @others of the other two. */
static unsigned int fit(unsigned int total, uint64_t others)
{
    return MAX(total / others, 1);
}

/* Fills in what was not given: more cores are preferred to more sockets, and these
 * to more threads. */
static void complete_topology(CpuTopology *t)
{
    unsigned int total = t->max_cpus ? t->max_cpus : t->cpus;

    if (!t->cores) {
        t->sockets = t->sockets ? t->sockets : 1;
        t->threads = t->threads ? t->threads : 1;
        t->cores = fit(total, (uint64_t)t->sockets * t->threads);
    } else if (!t->sockets) {
        t->threads = t->threads ? t->threads : 1;
        t->sockets = fit(total, (uint64_t)t->cores * t->threads);
    } else if (!t->threads) {
        t->threads = fit(total, (uint64_t)t->sockets * t->cores);
    }
    if (!t->max_cpus) {
        t->max_cpus = (uint64_t)t->sockets * t->cores * t->threads;
        t->max_cpus = MAX(t->max_cpus, t->cpus);
    }
    t->cpus = t->cpus ? t->cpus : t->max_cpus;
}

static bool check_topology(const CpuTopology *t, const MachineClass *mc,
                           Error **errp)
{
    uint64_t product = (uint64_t)t->sockets * t->cores * t->threads;

    if (t->max_cpus < t->cpus) {
        error_setg(errp, "maxcpus must be equal to or greater than smp: "
                   "maxcpus is %u, cpus is %u", t->max_cpus, t->cpus);
        return false;
    }
    if (product != t->max_cpus) {
        error_setg(errp, "Invalid CPU topology: sockets (%u) * cores (%u) * "
                   "threads (%u) is %" PRIu64 ", but maxcpus is %u",
                   t->sockets, t->cores, t->threads, product, t->max_cpus);
        return false;
    }
    if (t->max_cpus > mc->max_cpus) {
        error_setg(errp, "Invalid SMP CPUs %u. The max CPUs supported by "
                   "machine '%s' is %u", t->max_cpus, mc->name, mc->max_cpus);
        return false;
    }
    return true;
}

bool machine_parse_smp(MachineState *ms, JsonObject *opts, Error **errp)
{
    CpuTopology t;

    if (!check_names(opts, errp) ||
        !get_count(opts, "cpus", &t.cpus, errp) ||
        !get_count(opts, "maxcpus", &t.max_cpus, errp) ||
        !get_count(opts, "sockets", &t.sockets, errp) ||
        !get_count(opts, "cores", &t.cores, errp) ||
        !get_count(opts, "threads", &t.threads, errp)) {
        return false;
    }
    complete_topology(&t);
    if (!check_topology(&t, MACHINE_GET_CLASS(ms), errp)) {
        return false;
    }
    ms->smp = t;
    return true;
}
