/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest whose virtio-mem and vfio-user devices must agree. */
#include <string.h>

#include "coordination.h"

/* --- life ----------------------------------------------------------------- */

static void append_device(Coordination *c, GString *options, unsigned i)
{
    if (i < c->nr_devs) {
        g_string_append_printf(options,
                               " -device vfio-user-pci,id=dev%u,socket=%s ", i,
                               c->server[i]->socket);
    }
}

void coordination_restart_drivers(Coordination *c)
{
    qguest_init(&c->guest, c->qts);
    for (unsigned i = 0; i < c->nr_mems; i++) {
        qvirtio_mem_init(&c->mem[i], &c->guest, i);
        qvirtio_mem_config(&c->mem[i], &c->config[i]);
    }
    for (unsigned i = 0; i < c->nr_devs; i++) {
        qvfio_user_init(&c->dev[i], &c->guest, i);
    }
}

void coordination_start(Coordination *c, unsigned nr_mems, unsigned nr_devs,
                        const char *server_options, const char *fmt, ...)
{
    g_autoptr(GString) options = g_string_new("-M q35");
    va_list ap;

    *c = (Coordination) { .nr_mems = nr_mems, .nr_devs = nr_devs };
    if (nr_devs) {
        g_string_append_printf(options, " %s", qvfio_user_patience());
    }
    for (unsigned i = 0; i < nr_devs; i++) {
        c->server[i] = qvfio_user_server_new("%s", server_options);
    }
    append_device(c, options, 0);
    va_start(ap, fmt);
    g_string_append_vprintf(options, fmt, ap);
    va_end(ap);
    append_device(c, options, 1);
    c->qts = qtest_init("%s", options->str);
    coordination_restart_drivers(c);
    for (unsigned i = 0; i < nr_devs; i++) {
        c->boot[i] = qvfio_user_server_mappings(c->server[i]);
        g_assert_cmpuint(c->boot[i]->len, >, 0);
    }
}

void coordination_start_small(Coordination *c, unsigned nr_devs)
{
    coordination_start(
        c, 1, nr_devs, "",
        " -m 64M,maxmem=2G -object memory-backend-memfd,id=boot,size=64M "
        "-machine memory-backend=boot "
        "-object memory-backend-memfd,id=mem0,size=256M "
        "-device virtio-mem-pci,id=vm0,memdev=mem0,block-size=2M,"
        "requested-size=64M");
}

void coordination_stop(Coordination *c)
{
    qtest_quit(c->qts);
    for (unsigned i = 0; i < c->nr_devs; i++) {
        if (c->server[i]->pid) {
            qvfio_user_server_wait_disconnect(c->server[i]);
        }
        qvfio_user_server_free(c->server[i]);
        g_array_unref(c->boot[i]);
    }
}

void coordination_system_reset(Coordination *c)
{
    json_node_unref(qmp_client_do(qtest_qmp(c->qts),
                                  "{'execute': 'system_reset'}"));
    json_object_unref(qmp_client_event(qtest_qmp(c->qts), "RESET"));
}

/* --- checks --------------------------------------------------------------- */

uint64_t coordination_block(const Coordination *c, unsigned mem,
                            uint64_t block)
{
    return c->config[mem].addr + block * c->config[mem].block_size;
}

/* The virtio-mem device whose region @iova is in, or -1. */
static int mem_at(const Coordination *c, uint64_t iova)
{
    for (unsigned i = 0; i < c->nr_mems; i++) {
        if (iova >= c->config[i].addr &&
            iova - c->config[i].addr < c->config[i].region_size) {
            return i;
        }
    }
    return -1;
}

/* A mapping that is no part of a virtio-mem device has been there at boot. */
static void check_boot_mapping(const GArray *boot, const QMapping *m,
                               unsigned nth)
{
    g_assert_cmpuint(nth, <, boot->len);
    g_assert_cmphex(m->iova, ==, g_array_index(boot, QMapping, nth).iova);
    g_assert_cmphex(m->size, ==, g_array_index(boot, QMapping, nth).size);
}

/* Both are in ascending order. */
static void check_mappings(Coordination *c, unsigned dev, unsigned mem,
                           const bool *plugged, uint64_t n)
{
    g_autoptr(GArray) mappings = qvfio_user_server_mappings(c->server[dev]);
    uint64_t block = 0;
    unsigned nr_boot = 0;

    for (unsigned i = 0; i < mappings->len; i++) {
        const QMapping *m = &g_array_index(mappings, QMapping, i);
        int at = mem_at(c, m->iova);

        if (at < 0) {
            check_boot_mapping(c->boot[dev], m, nr_boot++);
        } else if (at == (int)mem) {
            while (block < n && !plugged[block]) {
                block++;
            }
            g_assert_cmpuint(block, <, n);
            g_assert_cmphex(m->iova, ==, coordination_block(c, mem, block));
            g_assert_cmphex(m->size, ==, c->config[mem].block_size);
            block++;
        }
    }
    while (block < n && !plugged[block]) {
        block++;
    }
    g_assert_cmpuint(block, ==, n);
    g_assert_cmpuint(nr_boot, ==, c->boot[dev]->len);
}

/* The registers of a device whose server lives are those of the log. */
static void check_registers(Coordination *c, unsigned dev)
{
    QVFIOUserServer *server = c->server[dev];

    g_assert_cmpuint(qvfio_user_readq(&c->dev[dev], TESTDEV_REG_NR_MAPPINGS),
                     ==, g_tree_nnodes(server->mappings));
    g_assert_cmpuint(qvfio_user_readq(&c->dev[dev], TESTDEV_REG_MAPS), ==,
                     server->maps);
    g_assert_cmpuint(qvfio_user_readq(&c->dev[dev], TESTDEV_REG_UNMAPS), ==,
                     server->unmaps);
    g_assert_cmpuint(qvfio_user_readq(&c->dev[dev], TESTDEV_REG_REFUSALS), ==,
                     server->refusals);
}

void coordination_check(Coordination *c, unsigned mem, const bool *plugged,
                        uint64_t n)
{
    struct virtio_mem_config config;
    uint64_t count = 0;

    for (uint64_t block = 0; block < n; block++) {
        count += plugged[block];
    }
    qvirtio_mem_config(&c->mem[mem], &config);
    g_assert_cmpuint(config.plugged_size, ==, count * config.block_size);
    for (unsigned i = 0; i < c->nr_devs; i++) {
        qvfio_user_server_update(c->server[i]);
        if (c->server[i]->connected) {
            check_mappings(c, i, mem, plugged, n);
            check_registers(c, i);
        }
    }
}

void coordination_expect(Coordination *c, unsigned mem, const char *picture)
{
    size_t n = strlen(picture);
    g_autofree bool *plugged = g_new(bool, n + 1);

    for (size_t i = 0; i < n; i++) {
        plugged[i] = picture[i] == '#';
        g_assert_cmpuint(qvirtio_mem_state(&c->mem[mem],
                                           coordination_block(c, mem, i), 1),
                         ==, plugged[i] ? VIRTIO_MEM_STATE_PLUGGED
                                        : VIRTIO_MEM_STATE_UNPLUGGED);
    }
    coordination_check(c, mem, plugged, n);
}

void coordination_check_sums(Coordination *c, unsigned dev, uint64_t bytes)
{
    const GArray *boot = c->boot[dev];

    g_assert_cmpuint(qvfio_user_readq(&c->dev[dev], TESTDEV_REG_NR_MAPPINGS),
                     ==, boot->len + bytes / BLOCK);
    for (unsigned i = 0; i < boot->len; i++) {
        bytes += g_array_index(boot, QMapping, i).size;
    }
    g_assert_cmpuint(qvfio_user_readq(&c->dev[dev], TESTDEV_REG_MAPPED_BYTES),
                     ==, bytes);
}
