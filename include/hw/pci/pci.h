/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PCI functions: configuration space, base address registers, interrupts, DMA.
 *
 * A PCIDevice is one function (slot.function) on a PCIBus (pci_bus.h). A device
 * model derives from TYPE_PCI_DEVICE, sets its identity in PCIDeviceClass, and
 * in realize adds capabilities and registers BARs. This layer then maps the
 * BARs where the guest says, gates DMA by the bus master bit and routes
 * interrupts. It knows no device model, no KVM and no VFIO.
 *
 * Configuration accesses come from the guest: any offset, width and value is
 * harmless. Big lock held throughout.
 */
#ifndef HW_PCI_H
#define HW_PCI_H

#include <linux/pci.h>

#include "exec/memory.h"
#include "hw/pci/pci_ids.h"
#include "hw/pci/pcie.h"
#include "hw/qdev-core.h"
#include "qemu/range.h"

#define PCI_DEVFN_MAX 256
#define PCI_SLOT_MAX 32
#define PCI_FUNC_MAX 8
#define PCI_NUM_PINS 4                    /* INTA..INTD: pins 0..3 */
#define PCI_ROM_SLOT 6                    /* the expansion ROM's region */
#define PCI_NUM_REGIONS 7
#define PCI_BAR_UNMAPPED UINT64_MAX
/* Bytes of an expansion ROM at most (PCI Local Bus 3.0, 6.2.5.2). */
#define PCI_ROM_MAX (16ULL << 20)
#define PCI_CONFIG_SPACE_SIZE PCI_CFG_SPACE_SIZE
#define PCI_CONFIG_HEADER_SIZE PCI_STD_HEADER_SIZEOF
/* What a guest reads where nothing answers. */
#define PCI_NO_ANSWER UINT32_MAX

#define PCI_BUILD_BDF(bus, devfn) ((uint16_t)(((bus) << 8) | (devfn)))

typedef void PCIMapIORegionFunc(PCIDevice *d, int region_num, uint64_t addr,
                                uint64_t size, int type);
typedef void PCIConfigWriteFunc(PCIDevice *d, uint32_t addr, uint32_t val,
                                int len);
typedef uint32_t PCIConfigReadFunc(PCIDevice *d, uint32_t addr, int len);
typedef void PCIUnregisterFunc(PCIDevice *d);
/* Puts the @size bytes of the function's ROM into @buf, zeroed; false: it cannot be
 * read, which has been said. */
typedef bool PCIROMReadFunc(PCIDevice *d, void *buf, uint64_t size);
/* See hw/pci/msix.h. */
typedef int (*MSIVectorUseNotifier)(PCIDevice *dev, unsigned int vector,
                                    MSIMessage msg);
typedef void (*MSIVectorReleaseNotifier)(PCIDevice *dev, unsigned int vector);
typedef void (*MSIVectorPollNotifier)(PCIDevice *dev, unsigned int vector_start,
                                      unsigned int vector_end);

/* One BAR, or the expansion ROM. */
typedef struct PCIIORegion {
    uint64_t addr;                        /* PCI_BAR_UNMAPPED: not mapped */
    uint64_t size;                        /* bytes, power of two; 0: no BAR */
    uint8_t type;                         /* PCI_BASE_ADDRESS_* flags */
    MemoryRegion *memory;                 /* the device's */
    MemoryRegion *address_space;          /* where it is mapped */
} PCIIORegion;

/* Bits of PCIDevice.cap_present. */
enum {
    QEMU_PCI_CAP_MSI = 1 << 0,
    QEMU_PCI_CAP_MSIX = 1 << 1,
    QEMU_PCI_CAP_EXPRESS = 1 << 2,        /* 4 KiB of configuration space */
    QEMU_PCI_CAP_MULTIFUNCTION = 1 << 3,
};

/* Where a legacy interrupt ends: an input of the interrupt controller. */
typedef struct PCIINTxRoute {
    enum {
        PCI_INTX_ENABLED,
        PCI_INTX_INVERTED,
        PCI_INTX_DISABLED,                /* routed nowhere; irq is -1 */
    } mode;
    int irq;                              /* GSI */
} PCIINTxRoute;

/* The property of types that firmware can boot from. */
#define DEFINE_PROP_BOOTINDEX()                                              \
    DEFINE_PROP_INT32("bootindex", PCIDevice, bootindex, -1)

#define TYPE_PCI_DEVICE "pci-device"
typedef struct PCIDeviceClass PCIDeviceClass;
DECLARE_OBJ_CHECKERS(PCIDevice, PCIDeviceClass, PCI_DEVICE, TYPE_PCI_DEVICE)

/* What a function can be plugged into: one of these or both. A function that
 * has only the first gets 4 KiB of configuration space, the others 256 bytes
 * unless they set QEMU_PCI_CAP_EXPRESS before realize. */
#define INTERFACE_PCIE_DEVICE "pci-express-device"
#define INTERFACE_CONVENTIONAL_PCI_DEVICE "conventional-pci-device"

struct PCIDeviceClass {
    DeviceClass parent_class;

    /* Called with configuration space, header and DMA ready. */
    void (*realize)(PCIDevice *dev, Error **errp);
    /* Undoes realize. BARs are already unmapped, interrupts deasserted. */
    PCIUnregisterFunc *exit;
    PCIConfigReadFunc *config_read;       /* NULL: pci_default_read_config */
    PCIConfigWriteFunc *config_write;     /* NULL: pci_default_write_config */

    uint16_t vendor_id;
    uint16_t device_id;
    uint8_t revision;
    uint16_t class_id;
    uint16_t subsystem_vendor_id;         /* both 0: Red Hat, QEMU */
    uint16_t subsystem_id;
    const char *romfile;                  /* by default, if it is installed; or
                                             NULL */
};

struct PCIDevice {
    DeviceState qdev;

    /* Properties. */
    int32_t devfn;                        /* -1 before realize: any free slot */
    uint32_t rombar;                      /* 0: no ROM is shown */
    char *romfile;                        /* "": neither; NULL: what the class, or
                                             the device itself, has */
    int32_t bootindex;                    /* -1: firmware decides; a property of
                                             the types that can be booted from */
    bool cdrom;                           /* what it has is a CD: order=d means it */
    const char *boot_suffix;              /* of the path that firmware knows it by;
                                             set before realize; may be NULL */

    /* Configuration space and, byte for byte, its masks. */
    uint8_t *config;
    uint8_t *wmask;                       /* bits the guest may write */
    uint8_t *w1cmask;                     /* bits cleared by writing 1 */
    uint8_t *used;                        /* nonzero: part of a capability */
    char name[64];                        /* the type's name, for messages */

    PCIIORegion io_regions[PCI_NUM_REGIONS];
    uint16_t no_room;                     /* bit n: that there is none for the
                                             register 4 * n has been said */
    /* The function's view of memory: empty until PCI_COMMAND_MASTER is set. */
    AddressSpace bus_master_as;
    MemoryRegion bus_master_container_region;
    MemoryRegion bus_master_enable_region;

    PCIConfigReadFunc *config_read;
    PCIConfigWriteFunc *config_write;

    /* The expansion ROM: hw/pci/pci-rom.c. */
    MemoryRegion rom;
    uint64_t rom_size;                    /* of its contents, bytes */
    PCIROMReadFunc *rom_read;             /* NULL: there is none */
    bool rom_loaded;                      /* rom has what rom_read gave */
    int rom_fd;                           /* of romfile, until then; -1: none */

    /* Where the model sends MSI-X from, too; whoever changes how they are sent
     * pauses it. NULL: only with the big lock held. */
    AioContext *aio_context;

    uint8_t irq_state;                    /* bit n: pin n is asserted */
    uint32_t cap_present;                 /* QEMU_PCI_CAP_* */

    uint8_t msi_cap;                      /* offset; 0: none */

    /* MSI-X; see hw/pci/msix.h. */
    uint8_t msix_cap;                     /* offset; 0: none */
    int msix_entries_nr;
    uint8_t *msix_table;                  /* PCI_MSIX_ENTRY_SIZE each */
    uint8_t *msix_pba;
    MemoryRegion msix_exclusive_bar;
    MemoryRegion msix_table_mmio;
    MemoryRegion msix_pba_mmio;
    unsigned *msix_entry_used;            /* by how many users */
    bool msix_function_masked;
    MSIVectorUseNotifier msix_vector_use_notifier;
    MSIVectorReleaseNotifier msix_vector_release_notifier;
    MSIVectorPollNotifier msix_vector_poll_notifier;

    PCIExpressDevice exp;
};

/* --- BARs --- */

/*
 * Region @region_num (0..5, or PCI_ROM_SLOT) is @memory, of a power-of-two
 * size (memory >= 16 bytes, I/O >= 4). @attr: PCI_BASE_ADDRESS_SPACE_IO, or
 * PCI_BASE_ADDRESS_MEM_TYPE_64 and _MEM_PREFETCH. The guest decides where it
 * is mapped. Only in realize; a 64-bit BAR takes two registers.
 */
void pci_register_bar(PCIDevice *dev, int region_num, uint8_t attr,
                      MemoryRegion *memory);
/* Maps and unmaps BARs as the registers say; the default write does that. */
void pci_update_mappings(PCIDevice *dev);

/* Whether pci_set_rom() is wanted: rombar= and romfile= leave it to the device. */
bool pci_wants_rom(const PCIDevice *dev);
/*
 * The function has a ROM of @size bytes (1 to PCI_ROM_MAX), which @read is called
 * for when the guest first has it shown. In realize; false: *errp.
 */
bool pci_set_rom(PCIDevice *dev, uint64_t size, PCIROMReadFunc *read,
                 Error **errp);

/* --- configuration space --- */

/*
 * The behaviour of a plain function: honours the masks, then acts on the
 * command register, BARs, MSI and MSI-X. A config_write of a class calls it
 * and adds its own. @len is 1..4; whatever is out of the space is ignored and
 * reads as ones.
 */
uint32_t pci_default_read_config(PCIDevice *dev, uint32_t address, int len);
void pci_default_write_config(PCIDevice *dev, uint32_t address, uint32_t val,
                              int len);
/* 256 or 4096. */
uint32_t pci_config_size(const PCIDevice *dev);
/*
 * Adds a capability of @size bytes, read-only until the caller sets wmask, at
 * @offset, or at a free place if @offset is 0. The offset, or -EINVAL and
 * *errp if it overlaps another one or there is no room.
 */
int pci_add_capability(PCIDevice *pdev, uint8_t cap_id, uint8_t offset,
                       uint8_t size, Error **errp);
void pci_del_capability(PCIDevice *pdev, uint8_t cap_id, uint8_t cap_size);

static inline bool pci_is_express(const PCIDevice *d)
{
    return d->cap_present & QEMU_PCI_CAP_EXPRESS;
}

/* --- interrupts --- */

/* Level of the pin that PCI_INTERRUPT_PIN names (none: nothing happens). */
void pci_set_irq(PCIDevice *pci_dev, int level);
/* The same for pin @irq_num (0..3); a qemu_irq_handler. @opaque: PCIDevice. */
void pci_irq_handler(void *opaque, int irq_num, int level);
#define pci_irq_assert(dev) pci_set_irq(dev, 1)
#define pci_irq_deassert(dev) pci_set_irq(dev, 0)
/* Which input of the interrupt controller pin @pin (0..3) drives. */
PCIINTxRoute pci_device_route_intx_to_irq(PCIDevice *dev, int pin);
static inline bool pci_irq_disabled(const PCIDevice *d)
{
    return d->config[PCI_COMMAND + 1] & (PCI_COMMAND_INTX_DISABLE >> 8);
}

/* --- DMA --- */

/* What the function reaches by DMA (MSIs included) while it is bus master. */
static inline AddressSpace *pci_get_address_space(PCIDevice *dev)
{
    return &dev->bus_master_as;
}
/* What the bus offers it, master or not: the IOMMU's address space, or
 * address_space_memory. VFIO containers are per this. */
AddressSpace *pci_device_iommu_address_space(PCIDevice *dev);
/* Bus, slot and function, as DMA carries them. */
uint16_t pci_requester_id(PCIDevice *dev);

/* --- life --- */

PCIBus *pci_get_bus(const PCIDevice *dev);
/* A function of the board's at @devfn, realized; failure ends the program. */
PCIDevice *pci_create_simple(PCIBus *bus, int32_t devfn, const char *name);

/* --- little-endian fields of configuration space and its masks --- */

static inline uint8_t pci_get_byte(const uint8_t *p)
{
    return *p;
}

static inline void pci_set_byte(uint8_t *p, uint8_t v)
{
    *p = v;
}

static inline uint16_t pci_get_word(const uint8_t *p)
{
    uint16_t v;
    memcpy(&v, p, sizeof(v));
    return GUINT16_FROM_LE(v);
}

static inline void pci_set_word(uint8_t *p, uint16_t v)
{
    v = GUINT16_TO_LE(v);
    memcpy(p, &v, sizeof(v));
}

static inline uint32_t pci_get_long(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof(v));
    return GUINT32_FROM_LE(v);
}

static inline void pci_set_long(uint8_t *p, uint32_t v)
{
    v = GUINT32_TO_LE(v);
    memcpy(p, &v, sizeof(v));
}

static inline uint64_t pci_get_quad(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof(v));
    return GUINT64_FROM_LE(v);
}

static inline void pci_set_quad(uint8_t *p, uint64_t v)
{
    v = GUINT64_TO_LE(v);
    memcpy(p, &v, sizeof(v));
}

/* Set or clear bits; what was set of them before. */
static inline uint16_t pci_word_test_and_set_mask(uint8_t *p, uint16_t mask)
{
    uint16_t v = pci_get_word(p);
    pci_set_word(p, v | mask);
    return v & mask;
}

static inline uint16_t pci_word_test_and_clear_mask(uint8_t *p, uint16_t mask)
{
    uint16_t v = pci_get_word(p);
    pci_set_word(p, v & ~mask);
    return v & mask;
}

static inline uint32_t pci_long_test_and_set_mask(uint8_t *p, uint32_t mask)
{
    uint32_t v = pci_get_long(p);
    pci_set_long(p, v | mask);
    return v & mask;
}

static inline uint32_t pci_long_test_and_clear_mask(uint8_t *p, uint32_t mask)
{
    uint32_t v = pci_get_long(p);
    pci_set_long(p, v & ~mask);
    return v & mask;
}

static inline void pci_config_set_vendor_id(uint8_t *config, uint16_t val)
{
    pci_set_word(config + PCI_VENDOR_ID, val);
}

static inline void pci_config_set_device_id(uint8_t *config, uint16_t val)
{
    pci_set_word(config + PCI_DEVICE_ID, val);
}

static inline void pci_config_set_revision(uint8_t *config, uint8_t val)
{
    config[PCI_REVISION_ID] = val;
}

static inline void pci_config_set_class(uint8_t *config, uint16_t val)
{
    pci_set_word(config + PCI_CLASS_DEVICE, val);
}

static inline void pci_config_set_prog_interface(uint8_t *config, uint8_t val)
{
    config[PCI_CLASS_PROG] = val;
}

/* @val: 1 is INTA; 0: no pin. */
static inline void pci_config_set_interrupt_pin(uint8_t *config, uint8_t val)
{
    config[PCI_INTERRUPT_PIN] = val;
}

#endif
