/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The capabilities of a passed-through function. The guest gets lists of its
 * own, in the device's order and at the device's offsets: what is safe is
 * passed through, MSI and MSI-X are those of the PCI layer, and what would let
 * the guest rearrange the host (SR-IOV, resizable BARs ...) or what a link
 * that it does not have would show is hidden. Offsets come from the device and
 * are not trusted.
 */
#include "qemu/osdep.h"

#include "hw/pci/pci_bus.h"
#include "pci-internal.h"

/* As many as there can be, 4 bytes each. */
#define VFIO_MAX_CAPS ((PCI_CONFIG_SPACE_SIZE - PCI_CONFIG_HEADER_SIZE) / 4)
#define VFIO_MAX_EXT_CAPS \
    ((PCIE_CONFIG_SPACE_SIZE - PCI_CFG_SPACE_SIZE) / 4)
#define EXT_CAP_NEXT_SHIFT 20
#define EXT_CAP_VER_SHIFT 16

/* --- the device's list --- */

typedef struct VFIOCap {
    uint16_t pos;
    uint16_t end;                         /* where the next by offset begins */
    uint8_t id;
} VFIOCap;

/* The device's list in its order; a pointer that makes no sense ends it. */
static unsigned vfio_caps_read(const uint8_t *config, VFIOCap *caps)
{
    unsigned n = 0;
    uint8_t pos = config[PCI_CAPABILITY_LIST] & ~3;

    if (!(pci_get_word(config + PCI_STATUS) & PCI_STATUS_CAP_LIST)) {
        return 0;
    }
    while (pos >= PCI_CONFIG_HEADER_SIZE && n < VFIO_MAX_CAPS) {
        for (unsigned i = 0; i < n; i++) {
            if (caps[i].pos == pos) {
                return n;
            }
        }
        caps[n++] = (VFIOCap) { .pos = pos, .id = config[pos] };
        pos = config[pos + PCI_CAP_LIST_NEXT] & ~3;
    }
    return n;
}

static void vfio_caps_find_ends(VFIOCap *caps, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        caps[i].end = PCI_CONFIG_SPACE_SIZE;
        for (unsigned j = 0; j < n; j++) {
            if (caps[j].pos > caps[i].pos) {
                caps[i].end = MIN(caps[i].end, caps[j].pos);
            }
        }
    }
}

/* --- MSI and MSI-X --- */

void vfio_pci_find_msix(VFIOPCIDevice *vdev, const uint8_t *config)
{
    VFIOCap caps[VFIO_MAX_CAPS];
    unsigned n = vfio_caps_read(config, caps);

    vdev->msix = (VFIOMSIXInfo) { 0 };
    for (unsigned i = 0; i < n; i++) {
        const uint8_t *cap = config + caps[i].pos;
        uint32_t table, pba;

        if (caps[i].id != PCI_CAP_ID_MSIX ||
            caps[i].pos + PCI_CAP_MSIX_SIZEOF > PCI_CONFIG_SPACE_SIZE) {
            continue;
        }
        table = pci_get_long(cap + PCI_MSIX_TABLE);
        pba = pci_get_long(cap + PCI_MSIX_PBA);
        vdev->msix = (VFIOMSIXInfo) {
            .entries = (pci_get_word(cap + PCI_MSIX_FLAGS) &
                        PCI_MSIX_FLAGS_QSIZE) + 1,
            .table_bar = table & PCI_MSIX_TABLE_BIR,
            .table_offset = table & PCI_MSIX_TABLE_OFFSET,
            .pba_bar = pba & PCI_MSIX_PBA_BIR,
            .pba_offset = pba & PCI_MSIX_PBA_OFFSET,
        };
        return;
    }
}

static uint16_t vfio_msi_size(const VFIOCap *cap, uint16_t flags)
{
    uint16_t size = flags & PCI_MSI_FLAGS_64BIT ? PCI_MSI_DATA_64 + 2
                                                : PCI_MSI_DATA_32 + 2;

    if (flags & PCI_MSI_FLAGS_MASKBIT) {
        size = flags & PCI_MSI_FLAGS_64BIT ? PCI_MSI_PENDING_64 + 4
                                           : PCI_MSI_PENDING_32 + 4;
    }
    return MIN(size, cap->end - cap->pos);
}

/* Per-vector masking is not offered: the guest then masks by what it does
 * have, and each vector has one state less. */
static bool vfio_add_msi(VFIOPCIDevice *vdev, const VFIOCap *cap, Error **errp)
{
    PCIDevice *pdev = PCI_DEVICE(vdev);
    uint16_t flags = pci_get_word(pdev->config + cap->pos + PCI_MSI_FLAGS);
    unsigned log2 = MIN((flags & PCI_MSI_FLAGS_QMASK) >> 1, 5);
    bool is64 = flags & PCI_MSI_FLAGS_64BIT;
    uint16_t size = vfio_msi_size(cap, flags);

    if (msi_init(pdev, cap->pos, 1U << log2, is64, false, errp) < 0) {
        return false;
    }
    vfio_pci_emulate(vdev, cap->pos, size);
    if (size > PCI_MSI_ADDRESS_LO) {
        memset(pdev->config + cap->pos + PCI_MSI_ADDRESS_LO, 0,
               size - PCI_MSI_ADDRESS_LO);
    }
    return true;
}

static VFIORegion *vfio_msix_bar(VFIOPCIDevice *vdev, uint8_t nr, Error **errp)
{
    if (nr >= PCI_STD_NUM_BARS || !vdev->bars[nr].size) {
        error_setg(errp, "vfio %s: its MSI-X table is in BAR %u, which it does "
                   "not have", vdev->vbasedev.name, nr);
        return NULL;
    }
    return &vdev->bars[nr];
}

static bool vfio_add_msix(VFIOPCIDevice *vdev, const VFIOCap *cap,
                          Error **errp)
{
    PCIDevice *pdev = PCI_DEVICE(vdev);
    const VFIOMSIXInfo *msix = &vdev->msix;
    VFIORegion *table, *pba;

    if (msix_present(pdev)) {
        return true;
    }
    table = vfio_msix_bar(vdev, msix->table_bar, errp);
    pba = table ? vfio_msix_bar(vdev, msix->pba_bar, errp) : NULL;
    if (!pba || msix_init(pdev, msix->entries, &table->mem, msix->table_bar,
                          msix->table_offset, &pba->mem, msix->pba_bar,
                          msix->pba_offset, cap->pos, errp) < 0) {
        return false;
    }
    vfio_pci_emulate(vdev, cap->pos, PCI_CAP_MSIX_SIZEOF);
    for (unsigned v = 0; v < msix->entries; v++) {
        msix_vector_use(pdev, v);
    }
    return true;
}

/* --- PCI Express --- */

static uint8_t vfio_express_size(const VFIOCap *cap, uint16_t flags)
{
    uint8_t size = (flags & PCI_EXP_FLAGS_VERS) >= 2 ? PCI_EXP_SLTSTA2 + 2
                                                     : PCI_EXP_LNKSTA + 2;

    return MIN(size, cap->end - cap->pos);
}

/* On a root bus the function becomes an integrated endpoint, without a link. */
static void vfio_express_integrate(VFIOPCIDevice *vdev, uint8_t pos,
                                   uint8_t size)
{
    static const struct { uint8_t pos, len; } links[] = {
        { PCI_EXP_LNKCAP, PCI_EXP_LNKSTA + 2 - PCI_EXP_LNKCAP },
        { PCI_EXP_LNKCAP2, PCI_EXP_LNKSTA2 + 2 - PCI_EXP_LNKCAP2 },
    };
    uint8_t *cap = PCI_DEVICE(vdev)->config + pos;
    uint16_t flags = pci_get_word(cap + PCI_EXP_FLAGS);

    flags = (flags & ~PCI_EXP_FLAGS_TYPE) | (PCI_EXP_TYPE_RC_END << 4);
    pci_set_word(cap + PCI_EXP_FLAGS, flags);
    vfio_pci_emulate(vdev, pos + PCI_EXP_FLAGS, 2);
    for (unsigned i = 0; i < ARRAY_SIZE(links); i++) {
        if (links[i].pos + links[i].len <= size) {
            memset(cap + links[i].pos, 0, links[i].len);
            vfio_pci_emulate(vdev, pos + links[i].pos, links[i].len);
        }
    }
}

static bool vfio_add_express(VFIOPCIDevice *vdev, const VFIOCap *cap,
                             Error **errp)
{
    PCIDevice *pdev = PCI_DEVICE(vdev);
    PCIBus *bus = pci_get_bus(pdev);
    uint16_t flags = pci_get_word(pdev->config + cap->pos + PCI_EXP_FLAGS);
    uint8_t size = vfio_express_size(cap, flags);
    uint8_t type = (flags & PCI_EXP_FLAGS_TYPE) >> 4;

    if (!pci_bus_is_express(bus) || size < PCI_EXP_LNKCAP) {
        return true;
    }
    if (pci_add_capability(pdev, PCI_CAP_ID_EXP, cap->pos, size, errp) < 0) {
        return false;
    }
    pdev->exp.exp_cap = cap->pos;
    if (pci_bus_is_root(bus) && type != PCI_EXP_TYPE_RC_END) {
        vfio_express_integrate(vdev, cap->pos, size);
    }
    return true;
}

/* --- the guest's list --- */

static bool vfio_add_plain(VFIOPCIDevice *vdev, const VFIOCap *cap,
                           Error **errp)
{
    return pci_add_capability(PCI_DEVICE(vdev), cap->id, cap->pos,
                              MIN(cap->end - cap->pos, UINT8_MAX), errp) >= 0;
}

static bool vfio_add_cap(VFIOPCIDevice *vdev, const VFIOCap *cap, Error **errp)
{
    bool ok;

    switch (cap->id) {
    case PCI_CAP_ID_MSI:
        ok = vfio_add_msi(vdev, cap, errp);
        break;
    case PCI_CAP_ID_MSIX:
        ok = vfio_add_msix(vdev, cap, errp);
        break;
    case PCI_CAP_ID_EXP:
        ok = vfio_add_express(vdev, cap, errp);
        break;
    case PCI_CAP_ID_PM:
        vdev->pm_cap = cap->pos;
        ok = vfio_add_plain(vdev, cap, errp);
        break;
    case PCI_CAP_ID_EA:
        /* Enhanced allocation: host addresses that are not the guest's. */
        ok = true;
        break;
    default:
        ok = vfio_add_plain(vdev, cap, errp);
    }
    vfio_pci_emulate(vdev, cap->pos, 2);
    return ok;
}

/* The PCI layer puts each new one first: so from the last to the first. */
static bool vfio_add_caps(VFIOPCIDevice *vdev, const VFIOCap *caps, unsigned n,
                          Error **errp)
{
    while (n-- > 0) {
        if (!vfio_add_cap(vdev, &caps[n], errp)) {
            return false;
        }
    }
    return true;
}

/* --- extended capabilities --- */

static bool vfio_ext_cap_hidden(uint16_t id)
{
    switch (id) {
    case PCI_EXT_CAP_ID_SRIOV:
    case PCI_EXT_CAP_ID_ARI:
    case PCI_EXT_CAP_ID_REBAR:
    case PCI_EXT_CAP_ID_ATS:
    case PCI_EXT_CAP_ID_PRI:
    case PCI_EXT_CAP_ID_PASID:
        return true;
    default:
        return false;
    }
}

typedef struct VFIOExtCap {
    uint16_t pos;
    uint32_t header;
} VFIOExtCap;

/* In the device's order; backward pointers are legal, loops are not. */
static unsigned vfio_ext_caps_read(const uint8_t *config, VFIOExtCap *caps)
{
    g_autofree uint8_t *seen = g_malloc0(PCIE_CONFIG_SPACE_SIZE);
    uint32_t pos = PCI_CFG_SPACE_SIZE;
    unsigned n = 0;

    while (pos >= PCI_CFG_SPACE_SIZE && !seen[pos]) {
        uint32_t header = pci_get_long(config + pos);

        if (!header || header == UINT32_MAX) {
            break;
        }
        seen[pos] = 1;
        caps[n++] = (VFIOExtCap) { pos, header };
        pos = PCI_EXT_CAP_NEXT(header);
    }
    return n;
}

static uint32_t vfio_ext_cap_end(const VFIOExtCap *caps, unsigned n,
                                 unsigned which)
{
    uint32_t end = PCIE_CONFIG_SPACE_SIZE;

    for (unsigned i = 0; i < n; i++) {
        if (caps[i].pos > caps[which].pos) {
            end = MIN(end, caps[i].pos);
        }
    }
    return end;
}

/*
 * Links what is shown, and blanks what is not. The list must begin at 0x100:
 * if that is hidden, an empty header there points on.
 */
static void vfio_pci_ext_caps_init(VFIOPCIDevice *vdev)
{
    PCIDevice *pdev = PCI_DEVICE(vdev);
    g_autofree VFIOExtCap *caps = g_new(VFIOExtCap, VFIO_MAX_EXT_CAPS);
    unsigned n = vfio_ext_caps_read(pdev->config, caps);
    uint32_t next = 0;

    for (unsigned i = n; i-- > 0;) {
        uint8_t *at = pdev->config + caps[i].pos;
        uint32_t keep = (1U << EXT_CAP_NEXT_SHIFT) - 1;

        if (vfio_ext_cap_hidden(PCI_EXT_CAP_ID(caps[i].header))) {
            uint32_t len = vfio_ext_cap_end(caps, n, i) - caps[i].pos;

            memset(at, 0, len);
            vfio_pci_emulate(vdev, caps[i].pos, len);
            keep = 0;
        }
        pci_set_long(at, (caps[i].header & keep) | next << EXT_CAP_NEXT_SHIFT);
        vfio_pci_emulate(vdev, caps[i].pos, 4);
        if (keep) {
            next = caps[i].pos;
        }
    }
    if (!n) {
        pci_set_long(pdev->config + PCI_CFG_SPACE_SIZE, 0);
        vfio_pci_emulate(vdev, PCI_CFG_SPACE_SIZE, 4);
    }
}

/* --- set-up --- */

bool vfio_pci_caps_init(VFIOPCIDevice *vdev, Error **errp)
{
    PCIDevice *pdev = PCI_DEVICE(vdev);
    g_autofree uint8_t *device = g_malloc(PCI_CONFIG_SPACE_SIZE);
    VFIOCap caps[VFIO_MAX_CAPS];
    unsigned n;

    /* The header has been made ours; the list begins in the device's. */
    memcpy(device, pdev->config, PCI_CONFIG_SPACE_SIZE);
    memcpy(device, vdev->header, sizeof(vdev->header));

    n = vfio_caps_read(device, caps);
    vfio_caps_find_ends(caps, n);
    if (!vfio_add_caps(vdev, caps, n, errp)) {
        vfio_pci_caps_exit(vdev);
        return false;
    }
    if (pci_is_express(pdev)) {
        vfio_pci_ext_caps_init(vdev);
    }
    return true;
}

void vfio_pci_caps_exit(VFIOPCIDevice *vdev)
{
    PCIDevice *pdev = PCI_DEVICE(vdev);

    if (msix_present(pdev)) {
        msix_uninit(pdev, &vdev->bars[vdev->msix.table_bar].mem,
                    &vdev->bars[vdev->msix.pba_bar].mem);
    }
    msi_uninit(pdev);
    pdev->exp.exp_cap = 0;
    vdev->pm_cap = 0;
}
