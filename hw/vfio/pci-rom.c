/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The expansion ROM of a passed-through function. The device is asked for it when the
 * guest first enables it (hw/pci/pci-rom.c), once: the guest's firmware reads a copy,
 * at the speed of memory, and devices that stop showing their ROM once they are in use
 * have it all the same. Whoever serves the device may say anything of its size.
 */
#include "qemu/osdep.h"

#include "pci-internal.h"
#include "qemu/error-report.h"

#define ADVICE "romfile= gives it another one, rombar=0 none"

static bool vfio_pci_rom_read(PCIDevice *pdev, void *buf, uint64_t size)
{
    VFIODevice *vbasedev = &VFIO_PCI_BASE(pdev)->vbasedev;
    int ret = vbasedev->io->region_read(vbasedev, VFIO_PCI_ROM_REGION_INDEX, 0,
                                        buf, size);

    if (ret) {
        warn_report("vfio %s: its option ROM cannot be read: %s; " ADVICE,
                    vbasedev->name, g_strerror(-ret));
    }
    return !ret;
}

bool vfio_pci_rom_init(VFIOPCIDevice *vdev, Error **errp)
{
    const struct vfio_region_info *info =
        vfio_device_region(&vdev->vbasedev, VFIO_PCI_ROM_REGION_INDEX);

    if (!pci_wants_rom(PCI_DEVICE(vdev)) || !info || !info->size ||
        !(info->flags & VFIO_REGION_INFO_FLAG_READ)) {
        return true;
    }
    if (info->size > PCI_ROM_MAX) {
        warn_report("vfio %s: its option ROM of 0x%" PRIx64 " bytes is not "
                    "shown, 0x%" PRIx64 " are possible; " ADVICE,
                    vdev->vbasedev.name, (uint64_t)info->size,
                    (uint64_t)PCI_ROM_MAX);
        return true;
    }
    return pci_set_rom(PCI_DEVICE(vdev), info->size, vfio_pci_rom_read, errp);
}
