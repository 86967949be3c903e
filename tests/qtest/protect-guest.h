/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest with a protected virtio-mem device, the kernel's account of its
 * memory, and a way to touch that from outside. Included by one C file per test
 * program.
 */
#ifndef QTEST_PROTECT_GUEST_H
#define QTEST_PROTECT_GUEST_H

#include <fcntl.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "coordination.h"
#include "qemu/units.h"

#define SIZE (256 * MiB)
#define PAGE 4096
#define VM0 "/machine/peripheral/vm0"
/* Longer than a page that was let in may linger, us. */
#define LINGERED_US (300 * 1000)
#define OPTIONS " -m 64M,maxmem=2G -object memory-backend-%s,id=mem0,size=256M"  \
    " -device virtio-mem-pci,id=vm0,memdev=mem0,block-size=2M,"              \
    "requested-size=256M,protect=on%s"

/* --- the kernel's account ------------------------------------------------- */

typedef struct Account {
    uint64_t start;                       /* in the emulator's memory */
    uint64_t guarded, resident;           /* bytes */
    unsigned pieces;                      /* mappings */
} Account;

/* Sums up the mappings of @size bytes from @start on; 0: from the first guarded
 * one on, if there is one. */
static inline Account account(pid_t pid, uint64_t start, uint64_t size)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/smaps", pid);
    g_autofree char *line = NULL;
    size_t room = 0;
    FILE *smaps = fopen(path, "re");
    Account a = { .start = start };
    uint64_t from = 0, to = 0, rss = 0, low, high;

    g_assert_nonnull(smaps);
    /* Not as one text, of which a sanitizer looks at all that follows each line. */
    while (getline(&line, &room, smaps) > 0) {
        bool guarded;

        if (sscanf(line, "%" SCNx64 "-%" SCNx64 " ", &low, &high) == 2) {
            from = low;
            to = high;
        } else if (sscanf(line, "Rss: %" SCNu64 " kB", &rss) == 1) {
            rss *= 1024;
        } else if (g_str_has_prefix(line, "VmFlags:")) {
            guarded = strstr(line, " um") != NULL;
            if (!a.start && guarded) {
                a.start = from;
            }
            /* The kernel may merge the first and the last piece, if they are
             * plugged, with what lies beside the region. */
            if (a.start && to > a.start && from < a.start + size) {
                a.pieces++;
                a.guarded += guarded ? to - from : 0;
                a.resident += from >= a.start && to <= a.start + size ? rss : 0;
            }
        }
    }
    fclose(smaps);
    return a;
}

static inline bool may_use_userfaultfd(void)
{
    int fd = open("/dev/userfaultfd", O_RDWR | O_CLOEXEC);
    g_autofree char *allowed = NULL;

    if (fd >= 0) {
        close(fd);
        return true;
    }
    return geteuid() == 0 ||
           (g_file_get_contents("/proc/sys/vm/unprivileged_userfaultfd",
                                &allowed, NULL, NULL) && *allowed == '1');
}

static inline bool skipped(void)
{
    if (!may_use_userfaultfd()) {
        g_test_skip("this user may not use userfaultfd");
        return true;
    }
    return false;
}

/* --- touching ------------------------------------------------------------- */

typedef struct Guest {
    Coordination c;
    uint64_t addr;                        /* guest physical, of the region */
    uint64_t host;                        /* in the emulator's memory */
} Guest;

static inline Account account_of(const Guest *g)
{
    return account(qtest_pid(g->c.qts), g->host, SIZE);
}

static inline void start(Guest *g, unsigned nr_devs, const char *backend,
                         const char *action)
{
    coordination_start(&g->c, 1, nr_devs, "", OPTIONS, backend, action);
    g->addr = g->c.config[0].addr;
    g->host = account(qtest_pid(g->c.qts), 0, SIZE).start;
    g_assert_cmphex(g->host, !=, 0);
}

static inline struct iovec remote(const Guest *g, uint64_t offset, size_t size)
{
    return (struct iovec) { (void *)(uintptr_t)(g->host + offset), size };
}

static inline void poke(const Guest *g, uint64_t offset, uint8_t value)
{
    struct iovec here = { &value, 1 }, there = remote(g, offset, 1);

    g_assert_cmpint(process_vm_writev(qtest_pid(g->c.qts), &here, 1, &there, 1,
                                      0), ==, 1);
}

static inline uint8_t peek(const Guest *g, uint64_t offset)
{
    uint8_t value = 0xff;
    struct iovec here = { &value, 1 }, there = remote(g, offset, 1);

    g_assert_cmpint(process_vm_readv(qtest_pid(g->c.qts), &here, 1, &there, 1,
                                     0), ==, 1);
    return value;
}

static inline void wait_until_nothing_is_resident(const Guest *g)
{
    gint64 deadline = qtest_deadline();
    unsigned round = 0;

    while (account_of(g).resident) {
        g_assert_true(qtest_wait_more(deadline, &round));
    }
}

/* Waits for the event; checks all but the count, which it returns. */
static inline uint64_t violation(const Guest *g, uint64_t offset, bool write,
                                 const char *action)
{
    g_autoptr(JsonObject) event = qmp_client_event(qtest_qmp(g->c.qts),
                                                   "MEMORY_PROTECT_VIOLATION");
    JsonObject *data = json_object_get_object_member(event, "data");

    g_assert_cmpstr(json_object_get_string_member(data, "id"), ==, "vm0");
    g_assert_cmpstr(json_object_get_string_member(data, "qom-path"), ==, VM0);
    g_assert_cmphex(json_object_get_int_member(data, "address"), ==,
                    g->addr + offset);
    g_assert_true(json_object_get_boolean_member(data, "write") == write);
    g_assert_cmpstr(json_object_get_string_member(data, "action"), ==, action);
    return json_object_get_int_member(data, "count");
}

static inline void check_status(const Guest *g, const char *expected)
{
    g_autoptr(JsonNode) status = qmp_client_do(qtest_qmp(g->c.qts),
                                               "{'execute': 'query-status'}");

    g_assert_cmpstr(json_object_get_string_member(json_node_get_object(status),
                                                  "status"), ==, expected);
}

#endif
