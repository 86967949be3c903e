/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files by which firmware gets the ACPI tables (acpi-loader.h). The block is
 * cut in two: firmware wants the RSDP, its last part, by itself, below 1 MiB. Each
 * address in a file is given as an offset into the file that it points to.
 */
#include "qemu/osdep.h"

#include "acpi-loader.h"
#include "acpi.h"
#include "qapi/error.h"

#define TABLES_ALIGN 64
#define PAGE_SIZE 4096
#define RSDP_ALIGN 16

enum { COMMAND_ALLOCATE = 1, COMMAND_ADD_POINTER = 2, COMMAND_ADD_CHECKSUM = 3 };
enum { ZONE_HIGH = 1, ZONE_BELOW_1M = 2 };

/* Numbers are little endian; each command has as many bytes. */
typedef struct QEMU_PACKED LoaderCommand {
    uint32_t command;
    char file[FW_CFG_MAX_FILE_PATH];
    union QEMU_PACKED {
        struct QEMU_PACKED {
            uint32_t align;
            uint8_t zone;
        } allocate;
        struct QEMU_PACKED {
            char target[FW_CFG_MAX_FILE_PATH];
            uint32_t offset;
            uint8_t size;
        } pointer;
        struct QEMU_PACKED {
            uint32_t offset;
            uint32_t start;
            uint32_t size;
        } checksum;
        uint8_t all[68];
    };
} LoaderCommand;
QEMU_BUILD_BUG_ON(sizeof(LoaderCommand) != 128);

typedef struct Loader {
    GArray *commands;
    GByteArray *bytes;                    /* of the block, being adapted */
    uint32_t rsdp;                        /* where its part of the block begins */
} Loader;

static LoaderCommand *add_command(Loader *l, uint32_t command, const char *file)
{
    unsigned n = l->commands->len;
    LoaderCommand *c;

    g_array_set_size(l->commands, n + 1);
    c = &g_array_index(l->commands, LoaderCommand, n);
    c->command = GUINT32_TO_LE(command);
    g_strlcpy(c->file, file, sizeof(c->file));
    return c;
}

static void add_allocate(Loader *l, const char *file, uint32_t align,
                         uint8_t zone)
{
    LoaderCommand *c = add_command(l, COMMAND_ALLOCATE, file);

    c->allocate.align = GUINT32_TO_LE(align);
    c->allocate.zone = zone;
}

/* The file that has the byte @offset of the block, which becomes one into it. */
static const char *file_of(const Loader *l, uint32_t *offset)
{
    if (*offset < l->rsdp) {
        return ACPI_TABLES_FILE;
    }
    *offset -= l->rsdp;
    return ACPI_RSDP_FILE;
}

static void add_pointer(const AcpiPointer *pointer, void *opaque)
{
    Loader *l = opaque;
    uint8_t *at = l->bytes->data + pointer->offset;
    uint32_t offset = pointer->offset;
    uint64_t value = 0;
    LoaderCommand *c = add_command(l, COMMAND_ADD_POINTER, file_of(l, &offset));

    memcpy(&value, at, pointer->size);
    value -= X86_ACPI_BASE;               /* always one into the tables */
    memcpy(at, &value, pointer->size);
    g_strlcpy(c->pointer.target, ACPI_TABLES_FILE, sizeof(c->pointer.target));
    c->pointer.offset = GUINT32_TO_LE(offset);
    c->pointer.size = pointer->size;
}

static void add_checksum(const AcpiSum *sum, void *opaque)
{
    Loader *l = opaque;
    uint32_t start = sum->start;
    LoaderCommand *c = add_command(l, COMMAND_ADD_CHECKSUM,
                                   file_of(l, &start));

    l->bytes->data[sum->offset] = 0;
    c->checksum.offset = GUINT32_TO_LE(start + (sum->offset - sum->start));
    c->checksum.start = GUINT32_TO_LE(start);
    c->checksum.size = GUINT32_TO_LE(sum->size);
}

/* The GUID has a page of its own, so that the guest can map it as it likes. */
static void add_vmgenid(Loader *l)
{
    AcpiPlatform *platform = (AcpiPlatform *)l->bytes->data;
    LoaderCommand *c;

    if (!platform->vmgenid) {
        return;
    }
    platform->vmgenid = 0;
    add_allocate(l, VMGENID_GUID_FW_CFG_FILE, PAGE_SIZE, ZONE_HIGH);
    c = add_command(l, COMMAND_ADD_POINTER, ACPI_TABLES_FILE);
    g_strlcpy(c->pointer.target, VMGENID_GUID_FW_CFG_FILE,
              sizeof(c->pointer.target));
    c->pointer.offset = GUINT32_TO_LE((uint32_t)offsetof(AcpiPlatform, vmgenid));
    c->pointer.size = sizeof(platform->vmgenid);
}

void acpi_loader_set_files(FWCfgState *s, const GByteArray *block,
                           uint64_t rsdp)
{
    g_autoptr(GArray) commands = g_array_new(false, true,
                                             sizeof(LoaderCommand));
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    Loader l = { commands, bytes, rsdp - X86_ACPI_BASE };

    g_byte_array_append(bytes, block->data, block->len);
    add_allocate(&l, ACPI_RSDP_FILE, RSDP_ALIGN, ZONE_BELOW_1M);
    add_allocate(&l, ACPI_TABLES_FILE, TABLES_ALIGN, ZONE_HIGH);
    acpi_foreach_link(block, rsdp, add_pointer, add_checksum, &l);
    add_vmgenid(&l);
    fw_cfg_modify_file(s, ACPI_TABLES_FILE, bytes->data, l.rsdp);
    fw_cfg_modify_file(s, ACPI_RSDP_FILE, bytes->data + l.rsdp, bytes->len - l.rsdp);
    fw_cfg_modify_file(s, ACPI_LOADER_FILE, commands->data,
                    commands->len * sizeof(LoaderCommand));
}
