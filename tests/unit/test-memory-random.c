/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random changes of a random graph. After each transaction, what listeners
 * have accumulated is compared, page by page, with a model that resolves each
 * page by walking down the graph. SEED repeats a run.
 */
#include "qemu/osdep.h"
#include "memory-test.h"

#define REGIONS 24
#define PAGES 48
#define GRAPHS 10
#define STEPS 1000                        /* with each of them */

typedef enum Kind { CONTAINER, LEAF, ALIAS } Kind;

/* The model's idea of a region; pages throughout. */
typedef struct Model {
    Kind kind;
    int parent;                           /* -1: none */
    int target;                           /* of an alias */
    unsigned addr, size, alias_offset;
    int priority;
    uint64_t added;                       /* when: the later wins */
    bool enabled, readonly;
} Model;

/* Who answers a page; region -1: nobody. */
typedef struct Answer {
    int region;
    uint64_t offset;
    bool readonly;
} Answer;

typedef struct Watcher {
    MemoryListener listener;
    Answer seen[PAGES];
    GArray *removed;                      /* sections, in this commit */
    unsigned sections;
} Watcher;

static MemoryRegion regions[REGIONS];
static Model models[REGIONS];
static uint64_t now;
static GRand *rnd;

/* --- the model --- */

static bool comes_before(const Model *a, const Model *b)
{
    return a->priority != b->priority ? a->priority > b->priority
                                      : a->added > b->added;
}

/* The children of @parent, best first. */
static unsigned children(int parent, int *list)
{
    unsigned n = 0;

    for (int i = 0; i < REGIONS; i++) {
        unsigned at = n;

        if (models[i].parent != parent) {
            continue;
        }
        while (at && comes_before(&models[i], &models[list[at - 1]])) {
            list[at] = list[at - 1];
            at--;
        }
        list[at] = i;
        n++;
    }
    return n;
}

static Answer resolve(int region, uint64_t page, bool readonly)
{
    const Model *m = &models[region];
    int list[REGIONS];
    unsigned n;

    if (!m->enabled || page >= m->size) {
        return (Answer) { .region = -1 };
    }
    readonly |= m->readonly;
    if (m->kind == ALIAS) {
        return resolve(m->target, page + m->alias_offset, readonly);
    }
    n = children(region, list);
    for (unsigned i = 0; i < n; i++) {
        const Model *child = &models[list[i]];

        if (page >= child->addr) {
            Answer a = resolve(list[i], page - child->addr, readonly);

            if (a.region >= 0) {
                return a;
            }
        }
    }
    if (m->kind == LEAF) {
        return (Answer) { region, page, readonly };
    }
    return (Answer) { .region = -1 };
}

/* --- the listener --- */

static int region_index(const MemoryRegion *mr)
{
    g_assert_true(mr >= regions && mr < regions + REGIONS);
    return mr - regions;
}

static bool answer_equal(const Answer *a, const Answer *b)
{
    return a->region == b->region &&
           (a->region < 0 ||
            (a->offset == b->offset && a->readonly == b->readonly));
}

static void watch_begin(MemoryListener *l)
{
    g_array_set_size(container_of(l, Watcher, listener)->removed, 0);
}

/* Each page of the section must be @from, and becomes @to (region -1: none),
 * whose offset grows. */
static void watch_section(Watcher *w, const MemoryRegionSection *s, bool add)
{
    uint64_t page = s->offset_within_address_space / PAGE;
    uint64_t pages = int128_get64(s->size) / PAGE;
    Answer a = { region_index(s->mr), s->offset_within_region / PAGE,
                 s->readonly };

    g_assert_cmpuint(pages, >, 0);
    g_assert_cmpuint(page + pages, <=, PAGES);
    for (; pages; pages--, page++, a.offset++) {
        if (add) {
            g_assert_cmpint(w->seen[page].region, ==, -1);
            w->seen[page] = a;
        } else {
            g_assert_true(answer_equal(&w->seen[page], &a));
            w->seen[page].region = -1;
        }
    }
}

static bool same_section(const MemoryRegionSection *a,
                         const MemoryRegionSection *b)
{
    return a->mr == b->mr && a->size == b->size &&
           a->offset_within_region == b->offset_within_region &&
           a->offset_within_address_space == b->offset_within_address_space &&
           a->readonly == b->readonly;
}

static void watch_add(MemoryListener *l, MemoryRegionSection *s)
{
    Watcher *w = container_of(l, Watcher, listener);

    for (unsigned i = 0; i < w->removed->len; i++) {
        g_assert_false(same_section(&g_array_index(w->removed,
                                                   MemoryRegionSection, i), s));
    }
    watch_section(w, s, true);
    w->sections++;
}

static void watch_del(MemoryListener *l, MemoryRegionSection *s)
{
    Watcher *w = container_of(l, Watcher, listener);

    g_array_append_val(w->removed, *s);
    watch_section(w, s, false);
    w->sections--;
}

static void watcher_init(Watcher *w, unsigned priority, AddressSpace *as)
{
    *w = (Watcher) {
        .listener = {
            .priority = priority,
            .begin = watch_begin,
            .region_add = watch_add,
            .region_del = watch_del,
        },
        .removed = g_array_new(false, false, sizeof(MemoryRegionSection)),
    };
    for (int i = 0; i < PAGES; i++) {
        w->seen[i].region = -1;
    }
    memory_listener_register(&w->listener, as);
}

static void watcher_cleanup(Watcher *w)
{
    memory_listener_unregister(&w->listener);
    g_assert_cmpuint(w->sections, ==, 0);
    for (int i = 0; i < PAGES; i++) {
        g_assert_cmpint(w->seen[i].region, ==, -1);
    }
    g_array_free(w->removed, true);
}

/* The watcher saw what the model says, in as few sections as possible. */
static void watcher_check(const Watcher *w, int root)
{
    Answer before = { .region = -1 };
    unsigned runs = 0;

    for (int i = 0; i < PAGES; i++) {
        Answer a = resolve(root, i, false);

        g_assert_true(answer_equal(&w->seen[i], &a));
        before.offset++;
        if (a.region >= 0 && !answer_equal(&a, &before)) {
            runs++;
        }
        before = a;
    }
    g_assert_cmpuint(w->sections, ==, runs);
}

/* --- random graphs: parents and targets keep it acyclic --- */

static int random_below(int n)
{
    return g_rand_int_range(rnd, 0, n);
}

static Kind random_kind(void)
{
    static const Kind kinds[] = { CONTAINER, LEAF, LEAF, ALIAS };

    return kinds[random_below(ARRAY_SIZE(kinds))];
}

/* The first few are large, so that there is room. */
static unsigned random_size(int i)
{
    return i < 3 ? PAGES - random_below(PAGES / 2) : 1 + random_below(PAGES / 4);
}

static void region_create(int i)
{
    Model *m = &models[i];
    g_autofree char *name = g_strdup_printf("r%d", i);

    *m = (Model) { .parent = -1, .enabled = true };
    m->kind = i < 3 ? CONTAINER : random_kind();
    m->kind = m->kind == ALIAS && i == REGIONS - 1 ? LEAF : m->kind;
    m->size = random_size(i);
    if (m->kind == CONTAINER) {
        memory_region_init(&regions[i], NULL, name, m->size * PAGE);
    } else if (m->kind == LEAF) {
        test_leaf_init(&regions[i], name, m->size * PAGE);
    } else {
        m->target = i + 1 + random_below(REGIONS - i - 1);
        m->alias_offset = random_below(8);
        memory_region_init_alias(&regions[i], NULL, name, &regions[m->target],
                                 m->alias_offset * PAGE, m->size * PAGE);
    }
}

static void change_place(int i)
{
    Model *m = &models[i];

    if (m->parent >= 0 && random_below(3)) {
        return;                           /* most are mapped, most of the time */
    }
    if (m->parent >= 0) {
        memory_region_del_subregion(&regions[m->parent], &regions[i]);
        m->parent = -1;
        return;
    }
    for (int tries = 0; i && tries < 10; tries++) {
        int parent = random_below(1 + random_below(i));

        if (models[parent].kind != ALIAS) {
            m->parent = parent;
            m->addr = random_below(PAGES / 2);
            m->priority = random_below(5) - 2;
            m->added = ++now;
            memory_region_add_subregion_overlap(&regions[parent],
                                                m->addr * PAGE, &regions[i],
                                                m->priority);
            return;
        }
    }
}

static void change_address(int i)
{
    Model *m = &models[i];
    unsigned addr = random_below(PAGES / 2);

    if (m->parent >= 0 && addr != m->addr) {
        m->added = ++now;
        m->addr = addr;
        memory_region_set_address(&regions[i], addr * PAGE);
    }
}

static void change_something(void)
{
    int i = random_below(REGIONS);
    Model *m = &models[i];

    switch (random_below(8)) {
    case 0:
        m->enabled = random_below(12) != 0;
        memory_region_set_enabled(&regions[i], m->enabled);
        break;
    case 1:
        m->readonly = random_below(4) == 0;
        memory_region_set_readonly(&regions[i], m->readonly);
        break;
    case 2:
        m->size = random_size(i);
        memory_region_set_size(&regions[i], m->size * PAGE);
        break;
    case 3:
        if (m->kind == ALIAS) {
            m->alias_offset = random_below(8);
            memory_region_set_alias_offset(&regions[i],
                                           m->alias_offset * PAGE);
        }
        break;
    case 4:
        change_address(i);
        break;
    default:
        change_place(i);
        break;
    }
}

/* One graph; the number of its views that were not too simple. */
static unsigned run_graph(void)
{
    AddressSpace as0, as1;
    Watcher w0, w0_late, w1;
    unsigned visible = 0;

    for (int i = REGIONS - 1; i >= 0; i--) {
        region_create(i);
    }
    address_space_init(&as0, &regions[0], "0");
    address_space_init(&as1, &regions[1], "1");
    watcher_init(&w0, 1, &as0);
    watcher_init(&w1, 1, &as1);
    for (int step = 0; step < STEPS; step++) {
        if (step == STEPS / 2) {
            watcher_init(&w0_late, 0, &as0);
        }
        memory_region_transaction_begin();
        for (int n = 1 + random_below(3); n; n--) {
            change_something();
        }
        memory_region_transaction_commit();
        watcher_check(&w0, 0);
        watcher_check(&w1, 1);
        if (step >= STEPS / 2) {
            watcher_check(&w0_late, 0);
        }
        visible += w0.sections > 4;
    }
    watcher_cleanup(&w0_late);
    watcher_cleanup(&w1);
    watcher_cleanup(&w0);
    address_space_destroy(&as1);
    address_space_destroy(&as0);
    for (int i = 0; i < REGIONS; i++) {
        object_unref(&regions[i]);
    }
    return visible;
}

static void listeners_see_what_the_model_says(void)
{
    unsigned visible = 0;

    for (int i = 0; i < GRAPHS; i++) {
        visible += run_graph();
    }
    g_test_message("%u of %u views had more than four sections", visible,
                   GRAPHS * STEPS);
    g_assert_cmpuint(visible, >, GRAPHS * STEPS / 100);
}


int main(int argc, char **argv)
{
    const char *seed_text = getenv("SEED");
    guint32 seed = seed_text ? strtoul(seed_text, NULL, 0) : g_random_int();
    int r;

    g_test_init(&argc, &argv, NULL);
    g_test_message("SEED=%u", seed);
    rnd = g_rand_new_with_seed(seed);
    g_test_add_func("/memory/random/listeners_see_what_the_model_says",
                    listeners_see_what_the_model_says);
    r = g_test_run();
    g_rand_free(rnd);
    return r;
}
