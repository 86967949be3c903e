/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MSI-X: the table of messages and the pending bits as a guest sees them, which
 * vectors may be sent, and whom to tell when that changes. Used by device
 * models and VFIO. The guest's accesses are of 4 bytes, at any time.
 */
#include "qemu/osdep.h"

#include "hw/pci/msix.h"
#include "pci-internal.h"
#include "qapi/error.h"
#include "qemu/units.h"

/* --- state --- */

static uint16_t msix_flags(const PCIDevice *dev)
{
    return pci_get_word(dev->config + dev->msix_cap + PCI_MSIX_FLAGS);
}

static uint8_t *msix_entry(const PCIDevice *dev, unsigned int vector)
{
    g_assert(vector < (unsigned)dev->msix_entries_nr);
    return dev->msix_table + vector * PCI_MSIX_ENTRY_SIZE;
}

bool msix_enabled(const PCIDevice *dev)
{
    return msix_present(dev) && (msix_flags(dev) & PCI_MSIX_FLAGS_ENABLE);
}

static bool msix_entry_masked(const PCIDevice *dev, unsigned int vector)
{
    const uint8_t *ctrl = msix_entry(dev, vector) + PCI_MSIX_ENTRY_VECTOR_CTRL;

    return *ctrl & PCI_MSIX_ENTRY_CTRL_MASKBIT;
}

bool msix_is_masked(const PCIDevice *dev, unsigned int vector)
{
    return dev->msix_function_masked || msix_entry_masked(dev, vector);
}

MSIMessage msix_get_message(PCIDevice *dev, unsigned int vector)
{
    const uint8_t *entry = msix_entry(dev, vector);

    return (MSIMessage) {
        .address = pci_get_quad(entry + PCI_MSIX_ENTRY_LOWER_ADDR),
        .data = pci_get_long(entry + PCI_MSIX_ENTRY_DATA),
    };
}

/* --- pending bits --- */

static bool msix_is_pending(const PCIDevice *dev, unsigned int vector)
{
    return dev->msix_pba[vector / 8] & (1 << vector % 8);
}

void msix_set_pending(PCIDevice *dev, unsigned int vector)
{
    dev->msix_pba[vector / 8] |= 1 << vector % 8;
}

void msix_clr_pending(PCIDevice *dev, int vector)
{
    dev->msix_pba[vector / 8] &= ~(1 << vector % 8);
}

/* --- delivery --- */

static bool msix_vector_in_use(const PCIDevice *dev, unsigned int vector)
{
    return vector < (unsigned)dev->msix_entries_nr &&
           dev->msix_entry_used[vector];
}

void msix_notify(PCIDevice *dev, unsigned int vector)
{
    if (!msix_vector_in_use(dev, vector)) {
        return;
    }
    if (!msix_is_masked(dev, vector)) {
        msi_send_message(dev, msix_get_message(dev, vector));
    } else {
        msix_set_pending(dev, vector);
    }
}

bool msix_notify_in_turn(PCIDevice *dev, unsigned int vector)
{
    if (!msix_vector_in_use(dev, vector)) {
        return true;
    }
    if (msix_is_masked(dev, vector)) {
        msix_set_pending(dev, vector);
        return true;
    }
    return msi_send_message_in_turn(dev, msix_get_message(dev, vector));
}

/*
 * The notifier of a vector that became deliverable. If it refuses, the vector
 * is delivered by msix_notify(), or not at all; the guest cannot be told.
 */
static void msix_vector_unmasked(PCIDevice *dev, unsigned int vector)
{
    if (dev->msix_vector_use_notifier) {
        dev->msix_vector_use_notifier(dev, vector,
                                      msix_get_message(dev, vector));
    }
    if (msix_is_pending(dev, vector)) {
        msix_clr_pending(dev, vector);
        msix_notify(dev, vector);
    }
}

static void msix_mask_changed(PCIDevice *dev, unsigned int vector,
                              bool was_masked)
{
    bool masked = msix_is_masked(dev, vector);

    if (masked == was_masked) {
        return;
    }
    if (!masked) {
        msix_vector_unmasked(dev, vector);
    } else if (dev->msix_vector_release_notifier) {
        dev->msix_vector_release_notifier(dev, vector);
    }
}

static void msix_set_function_masked(PCIDevice *dev, bool masked)
{
    bool was = dev->msix_function_masked;

    dev->msix_function_masked = masked;
    if (masked == was) {
        return;
    }
    for (int v = 0; v < dev->msix_entries_nr; v++) {
        msix_mask_changed(dev, v, was || msix_entry_masked(dev, v));
    }
}

void msix_write_config(PCIDevice *dev, uint32_t addr, uint32_t val, int len)
{
    uint16_t flags;

    if (!msix_present(dev) ||
        !ranges_overlap(addr, len, dev->msix_cap + PCI_MSIX_FLAGS, 2)) {
        return;
    }
    flags = msix_flags(dev);
    if (flags & PCI_MSIX_FLAGS_ENABLE) {
        /* A function uses one kind of interrupt at a time. */
        pci_device_deassert_intx(dev);
    }
    msix_set_function_masked(dev, !(flags & PCI_MSIX_FLAGS_ENABLE) ||
                                  (flags & PCI_MSIX_FLAGS_MASKALL));
}

/* --- the guest's view of the table and the pending bits --- */

static uint64_t msix_table_read(void *opaque, hwaddr addr, unsigned size)
{
    PCIDevice *dev = opaque;

    return pci_get_long(dev->msix_table + addr);
}

/* A driver may not write the message of a vector that is not masked; if it does,
 * what it has written is what is sent. */
static void msix_message_changed(PCIDevice *dev, unsigned int vector)
{
    if (!msix_is_masked(dev, vector) && dev->msix_vector_use_notifier) {
        dev->msix_vector_use_notifier(dev, vector,
                                      msix_get_message(dev, vector));
    }
}

static void msix_table_write(void *opaque, hwaddr addr, uint64_t val,
                             unsigned size)
{
    PCIDevice *dev = opaque;
    unsigned int vector = addr / PCI_MSIX_ENTRY_SIZE;
    bool was_masked = msix_is_masked(dev, vector);
    uint32_t was = pci_get_long(dev->msix_table + addr);

    aio_context_pause(dev->aio_context);
    pci_set_long(dev->msix_table + addr, val);
    if (addr % PCI_MSIX_ENTRY_SIZE == PCI_MSIX_ENTRY_VECTOR_CTRL) {
        msix_mask_changed(dev, vector, was_masked);
    } else if (was != (uint32_t)val) {
        msix_message_changed(dev, vector);
    }
    aio_context_resume(dev->aio_context);
}

static const MemoryRegionOps msix_table_ops = {
    .read = msix_table_read,
    .write = msix_table_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 4, .max_access_size = 8 },
    .impl = { .min_access_size = 4, .max_access_size = 4 },
};

static uint64_t msix_pba_read(void *opaque, hwaddr addr, unsigned size)
{
    PCIDevice *dev = opaque;
    uint32_t pending;

    if (dev->msix_vector_poll_notifier) {
        unsigned int start = addr * 8;
        unsigned int end = MIN(start + size * 8, (unsigned)dev->msix_entries_nr);

        dev->msix_vector_poll_notifier(dev, start, end);
    }
    aio_context_pause(dev->aio_context);
    pending = pci_get_long(dev->msix_pba + addr);
    aio_context_resume(dev->aio_context);
    return pending;
}

static void msix_pba_write(void *opaque, hwaddr addr, uint64_t val,
                           unsigned size)
{
    /* Read only. */
}

static const MemoryRegionOps msix_pba_ops = {
    .read = msix_pba_read,
    .write = msix_pba_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 4, .max_access_size = 8 },
    .impl = { .min_access_size = 4, .max_access_size = 4 },
};

/* --- set-up --- */

static unsigned int msix_table_size(unsigned int nentries)
{
    return nentries * PCI_MSIX_ENTRY_SIZE;
}

static unsigned int msix_pba_size(unsigned int nentries)
{
    return DIV_ROUND_UP(nentries, 64) * 8;
}

static void msix_mask_all(PCIDevice *dev)
{
    for (int v = 0; v < dev->msix_entries_nr; v++) {
        msix_entry(dev, v)[PCI_MSIX_ENTRY_VECTOR_CTRL] =
            PCI_MSIX_ENTRY_CTRL_MASKBIT;
    }
}

static bool msix_check_layout(PCIDevice *dev, unsigned int nentries,
                              MemoryRegion *table_bar, uint8_t table_bar_nr,
                              unsigned table_offset, MemoryRegion *pba_bar,
                              uint8_t pba_bar_nr, unsigned pba_offset,
                              Error **errp)
{
    uint64_t table_size = msix_table_size(nentries);
    uint64_t pba_size = msix_pba_size(nentries);

    if (!nentries || nentries > PCI_MSIX_VECTORS_MAX) {
        error_setg(errp, "%s: %u MSI-X vectors are not possible: 1 to %u are",
                   dev->name, nentries, PCI_MSIX_VECTORS_MAX);
        return false;
    }
    if (table_bar_nr >= PCI_STD_NUM_BARS || pba_bar_nr >= PCI_STD_NUM_BARS ||
        table_offset % 8 || pba_offset % 8 ||
        table_offset + table_size > memory_region_size(table_bar) ||
        pba_offset + pba_size > memory_region_size(pba_bar) ||
        (table_bar_nr == pba_bar_nr &&
         ranges_overlap(table_offset, table_size, pba_offset, pba_size))) {
        error_setg(errp, "%s: MSI-X table (BAR %u offset 0x%x) and pending bits "
                   "(BAR %u offset 0x%x) of %u vectors do not fit there",
                   dev->name, table_bar_nr, table_offset, pba_bar_nr,
                   pba_offset, nentries);
        return false;
    }
    return true;
}

static int msix_add_capability(PCIDevice *dev, unsigned int nentries,
                               uint32_t table, uint32_t pba, uint8_t cap_pos,
                               Error **errp)
{
    int pos = pci_add_capability(dev, PCI_CAP_ID_MSIX, cap_pos,
                                 PCI_CAP_MSIX_SIZEOF, errp);

    if (pos < 0) {
        return pos;
    }
    dev->msix_cap = pos;
    dev->cap_present |= QEMU_PCI_CAP_MSIX;
    pci_set_word(dev->config + pos + PCI_MSIX_FLAGS, nentries - 1);
    pci_set_long(dev->config + pos + PCI_MSIX_TABLE, table);
    pci_set_long(dev->config + pos + PCI_MSIX_PBA, pba);
    pci_set_word(dev->wmask + pos + PCI_MSIX_FLAGS,
                 PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
    return 0;
}

int msix_init(PCIDevice *dev, unsigned short nentries,
              MemoryRegion *table_bar, uint8_t table_bar_nr,
              unsigned table_offset, MemoryRegion *pba_bar, uint8_t pba_bar_nr,
              unsigned pba_offset, uint8_t cap_pos, Error **errp)
{
    int ret;

    if (!msix_check_layout(dev, nentries, table_bar, table_bar_nr,
                           table_offset, pba_bar, pba_bar_nr, pba_offset,
                           errp)) {
        return -EINVAL;
    }
    ret = msix_add_capability(dev, nentries, table_offset | table_bar_nr,
                              pba_offset | pba_bar_nr, cap_pos, errp);
    if (ret < 0) {
        return ret;
    }
    dev->msix_entries_nr = nentries;
    dev->msix_table = g_malloc0(msix_table_size(nentries));
    dev->msix_pba = g_malloc0(msix_pba_size(nentries));
    dev->msix_entry_used = g_new0(unsigned, nentries);
    dev->msix_function_masked = true;
    msix_mask_all(dev);

    memory_region_init_io(&dev->msix_table_mmio, OBJECT(dev), &msix_table_ops,
                          dev, "msix-table", msix_table_size(nentries));
    memory_region_add_subregion_overlap(table_bar, table_offset,
                                        &dev->msix_table_mmio, 1);
    memory_region_init_io(&dev->msix_pba_mmio, OBJECT(dev), &msix_pba_ops,
                          dev, "msix-pba", msix_pba_size(nentries));
    memory_region_add_subregion_overlap(pba_bar, pba_offset,
                                        &dev->msix_pba_mmio, 1);
    return 0;
}

void msix_uninit(PCIDevice *dev, MemoryRegion *table_bar,
                 MemoryRegion *pba_bar)
{
    if (!msix_present(dev)) {
        return;
    }
    memory_region_del_subregion(pba_bar, &dev->msix_pba_mmio);
    object_unparent(OBJECT(&dev->msix_pba_mmio));
    memory_region_del_subregion(table_bar, &dev->msix_table_mmio);
    object_unparent(OBJECT(&dev->msix_table_mmio));
    dev->msix_entries_nr = 0;
    g_clear_pointer(&dev->msix_entry_used, g_free);
    g_clear_pointer(&dev->msix_pba, g_free);
    g_clear_pointer(&dev->msix_table, g_free);
    pci_del_capability(dev, PCI_CAP_ID_MSIX, PCI_CAP_MSIX_SIZEOF);
    dev->msix_cap = 0;
    dev->cap_present &= ~QEMU_PCI_CAP_MSIX;
}

int msix_init_exclusive_bar(PCIDevice *dev, unsigned short nentries,
                            uint8_t bar_nr, Error **errp)
{
    unsigned int pba_offset = MAX(msix_table_size(nentries), 2 * KiB);
    uint64_t size = MAX(pow2ceil(pba_offset + msix_pba_size(nentries)),
                        4 * KiB);
    MemoryRegion *bar = &dev->msix_exclusive_bar;
    int ret;

    memory_region_init(bar, OBJECT(dev), "msix", size);
    ret = msix_init(dev, nentries, bar, bar_nr, 0, bar, bar_nr, pba_offset, 0,
                    errp);
    if (ret < 0) {
        object_unparent(OBJECT(bar));
        return ret;
    }
    pci_register_bar(dev, bar_nr, PCI_BASE_ADDRESS_SPACE_MEMORY, bar);
    return 0;
}

void msix_uninit_exclusive_bar(PCIDevice *dev)
{
    uint8_t bar_nr;

    if (msix_present(dev)) {
        bar_nr = dev->config[dev->msix_cap + PCI_MSIX_TABLE] &
                 PCI_MSIX_TABLE_BIR;
        pci_unregister_bar(dev, bar_nr);
        msix_uninit(dev, &dev->msix_exclusive_bar, &dev->msix_exclusive_bar);
        object_unparent(OBJECT(&dev->msix_exclusive_bar));
    }
}

void msix_reset(PCIDevice *dev)
{
    int nr = dev->msix_entries_nr;

    if (msix_present(dev)) {
        pci_word_test_and_clear_mask(
            dev->config + dev->msix_cap + PCI_MSIX_FLAGS,
            PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
        msix_set_function_masked(dev, true);
        memset(dev->msix_table, 0, msix_table_size(nr));
        memset(dev->msix_pba, 0, msix_pba_size(nr));
        msix_mask_all(dev);
    }
}

/* --- users --- */

int msix_vector_use(PCIDevice *dev, unsigned int vector)
{
    if (vector >= (unsigned)dev->msix_entries_nr) {
        return -EINVAL;
    }
    dev->msix_entry_used[vector]++;
    return 0;
}

void msix_vector_unuse(PCIDevice *dev, unsigned int vector)
{
    if (msix_vector_in_use(dev, vector) &&
        --dev->msix_entry_used[vector] == 0) {
        msix_clr_pending(dev, vector);
    }
}

void msix_unuse_all_vectors(PCIDevice *dev)
{
    for (int v = 0; v < dev->msix_entries_nr; v++) {
        dev->msix_entry_used[v] = 0;
        msix_clr_pending(dev, v);
    }
}

static void msix_forget_notifiers(PCIDevice *dev)
{
    dev->msix_vector_use_notifier = NULL;
    dev->msix_vector_release_notifier = NULL;
    dev->msix_vector_poll_notifier = NULL;
}

/* Releases the deliverable ones of the first @n vectors. */
static void msix_release_vectors(PCIDevice *dev, int n)
{
    while (n-- > 0) {
        if (!msix_is_masked(dev, n)) {
            dev->msix_vector_release_notifier(dev, n);
        }
    }
}

int msix_set_vector_notifiers(
    PCIDevice *dev, MSIVectorUseNotifier use_notifier,
    MSIVectorReleaseNotifier release_notifier,
    MSIVectorPollNotifier poll_notifier)
{
    g_assert(use_notifier && release_notifier);
    g_assert(!dev->msix_vector_use_notifier);
    dev->msix_vector_use_notifier = use_notifier;
    dev->msix_vector_release_notifier = release_notifier;
    dev->msix_vector_poll_notifier = poll_notifier;

    for (int v = 0; v < dev->msix_entries_nr; v++) {
        int ret;

        if (msix_is_masked(dev, v)) {
            continue;
        }
        ret = use_notifier(dev, v, msix_get_message(dev, v));
        if (ret < 0) {
            msix_release_vectors(dev, v);
            msix_forget_notifiers(dev);
            return ret;
        }
    }
    if (poll_notifier) {
        poll_notifier(dev, 0, dev->msix_entries_nr);
    }
    return 0;
}

void msix_unset_vector_notifiers(PCIDevice *dev)
{
    g_assert(dev->msix_vector_use_notifier);
    msix_release_vectors(dev, dev->msix_entries_nr);
    msix_forget_notifiers(dev);
}
