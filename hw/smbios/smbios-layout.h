/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How SMBIOS lays its structures and entry points out (DMTF DSP0134, version 2.8), for
 * smbios.c. A field without a comment that is called like a text is a string's
 * number; 0: there is none. */
#ifndef HW_SMBIOS_SMBIOS_LAYOUT_H
#define HW_SMBIOS_SMBIOS_LAYOUT_H

#include "hw/firmware/smbios.h"

/* Numbers are little endian, as the host's. */
typedef struct QEMU_PACKED SmbiosHeader {
    uint8_t type;
    uint8_t length;                       /* without strings */
    uint16_t handle;
} SmbiosHeader;

typedef struct QEMU_PACKED SmbiosBios {
    SmbiosHeader header;
    uint8_t vendor, version;
    uint16_t start_segment;
    uint8_t date;
    uint8_t rom_size;
    uint64_t characteristics;
    uint8_t extension[2];
    uint8_t major, minor, ec_major, ec_minor;
} SmbiosBios;

#define BIOS_NO_CHARACTERISTICS (1 << 3)
#define BIOS_EXTENSION_UEFI (1 << 3)
#define BIOS_EXTENSION_VIRTUAL_MACHINE (1 << 4)

typedef struct QEMU_PACKED SmbiosSystem {
    SmbiosHeader header;
    uint8_t manufacturer, product, version, serial;
    QemuUUID uuid;                        /* the first three numbers little endian */
    uint8_t wake_up;
    uint8_t sku, family;
} SmbiosSystem;

#define WAKE_UP_POWER_SWITCH 6

typedef struct QEMU_PACKED SmbiosBaseboard {
    SmbiosHeader header;
    uint8_t manufacturer, product, version, serial, asset;
    uint8_t features;
    uint8_t location;
    uint16_t chassis;
    uint8_t board_type;
    uint8_t contained;
} SmbiosBaseboard;

#define BOARD_HOSTING 1
#define BOARD_MOTHERBOARD 0xa

typedef struct QEMU_PACKED SmbiosChassis {
    SmbiosHeader header;
    uint8_t manufacturer, chassis_type, version, serial, asset;
    uint8_t boot_state, power_state, thermal_state, security;
    uint32_t oem;
    uint8_t height, power_cords, contained, contained_size;
    uint8_t sku;
} SmbiosChassis;

#define CHASSIS_OTHER 1
#define STATE_SAFE 3
#define SECURITY_UNKNOWN 2

typedef struct QEMU_PACKED SmbiosProcessor {
    SmbiosHeader header;
    uint8_t socket;
    uint8_t processor_type, family;
    uint8_t manufacturer;
    uint32_t id[2];                       /* CPUID 1: EAX, EDX */
    uint8_t version;
    uint8_t voltage;
    uint16_t external_clock, max_speed, current_speed;
    uint8_t status, upgrade;
    uint16_t caches[3];
    uint8_t serial, asset, part;
    uint8_t cores, cores_enabled, threads;
    uint16_t characteristics, family2;
    uint16_t cores2, cores_enabled2, threads2;   /* from 3.0 on */
} SmbiosProcessor;

/* In a byte: the number is in the words of 3.0. */
#define PROCESSOR_COUNT_MAX 0xff

#define PROCESSOR_CENTRAL 3
#define PROCESSOR_OTHER 1
#define PROCESSOR_POPULATED_ENABLED 0x41
#define PROCESSOR_UNKNOWN (1 << 1)

typedef struct QEMU_PACKED SmbiosOemStrings {
    SmbiosHeader header;
    uint8_t count;
} SmbiosOemStrings;

typedef struct QEMU_PACKED SmbiosMemoryArray {
    SmbiosHeader header;
    uint8_t location, use, error_correction;
    uint32_t capacity;                    /* KiB; TOO_LARGE: see extended */
    uint16_t error_handle;
    uint16_t devices;
    uint64_t extended_capacity;           /* bytes */
} SmbiosMemoryArray;

#define ARRAY_LOCATION_OTHER 1
#define ARRAY_SYSTEM_MEMORY 3
#define ARRAY_MULTI_BIT_ECC 6
#define CAPACITY_TOO_LARGE 0x80000000U

typedef struct QEMU_PACKED SmbiosMemoryDevice {
    SmbiosHeader header;
    uint16_t array, error_handle;
    uint16_t total_width, data_width;
    uint16_t size;                        /* MiB; TOO_LARGE: see extended */
    uint8_t form_factor, set;
    uint8_t locator, bank;
    uint8_t memory_type;
    uint16_t detail;
    uint16_t speed;
    uint8_t manufacturer, serial, asset, part;
    uint8_t attributes;
    uint32_t extended_size;               /* MiB */
    uint16_t configured_speed;
    uint16_t voltages[3];
} SmbiosMemoryDevice;

#define WIDTH_UNKNOWN 0xffff
#define FORM_DIMM 9
#define MEMORY_RAM 7
#define DETAIL_OTHER (1 << 1)
#define SIZE_TOO_LARGE 0x7fff

typedef struct QEMU_PACKED SmbiosMappedAddress {
    SmbiosHeader header;
    uint32_t start, end;                  /* KiB, inclusive; UINT32_MAX: see extended */
    uint16_t array;
    uint8_t partition_width;
    uint64_t extended_start, extended_end;    /* bytes, inclusive */
} SmbiosMappedAddress;

typedef struct QEMU_PACKED SmbiosBoot {
    SmbiosHeader header;
    uint8_t reserved[6];
    uint8_t status;
} SmbiosBoot;

typedef struct QEMU_PACKED SmbiosEntryPoint32 {
    char anchor[4];
    uint8_t checksum;
    uint8_t length;
    uint8_t major, minor;
    uint16_t max_structure;
    uint8_t revision;
    uint8_t formatted[5];
    char dmi_anchor[5];
    uint8_t dmi_checksum;                 /* from dmi_anchor on */
    uint16_t tables_length;
    uint32_t tables_address;
    uint16_t structures;
    uint8_t bcd_revision;
} SmbiosEntryPoint32;
QEMU_BUILD_BUG_ON(sizeof(SmbiosEntryPoint32) != SMBIOS_ENTRY_POINT_MAX);

typedef struct QEMU_PACKED SmbiosEntryPoint64 {
    char anchor[5];
    uint8_t checksum;
    uint8_t length;
    uint8_t major, minor, docrev;
    uint8_t revision;
    uint8_t reserved;
    uint32_t tables_max;
    uint64_t tables_address;
} SmbiosEntryPoint64;

#endif
