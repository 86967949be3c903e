/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Configuration space of a passed-through function: a mixture, bit by bit, of
 * the device's own and of what we keep for the guest. Ours are the BARs, the
 * lists of capabilities, MSI and MSI-X, because the guest must not see, and
 * cannot use, the host's addresses and interrupts. A write goes to the device
 * unless all of it is ours, and always to our copy, where the PCI layer acts
 * on it.
 */
#include "qemu/osdep.h"

#include "pci-internal.h"

/* --- the device's own --- */

uint32_t vfio_pci_phys_read(VFIOPCIDevice *vdev, uint32_t addr, int len)
{
    VFIODevice *vbasedev = &vdev->vbasedev;
    uint32_t val = 0;

    if (vbasedev->io->region_read(vbasedev, VFIO_PCI_CONFIG_REGION_INDEX, addr,
                                  &val, len)) {
        return UINT32_MAX >> (32 - 8 * len);
    }
    return GUINT32_FROM_LE(val);
}

int vfio_pci_phys_write(VFIOPCIDevice *vdev, uint32_t addr, uint32_t val,
                        int len)
{
    VFIODevice *vbasedev = &vdev->vbasedev;

    val = GUINT32_TO_LE(val);
    return vbasedev->io->region_write(vbasedev, VFIO_PCI_CONFIG_REGION_INDEX,
                                      addr, &val, len);
}

/* --- the guest's view --- */

void vfio_pci_emulate(VFIOPCIDevice *vdev, uint32_t addr, uint32_t len)
{
    memset(vdev->emulated_bits + addr, 0xff, len);
}

/* The mask for @len bytes at @addr, as the value of a read has them. */
static uint32_t vfio_pci_emulated(const VFIOPCIDevice *vdev, uint32_t addr,
                                  int len)
{
    uint32_t mask = 0;

    memcpy(&mask, vdev->emulated_bits + addr, len);
    return GUINT32_FROM_LE(mask);
}

static bool vfio_pci_in_config(const PCIDevice *pdev, uint32_t addr, int len)
{
    return addr < pci_config_size(pdev) &&
           (uint32_t)len <= pci_config_size(pdev) - addr;
}

uint32_t vfio_pci_config_read(PCIDevice *pdev, uint32_t addr, int len)
{
    VFIOPCIDevice *vdev = VFIO_PCI_BASE(pdev);
    uint32_t ours = pci_default_read_config(pdev, addr, len);
    uint32_t all = UINT32_MAX >> (32 - 8 * len);
    uint32_t mask;

    if (!vfio_pci_in_config(pdev, addr, len)) {
        return ours;
    }
    mask = vfio_pci_emulated(vdev, addr, len);
    if (mask == all) {
        return ours;
    }
    return (ours & mask) | (vfio_pci_phys_read(vdev, addr, len) & ~mask);
}

/* Writes to the device what is its own of @val; ours as it is there. */
static void vfio_pci_pass_write(VFIOPCIDevice *vdev, uint32_t addr,
                                uint32_t val, int len)
{
    uint32_t all = UINT32_MAX >> (32 - 8 * len);
    uint32_t mask = vfio_pci_emulated(vdev, addr, len);

    if (mask == all) {
        return;
    }
    if (mask) {
        val = (val & ~mask) | (vfio_pci_phys_read(vdev, addr, len) & mask);
    }
    vfio_pci_phys_write(vdev, addr, val, len);
}

void vfio_pci_config_write(PCIDevice *pdev, uint32_t addr, uint32_t val,
                           int len)
{
    VFIOPCIDevice *vdev = VFIO_PCI_BASE(pdev);

    if (!vfio_pci_in_config(pdev, addr, len)) {
        return;
    }
    vfio_pci_pass_write(vdev, addr, val, len);
    pci_default_write_config(pdev, addr, val, len);
    vfio_pci_irq_update(vdev);
}

/* --- set-up --- */

static bool vfio_pci_read_space(VFIOPCIDevice *vdev, uint8_t *config,
                                Error **errp)
{
    VFIODevice *vbasedev = &vdev->vbasedev;
    const struct vfio_region_info *info =
        vfio_device_region(vbasedev, VFIO_PCI_CONFIG_REGION_INDEX);
    uint32_t size = pci_config_size(PCI_DEVICE(vdev));
    int ret;

    if (!info || info->size < PCI_CONFIG_SPACE_SIZE) {
        error_setg(errp, "vfio %s: it has no PCI configuration space",
                   vbasedev->name);
        return false;
    }
    memset(config, 0, size);
    ret = vbasedev->io->region_read(vbasedev, VFIO_PCI_CONFIG_REGION_INDEX, 0,
                                    config, MIN(size, info->size));
    if (ret) {
        error_setg_errno(errp, -ret, "vfio %s: cannot read its PCI "
                         "configuration space", vbasedev->name);
        return false;
    }
    if ((config[PCI_HEADER_TYPE] & 0x7f) != PCI_HEADER_TYPE_NORMAL) {
        error_setg(errp, "vfio %s: it is a bridge, which cannot be passed "
                   "through", vbasedev->name);
        return false;
    }
    return true;
}

static bool vfio_pci_override_id(VFIOPCIDevice *vdev, uint32_t pos,
                                 uint32_t id, const char *property,
                                 Error **errp)
{
    if (id == UINT32_MAX) {
        return true;
    }
    if (id > UINT16_MAX) {
        error_setg(errp, "vfio %s: %s=0x%" PRIx32 " is beyond 0xffff",
                   vdev->vbasedev.name, property, id);
        return false;
    }
    pci_set_word(PCI_DEVICE(vdev)->config + pos, id);
    vfio_pci_emulate(vdev, pos, 2);
    return true;
}

static bool vfio_pci_override_ids(VFIOPCIDevice *vdev, Error **errp)
{
    return vfio_pci_override_id(vdev, PCI_VENDOR_ID, vdev->vendor_id,
                                "x-pci-vendor-id", errp) &&
           vfio_pci_override_id(vdev, PCI_DEVICE_ID, vdev->device_id,
                                "x-pci-device-id", errp) &&
           vfio_pci_override_id(vdev, PCI_SUBSYSTEM_VENDOR_ID,
                                vdev->sub_vendor_id, "x-pci-sub-vendor-id",
                                errp) &&
           vfio_pci_override_id(vdev, PCI_SUBSYSTEM_ID, vdev->sub_device_id,
                                "x-pci-sub-device-id", errp);
}

/* The header: what of it is ours, and what we begin with. */
static void vfio_pci_init_header(VFIOPCIDevice *vdev, bool multifunction)
{
    uint8_t *config = PCI_DEVICE(vdev)->config;

    pci_set_word(config + PCI_COMMAND, 0);
    /* Set again by the first capability that the guest is shown. */
    pci_word_test_and_clear_mask(config + PCI_STATUS, PCI_STATUS_CAP_LIST |
                                                      PCI_STATUS_INTERRUPT);
    pci_set_word(vdev->emulated_bits + PCI_STATUS, PCI_STATUS_CAP_LIST);
    config[PCI_HEADER_TYPE] = multifunction ? 0x80 : 0;
    vfio_pci_emulate(vdev, PCI_HEADER_TYPE, 1);

    /* BARs come when they are registered, as the ROM does. */
    memset(config + PCI_BASE_ADDRESS_0, 0, PCI_STD_NUM_BARS * 4);
    vfio_pci_emulate(vdev, PCI_BASE_ADDRESS_0, PCI_STD_NUM_BARS * 4);
    pci_set_long(config + PCI_ROM_ADDRESS, 0);
    vfio_pci_emulate(vdev, PCI_ROM_ADDRESS, 4);

    config[PCI_CAPABILITY_LIST] = 0;
    vfio_pci_emulate(vdev, PCI_CAPABILITY_LIST, 1);
    config[PCI_INTERRUPT_LINE] = 0;
    vfio_pci_emulate(vdev, PCI_INTERRUPT_LINE, 2);
}

bool vfio_pci_config_init(VFIOPCIDevice *vdev, Error **errp)
{
    PCIDevice *pdev = PCI_DEVICE(vdev);

    if (!vfio_pci_read_space(vdev, pdev->config, errp)) {
        return false;
    }
    memcpy(vdev->header, pdev->config, sizeof(vdev->header));
    vdev->emulated_bits = g_malloc0(pci_config_size(pdev));
    return true;
}

bool vfio_pci_header_init(VFIOPCIDevice *vdev, Error **errp)
{
    vfio_pci_init_header(vdev, PCI_DEVICE(vdev)->cap_present &
                               QEMU_PCI_CAP_MULTIFUNCTION);
    return vfio_pci_override_ids(vdev, errp);
}

void vfio_pci_config_exit(VFIOPCIDevice *vdev)
{
    g_clear_pointer(&vdev->emulated_bits, g_free);
}
