/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the data of an NVMe command is: the first page, which may begin anywhere
 * in it, and a second one, or the address of a list of all others, which begin at
 * their beginning (4.3). Guest memory that does not fit that form is left to the
 * next command, or to a copy. See nvme.h.
 */
#include "qemu/osdep.h"

#include "nvme.h"

/* A first page need not begin at its beginning, but here. */
#define FIRST_ALIGNMENT 4

/* Pages so far; the last one ends at @end, of the drive's addresses. */
typedef struct Prps {
    uint64_t first;
    uint64_t *list;                       /* all but the first, little-endian */
    unsigned nr;
    uint64_t end;
    uint64_t bytes;
} Prps;

static bool add_page(Prps *p, uint64_t iova)
{
    if (!p->nr) {
        p->first = iova;
    } else if (p->nr - 1 == NVME_PRPS) {
        return false;
    } else {
        p->list[p->nr - 1] = GUINT64_TO_LE(iova);
    }
    p->nr++;
    return true;
}

/* @bytes from @iova on, one after the other. How many of them there was room for. */
static uint64_t add_run(Prps *p, uint64_t iova, uint64_t bytes)
{
    uint64_t done = 0;

    if (p->nr ? iova != p->end && (iova | p->end) % NVME_PAGE
              : iova % FIRST_ALIGNMENT) {
        return 0;
    }
    while (done < bytes) {
        uint64_t left = NVME_PAGE - (iova + done) % NVME_PAGE;
        bool in_last = p->nr && iova + done == p->end && p->end % NVME_PAGE;

        if (!in_last && !add_page(p, iova + done)) {
            break;
        }
        done += MIN(left, bytes - done);
        p->end = iova + done;
    }
    p->bytes += done;
    return done;
}

/* @len bytes of this process at @host. How many could be added. */
static uint64_t add_guest(NVMe *nvme, Prps *p, const uint8_t *host, uint64_t len)
{
    uint64_t done = 0;

    while (done < len) {
        uint64_t iova, run, added;

        run = nvme->dma->ops->translate(nvme->dma, host + done, &iova);
        run = MIN(run, len - done);
        added = run ? add_run(p, iova, run) : 0;
        done += added;
        if (!added || added < run) {
            break;
        }
    }
    return done;
}

/* The pages that the first @bytes are in. */
static unsigned pages_of(const Prps *p, uint64_t bytes)
{
    return DIV_ROUND_UP(p->first % NVME_PAGE + bytes, NVME_PAGE);
}

static void set_prps(NVMeSlot *slot, NVMeCommand *cmd, const Prps *p,
                     uint64_t bytes)
{
    unsigned pages = pages_of(p, bytes);

    cmd->prp1 = GUINT64_TO_LE(p->first);
    if (pages > 2) {
        cmd->prp2 = GUINT64_TO_LE(slot->prps_iova);
    } else if (pages == 2) {
        cmd->prp2 = p->list[0];
    }
}

uint64_t nvme_prp_guest(NVMe *nvme, NVMeSlot *slot, NVMeCommand *cmd,
                        const struct iovec *iov, unsigned int niov,
                        uint64_t max)
{
    Prps p = { .list = slot->prps };

    for (unsigned int i = 0; i < niov && p.bytes < max; i++) {
        uint64_t len = MIN(iov[i].iov_len, max - p.bytes);

        if (add_guest(nvme, &p, iov[i].iov_base, len) < len) {
            break;
        }
    }
    p.bytes = ROUND_DOWN(p.bytes, 1ULL << nvme->block_bits);
    if (p.bytes) {
        set_prps(slot, cmd, &p, p.bytes);
    }
    return p.bytes;
}

void nvme_prp_own(NVMe *nvme, NVMeSlot *slot, NVMeCommand *cmd,
                  const void *ours, uint64_t bytes)
{
    Prps p = { .list = slot->prps };

    add_run(&p, nvme_iova(nvme, ours), bytes);
    set_prps(slot, cmd, &p, bytes);
}
