/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the tests of the memory core share: an address space to play with, and
 * a flat view as text. Included by one C file per test program.
 */
#ifndef TESTS_UNIT_MEMORY_TEST_H
#define TESTS_UNIT_MEMORY_TEST_H

#include "exec/memory.h"

#define PAGE ((uint64_t)0x1000)

/* An address space over a container of 2^64 bytes. */
typedef struct TestSpace {
    MemoryRegion root;
    AddressSpace as;
} TestSpace;

static inline void test_space_init(TestSpace *t)
{
    memory_region_init(&t->root, NULL, "root", UINT64_MAX);
    address_space_init(&t->as, &t->root, "test");
}

/* The test has taken its regions out. */
static inline void test_space_cleanup(TestSpace *t)
{
    address_space_destroy(&t->as);
    object_unref(&t->root);
}

/* A listener that writes down what it hears. */
typedef struct Recorder {
    MemoryListener listener;
    const char *tag;
    GString *log;                         /* may be shared by several */
} Recorder;

static inline void record_section(MemoryListener *l, const char *what,
                                  const MemoryRegionSection *s)
{
    Recorder *r = container_of(l, Recorder, listener);
    hwaddr last = s->offset_within_address_space +
                  int128_getlo(s->size - 1);

    g_string_append_printf(r->log,
                           "%s%s%" PRIx64 "-%" PRIx64 " %s@%" PRIx64 "%s; ",
                           r->tag, what, s->offset_within_address_space, last,
                           memory_region_name(s->mr), s->offset_within_region,
                           s->readonly ? " ro" : "");
}

static inline void record_add(MemoryListener *l, MemoryRegionSection *s)
{
    record_section(l, "+", s);
}

static inline void record_del(MemoryListener *l, MemoryRegionSection *s)
{
    record_section(l, "-", s);
}

static inline void record_seen(MemoryListener *l, MemoryRegionSection *s)
{
    record_section(l, "", s);
}

static inline void recorder_register(Recorder *r, GString *log,
                                     const char *tag, unsigned priority,
                                     AddressSpace *as)
{
    *r = (Recorder) {
        .tag = tag,
        .log = log,
        .listener = {
            .priority = priority,
            .region_add = record_add,
            .region_del = record_del,
        },
    };
    memory_listener_register(&r->listener, as);
}

/* Asserts that @log is @expected, and empties it. */
#define assert_log(log, expected)                                            \
    do {                                                                     \
        g_assert_cmpstr((log)->str, ==, expected);                           \
        g_string_truncate(log, 0);                                           \
    } while (0)

/* "START-LAST REGION@OFFSET[ ro]; " for each section; the caller's to free. */
static inline char *view_text(AddressSpace *as)
{
    Recorder r = {
        .tag = "",
        .log = g_string_new(""),
        .listener.region_add = record_seen,
    };

    memory_listener_register(&r.listener, as);
    memory_listener_unregister(&r.listener);
    return g_string_free(r.log, false);
}

#define assert_view(as, expected)                                            \
    do {                                                                     \
        g_autofree char *text_ = view_text(as);                              \
        g_assert_cmpstr(text_, ==, expected);                                \
    } while (0)

/* MMIO that does nothing: a leaf that costs no memory. */
static const MemoryRegionOps test_leaf_ops;

static inline void test_leaf_init(MemoryRegion *mr, const char *name,
                                  uint64_t size)
{
    memory_region_init_io(mr, NULL, &test_leaf_ops, NULL, name, size);
}

#endif
