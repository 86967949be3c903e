/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Counts how often a guest's plugging maps memory for a device, and its
 * unplugging unmaps it: the vfio-user test device writes a log of both. Each
 * line of output is a name, a number of granules, and what they took.
 */
#include <linux/pci_regs.h>
#include <stdio.h>
#include <string.h>

#include "../qtest/coordination.h"
#include "driver.h"

#define GRANULES 256u
#define RUN 8u                            /* blocks of the larger requests */

/* Maps and unmaps since the last call. */
static uint64_t count(Coordination *c, uint64_t *maps, uint64_t *unmaps)
{
    QVFIOUserServer *server = c->server[0];
    uint64_t old_maps = server->maps, old_unmaps = server->unmaps;

    qvfio_user_server_update(server);
    *maps = server->maps - old_maps;
    *unmaps = server->unmaps - old_unmaps;
    return *maps + *unmaps;
}

static void tell(Coordination *c, const char *name, unsigned granules)
{
    uint64_t maps, unmaps;
    uint64_t all = count(c, &maps, &unmaps);

    printf("%s %u %" PRIu64 "\n", name, granules, all);
}

/* The functions' BARs vanish and come back: two changes of the memory map that
 * concern no granule. */
static void change_topology(Coordination *c)
{
    uint16_t devfn = c->mem[0].vdev.pci.devfn;
    uint16_t command = qpci_config_readw(c->qts, devfn, PCI_COMMAND);

    for (unsigned i = 0; i < 16; i++) {
        qpci_config_writew(c->qts, devfn, PCI_COMMAND,
                           command & ~PCI_COMMAND_MEMORY);
        qpci_config_writew(c->qts, devfn, PCI_COMMAND, command);
    }
}

static void plug_and_unplug(Coordination *c)
{
    QVirtioMem *vmem = &c->mem[0];

    for (unsigned i = 0; i < GRANULES; i++) {
        assert_ack(qvirtio_mem_plug(vmem, coordination_block(c, 0, i), 1));
    }
    tell(c, "plug-1", GRANULES);
    change_topology(c);
    tell(c, "unchanged", GRANULES);
    for (unsigned i = 0; i < GRANULES; i++) {
        qvirtio_mem_state(vmem, coordination_block(c, 0, i), 1);
        assert_error(qvirtio_mem_plug(vmem, coordination_block(c, 0, i), 1));
    }
    tell(c, "refused", GRANULES);
    for (unsigned i = 0; i < GRANULES; i++) {
        assert_ack(qvirtio_mem_unplug(vmem, coordination_block(c, 0, i), 1));
    }
    tell(c, "unplug-1", GRANULES);
    for (unsigned i = 0; i < GRANULES; i += RUN) {
        assert_ack(qvirtio_mem_plug(vmem, coordination_block(c, 0, i), RUN));
    }
    tell(c, "plug-8", GRANULES);
    assert_ack(qvirtio_mem_unplug_all(vmem));
    tell(c, "unplug-all", GRANULES);
}

int main(void)
{
    Coordination c;
    uint64_t maps, unmaps;

    bench_one_line_errors();
    if (!g_getenv("QTEST_QEMU_BINARY") || !g_getenv("QTEST_VFIO_USER_TESTDEV")) {
        fputs("usage: QTEST_QEMU_BINARY=... QTEST_VFIO_USER_TESTDEV=... "
              "mapping-driver\n", stderr);
        return 1;
    }
    coordination_start(
        &c, 1, 1, "", "-M q35,memory-backend=ram -m 256M,maxmem=4G "
        "-object memory-backend-memfd,id=ram,size=256M "
        "-object memory-backend-memfd,id=mem0,size=1G "
        "-device virtio-mem-pci,id=vm0,memdev=mem0,block-size=2M,"
        "requested-size=1G");
    count(&c, &maps, &unmaps);
    plug_and_unplug(&c);
    coordination_stop(&c);
    return 0;
}
