/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An NVMe controller from its reset to its end: see nvme.h. While it is set up
 * commands are carried out one by one, and waited for, for a bounded time.
 */
#include "qemu/osdep.h"

#include "qemu/cutils.h"
#include <poll.h>
#include <sys/mman.h>

#include "nvme.h"

#define ADMIN_ENTRIES 32U
#define IO_QUEUE 1
/* What it may take to get ready, whatever it says; and to be shut down. */
#define READY_TIMEOUT_MAX_MS 30000
#define SHUTDOWN_TIMEOUT_MS 5000
#define NAP_MS 1
#define BLOCK_BITS_MIN 9
#define BLOCK_BITS_MAX 12

/* All that the drive has of this process's memory, page after page. */
enum {
    AT_ADMIN = 0,                         /* commands, completions */
    AT_IO = AT_ADMIN + 2,                 /* the same, the former two pages */
    AT_ANSWER = AT_IO + 3,                /* to Identify */
    AT_PRPS = AT_ANSWER + 1,
    AT_BOUNCES = AT_PRPS + NVME_SLOTS,
    PAGES = AT_BOUNCES + NVME_BOUNCES * NVME_BOUNCE_SIZE / NVME_PAGE,
};
QEMU_BUILD_BUG_ON(PAGES * NVME_PAGE != BLOCK_DRIVE_MEMORY);
QEMU_BUILD_BUG_ON(ADMIN_ENTRIES * sizeof(NVMeCommand) > NVME_PAGE);
QEMU_BUILD_BUG_ON(NVME_QUEUE_ENTRIES * sizeof(NVMeCommand) > 2 * NVME_PAGE);

static uint8_t *page_at(const NVMe *n, unsigned page)
{
    return n->memory + (size_t)page * NVME_PAGE;
}

static int64_t now_ms(void)
{
    return g_get_monotonic_time() / 1000;
}

/* --- the controller --- */

static uint32_t reg(const NVMe *n, uint32_t offset)
{
    return n->dma->ops->read32(n->dma, offset);
}

static bool wait_for_ready(NVMe *n, bool ready, Error **errp)
{
    int64_t deadline = now_ms() + n->ready_timeout_ms;
    uint32_t csts;

    while (((csts = reg(n, NVME_REG_CSTS)) & NVME_CSTS_RDY) != ready) {
        if (csts & NVME_CSTS_CFS && ready) {
            error_setg(errp, "it reports a fatal error");
            return false;
        }
        if (now_ms() >= deadline) {
            error_setg(errp, "it is not %s after %" PRId64 " ms",
                       ready ? "ready" : "reset", n->ready_timeout_ms);
            return false;
        }
        qemu_poll_ms(NULL, 0, NAP_MS);
    }
    if (csts == UINT32_MAX) {
        error_setg(errp, "it does not answer any more");
    }
    return csts != UINT32_MAX;
}

static bool read_capabilities(NVMe *n, uint32_t *entries, Error **errp)
{
    uint64_t cap = n->dma->ops->read64(n->dma, NVME_REG_CAP);

    if (cap == UINT64_MAX || !NVME_CAP_MQES(cap)) {
        error_setg(errp, "it is no NVMe controller: its capabilities are 0x%"
                   PRIx64, cap);
        return false;
    }
    if (NVME_CAP_MPSMIN(cap)) {
        error_setg(errp, "it has no pages of 4 KiB");
        return false;
    }
    n->doorbell_stride = 4U << NVME_CAP_DSTRD(cap);
    if (NVME_REG_DOORBELLS + 4 * n->doorbell_stride > n->dma->registers) {
        error_setg(errp, "its doorbells are behind the end of its registers");
        return false;
    }
    n->ready_timeout_ms = MIN((NVME_CAP_TO(cap) + 1) * 500,
                              READY_TIMEOUT_MAX_MS);
    *entries = MIN(NVME_CAP_MQES(cap) + 1, NVME_QUEUE_ENTRIES);
    return true;
}

static bool enable(NVMe *n, Error **errp)
{
    const BlockDmaOps *ops = n->dma->ops;

    ops->write32(n->dma, NVME_REG_CC, 0);
    if (!wait_for_ready(n, false, errp)) {
        return false;
    }
    ops->write32(n->dma, NVME_REG_AQA,
                 (ADMIN_ENTRIES - 1) << 16 | (ADMIN_ENTRIES - 1));
    ops->write64(n->dma, NVME_REG_ASQ, n->admin.commands_iova);
    ops->write64(n->dma, NVME_REG_ACQ, n->admin.completions_iova);
    ops->write32(n->dma, NVME_REG_CC, NVME_CC_SIZES | NVME_CC_EN);
    return wait_for_ready(n, true, errp);
}

/* --- commands of its own --- */

static bool wait_for_completion(NVMe *n, const char *what, Error **errp)
{
    int64_t deadline = now_ms() + NVME_ADMIN_TIMEOUT_MS;
    NVMeCompletion c;
    int ret;

    while ((ret = nvme_queue_get(&n->admin, &c)) == 0) {
        if (now_ms() >= deadline) {
            error_setg(errp, "%s: no answer for %d ms", what,
                       NVME_ADMIN_TIMEOUT_MS);
            return false;
        }
        qemu_poll_ms(NULL, 0, NAP_MS);
    }
    if (ret < 0 || c.cid) {
        error_setg(errp, "%s: it completes something else", what);
        return false;
    }
    nvme_queue_got(&n->admin);
    if (NVME_STATUS(c.status)) {
        error_setg(errp, "%s: it refuses, status 0x%x", what,
                   NVME_STATUS(c.status));
    }
    return !NVME_STATUS(c.status);
}

static bool carry_out(NVMe *n, const NVMeCommand *cmd, const char *what,
                      Error **errp)
{
    nvme_queue_put(&n->admin, cmd);
    nvme_queue_kick(&n->admin);
    return wait_for_completion(n, what, errp);
}

/* A copy: the drive could write to the page once more. g_free(). */
static void *identify(NVMe *n, uint32_t nsid, uint32_t what, Error **errp)
{
    const NVMeCommand cmd = {
        .opcode = NVME_ADMIN_IDENTIFY,
        .nsid = GUINT32_TO_LE(nsid),
        .prp1 = GUINT64_TO_LE(nvme_iova(n, page_at(n, AT_ANSWER))),
        .dw10 = GUINT32_TO_LE(what),
    };

    memset(page_at(n, AT_ANSWER), 0, NVME_PAGE);
    return carry_out(n, &cmd, "Identify", errp)
           ? g_memdup2(page_at(n, AT_ANSWER), NVME_PAGE) : NULL;
}

static bool identify_controller(NVMe *n, Error **errp)
{
    g_autofree NVMeIdentifyController *c =
        identify(n, 0, NVME_IDENTIFY_CONTROLLER, errp);

    if (!c) {
        return false;
    }
    if (n->nsid > GUINT32_FROM_LE(c->nn)) {
        error_setg(errp, "namespace=%u: it has %u", n->nsid,
                   GUINT32_FROM_LE(c->nn));
        return false;
    }
    n->oncs = GUINT16_FROM_LE(c->oncs);
    n->max_bytes = (uint64_t)NVME_PRPS * NVME_PAGE;
    if (c->mdts && c->mdts < 32) {
        n->max_bytes = MIN(n->max_bytes, (uint64_t)NVME_PAGE << c->mdts);
    }
    return true;
}

static bool identify_namespace(NVMe *n, Error **errp)
{
    g_autofree NVMeIdentifyNamespace *ns =
        identify(n, n->nsid, NVME_IDENTIFY_NAMESPACE, errp);
    const NVMeLbaFormat *format = ns ? &ns->formats[ns->flbas & 15] : NULL;

    if (!ns) {
        return false;
    }
    n->blocks = GUINT64_FROM_LE(ns->nsze);
    n->block_bits = format->lbads;
    if (!n->blocks) {
        error_setg(errp, "namespace=%u: there is none", n->nsid);
        return false;
    }
    if (format->metadata || n->block_bits < BLOCK_BITS_MIN ||
        n->block_bits > BLOCK_BITS_MAX ||
        n->blocks > (uint64_t)INT64_MAX >> n->block_bits) {
        error_setg(errp, "namespace=%u: 2^%u bytes in a block and %u of "
                   "metadata, %" PRIu64 " blocks: not supported", n->nsid,
                   n->block_bits, GUINT16_FROM_LE(format->metadata),
                   n->blocks);
        return false;
    }
    return true;
}

static bool create_queues(NVMe *n, Error **errp)
{
    const uint32_t size = IO_QUEUE | (n->io.entries - 1) << 16;
    const NVMeCommand commands[] = {
        { .opcode = NVME_ADMIN_SET_FEATURES,
          .dw10 = GUINT32_TO_LE(NVME_FEATURE_QUEUES) },
        { .opcode = NVME_ADMIN_CREATE_CQ,
          .prp1 = GUINT64_TO_LE(n->io.completions_iova),
          .dw10 = GUINT32_TO_LE(size),
          .dw11 = GUINT32_TO_LE(NVME_QUEUE_CONTIGUOUS | NVME_CQ_INTERRUPTS) },
        { .opcode = NVME_ADMIN_CREATE_SQ,
          .prp1 = GUINT64_TO_LE(n->io.commands_iova),
          .dw10 = GUINT32_TO_LE(size),
          .dw11 = GUINT32_TO_LE(NVME_QUEUE_CONTIGUOUS | IO_QUEUE << 16) },
    };
    static const char *const names[] = {
        "Set Features", "Create I/O Completion Queue",
        "Create I/O Submission Queue",
    };

    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        if (!carry_out(n, &commands[i], names[i], errp)) {
            return false;
        }
    }
    return true;
}

/* --- life --- */

static bool make_memory(NVMe *n, Error **errp)
{
    n->memory = mmap(NULL, PAGES * NVME_PAGE, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (n->memory == MAP_FAILED) {
        n->memory = NULL;
        error_setg_errno(errp, errno, "no memory for queues");
        return false;
    }
    n->mapped = n->dma->ops->map(n->dma, n->memory, PAGES * NVME_PAGE,
                                 &n->memory_iova, errp);
    return n->mapped;
}

static void lay_out_memory(NVMe *n, uint32_t entries)
{
    nvme_queue_init(&n->admin, n, 0, ADMIN_ENTRIES, page_at(n, AT_ADMIN));
    nvme_queue_init(&n->io, n, IO_QUEUE, entries, page_at(n, AT_IO));
    for (unsigned i = 0; i < NVME_SLOTS; i++) {
        n->slots[i].prps = (uint64_t *)page_at(n, AT_PRPS + i);
        n->slots[i].prps_iova = nvme_iova(n, n->slots[i].prps);
    }
    for (unsigned i = 0; i < NVME_BOUNCES; i++) {
        n->bounces[n->nr_bounces++] =
            page_at(n, AT_BOUNCES) + (size_t)i * NVME_BOUNCE_SIZE;
    }
}

static bool connect_interrupt(NVMe *n, Error **errp)
{
    int ret = event_notifier_init(&n->interrupt, 0);

    if (ret < 0) {
        error_setg_errno(errp, -ret, "cannot make an eventfd");
        return false;
    }
    n->has_interrupt = true;
    return n->dma->ops->set_interrupt(n->dma,
                                      event_notifier_get_fd(&n->interrupt),
                                      errp);
}

static bool set_up(NVMe *n, Error **errp)
{
    uint32_t entries;

    if (!read_capabilities(n, &entries, errp) || !make_memory(n, errp)) {
        return false;
    }
    lay_out_memory(n, entries);
    return connect_interrupt(n, errp) && enable(n, errp) &&
           identify_controller(n, errp) && identify_namespace(n, errp) &&
           create_queues(n, errp);
}

/* In the end it makes no DMA, whatever state it is in. */
static void tear_down(NVMe *n)
{
    n->dma->ops->quiesce(n->dma);
    if (n->mapped) {
        n->dma->ops->unmap(n->dma, n->memory_iova, PAGES * NVME_PAGE);
    }
    if (n->memory) {
        munmap(n->memory, PAGES * NVME_PAGE);
    }
    n->dma->ops->close(n->dma);
    if (n->has_interrupt) {
        event_notifier_cleanup(&n->interrupt);
    }
    g_free(n->name);
    g_free(n);
}

NVMe *nvme_open(const char *address, uint32_t nsid, Error **errp)
{
    BlockDma *dma = block_dma_open(address, errp);
    NVMe *n;

    if (!dma) {
        return NULL;
    }
    n = g_new0(NVMe, 1);
    n->dma = dma;
    n->name = g_strdup(address);
    n->nsid = nsid;
    if (!set_up(n, errp)) {
        error_prepend(errp, "nvme %s: ", address);
        tear_down(n);
        return NULL;
    }
    nvme_io_begin(n);
    return n;
}

/* What is in its cache is to be on the medium. */
static void shut_down(NVMe *n)
{
    int64_t deadline = now_ms() + SHUTDOWN_TIMEOUT_MS;

    n->dma->ops->write32(n->dma, NVME_REG_CC,
                         NVME_CC_SIZES | NVME_CC_EN | NVME_CC_SHN_NORMAL);
    while (NVME_CSTS_SHST(reg(n, NVME_REG_CSTS)) != NVME_SHST_COMPLETE &&
           now_ms() < deadline) {
        qemu_poll_ms(NULL, 0, NAP_MS);
    }
}

void nvme_close(NVMe *n)
{
    nvme_io_end(n);
    if (!n->broken) {
        shut_down(n);
    }
    tear_down(n);
}

uint64_t nvme_size(const NVMe *n)
{
    return n->blocks << n->block_bits;
}
