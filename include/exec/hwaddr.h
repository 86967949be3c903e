/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef EXEC_HWADDR_H
#define EXEC_HWADDR_H

/* An address on a bus, e.g. guest physical or an IOVA. */
typedef uint64_t hwaddr;
#define HWADDR_BITS 64
#define HWADDR_MAX UINT64_MAX
#define HWADDR_PRIx PRIx64
#define HWADDR_PRIu PRIu64

/* An offset into a RAMBlock or into a RAM MemoryRegion. */
typedef uint64_t ram_addr_t;
#define RAM_ADDR_INVALID UINT64_MAX

#endif
