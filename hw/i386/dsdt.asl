// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the guest's ACPI interpreter needs to know of the machine: the PCI host
// bridge with its windows and interrupt routing, the legacy devices, soft-off.
// Compiled by iasl when the project is built; acpi.c adds it to the tables as
// it is. What depends on the command line stands in memory, in the structure
// AcpiPlatform of hw/i386/acpi.h, and is read from there. Firmware that puts the
// tables elsewhere is told to write the address of PLAT.

DefinitionBlock ("", "DSDT", 2, "SPARSE", "SPARSEVM", 1)
{
    // AcpiPlatform, at X86_ACPI_BASE if it was not moved.
    OperationRegion (PLAT, SystemMemory, 0x000E0000, 0x21)
    Field (PLAT, ByteAcc, NoLock, Preserve)
    {
        P64B, 64,       // 64-bit PCI window: first byte,
        P64L, 64,       // last byte,
        P64S, 64,       // size
        VGIP, 64,       // page with the VM generation ID; 0: there is none
        SERP, 8         // bit n: COM(n+1) is there
    }

    // ACPI_SLP_TYP_S5 of acpi.h.
    Name (\_S5, Package () { 5, 5, 0, 0 })

    Scope (\_SB)
    {
        Device (PCI0)
        {
            Name (_HID, EisaId ("PNP0A08"))
            Name (_CID, EisaId ("PNP0A03"))
            Name (_UID, 0)
            Name (_SEG, 0)
            Name (_BBN, 0)
            Name (_CCA, 1)

            Name (CRES, ResourceTemplate ()
            {
                WordBusNumber (ResourceProducer, MinFixed, MaxFixed, PosDecode,
                    0, 0, 0xFF, 0, 0x100)
                IO (Decode16, 0xCF8, 0xCF8, 1, 8)
                WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode,
                    EntireRange, 0, 0, 0x0CF7, 0, 0x0CF8)
                WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode,
                    EntireRange, 0, 0x0D00, 0xFFFF, 0, 0xF300)
                // X86_PCI32_BASE .. X86_PCI32_END
                DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed,
                    NonCacheable, ReadWrite,
                    0, 0xC0000000, 0xFEBFFFFF, 0, 0x3EC00000)
                QWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed,
                    Cacheable, ReadWrite, 0, 0, 0, 0, 0, , , W64)
            })
            CreateQWordField (CRES, W64._MIN, W64B)
            CreateQWordField (CRES, W64._MAX, W64L)
            CreateQWordField (CRES, W64._LEN, W64S)

            Method (_CRS, 0, Serialized)
            {
                W64B = P64B
                W64L = P64L
                W64S = P64S
                Return (CRES)
            }

            // PCI Firmware 3.3, 4.5: the system may control everything but
            // SHPC hotplug, of which there is none.
            Method (_OSC, 4, Serialized)
            {
                CreateDWordField (Arg3, 0, CAP1)
                If ((Arg0 != ToUUID ("33db4d5b-1ff7-401c-9657-7441c03dd766")))
                {
                    CAP1 |= 4       // unknown UUID
                    Return (Arg3)
                }
                If ((Arg1 != 1))
                {
                    CAP1 |= 8       // unknown revision
                }
                If ((Arg2 >= 3))
                {
                    CreateDWordField (Arg3, 8, CAP3)
                    Local0 = (CAP3 & 0x1D)
                    If ((Local0 != CAP3))
                    {
                        CAP1 |= 0x10    // some were not granted
                    }
                    CAP3 = Local0
                }
                Return (Arg3)
            }

            // ACPI_PCI_GSI() of acpi.h: slots and pins go round GSIs 16 .. 23.
            Name (PROW, Package () { 0, 0, 0, 0 })
            Name (PTAB, Package (128) {})
            Method (_PRT, 0, Serialized)
            {
                For (Local0 = 0, Local0 < 128, Local0++)
                {
                    Local1 = (Local0 >> 2)  // slot
                    Local2 = (Local0 & 3)   // pin
                    PROW[0] = ((Local1 << 16) | 0xFFFF)
                    PROW[1] = Local2
                    PROW[3] = (16 + ((Local1 + Local2) & 7))
                    PTAB[Local0] = PROW     // a copy
                }
                Return (PTAB)
            }

            Device (RTC)
            {
                Name (_HID, EisaId ("PNP0B00"))
                Name (_CRS, ResourceTemplate ()
                {
                    IO (Decode16, 0x70, 0x70, 1, 2)
                    IRQNoFlags () { 8 }
                })
            }

            // _STA of serial port Arg0: 15 is present, 0 is not.
            Method (HERE, 1) { Return (((SERP >> Arg0) & 1) * 15) }

            Device (COM1)
            {
                Name (_HID, EisaId ("PNP0501"))
                Name (_UID, 1)
                Name (_CRS, ResourceTemplate ()
                {
                    IO (Decode16, 0x03F8, 0x03F8, 1, 8)
                    IRQNoFlags () { 4 }
                })
                Method (_STA) { Return (HERE (0)) }
            }

            Device (COM2)
            {
                Name (_HID, EisaId ("PNP0501"))
                Name (_UID, 2)
                Name (_CRS, ResourceTemplate ()
                {
                    IO (Decode16, 0x02F8, 0x02F8, 1, 8)
                    IRQNoFlags () { 3 }
                })
                Method (_STA) { Return (HERE (1)) }
            }

            Device (COM3)
            {
                Name (_HID, EisaId ("PNP0501"))
                Name (_UID, 3)
                Name (_CRS, ResourceTemplate ()
                {
                    IO (Decode16, 0x03E8, 0x03E8, 1, 8)
                    IRQNoFlags () { 4 }
                })
                Method (_STA) { Return (HERE (2)) }
            }

            Device (COM4)
            {
                Name (_HID, EisaId ("PNP0501"))
                Name (_UID, 4)
                Name (_CRS, ResourceTemplate ()
                {
                    IO (Decode16, 0x02E8, 0x02E8, 1, 8)
                    IRQNoFlags () { 3 }
                })
                Method (_STA) { Return (HERE (3)) }
            }
        }

        // FW_CFG_IO_BASE, FW_CFG_IO_SIZE of hw/nvram/fw_cfg.h.
        Device (FWCF)
        {
            Name (_HID, "QEMU0002")
            Name (_STA, 0x0B)       // present, but nothing to be shown
            Name (_CRS, ResourceTemplate ()
            {
                IO (Decode16, 0x0510, 0x0510, 1, 0x0C)
            })
        }

        // VMGENID_GUID_OFFSET of hw/acpi/vmgenid.h. The ID never changes while the
        // guest runs, so there is no notification.
        Device (VGEN)
        {
            // A method, as iasl takes VGID for a number that is none.
            Method (_HID) { Return ("QEMUVGID") }
            Name (_CID, "VM_Gen_Counter")
            Name (_DDN, "VM_Gen_Counter")
            Method (_STA)
            {
                If ((VGIP == 0))
                {
                    Return (0)
                }
                Return (0x0F)
            }
            Method (ADDR, 0, Serialized)
            {
                Local0 = Package (2) { 0, 0 }
                Local0[0] = ((VGIP + 0x28) & 0xFFFFFFFF)
                Local0[1] = ((VGIP + 0x28) >> 32)
                Return (Local0)
            }
        }

        // Motherboard resources: nobody else may use them.
        Device (MBRD)
        {
            Name (_HID, EisaId ("PNP0C02"))
            Name (_CRS, ResourceTemplate ()
            {
                // MMCONFIG
                Memory32Fixed (ReadWrite, 0xB0000000, 0x10000000)
                // Power management: ACPI_PM_BASE
                IO (Decode16, 0x0600, 0x0600, 1, 0x10)
            })
        }
    }
}
