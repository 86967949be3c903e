/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RAM blocks: the host memory behind RAM regions. A block belongs to exactly
 * one MemoryRegion, which creates and frees it; everybody else reaches it by
 * the region. softmmu/physmem.c.
 */
#ifndef EXEC_RAMBLOCK_H
#define EXEC_RAMBLOCK_H

#include "exec/memory.h"
#include "qemu/file-mapping.h"

#define RAM_PREALLOC (1U << 0)            /* the memory is somebody else's */
#define RAM_SHARED (1U << 1)              /* MAP_SHARED */
#define RAM_NORESERVE (1U << 2)           /* MAP_NORESERVE */

struct RAMBlock {
    MemoryRegion *mr;
    uint8_t *host;
    ram_addr_t used_length;
    uint32_t flags;                       /* RAM_* */
    size_t page_size;                     /* hugetlb: the huge page's size */
    int fd;                               /* -1: anonymous */
    uint64_t fd_offset;                   /* of host in fd */
    FileMapping *mapping;                 /* NULL: no file is mapped */
    bool cuttable;                        /* fd is not sealed against it */
    bool lent;                            /* ram_block_lend() was called */
    unsigned populate_threads;            /* at most, the caller's included */
    int populate_nice;                    /* of the others */
    char idstr[256];
    QLIST_ENTRY(RAMBlock) next;
};

/* Anonymous (or shared anonymous) memory; used_length 0 < @size. */
RAMBlock *qemu_ram_alloc(ram_addr_t size, uint32_t ram_flags, MemoryRegion *mr,
                         Error **errp);
/* Maps @fd and owns it on success. The page size is the file system's. */
RAMBlock *qemu_ram_alloc_from_fd(ram_addr_t size, MemoryRegion *mr,
                                 uint32_t ram_flags, int fd, uint64_t fd_offset,
                                 Error **errp);
RAMBlock *qemu_ram_alloc_from_ptr(ram_addr_t size, void *host,
                                  MemoryRegion *mr, Error **errp);
/* Unmaps, closes, frees. */
void qemu_ram_free(RAMBlock *block);

size_t qemu_ram_pagesize(RAMBlock *block);
bool qemu_ram_is_shared(RAMBlock *block);
static inline void *ramblock_ptr(RAMBlock *block, ram_addr_t offset)
{
    return block->host + offset;
}
/* Calls @fn for each block until it returns nonzero; returns that. */
int qemu_ram_foreach_block(int (*fn)(RAMBlock *rb, void *opaque), void *opaque);

/*
 * Gives the memory of the range back to the host: it reads as zero (file
 * backed: the file has a hole) and costs nothing until it is touched again.
 * @start and @length are multiples of the block's page size. 0 or -errno, and
 * then the contents of the range are undefined but it is still mapped.
 */
int ram_block_discard_range(RAMBlock *rb, uint64_t start, uint64_t length);
/*
 * The opposite: has the host back the range now, by several threads (more than
 * pay are not started). What the memory holds stays, even while
 * others write to it. @start and @length are multiples of the page size.
 * 0 or -errno, and then some of the range may be backed: -ENOMEM: the host has
 * no more memory, huge pages or room in the file; -ENOTSUP: the memory is
 * somebody else's, or the kernel cannot (it is older than 5.14).
 */
int ram_block_populate_range(RAMBlock *rb, uint64_t start, uint64_t length);
/*
 * By how many threads at most that is, the caller's among them, and how nice those
 * besides it are (0 to 19), so that they take only what others leave of the CPUs.
 * At first it is the caller's alone.
 */
void ram_block_set_populate(RAMBlock *rb, unsigned nr_threads, int nice);

/*
 * Reading all of a block without having the host back more of it than it does
 * (softmmu/ram-block-read.c); the VM is stopped, or what is read may be old.
 * How much of the @size bytes at @offset is alike, from the first on: *backed,
 * or nowhere, and then it is all zeros. What follows may be like it: the time of
 * a call is bounded, and that of reading a block is proportional to its size.
 */
uint64_t ram_block_backed_run(RAMBlock *rb, uint64_t offset, uint64_t size,
                              bool *backed);
/* Opens what the former two read; whoever makes blocks has done so. */
void ram_block_prepare_read(void);
/* Copies what is backed into @buf. 0 or -errno: the memory is gone. */
int ram_block_read(RAMBlock *rb, uint64_t offset, void *buf, size_t size);

/*
 * Whether the memory is still what it was set up as (softmmu/ram-block-fault.c).
 * If not, because a file was cut short or had no room, zeros are where something
 * is gone, which is reported, as event MEMORY_BACKEND_BROKEN, too. false: *errp
 * names the block and the reason. The first: whether it has all that was
 * written to it; the second: and that it can be written to, for all who have the
 * file mapped; the third: the same of all blocks.
 */
bool ram_block_check_contents(const RAMBlock *rb, Error **errp);
bool ram_block_check_intact(const RAMBlock *rb, Error **errp);
bool ram_blocks_check_intact(Error **errp);
/* Called before @rb's descriptor is given to another process. Warns, once, if
 * that process could cut the file short: nothing keeps it from it but a seal,
 * which only a memfd has. */
void ram_block_lend(RAMBlock *rb);
/* For physmem.c: FileMappingBroken of a block. */
void ram_block_broken(void *opaque, const char *why);

/*
 * Who discards RAM and who cannot live with it: counted, in any order, by name,
 * so that a conflict can be told. Coordinated discards go through a
 * RamDiscardMgr, so that its listeners follow; the uncoordinated do not.
 */
typedef enum RamDiscardUse {
    RAM_DISCARD_DISABLE,
    RAM_DISCARD_DISABLE_UNCOORDINATED,
    RAM_DISCARD_REQUIRE,
    RAM_DISCARD_REQUIRE_COORDINATED,
    RAM_DISCARD_USES,
} RamDiscardUse;

/* @who, e.g. "vfio", is not copied: it is removed by the same pointer. False:
 * *errp names both sides. Any thread. */
bool ram_block_discard_add_user(RamDiscardUse use, const char *who,
                                Error **errp);
void ram_block_discard_remove_user(RamDiscardUse use, const char *who);
/* The name of one that disables discards of either kind; NULL: nobody does. */
const char *ram_block_discard_disabled_by(void);

#endif
