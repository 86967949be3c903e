/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The DMA interface of the firmware configuration device: the guest writes the
 * address of a struct fw_cfg_dma_access, whose bytes are big endian, like the
 * register's. The transfer is done before the write ends; the structure's
 * control field then says how: 0, or FW_CFG_DMA_CTL_ERROR.
 *
 * All addresses are the guest's, and so not to be trusted. It must never reach
 * anything but RAM that is there: no device's registers, its own among them, no
 * unplugged memory, no address beyond the last.
 */
#include "qemu/osdep.h"

#include "exec/address-spaces.h"
#include "fw_cfg-internal.h"
#include "qemu/units.h"

typedef struct fw_cfg_dma_access DmaAccess;

#define HIGH_HALF 0
#define LOW_HALF 4

/* Of RAM that is there, and nothing else. */
static const MemTxAttrs attrs_ram = { .memory = 1 };

/* --- transfers; false: an error --- */

static uint32_t bytes_left(FWCfgState *s)
{
    const FWCfgItem *item = fw_cfg_selected_item(s);

    return item && s->offset < item->size ? item->size - s->offset : 0;
}

/* Zeros follow the item, but not so many that the emulator stands still. */
static bool dma_read(FWCfgState *s, hwaddr addr, uint32_t len)
{
    const FWCfgItem *item = fw_cfg_selected_item(s);
    uint32_t n = MIN(len, bytes_left(s));
    hwaddr end;

    if (__builtin_add_overflow(addr, len, &end) ||
        len - n > FW_CFG_DMA_BEYOND_MAX ||
        (n && address_space_write(&address_space_memory, addr, attrs_ram,
                                  item->data + s->offset, n)) ||
        address_space_set(&address_space_memory, addr + n, 0, len - n,
                          attrs_ram)) {
        return false;
    }
    s->offset += n;
    return true;
}

static bool dma_write(FWCfgState *s, hwaddr addr, uint32_t len)
{
    const FWCfgItem *item = fw_cfg_selected_item(s);
    MemTxResult result;

    if (!item || !item->written || len > bytes_left(s)) {
        return false;
    }
    result = address_space_read(&address_space_memory, addr, attrs_ram,
                                item->data + s->offset, len);
    item->written(item->opaque);
    if (result == MEMTX_OK) {
        s->offset += len;
    }
    return result == MEMTX_OK;
}

static bool dma_transfer(FWCfgState *s, uint32_t control, hwaddr addr,
                         uint32_t len)
{
    if (control & FW_CFG_DMA_CTL_SELECT) {
        fw_cfg_select(s, control >> 16);
    }
    if (control & FW_CFG_DMA_CTL_READ) {
        return dma_read(s, addr, len);
    }
    if (control & FW_CFG_DMA_CTL_WRITE) {
        return dma_write(s, addr, len);
    }
    if (control & FW_CFG_DMA_CTL_SKIP) {
        s->offset += MIN(len, bytes_left(s));
    }
    return true;
}

static void dma_start(FWCfgState *s)
{
    hwaddr at = s->dma_addr;
    DmaAccess access;
    uint32_t control = FW_CFG_DMA_CTL_ERROR;

    s->dma_addr = 0;
    if (address_space_read(&address_space_memory, at, attrs_ram, &access,
                           sizeof(access)) == MEMTX_OK &&
        dma_transfer(s, GUINT32_FROM_BE(access.control),
                     GUINT64_FROM_BE(access.address),
                     GUINT32_FROM_BE(access.length))) {
        control = 0;
    }
    control = GUINT32_TO_BE(control);
    /* Nobody can be told if this is no RAM either. */
    address_space_write(&address_space_memory,
                        at + offsetof(DmaAccess, control), attrs_ram, &control,
                        sizeof(control));
}

/* --- the register --- */

static uint64_t dma_read_register(void *opaque, hwaddr addr, unsigned size)
{
    return FW_CFG_DMA_SIGNATURE >> (sizeof(uint64_t) - addr - size) * 8;
}

static void dma_write_register(void *opaque, hwaddr addr, uint64_t value,
                               unsigned size)
{
    FWCfgState *s = opaque;

    if (addr == HIGH_HALF) {
        s->dma_addr = size == 8 ? value : value << 32;
    } else {
        s->dma_addr |= (uint32_t)value;
    }
    if (addr == LOW_HALF || size == 8) {
        dma_start(s);
    }
}

/* Reads may be of any width; writes are of a half, or of all. */
static bool dma_accepts(void *opaque, hwaddr addr, unsigned size, bool is_write,
                        MemTxAttrs attrs)
{
    return !is_write || (size == 4 && (addr == HIGH_HALF || addr == LOW_HALF)) ||
           (size == 8 && addr == HIGH_HALF);
}

const MemoryRegionOps fw_cfg_dma_ops = {
    .read = dma_read_register,
    .write = dma_write_register,
    .endianness = DEVICE_BIG_ENDIAN,
    .valid = { .max_access_size = 8, .accepts = dma_accepts },
    .impl = { .min_access_size = 1, .max_access_size = 8 },
};
