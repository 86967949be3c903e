/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What it costs to tell a new listener of all that is populated: CPU time in ns
 * for each run, of regions with blocks of 2 MiB. The listener only counts.
 *
 * usage: replay-driver TIB EVERY [REPEATS]
 * A region of TIB tebibytes of which every EVERY-th block is populated; prints
 * the number of runs and the median of REPEATS replays, in ns a run.
 */
#include "qemu/osdep.h"
#include "tests/unit/sparse-ram.h"
#include "qemu/units.h"

#include <time.h>

#define BLOCK (2 * MiB)
#define TIB_BLOCKS (1024 * GiB / BLOCK)
#define MAX_TIB 64
#define MAX_REPEATS 1000

typedef struct Counter {
    RamDiscardListener rdl;
    uint64_t runs;
    uint64_t bytes;
} Counter;

static int count_populate(RamDiscardListener *rdl, const MemoryRegion *mr,
                          ram_addr_t offset, ram_addr_t size)
{
    Counter *counter = container_of(rdl, Counter, rdl);

    counter->runs++;
    counter->bytes += size;
    return 0;
}

static void ignore_discard(RamDiscardListener *rdl, const MemoryRegion *mr,
                           ram_addr_t offset, ram_addr_t size)
{
}

static int64_t cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static int compare_ns(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static int64_t replay_ns(const SparseRam *ram, Counter *counter)
{
    int64_t start = cpu_ns();
    int ret;

    counter->runs = 0;
    counter->bytes = 0;
    ret = ram_discard_mgr_replay_populated(RAM_DISCARD_MGR(ram), &ram->mr,
                                           &counter->rdl);
    g_assert(!ret && counter->bytes == ram->blocks.populated);
    return cpu_ns() - start;
}

static void measure(uint64_t nr_blocks, uint64_t every, unsigned repeats)
{
    g_autofree int64_t *ns = g_new(int64_t, repeats);
    SparseRam *ram = sparse_ram_new("ram", BLOCK, nr_blocks, 16 * MiB);
    Counter counter = { 0 };

    ram_discard_listener_init(&counter.rdl, count_populate, ignore_discard,
                              NULL);
    for (uint64_t block = 0; block < nr_blocks; block += every) {
        g_assert(!sparse_ram_plug(ram, block, 1));
    }
    for (unsigned i = 0; i < repeats; i++) {
        ns[i] = replay_ns(ram, &counter);
    }
    qsort(ns, repeats, sizeof(ns[0]), compare_ns);
    printf("%" PRIu64 " %.2f\n", counter.runs,
           (double)ns[repeats / 2] / counter.runs);
    sparse_ram_free(ram);
}

int main(int argc, char **argv)
{
    uint64_t tib, every, repeats;

    if (argc < 3 || argc > 4 ||
        !(tib = g_ascii_strtoull(argv[1], NULL, 10)) || tib > MAX_TIB ||
        !(every = g_ascii_strtoull(argv[2], NULL, 10)) ||
        !(repeats = argc > 3 ? g_ascii_strtoull(argv[3], NULL, 10) : 21) ||
        repeats > MAX_REPEATS) {
        fputs("usage: replay-driver TIB EVERY [REPEATS]\n", stderr);
        return 1;
    }
    measure(tib * TIB_BLOCKS, every, repeats);
    return 0;
}
