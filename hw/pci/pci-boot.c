/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From which functions firmware boots, and in which order: bootindex=. Nothing is
 * kept here: the order is worked out from the devices that there are.
 */
#include "qemu/osdep.h"

#include "hw/pci/pci_bus.h"
#include "pci-internal.h"
#include "qapi/error.h"

/* --- what is there --- */

typedef bool Wanted(const PCIDevice *dev);

static bool has_index(const PCIDevice *dev)
{
    return dev->bootindex >= 0;
}

/* Firmware takes it for a disk, so -boot order=d has to be translated. */
static bool is_cd_without_index(const PCIDevice *dev)
{
    return dev->cdrom && dev->bootindex < 0;
}

static void add_behind(PCIBus *bus, Wanted *wanted, GPtrArray *found)
{
    for (int i = 0; i < PCI_DEVFN_MAX; i++) {
        PCIDevice *dev = bus->devices[i];
        PCIBus *behind = dev ? pci_bridge_get_sec_bus(dev) : NULL;

        if (behind) {
            add_behind(behind, wanted, found);
        } else if (dev && wanted(dev)) {
            g_ptr_array_add(found, dev);
        }
    }
}

static PCIBus *root_of(PCIBus *bus)
{
    while (bus->parent_dev) {
        bus = pci_get_bus(bus->parent_dev);
    }
    return bus;
}

bool pci_boot_check_index(PCIDevice *dev, Error **errp)
{
    g_autoptr(GPtrArray) others = g_ptr_array_new();

    if (dev->bootindex < -1) {
        error_setg(errp, "bootindex=%d: 0 or more is expected, or -1 for none",
                   dev->bootindex);
        return false;
    }
    add_behind(root_of(pci_get_bus(dev)), has_index, others);
    for (guint i = 0; dev->bootindex >= 0 && i < others->len; i++) {
        PCIDevice *other = others->pdata[i];

        if (other->bootindex == dev->bootindex) {
            error_setg(errp, "bootindex=%d: has already been used, by %s%s%s",
                       dev->bootindex, other->name,
                       other->qdev.id ? ",id=" : "",
                       other->qdev.id ? other->qdev.id : "");
            return false;
        }
    }
    return true;
}

/* --- as firmware knows them --- */

static const char *class_name(uint16_t class_id)
{
    switch (class_id) {
    case PCI_CLASS_STORAGE_SCSI:
        return "scsi";
    case PCI_CLASS_NETWORK_ETHERNET:
        return "ethernet";
    case PCI_CLASS_BRIDGE_PCI:
        return "pci-bridge";
    default:
        return NULL;
    }
}

static void append_path(GString *out, PCIDevice *dev)
{
    PCIBus *bus = pci_get_bus(dev);
    const char *name = class_name(pci_get_word(dev->config + PCI_CLASS_DEVICE));

    if (bus->parent_dev) {
        append_path(out, bus->parent_dev);
    } else {
        g_string_append(out, "/pci@i0cf8");
    }
    if (name) {
        g_string_append_printf(out, "/%s", name);
    } else {
        g_string_append_printf(out, "/pci%x,%x",
                               pci_get_word(dev->config + PCI_VENDOR_ID),
                               pci_get_word(dev->config + PCI_DEVICE_ID));
    }
    g_string_append_printf(out, "@%x", PCI_SLOT(dev->devfn));
    if (PCI_FUNC(dev->devfn)) {
        g_string_append_printf(out, ",%x", PCI_FUNC(dev->devfn));
    }
}

static gint compare_indexes(gconstpointer a, gconstpointer b)
{
    int32_t x = (*(PCIDevice *const *)a)->bootindex;
    int32_t y = (*(PCIDevice *const *)b)->bootindex;

    return x < y ? -1 : x > y;
}

/* Lines have their end between them. */
static void begin_line(GString *out)
{
    if (out->len) {
        g_string_append_c(out, '\n');
    }
}

/* Of the letters of -boot order=. */
static bool cds_before_disks(const char *order)
{
    const char *cd = strchr(order, 'd'), *disk = strchr(order, 'c');

    return cd && (!disk || cd < disk);
}

char *pci_boot_order(PCIBus *root, const char *first, const char *order,
                     bool strict, size_t *size)
{
    g_autoptr(GPtrArray) found = g_ptr_array_new();
    GString *out = g_string_new(first);

    add_behind(root, has_index, found);
    g_ptr_array_sort(found, compare_indexes);
    if (cds_before_disks(order)) {
        add_behind(root, is_cd_without_index, found);
    }
    for (guint i = 0; i < found->len; i++) {
        PCIDevice *dev = found->pdata[i];

        begin_line(out);
        append_path(out, dev);
        g_string_append(out, dev->boot_suffix ?: "");
    }
    if (strict) {
        begin_line(out);
        g_string_append(out, "HALT");
    }
    *size = out->len ? out->len + 1 : 0;
    return g_string_free(out, !out->len);
}
