/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The IOMMU backend that is a vfio-user server: DMA_MAP and DMA_UNMAP, the
 * latter for exactly what the former was given. Memory of a file that is
 * mapped shared travels as a descriptor; a private mapping must not, because
 * the file would not have what the guest wrote.
 *
 * It must not hand out more of a file than the mapping says, nor refuse
 * anything once the server is gone.
 */
#include "qemu/osdep.h"

#include "exec/ramblock.h"
#include "client.h"

static VFIOUserDevice *user_of(VFIODMASpace *space)
{
    return container_of(space, VFIOUserDevice, container.space);
}

/* The descriptor to pass for @mapping, and where in it; -1: none. */
static int user_mapping_fd(const VFIOUserDevice *user,
                           const VFIODMAMapping *mapping, uint64_t *offset)
{
    RAMBlock *block = memory_region_ram_block(mapping->mr);
    int fd = memory_region_get_fd(mapping->mr);

    *offset = 0;
    if (fd < 0 || !qemu_ram_is_shared(block) || !user->caps.max_msg_fds) {
        return -1;
    }
    ram_block_lend(block);
    *offset = block->fd_offset + mapping->offset;
    return fd;
}

static int user_dma_map(VFIODMASpace *space,
                        const VFIODMAMapping *mapping)
{
    VFIOUserDevice *user = user_of(space);
    g_auto(VFIOUserMessage) reply = { 0 };
    uint64_t offset;
    int fd = user_mapping_fd(user, mapping, &offset);
    const VFIOUserDMAMap map = {
        .argsz = sizeof(map),
        .flags = VFIO_USER_DMA_READABLE |
                 (mapping->readonly ? 0 : VFIO_USER_DMA_WRITEABLE),
        .offset = offset,
        .address = mapping->iova,
        .size = mapping->size,
    };
    const VFIOUserBody body = {
        .head = &map,
        .head_size = sizeof(map),
        .fds = &fd,
        .nr_fds = fd >= 0 ? 1 : 0,
    };

    if (vfio_user_device_broken(user)) {
        return 0;
    }
    return vfio_user_socket_request(user->socket, VFIO_USER_DMA_MAP, &body,
                                    &reply);
}

static int user_dma_unmap(VFIODMASpace *space, hwaddr iova,
                          uint64_t size)
{
    VFIOUserDevice *user = user_of(space);
    g_auto(VFIOUserMessage) reply = { 0 };
    const VFIOUserDMAUnmap unmap = {
        .argsz = sizeof(unmap),
        .address = iova,
        .size = size,
    };
    const VFIOUserBody body = { .head = &unmap, .head_size = sizeof(unmap) };
    const VFIOUserDMAUnmap *done;
    int ret;

    if (vfio_user_device_broken(user)) {
        return 0;
    }
    ret = vfio_user_socket_request(user->socket, VFIO_USER_DMA_UNMAP, &body,
                                   &reply);
    done = (const void *)reply.payload;
    if (!ret && (done->address != iova || done->size != size)) {
        ret = vfio_user_socket_break(
            user->socket, EPROTO, "the server was to unmap 0x%" PRIx64
            " bytes at 0x%" HWADDR_PRIx " and has unmapped 0x%" PRIx64
            " bytes at 0x%" PRIx64, size, iova, done->size, done->address);
    }
    /* To disconnect takes everything away. */
    return vfio_user_device_broken(user) ? 0 : ret;
}

/* A server that answers each map just in time must not hold up the guest for
 * as many time-outs as a plug has blocks. */
static bool user_dma_begin(VFIODMASpace *space)
{
    return vfio_user_socket_begin(user_of(space)->socket,
                                  g_get_monotonic_time());
}

static void user_dma_end(VFIODMASpace *space)
{
    vfio_user_socket_end(user_of(space)->socket);
}

static const VFIOIOMMUBackendClass user_ops = {
    .name = "vfio-user",
    .unmap_exact = true,
    .by_offset = true,
    .dma_begin = user_dma_begin,
    .dma_end = user_dma_end,
    .dma_map = user_dma_map,
    .dma_unmap = user_dma_unmap,
};

bool vfio_user_container_init(VFIOUserDevice *user, AddressSpace *as,
                              Error **errp)
{
    uint64_t host_pages = user->caps.pgsizes & -(uint64_t)
                          qemu_real_host_page_size();
    const VFIOIOMMUInfo info = {
        /* A server that can do smaller pages only can do larger ones too. */
        .pgsizes = host_pages ? host_pages : qemu_real_host_page_size(),
        .dma_max_mappings = user->caps.max_dma_maps,
    };

    return vfio_container_init(&user->container, &user_ops, as, &info, errp);
}

/* --- what the server may access --- */

/* How much of @size bytes from @iova is in a section at @start that is @len
 * bytes long; 0: @iova is not. */
static uint64_t overlap(hwaddr iova, uint64_t size, hwaddr start, uint64_t len)
{
    return iova >= start && iova - start < len ? MIN(size, len - (iova - start))
                                               : 0;
}

static uint64_t exported_plain(const VFIODMASpace *space, hwaddr iova,
                               uint64_t size)
{
    const VFIOPlainSection *plain;

    QLIST_FOREACH(plain, &space->plain, next) {
        uint64_t n = overlap(iova, size, plain->iova, plain->size);

        if (n) {
            return n;
        }
    }
    return 0;
}

static uint64_t exported_managed(const VFIODMASpace *space, hwaddr iova,
                                 uint64_t size)
{
    const VFIORamDiscardListener *vrdl;

    QLIST_FOREACH(vrdl, &space->managed, next) {
        hwaddr start = vrdl->extent.iova;
        uint64_t n = overlap(iova, size, start, vrdl->extent.size);

        if (n) {
            RamDiscardMgr *rdm = memory_region_get_ram_discard_mgr(vrdl->mr);
            uint64_t offset = vrdl->extent.offset + (iova - start);

            return ram_discard_mgr_is_populated(rdm, vrdl->mr, offset, n) ? n
                                                                          : 0;
        }
    }
    return 0;
}

bool vfio_user_container_exports(const VFIOContainer *container, hwaddr iova,
                                 uint64_t size)
{
    const VFIODMASpace *space = &container->space;

    while (size) {
        uint64_t n = exported_plain(space, iova, size);

        if (!n) {
            n = exported_managed(space, iova, size);
        }
        if (!n) {
            return false;
        }
        iova += n;
        size -= n;
    }
    return true;
}
