/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Message signalled interrupts: the capability in configuration space, which
 * holds all state, and sending. Used by device models and by msix.c (sending).
 */
#include "qemu/osdep.h"

#include "hw/pci/msi.h"
#include "pci-internal.h"

void msi_send_message(PCIDevice *dev, MSIMessage msg)
{
    MemTxAttrs attrs = { .requester_id = pci_requester_id(dev) };

    address_space_stl_le(&dev->bus_master_as, msg.address, msg.data, attrs,
                         NULL);
}

/* Who asks is told by the bus's number, which a bridge may change meanwhile; and
 * neither RAM nor KVM wants to know. */
bool msi_send_message_in_turn(PCIDevice *dev, MSIMessage msg)
{
    return address_space_stl_le_in_turn(&dev->bus_master_as, msg.address,
                                        msg.data);
}

/* --- layout, which depends on two flags --- */

static uint16_t msi_flags(const PCIDevice *dev)
{
    return pci_get_word(dev->config + dev->msi_cap + PCI_MSI_FLAGS);
}

static uint8_t msi_data_off(const PCIDevice *dev)
{
    return dev->msi_cap + (msi_flags(dev) & PCI_MSI_FLAGS_64BIT
                           ? PCI_MSI_DATA_64 : PCI_MSI_DATA_32);
}

static uint8_t msi_mask_off(const PCIDevice *dev)
{
    return dev->msi_cap + (msi_flags(dev) & PCI_MSI_FLAGS_64BIT
                           ? PCI_MSI_MASK_64 : PCI_MSI_MASK_32);
}

static uint8_t msi_pending_off(const PCIDevice *dev)
{
    return dev->msi_cap + (msi_flags(dev) & PCI_MSI_FLAGS_64BIT
                           ? PCI_MSI_PENDING_64 : PCI_MSI_PENDING_32);
}

static uint8_t msi_cap_size(uint16_t flags)
{
    bool is64 = flags & PCI_MSI_FLAGS_64BIT;

    if (flags & PCI_MSI_FLAGS_MASKBIT) {
        return (is64 ? PCI_MSI_PENDING_64 : PCI_MSI_PENDING_32) + 4;
    }
    return (is64 ? PCI_MSI_DATA_64 : PCI_MSI_DATA_32) + 2;
}

static unsigned int msi_log2_max(uint16_t flags)
{
    return (flags & PCI_MSI_FLAGS_QMASK) >> 1;
}

/* What the guest allows: never more than there are. */
static unsigned int msi_log2_allocated(uint16_t flags)
{
    unsigned int wanted = (flags & PCI_MSI_FLAGS_QSIZE) >> 4;

    return MIN(wanted, msi_log2_max(flags));
}

/* --- set-up --- */

int msi_init(PCIDevice *dev, uint8_t offset, unsigned int nr_vectors,
             bool msi64bit, bool msi_per_vector_mask, Error **errp)
{
    uint16_t flags;
    int pos;

    g_assert(is_power_of_2(nr_vectors) && nr_vectors <= PCI_MSI_VECTORS_MAX);
    flags = __builtin_ctz(nr_vectors) << 1;
    flags |= msi64bit ? PCI_MSI_FLAGS_64BIT : 0;
    flags |= msi_per_vector_mask ? PCI_MSI_FLAGS_MASKBIT : 0;

    pos = pci_add_capability(dev, PCI_CAP_ID_MSI, offset, msi_cap_size(flags),
                             errp);
    if (pos < 0) {
        return pos;
    }
    dev->msi_cap = pos;
    dev->cap_present |= QEMU_PCI_CAP_MSI;
    pci_set_word(dev->config + pos + PCI_MSI_FLAGS, flags);
    pci_set_word(dev->wmask + pos + PCI_MSI_FLAGS,
                 PCI_MSI_FLAGS_QSIZE | PCI_MSI_FLAGS_ENABLE);
    pci_set_long(dev->wmask + pos + PCI_MSI_ADDRESS_LO, ~3U);
    if (msi64bit) {
        pci_set_long(dev->wmask + pos + PCI_MSI_ADDRESS_HI, UINT32_MAX);
    }
    pci_set_word(dev->wmask + msi_data_off(dev), UINT16_MAX);
    if (msi_per_vector_mask) {
        pci_set_long(dev->wmask + msi_mask_off(dev),
                     MAKE_64BIT_MASK(0, nr_vectors));
    }
    return 0;
}

void msi_uninit(PCIDevice *dev)
{
    if (msi_present(dev)) {
        pci_del_capability(dev, PCI_CAP_ID_MSI, msi_cap_size(msi_flags(dev)));
        dev->cap_present &= ~QEMU_PCI_CAP_MSI;
        dev->msi_cap = 0;
    }
}

void msi_reset(PCIDevice *dev)
{
    uint16_t flags;
    uint8_t size;

    if (!msi_present(dev)) {
        return;
    }
    flags = msi_flags(dev) & ~(PCI_MSI_FLAGS_QSIZE | PCI_MSI_FLAGS_ENABLE);
    size = msi_cap_size(flags);
    memset(dev->config + dev->msi_cap + PCI_MSI_ADDRESS_LO, 0,
           size - PCI_MSI_ADDRESS_LO);
    pci_set_word(dev->config + dev->msi_cap + PCI_MSI_FLAGS, flags);
}

/* --- state --- */

bool msi_enabled(const PCIDevice *dev)
{
    return msi_present(dev) && (msi_flags(dev) & PCI_MSI_FLAGS_ENABLE);
}

unsigned int msi_nr_vectors_allocated(const PCIDevice *dev)
{
    return msi_present(dev) ? 1U << msi_log2_allocated(msi_flags(dev)) : 0;
}

bool msi_is_masked(const PCIDevice *dev, unsigned int vector)
{
    g_assert(vector < PCI_MSI_VECTORS_MAX);
    if (!(msi_flags(dev) & PCI_MSI_FLAGS_MASKBIT)) {
        return false;
    }
    return pci_get_long(dev->config + msi_mask_off(dev)) & (1U << vector);
}

MSIMessage msi_get_message(PCIDevice *dev, unsigned int vector)
{
    const uint8_t *cap = dev->config + dev->msi_cap;
    uint32_t allocated = msi_nr_vectors_allocated(dev);
    MSIMessage msg;

    msg.address = pci_get_long(cap + PCI_MSI_ADDRESS_LO);
    if (msi_flags(dev) & PCI_MSI_FLAGS_64BIT) {
        msg.address |= (uint64_t)pci_get_long(cap + PCI_MSI_ADDRESS_HI) << 32;
    }
    /* The low bits of the data tell the vectors apart. */
    msg.data = pci_get_word(dev->config + msi_data_off(dev));
    msg.data = (msg.data & ~(allocated - 1)) | (vector & (allocated - 1));
    return msg;
}

/* --- sending --- */

void msi_notify(PCIDevice *dev, unsigned int vector)
{
    g_assert(vector < PCI_MSI_VECTORS_MAX);
    if (!msi_enabled(dev)) {
        return;
    }
    if (msi_is_masked(dev, vector)) {
        pci_long_test_and_set_mask(dev->config + msi_pending_off(dev),
                                   1U << vector);
        return;
    }
    msi_send_message(dev, msi_get_message(dev, vector));
}

/* Sends what is pending and no longer masked. */
static void msi_send_pending(PCIDevice *dev)
{
    uint8_t *pending;

    if (!(msi_flags(dev) & PCI_MSI_FLAGS_MASKBIT)) {
        return;
    }
    pending = dev->config + msi_pending_off(dev);
    for (unsigned int v = 0; v < msi_nr_vectors_allocated(dev); v++) {
        if (!msi_is_masked(dev, v) &&
            pci_long_test_and_clear_mask(pending, 1U << v)) {
            msi_send_message(dev, msi_get_message(dev, v));
        }
    }
}

void msi_write_config(PCIDevice *dev, uint32_t addr, uint32_t val, int len)
{
    if (!msi_present(dev) ||
        !ranges_overlap(addr, len, dev->msi_cap,
                        msi_cap_size(msi_flags(dev)))) {
        return;
    }
    if (msi_enabled(dev)) {
        /* A function uses one kind of interrupt at a time. */
        pci_device_deassert_intx(dev);
        msi_send_pending(dev);
    }
}
