/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Builds the ACPI tables (hw/i386/acpi.h) as ACPI 6.3, chapter 5 lays them
 * out. The machine calls it at each reset and writes the block to the guest, or
 * gives it to firmware (acpi-loader.c), which moves it. Must never interpret the
 * DSDT, which iasl has compiled, nor patch more of it than its one address.
 */
#include "qemu/osdep.h"

#include "acpi-internal.h"
#include "hw/i386/dsdt.hex"             /* compiled from dsdt.asl */
#include "qemu/cutils.h"
#include "qemu/units.h"

#define OEM_ID "SPARSE"
#define OEM_TABLE_ID "SPARSEVM"
#define TABLE_ALIGN 64                    /* what the FACS demands */

typedef struct QEMU_PACKED AcpiRsdp {
    char signature[8];
    uint8_t checksum;                     /* of the first 20 bytes */
    char oem_id[6];
    uint8_t revision;
    uint32_t rsdt;
    uint32_t length;
    uint64_t xsdt;
    uint8_t extended_checksum;
    uint8_t reserved[3];
} AcpiRsdp;

typedef struct QEMU_PACKED AcpiGas {
    uint8_t space;                        /* 1: I/O ports */
    uint8_t bit_width;
    uint8_t bit_offset;
    uint8_t access_size;                  /* 1: byte, 2: word, 3: dword */
    uint64_t address;
} AcpiGas;

typedef struct QEMU_PACKED AcpiFadt {
    AcpiHeader header;
    uint32_t facs;
    uint32_t dsdt;
    uint8_t int_model;
    uint8_t preferred_profile;
    uint16_t sci_int;
    uint32_t smi_cmd;                     /* 0: always in ACPI mode */
    uint8_t acpi_enable, acpi_disable, s4bios_req, pstate_cnt;
    uint32_t pm1a_evt_blk, pm1b_evt_blk, pm1a_cnt_blk, pm1b_cnt_blk;
    uint32_t pm2_cnt_blk, pm_tmr_blk, gpe0_blk, gpe1_blk;
    uint8_t pm1_evt_len, pm1_cnt_len, pm2_cnt_len, pm_tmr_len;
    uint8_t gpe0_blk_len, gpe1_blk_len, gpe1_base, cst_cnt;
    uint16_t p_lvl2_lat, p_lvl3_lat, flush_size, flush_stride;
    uint8_t duty_offset, duty_width, day_alarm, month_alarm, century;
    uint16_t iapc_boot_arch;
    uint8_t reserved;
    uint32_t flags;
    AcpiGas reset_reg;
    uint8_t reset_value;
    uint16_t arm_boot_arch;
    uint8_t minor_revision;
    uint64_t x_facs, x_dsdt;
    AcpiGas x_pm1a_evt, x_pm1b_evt, x_pm1a_cnt, x_pm1b_cnt;
    AcpiGas x_pm2_cnt, x_pm_tmr, x_gpe0, x_gpe1;
    AcpiGas sleep_control, sleep_status;
    uint64_t hypervisor_vendor;
} AcpiFadt;

/* FADT flags and boot architecture flags. */
#define FADT_WBINVD (1U << 0)
#define FADT_PROC_C1 (1U << 2)
#define FADT_NO_FIXED_SLEEP_BUTTON (1U << 5)
#define FADT_TMR_VAL_32BIT (1U << 8)
#define FADT_RESET_REG_SUPPORTED (1U << 10)
#define BOOT_ARCH_LEGACY_DEVICES (1U << 0)
#define BOOT_ARCH_NO_VGA (1U << 2)
#define CMOS_CENTURY 0x32

typedef struct QEMU_PACKED AcpiFacs {
    char signature[4];
    uint32_t length;
    uint32_t hardware_signature;
    uint32_t waking_vector;
    uint32_t global_lock;
    uint32_t flags;
    uint64_t x_waking_vector;
    uint8_t version;
    uint8_t reserved[31];
} AcpiFacs;

typedef struct QEMU_PACKED AcpiMadt {
    AcpiHeader header;
    uint32_t lapic_address;
    uint32_t flags;                       /* 1: there are two 8259s */
} AcpiMadt;

typedef struct QEMU_PACKED MadtLapic {
    uint8_t type, length;                 /* 0 */
    uint8_t uid, apic_id;
    uint32_t flags;                       /* 1: enabled */
} MadtLapic;

typedef struct QEMU_PACKED MadtIoapic {
    uint8_t type, length;                 /* 1 */
    uint8_t id, reserved;
    uint32_t address;
    uint32_t gsi_base;
} MadtIoapic;

typedef struct QEMU_PACKED MadtOverride {
    uint8_t type, length;                 /* 2 */
    uint8_t bus, source;
    uint32_t gsi;
    uint16_t flags;
} MadtOverride;

typedef struct QEMU_PACKED MadtLapicNmi {
    uint8_t type, length;                 /* 4 */
    uint8_t uid;                          /* 0xff: all */
    uint16_t flags;
    uint8_t lint;
} MadtLapicNmi;

#define MADT_LEVEL_HIGH 0xd               /* level triggered, active high */
#define IOAPIC_ID 0

typedef struct QEMU_PACKED AcpiMcfg {
    AcpiHeader header;
    uint64_t reserved;
    uint64_t base;
    uint16_t segment;
    uint8_t start_bus, end_bus;
    uint32_t reserved2;
} AcpiMcfg;

/* --- the block and tables in it --- */

static void *at(GByteArray *block, uint64_t address)
{
    return block->data + (address - X86_ACPI_BASE);
}

uint64_t acpi_append(GByteArray *block, const void *data, size_t size)
{
    uint64_t address = X86_ACPI_BASE + block->len;

    g_byte_array_append(block, data, size);
    return address;
}

static void align(GByteArray *block)
{
    static const uint8_t zero[TABLE_ALIGN];

    g_byte_array_append(block, zero, -block->len % TABLE_ALIGN);
}

uint64_t acpi_table_begin(GByteArray *block, const char *signature,
                          uint8_t revision, void *table, size_t size)
{
    AcpiHeader *h = table;

    memcpy(h->signature, signature, sizeof(h->signature));
    memcpy(h->oem_id, OEM_ID, sizeof(h->oem_id));
    memcpy(h->oem_table_id, OEM_TABLE_ID, sizeof(h->oem_table_id));
    memcpy(h->creator_id, OEM_ID, sizeof(h->creator_id));
    h->revision = revision;
    h->oem_revision = 1;
    h->creator_revision = 1;
    align(block);
    return acpi_append(block, table, size);
}

void acpi_table_end(GByteArray *block, uint64_t address)
{
    AcpiHeader *h = at(block, address);

    h->length = X86_ACPI_BASE + block->len - address;
    h->checksum = 0;
    h->checksum = buffer_checksum(h, h->length);
}

/* --- the tables --- */

static uint64_t build_facs(GByteArray *block)
{
    AcpiFacs facs = { .signature = { 'F', 'A', 'C', 'S' },
                      .length = sizeof(facs), .version = 2 };

    align(block);
    return acpi_append(block, &facs, sizeof(facs));
}

static uint64_t build_dsdt(GByteArray *block)
{
    align(block);
    return acpi_append(block, dsdt_aml_code, sizeof(dsdt_aml_code));
}

static AcpiGas io_ports(uint16_t address, uint8_t bits, uint8_t access_size)
{
    return (AcpiGas) { .space = 1, .bit_width = bits,
                       .access_size = access_size, .address = address };
}

static uint64_t build_fadt(GByteArray *block, uint64_t facs, uint64_t dsdt)
{
    AcpiFadt fadt = {
        .facs = facs,
        .dsdt = dsdt,
        .x_dsdt = dsdt,
        .sci_int = ACPI_SCI_IRQ,
        .pm1a_evt_blk = ACPI_PM_BASE,
        .pm1a_cnt_blk = ACPI_PM_BASE + 4,
        .pm_tmr_blk = ACPI_PM_BASE + 8,
        .pm1_evt_len = 4,
        .pm1_cnt_len = 2,
        .pm_tmr_len = 4,
        .p_lvl2_lat = 0xfff,              /* no C2, no C3 */
        .p_lvl3_lat = 0xfff,
        .century = CMOS_CENTURY,
        .iapc_boot_arch = BOOT_ARCH_LEGACY_DEVICES | BOOT_ARCH_NO_VGA,
        .flags = FADT_WBINVD | FADT_PROC_C1 | FADT_NO_FIXED_SLEEP_BUTTON |
                 FADT_TMR_VAL_32BIT | FADT_RESET_REG_SUPPORTED,
        .reset_reg = io_ports(ACPI_RESET_PORT, 8, 1),
        .reset_value = ACPI_RESET_VALUE,
        .minor_revision = 3,
        .x_pm1a_evt = io_ports(ACPI_PM_BASE, 32, 2),
        .x_pm1a_cnt = io_ports(ACPI_PM_BASE + 4, 16, 2),
        .x_pm_tmr = io_ports(ACPI_PM_BASE + 8, 32, 3),
    };
    uint64_t address = acpi_table_begin(block, "FACP", 6, &fadt, sizeof(fadt));

    acpi_table_end(block, address);
    return address;
}

static uint64_t build_madt(GByteArray *block, const AcpiConfig *config)
{
    /* The timer is on pin 2; the SCI is level triggered, unlike ISA's. */
    const MadtOverride overrides[] = {
        { 2, sizeof(MadtOverride), 0, 0, 2, 0 },
        { 2, sizeof(MadtOverride), 0, ACPI_SCI_IRQ, ACPI_SCI_IRQ,
          MADT_LEVEL_HIGH },
    };
    const MadtIoapic ioapic = { .type = 1, .length = sizeof(ioapic),
                                .id = IOAPIC_ID, .address = X86_IOAPIC_BASE };
    const MadtLapicNmi nmi = { .type = 4, .length = sizeof(nmi), .uid = 0xff,
                               .lint = 1 };
    AcpiMadt madt = { .lapic_address = X86_LAPIC_BASE, .flags = 1 };
    uint64_t address = acpi_table_begin(block, "APIC", 5, &madt, sizeof(madt));

    for (unsigned i = 0; i < config->nr_cpus; i++) {
        MadtLapic lapic = { 0, sizeof(lapic), i, config->apic_ids[i], 1 };

        acpi_append(block, &lapic, sizeof(lapic));
    }
    acpi_append(block, &ioapic, sizeof(ioapic));
    acpi_append(block, overrides, sizeof(overrides));
    acpi_append(block, &nmi, sizeof(nmi));
    acpi_table_end(block, address);
    return address;
}

static uint64_t build_mcfg(GByteArray *block)
{
    AcpiMcfg mcfg = { .base = X86_MMCONFIG_BASE,
                      .end_bus = X86_MMCONFIG_SIZE / MiB - 1 };
    uint64_t address = acpi_table_begin(block, "MCFG", 1, &mcfg, sizeof(mcfg));

    acpi_table_end(block, address);
    return address;
}

static uint64_t build_rsdp(GByteArray *block, uint64_t xsdt)
{
    AcpiRsdp rsdp = { .signature = { 'R', 'S', 'D', ' ', 'P', 'T', 'R', ' ' },
                      .revision = 2, .length = sizeof(rsdp), .xsdt = xsdt };

    memcpy(rsdp.oem_id, OEM_ID, sizeof(rsdp.oem_id));
    rsdp.checksum = buffer_checksum(&rsdp, offsetof(AcpiRsdp, length));
    rsdp.extended_checksum = buffer_checksum(&rsdp, sizeof(rsdp));
    align(block);
    return acpi_append(block, &rsdp, sizeof(rsdp));
}

GByteArray *acpi_build(const AcpiConfig *config, uint64_t *rsdp)
{
    const X86MemoryMap *map = config->map;
    GByteArray *block = g_byte_array_new();
    AcpiPlatform platform = {
        .pci64_base = map->pci64_base,
        .pci64_last = map->pci64_end - 1,
        .pci64_size = map->pci64_end - map->pci64_base,
        .vmgenid = config->has_vmgenid ? X86_ACPI_BASE : 0,
        .serial_ports = config->serial_ports,
    };
    uint64_t facs, dsdt, tables[6], address;
    AcpiHeader xsdt = {};
    unsigned n = 0;

    platform.guid = config->vmgenid;
    acpi_append(block, &platform, sizeof(platform));
    facs = build_facs(block);
    dsdt = build_dsdt(block);
    tables[n++] = build_fadt(block, facs, dsdt);
    tables[n++] = build_madt(block, config);
    tables[n++] = build_mcfg(block);
    if (config->numa->num_nodes || map->device_size) {
        tables[n++] = acpi_build_srat(block, config);
    }
    if (config->numa->have_distances) {
        tables[n++] = acpi_build_slit(block, config->numa);
    }
    if (config->numa->hmat_enabled && config->numa->num_nodes) {
        tables[n++] = acpi_build_hmat(block, config->numa);
    }
    address = acpi_table_begin(block, "XSDT", 1, &xsdt, sizeof(xsdt));
    acpi_append(block, tables, n * sizeof(tables[0]));
    acpi_table_end(block, address);
    *rsdp = build_rsdp(block, address);
    return block;
}

/* --- moving the block --- */

/* OperationRegion (PLAT, SystemMemory, DWORD in AML, up to the number. */
static const uint8_t aml_plat[] = { 0x5b, 0x80, 'P', 'L', 'A', 'T', 0, 0x0c };

typedef struct LinkWalk {
    const GByteArray *block;
    AcpiPointerFn *pointer;
    AcpiSumFn *sum;
    void *opaque;
} LinkWalk;

static void link_pointer(const LinkWalk *w, size_t offset, uint8_t size)
{
    AcpiPointer pointer = { offset, size };

    w->pointer(&pointer, w->opaque);
}

static uint32_t get_length(const LinkWalk *w, uint64_t address)
{
    AcpiHeader h;

    memcpy(&h, w->block->data + (address - X86_ACPI_BASE), sizeof(h));
    return h.length;
}

static void link_sum(const LinkWalk *w, uint64_t address)
{
    AcpiSum sum = {
        .offset = address - X86_ACPI_BASE + offsetof(AcpiHeader, checksum),
        .start = address - X86_ACPI_BASE,
        .size = get_length(w, address),
    };

    w->sum(&sum, w->opaque);
}

static void link_dsdt(const LinkWalk *w, uint64_t address)
{
    const uint8_t *dsdt = w->block->data + (address - X86_ACPI_BASE);
    const uint8_t *plat = memmem(dsdt, get_length(w, address), aml_plat,
                                 sizeof(aml_plat));

    g_assert(plat);
    link_pointer(w, plat + sizeof(aml_plat) - w->block->data, 4);
    link_sum(w, address);
}

static void link_fadt(const LinkWalk *w, uint64_t address)
{
    size_t at = address - X86_ACPI_BASE;
    AcpiFadt fadt;

    memcpy(&fadt, w->block->data + at, sizeof(fadt));
    link_dsdt(w, fadt.dsdt);
    link_pointer(w, at + offsetof(AcpiFadt, facs), 4);
    link_pointer(w, at + offsetof(AcpiFadt, dsdt), 4);
    link_pointer(w, at + offsetof(AcpiFadt, x_dsdt), 8);
}

static void link_xsdt(const LinkWalk *w, uint64_t xsdt)
{
    uint32_t length = get_length(w, xsdt);

    for (uint32_t i = sizeof(AcpiHeader); i < length; i += sizeof(uint64_t)) {
        size_t at = xsdt - X86_ACPI_BASE + i;
        uint64_t address;

        memcpy(&address, w->block->data + at, sizeof(address));
        if (!memcmp(w->block->data + (address - X86_ACPI_BASE), "FACP", 4)) {
            link_fadt(w, address);
        }
        link_pointer(w, at, 8);
        link_sum(w, address);
    }
    link_sum(w, xsdt);
}

void acpi_foreach_link(const GByteArray *block, uint64_t rsdp,
                       AcpiPointerFn *pointer, AcpiSumFn *sum, void *opaque)
{
    const LinkWalk w = { block, pointer, sum, opaque };
    uint32_t at = rsdp - X86_ACPI_BASE;
    const AcpiSum sums[] = {
        { at + offsetof(AcpiRsdp, checksum), at, offsetof(AcpiRsdp, length) },
        { at + offsetof(AcpiRsdp, extended_checksum), at, sizeof(AcpiRsdp) },
    };
    AcpiRsdp r;

    memcpy(&r, block->data + at, sizeof(r));
    link_xsdt(&w, r.xsdt);
    link_pointer(&w, at + offsetof(AcpiRsdp, xsdt), 8);
    for (size_t i = 0; i < ARRAY_SIZE(sums); i++) {
        sum(&sums[i], opaque);
    }
}
