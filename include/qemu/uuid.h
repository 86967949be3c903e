/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * UUIDs (RFC 9562) as text and as bytes, by QEMU's names. The bytes are in the order
 * of the text; firmware's tables have the first three numbers little endian. Any
 * thread.
 */
#ifndef QEMU_UUID_H
#define QEMU_UUID_H

typedef struct QemuUUID {
    uint8_t data[16];
} QemuUUID;

/* Digits of either case, with four hyphens; 0, or -1 and *@uuid is as before. */
int qemu_uuid_parse(const char *str, QemuUUID *uuid);
/* In lower case; g_free(). */
char *qemu_uuid_unparse_strdup(const QemuUUID *uuid);
/* A random one. */
void qemu_uuid_generate(QemuUUID *out);
/* @uuid with the bytes of its first three numbers the other way around. */
QemuUUID qemu_uuid_bswap(QemuUUID uuid);

#endif
