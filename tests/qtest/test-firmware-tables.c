/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ACPI tables as firmware gets them: by the steps of etc/table-loader, which the
 * test takes as firmware does. Then the tables are where it has put them, each
 * sums up to 0, and iasl takes each apart without a complaint.
 */
#include "qemu/osdep.h"

#include <glib/gstdio.h>

#include "fw-cfg.h"
#include "qemu/units.h"

#define COMMAND_SIZE 128
#define NAME_SIZE 56
/* Where the test puts files: the first one, and how far apart they are. */
#define PLACE 0x7d000000ULL
#define PLACE_STEP MiB

enum { ALLOCATE = 1, ADD_POINTER = 2, ADD_CHECKSUM = 3 };

typedef struct Loader {
    QTestState *qts;
    GHashTable *files;                    /* name -> GByteArray */
    GHashTable *places;                   /* name -> guint32 as a pointer */
} Loader;

static uint32_t get32(const uint8_t *p)
{
    uint32_t value;

    memcpy(&value, p, sizeof(value));
    return GUINT32_FROM_LE(value);
}

static uint64_t get64(const uint8_t *p)
{
    return get32(p) | (uint64_t)get32(p + 4) << 32;
}

static uint8_t sum(const uint8_t *p, size_t size)
{
    uint8_t total = 0;

    for (size_t i = 0; i < size; i++) {
        total += p[i];
    }
    return total;
}

static GByteArray *file(Loader *l, const uint8_t *name)
{
    GByteArray *data = g_hash_table_lookup(l->files, name);

    g_assert_nonnull(data);
    return data;
}

/* --- the steps --- */

static void allocate(Loader *l, const uint8_t *c)
{
    const char *name = (const char *)c + 4;
    uint32_t align = get32(c + 4 + NAME_SIZE);
    uint32_t place = PLACE + g_hash_table_size(l->files) * PLACE_STEP;
    GByteArray *data = qfw_cfg_read_file(l->qts, name);

    g_assert_nonnull(data);
    g_assert_cmpuint(align, >, 0);
    g_assert_cmpuint(place % align, ==, 0);
    g_assert_cmpuint(data->len, <, PLACE_STEP);
    g_hash_table_insert(l->files, g_strdup(name), data);
    g_hash_table_insert(l->places, g_strdup(name), GUINT_TO_POINTER(place));
}

static void add_pointer(Loader *l, const uint8_t *c)
{
    GByteArray *in = file(l, c + 4), *target = file(l, c + 4 + NAME_SIZE);
    uint32_t offset = get32(c + 4 + 2 * NAME_SIZE);
    uint8_t size = c[8 + 2 * NAME_SIZE];
    uint64_t value = 0;

    g_assert_true(size == 4 || size == 8);
    g_assert_cmpuint(offset + size, <=, in->len);
    memcpy(&value, in->data + offset, size);
    g_assert_cmpuint(value, <, target->len);
    value += GPOINTER_TO_UINT(g_hash_table_lookup(l->places,
                                                  c + 4 + NAME_SIZE));
    memcpy(in->data + offset, &value, size);
}

static void add_checksum(Loader *l, const uint8_t *c)
{
    GByteArray *in = file(l, c + 4);
    uint32_t offset = get32(c + 4 + NAME_SIZE);
    uint32_t start = get32(c + 8 + NAME_SIZE);
    uint32_t size = get32(c + 12 + NAME_SIZE);

    g_assert_cmpuint(start + size, <=, in->len);
    g_assert_cmpuint(offset, >=, start);
    g_assert_cmpuint(offset, <, start + size);
    in->data[offset] -= sum(in->data + start, size);
}

static void run_loader(Loader *l)
{
    g_autoptr(GByteArray) script = qfw_cfg_read_file(l->qts,
                                                     "etc/table-loader");

    l->files = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                     (GDestroyNotify)g_byte_array_unref);
    l->places = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_assert_cmpuint(script->len % COMMAND_SIZE, ==, 0);
    for (guint i = 0; i < script->len; i += COMMAND_SIZE) {
        const uint8_t *c = script->data + i;

        switch (get32(c)) {
        case ALLOCATE:
            allocate(l, c);
            break;
        case ADD_POINTER:
            add_pointer(l, c);
            break;
        case ADD_CHECKSUM:
            add_checksum(l, c);
            break;
        default:
            g_error("command %u of the loader", get32(c));
        }
    }
}

static void loader_free(Loader *l)
{
    g_hash_table_unref(l->files);
    g_hash_table_unref(l->places);
}

/* --- the tables --- */

static const uint8_t *table_at(Loader *l, uint64_t address, uint32_t *size)
{
    GByteArray *tables = file(l, (const uint8_t *)"etc/acpi/tables");
    uint64_t base = GPOINTER_TO_UINT(
        g_hash_table_lookup(l->places, "etc/acpi/tables"));
    const uint8_t *table = tables->data + (address - base);

    g_assert_cmphex(address, >=, base);
    g_assert_cmphex(address, <, base + tables->len);
    *size = get32(table + 4);
    g_assert_cmphex(address - base + *size, <=, tables->len);
    return table;
}

/* Takes it apart with iasl, which is to have nothing to say. */
static void disassemble(const uint8_t *table, uint32_t size)
{
    g_autofree char *dir = g_dir_make_tmp("tables-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "table.dat", NULL);
    g_autofree char *result = g_build_filename(dir, "table.dsl", NULL);
    g_autofree char *out = NULL, *err = NULL;
    char *argv[] = { (char *)"iasl", (char *)"-d", path, NULL };
    int status;

    g_assert_true(g_file_set_contents(path, (const char *)table, size, NULL));
    g_assert_true(g_spawn_sync(NULL, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL,
                               &out, &err, &status, NULL));
    g_assert_cmpint(status, ==, 0);
    g_assert_null(strcasestr(err, "error"));
    g_assert_null(strcasestr(err, "warning"));
    g_assert_true(g_file_test(result, G_FILE_TEST_EXISTS));
    g_unlink(result);
    g_unlink(path);
    g_rmdir(dir);
}

static void check_table(Loader *l, uint64_t address, const char *signature)
{
    uint32_t size;
    const uint8_t *table = table_at(l, address, &size);

    g_test_message("%.4s at 0x%" PRIx64 ", %u bytes", table, address, size);
    g_assert_true(!signature || !memcmp(table, signature, 4));
    g_assert_cmpuint(sum(table, size), ==, 0);
    disassemble(table, size);
}

/* The FADT leads to the DSDT, and to the FACS, which has no checksum. */
static void check_fadt(Loader *l, uint64_t address)
{
    uint32_t size;
    const uint8_t *fadt = table_at(l, address, &size), *facs;

    check_table(l, get32(fadt + 40), "DSDT");
    g_assert_cmphex(get64(fadt + 140), ==, get32(fadt + 40));
    facs = table_at(l, get32(fadt + 36), &size);
    g_assert_true(!memcmp(facs, "FACS", 4));
    g_assert_cmpuint(get32(fadt + 36) % 64, ==, 0);
    disassemble(facs, size);
}

static unsigned check_all(Loader *l)
{
    GByteArray *rsdp = file(l, (const uint8_t *)"etc/acpi/rsdp");
    uint64_t xsdt = get64(rsdp->data + 24);
    uint32_t size;
    const uint8_t *table = table_at(l, xsdt, &size);

    g_assert_true(!memcmp(rsdp->data, "RSD PTR ", 8));
    g_assert_cmpuint(sum(rsdp->data, 20), ==, 0);
    g_assert_cmpuint(sum(rsdp->data, get32(rsdp->data + 20)), ==, 0);
    check_table(l, xsdt, "XSDT");
    for (uint32_t i = 36; i < size; i += 8) {
        uint64_t address = get64(table + i);
        uint32_t unused;

        check_table(l, address, NULL);
        if (!memcmp(table_at(l, address, &unused), "FACP", 4)) {
            check_fadt(l, address);
        }
    }
    return (size - 36) / 8;
}

/* AcpiPlatform begins the tables, and the DSDT has its address. */
static void check_platform(Loader *l)
{
    static const uint8_t plat[] = { 0x5b, 0x80, 'P', 'L', 'A', 'T', 0, 0x0c };
    GByteArray *tables = file(l, (const uint8_t *)"etc/acpi/tables");
    const uint8_t *region = memmem(tables->data, tables->len, plat, sizeof(plat));

    g_assert_nonnull(region);
    g_assert_cmphex(get32(region + sizeof(plat)), ==,
                    GPOINTER_TO_UINT(g_hash_table_lookup(l->places,
                                                         "etc/acpi/tables")));
}

/* The GUID's page is where the test has put it, and PLAT says so. */
static void check_vmgenid(Loader *l)
{
    GByteArray *tables = file(l, (const uint8_t *)"etc/acpi/tables");
    gpointer page = g_hash_table_lookup(l->places, "etc/vmgenid_guid");

    if (!page) {
        g_assert_cmphex(get64(tables->data + 24), ==, 0);
        return;
    }
    g_assert_cmphex(get64(tables->data + 24), ==, GPOINTER_TO_UINT(page));
}

/* Starts a machine whose firmware, given by @option, is a file of zeros, and does
 * what that would do. */
static Loader start(const char *option, const char *options)
{
    g_autofree char *dir = g_dir_make_tmp("rom-XXXXXX", NULL);
    g_autofree char *rom = g_build_filename(dir, "rom", NULL);
    g_autofree char *bytes = g_malloc0(64 * KiB);
    Loader l = {};

    g_assert_true(g_file_set_contents(rom, bytes, 64 * KiB, NULL));
    l.qts = qtest_init("-M q35 %s%s %s", option, rom, options);
    run_loader(&l);
    g_unlink(rom);
    g_rmdir(dir);
    return l;
}

static void stop(Loader *l)
{
    loader_free(l);
    qtest_quit(l->qts);
}

static void check_machine_of(const char *firmware, const char *options,
                             unsigned tables)
{
    Loader l = start(firmware, options);

    g_assert_cmpuint(check_all(&l), ==, tables);
    check_platform(&l);
    check_vmgenid(&l);
    g_assert_cmpint(g_hash_table_contains(l.places, "etc/vmgenid_guid"), ==,
                    strstr(options, "vmgenid") != NULL);
    stop(&l);
}

static void check_machine(const char *options, unsigned tables)
{
    check_machine_of("-bios ", options, tables);
}

static void test_small_machine(void)
{
    check_machine("-m 64M", 3);           /* FADT, MADT, MCFG */
}

static void test_machine_with_vmgenid(void)
{
    check_machine("-m 64M -device vmgenid", 3);
}

static void test_machine_with_nodes(void)
{
    check_machine("-m 256M,maxmem=8G,slots=2 -smp 4 -serial null "
                  "-numa node,cpus=0-1,mem=128M -numa node,cpus=2-3,mem=128M "
                  "-numa dist,src=0,dst=1,val=20", 5);
}

static void test_machine_with_known_latencies(void)
{
    check_machine("-m 256M -smp 2 -machine hmat=on "
                  "-object memory-backend-ram,id=a,size=128M "
                  "-object memory-backend-ram,id=b,size=128M "
                  "-numa node,cpus=0-1,memdev=a -numa node,memdev=b,initiator=0 "
                  "-numa hmat-lb,initiator=0,target=0,hierarchy=memory,"
                  "data-type=access-latency,latency=10 "
                  "-numa hmat-lb,initiator=0,target=1,hierarchy=memory,"
                  "data-type=access-latency,latency=20", 5);
}

static void test_machine_with_devices(void)
{
    check_machine("-m 64M -device pvpanic-pci -device vmcoreinfo "
                  "-device vmgenid -device pcie-root-port,id=p,chassis=1 "
                  "-device virtio-rng-pci,bus=p -serial null -serial null "
                  "-serial null -serial null", 3);
}

static void test_machine_with_many_cpus(void)
{
    check_machine("-m 64M -smp 255", 3);
}

static void test_firmware_in_flash(void)
{
    check_machine_of("-drive if=pflash,format=raw,readonly=on,file=", "-m 64M",
                     3);
}

/* --- memory that is plugged --- */

#define PLUGGABLE                                                              \
    "-m 256M,maxmem=8G,slots=2 -object memory-backend-memfd,id=m0,size=2G "    \
    "-device virtio-mem-pci,id=vm0,memdev=m0,block-size=2M"
#define REGION_SIZE (2 * GiB)
#define SRAT_MEMORY 1
#define SRAT_MEMORY_ENABLED 0x1
#define SRAT_MEMORY_HOTPLUG 0x2

static uint64_t get_number(Loader *l, const char *file)
{
    g_autoptr(GByteArray) bytes = qfw_cfg_read_file(l->qts, file);

    g_assert_nonnull(bytes);
    g_assert_cmpuint(bytes->len, ==, sizeof(uint64_t));
    return get64(bytes->data);
}

static const uint8_t *find_table(Loader *l, const char *signature)
{
    GByteArray *rsdp = file(l, (const uint8_t *)"etc/acpi/rsdp");
    uint32_t size, unused;
    const uint8_t *xsdt = table_at(l, get64(rsdp->data + 24), &size);

    for (uint32_t i = 36; i < size; i += 8) {
        const uint8_t *table = table_at(l, get64(xsdt + i), &unused);

        if (!memcmp(table, signature, 4)) {
            return table;
        }
    }
    g_error("there is no %s", signature);
}

/* How much of [@base, @base + @size) the SRAT has as memory with just @flags. */
static uint64_t srat_covers(const uint8_t *srat, uint64_t base, uint64_t size,
                            uint32_t flags)
{
    uint64_t sum = 0;

    for (uint32_t i = 48; i < get32(srat + 4); i += srat[i + 1]) {
        uint64_t start, end;

        g_assert_cmpuint(srat[i + 1], >, 1);
        if (srat[i] == SRAT_MEMORY && get32(srat + i + 28) == flags) {
            start = MAX(base, get64(srat + i + 8));
            end = MIN(base + size,
                      get64(srat + i + 8) + get64(srat + i + 16));
            sum += end > start ? end - start : 0;
        }
    }
    return sum;
}

/* What etc/e820 has of [@base, @base + @size), of whatever type. */
static uint64_t e820_covers(Loader *l, uint64_t base, uint64_t size)
{
    g_autoptr(GByteArray) map = qfw_cfg_read_file(l->qts, "etc/e820");
    uint64_t sum = 0;

    for (guint i = 0; i < map->len; i += 20) {
        uint64_t start = MAX(base, get64(map->data + i));
        uint64_t end = MIN(base + size, get64(map->data + i) +
                                        get64(map->data + i + 8));

        sum += end > start ? end - start : 0;
    }
    return sum;
}

/* Linux is to expect memory there, firmware to use none of it, and to place BARs
 * behind it. */
static void test_room_for_plugged_memory(void)
{
    Loader l = start("-bios ", PLUGGABLE);
    uint64_t base = qtest_qom_get_uint(l.qts, "/machine/peripheral/vm0",
                                       "memaddr");
    const uint8_t *srat = find_table(&l, "SRAT");
    uint64_t end = get_number(&l, "etc/reserved-memory-end");

    g_assert_cmphex(base, >=, 4 * GiB);
    g_assert_cmphex(srat_covers(srat, base, REGION_SIZE, SRAT_MEMORY_ENABLED |
                                SRAT_MEMORY_HOTPLUG), ==, REGION_SIZE);
    g_assert_cmphex(srat_covers(srat, 0, 256 * MiB, SRAT_MEMORY_ENABLED), ==,
                    256 * MiB);
    g_assert_cmphex(e820_covers(&l, base, REGION_SIZE), ==, 0);
    g_assert_cmphex(e820_covers(&l, 0, 256 * MiB), ==, 256 * MiB);
    g_assert_cmphex(end, >=, base + REGION_SIZE);
    /* The window of which the ACPI tables tell begins there, too. */
    g_assert_cmphex(get64(file(&l, (const uint8_t *)"etc/acpi/tables")->data),
                    ==, end);
    check_all(&l);
    stop(&l);
}

int main(int argc, char **argv)
{
    qtest_main_init(&argc, &argv);
    qtest_needs(QTEST_NEEDS_SPARSEVM);
    g_test_add_func("/firmware-tables/of a small machine", test_small_machine);
    g_test_add_func("/firmware-tables/of one with a generation ID",
                    test_machine_with_vmgenid);
    g_test_add_func("/firmware-tables/of one with nodes",
                    test_machine_with_nodes);
    g_test_add_func("/firmware-tables/of one with known latencies",
                    test_machine_with_known_latencies);
    g_test_add_func("/firmware-tables/of one with devices",
                    test_machine_with_devices);
    g_test_add_func("/firmware-tables/of one with many CPUs",
                    test_machine_with_many_cpus);
    g_test_add_func("/firmware-tables/of one with firmware in flash",
                    test_firmware_in_flash);
    g_test_add_func("/firmware-tables/room for plugged memory",
                    test_room_for_plugged_memory);
    return g_test_run();
}
