/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A driver for modern virtio devices over PCI. */
#include <linux/pci_regs.h>
#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>
#include <linux/virtio_ring.h>
#include <stddef.h>

#include "virtio-pci.h"

#define COMMON(field) (dev->common + offsetof(struct virtio_pci_common_cfg, field))
#define CAP(cap, field) ((cap) + offsetof(struct virtio_pci_cap, field))

/* Where the structure @type is, guest physical; *capability as well. */
static uint64_t find_structure(QVirtioPCI *dev, uint8_t type,
                               uint8_t *capability)
{
    QTestState *s = dev->pci.guest->qts;
    uint8_t cap = 0;

    while ((cap = qpci_find_capability(&dev->pci, PCI_CAP_ID_VNDR, cap))) {
        if (qpci_config_readb(s, dev->pci.devfn, CAP(cap, cfg_type)) == type) {
            uint8_t bar = qpci_config_readb(s, dev->pci.devfn, CAP(cap, bar));

            *capability = cap;
            return qpci_map_bar(&dev->pci, bar) +
                   qpci_config_readl(s, dev->pci.devfn, CAP(cap, offset));
        }
    }
    g_error("virtio structure %u is missing", type);
}

void qvirtio_pci_init(QVirtioPCI *dev, QGuest *guest, uint16_t type,
                      unsigned nth)
{
    uint8_t cap;

    qpci_device_init(&dev->pci, guest, QVIRTIO_VENDOR, QVIRTIO_DEVICE(type),
                     nth);
    dev->common = find_structure(dev, VIRTIO_PCI_CAP_COMMON_CFG, &cap);
    dev->isr = find_structure(dev, VIRTIO_PCI_CAP_ISR_CFG, &cap);
    dev->config = find_structure(dev, VIRTIO_PCI_CAP_DEVICE_CFG, &cap);
    dev->notify = find_structure(dev, VIRTIO_PCI_CAP_NOTIFY_CFG, &cap);
    dev->notify_multiplier = qpci_config_readl(
        guest->qts, dev->pci.devfn,
        cap + offsetof(struct virtio_pci_notify_cap, notify_off_multiplier));
    qpci_enable(&dev->pci);
    dev->has_msix = qpci_msix_enable(&dev->pci);
}

/* --- life of a device (virtio 1.2, 3.1.1) -------------------------------- */

uint8_t qvirtio_status(QVirtioPCI *dev)
{
    return qtest_readb(dev->pci.guest->qts, COMMON(device_status));
}

static void set_status(QVirtioPCI *dev, uint8_t status)
{
    qtest_writeb(dev->pci.guest->qts, COMMON(device_status), status);
}

void qvirtio_reset(QVirtioPCI *dev)
{
    set_status(dev, 0);
    g_assert_cmphex(qvirtio_status(dev), ==, 0);
}

uint64_t qvirtio_features(QVirtioPCI *dev)
{
    QTestState *s = dev->pci.guest->qts;
    uint64_t features;

    qtest_writel(s, COMMON(device_feature_select), 1);
    features = (uint64_t)qtest_readl(s, COMMON(device_feature)) << 32;
    qtest_writel(s, COMMON(device_feature_select), 0);
    return features | qtest_readl(s, COMMON(device_feature));
}

uint64_t qvirtio_start(QVirtioPCI *dev, uint64_t wanted)
{
    QTestState *s = dev->pci.guest->qts;
    uint64_t features;

    qvirtio_reset(dev);
    set_status(dev, VIRTIO_CONFIG_S_ACKNOWLEDGE);
    set_status(dev, VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER);
    features = qvirtio_features(dev) & (wanted | 1ULL << VIRTIO_F_VERSION_1);
    qtest_writel(s, COMMON(guest_feature_select), 0);
    qtest_writel(s, COMMON(guest_feature), features);
    qtest_writel(s, COMMON(guest_feature_select), 1);
    qtest_writel(s, COMMON(guest_feature), features >> 32);
    set_status(dev, VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER |
                    VIRTIO_CONFIG_S_FEATURES_OK);
    g_assert_true(qvirtio_status(dev) & VIRTIO_CONFIG_S_FEATURES_OK);
    dev->features = features;
    if (dev->has_msix) {
        qtest_writew(s, COMMON(msix_config), QVIRTIO_CONFIG_CHANGED);
        g_assert_cmpuint(qtest_readw(s, COMMON(msix_config)), ==,
                         QVIRTIO_CONFIG_CHANGED);
    }
    return features;
}

void qvirtio_driver_ok(QVirtioPCI *dev)
{
    set_status(dev, qvirtio_status(dev) | VIRTIO_CONFIG_S_DRIVER_OK);
}

/* --- interrupts ---------------------------------------------------------- */

/* Without MSI-X there is one register, and reading it clears it. */
static bool take_isr(QVirtioPCI *dev, QVirtioInterrupt which)
{
    uint8_t isr = qtest_readb(dev->pci.guest->qts, dev->isr);
    bool seen;

    dev->isr_seen[QVIRTIO_QUEUE_USED] |= isr & 1;
    dev->isr_seen[QVIRTIO_CONFIG_CHANGED] |= !!(isr & VIRTIO_PCI_ISR_CONFIG);
    seen = dev->isr_seen[which];
    dev->isr_seen[which] = false;
    return seen;
}

bool qvirtio_take_interrupt(QVirtioPCI *dev, QVirtioInterrupt which)
{
    return dev->has_msix ? qpci_msix_take(&dev->pci, which)
                         : take_isr(dev, which);
}

void qvirtio_wait_interrupt(QVirtioPCI *dev, QVirtioInterrupt which)
{
    gint64 deadline = qtest_deadline();
    unsigned round = 0;

    while (!qvirtio_take_interrupt(dev, which)) {
        if (!qtest_wait_more(deadline, &round)) {
            g_error("virtio: no interrupt %d in time", which);
        }
    }
}

/* --- virtqueues ---------------------------------------------------------- */

static uint64_t avail_offset(uint16_t size)
{
    return size * sizeof(struct vring_desc);
}

static uint64_t used_offset(uint16_t size)
{
    uint64_t end = avail_offset(size) + sizeof(struct vring_avail) +
                   (size + 1) * sizeof(uint16_t);

    return (end + 3) & ~3ULL;
}

uint64_t qvirtqueue_ring_bytes(uint16_t size)
{
    return used_offset(size) + sizeof(struct vring_used) +
           size * sizeof(struct vring_used_elem) + sizeof(uint16_t);
}

/* Tells the device of a 64-bit address, by halves as it demands. */
static void write_address(QTestState *s, uint64_t reg, uint64_t addr)
{
    qtest_writel(s, reg, addr);
    qtest_writel(s, reg + 4, addr >> 32);
}

void qvirtqueue_init(QVirtQueue *vq, QVirtioPCI *dev, uint16_t index,
                     uint64_t rings)
{
    QTestState *s = dev->pci.guest->qts;

    *vq = (QVirtQueue) { .dev = dev, .index = index, .wrap = true,
                         .used_wrap = true };
    vq->packed = dev->features >> VIRTIO_F_RING_PACKED & 1;
    qtest_writew(s, COMMON(queue_select), index);
    vq->size = qtest_readw(s, COMMON(queue_size));
    g_assert_cmpuint(vq->size, >, 0);
    g_assert_cmpuint(vq->size, <=, QVIRTQUEUE_MAX);
    if (!rings) {
        rings = qguest_alloc(dev->pci.guest, qvirtqueue_ring_bytes(vq->size),
                             16);
    }
    vq->desc = rings;
    vq->avail = rings + avail_offset(vq->size);
    vq->used = rings + used_offset(vq->size);
    vq->doorbell = dev->notify + (uint64_t)dev->notify_multiplier *
                   qtest_readw(s, COMMON(queue_notify_off));
    write_address(s, COMMON(queue_desc_lo), vq->desc);
    write_address(s, COMMON(queue_avail_lo), vq->avail);
    write_address(s, COMMON(queue_used_lo), vq->used);
    if (dev->has_msix) {
        qtest_writew(s, COMMON(queue_msix_vector), QVIRTIO_QUEUE_USED);
    }
    qtest_writew(s, COMMON(queue_enable), 1);
}

/* --- packed ones --- */

static uint64_t packed_desc(QVirtQueue *vq, uint16_t at)
{
    return vq->desc + at * sizeof(struct vring_packed_desc);
}

/* @count further; the counter flips with each time round. */
static void packed_advance(QVirtQueue *vq, uint16_t *at, bool *wrap,
                           unsigned count)
{
    *at += count;
    if (*at >= vq->size) {
        *at -= vq->size;
        *wrap = !*wrap;
    }
}

/* The device may look at the first one as soon as its flags are there, so it
 * is written last. */
static uint16_t packed_add(QVirtQueue *vq, const QVirtioBuffer *bufs,
                           unsigned n)
{
    uint16_t head = vq->next_desc;

    for (unsigned i = n; i-- > 0; ) {
        uint16_t at = head;
        bool wrap = vq->wrap;
        struct vring_packed_desc desc;

        packed_advance(vq, &at, &wrap, i);
        desc.addr = bufs[i].addr;
        desc.len = bufs[i].len;
        desc.id = head;
        desc.flags = (bufs[i].device_writes ? VRING_DESC_F_WRITE : 0) |
                     (i + 1 < n ? VRING_DESC_F_NEXT : 0) |
                     1U << (wrap ? VRING_PACKED_DESC_F_AVAIL
                                 : VRING_PACKED_DESC_F_USED);
        qtest_memwrite(vq->dev->pci.guest->qts, packed_desc(vq, at), &desc,
                       sizeof(desc));
    }
    vq->chain[head] = n;
    packed_advance(vq, &vq->next_desc, &vq->wrap, n);
    return head;
}

static bool packed_has_used(QVirtQueue *vq)
{
    uint16_t flags = qtest_readw(
        vq->dev->pci.guest->qts, packed_desc(vq, vq->used_idx) +
        offsetof(struct vring_packed_desc, flags));

    return (flags >> VRING_PACKED_DESC_F_AVAIL & 1) == vq->used_wrap &&
           (flags >> VRING_PACKED_DESC_F_USED & 1) == vq->used_wrap;
}

static struct vring_used_elem packed_take_used(QVirtQueue *vq)
{
    struct vring_packed_desc desc;

    qtest_memread(vq->dev->pci.guest->qts, packed_desc(vq, vq->used_idx),
                  &desc, sizeof(desc));
    g_assert_cmpuint(desc.id, <, vq->size);
    packed_advance(vq, &vq->used_idx, &vq->used_wrap, vq->chain[desc.id]);
    return (struct vring_used_elem) { .id = desc.id, .len = desc.len };
}

/* --- of either layout --- */

uint16_t qvirtqueue_add(QVirtQueue *vq, const QVirtioBuffer *bufs, unsigned n)
{
    QTestState *s = vq->dev->pci.guest->qts;
    uint16_t head = vq->next_desc;

    g_assert_cmpuint(n, <=, vq->size);
    if (vq->packed) {
        return packed_add(vq, bufs, n);
    }
    for (unsigned i = 0; i < n; i++) {
        uint16_t at = vq->next_desc;
        struct vring_desc desc;

        vq->next_desc = (at + 1) % vq->size;
        desc.addr = bufs[i].addr;
        desc.len = bufs[i].len;
        desc.flags = (bufs[i].device_writes ? VRING_DESC_F_WRITE : 0) |
                     (i + 1 < n ? VRING_DESC_F_NEXT : 0);
        desc.next = vq->next_desc;
        qtest_memwrite(s, vq->desc + at * sizeof(desc), &desc, sizeof(desc));
    }
    qtest_writew(s, vq->avail + offsetof(struct vring_avail, ring) +
                 2 * (vq->avail_idx % vq->size), head);
    vq->avail_idx++;
    qtest_writew(s, vq->avail + offsetof(struct vring_avail, idx),
                 vq->avail_idx);
    return head;
}

void qvirtqueue_kick(QVirtQueue *vq)
{
    qtest_writew(vq->dev->pci.guest->qts, vq->doorbell, vq->index);
}

bool qvirtqueue_has_used(QVirtQueue *vq)
{
    if (vq->packed) {
        return packed_has_used(vq);
    }
    return qtest_readw(vq->dev->pci.guest->qts,
                       vq->used + offsetof(struct vring_used, idx)) !=
           vq->used_idx;
}

static struct vring_used_elem take_used(QVirtQueue *vq)
{
    struct vring_used_elem elem;

    if (vq->packed) {
        return packed_take_used(vq);
    }
    qtest_memread(vq->dev->pci.guest->qts,
                  vq->used + offsetof(struct vring_used, ring) +
                  (vq->used_idx % vq->size) * sizeof(elem),
                  &elem, sizeof(elem));
    vq->used_idx++;
    return elem;
}

uint16_t qvirtqueue_wait(QVirtQueue *vq, uint32_t *len)
{
    gint64 deadline = qtest_deadline();
    unsigned round = 0;
    struct vring_used_elem elem;

    while (!qvirtqueue_has_used(vq)) {
        if (!qtest_wait_more(deadline, &round)) {
            g_error("virtqueue %u: nothing used in time", vq->index);
        }
    }
    elem = take_used(vq);
    if (len) {
        *len = elem.len;
    }
    return elem.id;
}
