/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest memory that I/O threads use in their turns, while it is populated and
 * discarded, mapped and unmapped, and managers come and go: nobody touches what
 * is gone, and what is in use does not go (law L9). All accesses to the memory
 * are plain ones, so that the thread sanitizer judges, too.
 */
#include "qemu/osdep.h"

#include "exec/memory-pin.h"
#include "exec/ramblock.h"
#include "extra-manager.h"
#include "memory-test.h"
#include "qapi/error.h"
#include "qemu/main-loop.h"
#include "tests/patience.h"

#define BLOCK (2 * PAGE)
#define BLOCKS 16
#define BASE ((hwaddr)0x100000)
#define DEVICES 2
#define IN_FLIGHT 8
#define ROUNDS 1000

/* A request: bytes of guest memory that are its own until it is done. */
typedef struct Request {
    MemoryPin pin;
    uint8_t *host;                        /* NULL: not in flight */
    uint64_t value;
} Request;

/* What an I/O thread has: looks up memory as virtqueues do. */
typedef struct Device {
    EventNotifier e;                      /* always signalled */
    AddressSpace *as;
    AioContext *ctx;
    GRand *rand;
    hwaddr at;                            /* of its bytes in each block */
    uint64_t generation;
    MemoryRun runs[BLOCKS];               /* host NULL: to be looked up */
    Request requests[IN_FLIGHT];
    int done;
} Device;

typedef struct Fixture {
    TestSpace t;
    MemoryRegion ram;
    uint8_t *host;
    ExtraManager *mgr;
    GRand *rand;
    Device devices[DEVICES];
} Fixture;

/* --- memory that comes and goes --- */

/* Has RAM, and lives until nobody uses that any more. */
typedef struct Owner {
    Object parent;
    MemoryRegion ram;
} Owner;

static int owners;

static void owner_finalize(Object *obj)
{
    g_assert_true(qemu_mutex_iothread_locked() && !aio_in_turn());
    owners--;
}

static const TypeInfo owner_info = {
    .name = "test-owner",
    .parent = TYPE_OBJECT,
    .instance_size = sizeof(Owner),
    .instance_finalize = owner_finalize,
};

static Owner *owner_new(uint64_t size)
{
    Owner *owner = (Owner *)object_new("test-owner");

    owners++;
    g_assert_true(memory_region_init_ram(&owner->ram, OBJECT(owner), "other",
                                         size, &error_abort));
    return owner;
}

/* With the I/O threads gone: the thread sanitizer does not see how GLib hands a
 * source from one thread to another. */
static void wait_until_owners_are_gone(void)
{
    gint64 deadline = patience_deadline();

    while (owners) {
        patience_check(deadline);
        main_loop_wait(true);
    }
}

/* --- turns --- */

static const MemoryRun *run_of(Device *d, unsigned block)
{
    MemoryRun *run = &d->runs[block];

    if (d->generation != memory_map_generation()) {
        d->generation = memory_map_generation();
        memset(d->runs, 0, sizeof(d->runs));
    }
    if (!run->host &&
        !address_space_find_run(d->as, BASE + block * BLOCK, run)) {
        run->host = NULL;
    }
    return run->host ? run : NULL;
}

static void begin(Device *d, Request *r, unsigned slot)
{
    unsigned block = g_rand_int_range(d->rand, 0, BLOCKS);
    const MemoryRun *run = run_of(d, block);
    hwaddr addr = BASE + block * BLOCK + d->at + slot * sizeof(r->value);

    if (run) {
        r->host = run->host + (addr - run->first);
        r->value = ((uint64_t)g_rand_int(d->rand) << 8) | 1;
        memory_pin(&r->pin, run, addr, sizeof(r->value));
        memcpy(r->host, &r->value, sizeof(r->value));
    }
}

static void end(Device *d, Request *r)
{
    uint64_t value;

    memcpy(&value, r->host, sizeof(value));
    g_assert_cmphex(value, ==, r->value);
    memory_unpin(&r->pin);
    r->host = NULL;
    g_atomic_int_inc(&d->done);
}

static void turn(EventNotifier *e)
{
    Device *d = container_of(e, Device, e);
    unsigned slot = g_rand_int_range(d->rand, 0, IN_FLIGHT);
    Request *r = &d->requests[slot];

    if (r->host) {
        end(d, r);
    } else {
        begin(d, r, slot);
    }
}

/* --- set-up --- */

static void device_start(Fixture *f, unsigned i)
{
    Device *d = &f->devices[i];

    *d = (Device) { .as = &f->t.as, .at = PAGE / 2 * i,
                    .rand = g_rand_new_with_seed(g_test_rand_int()) };
    d->ctx = aio_context_new("tested", &error_abort);
    event_notifier_init(&d->e, 1);
    aio_set_event_notifier(d->ctx, &d->e, turn);
}

/* Its requests are all done then, by whom does not matter. */
static void device_stop(Device *d)
{
    aio_set_event_notifier(d->ctx, &d->e, NULL);
    for (unsigned i = 0; i < IN_FLIGHT; i++) {
        if (d->requests[i].host) {
            end(d, &d->requests[i]);
        }
    }
    event_notifier_cleanup(&d->e);
    aio_context_free(d->ctx);
    g_rand_free(d->rand);
}

static int give_back(void *opaque, uint64_t offset, uint64_t size)
{
    Fixture *f = opaque;

    return ram_block_discard_range(f->ram.ram_block, offset, size);
}

static void setup(Fixture *f, gconstpointer data)
{
    test_space_init(&f->t);
    g_assert_true(memory_region_init_ram(&f->ram, NULL, "ram", BLOCKS * BLOCK,
                                         &error_abort));
    f->host = memory_region_get_ram_ptr(&f->ram);
    f->mgr = extra_manager_new(&f->ram, BLOCK);
    f->mgr->blocks.discard = give_back;
    f->mgr->blocks.discard_opaque = f;
    memory_region_set_ram_discard_mgr(&f->ram, RAM_DISCARD_MGR(f->mgr));
    memory_region_add_subregion(&f->t.root, BASE, &f->ram);
    f->rand = g_rand_new_with_seed(g_test_rand_int());
    for (unsigned i = 0; i < DEVICES; i++) {
        device_start(f, i);
    }
}

static void stop_devices(Fixture *f)
{
    for (unsigned i = 0; i < DEVICES; i++) {
        device_stop(&f->devices[i]);
        g_assert_cmpint(f->devices[i].done, >, 0);
    }
}

static void teardown(Fixture *f, gconstpointer data)
{
    stop_devices(f);
    wait_until_owners_are_gone();
    memory_region_del_subregion(&f->t.root, &f->ram);
    memory_region_set_ram_discard_mgr(&f->ram, NULL);
    extra_manager_free(f->mgr);
    object_unref(&f->ram);
    test_space_cleanup(&f->t);
    g_rand_free(f->rand);
}

/* --- changes --- */

/* Nobody writes to it. @empty: it is all zeros. */
static void assert_stays(Fixture *f, unsigned block, bool empty)
{
    const uint8_t *p = f->host + block * BLOCK;
    uint8_t before[BLOCK];

    memcpy(before, p, BLOCK);
    g_thread_yield();
    g_assert_cmpmem(before, BLOCK, p, BLOCK);
    for (unsigned i = 0; empty && i < BLOCK; i++) {
        g_assert_cmphex(before[i], ==, 0);
    }
}

static void populate(Fixture *f, unsigned block)
{
    RamDiscardBlocks *b = &f->mgr->blocks;

    if (ram_discard_blocks_are_discarded(b, block * BLOCK, BLOCK)) {
        g_assert_cmpint(ram_discard_blocks_populate(b, block * BLOCK, BLOCK),
                        ==, 0);
    }
}

/* Populates a block, or discards it if nobody uses it: from then on it stays as
 * it is. Whether it was discarded. */
static bool change_a_block(Fixture *f, RamDiscardBlocks *b)
{
    unsigned block = g_rand_int_range(f->rand, 0, BLOCKS);
    uint64_t offset = block * BLOCK;
    int ret;

    if (ram_discard_blocks_are_discarded(b, offset, BLOCK)) {
        g_assert_cmpint(ram_discard_blocks_populate(b, offset, BLOCK), ==, 0);
        return false;
    }
    ret = ram_discard_blocks_discard(b, offset, BLOCK);
    g_assert_true(ret == 0 || ret == -EBUSY);
    if (!ret) {
        assert_stays(f, block, b == &f->mgr->blocks);
    }
    return !ret;
}

static void wait_for_requests(Fixture *f)
{
    gint64 deadline = patience_deadline();

    for (unsigned i = 0; i < DEVICES; i++) {
        int done = g_atomic_int_get(&f->devices[i].done);

        while (g_atomic_int_get(&f->devices[i].done) == done) {
            patience_check(deadline);
            g_thread_yield();
        }
    }
}

static void test_blocks(Fixture *f, gconstpointer data)
{
    unsigned discarded = 0;

    for (int n = 0; n < ROUNDS; n++) {
        discarded += change_a_block(f, &f->mgr->blocks);
        if (n % 1000 == 0) {
            ram_discard_blocks_discard_all(&f->mgr->blocks);
        }
    }
    g_assert_cmpuint(discarded, >, 0);
    /* On a busy machine they may not have run before. */
    for (unsigned i = 0; i < BLOCKS; i++) {
        populate(f, i);
    }
    wait_for_requests(f);
}

/* Somebody else's memory, or none, takes the place; pins hold what was there. */
static void test_map(Fixture *f, gconstpointer data)
{
    ram_discard_blocks_populate(&f->mgr->blocks, 0, BLOCKS * BLOCK);
    for (int n = 0; n < ROUNDS / 20; n++) {
        Owner *other = owner_new(BLOCKS / 2 * BLOCK);

        memory_region_add_subregion_overlap(&f->t.root, BASE, &other->ram, 1);
        g_thread_yield();
        if (n % 3 == 0) {
            memory_region_set_enabled(&f->ram, false);
            g_thread_yield();
            memory_region_set_enabled(&f->ram, true);
        }
        memory_region_del_subregion(&f->t.root, &other->ram);
        wait_for_requests(f);
        object_unref(other);
    }
}

/* A second manager, by which nothing is populated at first. */
static void test_managers(Fixture *f, gconstpointer data)
{
    ram_discard_blocks_populate(&f->mgr->blocks, 0, BLOCKS * BLOCK);
    for (int n = 0; n < ROUNDS / 100; n++) {
        ExtraManager *other = extra_manager_new(&f->ram, BLOCK);

        wait_for_requests(f);
        g_assert_true(memory_region_add_ram_discard_mgr(
            &f->ram, RAM_DISCARD_MGR(other), &error_abort));
        for (int i = 0; i < 50; i++) {
            change_a_block(f, &other->blocks);
        }
        g_assert_true(memory_region_del_ram_discard_mgr(
            &f->ram, RAM_DISCARD_MGR(other), &error_abort));
        extra_manager_free(other);
    }
}

/* --- the last reference --- */

/* A pin that outlives all else that holds its region. */
typedef struct LastPin {
    EventNotifier e;
    MemoryPin pin;
    int unpinned;
} LastPin;

static void unpin(EventNotifier *e)
{
    LastPin *p = container_of(e, LastPin, e);

    event_notifier_test_and_clear(e);
    memory_unpin(&p->pin);
    g_atomic_int_set(&p->unpinned, 1);
}

/* Objects go only where the big lock is held. */
static void test_last_reference_is_dropped_by_the_main_loop(void)
{
    AioContext *ctx = aio_context_new("tested", &error_abort);
    Owner *owner = owner_new(BLOCK);
    gint64 deadline = patience_deadline();
    LastPin p = { 0 };
    MemoryRun run;
    TestSpace t;

    test_space_init(&t);
    memory_region_add_subregion(&t.root, BASE, &owner->ram);
    g_assert_true(address_space_find_run(&t.as, BASE, &run));
    memory_pin(&p.pin, &run, BASE, BLOCK);
    memory_region_del_subregion(&t.root, &owner->ram);
    object_unref(owner);
    event_notifier_init(&p.e, 1);
    aio_set_event_notifier(ctx, &p.e, unpin);
    while (!g_atomic_int_get(&p.unpinned)) {
        patience_check(deadline);
        g_thread_yield();
    }
    g_assert_cmpint(owners, ==, 1);
    wait_until_owners_are_gone();
    aio_set_event_notifier(ctx, &p.e, NULL);
    event_notifier_cleanup(&p.e);
    aio_context_free(ctx);
    test_space_cleanup(&t);
}

#define ADD(name, fn)                                                        \
    g_test_add("/memory-turns/" name, Fixture, NULL, setup, fn, teardown)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qemu_init_main_loop(&error_abort);
    type_register_static(&owner_info);
    ADD("blocks", test_blocks);
    ADD("map", test_map);
    ADD("managers", test_managers);
    g_test_add_func("/memory-turns/last-reference",
                    test_last_reference_is_dropped_by_the_main_loop);
    return g_test_run();
}
