/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The firmware configuration device (hw/nvram/fw_cfg.h): selecting an item and
 * reading it byte by byte. The machine makes one. What the items are is
 * fw_cfg-items.c's business, copying them into RAM fw_cfg-dma.c's.
 */
#include "qemu/osdep.h"

#include "exec/address-spaces.h"
#include "fw_cfg-internal.h"

#define PORTS 2
#define DMA_PORTS 8
#define DMA_PORT_OFFSET 4

FWCfgState *fw_cfg_find(void)
{
    Object *obj = object_resolve_path_type("", TYPE_FW_CFG, NULL);

    return obj ? FW_CFG(obj) : NULL;
}

/* --- the item in use --- */

void fw_cfg_select(FWCfgState *s, uint16_t key)
{
    s->selected = key & FW_CFG_ENTRY_MASK;
    s->selected |= key & FW_CFG_ARCH_LOCAL;
    s->offset = 0;
}

FWCfgItem *fw_cfg_selected_item(FWCfgState *s)
{
    return g_hash_table_lookup(s->items, GUINT_TO_POINTER(s->selected));
}

static uint8_t next_byte(FWCfgState *s)
{
    const FWCfgItem *item = fw_cfg_selected_item(s);

    return item && s->offset < item->size ? item->data[s->offset++] : 0;
}

/* --- ports --- */

static uint64_t fw_cfg_read(void *opaque, hwaddr addr, unsigned size)
{
    return addr == 1 && size == 1 ? next_byte(opaque) : 0;
}

/* What is written to the data port is dropped. */
static void fw_cfg_write(void *opaque, hwaddr addr, uint64_t val,
                         unsigned size)
{
    if (addr == 0 && size == 2) {
        fw_cfg_select(opaque, val);
    }
}

static const MemoryRegionOps fw_cfg_ops = {
    .read = fw_cfg_read,
    .write = fw_cfg_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .impl = { .min_access_size = 1, .max_access_size = 2 },
};

/* --- life --- */

static void fw_cfg_reset(DeviceState *dev)
{
    FWCfgState *s = FW_CFG(dev);

    fw_cfg_select(s, FW_CFG_SIGNATURE);
    s->dma_addr = 0;
}

static void fw_cfg_realize(DeviceState *dev, Error **errp)
{
    FWCfgState *s = FW_CFG(dev);

    memory_region_init_io(&s->io, OBJECT(s), &fw_cfg_ops, s, "fwcfg", PORTS);
    memory_region_init_io(&s->dma_io, OBJECT(s), &fw_cfg_dma_ops, s,
                          "fwcfg.dma", DMA_PORTS);
    memory_region_add_subregion(get_system_io(), FW_CFG_IO_BASE, &s->io);
    memory_region_add_subregion(get_system_io(),
                                FW_CFG_IO_BASE + DMA_PORT_OFFSET, &s->dma_io);
}

static void fw_cfg_unrealize(DeviceState *dev)
{
    FWCfgState *s = FW_CFG(dev);

    memory_region_del_subregion(get_system_io(), &s->dma_io);
    memory_region_del_subregion(get_system_io(), &s->io);
    object_unparent(OBJECT(&s->dma_io));
    object_unparent(OBJECT(&s->io));
}

static void fw_cfg_instance_init(Object *obj)
{
    fw_cfg_items_init(FW_CFG(obj));
}

static void fw_cfg_finalize(Object *obj)
{
    fw_cfg_items_free(FW_CFG(obj));
}

static void fw_cfg_class_init(ObjectClass *klass, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->realize = fw_cfg_realize;
    dc->unrealize = fw_cfg_unrealize;
    dc->reset = fw_cfg_reset;
}

static const TypeInfo fw_cfg_types[] = {
    {
        .name = TYPE_FW_CFG,
        .parent = TYPE_SYS_BUS_DEVICE,
        .instance_size = sizeof(FWCfgState),
        .instance_init = fw_cfg_instance_init,
        .instance_finalize = fw_cfg_finalize,
        .class_init = fw_cfg_class_init,
    },
};
DEFINE_TYPES(fw_cfg_types)
