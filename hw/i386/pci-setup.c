/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Firmware's part in PCI (hw/i386/pci-setup.h): numbers buses, sizes BARs by
 * writing ones and reading back (PCI Local Bus 3.0, 6.2.5.1), sorts them by
 * size, hands out addresses, turns on decoding. Knows functions only by their
 * configuration space. Must not turn on bus mastering: drivers do.
 *
 * A root port's windows take part as if they were BARs, which those behind the
 * port then share: powers of two, so that sorted by size everything fits.
 */
#include "qemu/osdep.h"

#include "acpi.h"
#include "pci-setup.h"
#include "qemu/error-report.h"
#include "qemu/units.h"

#define IO_WINDOW_BASE 0xd000
#define IO_WINDOW_END 0x10000

/* What a port reserves for a device that comes later. */
#define PORT_MEM_SIZE (2 * MiB)
#define PORT_PREF_SIZE (32 * GiB)
/* Of the window above 4 GiB, ports take at most this part if they are empty. */
#define PORT_PREF_SHARE 2
#define PORT_WINDOW_UNIT MiB

typedef struct Bar {
    PCIDevice *dev;
    uint32_t reg;                         /* offset in configuration space */
    uint64_t size;                        /* bytes, power of two */
    bool io;
    bool is_64bit;
    bool prefetchable;
    GArray *behind;                       /* of Bar: a port's window; or NULL */
} Bar;

/* Addresses that are still free. */
typedef struct Window {
    uint64_t next;
    uint64_t end;
} Window;

typedef struct Setup {
    GArray *bars;                         /* of Bar, on bus 0 */
    uint64_t port_pref;                   /* what an empty port reserves */
    uint8_t last_bus;                     /* the last number given out */
    Window io;
    Window mem32;
    Window mem64;
} Setup;

static uint32_t read_long(PCIDevice *dev, uint32_t reg)
{
    return dev->config_read(dev, reg, 4);
}

static void write_long(PCIDevice *dev, uint32_t reg, uint32_t val)
{
    dev->config_write(dev, reg, val, 4);
}

/* What of the register the device decodes; leaves it as it was. */
static uint32_t probe(PCIDevice *dev, uint32_t reg)
{
    uint32_t saved = read_long(dev, reg), mask;

    write_long(dev, reg, UINT32_MAX);
    mask = read_long(dev, reg);
    write_long(dev, reg, saved);
    return mask;
}

/* *bar: what is at @reg; false: nothing. */
static bool size_bar(PCIDevice *dev, uint32_t reg, Bar *bar)
{
    uint32_t low = probe(dev, reg);
    uint64_t mask;

    *bar = (Bar) { .dev = dev, .reg = reg };
    if (!low) {
        return false;
    }
    if (low & PCI_BASE_ADDRESS_SPACE_IO) {
        bar->io = true;
        /* The upper half may be hard-wired to 0. */
        mask = (low & PCI_BASE_ADDRESS_IO_MASK) | ~0xffffULL;
    } else if ((low & PCI_BASE_ADDRESS_MEM_TYPE_MASK) ==
               PCI_BASE_ADDRESS_MEM_TYPE_64) {
        bar->is_64bit = true;
        bar->prefetchable = low & PCI_BASE_ADDRESS_MEM_PREFETCH;
        mask = (low & PCI_BASE_ADDRESS_MEM_MASK) & UINT32_MAX;
        mask |= (uint64_t)probe(dev, reg + 4) << 32;
    } else {
        mask = (low & PCI_BASE_ADDRESS_MEM_MASK) | ~(uint64_t)UINT32_MAX;
    }
    bar->size = mask & -mask;             /* the lowest bit that is decoded */
    return bar->size != 0;
}

static bool is_bridge(PCIDevice *dev)
{
    return (dev->config_read(dev, PCI_HEADER_TYPE, 1) & 0x7f) ==
           PCI_HEADER_TYPE_BRIDGE;
}

static void collect_bars(PCIBus *bus, PCIDevice *dev, void *opaque)
{
    GArray *bars = opaque;
    uint32_t reg = PCI_BASE_ADDRESS_0;

    if ((dev->config_read(dev, PCI_HEADER_TYPE, 1) & 0x7f) !=
        PCI_HEADER_TYPE_NORMAL) {
        return;
    }
    while (reg <= PCI_BASE_ADDRESS_5) {
        Bar bar;

        if (size_bar(dev, reg, &bar)) {
            g_array_append_val(bars, bar);
        }
        reg += bar.is_64bit ? 8 : 4;
    }
}

/* The largest first, so that alignment wastes nothing; then in given order. */
static int compare_bars(const void *a, const void *b)
{
    const Bar *x = a, *y = b;

    if (x->size != y->size) {
        return x->size > y->size ? -1 : 1;
    }
    if (x->dev->devfn != y->dev->devfn) {
        return x->dev->devfn < y->dev->devfn ? -1 : 1;
    }
    return x->reg < y->reg ? -1 : x->reg > y->reg;
}

static bool take(Window *window, uint64_t size, uint64_t *addr)
{
    uint64_t end;

    if (__builtin_add_overflow(window->next, size - 1, addr)) {
        return false;
    }
    *addr &= -size;
    if (__builtin_add_overflow(*addr, size, &end) || end > window->end) {
        return false;
    }
    window->next = end;
    return true;
}

static void write_bar(const Bar *bar, uint64_t addr)
{
    write_long(bar->dev, bar->reg, addr);
    if (bar->is_64bit) {
        write_long(bar->dev, bar->reg + 4, addr >> 32);
    }
}

/* Opens the port's window of that kind, and places what is behind it. */
static void write_window(const Bar *bar, uint64_t addr)
{
    Window window = { addr, addr + bar->size };
    uint64_t last = window.end - 1, at;
    uint32_t base_reg = (addr >> 16) & 0xfff0;
    uint32_t limit_reg = (last >> 16) & 0xfff0;

    write_long(bar->dev, bar->reg, base_reg | limit_reg << 16);
    if (bar->is_64bit) {
        write_long(bar->dev, PCI_PREF_BASE_UPPER32, addr >> 32);
        write_long(bar->dev, PCI_PREF_LIMIT_UPPER32, last >> 32);
    }
    for (unsigned i = 0; i < bar->behind->len; i++) {
        const Bar *b = &g_array_index(bar->behind, Bar, i);

        if (take(&window, b->size, &at)) {
            write_bar(b, at);
        }
    }
}

/* Once for each register: a guest can have itself reset for ever. */
static void tell_no_room(const Bar *bar)
{
    uint16_t bit = 1U << (bar->reg / 4 % 16);

    if (!(bar->dev->no_room & bit)) {
        bar->dev->no_room |= bit;
        warn_report("PCI function %02x.%x (%s): no room for its %s of 0x%"
                    PRIx64 " bytes", bar->dev->devfn >> 3, bar->dev->devfn & 7,
                    bar->dev->name, bar->behind ? "window" : "BAR", bar->size);
    }
}

static void assign(Setup *setup, const Bar *bar)
{
    uint64_t addr;
    bool found;

    if (bar->io) {
        found = take(&setup->io, bar->size, &addr);
    } else {
        found = (bar->is_64bit && take(&setup->mem64, bar->size, &addr)) ||
                take(&setup->mem32, bar->size, &addr);
    }
    if (!found) {
        tell_no_room(bar);
        return;
    }
    if (bar->behind) {
        write_window(bar, addr);
    } else {
        write_bar(bar, addr);
    }
}

/* --- root ports --- */

static void number_bus(PCIBus *bus, PCIDevice *dev, void *opaque)
{
    Setup *setup = opaque;

    if (is_bridge(dev) && setup->last_bus < UINT8_MAX) {
        setup->last_bus++;
        dev->config_write(dev, PCI_PRIMARY_BUS, 0, 1);
        dev->config_write(dev, PCI_SECONDARY_BUS, setup->last_bus, 1);
        dev->config_write(dev, PCI_SUBORDINATE_BUS, setup->last_bus, 1);
    }
}

/* The window at @reg of port @dev for those of @all that it can take. */
static Bar port_window(PCIDevice *dev, uint32_t reg, const GArray *all,
                       uint64_t reserve)
{
    Bar window = { .dev = dev, .reg = reg, .size = PORT_WINDOW_UNIT,
                   .is_64bit = reg == PCI_PREF_MEMORY_BASE,
                   .behind = g_array_new(false, false, sizeof(Bar)) };
    uint64_t sum = 0;

    for (unsigned i = 0; i < all->len; i++) {
        Bar bar = g_array_index(all, Bar, i);

        /* No port passes on I/O. */
        if (!bar.io && bar.prefetchable == window.is_64bit) {
            g_array_append_val(window.behind, bar);
            sum += bar.size;
        }
    }
    window.size = MAX(window.size, MAX(pow2ceil(sum), reserve));
    return window;
}

static void collect_windows(PCIBus *bus, PCIDevice *dev, void *opaque)
{
    Setup *setup = opaque;
    g_autoptr(GArray) all = NULL;
    Bar mem, pref;

    if (!is_bridge(dev)) {
        return;
    }
    all = g_array_new(false, false, sizeof(Bar));
    pci_for_each_device(bus, dev->config_read(dev, PCI_SECONDARY_BUS, 1),
                        collect_bars, all);
    g_array_sort(all, compare_bars);
    mem = port_window(dev, PCI_MEMORY_BASE, all, PORT_MEM_SIZE);
    pref = port_window(dev, PCI_PREF_MEMORY_BASE, all, setup->port_pref);
    g_array_append_val(setup->bars, mem);
    g_array_append_val(setup->bars, pref);
}

static uint64_t port_pref_size(const X86MemoryMap *map, unsigned nr_ports)
{
    uint64_t share = (map->pci64_end - map->pci64_base) / PORT_PREF_SHARE /
                     MAX(nr_ports, 1);
    uint64_t size = PORT_PREF_SIZE;

    while (size > share && size > PORT_MEM_SIZE) {
        size /= 2;
    }
    return size;
}

/* --- all of it --- */

/* The slot and pin by which @dev's pin @pin (0..3) arrives on bus 0. */
static uint8_t interrupt_line(PCIDevice *dev, int pin)
{
    PCIDevice *bridge = pci_get_bus(dev)->parent_dev;

    return bridge ? ACPI_PCI_GSI(bridge->devfn >> 3,
                                 pci_swizzle_map_irq_fn(dev, pin))
                  : ACPI_PCI_GSI(dev->devfn >> 3, pin);
}

static void enable(PCIBus *bus, PCIDevice *dev, void *opaque)
{
    uint8_t pin = dev->config_read(dev, PCI_INTERRUPT_PIN, 1);
    uint16_t command = dev->config_read(dev, PCI_COMMAND, 2);

    if (pin >= 1 && pin <= PCI_NUM_PINS) {
        dev->config_write(dev, PCI_INTERRUPT_LINE,
                          interrupt_line(dev, pin - 1), 1);
    }
    dev->config_write(dev, PCI_COMMAND,
                      command | PCI_COMMAND_IO | PCI_COMMAND_MEMORY, 2);
}

void pci_setup_bus(PCIBus *bus, const X86MemoryMap *map)
{
    g_autoptr(GArray) bars = g_array_new(false, false, sizeof(Bar));
    Setup setup = {
        .bars = bars,
        .io = { IO_WINDOW_BASE, IO_WINDOW_END },
        .mem32 = { X86_PCI32_BASE, X86_PCI32_END },
        .mem64 = { map->pci64_base, map->pci64_end },
    };

    pci_for_each_device(bus, 0, number_bus, &setup);
    setup.port_pref = port_pref_size(map, setup.last_bus);
    pci_for_each_device(bus, 0, collect_bars, bars);
    pci_for_each_device(bus, 0, collect_windows, &setup);
    g_array_sort(bars, compare_bars);
    for (unsigned i = 0; i < bars->len; i++) {
        Bar *bar = &g_array_index(bars, Bar, i);

        assign(&setup, bar);
        g_clear_pointer(&bar->behind, g_array_unref);
    }
    for (unsigned n = 0; n <= setup.last_bus; n++) {
        pci_for_each_device(bus, n, enable, &setup);
    }
}
