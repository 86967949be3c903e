/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An NVMe controller made of memory: see fake-nvme.h. */
#include "qemu/osdep.h"

#include "fake-nvme.h"

#define OWN_IOVA UINT64_C(0x7f00000000)
#define GUEST_IOVA UINT64_C(0x100000)
#define STATUS_TRANSFER_ERROR 4
#define STATUS_INVALID_OPCODE 1
#define STATUS_OUT_OF_RANGE 0x80

static FakeNVMe *the_fake;

static FakeNVMe *fake_of(BlockDma *dma)
{
    return container_of(dma, FakeNVMe, dma);
}

static bool refuses(FakeNVMe *f, const char *what, Error **errp)
{
    bool refused = g_strcmp0(f->refuse, what) == 0;

    if (refused) {
        error_setg(errp, "no %s", what);
    }
    return refused;
}

/* --- addresses --- */

/* Runs of pages are in reverse order for the drive. */
static uint64_t guest_iova(uint64_t offset)
{
    const uint64_t run = FAKE_NVME_RUN * NVME_PAGE;
    const uint64_t last = FAKE_NVME_GUEST / run - 1;

    return GUEST_IOVA + (last - offset / run) * run + offset % run;
}

static uint8_t *guest_at(FakeNVMe *f, uint64_t iova)
{
    const uint64_t run = FAKE_NVME_RUN * NVME_PAGE;
    const uint64_t last = FAKE_NVME_GUEST / run - 1;
    uint64_t at = iova - GUEST_IOVA;

    return at < FAKE_NVME_GUEST
           ? f->guest + (last - at / run) * run + at % run : NULL;
}

/* The byte that the drive calls @iova; NULL: its DMA fails. */
static uint8_t *dma_at(FakeNVMe *f, uint64_t iova)
{
    if (!f->master) {
        return NULL;
    }
    if (f->own && iova - OWN_IOVA < f->own_size) {
        return f->own + (iova - OWN_IOVA);
    }
    return guest_at(f, iova);
}

/* --- commands --- */

/* @bytes of data, page by page, between @disk and where @cmd says. */
static uint16_t transfer(FakeNVMe *f, const NVMeCommand *cmd, uint8_t *disk,
                         uint64_t bytes, bool to_memory)
{
    uint64_t prp = GUINT64_FROM_LE(cmd->prp1), pages = 1;
    uint64_t *list = NULL;
    uint64_t all = DIV_ROUND_UP(prp % NVME_PAGE + bytes, NVME_PAGE);

    if (all > 2) {
        list = (void *)dma_at(f, GUINT64_FROM_LE(cmd->prp2));
    }
    while (bytes) {
        uint64_t n = MIN(bytes, NVME_PAGE - prp % NVME_PAGE);
        uint8_t *memory = dma_at(f, prp);

        g_assert_true(prp % 4 == 0);
        if (!memory) {
            return STATUS_TRANSFER_ERROR;
        }
        if (to_memory) {
            memcpy(memory, disk, n);
        } else {
            memcpy(disk, memory, n);
        }
        disk += n;
        bytes -= n;
        if (bytes) {
            prp = GUINT64_FROM_LE(all > 2 ? list[pages - 1] : cmd->prp2);
            g_assert_cmpuint(prp % NVME_PAGE, ==, 0);
            pages++;
        }
    }
    return 0;
}

static uint16_t do_identify(FakeNVMe *f, const NVMeCommand *cmd)
{
    NVMeIdentifyController c = {
        .mdts = f->mdts, .nn = GUINT32_TO_LE(1), .oncs = GUINT16_TO_LE(f->oncs),
    };
    NVMeIdentifyNamespace ns = {
        .nsze = GUINT64_TO_LE(f->nsze), .flbas = 3, .formats[3] = f->format,
    };
    uint8_t *to = dma_at(f, GUINT64_FROM_LE(cmd->prp1));

    memcpy(to, GUINT32_FROM_LE(cmd->dw10) == NVME_IDENTIFY_CONTROLLER
               ? (void *)&c : (void *)&ns, NVME_PAGE);
    return 0;
}

static uint16_t do_admin(FakeNVMe *f, const NVMeCommand *cmd)
{
    uint32_t dw10 = GUINT32_FROM_LE(cmd->dw10);

    switch (cmd->opcode) {
    case NVME_ADMIN_IDENTIFY:
        return do_identify(f, cmd);
    case NVME_ADMIN_SET_FEATURES:
        return 0;
    case NVME_ADMIN_CREATE_CQ:
        f->queues[1].cq = GUINT64_FROM_LE(cmd->prp1);
        f->queues[1].phase = true;
        return 0;
    case NVME_ADMIN_CREATE_SQ:
        f->queues[1].sq = GUINT64_FROM_LE(cmd->prp1);
        f->queues[1].entries = (dw10 >> 16) + 1;
        return 0;
    default:
        return STATUS_INVALID_OPCODE;
    }
}

static uint16_t do_zeroes(FakeNVMe *f, uint64_t first, uint64_t bytes)
{
    memset(f->disk + first, 0, bytes);
    return 0;
}

static uint16_t do_dataset(FakeNVMe *f, const NVMeCommand *cmd)
{
    NVMeRange range;

    memcpy(&range, dma_at(f, GUINT64_FROM_LE(cmd->prp1)), sizeof(range));
    return do_zeroes(f, GUINT64_FROM_LE(range.first) * FAKE_NVME_BLOCK,
                     (uint64_t)GUINT32_FROM_LE(range.blocks) * FAKE_NVME_BLOCK);
}

static uint16_t do_io(FakeNVMe *f, const NVMeCommand *cmd)
{
    uint64_t first = (GUINT32_FROM_LE(cmd->dw10) |
                      (uint64_t)GUINT32_FROM_LE(cmd->dw11) << 32) *
                     FAKE_NVME_BLOCK;
    uint64_t bytes = ((GUINT32_FROM_LE(cmd->dw12) & 0xffff) + UINT64_C(1)) *
                     FAKE_NVME_BLOCK;

    f->io_commands++;
    g_assert_cmpuint(GUINT32_FROM_LE(cmd->nsid), ==, 1);
    switch (cmd->opcode) {
    case NVME_CMD_FLUSH:
        f->flushes++;
        return 0;
    case NVME_CMD_DATASET:
        return do_dataset(f, cmd);
    default:
        break;
    }
    if (first + bytes > FAKE_NVME_DISK) {
        return STATUS_OUT_OF_RANGE;
    }
    f->last_fua = GUINT32_FROM_LE(cmd->dw12) & NVME_RW_FUA;
    if (cmd->opcode == NVME_CMD_WRITE_ZEROES) {
        return do_zeroes(f, first, bytes);
    }
    return transfer(f, cmd, f->disk + first, bytes, cmd->opcode == NVME_CMD_READ);
}

/* --- queues --- */

static void complete(FakeNVMe *f, int q, uint16_t cid, uint16_t status)
{
    NVMeCompletion *c = (void *)dma_at(f, f->queues[q].cq);

    c += f->queues[q].cq_tail;
    c->sq_head = GUINT16_TO_LE(f->queues[q].sq_head |
                               (q ? f->sq_head_or : 0));
    c->sq_id = GUINT16_TO_LE(q ^ (q ? f->sq_id_xor : 0));
    c->cid = GUINT16_TO_LE(cid ^ (q ? f->cid_xor : 0));
    c->status = GUINT16_TO_LE(status << 1 | f->queues[q].phase);
    f->queues[q].cq_tail = (f->queues[q].cq_tail + 1) % f->queues[q].entries;
    f->queues[q].phase ^= f->queues[q].cq_tail == 0;
}

static void carry_out(FakeNVMe *f, int q)
{
    const uint64_t one = 1;

    while (f->master && f->queues[q].sq_head != f->queues[q].sq_tail) {
        NVMeCommand *sq = (void *)dma_at(f, f->queues[q].sq);
        NVMeCommand cmd = sq[f->queues[q].sq_head];
        uint16_t status;

        f->queues[q].sq_head = (f->queues[q].sq_head + 1) %
                               f->queues[q].entries;
        status = ++f->commands == f->fail_command ? f->fail_status
               : q ? do_io(f, &cmd) : do_admin(f, &cmd);
        complete(f, q, GUINT16_FROM_LE(cmd.cid), status);
        if (q && f->twice) {
            complete(f, q, GUINT16_FROM_LE(cmd.cid), status);
        }
        if (f->irq >= 0) {
            g_assert_cmpint(write(f->irq, &one, sizeof(one)), ==, sizeof(one));
        }
    }
}

void fake_nvme_release(FakeNVMe *f)
{
    f->hold = false;
    carry_out(f, 1);
}

/* --- registers --- */

static uint32_t fake_read32(BlockDma *dma, uint32_t offset)
{
    FakeNVMe *f = fake_of(dma);
    bool ready = f->cc & NVME_CC_EN && !f->never_ready;

    g_assert_cmpuint(offset, ==, NVME_REG_CSTS);
    return (ready ? NVME_CSTS_RDY : 0) | f->csts_or |
           (f->cc & NVME_CC_SHN_NORMAL ? NVME_SHST_COMPLETE << 2 : 0);
}

static uint64_t fake_read64(BlockDma *dma, uint32_t offset)
{
    g_assert_cmpuint(offset, ==, NVME_REG_CAP);
    return fake_of(dma)->cap;
}

static void ring(FakeNVMe *f, uint32_t offset, uint32_t value)
{
    uint32_t stride = 4U << NVME_CAP_DSTRD(f->cap);
    uint32_t n = (offset - NVME_REG_DOORBELLS) / stride;

    g_assert_cmpuint(n, <, 4);
    g_assert_cmpuint(value, <, f->queues[n / 2].entries);
    if (n % 2) {
        f->queues[n / 2].cq_head = value;
        return;
    }
    f->queues[n / 2].sq_tail = value;
    if (n == 0 || !f->hold) {
        carry_out(f, n / 2);
    }
}

static void fake_write32(BlockDma *dma, uint32_t offset, uint32_t value)
{
    FakeNVMe *f = fake_of(dma);

    if (offset == NVME_REG_CC) {
        f->cc = value;
        f->queues[0].sq = f->asq;
        f->queues[0].cq = f->acq;
        f->queues[0].entries = (f->aqa & 0xfff) + 1;
        f->queues[0].phase = true;
    } else if (offset == NVME_REG_AQA) {
        f->aqa = value;
    } else {
        ring(f, offset, value);
    }
}

static void fake_write64(BlockDma *dma, uint32_t offset, uint64_t value)
{
    FakeNVMe *f = fake_of(dma);

    *(offset == NVME_REG_ASQ ? &f->asq : &f->acq) = value;
}

/* --- the function --- */

static bool fake_set_interrupt(BlockDma *dma, int fd, Error **errp)
{
    fake_of(dma)->irq = fd;
    return !refuses(fake_of(dma), "interrupt", errp);
}

static void fake_quiesce(BlockDma *dma)
{
    fake_of(dma)->master = false;
    fake_of(dma)->quiesced++;
}

static bool fake_map(BlockDma *dma, void *memory, size_t size, uint64_t *iova,
                     Error **errp)
{
    FakeNVMe *f = fake_of(dma);

    if (refuses(f, "mapping", errp)) {
        return false;
    }
    f->own = memory;
    f->own_size = size;
    *iova = OWN_IOVA;
    return true;
}

static void fake_unmap(BlockDma *dma, uint64_t iova, size_t size)
{
    FakeNVMe *f = fake_of(dma);

    g_assert_false(f->master);
    g_assert_cmphex(iova, ==, OWN_IOVA);
    g_assert_cmpuint(size, ==, f->own_size);
    f->own = NULL;
}

static uint64_t fake_translate(BlockDma *dma, const void *host, uint64_t *iova)
{
    FakeNVMe *f = fake_of(dma);
    uint64_t offset = (uintptr_t)host - (uintptr_t)f->guest;
    const uint64_t run = FAKE_NVME_RUN * NVME_PAGE;

    if (offset >= FAKE_NVME_GUEST) {
        return 0;
    }
    *iova = guest_iova(offset);
    return run - offset % run;
}

static void fake_close(BlockDma *dma)
{
    FakeNVMe *f = fake_of(dma);

    g_assert_null(f->own);
    g_assert_false(f->master);
    f->is_open = false;
}

static BlockDma *fake_open(const char *address, Error **errp)
{
    FakeNVMe *f = the_fake;

    if (refuses(f, "device", errp)) {
        return NULL;
    }
    g_assert_false(f->is_open);
    f->is_open = true;
    f->master = true;
    return &f->dma;
}

static const BlockDmaOps fake_ops = {
    .open = fake_open,
    .close = fake_close,
    .read32 = fake_read32,
    .read64 = fake_read64,
    .write32 = fake_write32,
    .write64 = fake_write64,
    .set_interrupt = fake_set_interrupt,
    .quiesce = fake_quiesce,
    .map = fake_map,
    .unmap = fake_unmap,
    .translate = fake_translate,
};

FakeNVMe *fake_nvme_new(void)
{
    FakeNVMe *f = the_fake;
    uint8_t *disk = f ? f->disk : g_malloc(FAKE_NVME_DISK);
    uint8_t *guest = f ? f->guest : aligned_alloc(NVME_PAGE, FAKE_NVME_GUEST);

    f = the_fake = f ?: g_new(FakeNVMe, 1);
    g_assert_true(guest != NULL);
    *f = (FakeNVMe) {
        .dma = { .ops = &fake_ops, .registers = 8192 },
        .disk = disk, .guest = guest, .irq = -1,
        /* 1024 entries, 1 s, doorbells 8 bytes apart */
        .cap = 1023 | UINT64_C(1) << 24 | UINT64_C(1) << 32,
        .oncs = NVME_ONCS_DATASET | NVME_ONCS_WRITE_ZEROES,
        .mdts = 5,
        .format = { .lbads = 9 },
        .nsze = FAKE_NVME_DISK / FAKE_NVME_BLOCK,
    };
    memset(disk, 0, FAKE_NVME_DISK);
    memset(guest, 0, FAKE_NVME_GUEST);
    block_dma_register(&fake_ops);
    return f;
}
