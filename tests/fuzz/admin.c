/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an administrator may ask of a running machine, in any order. */
#include "qemu/osdep.h"

#include "machine.h"
#include "qemu/units.h"

#define PICK(in, array) ((array)[fuzz_below(in, G_N_ELEMENTS(array))])

static const char *const ids[] = { "h0", "h1", "h2", "vm0", "vm1", "bal", "m0",
                                   "m1", "m2", "mem0", "mem1", "rp0", "nope", "blk", "net",
                                   "rng", "ser", "d0", "n0", "r0" };
static const char *const buses[] = { "rp0", "rp1", "pcie.0", "nope", "vm0" };
static const char *const drivers[] = {
    "virtio-mem-pci", "virtio-balloon-pci", "pcie-root-port", "vfio-user-pci",
    "virtio-mem", "vfio-pci", "virtio-blk-pci", "virtio-net-pci", "virtio-rng-pci",
    "virtio-serial-pci", "virtserialport", "vhost-user-blk-pci", "vhost-vsock-pci",
};
static const char *const backends[] = { "memory-backend-ram",
                                        "memory-backend-memfd",
                                        "ram-discard-test-mgr" };
static const char *const properties[] = {
    "requested-size", "size", "block-size", "memaddr", "realized", "hotplugged",
    "memdev", "node", "protect", "addr", "guest-stats", "parent_bus", "type",
    "prealloc", "share", "host-nodes", "policy", "discard", "populate",
    "granularity", "protect-action",
};
static const char *const queries[] = {
    "query-memory-devices", "query-balloon", "query-memory-size-summary",
    "query-cpus-fast", "query-dump", "query-status", "query-commands",
    "query-ram-discard", "query-block", "query-named-block-nodes",
    "query-blockstats", "query-chardev", "query-iothreads",
    "query-rx-filter", "query-pci",
};
static const char *const commands[] = {
    "stop", "cont", "system_reset", "system_powerdown",
};
static const char *const lines[] = {
    "info mtree", "info mtree -f", "info qtree", "info qom-tree", "info pci",
    "info memory-devices", "info balloon", "info ram-discard", "info status",
    "info numa", "help", "x", "device_del h0", "info",
    "device_add virtio-balloon-pci,id=h1,bus=rp0", "object_del m0", "balloon 16",
    "object_add memory-backend-ram,id=m0,size=2M", "system_reset",
};

static void add_device(FuzzInput *in)
{
    const char *driver = PICK(in, drivers), *id = PICK(in, ids);
    const char *bus = PICK(in, buses);
    uint8_t how = fuzz_u8(in);

    if (!strcmp(driver, "virtio-mem-pci")) {
        fuzz_qmp("{'execute': 'device_add', 'arguments': {'driver': '%s', "
                 "'id': '%s', 'bus': '%s', 'memdev': '%s', "
                 "'requested-size': %" PRIu64 "%s%s%s}}", driver, id, bus,
                 PICK(in, ids), how & 1 ? fuzz_number(in) : (how >> 4) * MiB,
                 how & 2 ? ", 'block-size': 4194304" : "",
                 how & 4 ? ", 'protect': true" : "",
                 how & 8 ? ", 'prealloc': true" : "");
    } else {
        fuzz_qmp("{'execute': 'device_add', 'arguments': {'driver': '%s', "
                 "'id': '%s', 'bus': '%s', 'addr': '%x.%x'}}", driver, id, bus,
                 how & 31, how & 32 ? how >> 6 : 0);
    }
}

static void add_object(FuzzInput *in)
{
    uint8_t how = fuzz_u8(in);

    fuzz_qmp("{'execute': 'object-add', 'arguments': {'qom-type': '%s', "
             "'id': '%s', 'size': %" PRIu64 "%s%s}}", PICK(in, backends),
             PICK(in, ids), (how & 12) == 4 ? fuzz_number(in) & (256 * MiB - 1) :
             (1 + (how >> 4)) * 2 * MiB, how & 8 ? ", 'prealloc': true" : "",
             how & 1 ? ", 'reserve': false" : "");
}

static void set_property(FuzzInput *in)
{
    uint8_t how = fuzz_u8(in);

    if (how & 1) {
        fuzz_qmp("{'execute': 'qom-set', 'arguments': {'path': "
                 "'/machine/peripheral/vm%u', 'property': 'requested-size', "
                 "'value': %u}}", how >> 7, fuzz_below(in, 64) << 21);
    } else if (how & 2) {
        fuzz_qmp("{'execute': 'qom-set', 'arguments': {'path': "
                 "'/machine/peripheral/%s', 'property': '%s', 'value': %" PRIu64
                 "}}", PICK(in, ids), PICK(in, properties), fuzz_number(in));
    } else {
        fuzz_qmp("{'execute': 'qom-set', 'arguments': {'path': '/objects/%s', "
                 "'property': '%s', 'value': %s}}", PICK(in, ids),
                 PICK(in, properties), how & 4 ? "true" : "'2M+4M'");
    }
}

static void get_property(FuzzInput *in)
{
    fuzz_qmp("{'execute': 'qom-get', 'arguments': {'path': "
             "'/machine/peripheral/%s', 'property': '%s'}}", PICK(in, ids),
             PICK(in, properties));
}

void fuzz_admin(FuzzInput *in)
{
    switch (fuzz_below(in, 12)) {
    case 0:
        add_device(in);
        break;
    case 1:
        add_object(in);
        break;
    case 2:
        fuzz_qmp("{'execute': 'device_del', 'arguments': {'id': '%s'}}",
                 PICK(in, ids));
        break;
    case 3:
        fuzz_qmp("{'execute': 'object-del', 'arguments': {'id': '%s'}}",
                 PICK(in, ids));
        break;
    case 4:
    case 5:
        set_property(in);
        break;
    case 6:
        get_property(in);
        break;
    case 7:
        fuzz_qmp("{'execute': '%s'}", fuzz_u8(in) & 1 ? PICK(in, queries) :
                                                        PICK(in, commands));
        break;
    case 8:
        fuzz_qmp("{'execute': 'balloon', 'arguments': {'value': %" PRIu64 "}}",
                 fuzz_number(in));
        break;
    case 9:
        fuzz_qmp("{'execute': 'human-monitor-command', 'arguments': "
                 "{'command-line': '%s'}}", PICK(in, lines));
        break;
    case 10:
        fuzz_qmp("{'execute': 'block_resize', 'arguments': {'node-name': 'd0', "
                 "'size': %" PRIu64 "}}",
                 fuzz_number(in) & (4 * FUZZ_DISK_SIZE - 1));
        break;
    default:
        fuzz_qmp("{'execute': 'set_link', 'arguments': {'name': 'net', "
                 "'up': %s}}", fuzz_u8(in) & 1 ? "true" : "false");
    }
}
