/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random sequences of populate, discard, discard-all, objections, failing
 * discards, registrations and unregistrations (from within notifications of
 * others, too) against a naive model: one byte a block. After each step the
 * laws of exec/memory.h hold for every listener.
 *
 * SEED=n repeats a run, STEPS=n makes it longer.
 */
#include "qemu/osdep.h"
#include "extra-manager.h"
#include "recording-listener.h"
#include "qemu/units.h"

#define BLOCK MiB
#define NR_LISTENERS 5

typedef struct Model {
    MemoryRegion mr;
    ExtraManager *mgr;
    GRand *rand;
    uint8_t *populated;                       /* the naive model */
    RecordingListener listeners[NR_LISTENERS];
    bool registered[NR_LISTENERS];
    bool leaving[NR_LISTENERS];               /* at the next chance */
    uint64_t first[NR_LISTENERS];             /* what each follows, blocks ... */
    uint64_t end[NR_LISTENERS];               /* ... up to here */
    int discard_error;
} Model;

static uint32_t pick(Model *m, uint32_t below)
{
    return g_rand_int_range(m->rand, 0, (gint32)below);
}

static int model_discard(void *opaque, uint64_t offset, uint64_t size)
{
    Model *m = opaque;

    return m->discard_error;
}

static void unreg(Model *m, RecordingListener *l)
{
    ram_discard_mgr_unregister_listener(RAM_DISCARD_MGR(m->mgr), &m->mr,
                                        &l->rdl);
}

/* Another listener than @l, marked before the step, leaves now. */
static void maybe_unregister_another(RecordingListener *l, void *opaque)
{
    Model *m = opaque;

    for (int i = 0; i < NR_LISTENERS; i++) {
        if (m->leaving[i] && m->registered[i] && &m->listeners[i] != l) {
            m->leaving[i] = false;
            m->registered[i] = false;
            m->listeners[i].on_notify = NULL;
            unreg(m, &m->listeners[i]);
            m->listeners[i].on_notify = maybe_unregister_another;
        }
    }
}

static void model_init(Model *m, uint64_t nr_blocks, uint32_t seed)
{
    memory_region_init_ram_ptr(&m->mr, NULL, "ram", nr_blocks * BLOCK,
                               (void *)(uintptr_t)(16 * MiB));
    m->mgr = extra_manager_new(&m->mr, BLOCK);
    m->mgr->blocks.discard = model_discard;
    m->mgr->blocks.discard_opaque = m;
    memory_region_set_ram_discard_mgr(&m->mr, RAM_DISCARD_MGR(m->mgr));
    m->rand = g_rand_new_with_seed(seed);
    m->populated = g_new0(uint8_t, nr_blocks);
    for (int i = 0; i < NR_LISTENERS; i++) {
        recording_init(&m->listeners[i], (char)('A' + i), &m->mgr->blocks,
                       i & 1, NULL);
        m->listeners[i].on_notify = maybe_unregister_another;
        m->listeners[i].on_notify_opaque = m;
    }
}

static void model_destroy(Model *m)
{
    for (int i = 0; i < NR_LISTENERS; i++) {
        m->leaving[i] = false;
    }
    for (int i = 0; i < NR_LISTENERS; i++) {
        if (m->registered[i]) {
            unreg(m, &m->listeners[i]);
        }
        recording_destroy(&m->listeners[i]);
    }
    memory_region_set_ram_discard_mgr(&m->mr, NULL);
    extra_manager_free(m->mgr);
    g_rand_free(m->rand);
    g_free(m->populated);
    object_unref(OBJECT(&m->mr));
}

/* A random run of blocks that all are, or all are not, populated. */
static bool pick_run(Model *m, bool populated, uint64_t *block, uint64_t *nr)
{
    uint32_t most = 1 + pick(m, pick(m, 2) ? 4 : 200);

    *block = pick(m, (uint32_t)m->mgr->blocks.nr_blocks);
    for (*nr = 0; *nr < most && *block + *nr < m->mgr->blocks.nr_blocks; ++*nr) {
        if (m->populated[*block + *nr] != populated) {
            break;
        }
    }
    return *nr > 0;
}

/*
 * Makes one registered listener object. Not while one may leave: then it could
 * leave before it is asked, and whether there was an objection is open.
 */
static bool arrange_objection(Model *m, uint64_t block, uint64_t nr)
{
    int i = (int)pick(m, NR_LISTENERS);

    if (!m->registered[i] || block >= m->end[i] || block + nr <= m->first[i]) {
        return false;
    }
    m->listeners[i].objections_from = 1;
    return true;
}

static void step_populate(Model *m)
{
    const RamDiscardRefusal *refusal =
        &memory_region_ram_discard_state(&m->mr)->refusal;
    uint64_t block, nr, refused = refusal->count;
    bool objects, try = pick(m, 2);
    int ret;

    if (!pick_run(m, false, &block, &nr)) {
        return;
    }
    objects = pick(m, 4) == 0 && arrange_objection(m, block, nr);
    if (!objects && pick(m, 8) == 0) {
        m->leaving[pick(m, NR_LISTENERS)] = true;
    }
    ret = (try ? ram_discard_blocks_try_populate : ram_discard_blocks_populate)(
        &m->mgr->blocks, block * BLOCK, nr * BLOCK);
    g_assert_cmpint(ret, ==, objects ? -ENOSPC : 0);
    g_assert_cmpuint(refusal->count - refused, ==, objects && !try);
    if (!ret) {
        memset(m->populated + block, 1, nr);
    }
}

static void step_discard(Model *m)
{
    uint64_t block, nr;
    int ret;

    if (!pick_run(m, true, &block, &nr)) {
        return;
    }
    m->discard_error = pick(m, 8) ? 0 : -EIO;
    m->leaving[pick(m, NR_LISTENERS)] = pick(m, 8) == 0;
    ret = ram_discard_blocks_discard(&m->mgr->blocks, block * BLOCK, nr * BLOCK);
    g_assert_cmpint(ret, ==, m->discard_error);
    if (!ret) {
        memset(m->populated + block, 0, nr);
    }
}

static void step_discard_all(Model *m)
{
    uint64_t before = m->mgr->blocks.populated;

    m->discard_error = pick(m, 8) ? 0 : -EIO;
    m->leaving[pick(m, NR_LISTENERS)] = pick(m, 8) == 0;
    if (ram_discard_blocks_discard_all(&m->mgr->blocks) == 0) {
        memset(m->populated, 0, m->mgr->blocks.nr_blocks);
    } else {
        g_assert_cmpuint(m->mgr->blocks.populated, ==, before);
    }
}

/* All of the region, or a part of it. */
static void pick_range(Model *m, int i)
{
    RamDiscardListener *rdl = &m->listeners[i].rdl;
    uint64_t nr_blocks = m->mgr->blocks.nr_blocks;

    m->first[i] = pick(m, 2) ? 0 : pick(m, (uint32_t)nr_blocks);
    m->end[i] = pick(m, 2) ? nr_blocks
                           : m->first[i] + 1 +
                             pick(m, (uint32_t)(nr_blocks - m->first[i]));
    ram_discard_listener_set_range(rdl, m->first[i] * BLOCK,
                                   (m->end[i] - m->first[i]) * BLOCK);
}

static void step_register(Model *m)
{
    int i = (int)pick(m, NR_LISTENERS);
    RecordingListener *l = &m->listeners[i];

    if (m->registered[i]) {
        m->registered[i] = false;
        unreg(m, l);
        return;
    }
    l->objections_from = pick(m, 4) ? 0 : 1 + (int)pick(m, 8);
    pick_range(m, i);
    m->registered[i] = !ram_discard_mgr_register_listener(
        RAM_DISCARD_MGR(m->mgr), &m->mr, &l->rdl, NULL);
    l->objections_from = 0;
}

static void check_laws(Model *m)
{
    static const uint8_t nothing[100000];
    uint64_t populated = 0;

    for (uint64_t b = 0; b < m->mgr->blocks.nr_blocks; b++) {
        populated += m->populated[b] * BLOCK;
    }
    g_assert_cmpuint(m->mgr->blocks.populated, ==, populated);
    for (int i = 0; i < NR_LISTENERS; i++) {
        const uint8_t *held = m->listeners[i].held;
        uint64_t first = m->registered[i] ? m->first[i] : 0;
        uint64_t end = m->registered[i] ? m->end[i] : 0;

        g_assert_true(memcmp(held, nothing, first) == 0);
        g_assert_true(memcmp(held + first, m->populated + first,
                             end - first) == 0);
        g_assert_true(memcmp(held + end, nothing,
                             m->mgr->blocks.nr_blocks - end) == 0);
    }
}

static void check_queries(Model *m)
{
    uint64_t first = pick(m, (uint32_t)m->mgr->blocks.nr_blocks);
    uint64_t nr = 1 + pick(m, (uint32_t)(m->mgr->blocks.nr_blocks - first));
    uint64_t count = 0;

    for (uint64_t b = first; b < first + nr; b++) {
        count += m->populated[b];
    }
    g_assert_cmpint(ram_discard_blocks_are_populated(&m->mgr->blocks,
                                                     first * BLOCK, nr * BLOCK),
                    ==, count == nr);
    g_assert_cmpint(ram_discard_blocks_are_discarded(&m->mgr->blocks,
                                                     first * BLOCK, nr * BLOCK),
                    ==, count == 0);
}

static uint64_t number_from_env(const char *name, uint64_t otherwise)
{
    const char *text = g_getenv(name);

    return text ? g_ascii_strtoull(text, NULL, 0) : otherwise;
}

static void random_steps(gconstpointer data)
{
    uint64_t nr_blocks = GPOINTER_TO_UINT(data);
    uint32_t seed = (uint32_t)number_from_env("SEED", g_random_int());
    uint64_t steps = number_from_env("STEPS", nr_blocks > 1000 ? 4000 : 60000);
    Model *m = g_new0(Model, 1);

    g_test_message("SEED=%u, %" PRIu64 " blocks, %" PRIu64 " steps", seed,
                   nr_blocks, steps);
    model_init(m, nr_blocks, seed);
    for (uint64_t i = 0; i < steps; i++) {
        uint32_t what = pick(m, 100);

        memset(m->leaving, 0, sizeof(m->leaving));
        if (what < 50) {
            step_populate(m);
        } else if (what < 85) {
            step_discard(m);
        } else if (what < 86) {
            step_discard_all(m);
        } else {
            step_register(m);
        }
        check_laws(m);
        check_queries(m);
    }
    model_destroy(m);
    g_free(m);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/ram-discard/random/40", GUINT_TO_POINTER(40),
                         random_steps);
    g_test_add_data_func("/ram-discard/random/300", GUINT_TO_POINTER(300),
                         random_steps);
    g_test_add_data_func("/ram-discard/random/66000", GUINT_TO_POINTER(66000),
                         random_steps);
    return g_test_run();
}
