/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random sequences on one region with up to four managers of different block
 * sizes that come and go, and five listeners that do so too, object, and leave
 * from within notifications of others; against a naive model: a byte a block
 * and manager. After each step each listener holds exactly what all managers
 * that are there agree on.
 *
 * SEED=n repeats a run, STEPS=n makes it longer.
 */
#include "qemu/osdep.h"
#include "extra-manager.h"
#include "qapi/error.h"
#include "qemu/units.h"
#include "recording-listener.h"

#define BLOCK MiB
#define NR_BLOCKS 320
#define NR_MANAGERS 4
#define NR_LISTENERS 5

static const uint64_t blocks_of[NR_MANAGERS] = { 2, 1, 4, 8 };

typedef struct Model {
    MemoryRegion mr;
    GRand *rand;
    ExtraManager *mgrs[NR_MANAGERS];
    bool present[NR_MANAGERS];                /* the first one always is */
    uint8_t populated[NR_MANAGERS][NR_BLOCKS];
    RecordingListener listeners[NR_LISTENERS];
    bool registered[NR_LISTENERS];
    bool leaving[NR_LISTENERS];               /* at the next chance */
    unsigned refused, came, went, kept;       /* that all of it happened */
} Model;

static uint32_t pick(Model *m, uint32_t below)
{
    return g_rand_int_range(m->rand, 0, (gint32)below);
}

static RamDiscardMgr *mgr_of(Model *m)
{
    return memory_region_get_ram_discard_mgr(&m->mr);
}

static bool agreed(const Model *m, uint64_t block)
{
    for (int i = 0; i < NR_MANAGERS; i++) {
        if (m->present[i] && !m->populated[i][block]) {
            return false;
        }
    }
    return true;
}

static uint64_t nr_agreed(const Model *m)
{
    uint64_t count = 0;

    for (uint64_t b = 0; b < NR_BLOCKS; b++) {
        count += agreed(m, b);
    }
    return count;
}

static bool held(const Model *m)
{
    for (int i = 0; i < NR_LISTENERS; i++) {
        if (m->registered[i]) {
            return nr_agreed(m);
        }
    }
    return false;
}

static void maybe_unregister_another(RecordingListener *l, void *opaque)
{
    Model *m = opaque;

    for (int i = 0; i < NR_LISTENERS; i++) {
        RecordingListener *other = &m->listeners[i];

        if (m->leaving[i] && m->registered[i] && other != l) {
            m->leaving[i] = false;
            m->registered[i] = false;
            other->on_notify = NULL;
            ram_discard_mgr_unregister_listener(mgr_of(m), &m->mr, &other->rdl);
            other->on_notify = maybe_unregister_another;
        }
    }
}

static void model_init(Model *m, uint32_t seed)
{
    memory_region_init_ram_ptr(&m->mr, NULL, "ram", NR_BLOCKS * BLOCK,
                               (void *)(uintptr_t)(16 * MiB));
    m->rand = g_rand_new_with_seed(seed);
    for (int i = 0; i < NR_MANAGERS; i++) {
        m->mgrs[i] = extra_manager_new(&m->mr, blocks_of[i] * BLOCK);
    }
    memory_region_set_ram_discard_mgr(&m->mr, RAM_DISCARD_MGR(m->mgrs[0]));
    m->present[0] = true;
    for (int i = 0; i < NR_LISTENERS; i++) {
        /* In the smallest blocks that there can be. */
        recording_init(&m->listeners[i], (char)('A' + i), &m->mgrs[1]->blocks,
                       i & 1, NULL);
        m->listeners[i].on_notify = maybe_unregister_another;
        m->listeners[i].on_notify_opaque = m;
    }
}

static void model_destroy(Model *m)
{
    memset(m->leaving, 0, sizeof(m->leaving));
    for (int i = 0; i < NR_LISTENERS; i++) {
        if (m->registered[i]) {
            ram_discard_mgr_unregister_listener(mgr_of(m), &m->mr,
                                                &m->listeners[i].rdl);
        }
        recording_destroy(&m->listeners[i]);
    }
    for (int i = 1; i < NR_MANAGERS; i++) {
        if (m->present[i]) {
            memory_region_del_ram_discard_mgr(
                &m->mr, RAM_DISCARD_MGR(m->mgrs[i]), &error_abort);
        }
    }
    g_assert_true(mgr_of(m) == RAM_DISCARD_MGR(m->mgrs[0]));
    memory_region_set_ram_discard_mgr(&m->mr, NULL);
    for (int i = 0; i < NR_MANAGERS; i++) {
        extra_manager_free(m->mgrs[i]);
    }
    g_rand_free(m->rand);
    object_unref(OBJECT(&m->mr));
}

/* A random run of blocks of manager @i that all are, or are not, populated. */
static bool pick_run(Model *m, int i, bool populated, uint64_t *block,
                     uint64_t *nr)
{
    uint64_t unit = blocks_of[i];
    uint64_t most = unit * (1 + pick(m, pick(m, 2) ? 4 : 100));

    *block = QEMU_ALIGN_DOWN((uint64_t)pick(m, NR_BLOCKS), unit);
    for (*nr = 0; *nr < most && *block + *nr < NR_BLOCKS; *nr += unit) {
        if (m->populated[i][*block + *nr] != populated) {
            break;
        }
    }
    return *nr > 0;
}

/* Makes one registered listener object to its first or second run; whether it
 * is asked that often is seen by its counter afterwards. */
static RecordingListener *arrange_objection(Model *m)
{
    int i = (int)pick(m, NR_LISTENERS);

    if (!m->registered[i] || pick(m, 4)) {
        return NULL;
    }
    m->listeners[i].objections_from = 1 + (int)pick(m, 2);
    return &m->listeners[i];
}

/* Whether it did object. */
static bool objected(RecordingListener *l)
{
    bool did = l && l->objections_from == 0;

    if (l) {
        l->objections_from = 0;
    }
    return did;
}

static void step_populate(Model *m)
{
    int i = (int)pick(m, NR_MANAGERS);
    RecordingListener *objector;
    uint64_t block, nr;
    int ret;

    if (!pick_run(m, i, false, &block, &nr)) {
        return;
    }
    objector = arrange_objection(m);
    m->leaving[pick(m, NR_LISTENERS)] = !objector && pick(m, 8) == 0;
    ret = ram_discard_blocks_populate(&m->mgrs[i]->blocks, block * BLOCK,
                                     nr * BLOCK);
    if (objected(objector)) {
        g_assert_cmpint(ret, ==, -ENOSPC);
        m->refused++;
    } else {
        g_assert_cmpint(ret, ==, 0);
        memset(&m->populated[i][block], 1, nr);
    }
}

static void step_discard(Model *m)
{
    int i = (int)pick(m, NR_MANAGERS);
    ExtraManager *mgr = m->mgrs[i];
    uint64_t block, nr;
    int ret;

    if (!pick_run(m, i, true, &block, &nr)) {
        return;
    }
    mgr->discard_error = pick(m, 8) ? 0 : -EIO;
    m->leaving[pick(m, NR_LISTENERS)] = pick(m, 8) == 0;
    ret = ram_discard_blocks_discard(&mgr->blocks, block * BLOCK, nr * BLOCK);
    g_assert_cmpint(ret, ==, mgr->discard_error);
    if (!ret) {
        memset(&m->populated[i][block], 0, nr);
    }
}

static void step_discard_all(Model *m)
{
    int i = (int)pick(m, NR_MANAGERS);

    m->mgrs[i]->discard_error = 0;
    m->leaving[pick(m, NR_LISTENERS)] = pick(m, 8) == 0;
    g_assert_cmpint(ram_discard_blocks_discard_all(&m->mgrs[i]->blocks), ==, 0);
    memset(m->populated[i], 0, NR_BLOCKS);
}

static void step_register(Model *m)
{
    int i = (int)pick(m, NR_LISTENERS);
    RecordingListener *l = &m->listeners[i];

    if (m->registered[i]) {
        m->registered[i] = false;
        ram_discard_mgr_unregister_listener(mgr_of(m), &m->mr, &l->rdl);
        return;
    }
    l->objections_from = pick(m, 4) ? 0 : 1 + (int)pick(m, 8);
    m->registered[i] = !ram_discard_mgr_register_listener(mgr_of(m), &m->mr,
                                                          &l->rdl, NULL);
    l->objections_from = 0;
}

static uint64_t granularity(Model *m)
{
    return ram_discard_mgr_get_min_granularity(mgr_of(m), &m->mr) / BLOCK;
}

/* In any state of its own; refused only if it would split what is held. */
static void step_come(Model *m, int i)
{
    bool fits = blocks_of[i] >= granularity(m) || !held(m);
    Error *err = NULL;

    m->present[i] = memory_region_add_ram_discard_mgr(
        &m->mr, RAM_DISCARD_MGR(m->mgrs[i]), &err);
    g_assert_cmpint(m->present[i], ==, fits);
    error_free(err);
    m->came += m->present[i];
}

static void step_go(Model *m, int i)
{
    RecordingListener *objector = arrange_objection(m);
    Error *err = NULL;
    bool stays;

    m->leaving[pick(m, NR_LISTENERS)] = !objector && pick(m, 8) == 0;
    stays = !memory_region_del_ram_discard_mgr(
        &m->mr, RAM_DISCARD_MGR(m->mgrs[i]), &err);
    g_assert_cmpint(stays, ==, objected(objector));
    error_free(err);
    m->present[i] = stays;
    m->went += !stays;
    m->kept += stays;
}

static void step_manager(Model *m)
{
    int i = 1 + (int)pick(m, NR_MANAGERS - 1);

    if (m->present[i]) {
        step_go(m, i);
    } else {
        step_come(m, i);
    }
}

/* The smallest of those present; smaller still only while that is held. */
static void check_granularity(Model *m)
{
    uint64_t smallest = NR_BLOCKS;

    for (int i = 0; i < NR_MANAGERS; i++) {
        if (m->present[i]) {
            smallest = MIN(smallest, blocks_of[i]);
        }
    }
    g_assert_cmpuint(granularity(m), <=, smallest);
}

static void check_laws(Model *m)
{
    uint64_t first = pick(m, NR_BLOCKS);
    uint64_t nr = 1 + pick(m, (uint32_t)(NR_BLOCKS - first)), count = 0;

    g_assert_cmpuint(
        ram_discard_state_populated(memory_region_ram_discard_state(&m->mr)),
        ==, nr_agreed(m) * BLOCK);
    for (int i = 0; i < NR_LISTENERS; i++) {
        for (uint64_t b = 0; b < NR_BLOCKS; b++) {
            g_assert_cmpint(m->listeners[i].held[b], ==,
                            m->registered[i] && agreed(m, b));
        }
    }
    for (uint64_t b = first; b < first + nr; b++) {
        count += agreed(m, b);
    }
    g_assert_cmpint(ram_discard_mgr_is_populated(mgr_of(m), &m->mr,
                                                 first * BLOCK, nr * BLOCK),
                    ==, count == nr);
    check_granularity(m);
}

static uint64_t number_from_env(const char *name, uint64_t otherwise)
{
    const char *text = g_getenv(name);

    return text ? g_ascii_strtoull(text, NULL, 0) : otherwise;
}

static void random_steps(void)
{
    uint32_t seed = (uint32_t)number_from_env("SEED", g_random_int());
    uint64_t steps = number_from_env("STEPS", 30000);
    Model *m = g_new0(Model, 1);

    g_test_message("SEED=%u, %" PRIu64 " steps", seed, steps);
    model_init(m, seed);
    for (uint64_t i = 0; i < steps; i++) {
        uint32_t what = pick(m, 100);

        memset(m->leaving, 0, sizeof(m->leaving));
        if (what < 50) {
            step_populate(m);
        } else if (what < 74) {
            step_discard(m);
        } else if (what < 76) {
            step_discard_all(m);
        } else if (what < 88) {
            step_register(m);
        } else {
            step_manager(m);
        }
        check_laws(m);
    }
    g_test_message("%u refused, %u came, %u went, %u had to stay", m->refused,
                   m->came, m->went, m->kept);
    if (steps >= 30000) {
        g_assert_cmpuint(MIN(MIN(m->refused, m->came), MIN(m->went, m->kept)),
                         >, 10);
    }
    model_destroy(m);
    g_free(m);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ram-discard-group/random", random_steps);
    return g_test_run();
}
