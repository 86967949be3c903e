/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A pair of NVMe queues: see nvme.h. Commands are written, then the drive is told
 * of all of them at once; completions are read as the phase bit says that they
 * are there. The drive can write whatever it likes to the completions, at any
 * time: each is copied once.
 */
#include "qemu/osdep.h"

#include "nvme.h"

static uint32_t doorbell(const NVMeQueue *q, bool of_completions)
{
    return NVME_REG_DOORBELLS +
           (2 * q->id + of_completions) * q->nvme->doorbell_stride;
}

void nvme_queue_init(NVMeQueue *q, NVMe *nvme, uint16_t id, uint32_t entries,
                     uint8_t *memory)
{
    uint8_t *completions = memory + ROUND_UP(entries * sizeof(NVMeCommand),
                                             NVME_PAGE);

    *q = (NVMeQueue) {
        .nvme = nvme,
        .id = id,
        .entries = entries,
        .commands = (NVMeCommand *)memory,
        .completions = (const NVMeCompletion *)completions,
        .commands_iova = nvme_iova(nvme, memory),
        .completions_iova = nvme_iova(nvme, completions),
        .phase = true,
    };
}

void nvme_queue_put(NVMeQueue *q, const NVMeCommand *cmd)
{
    g_assert(q->in_flight < q->entries - 1);
    q->commands[q->tail] = *cmd;
    q->tail = (q->tail + 1) % q->entries;
    q->in_flight++;
}

void nvme_queue_kick(NVMeQueue *q)
{
    if (q->told != q->tail) {
        __atomic_thread_fence(__ATOMIC_RELEASE);
        q->told = q->tail;
        q->nvme->dma->ops->write32(q->nvme->dma, doorbell(q, false), q->tail);
    }
}

int nvme_queue_get(NVMeQueue *q, NVMeCompletion *c)
{
    const NVMeCompletion *there = &q->completions[q->head];
    uint16_t status = __atomic_load_n(&there->status, __ATOMIC_ACQUIRE);

    if ((GUINT16_FROM_LE(status) & 1) != q->phase) {
        return 0;
    }
    *c = (NVMeCompletion) {
        .result = GUINT32_FROM_LE(there->result),
        .sq_head = GUINT16_FROM_LE(there->sq_head),
        .sq_id = GUINT16_FROM_LE(there->sq_id),
        .cid = GUINT16_FROM_LE(there->cid),
        .status = GUINT16_FROM_LE(status),
    };
    if (!q->in_flight || c->sq_id != q->id || c->sq_head >= q->entries) {
        return -EPROTO;
    }
    q->in_flight--;
    q->head = (q->head + 1) % q->entries;
    q->phase ^= q->head == 0;
    return 1;
}

void nvme_queue_got(NVMeQueue *q)
{
    q->nvme->dma->ops->write32(q->nvme->dma, doorbell(q, true), q->head);
}
