/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The vfio-user test device (tests/vfio-user-device) from both its ends: the
 * server as a process of its own, whose log tells which guest memory it was
 * shown, and the driver of the PCI function that it emulates.
 *
 * QTEST_VFIO_USER_TESTDEV  the server's program; tests are skipped if not set
 */
#ifndef QTEST_VFIO_USER_H
#define QTEST_VFIO_USER_H

#include <stdio.h>

#include "../vfio-user-device/registers.h"
#include "pci.h"

/* --- the server ----------------------------------------------------------- */

/* A piece of guest memory that the server was shown. */
typedef struct QMapping {
    uint64_t iova;
    uint64_t size;
} QMapping;

typedef struct QVFIOUserServer {
    GPid pid;                             /* 0: has been waited for */
    char *dir;
    char *socket;                         /* that it listens on */
    char *log_path;
    /* What of the log has been read says: */
    FILE *log;
    GTree *mappings;                      /* QMapping, by iova */
    uint64_t maps, unmaps, refusals;      /* of the first two: accepted */
    bool connected;
} QVFIOUserServer;

/* As qtest_main_init(); skips all if there is no server, or the emulator has no
 * such device, too. */
void qvfio_user_main_init(int *argc, char ***argv);
/* An option with which the emulator waits for a server as long as a test would. */
const char *qvfio_user_patience(void);
/* Starts it with further options; it listens when this returns. */
QVFIOUserServer *qvfio_user_server_new(const char *fmt, ...)
    G_GNUC_PRINTF(1, 2);
/* Ends it, if it has not ended, and removes its files. */
void qvfio_user_server_free(QVFIOUserServer *server);
/* Kills it, whatever it is doing. */
void qvfio_user_server_kill(QVFIOUserServer *server);
/* Reads what is new in the log; each unmap must be exactly one earlier map. */
void qvfio_user_server_update(QVFIOUserServer *server);
/* The same until the client has disconnected. */
void qvfio_user_server_wait_disconnect(QVFIOUserServer *server);
/* What is mapped now: QMapping, ascending; g_array_unref(). */
GArray *qvfio_user_server_mappings(QVFIOUserServer *server);

/* --- the driver ----------------------------------------------------------- */

typedef struct QVFIOUser {
    QPCIDevice pci;
    uint64_t regs;                        /* guest physical, of BAR 0 */
} QVFIOUser;

/* The @nth function; a bus master, MSI-X enabled. */
void qvfio_user_init(QVFIOUser *dev, QGuest *guest, unsigned nth);
uint32_t qvfio_user_readl(QVFIOUser *dev, unsigned reg);
uint64_t qvfio_user_readq(QVFIOUser *dev, unsigned reg);
void qvfio_user_writel(QVFIOUser *dev, unsigned reg, uint32_t value);
void qvfio_user_writeq(QVFIOUser *dev, unsigned reg, uint64_t value);

/* DMA by the device. 0, or the errno with which it failed. */
uint32_t qvfio_user_copy(QVFIOUser *dev, uint64_t to, uint64_t from,
                         uint64_t size);
uint32_t qvfio_user_fill(QVFIOUser *dev, uint64_t to, uint8_t value,
                         uint64_t size);
uint32_t qvfio_user_checksum(QVFIOUser *dev, uint64_t from, uint64_t size,
                             uint64_t *sum);
/* The bytes of the mapping that holds @iova; 0: it is not mapped. */
uint64_t qvfio_user_probe(QVFIOUser *dev, uint64_t iova);
/* Makes TESTDEV_FAULT_* happen, see registers.h. */
void qvfio_user_arm(QVFIOUser *dev, uint32_t fault, uint32_t after,
                    uint32_t arg);

#endif
