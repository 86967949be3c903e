/* SPDX-License-Identifier: GPL-2.0-or-later */
/* main() of targets that need no machine. */
#include "qemu/osdep.h"

#include "fuzz.h"
#include "qemu/error-report.h"

static void say_nothing(const char *line, void *opaque)
{
}

int main(int argc, char **argv)
{
    error_set_printer(say_nothing, NULL);
    return fuzz_drive(argc, argv);
}
