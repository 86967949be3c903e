/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What q35 always has and what it never has, as properties (q35-fixed.h). */
#include "qemu/osdep.h"
#include "hw/boards.h"
#include "q35-fixed.h"

static const MachineFixedProperty q35_fixed[] = {
    { .name = "acpi", .has_auto = true, .on = true,
      .description = "ACPI tables" },
    { .name = "cxl", .description = "CXL" },
    { .name = "default-bus-bypass-iommu",
      .description = "Devices that no vIOMMU translates for" },
    { .name = "hpet", .description = "High precision event timer" },
    { .name = "i8042", .description = "Keyboard controller" },
    { .name = "nvdimm", .description = "NVDIMMs" },
    { .name = "pic", .has_auto = true, .on = true,
      .description = "Interrupt controller i8259" },
    { .name = "pit", .has_auto = true, .on = true,
      .description = "Timer i8254" },
    { .name = "sata", .description = "SATA bus" },
    { .name = "smbus", .description = "System management bus" },
    { .name = "smm", .has_auto = true,
      .description = "System management mode" },
    { .name = "vmport", .has_auto = true,
      .description = "The port that VMware's tools use" },
    { },
};

void q35_class_add_fixed(ObjectClass *klass)
{
    machine_class_add_fixed(klass, q35_fixed);
}
