/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A PCI function of the host that a driver in block/ drives: its registers, its
 * interrupt, and DMA. Who can give one away (VFIO) registers its operations, so
 * that block/ knows nothing of VFIO, nor the other way around what is driven.
 *
 * Guest memory is where the function reaches it, without anybody asking for it:
 * all boot RAM, and of managed regions what is plugged, as for functions that are
 * passed through, and in the same mappings. Main thread, big lock held.
 */
#ifndef BLOCK_DMA_DEVICE_H
#define BLOCK_DMA_DEVICE_H

#include "qapi/error.h"

typedef struct BlockDma BlockDma;

typedef struct BlockDmaOps {
    /* The function at @address, such as 0000:01:00.0, which has been reset. NULL:
     * *errp says what to do. */
    BlockDma *(*open)(const char *address, Error **errp);
    /* It makes no DMA any more; what was mapped has been unmapped. */
    void (*close)(BlockDma *dma);
    /* Registers at @offset of BAR 0, in the processor's byte order. All bits are
     * set in what cannot be read. */
    uint32_t (*read32)(BlockDma *dma, uint32_t offset);
    uint64_t (*read64)(BlockDma *dma, uint32_t offset);
    void (*write32)(BlockDma *dma, uint32_t offset, uint32_t value);
    void (*write64)(BlockDma *dma, uint32_t offset, uint64_t value);
    /* Its only interrupt is the eventfd @fd from now on. false: *errp. */
    bool (*set_interrupt)(BlockDma *dma, int fd, Error **errp);
    /* Ends its DMA, whatever it is doing, for good. */
    void (*quiesce)(BlockDma *dma);
    /* Memory of this process, whole pages of the host: *iova is what the function
     * calls it. It is locked. false: *errp. */
    bool (*map)(BlockDma *dma, void *memory, size_t size, uint64_t *iova,
                Error **errp);
    void (*unmap)(BlockDma *dma, uint64_t iova, size_t size);
    /* What the function calls the guest memory at @host, and how many bytes from
     * there on are in a row; 0: it is none. */
    uint64_t (*translate)(BlockDma *dma, const void *host, uint64_t *iova);
} BlockDmaOps;

struct BlockDma {
    const BlockDmaOps *ops;
    uint64_t registers;                   /* bytes of BAR 0 */
};

/* Whose functions block_dma_open() opens from now on; NULL: nobody's. */
void block_dma_register(const BlockDmaOps *ops);
/* NULL: *errp. */
BlockDma *block_dma_open(const char *address, Error **errp);

#endif
