/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tables of a q35 machine and their places in it (q35-tables.h). ACPI's are built
 * at each reset, as there may be other devices then; SMBIOS's are built once.
 */
#include "qemu/osdep.h"

#include <asm/bootparam.h>

#include "exec/address-spaces.h"
#include "q35-tables.h"
#include "qemu/units.h"
#include "sysemu/kvm-x86.h"
#include "sysemu/sysemu.h"

#define E820_RAM 1
#define SMBIOS_TABLES_FILE "etc/smbios/smbios-tables"
#define SMBIOS_ANCHOR_FILE "etc/smbios/smbios-anchor"

/* Operating systems look for the entry point from here on; the tables follow it. */
#define SMBIOS_BASE 0xf0000ULL
#define SMBIOS_HEAD ROUND_UP(SMBIOS_ENTRY_POINT_MAX, SMBIOS_ENTRY_POINT_ALIGN)
#define TABLES_END MiB

/* --- SMBIOS --- */

/* What is RAM in the memory map; how many runs. */
static unsigned get_ram(const X86MemoryMap *map,
                        struct smbios_phys_mem_area ram[X86_E820_MAX])
{
    struct boot_e820_entry e820[X86_E820_MAX];
    unsigned entries = x86_e820_build_for_firmware(map, e820), n = 0;

    for (unsigned i = 0; i < entries; i++) {
        if (e820[i].type == E820_RAM) {
            ram[n++] = (struct smbios_phys_mem_area) { e820[i].addr,
                                                       e820[i].size };
        }
    }
    return n;
}

bool q35_smbios_build(Q35Smbios *s, const MachineState *ms,
                      const X86MemoryMap *map, Error **errp)
{
    const MachineClass *mc = MACHINE_GET_CLASS(ms);
    struct smbios_phys_mem_area ram[X86_E820_MAX];
    SmbiosMachine machine = {
        .product = mc->desc,
        .version = mc->name,
        .uuid = qemu_vm_uuid(),
        .sockets = ms->smp.sockets,
        .cores = ms->smp.cores,
        .threads = ms->smp.cores * ms->smp.threads,
        .ram_size = ms->ram_size,
        .ram = ram,
        .nr_ram = get_ram(map, ram),
    };

    if (kvm_enabled()) {
        const X86HostCpu *cpu = kvm_x86_host_cpu(kvm_state);

        machine.cpu_signature = cpu->signature;
        machine.cpu_features = cpu->words[X86_FEAT_1_EDX];
    }
    s->tables = smbios_build(ms->smbios, &machine, s->entry_point, errp);
    return s->tables;
}

/* Firmware fills the address in. */
void q35_smbios_add_files(const Q35Smbios *s, FWCfgState *fw_cfg)
{
    uint8_t anchor[SMBIOS_ENTRY_POINT_MAX];
    size_t size = smbios_entry_point(s->tables, 0, s->entry_point, anchor);

    fw_cfg_add_file(fw_cfg, SMBIOS_TABLES_FILE, s->tables->data, s->tables->len,
                    &error_abort);
    fw_cfg_add_file(fw_cfg, SMBIOS_ANCHOR_FILE, anchor, size, &error_abort);
}

void q35_smbios_free(Q35Smbios *s)
{
    g_clear_pointer(&s->tables, g_byte_array_unref);
}

/* --- without firmware --- */

/* Where the entry point goes. */
static uint64_t place_smbios(const GByteArray *acpi)
{
    uint64_t acpi_end = X86_ACPI_BASE + acpi->len;

    return MAX(SMBIOS_BASE, ROUND_UP(acpi_end, SMBIOS_ENTRY_POINT_ALIGN));
}

/* What grows without bound is what -numa hmat-lb and -smbios say. */
bool q35_tables_check(const AcpiConfig *acpi, const Q35Smbios *s, Error **errp)
{
    uint64_t rsdp, smbios;
    g_autoptr(GByteArray) block = acpi_build(acpi, &rsdp);

    if (block->len > X86_ACPI_SIZE) {
        error_setg(errp, "the ACPI tables have %u bytes, %" PRIu64
                   " are possible: give fewer kinds of -numa hmat-lb",
                   block->len, (uint64_t)X86_ACPI_SIZE);
        return false;
    }
    smbios = place_smbios(block) + SMBIOS_HEAD;
    if (smbios + s->tables->len > TABLES_END) {
        error_setg(errp, "the SMBIOS tables have %u bytes, there is room for %"
                   PRIu64 " behind ACPI's: give less by -smbios, or -bios",
                   s->tables->len,
                   TABLES_END > smbios ? TABLES_END - smbios : 0);
        return false;
    }
    return true;
}

static void write_bytes(uint64_t address, const void *data, size_t size)
{
    address_space_write(&address_space_memory, address, MEMTXATTRS_UNSPECIFIED,
                        data, size);
}

uint64_t q35_tables_write(const AcpiConfig *acpi, const Q35Smbios *s)
{
    uint8_t anchor[SMBIOS_ENTRY_POINT_MAX];
    uint64_t rsdp;
    g_autoptr(GByteArray) block = acpi_build(acpi, &rsdp);
    uint64_t smbios = place_smbios(block);
    size_t size = smbios_entry_point(s->tables, smbios + SMBIOS_HEAD,
                                     s->entry_point, anchor);

    write_bytes(X86_ACPI_BASE, block->data, block->len);
    write_bytes(smbios, anchor, size);
    write_bytes(smbios + SMBIOS_HEAD, s->tables->data, s->tables->len);
    return rsdp;
}
