/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names that users give to devices, objects and character devices. */
#ifndef QEMU_ID_H
#define QEMU_ID_H

/* A letter, then letters, digits, '-', '.', '_'. NULL is not. */
bool id_wellformed(const char *id);
/* Says so in the words of QMP: "Parameter 'id' expects an identifier". */
#define ERROR_ID_MALFORMED                                                   \
    "Parameter 'id' expects an identifier: a letter, then letters, digits, " \
    "'-', '.', '_'"

#endif
