/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest whose virtio-mem devices and whose vfio-user devices must agree: what
 * is plugged is what the devices can reach, always. The tests say what should
 * be plugged; that the emulator thinks so, and that each server was shown just
 * that, is checked here.
 */
#ifndef QTEST_COORDINATION_H
#define QTEST_COORDINATION_H

#include "qemu/units.h"
#include "vfio-user.h"
#include "virtio-mem.h"

#define BLOCK (2 * MiB)

#define COORDINATION_MAX 2                /* devices of either kind */

typedef struct Coordination {
    QTestState *qts;
    QGuest guest;
    unsigned nr_mems, nr_devs;
    QVirtioMem mem[COORDINATION_MAX];
    struct virtio_mem_config config[COORDINATION_MAX];   /* at start */
    QVFIOUser dev[COORDINATION_MAX];
    QVFIOUserServer *server[COORDINATION_MAX];
    GArray *boot[COORDINATION_MAX];       /* QMapping when nothing is plugged */
} Coordination;

/*
 * Starts a q35 with the formatted options, which make @nr_mems virtio-mem
 * devices named vm0 ..., and with @nr_devs vfio-user devices, the first one
 * before the virtio-mem devices, the second one behind them. @server_options
 * are for the servers.
 */
void coordination_start(Coordination *c, unsigned nr_mems, unsigned nr_devs,
                        const char *server_options, const char *fmt, ...)
    G_GNUC_PRINTF(5, 6);
/* The same with one device of either kind: 256 MiB in blocks of 2 MiB, of which
 * 64 MiB are requested, in a memfd, as is boot RAM. */
void coordination_start_small(Coordination *c, unsigned nr_devs);
/* Ends all; the emulator must end well, and disconnect. */
void coordination_stop(Coordination *c);
/* Puts the drivers in place again, after a system reset. */
void coordination_restart_drivers(Coordination *c);
void coordination_system_reset(Coordination *c);

/* The address of @block of virtio-mem device @mem. */
uint64_t coordination_block(const Coordination *c, unsigned mem,
                            uint64_t block);
/*
 * The blocks of @mem that are plugged are those of which @plugged, @n long,
 * says so: the plugged size, what each living server was shown of the region,
 * and what it counts itself.
 */
void coordination_check(Coordination *c, unsigned mem, const bool *plugged,
                        uint64_t n);
/* The same as a picture, such as "##..#", of the first blocks; '#' is plugged,
 * and what is behind the picture is not. Asks for the state of each, too. */
void coordination_expect(Coordination *c, unsigned mem, const char *picture);
/* The cheap half of that: sums of device @dev, for @bytes plugged in blocks of
 * 2 MiB in all. */
void coordination_check_sums(Coordination *c, unsigned dev, uint64_t bytes);

#define assert_ack(request) \
    g_assert_cmpuint(request, ==, VIRTIO_MEM_RESP_ACK)
#define assert_nack(request) \
    g_assert_cmpuint(request, ==, VIRTIO_MEM_RESP_NACK)
#define assert_busy(request) \
    g_assert_cmpuint(request, ==, VIRTIO_MEM_RESP_BUSY)
#define assert_error(request) \
    g_assert_cmpuint(request, ==, VIRTIO_MEM_RESP_ERROR)

#endif
