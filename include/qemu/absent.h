/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What QEMU has and sparsevm will not have, by QEMU's names, so that whoever
 * asks for it is told that the name is right and the program the wrong one.
 * The page docs/what-it-is-not.md says why.
 */
#ifndef QEMU_ABSENT_H
#define QEMU_ABSENT_H

typedef enum AbsentKind {
    ABSENT_DEVICE,                        /* types of -device */
    ABSENT_OBJECT,                        /* types of -object */
    ABSENT_OPTION,                        /* without the dash */
    ABSENT__MAX,
} AbsentKind;

/*
 * Says what is missing where QEMU knows @name: "sparsevm has no networks (see
 * the page ...)". NULL: QEMU does not know it either. Ask only about names that
 * sparsevm does not know. The text lives for ever.
 */
const char *absent_reason(AbsentKind kind, const char *name);

#endif
