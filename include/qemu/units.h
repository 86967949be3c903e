/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef QEMU_UNITS_H
#define QEMU_UNITS_H

#define KiB (UINT64_C(1) << 10)
#define MiB (UINT64_C(1) << 20)
#define GiB (UINT64_C(1) << 30)
#define TiB (UINT64_C(1) << 40)

#endif
