/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef EXEC_MEMATTRS_H
#define EXEC_MEMATTRS_H

/* Attributes of one access. */
typedef struct MemTxAttrs {
    unsigned int unspecified : 1;
    unsigned int memory : 1;              /* of RAM alone; MEMTX_ACCESS_ERROR */
    unsigned int keep_unbacked : 1;       /* a read of RAM that the host does not
                                           * back leaves it so; slower */
    unsigned int requester_id : 16;       /* PCI bus/devfn of a DMA or MSI */
} MemTxAttrs;

#define MEMTXATTRS_UNSPECIFIED ((MemTxAttrs) { .unspecified = 1 })

/* What became of an access: MEMTX_OK or a bit set of what went wrong. */
typedef uint32_t MemTxResult;
#define MEMTX_OK 0
#define MEMTX_ERROR (1U << 0)             /* the device refused it */
#define MEMTX_DECODE_ERROR (1U << 1)      /* nothing is there */
#define MEMTX_ACCESS_ERROR (1U << 2)      /* what is there is no RAM, or is
                                           * written to and readonly */

#endif
