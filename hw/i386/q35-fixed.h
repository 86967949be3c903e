/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What q35 always has and what it never has. For the board only. */
#ifndef HW_I386_Q35_FIXED_H
#define HW_I386_Q35_FIXED_H

#include "qom/object.h"

void q35_class_add_fixed(ObjectClass *klass);

#endif
