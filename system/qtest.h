/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The qtest server: a test program in place of a CPU. On a character device it
 * reads and writes ports and memory, moves the clock and tells of interrupts in
 * QEMU's text protocol. Main loop, big lock held.
 *
 * A line is a command and its arguments, separated by blanks; numbers as in C.
 * The answer is one line, "OK ..." or "FAIL reason", and nothing is done on
 * FAIL:
 *   in{b,w,l} PORT                  OK 0xVALUE; all ones if nothing answers
 *   out{b,w,l} PORT VALUE           OK
 *   read{b,w,l,q} ADDR              OK 0xVALUE; 0 if nothing answers
 *   write{b,w,l,q} ADDR VALUE       OK
 *   read ADDR SIZE                  OK 0xBYTES in hexadecimal
 *   write ADDR SIZE 0xBYTES         OK
 *   b64read ADDR SIZE               OK BYTES in base64
 *   b64write ADDR SIZE BYTES        OK
 *   memset ADDR SIZE VALUE          OK
 *   endianness                      OK little
 *   clock_step [NS]                 OK NOW; without NS to the next timer
 *   clock_set NS                    OK NOW; never backwards
 *   irq_intercept_in PATH           OK; then, at any time, "IRQ raise N" and
 *   irq_intercept_out PATH          "IRQ lower N" for the lines of one device
 *   set_irq_in PATH NAME N LEVEL    OK; NAME unnamed-gpio-in: the unnamed ones
 * As in QEMU, an access that fails is OK all the same: what is read where
 * nothing answers, or where RAM is discarded, is zero, and what is written
 * there is lost. It never populates discarded RAM.
 */
#ifndef SYSTEM_QTEST_H
#define SYSTEM_QTEST_H

#include "qapi/error.h"

/*
 * Starts the server on @qtest_chrdev, a character device in short form: with
 * unix:PATH it connects to PATH unless server=on is given. @qtest_log: a file
 * for what is said, "none", or NULL for stderr. Once only.
 */
bool qtest_server_init(const char *qtest_chrdev, const char *qtest_log,
                       Error **errp);
/* Ends the server, if there is one. */
void qtest_server_cleanup(void);

#endif
