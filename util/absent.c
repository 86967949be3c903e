/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table behind qemu/absent.h: names of QEMU 7.2, for x86, that sparsevm
 * does not have. Only messages come of it; nothing else may depend on it.
 */
#include "qemu/osdep.h"

#include "qemu/absent.h"

#define PAGE " (see the page \"What sparsevm is not\")"
#define NO(what) "sparsevm has no " what PAGE

/* What is missing; names with * and ?, between blanks, for each kind. The first
 * row that has a name counts. */
static const struct {
    const char *reason;
    const char *names[ABSENT__MAX];
} table[] = {
    { NO("USB"),
      { "usb-* *-usb-* *-xhci pci-ohci u2f-* ccid-*", "", "usb usbdevice" } },
    { NO("SCSI"),
      { "scsi-* *scsi *scsi-* am53c974 dc390 lsi53c* megasas* mptsas1068",
        "pr-manager-helper", "" } },
    { NO("disks but virtio-blk-pci and vhost-user-blk-pci"),
      { "floppy ide-* *-ide isa-fdc ich9-ahci nvme nvme-* sd-card sdhci-pci "
        "virtio-pmem*", "",
        "fda fdb iscsi mtdblock sd snapshot" } },
    { NO("network devices but virtio-net-pci"),
      { "e1000* i8255* i82562 i82801 ne2k_* pcnet pvrdma rocker "
        "rtl8139 tulip vmxnet3", "filter-* colo-compare", "" } },
    { "random bytes come from rng-random or rng-builtin" PAGE,
      { "", "rng-egd", "" } },
    { NO("virtio-crypto"),
      { "virtio-crypto*", "cryptodev-*", "" } },
    { NO("such vhost device"), { "vhost-*", "", "" } },
    { NO("shared folders"), { "virtio-9p*", "", "fsdev virtfs" } },
    { NO("display and no keyboard"),
      { "VGA *-vga *-vga-* *-svga virtio-gpu* bochs-display qxl ramfb sga "
        "i2c-ddc vmmouse i8042 virtio-input-* virtio-keyboard* virtio-mouse* "
        "virtio-tablet*", "input-*",
        "display vnc spice curses full-screen g k portrait rotate" } },
    { NO("sound"),
      { "AC97 adlib cs4231a ES1370 gus hda-* *-hda sb16", "", "audio-help" } },
    { NO("vIOMMU"),
      { "amd-iommu AMDVI-PCI intel-iommu virtio-iommu*", "", "" } },
    { NO("CXL"), { "cxl-* pxb-cxl", "", "" } },
    { NO("bridges but pcie-root-port"),
      { "i82801b11-bridge pci-bridge pci-bridge-seat pcie-pci-bridge pxb "
        "pxb-pcie ioh3420 x3130-upstream xio3130-downstream", "", "" } },
    { NO("DIMMs: virtio-mem-pci is hot-plugged memory"),
      { "pc-dimm nvdimm", "", "" } },
    { NO("CPU hot plug"), { "*-x86_64-cpu", "", "" } },
    { NO("TPM"), { "tpm-*", "", "tpmdev" } },
    { NO("watchdogs"),
      { "i6300esb ib700", "", "watchdog-action" } },
    { NO("IPMI"), { "*ipmi*", "", "" } },
    { NO("CAN bus"),
      { "ctucan_pci kvaser_pci mioe3680_pci pcm3680_pci", "can-*", "" } },
    { NO("serial ports but isa-serial"),
      { "pci-serial* isa-parallel ipoctal232 tpci200", "", "debugcon" } },
    { NO("shared memory between guests"), { "ivshmem-*", "", "" } },
    { NO("Hyper-V devices"),
      { "hv-* hyperv-* vmbus-bridge", "", "win2k-hack" } },
    { "sparsevm tells of a crash by pvpanic-pci only" PAGE, { "pvpanic", "", "" } },
    { NO("TLS but of disks over NBD, tls-creds-x509 and tls-creds-psk"),
      { "", "tls-* authz-*", "" } },
    { NO("confidential guests"), { "", "sev-guest", "" } },
    { NO("firmware"),
      { "loader guest-loader acpi-erst", "",
        "acpitable" } },
    { NO("TCG"), { "", "", "icount plugin singlestep" } },
    { NO("migration and no snapshots"),
      { "", "dbus-vmstate",
        "incoming loadvm only-migratable dump-vmstate" } },
    { NO("debugger stub"), { "", "", "gdb s" } },
    { "sparsevm always has ACPI" PAGE, { "", "", "no-acpi" } },
    { NO("device trees"), { "", "", "dtb" } },
    { "sparsevm is for KVM, not for Xen" PAGE, { "xen-*", "", "xen-*" } },
    { "its way is -object memory-backend-file,prealloc=on" PAGE,
      { "", "", "mem-path mem-prealloc" } },
    { NO("legacy virtio"), { "*-transitional", "", "" } },
};

static bool is_listed(const char *patterns, const char *name)
{
    g_auto(GStrv) list = g_strsplit(patterns, " ", -1);

    for (char **pattern = list; *pattern; pattern++) {
        if (g_pattern_match_simple(*pattern, name)) {
            return true;
        }
    }
    return false;
}

const char *absent_reason(AbsentKind kind, const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
        if (is_listed(table[i].names[kind], name)) {
            return table[i].reason;
        }
    }
    return NULL;
}
