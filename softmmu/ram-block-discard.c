/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Giving RAM back to the host, and the agreement on who may.
 *
 * virtio-mem discards by ram_block_discard_range(), through its state machine
 * (ram-discard.c). Who cannot live with memory that vanishes, as it pins or
 * shares it, forbids it, or, if it follows a RamDiscardMgr, the uncoordinated
 * sort; who depends on discarding requires it. Counted by name: nothing is
 * discarded, or refused, here later.
 */
#include "qemu/osdep.h"
#include <fcntl.h>
#include <linux/mman.h>
#include <sys/mman.h>
#include "exec/ramblock.h"
#include "qapi/error.h"
#include "trace.h"

/* --- discarding --- */

/* Memory that is locked (mlockall) asks for being named as such. */
static int drop_pages(void *host, size_t length)
{
    if (!madvise(host, length, MADV_DONTNEED) ||
        (errno == EINVAL && !madvise(host, length, MADV_DONTNEED_LOCKED))) {
        return 0;
    }
    return -errno;
}

static int punch_hole(int fd, uint64_t offset, uint64_t length)
{
    int r;

    do {
        r = fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset,
                      length);
    } while (r < 0 && errno == EINTR);
    return r < 0 ? -errno : 0;
}

static bool range_is_valid(const RAMBlock *rb, uint64_t start, uint64_t length)
{
    return QEMU_IS_ALIGNED(start, rb->page_size) &&
           QEMU_IS_ALIGNED(length, rb->page_size) &&
           start <= rb->used_length && length <= rb->used_length - start;
}

int ram_block_discard_range(RAMBlock *rb, uint64_t start, uint64_t length)
{
    int r = 0;

    if (rb->flags & RAM_PREALLOC) {
        return -ENOTSUP;                  /* whose it is knows how, if at all */
    }
    if (!range_is_valid(rb, start, length)) {
        return -EINVAL;
    }
    if (!length) {
        return 0;
    }
    if (rb->fd >= 0) {
        r = punch_hole(rb->fd, rb->fd_offset + start, length);
    }
    /* A private mapping has pages of its own, before or without the file's. */
    if (!r && !(rb->flags & RAM_SHARED)) {
        r = drop_pages(ramblock_ptr(rb, start), length);
    }
    trace_ram_block_discard_range(rb->idstr, start, length, r);
    return r;
}

/* --- who may discard --- */

/* What cannot be together with what; symmetric. */
static const unsigned conflicts[RAM_DISCARD_USES] = {
    [RAM_DISCARD_DISABLE] = 1U << RAM_DISCARD_REQUIRE |
                            1U << RAM_DISCARD_REQUIRE_COORDINATED,
    [RAM_DISCARD_DISABLE_UNCOORDINATED] = 1U << RAM_DISCARD_REQUIRE,
    [RAM_DISCARD_REQUIRE] = 1U << RAM_DISCARD_DISABLE |
                            1U << RAM_DISCARD_DISABLE_UNCOORDINATED,
    [RAM_DISCARD_REQUIRE_COORDINATED] = 1U << RAM_DISCARD_DISABLE,
};

/* As part of a sentence about who does it. */
static const char *const use_texts[RAM_DISCARD_USES] = {
    [RAM_DISCARD_DISABLE] = "forbids discards of guest memory",
    [RAM_DISCARD_DISABLE_UNCOORDINATED] =
        "forbids uncoordinated discards of guest memory",
    [RAM_DISCARD_REQUIRE] = "needs to discard guest memory",
    [RAM_DISCARD_REQUIRE_COORDINATED] =
        "needs coordinated discards of guest memory",
};

static GMutex users_lock;
/* Under users_lock: names (const char *), one for each count. */
static GQueue users[RAM_DISCARD_USES];

/* The lock is held. The first that does any of @uses: its name, and *use. */
static const char *find_user(unsigned uses, RamDiscardUse *use)
{
    for (int i = 0; i < RAM_DISCARD_USES; i++) {
        if (uses & 1U << i && users[i].length) {
            *use = i;
            return g_queue_peek_head(&users[i]);
        }
    }
    return NULL;
}

bool ram_block_discard_add_user(RamDiscardUse use, const char *who,
                                Error **errp)
{
    RamDiscardUse other_use;
    const char *other;

    g_mutex_lock(&users_lock);
    other = find_user(conflicts[use], &other_use);
    if (!other) {
        g_queue_push_tail(&users[use], (gpointer)who);
    }
    g_mutex_unlock(&users_lock);
    if (other) {
        error_setg(errp, "%s %s, but %s %s: remove one of them", who,
                   use_texts[use], other, use_texts[other_use]);
    }
    return !other;
}

void ram_block_discard_remove_user(RamDiscardUse use, const char *who)
{
    gboolean found;

    g_mutex_lock(&users_lock);
    found = g_queue_remove(&users[use], who);
    g_mutex_unlock(&users_lock);
    g_assert(found);
}

const char *ram_block_discard_disabled_by(void)
{
    RamDiscardUse use;
    const char *who;

    g_mutex_lock(&users_lock);
    who = find_user(1U << RAM_DISCARD_DISABLE |
                    1U << RAM_DISCARD_DISABLE_UNCOORDINATED, &use);
    g_mutex_unlock(&users_lock);
    return who;
}
