/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machine "q35": puts the board together. With firmware (-bios) a reset
 * starts that. Without, a reset does what a PC's firmware does before the
 * operating system runs: PCI set-up, ACPI tables, kernel, initrd, the first
 * CPU's registers.
 *
 * Under qtest there is no CPU, and a test program plays the firmware too:
 * then a reset resets and no more.
 */
#include "qemu/osdep.h"

#include "exec/address-spaces.h"
#include "exec/ramblock.h"
#include "hw/boards.h"
#include "hw/char/serial.h"
#include "hw/qdev-properties-system.h"
#include "acpi.h"
#include "cpu-model.h"
#include "boot.h"
#include "target/i386/cpu.h"
#include "fw_cfg.h"
#include "ich9-lpc.h"
#include "ioapic.h"
#include "kvm-pit.h"
#include "pci-setup.h"
#include "pm.h"
#include "q35-firmware.h"
#include "q35-fixed.h"
#include "q35-memory.h"
#include "q35-pcihost.h"
#include "q35-serial.h"
#include "q35-tables.h"
#include "qemu/units.h"
#include "reset-ports.h"
#include "rtc.h"
#include "hw/mem/memory-device.h"
#include "hw/sysbus.h"
#include "qemu/error-report.h"
#include "sysemu/kvm-x86.h"
#include "sysemu/numa.h"
#include "sysemu/qtest.h"
#include "sysemu/reset.h"
#include "sysemu/runstate.h"
#include "sysemu/sysemu.h"

#define TYPE_Q35_MACHINE MACHINE_TYPE_NAME("q35")
OBJECT_DECLARE_SIMPLE_TYPE(Q35MachineState, Q35_MACHINE)

#define DEFAULT_RAM_SIZE (128 * MiB)
#define DEFAULT_BOOT_ORDER "cad"

struct Q35MachineState {
    MachineState parent_obj;

    X86MemoryMap map;
    Q35Memory memory;
    X86CpuFeatures features;
    uint8_t apic_ids[X86_APIC_ID_LIMIT];
    unsigned apic_id_limit;               /* of all CPUs that are possible */
    DeviceState *ioapic;
    PCIBus *pci_bus;
    PCIDevice *lpc;
    FWCfgState *fw_cfg;
    RTCState *rtc;
    uint8_t serial_ports;                 /* bit n: COM(n+1) is there */
    Q35Firmware firmware;
    Q35Smbios smbios;
    X86Boot *boot;                        /* NULL: firmware's business */
    bool guest_loaded;                    /* at least once */
    uint64_t failed_loads;
};

/* --- building the board --- */

static void init_cpus(Q35MachineState *m)
{
    MachineState *ms = MACHINE(m);
    X86Topology topology = { .threads = ms->smp.threads,
                             .cores = ms->smp.cores };

    m->apic_id_limit = x86_apic_id(&topology, ms->smp.max_cpus - 1) + 1;
    x86_cpu_features_parse(&m->features, ms->cpu_features, &error_fatal);
    for (unsigned i = 0; i < ms->smp.cpus; i++) {
        uint64_t apic_id = x86_apic_id(&topology, i);
        X86CPU *cpu;

        if (apic_id >= X86_APIC_ID_LIMIT) {
            error_setg(&error_fatal, "-smp: CPU %u would have APIC ID %" PRIu64
                       ", %d is the limit; fewer CPUs, or numbers of cores and"
                       " threads that are powers of two, would do", i, apic_id,
                       X86_APIC_ID_LIMIT - 1);
        }
        m->apic_ids[i] = apic_id;
        cpu = X86_CPU(object_new(ms->cpu_type));
        cpu->apic_id = apic_id;
        cpu->topology = topology;
        cpu->features = &m->features;
        qdev_realize_and_unref(DEVICE(cpu), NULL, &error_fatal);
    }
}

static DeviceState *add_device(Q35MachineState *m, const char *name,
                               const char *type)
{
    DeviceState *dev = qdev_new(type);

    object_property_add_child(OBJECT(m), name, OBJECT(dev));
    sysbus_realize_and_unref(SYS_BUS_DEVICE(dev), &error_fatal);
    return dev;
}

static qemu_irq gsi(Q35MachineState *m, int n)
{
    return qdev_get_gpio_in(m->ioapic, n);
}

static void init_pci(Q35MachineState *m)
{
    DeviceState *host = add_device(m, "q35", TYPE_Q35_PCIHOST);

    m->pci_bus = PCI_HOST_BRIDGE(host)->bus;
    if (m->firmware.present) {
        q35_pcihost_enable_pam(host, MACHINE(m)->ram);
        q35_firmware_map(&m->firmware, OBJECT(m), q35_pcihost_memory(host));
    }
    m->lpc = pci_create_simple(m->pci_bus, ICH9_LPC_DEVFN, TYPE_ICH9_LPC);
    for (int i = 0; i < Q35_PCI_GSIS; i++) {
        qdev_connect_gpio_out(host, i, qdev_get_gpio_in(DEVICE(m->lpc), i));
        qdev_connect_gpio_out_named(DEVICE(m->lpc), "apic", i,
                                    gsi(m, Q35_PCI_GSI_BASE + i));
    }
    for (int i = 0; i < ICH9_LPC_ISA_IRQS; i++) {
        qdev_connect_gpio_out_named(DEVICE(m->lpc), "isa", i, gsi(m, i));
    }
}

static void init_serial(Q35MachineState *m)
{
    for (unsigned i = 0; i < SERIAL_MAX_PORTS; i++) {
        g_autofree char *name = g_strdup_printf("serial%u", i);
        Chardev *chr = serial_hd(i);
        DeviceState *dev;

        if (chr) {
            dev = qdev_new(TYPE_ISA_SERIAL);
            object_property_add_child(OBJECT(m), name, OBJECT(dev));
            serial_place(dev)->index = i;
            qdev_prop_set_chr(dev, "chardev", chr);
            sysbus_realize_and_unref(SYS_BUS_DEVICE(dev), &error_fatal);
        }
    }
    if (serial_hd(SERIAL_MAX_PORTS)) {
        error_setg(&error_fatal, "-serial: at most %d ports are supported",
                   SERIAL_MAX_PORTS);
    }
}

static X86Boot *open_kernel(Q35MachineState *m)
{
    MachineState *ms = MACHINE(m);

    return x86_boot_new(ms->kernel_filename, ms->initrd_filename,
                        ms->kernel_cmdline, &m->map, &error_fatal);
}

static void init_fw_cfg(Q35MachineState *m)
{
    const X86FWCfg config = {
        .machine = MACHINE(m),
        .map = &m->map,
        .apic_ids = m->apic_ids,
        .apic_id_limit = m->apic_id_limit,
        .firmware = m->firmware.present,
    };

    m->fw_cfg = FW_CFG(add_device(m, "fw_cfg", TYPE_FW_CFG));
    q35_smbios_build(&m->smbios, MACHINE(m), &m->map, &error_fatal);
    q35_smbios_add_files(&m->smbios, m->fw_cfg);
    x86_fw_cfg_fill(m->fw_cfg, &config, &error_fatal);
    if (m->firmware.present && MACHINE(m)->kernel_filename) {
        g_autoptr(X86Boot) boot = open_kernel(m);

        q35_firmware_add_kernel(&m->firmware, boot, m->fw_cfg);
    }
}

static void init_devices(Q35MachineState *m)
{
    DeviceState *pm;

    m->ioapic = add_device(m, "ioapic", TYPE_IOAPIC);
    init_pci(m);
    pm = add_device(m, "pm", TYPE_ACPI_PM);
    qdev_connect_gpio_out_named(pm, "sci", 0, gsi(m, ACPI_SCI_IRQ));
    ich9_lpc_connect_pm(m->lpc, pm);
    m->rtc = RTC(add_device(m, "rtc", TYPE_RTC));
    sysbus_connect_irq(SYS_BUS_DEVICE(m->rtc), 0, gsi(m, RTC_ISA_IRQ));
    rtc_set_memory_sizes(m->rtc, m->map.below_4g, m->map.above_4g);
    if (kvm_enabled()) {
        add_device(m, "kvm-pit", TYPE_KVM_PIT);
    }
    add_device(m, "reset-ports", TYPE_RESET_PORTS);
    init_fw_cfg(m);
    init_serial(m);
}

static AcpiConfig acpi_config(const Q35MachineState *m)
{
    const MachineState *ms = &m->parent_obj;
    AcpiConfig config = {
        .map = &m->map,
        .nr_cpus = ms->smp.cpus,
        .apic_ids = m->apic_ids,
        .serial_ports = m->serial_ports,
        .numa = ms->numa_state,
    };

    config.has_vmgenid = vmgenid_get_guid(&config.vmgenid);
    return config;
}

static void q35_init(MachineState *ms)
{
    Q35MachineState *m = Q35_MACHINE(ms);

    q35_firmware_choose(&m->firmware, ms);
    q35_memory_init(&m->memory, ms, &m->map, m->firmware.present);
    if (ms->kernel_filename && !m->firmware.present) {
        m->boot = open_kernel(m);
    }
    init_cpus(m);
    init_devices(m);
    if (!m->firmware.present) {
        AcpiConfig acpi = acpi_config(m);

        q35_tables_check(&acpi, &m->smbios, &error_fatal);
    }
}

/* --- reset --- */

static bool load_guest(Q35MachineState *m, Error **errp)
{
    X86Entry entry, *start = NULL;
    CPUState *cpu;

    if (m->boot) {
        AcpiConfig acpi = acpi_config(m);
        uint64_t rsdp = q35_tables_write(&acpi, &m->smbios);

        if (!x86_boot_load(m->boot, &address_space_memory, rsdp, &entry, errp)) {
            return false;
        }
        start = &entry;
    }
    /* A guest must not begin with zeros for a kernel; one that is reset knows
     * what it has lost. */
    if (!m->guest_loaded && !ram_blocks_check_intact(errp)) {
        return false;
    }
    if (!kvm_enabled()) {
        return true;
    }
    kvm_x86_irqchip_reset(kvm_state);
    CPU_FOREACH(cpu) {
        if (!kvm_x86_vcpu_reset(X86_CPU(cpu), cpu == first_cpu ? start : NULL,
                                errp)) {
            return false;
        }
    }
    return true;
}

/* once= is for the first start. */
static const char *boot_order(const Q35MachineState *m)
{
    const BootConfiguration *boot = &MACHINE(m)->boot_config;

    return (m->guest_loaded ? NULL : boot->once) ?: boot->order
           ?: DEFAULT_BOOT_ORDER;
}

static void q35_reset(MachineState *ms)
{
    Q35MachineState *m = Q35_MACHINE(ms);
    Error *err = NULL;

    qemu_devices_reset();
    rtc_set_boot_order(m->rtc, boot_order(m), !ms->boot_config.no_floppy_check);
    if (m->firmware.present) {
        AcpiConfig acpi = acpi_config(m);
        uint64_t rsdp;
        g_autoptr(GByteArray) tables = acpi_build(&acpi, &rsdp);

        q35_firmware_inform(&m->firmware, m->fw_cfg, m->pci_bus,
                            boot_order(m), ms->boot_config.strict, tables,
                            rsdp);
    } else if (!qtest_enabled()) {
        pci_setup_bus(m->pci_bus, &m->map);
    }
    if (load_guest(m, &err)) {
        m->guest_loaded = true;
        return;
    }
    error_report_counted(&m->failed_loads, "%s", error_get_pretty(err));
    error_free(err);
    if (!m->guest_loaded) {
        exit(EXIT_FAILURE);
    }
    if (runstate_is_running()) {
        vm_stop(RUN_STATE_INTERNAL_ERROR);
    } else {
        runstate_set(RUN_STATE_INTERNAL_ERROR);
    }
}

/* --- plugging --- */

static void serial_plug(Q35MachineState *m, DeviceState *dev)
{
    const SerialPlace *place = serial_place(dev);

    m->serial_ports |= 1U << place->index;
    sysbus_connect_irq(SYS_BUS_DEVICE(dev), 0, gsi(m, place->irq));
}

static bool is_serial(DeviceState *dev)
{
    return object_dynamic_cast(OBJECT(dev), TYPE_ISA_SERIAL);
}

static void q35_pre_plug(HotplugHandler *handler, DeviceState *dev,
                         Error **errp)
{
    ERRP_GUARD();
    HotplugHandler *slot = qdev_get_bus_hotplug_handler(dev);

    if (is_serial(dev)) {
        q35_serial_choose(Q35_MACHINE(handler)->serial_ports,
                          serial_place(dev), errp);
        return;
    }
    memory_device_pre_plug(MEMORY_DEVICE(dev), MACHINE(handler), NULL, errp);
    if (!*errp && slot) {
        hotplug_handler_pre_plug(slot, dev, errp);
    }
}

/* The region is there before the guest hears of the device. */
static void q35_plug(HotplugHandler *handler, DeviceState *dev, Error **errp)
{
    ERRP_GUARD();
    HotplugHandler *slot = qdev_get_bus_hotplug_handler(dev);

    if (is_serial(dev)) {
        serial_plug(Q35_MACHINE(handler), dev);
        return;
    }
    memory_device_plug(MEMORY_DEVICE(dev), MACHINE(handler));
    if (slot) {
        hotplug_handler_plug(slot, dev, errp);
        if (*errp) {
            memory_device_unplug(MEMORY_DEVICE(dev), MACHINE(handler));
        }
    }
}

/* Asks the guest by way of the slot, if the device could go at all. */
static void q35_unplug_request(HotplugHandler *handler, DeviceState *dev,
                               Error **errp)
{
    HotplugHandler *slot = qdev_get_bus_hotplug_handler(dev);

    if (memory_device_unplug_check(MEMORY_DEVICE(dev), errp)) {
        hotplug_handler_unplug_request(slot, dev, errp);
    }
}

/* The guest has agreed; meanwhile it may have plugged something again. */
static void q35_unplug(HotplugHandler *handler, DeviceState *dev, Error **errp)
{
    if (memory_device_unplug_check(MEMORY_DEVICE(dev), errp)) {
        memory_device_unplug(MEMORY_DEVICE(dev), MACHINE(handler));
    }
}

static HotplugHandler *q35_get_hotplug_handler(MachineState *machine,
                                               DeviceState *dev)
{
    return object_dynamic_cast(OBJECT(dev), TYPE_MEMORY_DEVICE) ||
           is_serial(dev) ? HOTPLUG_HANDLER(machine) : NULL;
}

/* --- properties --- */

#define FLASH_PROPERTY(n)                                                    \
    static char *q35_get_pflash##n(Object *obj, Error **errp)                \
    {                                                                        \
        return g_strdup(Q35_MACHINE(obj)->firmware.flash_drives[n]);         \
    }                                                                        \
    static void q35_set_pflash##n(Object *obj, const char *value, Error **errp) \
    {                                                                        \
        q35_firmware_set_flash(&Q35_MACHINE(obj)->firmware, n, value, errp); \
    }

FLASH_PROPERTY(0)
FLASH_PROPERTY(1)

static void add_flash_properties(ObjectClass *klass)
{
    object_class_property_add_str(klass, "pflash0", q35_get_pflash0,
                                  q35_set_pflash0);
    object_class_property_add_str(klass, "pflash1", q35_get_pflash1,
                                  q35_set_pflash1);
    object_class_property_set_description(klass, "pflash0", "Flash: firmware");
    object_class_property_set_description(klass, "pflash1", "Flash: variables");
}

static const QEnumLookup entry_point_names = {
    .array = (const char *const[]) { "32", "64" },
    .size = 2,
};

static int q35_get_entry_point(Object *obj, Error **errp)
{
    return Q35_MACHINE(obj)->smbios.entry_point;
}

static void q35_set_entry_point(Object *obj, int value, Error **errp)
{
    Q35_MACHINE(obj)->smbios.entry_point = value;
}

/* --- type --- */

static void q35_finalize(Object *obj)
{
    Q35MachineState *m = Q35_MACHINE(obj);

    x86_boot_free(m->boot);
    q35_smbios_free(&m->smbios);
    smbios_entries_free(m->parent_obj.smbios);
    q35_firmware_free(&m->firmware);
}

static void q35_class_init(ObjectClass *klass, void *data)
{
    MachineClass *mc = MACHINE_CLASS(klass);
    HotplugHandlerClass *hc = HOTPLUG_HANDLER_CLASS(klass);

    mc->desc = "Standard PC (Q35, PCI Express)";
    mc->init = q35_init;
    mc->reset = q35_reset;
    mc->get_hotplug_handler = q35_get_hotplug_handler;
    mc->max_cpus = X86_APIC_ID_LIMIT;
    mc->default_cpu_type = X86_CPU_TYPE_NAME("host");
    mc->cpu_type_suffix = X86_CPU_TYPE_SUFFIX;
    mc->check_cpu = x86_cpu_model_check;
    mc->list_cpus = x86_cpu_models_list;
    mc->expand_cpu = x86_cpu_model_expand;
    mc->default_ram_size = DEFAULT_RAM_SIZE;
    mc->default_ram_id = "pc.ram";
    mc->numa_mem_supported = true;
    mc->has_fw_cfg = true;
    add_flash_properties(klass);
    q35_class_add_fixed(klass);
    /* Of this type in QEMU 7.2. */
    object_class_property_add_enum(klass, "smbios-entry-point-type", "str",
                                   &entry_point_names, q35_get_entry_point,
                                   q35_set_entry_point);
    object_class_property_set_description(
        klass, "smbios-entry-point-type",
        "SMBIOS: 32 (2.1, the default) or 64 (3.0)");

    hc->pre_plug = q35_pre_plug;
    hc->plug = q35_plug;
    hc->unplug_request = q35_unplug_request;
    hc->unplug = q35_unplug;
}

/* QEMU's versions of the machine, by the last of which q35 is meant. */
static const char *const q35_versions[] = {
    "pc-q35-2.4", "pc-q35-2.5", "pc-q35-2.6", "pc-q35-2.7", "pc-q35-2.8",
    "pc-q35-2.9", "pc-q35-2.10", "pc-q35-2.11", "pc-q35-2.12", "pc-q35-3.0",
    "pc-q35-3.1", "pc-q35-4.0", "pc-q35-4.0.1", "pc-q35-4.1", "pc-q35-4.2",
    "pc-q35-5.0", "pc-q35-5.1", "pc-q35-5.2", "pc-q35-6.0", "pc-q35-6.1",
    "pc-q35-6.2", "pc-q35-7.0", "pc-q35-7.1", "pc-q35-7.2",
};

static void q35_latest_class_init(ObjectClass *klass, void *data)
{
    MachineClass *mc = MACHINE_CLASS(klass);

    mc->alias = "q35";
    mc->is_default = true;
}

/* QEMU's test programs drive devices of "pc" only (libqos). To who sees ports
 * and PCI devices this is such a machine; to a guest it would not be one. */
static void pc_class_init(ObjectClass *klass, void *data)
{
    MachineClass *mc = MACHINE_CLASS(klass);

    mc->desc = "q35 by the name that QEMU's tests know (-accel qtest only)";
    mc->qtest_only = true;
}

static const TypeInfo q35_types[] = {
    {
        .name = TYPE_Q35_MACHINE,
        .parent = TYPE_MACHINE,
        .abstract = true,
        .instance_size = sizeof(Q35MachineState),
        .instance_finalize = q35_finalize,
        .class_init = q35_class_init,
        .interfaces = (InterfaceInfo[]) {
            { TYPE_HOTPLUG_HANDLER },
            {},
        },
    },
    {
        .name = "pc" TYPE_MACHINE_SUFFIX,
        .parent = TYPE_Q35_MACHINE,
        .class_init = pc_class_init,
    },
};

/* A guest sees no difference between versions: all that were released before
 * this program are the same machine. The names live for ever. */
static void q35_register_types(void)
{
    type_register_static_array(q35_types, ARRAY_SIZE(q35_types));
    for (size_t i = 0; i < ARRAY_SIZE(q35_versions); i++) {
        TypeInfo version = {
            .name = g_strconcat(q35_versions[i], TYPE_MACHINE_SUFFIX, NULL),
            .parent = TYPE_Q35_MACHINE,
            .class_init = i + 1 == ARRAY_SIZE(q35_versions)
                              ? q35_latest_class_init : NULL,
        };

        type_register_static(&version);
    }
}
type_init(q35_register_types)
