/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The PCI vendor, device and class numbers that this tree uses (PCI ID
 * database; "PCI Code and ID Assignment Specification"). */
#ifndef HW_PCI_IDS_H
#define HW_PCI_IDS_H

#define PCI_VENDOR_ID_INTEL              0x8086
#define PCI_VENDOR_ID_REDHAT_QUMRANET    0x1af4
#define PCI_VENDOR_ID_REDHAT             0x1b36

#define PCI_DEVICE_ID_REDHAT_PCIE_RP     0x000c
#define PCI_DEVICE_ID_REDHAT_PVPANIC     0x0011
#define PCI_DEVICE_ID_INTEL_Q35_MCH      0x29c0
#define PCI_DEVICE_ID_INTEL_ICH9_8       0x2918

/* Subsystem of devices that name no other. */
#define PCI_SUBVENDOR_ID_REDHAT_QUMRANET 0x1af4
#define PCI_SUBDEVICE_ID_QEMU            0x1100

/* Class code: base class and subclass. */
#define PCI_CLASS_NOT_DEFINED            0x0000
#define PCI_CLASS_STORAGE_SCSI           0x0100
#define PCI_CLASS_STORAGE_OTHER          0x0180
#define PCI_CLASS_NETWORK_ETHERNET       0x0200
#define PCI_CLASS_MEMORY_RAM             0x0500
#define PCI_CLASS_MEMORY_OTHER           0x0580
#define PCI_CLASS_BRIDGE_HOST            0x0600
#define PCI_CLASS_BRIDGE_ISA             0x0601
#define PCI_CLASS_BRIDGE_PCI             0x0604
#define PCI_CLASS_COMMUNICATION_OTHER    0x0780
#define PCI_CLASS_SYSTEM_OTHER           0x0880
#define PCI_CLASS_OTHERS                 0x00ff

#endif
