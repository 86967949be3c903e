/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The structures of SMBIOS (hw/firmware/smbios.h): what the machine is, where -smbios
 * does not say otherwise. Firmware adds structure 0, about itself, if there is none.
 * Strings follow their structure, which has their numbers.
 */
#include "qemu/osdep.h"

#include "qemu/cutils.h"
#include "qemu/units.h"
#include "smbios-entries.h"
#include "smbios-layout.h"

/* By these names tools know the maker, whoever's emulator it is. */
#define MAKER "QEMU"

/* What a 2.1 entry point can tell. */
#define TABLES_MAX_32 UINT16_MAX
#define DIMM_SIZE_MAX (16 * GiB)
#define DEFAULT_SPEED 2000                /* MHz */
#define MHZ_UNKNOWN 0
#define NO_HANDLE 0xffff
#define NO_ERROR_HANDLE 0xfffe

/* Handles: of one structure, or of the first of a type. */
enum {
    HANDLE_BIOS = 0,
    HANDLE_SYSTEM = 0x100,
    HANDLE_BASEBOARD = 0x200,
    HANDLE_CHASSIS = 0x300,
    HANDLE_PROCESSOR = 0x400,
    HANDLE_OEM_STRINGS = 0xe00,
    HANDLE_MEMORY_ARRAY = 0x1000,
    HANDLE_MEMORY_DEVICE = 0x1100,
    HANDLE_MAPPED_ADDRESS = 0x1300,
    HANDLE_BOOT = 0x2000,
    HANDLE_END = 0x7f00,
};

/* --- one structure --- */

typedef struct Builder {
    const SmbiosEntries *entries;
    const SmbiosMachine *machine;
    SmbiosEntryPointType type;
    GByteArray *tables;
    GByteArray *strings;                  /* of the structure in the making */
    unsigned nr_strings;
} Builder;

/* The number of @text among the structure's strings; 0: none. */
static uint8_t add_string(Builder *b, const char *text)
{
    if (!text || !*text) {
        return 0;
    }
    g_byte_array_append(b->strings, (const uint8_t *)text, strlen(text) + 1);
    return ++b->nr_strings;
}

/* The same of what -smbios says, else of @text. */
static uint8_t add_option(Builder *b, unsigned type, const char *name,
                          const char *text)
{
    return add_string(b, smbios_text(b->entries, type, name) ?: text);
}

static uint64_t number(const Builder *b, unsigned type, const char *name,
                       uint64_t value)
{
    return smbios_number(b->entries, type, name, value);
}

/* Appends @structure with its strings, unless a file has one of @type. */
static void add(Builder *b, unsigned type, uint16_t handle, void *structure,
                size_t size)
{
    static const uint8_t zeros[2];
    SmbiosHeader *h = structure;

    h->type = type;
    h->length = size;
    h->handle = handle;
    if (!smbios_is_in_file(b->entries, type)) {
        g_byte_array_append(b->tables, structure, size);
        g_byte_array_append(b->tables, b->strings->data, b->strings->len);
        g_byte_array_append(b->tables, zeros, b->nr_strings ? 1 : 2);
    }
    g_byte_array_set_size(b->strings, 0);
    b->nr_strings = 0;
}

/* --- what the machine is --- */

static void add_bios(Builder *b)
{
    const char *release = smbios_text(b->entries, 0, "release");
    bool uefi = false;
    SmbiosBios t = {
        .start_segment = 0xe800,
        .characteristics = BIOS_NO_CHARACTERISTICS,
        .ec_major = UINT8_MAX,
        .ec_minor = UINT8_MAX,
    };

    if (!smbios_is_wanted(b->entries, 0)) {
        return;
    }
    t.vendor = add_option(b, 0, "vendor", NULL);
    t.version = add_option(b, 0, "version", NULL);
    t.date = add_option(b, 0, "date", NULL);
    qemu_parse_bool(smbios_text(b->entries, 0, "uefi") ?: "off", &uefi);
    t.extension[1] = BIOS_EXTENSION_VIRTUAL_MACHINE |
                     (uefi ? BIOS_EXTENSION_UEFI : 0);
    if (release) {
        t.major = atoi(release);
        t.minor = atoi(strchr(release, '.') + 1);
    }
    add(b, 0, HANDLE_BIOS, &t, sizeof(t));
}

static void add_system(Builder *b)
{
    SmbiosSystem t = { .wake_up = WAKE_UP_POWER_SWITCH };

    t.manufacturer = add_option(b, 1, "manufacturer", MAKER);
    t.product = add_option(b, 1, "product", b->machine->product);
    t.version = add_option(b, 1, "version", b->machine->version);
    t.serial = add_option(b, 1, "serial", NULL);
    t.sku = add_option(b, 1, "sku", NULL);
    t.family = add_option(b, 1, "family", NULL);
    t.uuid = qemu_uuid_bswap(b->machine->uuid);
    add(b, 1, HANDLE_SYSTEM, &t, sizeof(t));
}

static void add_baseboard(Builder *b)
{
    SmbiosBaseboard t = {
        .features = BOARD_HOSTING,
        .chassis = HANDLE_CHASSIS,
        .board_type = BOARD_MOTHERBOARD,
    };

    if (!smbios_is_wanted(b->entries, 2)) {
        return;
    }
    t.manufacturer = add_option(b, 2, "manufacturer", MAKER);
    t.product = add_option(b, 2, "product", b->machine->product);
    t.version = add_option(b, 2, "version", b->machine->version);
    t.serial = add_option(b, 2, "serial", NULL);
    t.asset = add_option(b, 2, "asset", NULL);
    t.location = add_option(b, 2, "location", NULL);
    add(b, 2, HANDLE_BASEBOARD, &t, sizeof(t));
}

static void add_chassis(Builder *b)
{
    SmbiosChassis t = {
        .chassis_type = CHASSIS_OTHER,
        .boot_state = STATE_SAFE,
        .power_state = STATE_SAFE,
        .thermal_state = STATE_SAFE,
        .security = SECURITY_UNKNOWN,
    };

    t.manufacturer = add_option(b, 3, "manufacturer", MAKER);
    t.version = add_option(b, 3, "version", b->machine->version);
    t.serial = add_option(b, 3, "serial", NULL);
    t.asset = add_option(b, 3, "asset", NULL);
    t.sku = add_option(b, 3, "sku", NULL);
    add(b, 3, HANDLE_CHASSIS, &t, sizeof(t));
}

static void add_processor(Builder *b, unsigned n)
{
    const SmbiosMachine *m = b->machine;
    const char *prefix = smbios_text(b->entries, 4, "sock_pfx") ?: "CPU";
    g_autofree char *socket = g_strdup_printf("%s%2x", prefix, n);
    uint64_t id = number(b, 4, "processor-id",
                         m->cpu_signature | (uint64_t)m->cpu_features << 32);
    SmbiosProcessor t = {
        .processor_type = PROCESSOR_CENTRAL,
        .family = PROCESSOR_OTHER,
        .id = { id, id >> 32 },
        .max_speed = number(b, 4, "max-speed", DEFAULT_SPEED),
        .current_speed = number(b, 4, "current-speed", DEFAULT_SPEED),
        .status = PROCESSOR_POPULATED_ENABLED,
        .upgrade = PROCESSOR_OTHER,
        .caches = { NO_HANDLE, NO_HANDLE, NO_HANDLE },
        .cores = MIN(m->cores, PROCESSOR_COUNT_MAX),
        .cores_enabled = MIN(m->cores, PROCESSOR_COUNT_MAX),
        .threads = MIN(m->threads, PROCESSOR_COUNT_MAX),
        .characteristics = PROCESSOR_UNKNOWN,
        .family2 = PROCESSOR_OTHER,
        .cores2 = m->cores,
        .cores_enabled2 = m->cores,
        .threads2 = m->threads,
    };

    t.socket = add_string(b, socket);
    t.manufacturer = add_option(b, 4, "manufacturer", MAKER);
    t.version = add_option(b, 4, "version", m->version);
    t.serial = add_option(b, 4, "serial", NULL);
    t.asset = add_option(b, 4, "asset", NULL);
    t.part = add_option(b, 4, "part", NULL);
    add(b, 4, HANDLE_PROCESSOR + n, &t, b->type == SMBIOS_ENTRY_POINT_TYPE_64
                                            ? sizeof(t)
                                            : offsetof(SmbiosProcessor, cores2));
}

static void add_oem_strings(Builder *b)
{
    const GPtrArray *strings = b->entries ? b->entries->oem_strings : NULL;
    SmbiosOemStrings t = {};

    if (!strings || !strings->len) {
        return;
    }
    for (guint i = 0; i < strings->len; i++) {
        /* An empty one would end them. */
        const char *text = strings->pdata[i];

        t.count = add_string(b, *text ? text : " ");
    }
    add(b, 11, HANDLE_OEM_STRINGS, &t, sizeof(t));
}

/* --- memory --- */

static void add_memory_array(Builder *b, unsigned devices)
{
    uint64_t kib = b->machine->ram_size / KiB;
    SmbiosMemoryArray t = {
        .location = ARRAY_LOCATION_OTHER,
        .use = ARRAY_SYSTEM_MEMORY,
        .error_correction = ARRAY_MULTI_BIT_ECC,
        .capacity = kib < CAPACITY_TOO_LARGE ? kib : CAPACITY_TOO_LARGE,
        .error_handle = NO_ERROR_HANDLE,
        .devices = devices,
        .extended_capacity = kib < CAPACITY_TOO_LARGE ? 0
                                                      : b->machine->ram_size,
    };

    add(b, 16, HANDLE_MEMORY_ARRAY, &t, sizeof(t));
}

static void add_memory_device(Builder *b, unsigned n, uint64_t size)
{
    const char *prefix = smbios_text(b->entries, 17, "loc_pfx") ?: "DIMM";
    g_autofree char *locator = g_strdup_printf("%s %u", prefix, n);
    uint64_t mib = DIV_ROUND_UP(size, MiB);
    uint16_t speed = number(b, 17, "speed", MHZ_UNKNOWN);
    SmbiosMemoryDevice t = {
        .array = HANDLE_MEMORY_ARRAY,
        .error_handle = NO_ERROR_HANDLE,
        .total_width = WIDTH_UNKNOWN,
        .data_width = WIDTH_UNKNOWN,
        .size = MIN(mib, SIZE_TOO_LARGE),
        .form_factor = FORM_DIMM,
        .memory_type = MEMORY_RAM,
        .detail = DETAIL_OTHER,
        .speed = speed,
        .extended_size = mib < SIZE_TOO_LARGE ? 0 : mib,
        .configured_speed = speed,
    };

    t.locator = add_string(b, locator);
    t.bank = add_option(b, 17, "bank", NULL);
    t.manufacturer = add_option(b, 17, "manufacturer", MAKER);
    t.serial = add_option(b, 17, "serial", NULL);
    t.asset = add_option(b, 17, "asset", NULL);
    t.part = add_option(b, 17, "part", NULL);
    add(b, 17, HANDLE_MEMORY_DEVICE + n, &t, sizeof(t));
}

static void add_mapped_address(Builder *b, unsigned n)
{
    const struct smbios_phys_mem_area *area = &b->machine->ram[n];
    uint64_t last = area->address + area->length - 1;
    bool extended = last / KiB >= UINT32_MAX;
    SmbiosMappedAddress t = {
        .start = extended ? UINT32_MAX : area->address / KiB,
        .end = extended ? UINT32_MAX : last / KiB,
        .array = HANDLE_MEMORY_ARRAY,
        .partition_width = 1,
        .extended_start = extended ? area->address : 0,
        .extended_end = extended ? last : 0,
    };

    add(b, 19, HANDLE_MAPPED_ADDRESS + n, &t, sizeof(t));
}

/* Of boot RAM: what virtio-mem plugs comes and goes. Bigger modules rather than so
 * many that their handles would run into other structures'. */
static void add_memory(Builder *b)
{
    uint64_t size = b->machine->ram_size;
    unsigned n = MIN(DIV_ROUND_UP(size, DIMM_SIZE_MAX),
                     HANDLE_MAPPED_ADDRESS - HANDLE_MEMORY_DEVICE);
    uint64_t each = MAX(DIMM_SIZE_MAX, ROUND_UP(DIV_ROUND_UP(size, n), MiB));

    add_memory_array(b, n);
    for (unsigned i = 0; i < n; i++) {
        add_memory_device(b, i, MIN(each, size));
        size -= MIN(each, size);
    }
    for (unsigned i = 0; i < b->machine->nr_ram; i++) {
        add_mapped_address(b, i);
    }
}

/* --- all of them --- */

static void add_files(Builder *b)
{
    for (guint i = 0; b->entries && i < b->entries->files->len; i++) {
        gsize size;
        const uint8_t *data = g_bytes_get_data(b->entries->files->pdata[i],
                                               &size);

        g_byte_array_append(b->tables, data, size);
    }
}

static void add_all(Builder *b)
{
    SmbiosBoot boot = {};
    SmbiosHeader end;

    add_files(b);
    add_bios(b);
    add_system(b);
    add_baseboard(b);
    add_chassis(b);
    for (unsigned i = 0; i < b->machine->sockets; i++) {
        add_processor(b, i);
    }
    add_oem_strings(b);
    add_memory(b);
    add(b, 32, HANDLE_BOOT, &boot, sizeof(boot));
    add(b, 127, HANDLE_END, &end, sizeof(end));
}

GByteArray *smbios_build(const SmbiosEntries *entries,
                         const SmbiosMachine *machine,
                         SmbiosEntryPointType type, Error **errp)
{
    g_autoptr(GByteArray) tables = g_byte_array_new();
    g_autoptr(GByteArray) strings = g_byte_array_new();
    Builder b = { entries, machine, type, tables, strings, 0 };

    add_all(&b);
    if (type == SMBIOS_ENTRY_POINT_TYPE_32 && tables->len > TABLES_MAX_32) {
        error_setg(errp, "the SMBIOS tables have %u bytes, %u are possible with "
                   "-machine smbios-entry-point-type=32", tables->len,
                   TABLES_MAX_32);
        return NULL;
    }
    return g_steal_pointer(&tables);
}

/* --- the entry point --- */

/* The size of the structure at @p, with its strings: whole, as they are ours or were
 * checked. */
static size_t structure_size(const uint8_t *p)
{
    size_t size = p[1];

    while (p[size] || p[size + 1]) {
        size++;
    }
    return size + 2;
}

static void count(const GByteArray *tables, SmbiosEntryPoint32 *ep)
{
    for (size_t at = 0; at < tables->len; ep->structures++) {
        size_t size = structure_size(tables->data + at);

        ep->max_structure = MAX(ep->max_structure, size);
        at += size;
    }
}

static size_t entry_point_32(const GByteArray *tables, uint64_t address,
                             uint8_t *data)
{
    SmbiosEntryPoint32 ep = {
        .anchor = { '_', 'S', 'M', '_' },
        .length = sizeof(ep),
        .major = 2,
        .minor = 8,
        .dmi_anchor = { '_', 'D', 'M', 'I', '_' },
        .tables_length = tables->len,
        .tables_address = address,
        .bcd_revision = 0x28,
    };
    size_t dmi = offsetof(SmbiosEntryPoint32, dmi_anchor);

    count(tables, &ep);
    ep.dmi_checksum = buffer_checksum((uint8_t *)&ep + dmi, sizeof(ep) - dmi);
    ep.checksum = buffer_checksum(&ep, sizeof(ep));
    memcpy(data, &ep, sizeof(ep));
    return sizeof(ep);
}

size_t smbios_entry_point(const GByteArray *tables, uint64_t address,
                          SmbiosEntryPointType type,
                          uint8_t data[SMBIOS_ENTRY_POINT_MAX])
{
    SmbiosEntryPoint64 ep = {
        .anchor = { '_', 'S', 'M', '3', '_' },
        .length = sizeof(ep),
        .major = 3,
        .revision = 1,
        .tables_max = tables->len,
        .tables_address = address,
    };

    if (type == SMBIOS_ENTRY_POINT_TYPE_32) {
        return entry_point_32(tables, address, data);
    }
    ep.checksum = buffer_checksum(&ep, sizeof(ep));
    memcpy(data, &ep, sizeof(ep));
    return sizeof(ep);
}
