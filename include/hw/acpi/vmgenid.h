/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The VM generation ID (hw/misc/vmgenid.c), for the board, whose ACPI tables lead to it. */
#ifndef HW_ACPI_VMGENID_H
#define HW_ACPI_VMGENID_H

#include "qemu/uuid.h"
#include "qom/object.h"

#define VMGENID_GUID_FW_CFG_FILE "etc/vmgenid_guid"
/* In the file, which firmware puts into a page of its own. */
#define VMGENID_GUID_OFFSET 40
#define VMGENID_FW_CFG_SIZE 4096

/* The ID as a guest has it in memory; false: the machine has no such device. */
bool vmgenid_get_guid(QemuUUID *guid);

#endif
