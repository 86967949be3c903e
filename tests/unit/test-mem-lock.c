/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Locking guest RAM (sysemu/mem-lock.h), by the kernel's own account. */
#include "qemu/osdep.h"
#include <linux/capability.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "exec/ramblock.h"
#include "discard-use.h"
#include "extra-manager.h"
#include "qapi/client-event.h"
#include "qapi/error.h"
#include "qemu/units.h"
#include "recording-listener.h"
#include "sparse-ram.h"
#include "system/mem-lock.h"

#define BLOCK (64 * KiB)
#define NR_BLOCKS 16

/* VmLck of this process, bytes. */
static uint64_t locked(void)
{
    g_autofree char *status = NULL;

    g_assert_true(g_file_get_contents("/proc/self/status", &status, NULL,
                                      NULL));
    return g_ascii_strtoull(strstr(status, "VmLck:") + 6, NULL, 10) * KiB;
}

typedef struct Fixture {
    TestSpace *space;
    MemoryRegion plain;                   /* 1 MiB at 0 */
    SparseRam *sparse;                    /* at 4 MiB */
    void *host;
    uint64_t before;                      /* locked */
} Fixture;

static void setup(Fixture *f, const void *data)
{
    f->space = test_space_new();
    f->host = mmap(NULL, BLOCK * NR_BLOCKS, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    g_assert_true(f->host != MAP_FAILED);
    g_assert_true(memory_region_init_ram(&f->plain, NULL, "plain", MiB, NULL));
    f->sparse = sparse_ram_new("sparse", BLOCK, NR_BLOCKS,
                               (uintptr_t)f->host);
    memory_region_add_subregion(&f->space->root, 0, &f->plain);
    memory_region_add_subregion(&f->space->root, 4 * MiB, &f->sparse->mr);
    f->before = locked();
}

static void teardown(Fixture *f, const void *data)
{
    g_assert_cmpuint(locked(), ==, f->before);
    memory_region_del_subregion(&f->space->root, &f->plain);
    if (memory_region_is_mapped(&f->sparse->mr)) {
        memory_region_del_subregion(&f->space->root, &f->sparse->mr);
    }
    object_unref(OBJECT(&f->plain));
    sparse_ram_free(f->sparse);
    test_space_free(f->space);
    munmap(f->host, BLOCK * NR_BLOCKS);
}

static uint64_t locked_more(Fixture *f)
{
    return locked() - f->before;
}

static MemLock *lock(Fixture *f)
{
    Error *err = NULL;
    MemLock *ml = mem_lock_new(&f->space->as, &err);

    if (!ml) {
        g_test_skip_printf("memory cannot be locked here: %s",
                           error_get_pretty(err));
        error_free(err);
    }
    return ml;
}

/* --- what is locked --- */

static void test_plain_and_populated(Fixture *f, const void *data)
{
    MemLock *ml;

    sparse_ram_plug(f->sparse, 1, 2);
    ml = lock(f);
    if (!ml) {
        return;
    }
    g_assert_cmpuint(locked_more(f), ==, MiB + 2 * BLOCK);
    sparse_ram_plug(f->sparse, 8, 4);
    g_assert_cmpuint(locked_more(f), ==, MiB + 6 * BLOCK);
    sparse_ram_unplug(f->sparse, 9, 1);
    g_assert_cmpuint(locked_more(f), ==, MiB + 5 * BLOCK);
    ram_discard_blocks_discard_all(&f->sparse->blocks);
    g_assert_cmpuint(locked_more(f), ==, MiB);
    mem_lock_free(ml);
}

/* Another view of blocks 4 .. 7 of the sparse region, elsewhere. */
static void test_parts_seen_twice(Fixture *f, const void *data)
{
    MemoryRegion alias;
    MemLock *ml = lock(f);

    if (!ml) {
        return;
    }
    sparse_ram_plug(f->sparse, 2, 4);
    memory_region_init_alias(&alias, NULL, "alias", &f->sparse->mr, 4 * BLOCK,
                             4 * BLOCK);
    memory_region_add_subregion(&f->space->root, 32 * MiB, &alias);
    g_assert_cmpuint(locked_more(f), ==, MiB + 4 * BLOCK);
    /* What only the alias shows. */
    memory_region_del_subregion(&f->space->root, &f->sparse->mr);
    g_assert_cmpuint(locked_more(f), ==, MiB + 2 * BLOCK);
    sparse_ram_unplug(f->sparse, 5, 1);
    g_assert_cmpuint(locked_more(f), ==, MiB + BLOCK);
    memory_region_add_subregion(&f->space->root, 4 * MiB, &f->sparse->mr);
    g_assert_cmpuint(locked_more(f), ==, MiB + 3 * BLOCK);
    memory_region_del_subregion(&f->space->root, &alias);
    g_assert_cmpuint(locked_more(f), ==, MiB + 3 * BLOCK);
    object_unref(OBJECT(&alias));
    mem_lock_free(ml);
}

static void test_what_managers_agree_on(Fixture *f, const void *data)
{
    MemoryRegion *mr = &f->sparse->mr;
    ExtraManager *mgr = extra_manager_new(mr, 2 * BLOCK);
    MemLock *ml = lock(f);

    if (ml) {
        sparse_ram_plug(f->sparse, 1, 6);
        ram_discard_blocks_populate(&mgr->blocks, 4 * BLOCK, 2 * BLOCK);
        memory_region_add_ram_discard_mgr(mr, RAM_DISCARD_MGR(mgr),
                                          &error_abort);
        g_assert_cmpuint(locked_more(f), ==, MiB + 2 * BLOCK);
        sparse_ram_unplug(f->sparse, 4, 1);
        g_assert_cmpuint(locked_more(f), ==, MiB + BLOCK);
        memory_region_del_ram_discard_mgr(mr, RAM_DISCARD_MGR(mgr),
                                          &error_abort);
        g_assert_cmpuint(locked_more(f), ==, MiB + 5 * BLOCK);
        mem_lock_free(ml);
    }
    extra_manager_free(mgr);
}

static void test_objection_of_another_unlocks(Fixture *f, const void *data)
{
    RecordingListener other;
    MemLock *ml = lock(f);

    if (!ml) {
        return;
    }
    recording_init(&other, 'A', &f->sparse->blocks, false, NULL);
    ram_discard_mgr_register_listener(RAM_DISCARD_MGR(f->sparse),
                                      &f->sparse->mr, &other.rdl, NULL);
    other.objections_from = 1;
    g_assert_cmpint(sparse_ram_plug(f->sparse, 0, 4), ==, -ENOSPC);
    g_assert_cmpuint(locked_more(f), ==, MiB);
    ram_discard_mgr_unregister_listener(RAM_DISCARD_MGR(f->sparse),
                                        &f->sparse->mr, &other.rdl);
    recording_destroy(&other);
    mem_lock_free(ml);
}

static void test_locked_memory_can_be_discarded(Fixture *f, const void *data)
{
    uint8_t *host = memory_region_get_ram_ptr(&f->plain);
    MemLock *ml = lock(f);
    int ret;

    if (!ml) {
        return;
    }
    host[0] = 1;
    host[BLOCK] = 1;
    ret = ram_block_discard_range(f->plain.ram_block, 0, BLOCK);
    if (ret == -EINVAL) {
        g_test_skip("this kernel has no MADV_DONTNEED_LOCKED (Linux 5.18)");
    } else {
        g_assert_cmpint(ret, ==, 0);
        g_assert_cmpuint(host[0], ==, 0);
        g_assert_cmpuint(host[BLOCK], ==, 1);
    }
    mem_lock_free(ml);
}

/* --- limits --- */

static void set_ipc_lock(bool on)
{
    struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
    struct __user_cap_data_struct *word = &data[CAP_TO_INDEX(CAP_IPC_LOCK)];

    g_assert_no_errno(syscall(SYS_capget, &header, data));
    if (on && word->permitted & CAP_TO_MASK(CAP_IPC_LOCK)) {
        word->effective |= CAP_TO_MASK(CAP_IPC_LOCK);
    } else {
        word->effective &= ~CAP_TO_MASK(CAP_IPC_LOCK);
    }
    g_assert_no_errno(syscall(SYS_capset, &header, data));
}

/* From now on @bytes more may be locked; returns the limit so far. */
static struct rlimit limit_to(uint64_t bytes)
{
    struct rlimit old, limit;

    g_assert_no_errno(getrlimit(RLIMIT_MEMLOCK, &old));
    limit = old;
    limit.rlim_cur = locked() + bytes;
    g_assert_no_errno(setrlimit(RLIMIT_MEMLOCK, &limit));
    set_ipc_lock(false);
    return old;
}

static void unlimit(struct rlimit old)
{
    set_ipc_lock(true);
    g_assert_no_errno(setrlimit(RLIMIT_MEMLOCK, &old));
}

static void test_too_little_at_start(Fixture *f, const void *data)
{
    g_autofree char *needed = g_strdup_printf("%" PRIu64 " bytes are needed",
                                              (uint64_t)MiB + 3 * BLOCK);
    g_autofree char *allowed = NULL;
    struct rlimit old;
    Error *err = NULL;

    sparse_ram_plug(f->sparse, 5, 3);
    old = limit_to(MiB + 2 * BLOCK);
    allowed = g_strdup_printf("allows %" PRIu64 " bytes",
                              locked() + MiB + 2 * BLOCK);
    g_assert_null(mem_lock_new(&f->space->as, &err));
    unlimit(old);
    g_assert_nonnull(strstr(error_get_pretty(err), needed));
    g_assert_nonnull(strstr(error_get_pretty(err), allowed));
    error_free(err);
    g_assert_cmpuint(locked_more(f), ==, 0);
    g_assert_null(ram_block_discard_disabled_by());
}

static unsigned nr_events;

static void count_event(const char *event, JsonObject *data)
{
    g_assert_cmpstr(event, ==, "RAM_DISCARD_REFUSED");
    g_assert_cmpint(json_object_get_int_member(data, "offset"), ==, 2 * BLOCK);
    nr_events++;
    json_object_unref(data);
}

static void test_too_little_at_plug(Fixture *f, const void *data)
{
    struct rlimit old = limit_to(MiB + 2 * BLOCK);
    MemLock *ml = mem_lock_new(&f->space->as, NULL);

    nr_events = 0;
    qapi_event_set_emitter(count_event);
    g_assert_nonnull(ml);
    for (int i = 0; i < 3; i++) {
        g_assert_cmpint(sparse_ram_plug(f->sparse, 2, 3), ==, -ENOMEM);
    }
    g_assert_cmpuint(nr_events, ==, 1);
    g_assert_cmpuint(f->sparse->blocks.populated, ==, 0);
    g_assert_cmpuint(locked_more(f), ==, MiB);
    g_assert_cmpint(sparse_ram_plug(f->sparse, 2, 2), ==, 0);
    g_assert_cmpuint(locked_more(f), ==, MiB + 2 * BLOCK);
    sparse_ram_unplug(f->sparse, 2, 2);
    g_assert_cmpint(sparse_ram_plug(f->sparse, 2, 3), ==, -ENOMEM);
    g_assert_cmpuint(nr_events, ==, 2);
    qapi_event_set_emitter(NULL);
    unlimit(old);
    mem_lock_free(ml);
}

/* What is told of the registration, and of what it objected to last. */
static void test_tells_of_itself(Fixture *f, const void *data)
{
    struct rlimit old = limit_to(MiB + 4 * BLOCK);
    MemLock *ml = mem_lock_new(&f->space->as, NULL);
    const RamDiscardState *s = memory_region_ram_discard_state(&f->sparse->mr);
    const RamDiscardListener *rdl = QTAILQ_FIRST(&s->listeners);
    RamDiscardListenerInfo info = { 0 };

    g_assert_nonnull(ml);
    g_assert_cmpint(sparse_ram_plug(f->sparse, 2, 4), ==, 0);
    sparse_ram_unplug(f->sparse, 3, 1);
    rdl->get_info(rdl, &info);
    g_assert_cmpuint(info.mapped, ==, 3 * BLOCK);
    g_assert_cmpint(sparse_ram_plug(f->sparse, 8, 2), ==, -ENOMEM);
    rdl->get_info(rdl, &info);
    g_assert_cmpuint(info.mapped, ==, 3 * BLOCK);
    g_assert_cmpstr(s->refusal.kind, ==, "mem-lock");
    g_assert_nonnull(strstr(s->refusal.reason, "RLIMIT_MEMLOCK allows"));
    unlimit(old);
    mem_lock_free(ml);
}

/* --- other discarders --- */

static void test_excludes_uncoordinated_discards(Fixture *f, const void *data)
{
    MemLock *ml = lock(f);
    Error *err = NULL;

    if (!ml) {
        return;
    }
    g_assert_cmpint(discard_use(RAM_DISCARD_REQUIRE, true), ==, -EBUSY);
    g_assert_cmpint(discard_use(RAM_DISCARD_REQUIRE_COORDINATED, true), ==, 0);
    discard_use(RAM_DISCARD_REQUIRE_COORDINATED, false);
    mem_lock_free(ml);

    g_assert_cmpint(discard_use(RAM_DISCARD_REQUIRE, true), ==, 0);
    g_assert_null(mem_lock_new(&f->space->as, &err));
    g_assert_nonnull(strstr(error_get_pretty(err), "mem-lock forbids"));
    g_assert_nonnull(strstr(error_get_pretty(err), "a device needs"));
    error_free_or_abort(&err);
    discard_use(RAM_DISCARD_REQUIRE, false);
}

/* The sanitizers make mlock() do nothing. */
static bool mlock_works(void)
{
    uint64_t before = locked();
    g_autofree uint8_t *page = g_malloc(2 * qemu_real_host_page_size());
    bool works = !mlock(page, 1) && locked() > before;

    munlock(page, 1);
    return works;
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    if (!mlock_works()) {
        puts("1..0 # SKIP mlock() does nothing here, as with a sanitizer");
        return 0;
    }
#define ADD(name, fn) g_test_add("/mem-lock/" name, Fixture, NULL, setup, fn, \
                                 teardown)
    ADD("plain-and-populated-memory-is-locked", test_plain_and_populated);
    ADD("what-is-seen-twice-stays-locked", test_parts_seen_twice);
    ADD("what-managers-agree-on-is-locked", test_what_managers_agree_on);
    ADD("objection-of-another-unlocks", test_objection_of_another_unlocks);
    ADD("locked-memory-can-be-discarded", test_locked_memory_can_be_discarded);
    ADD("too-little-at-start-locks-nothing", test_too_little_at_start);
    ADD("too-little-at-plug-is-told-once", test_too_little_at_plug);
    ADD("tells-of-itself", test_tells_of_itself);
    ADD("excludes-uncoordinated-discards",
        test_excludes_uncoordinated_discards);
    return g_test_run();
}
