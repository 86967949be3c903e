/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The echo device as a PCI function, and a driver that finds it by its
 * capabilities and works by memory accesses. Included by one C file per test
 * program.
 */
#ifndef TESTS_UNIT_VIRTIO_PCI_TEST_H
#define TESTS_UNIT_VIRTIO_PCI_TEST_H

#include "exec/address-spaces.h"
#include "hw/virtio/virtio-pci.h"
#include "pci-fixture.h"
#include "sysemu/runstate.h"
#include "virtio-echo.h"
#include "vring-driver.h"

#define TYPE_ECHO_PCI "test-virtio-echo-pci"
#define TYPE_ECHO_PCI_BASE "test-virtio-echo-pci-base"
OBJECT_DECLARE_SIMPLE_TYPE(EchoPCI, ECHO_PCI_BASE)
#define BAR 0x8000000000ULL
#define MSIX_BAR 0xc0000000ULL
#define RING 0x10000
#define OUT 0x100000
#define IN 0x200000
#define VERSION_1 (1ULL << VIRTIO_F_VERSION_1)
#define PLATFORM (1ULL << VIRTIO_F_ACCESS_PLATFORM)

struct EchoPCI {
    VirtIOPCIProxy parent_obj;

    VirtIOEcho vdev;
};

static void echo_pci_realize(VirtIOPCIProxy *proxy, Error **errp)
{
    qdev_realize(DEVICE(&ECHO_PCI_BASE(proxy)->vdev), BUS(&proxy->bus), errp);
}

static void echo_pci_init(Object *obj)
{
    EchoPCI *e = ECHO_PCI_BASE(obj);

    virtio_instance_init_common(obj, &e->vdev, sizeof(e->vdev),
                                TYPE_VIRTIO_ECHO);
}

static void echo_pci_class_init(ObjectClass *klass, void *data)
{
    VIRTIO_PCI_CLASS(klass)->realize = echo_pci_realize;
}

static void echo_pci_register(void)
{
    static const VirtioPCIDeviceTypeInfo info = {
        .base_name = TYPE_ECHO_PCI_BASE,
        .generic_name = TYPE_ECHO_PCI,
        .non_transitional_name = "test-virtio-echo-pci-non-transitional",
        .instance_size = sizeof(EchoPCI),
        .instance_init = echo_pci_init,
        .class_init = echo_pci_class_init,
    };

    virtio_pci_types_register(&info);
}

type_init(echo_pci_register)

/* --- a driver --- */

static PCIDevice *dev;
static VirtIOEcho *echo;
static uint64_t common, isr, device, notify;  /* addresses */
static VRingDriver ring;

/* The vendor capability with @type, or 0. */
static inline uint8_t find_cap(uint8_t type)
{
    uint8_t pos = cfg_read(dev, PCI_CAPABILITY_LIST, 1);

    for (int i = 0; pos && i < 48; i++) {
        if (cfg_read(dev, pos, 1) == PCI_CAP_ID_VNDR &&
            cfg_read(dev, pos + VIRTIO_PCI_CAP_CFG_TYPE, 1) == type) {
            return pos;
        }
        pos = cfg_read(dev, pos + PCI_CAP_LIST_NEXT, 1);
    }
    return 0;
}

static inline uint64_t find_structure(uint8_t type)
{
    uint8_t pos = find_cap(type);

    g_assert_cmpuint(pos, !=, 0);
    g_assert_cmpuint(cfg_read(dev, pos + VIRTIO_PCI_CAP_BAR, 1), ==, 4);
    return BAR + cfg_read(dev, pos + VIRTIO_PCI_CAP_OFFSET, 4);
}

static inline void probe(PCIDevice *d)
{
    dev = d;
    echo = &ECHO_PCI_BASE(d)->vdev;
    pci_board_map_bar(dev, 4, BAR);
    if (msix_present(dev)) {
        pci_board_map_bar(dev, 1, MSIX_BAR);
    }
    common = find_structure(VIRTIO_PCI_CAP_COMMON_CFG);
    isr = find_structure(VIRTIO_PCI_CAP_ISR_CFG);
    device = find_structure(VIRTIO_PCI_CAP_DEVICE_CFG);
    notify = find_structure(VIRTIO_PCI_CAP_NOTIFY_CFG);
    vm_state_notify(1, RUN_STATE_RUNNING);
}

#define setup(...)                                                           \
    do {                                                                     \
        pci_board_clear();                                                   \
        probe(pci_board_plug(TYPE_ECHO_PCI, ##__VA_ARGS__, NULL));           \
    } while (0)

static inline void set_status(uint8_t bits)
{
    mem_write(common + VIRTIO_PCI_COMMON_STATUS, bits, 1);
}

static inline uint8_t get_status(void)
{
    return mem_read(common + VIRTIO_PCI_COMMON_STATUS, 1);
}

static inline uint64_t read_device_features(void)
{
    uint64_t features;

    mem_write(common + VIRTIO_PCI_COMMON_DFSELECT, 0, 4);
    features = mem_read(common + VIRTIO_PCI_COMMON_DF, 4);
    mem_write(common + VIRTIO_PCI_COMMON_DFSELECT, 1, 4);
    return features | (uint64_t)mem_read(common + VIRTIO_PCI_COMMON_DF, 4) << 32;
}

/* Whether FEATURES_OK stuck. */
static inline bool negotiate(uint64_t features)
{
    set_status(0);
    set_status(VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER);
    mem_write(common + VIRTIO_PCI_COMMON_GFSELECT, 0, 4);
    mem_write(common + VIRTIO_PCI_COMMON_GF, features, 4);
    mem_write(common + VIRTIO_PCI_COMMON_GFSELECT, 1, 4);
    mem_write(common + VIRTIO_PCI_COMMON_GF, features >> 32, 4);
    set_status(get_status() | VIRTIO_CONFIG_S_FEATURES_OK);
    return get_status() & VIRTIO_CONFIG_S_FEATURES_OK;
}

static inline void setup_queue(unsigned n, uint16_t vector)
{
    mem_write(common + VIRTIO_PCI_COMMON_Q_SELECT, n, 2);
    g_assert_cmpuint(mem_read(common + VIRTIO_PCI_COMMON_Q_SIZE, 2), ==,
                     ECHO_QUEUE_SIZE);
    vring_driver_init(&ring, &address_space_memory, ECHO_QUEUE_SIZE, RING);
    mem_write(common + VIRTIO_PCI_COMMON_Q_MSIX, vector, 2);
    mem_write(common + VIRTIO_PCI_COMMON_Q_DESCLO, ring.desc, 4);
    mem_write(common + VIRTIO_PCI_COMMON_Q_AVAILLO, ring.avail, 4);
    mem_write(common + VIRTIO_PCI_COMMON_Q_USEDLO, ring.used, 4);
    mem_write(common + VIRTIO_PCI_COMMON_Q_ENABLE, 1, 2);
}

static inline void start(uint16_t vector)
{
    g_assert_true(negotiate(VERSION_1));
    setup_queue(0, vector);
    set_status(get_status() | VIRTIO_CONFIG_S_DRIVER_OK);
}

static inline void enable_msix(unsigned vectors)
{
    for (unsigned v = 0; v < vectors; v++) {
        uint64_t entry = MSIX_BAR + v * PCI_MSIX_ENTRY_SIZE;

        mem_write(entry + PCI_MSIX_ENTRY_LOWER_ADDR, TEST_MSI_BASE, 4);
        mem_write(entry + PCI_MSIX_ENTRY_DATA, 0x50 + v, 4);
        mem_write(entry + PCI_MSIX_ENTRY_VECTOR_CTRL, 0, 4);
    }
    cfg_write(dev, dev->msix_cap + PCI_MSIX_FLAGS, PCI_MSIX_FLAGS_ENABLE, 2);
}

static inline void kick(void)
{
    mem_write(notify, 0, 2);
    pci_board_poll();
}

static inline void offer(void)
{
    vring_offer_request(&ring, 0, OUT, 4, IN, 4);
}

static inline void assert_is_reset(void)
{
    VirtIODevice *vdev = VIRTIO_DEVICE(echo);

    g_assert_cmphex(vdev->status, ==, 0);
    g_assert_cmphex(vdev->guest_features, ==, 0);
    g_assert_cmphex(vdev->config_vector, ==, VIRTIO_NO_VECTOR);
    g_assert_false(virtio_queue_enabled(vdev, 0));
    g_assert_cmphex(virtio_queue_get_desc_addr(vdev, 0), ==, 0);
    g_assert_cmphex(virtio_queue_vector(vdev, 0), ==, VIRTIO_NO_VECTOR);
    g_assert_cmpint(pci_board()->level[0], ==, 0);
}

#endif
