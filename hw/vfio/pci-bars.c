/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The BARs of a passed-through function: regions of the device that the guest
 * places where it likes. The kind of each is in the device's own register, as
 * it was when the device was opened.
 */
#include "qemu/osdep.h"

#include "pci-internal.h"

/* Kind of BAR @nr: PCI_BASE_ADDRESS_* flags. */
static uint8_t vfio_bar_type(VFIOPCIDevice *vdev, int nr)
{
    uint32_t reg = pci_get_long(vdev->header + PCI_BASE_ADDRESS_0 + 4 * nr);

    if (reg & PCI_BASE_ADDRESS_SPACE_IO) {
        return PCI_BASE_ADDRESS_SPACE_IO;
    }
    return reg & (PCI_BASE_ADDRESS_MEM_TYPE_64 | PCI_BASE_ADDRESS_MEM_PREFETCH);
}

static bool vfio_bar_check(VFIOPCIDevice *vdev, int nr, Error **errp)
{
    uint64_t size = vdev->bars[nr].size;
    uint8_t type = vfio_bar_type(vdev, nr);
    uint64_t min = type & PCI_BASE_ADDRESS_SPACE_IO ? 4 : 16;
    bool is64 = type & PCI_BASE_ADDRESS_MEM_TYPE_64;
    const struct vfio_region_info *upper =
        vfio_device_region(&vdev->vbasedev, nr + 1);

    if (!size) {
        return true;
    }
    if (!is_power_of_2(size) || size < min ||
        (is64 ? nr == PCI_STD_NUM_BARS - 1 || !upper || upper->size
              : size > 1ULL << 31)) {
        error_setg(errp, "vfio %s: BAR %d of 0x%" PRIx64 " bytes (type 0x%x) "
                   "is not possible", vdev->vbasedev.name, nr, size, type);
        return false;
    }
    return true;
}

bool vfio_pci_bars_init(VFIOPCIDevice *vdev, Error **errp)
{
    for (int i = 0; i < PCI_STD_NUM_BARS; i++) {
        g_autofree char *name =
            g_strdup_printf("%s BAR %d", vdev->vbasedev.name, i);

        if (!vfio_region_init(&vdev->bars[i], OBJECT(vdev), &vdev->vbasedev,
                              VFIO_PCI_BAR0_REGION_INDEX + i, name,
                              !vdev->no_mmap, errp) ||
            !vfio_bar_check(vdev, i, errp)) {
            vfio_pci_bars_exit(vdev);
            vfio_pci_bars_finalize(vdev);
            return false;
        }
    }
    return true;
}

void vfio_pci_bars_register(VFIOPCIDevice *vdev)
{
    for (int i = 0; i < PCI_STD_NUM_BARS; i++) {
        if (vdev->bars[i].size) {
            pci_register_bar(PCI_DEVICE(vdev), i, vfio_bar_type(vdev, i),
                             &vdev->bars[i].mem);
        }
    }
}

void vfio_pci_bars_exit(VFIOPCIDevice *vdev)
{
    for (int i = 0; i < PCI_STD_NUM_BARS; i++) {
        vfio_region_exit(&vdev->bars[i]);
    }
}

void vfio_pci_bars_finalize(VFIOPCIDevice *vdev)
{
    for (int i = 0; i < PCI_STD_NUM_BARS; i++) {
        vfio_region_finalize(&vdev->bars[i]);
    }
}

void vfio_pci_bars_set_mmaps_enabled(VFIOPCIDevice *vdev, bool enabled)
{
    for (int i = 0; i < PCI_STD_NUM_BARS; i++) {
        vfio_region_mmaps_set_enabled(&vdev->bars[i], enabled && !vdev->lost);
    }
}
