/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The firmware configuration device (hw/i386/fw_cfg.h). The machine makes one
 * and fills it in. Reading beyond an item, or one that is not there, gives 0.
 */
#include "qemu/osdep.h"

#include "exec/address-spaces.h"
#include "fw_cfg.h"
#include "hw/sysbus.h"

#define PORTS 2
#define ID_TRADITIONAL 1                  /* byte by byte, no DMA */

struct FWCfgState {
    SysBusDevice parent_obj;

    uint16_t selected;
    uint32_t offset;                      /* of the next byte of the item */

    GHashTable *items;                    /* key -> GBytes */
    MemoryRegion io;
};

void fw_cfg_add_bytes(FWCfgState *s, uint16_t key, const void *data,
                      size_t len)
{
    bool is_new = g_hash_table_insert(s->items, GUINT_TO_POINTER(key),
                                      g_bytes_new(data, len));

    g_assert(is_new);
}

void fw_cfg_add_i16(FWCfgState *s, uint16_t key, uint16_t value)
{
    value = GUINT16_TO_LE(value);
    fw_cfg_add_bytes(s, key, &value, sizeof(value));
}

void fw_cfg_add_i64(FWCfgState *s, uint16_t key, uint64_t value)
{
    value = GUINT64_TO_LE(value);
    fw_cfg_add_bytes(s, key, &value, sizeof(value));
}

static uint8_t next_byte(FWCfgState *s)
{
    GBytes *item = g_hash_table_lookup(s->items,
                                       GUINT_TO_POINTER(s->selected));
    gsize size = 0;
    const uint8_t *data = item ? g_bytes_get_data(item, &size) : NULL;

    return s->offset < size ? data[s->offset++] : 0;
}

static uint64_t fw_cfg_read(void *opaque, hwaddr addr, unsigned size)
{
    return addr == 1 && size == 1 ? next_byte(opaque) : 0;
}

static void fw_cfg_write(void *opaque, hwaddr addr, uint64_t val,
                         unsigned size)
{
    FWCfgState *s = opaque;

    if (addr == 0 && size == 2) {
        s->selected = val;
        s->offset = 0;
    }
}

static const MemoryRegionOps fw_cfg_ops = {
    .read = fw_cfg_read,
    .write = fw_cfg_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .impl = { .min_access_size = 1, .max_access_size = 2 },
};

static void fw_cfg_reset(DeviceState *dev)
{
    FWCfgState *s = FW_CFG(dev);

    s->selected = FW_CFG_SIGNATURE;
    s->offset = 0;
}

static void fw_cfg_realize(DeviceState *dev, Error **errp)
{
    FWCfgState *s = FW_CFG(dev);

    memory_region_init_io(&s->io, OBJECT(s), &fw_cfg_ops, s, "fwcfg", PORTS);
    memory_region_add_subregion(get_system_io(), FW_CFG_IO_BASE, &s->io);
}

static void fw_cfg_unrealize(DeviceState *dev)
{
    FWCfgState *s = FW_CFG(dev);

    memory_region_del_subregion(get_system_io(), &s->io);
    object_unparent(OBJECT(&s->io));
}

static void fw_cfg_instance_init(Object *obj)
{
    static const uint32_t id = GUINT32_TO_LE(ID_TRADITIONAL);
    static const uint32_t no_files;
    FWCfgState *s = FW_CFG(obj);

    s->items = g_hash_table_new_full(NULL, NULL, NULL,
                                     (GDestroyNotify)g_bytes_unref);
    fw_cfg_add_bytes(s, FW_CFG_SIGNATURE, "QEMU", 4);
    fw_cfg_add_bytes(s, FW_CFG_ID, &id, sizeof(id));
    fw_cfg_add_bytes(s, FW_CFG_FILE_DIR, &no_files, sizeof(no_files));
}

static void fw_cfg_finalize(Object *obj)
{
    g_hash_table_unref(FW_CFG(obj)->items);
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
