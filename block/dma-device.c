/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who gives PCI functions of the host away: see block/dma-device.h. */
#include "qemu/osdep.h"

#include "block/dma-device.h"

static const BlockDmaOps *provider;

void block_dma_register(const BlockDmaOps *ops)
{
    provider = ops;
}

BlockDma *block_dma_open(const char *address, Error **errp)
{
    if (!provider) {
        error_setg(errp, "'%s' cannot be had: no VFIO in this program",
                   address);
        return NULL;
    }
    return provider->open(address, errp);
}
