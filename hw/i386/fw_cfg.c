/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a PC says in its firmware configuration device (fw_cfg.h). Nothing here
 * is looked at by the emulator: a direct boot needs no firmware, and does not
 * read it. What depends on the devices the machine sets at each reset.
 */
#include "qemu/osdep.h"

#include <asm/bootparam.h>

#include "acpi-loader.h"
#include "fw_cfg.h"
#include "qapi/error.h"
#include "sysemu/numa.h"
#include "sysemu/sysemu.h"

/* etc/system-states: a byte for each of S0 to S5. */
#define SYSTEM_STATES 6
#define SYSTEM_STATE_ENABLED 0x80
#define SYSTEM_STATE_TYPE_S3 1            /* what would be written to enter it */
#define SYSTEM_STATE_TYPE_S4 2

/* All in one array: the number of nodes, the node of each APIC ID, the RAM of
 * each node. */
static void add_numa(FWCfgState *s, const X86FWCfg *config)
{
    const NumaState *numa = config->machine->numa_state;
    unsigned n = 1 + config->apic_id_limit + numa->num_nodes;
    g_autofree uint64_t *words = g_new0(uint64_t, n);

    words[0] = GUINT64_TO_LE((uint64_t)numa->num_nodes);
    for (unsigned i = 0; numa->num_nodes && i < config->machine->smp.cpus; i++) {
        words[1 + config->apic_ids[i]] =
            GUINT64_TO_LE((uint64_t)numa->cpu_node[i]);
    }
    for (int i = 0; i < numa->num_nodes; i++) {
        words[1 + config->apic_id_limit + i] =
            GUINT64_TO_LE(numa->nodes[i].node_mem);
    }
    fw_cfg_add_bytes(s, FW_CFG_NUMA, words, n * sizeof(words[0]));
}

static void add_items(FWCfgState *s, const X86FWCfg *config)
{
    const MachineState *ms = config->machine;
    QemuUUID uuid = qemu_vm_uuid();

    fw_cfg_add_bytes(s, FW_CFG_UUID, uuid.data, sizeof(uuid.data));
    fw_cfg_add_i64(s, FW_CFG_RAM_SIZE, ms->ram_size);
    fw_cfg_add_i16(s, FW_CFG_NOGRAPHIC, ms->nographic);
    fw_cfg_add_i16(s, FW_CFG_NB_CPUS, ms->smp.cpus);
    /* Not their number: firmware makes room for each APIC ID. */
    fw_cfg_add_i16(s, FW_CFG_MAX_CPUS, config->apic_id_limit);
    fw_cfg_add_i16(s, FW_CFG_BOOT_MENU, ms->boot_config.menu);
    fw_cfg_add_i32(s, FW_CFG_IRQ0_OVERRIDE, 1);
    add_numa(s, config);
}

static void add_file(FWCfgState *s, const char *name, const void *data,
                     size_t len)
{
    fw_cfg_add_file(s, name, data, len, &error_abort);
}

static void add_boot_files(FWCfgState *s, const BootConfiguration *boot)
{
    uint32_t timeout = GUINT32_TO_LE((uint32_t)boot->reboot_timeout);
    uint16_t splash_time = GUINT16_TO_LE(boot->splash_time);

    add_file(s, "etc/boot-fail-wait", &timeout, sizeof(timeout));
    if (boot->has_splash_time) {
        add_file(s, "etc/boot-menu-wait", &splash_time, sizeof(splash_time));
    }
}

/* There is S5, and neither S3 nor S4, as the ACPI tables say, too. */
static void add_system_states(FWCfgState *s)
{
    const uint8_t states[SYSTEM_STATES] = {
        [0] = SYSTEM_STATE_ENABLED,
        [3] = SYSTEM_STATE_TYPE_S3,
        [4] = SYSTEM_STATE_TYPE_S4,
        [5] = SYSTEM_STATE_ENABLED,
    };

    add_file(s, "etc/system-states", states, sizeof(states));
}

/* RAM, and what is reserved; firmware finds out where the rest is, and makes room
 * for itself. */
static void add_e820(FWCfgState *s, const X86MemoryMap *map, bool firmware)
{
    struct boot_e820_entry table[X86_E820_MAX];
    unsigned n = firmware ? x86_e820_build_for_firmware(map, table)
                          : x86_e820_build(map, table);

    add_file(s, "etc/e820", table, n * sizeof(table[0]));
}

/* What is for memory devices ends here: firmware puts PCI memory behind it. */
static void add_reserved_memory_end(FWCfgState *s, const X86MemoryMap *map)
{
    uint64_t end = GUINT64_TO_LE(map->pci64_base);

    if (map->device_size) {
        add_file(s, "etc/reserved-memory-end", &end, sizeof(end));
    }
}

/* Their contents are known later; nobody may take the names. */
static void add_firmware_files(FWCfgState *s)
{
    static const char *const names[] = {
        ACPI_TABLES_FILE, ACPI_RSDP_FILE, ACPI_LOADER_FILE, BOOT_ORDER_FILE,
    };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        add_file(s, names[i], NULL, 0);
    }
}

static bool add_user_files(FWCfgState *s, const GPtrArray *files, Error **errp)
{
    ERRP_GUARD();

    for (guint i = 0; i < files->len; i++) {
        const FirmwareFile *file = g_ptr_array_index(files, i);
        gsize size;
        const void *data = g_bytes_get_data(file->contents, &size);

        if (!fw_cfg_add_file(s, file->name, data, size, errp)) {
            error_prepend(errp, "-%s: ", file->option);
            return false;
        }
    }
    return true;
}

bool x86_fw_cfg_fill(FWCfgState *s, const X86FWCfg *config, Error **errp)
{
    add_items(s, config);
    add_boot_files(s, &config->machine->boot_config);
    add_system_states(s);
    add_e820(s, config->map, config->firmware);
    add_reserved_memory_end(s, config->map);
    if (config->firmware) {
        add_firmware_files(s);
    }
    return add_user_files(s, config->machine->firmware_files, errp);
}
